/*
 * dictionary.c - surfaces, terms and the pool that holds their letters.
 */
#include "related/dictionary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "related/hash.h"
#include "related/memory.h"

enum {
	MOST_TERMS =
		1 << 23, /* 8 million stems: Heaps' law needs 0.6 million for a million topics */
	MOST_SURFACES = 1 << 24,
};

#define POOL_LIMIT ((size_t)1 << 30)

void dictionary_open(struct dictionary *d)
{
	*d = (struct dictionary){.familiar = MEMORY_NEW(struct familiar, FAMILIAR_WORDS),
				 .key = hash_key(),
				 .max_terms = MOST_TERMS,
				 .max_surfaces = MOST_SURFACES};
}

void dictionary_close(struct dictionary *d)
{
	free(d->pool);
	free(d->surfaces);
	free(d->terms);
	free(d->familiar);
	slots_free(&d->surface_slots);
	slots_free(&d->term_slots);
	*d = (struct dictionary){0};
}

size_t dictionary_bytes(const struct dictionary *d)
{
	return d->pool_room + d->surface_room * sizeof *d->surfaces +
	       d->term_room * sizeof *d->terms + slots_bytes(&d->surface_slots) +
	       slots_bytes(&d->term_slots) + FAMILIAR_WORDS * sizeof *d->familiar;
}

const char *dictionary_text(const struct dictionary *d, uint32_t text, size_t *size)
{
	*size = (unsigned char)d->pool[text];
	return d->pool + text + 1;
}

static bool same_text(const struct dictionary *d, uint32_t text, const struct word *word)
{
	return (unsigned char)d->pool[text] == word->size &&
	       memcmp(d->pool + text + 1, word->bytes, word->size) == 0;
}

static bool same_surface(const void *owner, uint32_t position, const void *key)
{
	const struct dictionary *d = owner;

	return same_text(d, d->surfaces[position].text, key);
}

static bool same_term(const void *owner, uint32_t position, const void *key)
{
	const struct dictionary *d = owner;

	return same_text(d, d->terms[position].stem, key);
}

struct word dictionary_word(const struct dictionary *d, const char *bytes, size_t size)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t head = size < 8 ? size : 8, rest = size < FAMILIAR_BYTES ? size - head : 8;

	return (struct word){bytes, (uint32_t)size, hash_bytes(bytes, size, d->key),
			     hash_load(p, head), hash_load(p + head, rest)};
}

void dictionary_remember(struct dictionary *d, const struct word *word, uint32_t surface)
{
	if (word->size <= FAMILIAR_BYTES)
		d->familiar[familiar_place(word)] = (struct familiar){
			word->head, word->rest, word->size, surface, d->surfaces[surface].term};
}

/* In three rounds: table, surfaces, then letters and terms. */
void dictionary_prefetch(const struct dictionary *d, const struct word *words, uint32_t count)
{
	uint32_t guesses[WORDS_TOGETHER];

	assert(count <= WORDS_TOGETHER);
	for (uint32_t i = 0; i < count; i++)
		slots_prefetch(&d->surface_slots, words[i].hash);
	for (uint32_t i = 0; i < count; i++) {
		guesses[i] = slots_guess(&d->surface_slots, words[i].hash);
		if (guesses[i] != SLOTS_NONE)
			__builtin_prefetch(&d->surfaces[guesses[i]], 1);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (guesses[i] == SLOTS_NONE)
			continue;
		__builtin_prefetch(d->pool + d->surfaces[guesses[i]].text);
		if (d->surfaces[guesses[i]].term < d->n_terms)
			__builtin_prefetch(&d->terms[d->surfaces[guesses[i]].term]);
	}
}

uint32_t dictionary_find_surface(const struct dictionary *d, const struct word *word)
{
	return slots_find(&d->surface_slots, word->hash, same_surface, d, word);
}

uint32_t dictionary_find_term(const struct dictionary *d, const char *stem, size_t size)
{
	const struct word word = dictionary_word(d, stem, size);

	return slots_find(&d->term_slots, word.hash, same_term, d, &word);
}

static uint32_t keep_text(struct dictionary *d, const char *bytes, size_t size)
{
	uint32_t text = (uint32_t)d->pool_used;

	MEMORY_GROW(d->pool, d->pool_room, d->pool_used + size + 2);
	d->pool[text] = (char)size;
	memcpy(d->pool + text + 1, bytes, size);
	d->pool[text + 1 + size] = '\0';
	d->pool_used += size + 2;
	return text;
}

static bool pool_full(const struct dictionary *d)
{
	return d->pool_used + LABEL_BYTES + 16 > POOL_LIMIT;
}

uint32_t dictionary_add_surface(struct dictionary *d, const struct word *word, uint32_t term)
{
	if (d->n_surfaces >= d->max_surfaces || pool_full(d) || word->size > LABEL_BYTES + 8)
		return SLOTS_NONE;

	MEMORY_GROW(d->surfaces, d->surface_room, d->n_surfaces + 1);
	d->surfaces[d->n_surfaces] =
		(struct surface){keep_text(d, word->bytes, word->size), term, 0};
	slots_add(&d->surface_slots, word->hash, d->n_surfaces);
	if (term < d->n_terms && d->terms[term].written == SLOTS_NONE)
		d->terms[term].written = d->n_surfaces;
	return d->n_surfaces++;
}

uint32_t dictionary_add_term(struct dictionary *d, const char *stem, size_t size)
{
	uint32_t found = dictionary_find_term(d, stem, size);

	if (found != SLOTS_NONE)
		return found;
	if (d->n_terms >= d->max_terms || pool_full(d) || size > LABEL_BYTES + 8)
		return TERM_NONE;

	MEMORY_GROW(d->terms, d->term_room, d->n_terms + 1);
	d->terms[d->n_terms] = (struct term){keep_text(d, stem, size), 0, SLOTS_NONE};
	slots_add(&d->term_slots, hash_bytes(stem, size, d->key), d->n_terms);
	return d->n_terms++;
}

void dictionary_read(struct dictionary *d, uint32_t surface)
{
	struct surface *s = &d->surfaces[surface];
	struct term *term = NULL;

	if (s->term >= d->n_terms)
		return;
	s->count += s->count < UINT32_MAX;
	term = &d->terms[s->term];
	if (term->written == surface)
		return;
	if (term->written == SLOTS_NONE || s->count > d->surfaces[term->written].count)
		term->written = surface;
}

const char *dictionary_written(const struct dictionary *d, uint32_t term)
{
	uint32_t written = d->terms[term].written;

	return d->pool + (written == SLOTS_NONE ? d->terms[term].stem : d->surfaces[written].text) +
	       1;
}
