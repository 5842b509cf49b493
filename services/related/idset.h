/*
 * idset.h - a set of small numbers (users, topics): at hand while it is small, and sparse
 * (Briggs & Torczon 1993) when it grows.
 *
 * A few members are looked through. Of more, a filter of 512 bits answers most questions about
 * numbers that are not in the set; only the others look at where, which may be megabytes away.
 */
#ifndef RELATED_IDSET_H
#define RELATED_IDSET_H

#include <stdbool.h>
#include <stdint.h>

enum { IDSET_FEW = 16, IDSET_FILTER = 512 };

struct idset {
	uint32_t *items; /* in the order in which they were added */
	uint32_t *where; /* beyond a few, by number: a position in items, or anything */
	uint32_t count, room, limit;
	uint64_t filter[IDSET_FILTER / 64];
};

/* A number's position in items, or count when it is not a member. */
static inline uint32_t idset_find(const struct idset *set, uint32_t number)
{
	uint32_t at = 0;

	if (set->count <= IDSET_FEW) {
		while (at < set->count && set->items[at] != number)
			at++;
		return at;
	}
	if ((set->filter[number % IDSET_FILTER / 64] & 1ULL << number % 64) == 0)
		return set->count;
	at = number < set->limit ? set->where[number] : UINT32_MAX;
	return at < set->count && set->items[at] == number ? at : set->count;
}

static inline bool idset_has(const struct idset *set, uint32_t number)
{
	return idset_find(set, number) < set->count;
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
