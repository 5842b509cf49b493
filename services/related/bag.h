/*
 * bag.h - the terms of a topic with their frequency in each field.
 *
 * A hash table of a few kilobytes, however large the dictionary is: it stays in the processor's
 * first cache, and a term that is not in it, as most are that records are held against, meets a
 * free slot at once.
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

/* Where the terms of a part count; of parts without terms it says nothing. */
static inline enum field field_of(enum part_kind kind)
{
	return kind == PART_TITLE  ? FIELD_TITLE
	       : kind == PART_BODY ? FIELD_BODY
	       : kind == PART_TAGS ? FIELD_TAGS
				   : FIELD_REPLIES;
}

struct bag_entry {
	uint32_t term;
	uint16_t tf[FIELDS]; /* saturates */
};

struct bag_slot {
	uint32_t term, entry; /* position in entries + 1; 0: free */
};

struct bag {
	struct bag_entry *entries; /* in the order in which their terms turned up */
	struct bag_slot *slots;    /* open addressing by term, at most an eighth of them taken */
	uint32_t count, room, mask;
	uint32_t length[FIELDS]; /* tokens */
};

void bag_clear(struct bag *);
void bag_free(struct bag *);
size_t bag_bytes(const struct bag *);

static inline uint32_t bag_hash(uint32_t term)
{
	return term * 0x9e3779b1U >> 10;
}

/* NULL when the bag does not have the term. */
static inline struct bag_entry *bag_find(const struct bag *bag, uint32_t term)
{
	if (bag->count == 0)
		return NULL;
	for (uint32_t i = bag_hash(term) & bag->mask;; i = (i + 1) & bag->mask) {
		const struct bag_slot *slot = &bag->slots[i];

		if (slot->entry == 0)
			return NULL;
		if (slot->term == term)
			return &bag->entries[slot->entry - 1];
	}
}

/* Adds title, body and tags of a record; or its comments up to until (seconds since 1970). */
void bag_read_text(struct bag *, const struct record *);
void bag_read_replies(struct bag *, const struct record *, uint32_t until);

/* Both, with every comment. */
void bag_read(struct bag *, const struct record *);

/* Of one term, added when the bag does not have it; valid until the next one is added. */
struct bag_entry *bag_entry(struct bag *, uint32_t term);

#endif
