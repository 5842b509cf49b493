/*
 * dice.h - the same random numbers in every run, and texts made of them.
 */
#ifndef TEST_RELATED_DICE_H
#define TEST_RELATED_DICE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>

/* splitmix64 */
static inline uint64_t dice_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline uint32_t dice(uint64_t *state, uint32_t below)
{
	return (uint32_t)(dice_next(state) % below);
}

/* A rank from 0 to below - 1, about as often as words of that rank are used (Zipf). */
static inline uint32_t dice_zipf(uint64_t *state, uint32_t below)
{
	double u = (double)(dice_next(state) >> 11) / 9007199254740992.0;

	return (uint32_t)(exp(u * log((double)below + 1)) - 1);
}

/* count words "w17 w3 ..." of a vocabulary into text. */
static inline void dice_words(uint64_t *state, char *text, size_t room, uint32_t count,
			      uint32_t vocabulary)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < count && used + 16 < room; i++)
		used += (size_t)snprintf(text + used, room - used, "w%u ",
					 dice_zipf(state, vocabulary));
}

#endif
