/*
 * bag.h - the terms of a topic with their frequency in each field.
 *
 * A sparse set (Briggs & Torczon 1993): membership is one lookup by term and
 * nothing is cleared between topics.
 */
#ifndef RELATED_BAG_H
#define RELATED_BAG_H

#include <stddef.h>
#include <stdint.h>

#include "related/record.h"

enum field {
	FIELD_TITLE,
	FIELD_BODY,
	FIELD_REPLIES,
	FIELD_TAGS,
	FIELDS,
};

struct bag_entry {
	uint32_t term;
	uint16_t tf[FIELDS]; /* saturates */
};

struct bag {
	struct bag_entry *entries;
	uint32_t *where; /* by term: a position in entries, or anything */
	uint32_t count, room, terms;
	uint32_t length[FIELDS]; /* tokens */
};

/* Empties it for terms below n_terms. */
void bag_clear(struct bag *, uint32_t n_terms);
void bag_free(struct bag *);

static inline struct bag_entry *bag_find(const struct bag *bag, uint32_t term)
{
	uint32_t at = term < bag->terms ? bag->where[term] : UINT32_MAX;

	return at < bag->count && bag->entries[at].term == term ? &bag->entries[at] : NULL;
}

/* Adds title, body and tags of a record; or its comments up to until (seconds since 1970). */
void bag_read_text(struct bag *, const struct record *);
void bag_read_replies(struct bag *, const struct record *, uint32_t until);

/* Both, with every comment. */
void bag_read(struct bag *, const struct record *);

void bag_count(struct bag *, enum field, uint32_t term, uint32_t frequency);

#endif
