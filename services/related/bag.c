/*
 * bag.c - unpacks a record into a bag.
 */
#include "related/bag.h"

#include <stdlib.h>
#include <string.h>

#include "related/memory.h"

enum { FEWEST_SLOTS = 256, SLOTS_PER_TERM = 8 };

static void free_slots(struct bag *bag)
{
	memset(bag->slots, 0, ((size_t)bag->mask + 1) * sizeof *bag->slots);
}

/* Where a term stands, or would stand. */
static struct bag_slot *slot_of(const struct bag *bag, uint32_t term)
{
	uint32_t i = bag_hash(term) & bag->mask;

	while (bag->slots[i].entry != 0 && bag->slots[i].term != term)
		i = (i + 1) & bag->mask;
	return &bag->slots[i];
}

/* After a long text most slots are free: only those that are not are freed. */
void bag_clear(struct bag *bag)
{
	if (bag->count > 0 && bag->count < (bag->mask + 1) / (SLOTS_PER_TERM * SLOTS_PER_TERM))
		for (uint32_t at = bag->count; at-- > 0;)
			slot_of(bag, bag->entries[at].term)->entry = 0;
	else if (bag->count > 0)
		free_slots(bag);
	bag->count = 0;
	memset(bag->length, 0, sizeof bag->length);
}

void bag_free(struct bag *bag)
{
	free(bag->entries);
	free(bag->slots);
	*bag = (struct bag){0};
}

size_t bag_bytes(const struct bag *bag)
{
	return bag->room * sizeof *bag->entries +
	       (bag->slots != NULL ? ((size_t)bag->mask + 1) * sizeof *bag->slots : 0);
}

static void widen_slots(struct bag *bag)
{
	if (bag->slots != NULL && (bag->count + 1) * SLOTS_PER_TERM <= bag->mask + 1)
		return;
	bag->mask = bag->slots == NULL ? FEWEST_SLOTS - 1 : bag->mask * 2 + 1;
	bag->slots = memory_resize(bag->slots, (size_t)bag->mask + 1, sizeof *bag->slots);
	free_slots(bag);
	for (uint32_t at = 0; at < bag->count; at++)
		*slot_of(bag, bag->entries[at].term) =
			(struct bag_slot){bag->entries[at].term, at + 1};
}

static struct bag_entry *add_entry(struct bag *bag, uint32_t term)
{
	widen_slots(bag);
	MEMORY_GROW(bag->entries, bag->room, bag->count + 1);
	bag->entries[bag->count] = (struct bag_entry){.term = term};
	*slot_of(bag, term) = (struct bag_slot){term, bag->count + 1};
	return &bag->entries[bag->count++];
}

struct bag_entry *bag_entry(struct bag *bag, uint32_t term)
{
	struct bag_entry *entry = bag_find(bag, term);

	return entry != NULL ? entry : add_entry(bag, term);
}

static void count(struct bag *bag, enum field field, uint32_t term, uint32_t frequency)
{
	struct bag_entry *entry = bag_entry(bag, term);
	uint32_t sum = entry->tf[field] + frequency;

	entry->tf[field] = sum < UINT16_MAX ? (uint16_t)sum : UINT16_MAX;
}

static void read_part(struct bag *bag, const struct part *part, uint32_t until)
{
	enum field field = field_of(part->kind);
	struct list list;

	if (!record_terms(part, until, &list))
		return;
	bag->length[field] += list.tokens;
	while (list_next(&list))
		count(bag, field, list.term, list.frequency);
}

void bag_read_text(struct bag *bag, const struct record *record)
{
	struct part part = {0};

	while (record_next(record, &part) && part.kind <= PART_TAGS)
		read_part(bag, &part, UINT32_MAX);
}

void bag_read_replies(struct bag *bag, const struct record *record, uint32_t until)
{
	struct part part = {0};

	while (record_next(record, &part))
		if (part.kind == PART_COMMENT)
			read_part(bag, &part, until);
}

void bag_read(struct bag *bag, const struct record *record)
{
	struct part part = {0};

	while (record_next(record, &part))
		read_part(bag, &part, UINT32_MAX);
}
