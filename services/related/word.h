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

/*
 * Writes the stem of a word (at most WORD_BYTES, valid UTF-8 in NFC) and returns
 * its length: 0 for a stop word or a word of which nothing remains.
 */
size_t word_stem(struct sb_stemmer *, const char *word, size_t size, char stem[STEM_BYTES]);

/* Lower case and without accents, for labels. Returns the length, 0 when it does not fit. */
size_t word_fold(const char *text, size_t size, char folded[STEM_BYTES]);

#endif
