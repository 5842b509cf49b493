/*
 * idset.c - adding to a set of numbers, see idset.h.
 */
#include "related/idset.h"

#include <stdlib.h>
#include <string.h>

#include "related/memory.h"

static void widen(struct idset *set, uint32_t number)
{
	uint32_t before = set->limit;

	if (number < before)
		return;
	MEMORY_GROW(set->where, set->limit, (size_t)number + 1);
	memset(set->where + before, 0, (set->limit - before) * sizeof *set->where);
}

/* Member at of a set that is looked up by number. */
static void enter(struct idset *set, uint32_t at)
{
	uint32_t number = set->items[at];

	widen(set, number);
	set->where[number] = at;
	set->filter[number % IDSET_FILTER / 64] |= 1ULL << number % 64;
}

static void outgrow_few(struct idset *set)
{
	memset(set->filter, 0, sizeof set->filter);
	for (uint32_t at = 0; at < set->count; at++)
		enter(set, at);
}

bool idset_add(struct idset *set, uint32_t number)
{
	if (idset_has(set, number))
		return false;
	MEMORY_GROW(set->items, set->room, set->count + 1);
	set->items[set->count++] = number;
	if (set->count == IDSET_FEW + 1)
		outgrow_few(set);
	else if (set->count > IDSET_FEW)
		enter(set, set->count - 1);
	return true;
}

void idset_free(struct idset *set)
{
	free(set->items);
	free(set->where);
	*set = (struct idset){0};
}
