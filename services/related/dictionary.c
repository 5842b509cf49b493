/*
 * dictionary.c - surfaces, terms and the pool that holds their letters.
 */
#include "related/dictionary.h"

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

struct word {
	const char *bytes;
	size_t size;
};

void dictionary_open(struct dictionary *d)
{
	*d = (struct dictionary){
		.key = hash_key(), .max_terms = MOST_TERMS, .max_surfaces = MOST_SURFACES};
}

void dictionary_close(struct dictionary *d)
{
	free(d->pool);
	free(d->surfaces);
	free(d->terms);
	slots_free(&d->surface_slots);
	slots_free(&d->term_slots);
	*d = (struct dictionary){0};
}

size_t dictionary_bytes(const struct dictionary *d)
{
	return d->pool_room + d->surface_room * sizeof *d->surfaces +
	       d->term_room * sizeof *d->terms + slots_bytes(&d->surface_slots) +
	       slots_bytes(&d->term_slots);
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

uint32_t dictionary_find_surface(const struct dictionary *d, const char *word, size_t size)
{
	return slots_find(&d->surface_slots, hash_bytes(word, size, d->key), same_surface, d,
			  &(struct word){word, size});
}

uint32_t dictionary_find_term(const struct dictionary *d, const char *stem, size_t size)
{
	return slots_find(&d->term_slots, hash_bytes(stem, size, d->key), same_term, d,
			  &(struct word){stem, size});
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

uint32_t dictionary_add_surface(struct dictionary *d, const char *word, size_t size, uint32_t term)
{
	if (d->n_surfaces >= d->max_surfaces || pool_full(d) || size > LABEL_BYTES + 8)
		return SLOTS_NONE;

	MEMORY_GROW(d->surfaces, d->surface_room, d->n_surfaces + 1);
	d->surfaces[d->n_surfaces] = (struct surface){keep_text(d, word, size), term, 0};
	slots_add(&d->surface_slots, hash_bytes(word, size, d->key), d->n_surfaces);
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

uint32_t dictionary_read(struct dictionary *d, uint32_t surface)
{
	struct surface *s = &d->surfaces[surface];
	struct term *term = NULL;

	if (s->term >= d->n_terms)
		return s->term;

	s->count += s->count < UINT32_MAX;
	term = &d->terms[s->term];
	if (term->written == SLOTS_NONE || s->count > d->surfaces[term->written].count)
		term->written = surface;
	return s->term;
}

const char *dictionary_written(const struct dictionary *d, uint32_t term)
{
	uint32_t written = d->terms[term].written;

	return d->pool + (written == SLOTS_NONE ? d->terms[term].stem : d->surfaces[written].text) +
	       1;
}
