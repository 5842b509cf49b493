/*
 * idset.h - a sparse set of small numbers (Briggs & Torczon 1993): users, topics.
 */
#ifndef RELATED_IDSET_H
#define RELATED_IDSET_H

#include <stdbool.h>
#include <stdint.h>

struct idset {
	uint32_t *items; /* in the order in which they were added */
	uint32_t *where; /* by number: a position in items, or anything */
	uint32_t count, room, limit;
};

enum { IDSET_FEW = 16 };

/* Few members are looked through: they are at hand, and a place in where is far away. */
static inline bool idset_has(const struct idset *set, uint32_t number)
{
	uint32_t at = 0;

	if (set->count <= IDSET_FEW) {
		while (at < set->count && set->items[at] != number)
			at++;
		return at < set->count;
	}
	at = number < set->limit ? set->where[number] : UINT32_MAX;
	return at < set->count && set->items[at] == number;
}

/* Forgets every member. */
static inline void idset_clear(struct idset *set)
{
	set->count = 0;
}

/* False when it was there already. */
bool idset_add(struct idset *, uint32_t number);
void idset_free(struct idset *);

#endif
