/*
 * slots.c - insertion and growth of the position table, see slots.h.
 */
#include "related/slots.h"

#include <assert.h>
#include <stdlib.h>

#include "related/memory.h"

enum {
	SMALLEST = 64,
	MOVED_PER_ADD = 8, /* > 1 / (growth at 3/4), so emptying ends before the next growth */
};

static void place(struct slots_table *table, uint64_t slot)
{
	assert(table->at != NULL);
	uint32_t i = (uint32_t)(slot >> 32) & table->mask;

	while (table->at[i] != 0)
		i = (i + 1) & table->mask;
	table->at[i] = slot;
}

/*
 * What was moved stays in place in the old table: probes through it must not
 * stop early, and a key found there is the same as in the new one.
 */
static void move_some(struct slots *slots, uint32_t count)
{
	if (slots->before.at == NULL)
		return;
	for (; count > 0 && slots->moved <= slots->before.mask; count--, slots->moved++)
		if (slots->before.at[slots->moved] != 0)
			place(&slots->now, slots->before.at[slots->moved]);
	if (slots->moved > slots->before.mask) {
		free(slots->before.at);
		slots->before = (struct slots_table){0};
	}
}

void slots_reserve(struct slots *slots, uint32_t count)
{
	uint32_t size = SMALLEST;

	assert(slots->used == 0 && count < UINT32_MAX / 4);
	while (size / 4 * 3 <= count)
		size *= 2;
	slots_free(slots);
	slots->now.at = MEMORY_NEW(uint64_t, size);
	slots->now.mask = size - 1;
}

static void grow(struct slots *slots)
{
	uint32_t size = slots->now.at == NULL ? SMALLEST : (slots->now.mask + 1) * 2;

	move_some(slots, UINT32_MAX);
	slots->before = slots->now;
	slots->moved = 0;
	slots->now.at = MEMORY_NEW(uint64_t, size);
	slots->now.mask = size - 1;
}

void slots_add(struct slots *slots, uint32_t hash, uint32_t position)
{
	if (slots->now.at == NULL || slots->used >= slots->now.mask / 4 * 3)
		grow(slots);
	move_some(slots, MOVED_PER_ADD);
	place(&slots->now, (uint64_t)hash << 32 | (position + 1));
	slots->used++;
}

static size_t table_bytes(const struct slots_table *table)
{
	return table->at == NULL ? 0 : ((size_t)table->mask + 1) * sizeof *table->at;
}

size_t slots_bytes(const struct slots *slots)
{
	return table_bytes(&slots->now) + table_bytes(&slots->before);
}

void slots_free(struct slots *slots)
{
	free(slots->now.at);
	free(slots->before.at);
	*slots = (struct slots){0};
}
