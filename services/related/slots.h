/*
 * slots.h - a hash table of positions in somebody else's array.
 *
 * A slot keeps 32 bits of the hash and the position, so most comparisons never
 * touch the array. Growing moves a few slots with every insertion: no single
 * insertion stops the loop, however large the table has become.
 */
#ifndef RELATED_SLOTS_H
#define RELATED_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_NONE UINT32_MAX

struct slots_table {
	uint64_t *at; /* hash << 32 | position + 1; 0 is free */
	uint32_t mask;
};

/* All zero is an empty table. Positions are below 2^32 - 1. */
struct slots {
	struct slots_table now;
	struct slots_table before; /* being emptied into now */
	uint32_t moved;            /* slots of before already emptied */
	uint32_t used;
};

/* Does the array's element at this position have this key? */
typedef bool slots_same(const void *owner, uint32_t position, const void *key);

static inline uint32_t slots_look(const struct slots_table *table, uint32_t hash, slots_same *same,
				  const void *owner, const void *key)
{
	if (table->at == NULL)
		return SLOTS_NONE;
	for (uint32_t i = hash & table->mask;; i = (i + 1) & table->mask) {
		uint64_t slot = table->at[i];

		if (slot == 0)
			return SLOTS_NONE;
		if ((uint32_t)(slot >> 32) == hash && same(owner, (uint32_t)slot - 1, key))
			return (uint32_t)slot - 1;
	}
}

/* The position of this key, or SLOTS_NONE. */
static inline uint32_t slots_find(const struct slots *slots, uint32_t hash, slots_same *same,
				  const void *owner, const void *key)
{
	uint32_t found = slots_look(&slots->now, hash, same, owner, key);

	if (found == SLOTS_NONE && slots->before.at != NULL)
		found = slots_look(&slots->before, hash, same, owner, key);
	return found;
}

/* Sends for the place where a search for this hash begins. */
static inline void slots_prefetch(const struct slots *slots, uint32_t hash)
{
	if (slots->now.at != NULL)
		__builtin_prefetch(&slots->now.at[hash & slots->now.mask]);
}

/* The position that a search for this hash will probably compare first, or SLOTS_NONE. */
static inline uint32_t slots_guess(const struct slots *slots, uint32_t hash)
{
	uint64_t slot = slots->now.at == NULL ? 0 : slots->now.at[hash & slots->now.mask];

	return (uint32_t)(slot >> 32) == hash ? (uint32_t)slot - 1 : SLOTS_NONE;
}

/* The key must not be in the table yet. */
void slots_add(struct slots *, uint32_t hash, uint32_t position);

/* Makes room for so many in an empty table. */
void slots_reserve(struct slots *, uint32_t count);

size_t slots_bytes(const struct slots *);
void slots_free(struct slots *);

#endif
