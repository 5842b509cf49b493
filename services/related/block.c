/*
 * block.c - lookup in blocks, and the lists of the hot one.
 */
#include "related/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "related/memory.h"

enum { SMALLEST_LIST = 2, SMALLEST_HOT = 4096 };

struct block *block_new(uint32_t slots)
{
	struct block *block = MEMORY_NEW(struct block, 1);

	block->room = slots;
	block->topics = MEMORY_NEW(uint32_t, slots);
	block->shown = MEMORY_NEW(uint8_t, slots);
	return block;
}

struct block *block_new_hot(struct averages averages)
{
	struct block *block = block_new(HOT_SLOTS);

	block->averages = averages;
	block->hot = MEMORY_NEW(struct hot, 1);
	block->hot->mask = SMALLEST_HOT - 1;
	block->hot->lists = MEMORY_NEW(struct hot_list, SMALLEST_HOT);
	return block;
}

struct block *block_new_mapped(uint32_t slots, struct averages averages)
{
	struct block *block = MEMORY_NEW(struct block, 1);

	block->shown = MEMORY_NEW(uint8_t, slots);
	block->room = block->used = block->dead = slots;
	block->averages = averages;
	block->mapped = true;
	return block;
}

static void free_packed(struct packed *packed)
{
	free(packed->present);
	free(packed->ranks);
	free(packed->starts);
	free(packed->runs);
	free(packed->dense_terms);
	free(packed->dense);
}

static void free_hot(struct hot *hot)
{
	if (hot == NULL)
		return;
	free(hot->lists);
	free(hot->slots);
	free(hot->impacts);
	free(hot);
}

void block_free(struct block *block)
{
	if (block == NULL)
		return;
	free_hot(block->hot);
	if (!block->mapped) {
		free_packed(&block->packed);
		free(block->topics);
	}
	free(block->shown);
	free(block);
}

static bool shrink_hot(struct hot *hot)
{
	if (hot->pool_room <= MEMORY_PIECE)
		return false;
	hot->pool_room -= MEMORY_PIECE / (uint32_t)sizeof *hot->slots;
	hot->slots = memory_resize(hot->slots, hot->pool_room, sizeof *hot->slots);
	hot->impacts = memory_resize(hot->impacts, hot->pool_room, sizeof *hot->impacts);
	return true;
}

static bool shrink_packed(struct packed *packed)
{
	const size_t dense = (size_t)packed->n_dense * packed->n_slots;

	if (packed->n_bytes > MEMORY_PIECE) {
		packed->n_bytes -= MEMORY_PIECE;
		packed->runs = memory_resize(packed->runs, packed->n_bytes, 1);
	} else if (dense > MEMORY_PIECE) {
		packed->n_dense -= MEMORY_PIECE / packed->n_slots;
		packed->dense = memory_resize(packed->dense, packed->n_dense, packed->n_slots);
	} else {
		return false;
	}
	return true;
}

bool block_shrink(struct block *block)
{
	if (block->mapped)
		return false;
	return block->hot != NULL ? shrink_hot(block->hot) : shrink_packed(&block->packed);
}

size_t block_bytes(const struct block *block)
{
	const struct packed *packed = &block->packed;
	const struct hot *hot = block->hot;
	size_t bytes = block->room * (sizeof *block->topics + sizeof *block->shown);

	if (hot != NULL)
		return bytes + (hot->mask + 1) * sizeof *hot->lists +
		       hot->pool_room * (sizeof *hot->slots + sizeof *hot->impacts);
	return bytes + packed->n_terms / 64 * (sizeof *packed->present + sizeof *packed->ranks) +
	       packed->n_present * sizeof *packed->starts + packed->n_bytes +
	       (size_t)packed->n_dense * packed->n_slots;
}

static struct hot_list *hot_place(struct hot_list *lists, uint32_t mask, uint32_t term)
{
	uint32_t i = term * 2654435769u & mask;

	while (lists[i].room != 0 && lists[i].term != term)
		i = (i + 1) & mask;
	return &lists[i];
}

static void widen_hot(struct hot *hot)
{
	uint32_t mask = hot->mask * 2 + 1;
	struct hot_list *lists = NULL;

	if (hot->used <= hot->mask / 2)
		return;
	lists = MEMORY_NEW(struct hot_list, mask + 1);
	for (uint32_t i = 0; i <= hot->mask; i++)
		if (hot->lists[i].room != 0)
			*hot_place(lists, mask, hot->lists[i].term) = hot->lists[i];
	free(hot->lists);
	hot->lists = lists;
	hot->mask = mask;
}

static void widen_pool(struct hot *hot, uint32_t needed)
{
	uint32_t room = hot->pool_room;

	MEMORY_GROW(hot->slots, room, needed);
	if (room != hot->pool_room)
		hot->impacts = memory_resize(hot->impacts, room, sizeof *hot->impacts);
	hot->pool_room = room;
}

static void move_list(struct hot *hot, struct hot_list *list)
{
	uint32_t room = list->room * 2, start = hot->pool_used;

	widen_pool(hot, start + room);
	memcpy(hot->slots + start, hot->slots + list->start, list->count * sizeof *hot->slots);
	memcpy(hot->impacts + start, hot->impacts + list->start, list->count);
	list->start = start;
	list->room = room;
	hot->pool_used += room;
}

static void hot_add(struct hot *hot, uint32_t term, uint32_t slot, uint8_t impact)
{
	struct hot_list *list = hot_place(hot->lists, hot->mask, term);

	if (list->room == 0) {
		widen_pool(hot, hot->pool_used + SMALLEST_LIST);
		*list = (struct hot_list){term, hot->pool_used, 0, SMALLEST_LIST};
		hot->pool_used += SMALLEST_LIST;
		hot->used++;
	} else if (list->count == list->room) {
		move_list(hot, list);
	}
	hot->slots[list->start + list->count] = (uint16_t)slot;
	hot->impacts[list->start + list->count] = impact;
	list->count++;
	widen_hot(hot);
}

uint32_t block_add(struct block *block, uint32_t topic, uint8_t shown, const struct bag *bag)
{
	struct field_weights weights = bm25f_weights(block->averages, bag->length);
	uint32_t slot = block->used++;

	assert(block->hot != NULL && slot < block->room);
	block->topics[slot] = topic;
	block->shown[slot] = shown;
	for (uint32_t i = 0; i < bag->count; i++)
		hot_add(block->hot, bag->entries[i].term, slot,
			bm25f_impact(&weights, bag->entries[i].tf));
	return slot;
}

static struct run hot_run(const struct hot *hot, uint32_t term)
{
	const struct hot_list *list = hot_place(hot->lists, hot->mask, term);

	if (list->room == 0)
		return (struct run){0};
	return (struct run){.slots = hot->slots + list->start,
			    .impacts = hot->impacts + list->start,
			    .count = list->count};
}

static struct run dense_run(const struct packed *packed, uint32_t term)
{
	for (uint32_t i = 0; i < packed->n_dense; i++)
		if (packed->dense_terms[i] == term)
			return (struct run){.impacts = packed->dense + (size_t)i * packed->n_slots,
					    .count = packed->n_slots};
	return (struct run){0};
}

static struct run run_at(const struct packed *packed, uint32_t rank)
{
	uint32_t start = packed->starts[rank] & ~1U, end = packed->starts[rank + 1] & ~1U;
	const uint8_t *at = packed->runs + start;
	uint32_t by_gaps = (end - start) / 2, by_slots = (end - start) / 3;

	if (packed->starts[rank] & 1)
		return (struct run){.gaps = at, .impacts = at + by_gaps, .count = by_gaps};
	return (struct run){.slots = (const uint16_t *)(const void *)at,
			    .impacts = at + by_slots * sizeof(uint16_t),
			    .count = by_slots}; /* of an odd number a byte remains */
}

static struct run packed_run(const struct packed *packed, uint32_t term)
{
	uint64_t word = 0, bit = 1ULL << (term % 64);

	if (term >= packed->n_terms)
		return (struct run){0};
	word = packed->present[term / 64];
	if ((word & bit) == 0)
		return dense_run(packed, term);
	return run_at(packed,
		      packed->ranks[term / 64] + (uint32_t)__builtin_popcountll(word & (bit - 1)));
}

struct run block_run(const struct block *block, uint32_t term)
{
	return block->hot != NULL ? hot_run(block->hot, term) : packed_run(&block->packed, term);
}
