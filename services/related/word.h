/*
 * word.h - what becomes of one written word.
 */
#ifndef RELATED_WORD_H
#define RELATED_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sb_stemmer;

enum { STEM_BYTES = 256 }; /* case folding may triple a word's length */

/* May this character be part of a word? */
bool word_character(uint32_t character);

static inline bool word_character_ascii(unsigned char c)
{
	return (c | 0x20U) - 'a' < 26U || c - (unsigned)'0' < 10U;
}

/* The same byte eight times. */
#define WORD_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline bool word_all_ascii(uint64_t bytes)
{
	return (bytes & WORD_EACH(0x80)) == 0;
}

/*
 * Of eight bytes at once: the highest bit of each that is not an ASCII letter or digit. A sum of
 * seven bits each stays in its byte, and its highest bit tells how the two compare (Lamport 1975,
 * "Multiple byte processing with full-word instructions").
 */
static inline uint64_t word_ends_ascii(uint64_t bytes)
{
	uint64_t low = bytes & WORD_EACH(0x7f), small = low | WORD_EACH(0x20);
	uint64_t letters = (small + WORD_EACH(0x80 - 'a')) & ~(small + WORD_EACH(0x7f - 'z'));
	uint64_t digits = (low + WORD_EACH(0x80 - '0')) & ~(low + WORD_EACH(0x7f - '9'));

	return (~(letters | digits) | bytes) & WORD_EACH(0x80);
}

/*
 * Writes the stem of a word (at most WORD_BYTES, valid UTF-8 in NFC) and returns
 * its length: 0 for a stop word or a word of which nothing remains.
 */
size_t word_stem(struct sb_stemmer *, const char *word, size_t size, char stem[STEM_BYTES]);

/* Lower case and without accents, for labels. Returns the length, 0 when it does not fit. */
size_t word_fold(const char *text, size_t size, char folded[STEM_BYTES]);

#endif
