/*
 * idset.c - adding to a sparse set, see idset.h.
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

bool idset_add(struct idset *set, uint32_t number)
{
	if (idset_has(set, number))
		return false;
	widen(set, number);
	MEMORY_GROW(set->items, set->room, set->count + 1);
	set->where[number] = set->count;
	set->items[set->count++] = number;
	return true;
}

void idset_free(struct idset *set)
{
	free(set->items);
	free(set->where);
	*set = (struct idset){0};
}
