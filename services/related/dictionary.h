/*
 * dictionary.h - every word ever read, as written and as searched.
 *
 * A surface is a word as somebody wrote it ("Conversations"); it leads to its
 * term (the stem "convers"), so that a word is analysed once in its life. Terms
 * are numbered from 0 in the order in which they turn up, which makes frequent
 * ones small. Neither is ever forgotten; the bounds below are what stops growth:
 * a new word beyond them is not indexed.
 */
#ifndef RELATED_DICTIONARY_H
#define RELATED_DICTIONARY_H

#include <stddef.h>
#include <stdint.h>

#include "related/slots.h"

enum {
	FAMILIAR_WORDS = 4096,
	FAMILIAR_BYTES = 16, /* longer words are never familiar */
	WORDS_TOGETHER = 32, /* looked up */
	WORD_BYTES = 64,     /* longer words are noise: keys, hashes, lines of code */
	LABEL_BYTES = 240,   /* of an expertise: 60 characters of 4 bytes */
};

/* In place of a term: a stop word, and a word that is not indexed. */
#define TERM_STOP UINT32_MAX
#define TERM_NONE (UINT32_MAX - 1)

struct surface {
	uint32_t text; /* in the pool: one byte of length, the word, NUL */
	uint32_t term; /* or TERM_STOP, TERM_NONE */
	uint32_t count;
};

struct term {
	uint32_t stem;      /* in the pool */
	uint32_t documents; /* topics in which it occurs: the df of idf */
	uint32_t written;   /* its most frequent surface; SLOTS_NONE when it has none */
};

/* A surface that was read lately. Of its letters it keeps all, as they stand in struct word. */
struct familiar {
	uint64_t head, rest;
	uint32_t size; /* 0: no word */
	uint32_t surface, term;
};

struct dictionary {
	char *pool;
	struct surface *surfaces;
	struct term *terms;
	size_t pool_used, pool_room;
	uint32_t n_surfaces, surface_room, n_terms, term_room;
	struct slots surface_slots, term_slots;
	struct familiar *familiar; /* by hash, each place the last that came to it */
	uint64_t key;
	uint32_t max_terms, max_surfaces;
};

void dictionary_open(struct dictionary *);
void dictionary_close(struct dictionary *);
size_t dictionary_bytes(const struct dictionary *);

/* A surface to be looked up; bytes are borrowed. */
struct word {
	const char *bytes;
	uint32_t size, hash;
	uint64_t head, rest; /* of its first 16 bytes; with its size they say which word it is */
};

struct word dictionary_word(const struct dictionary *, const char *bytes, size_t size);

/* By the bits of the hash that the other tables use last. */
static inline uint32_t familiar_place(const struct word *word)
{
	return word->hash / (uint32_t)((UINT64_C(1) << 32) / FAMILIAR_WORDS);
}

/*
 * A few thousand words make up most of any text. They stand once more in a table small enough for
 * the processor's second cache, and are found there with a single look; NULL: this one is not
 * among them. Since a surface keeps its term for ever, nothing in it has to be taken back.
 */
static inline const struct familiar *dictionary_familiar(const struct dictionary *d,
							 const struct word *word)
{
	const struct familiar *familiar = &d->familiar[familiar_place(word)];

	return familiar->size == word->size && familiar->head == word->head &&
			       familiar->rest == word->rest
		       ? familiar
		       : NULL;
}

/* Makes a word familiar whose surface was found. */
void dictionary_remember(struct dictionary *, const struct word *, uint32_t surface);

/*
 * Sends for all that finding and reading these surfaces will touch. A dictionary is larger than
 * any cache, and a word meets three places of it, each known only from the one before: words that
 * are looked up together wait for all of them at once.
 */
void dictionary_prefetch(const struct dictionary *, const struct word *words, uint32_t count);

/* Position of a surface or term, or SLOTS_NONE. */
uint32_t dictionary_find_surface(const struct dictionary *, const struct word *);
uint32_t dictionary_find_term(const struct dictionary *, const char *stem, size_t size);

/* Adds it when it is new; SLOTS_NONE (surface) or TERM_NONE (term) at the bounds. */
uint32_t dictionary_add_surface(struct dictionary *, const struct word *, uint32_t term);
uint32_t dictionary_add_term(struct dictionary *, const char *stem, size_t size);

/* One more occurrence of a surface. */
void dictionary_read(struct dictionary *, uint32_t surface);

/* How people write this term most often; valid until the dictionary grows. */
const char *dictionary_written(const struct dictionary *, uint32_t term);
const char *dictionary_text(const struct dictionary *, uint32_t text, size_t *size);

#endif
