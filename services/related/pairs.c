/*
 * pairs.c - a short sorted list: organizers set pairs by hand, a few at a time.
 */
#include "related/pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "related/memory.h"

static struct pair ordered(uint64_t a, uint64_t b, enum pairing word)
{
	return a < b ? (struct pair){a, b, word} : (struct pair){b, a, word};
}

static int compare(const struct pair *a, const struct pair *b)
{
	if (a->one != b->one)
		return a->one < b->one ? -1 : 1;
	return (a->other > b->other) - (a->other < b->other);
}

static uint32_t position(const struct pairs *pairs, const struct pair *pair)
{
	uint32_t low = 0, high = pairs->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (compare(&pairs->at[middle], pair) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void take_out(struct pairs *pairs, uint32_t at)
{
	pairs->count--;
	memmove(pairs->at + at, pairs->at + at + 1, (pairs->count - at) * sizeof *pairs->at);
}

static int put_in(struct pairs *pairs, uint32_t at, struct pair pair)
{
	if (pairs->count == MOST_PAIRS)
		return -ENOSPC;
	MEMORY_GROW(pairs->at, pairs->room, pairs->count + 1);
	memmove(pairs->at + at + 1, pairs->at + at, (pairs->count - at) * sizeof *pairs->at);
	pairs->at[at] = pair;
	pairs->count++;
	return 0;
}

int pairs_set(struct pairs *pairs, uint64_t topic_id, uint64_t other_id, enum pairing word)
{
	struct pair pair = ordered(topic_id, other_id, word);
	uint32_t at = position(pairs, &pair);

	if (topic_id == other_id || topic_id == 0 || other_id == 0)
		return -EINVAL;
	if (at < pairs->count && compare(&pairs->at[at], &pair) == 0)
		take_out(pairs, at);
	return word == PAIR_FREE ? 0 : put_in(pairs, at, pair);
}

void pairs_free_topic(struct pairs *pairs, uint64_t topic_id)
{
	for (uint32_t i = pairs->count; i-- > 0;)
		if (pairs->at[i].one == topic_id || pairs->at[i].other == topic_id)
			take_out(pairs, i);
}

enum pairing pairs_word(const struct pairs *pairs, uint64_t topic_id, uint64_t other_id)
{
	struct pair pair = ordered(topic_id, other_id, PAIR_FREE);
	uint32_t at = position(pairs, &pair);

	return at < pairs->count && compare(&pairs->at[at], &pair) == 0 ? pairs->at[at].word
									: PAIR_FREE;
}

void pairs_of(const struct pairs *pairs, uint64_t topic_id,
	      void (*visit)(void *, uint64_t, enum pairing), void *argument)
{
	for (uint32_t i = 0; i < pairs->count; i++) {
		const struct pair *pair = &pairs->at[i];

		if (pair->one == topic_id)
			visit(argument, pair->other, pair->word);
		else if (pair->other == topic_id)
			visit(argument, pair->one, pair->word);
	}
}

void pairs_free(struct pairs *pairs)
{
	free(pairs->at);
	*pairs = (struct pairs){0};
}
