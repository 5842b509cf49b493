/*
 * related_site.c - draws words, and writes each with letters of its own.
 */
#include "related_site.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COMMON_WORDS = 12000, MOST_WORDS = 1 << 30, PEOPLE = 50000, TEXT = 16384 };

/* Ranks below COMMON_WORDS, and above. */
#define OFFSET   20.0
#define EXPONENT 1.3
#define RARE     1.9

static const struct site_kind kinds[] = {
	{"short", 9, 60, 0, 0},
	{"replies", 9, 150, 3, 50},
	{"demo", 8, 340, 10, 25},
};

static const char *const stop_words[] = {"le",  "la",  "de",   "et",  "les",  "des",  "un",
					 "une", "the", "of",   "and", "to",   "dans", "est",
					 "que", "qui", "pour", "sur", "avec", "ne"};

static uint64_t seed = 1;

const struct site_kind *site_kind(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* splitmix64 */
static double uniform(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

uint32_t site_draw(uint32_t limit)
{
	return (uint32_t)(uniform() * limit);
}

/* By the inverse of the distribution function, of the common words or of the others. */
static uint32_t word_rank(void)
{
	const double border = COMMON_WORDS + OFFSET;
	double low = pow(OFFSET, 1 - EXPONENT), high = pow(border, 1 - EXPONENT);
	double common = (low - high) / (EXPONENT - 1), rare = high / (RARE - 1), rank = 0;

	if (uniform() * (common + rare) < common)
		rank = pow(low + uniform() * (high - low), 1 / (1 - EXPONENT)) - OFFSET;
	else
		rank = border * pow(1 - uniform(), 1 / (1 - RARE)) - OFFSET;
	return rank < MOST_WORDS ? (uint32_t)rank : MOST_WORDS - 1;
}

/* In syllables that no stemmer knows as an ending. */
static char *write_word(char *to, uint32_t rank)
{
	static const char consonants[] = "bdfgklmnpvz", vowels[] = "aou";

	do {
		*to++ = consonants[rank % 11];
		rank /= 11;
		*to++ = vowels[rank % 3];
		rank /= 3;
	} while (rank > 0);
	*to++ = 'k';
	*to++ = ' ';
	return to;
}

static char *write_stop_word(char *to)
{
	const char *word = stop_words[site_draw(sizeof stop_words / sizeof *stop_words)];
	size_t size = strlen(word);

	memcpy(to, word, size);
	to[size] = ' ';
	return to + size + 1;
}

static const char *write_text(char text[TEXT], uint32_t average)
{
	uint32_t words = average / 2 + site_draw(average + 1);
	char *to = text;

	for (uint32_t i = 0; i < words; i++)
		to = site_draw(2) == 0 ? write_stop_word(to) : write_word(to, word_rank());
	*to = '\0';
	return text;
}

const char *site_title(const struct site_kind *kind)
{
	static char text[TEXT];

	return write_text(text, kind->title);
}

const char *site_article(const struct site_kind *kind)
{
	static char text[TEXT];

	return write_text(text, kind->article);
}

const char *site_comment(const struct site_kind *kind)
{
	static char text[TEXT];

	return write_text(text, kind->comment);
}

uint32_t site_discussion(const struct site_kind *kind)
{
	return site_draw(2 * kind->comments + 1);
}

uint32_t site_person(void)
{
	return 1 + site_draw(PEOPLE);
}
