/*
 * bag.c - unpacks a record into a bag.
 */
#include "related/bag.h"

#include <stdlib.h>
#include <string.h>

#include "related/memory.h"

void bag_clear(struct bag *bag, uint32_t n_terms)
{
	if (n_terms > bag->terms) {
		uint32_t before = bag->terms;

		MEMORY_GROW(bag->where, bag->terms, n_terms);
		memset(bag->where + before, 0, (bag->terms - before) * sizeof *bag->where);
	}
	bag->count = 0;
	memset(bag->length, 0, sizeof bag->length);
}

void bag_free(struct bag *bag)
{
	free(bag->entries);
	free(bag->where);
	*bag = (struct bag){0};
}

void bag_count(struct bag *bag, enum field field, uint32_t term, uint32_t frequency)
{
	struct bag_entry *entry = bag_find(bag, term);
	uint32_t sum = 0;

	if (entry == NULL) {
		MEMORY_GROW(bag->entries, bag->room, bag->count + 1);
		bag->where[term] = bag->count;
		entry = &bag->entries[bag->count++];
		*entry = (struct bag_entry){.term = term};
	}
	sum = entry->tf[field] + frequency;
	entry->tf[field] = sum < UINT16_MAX ? (uint16_t)sum : UINT16_MAX;
}

static void read_list(struct bag *bag, enum field field, const uint8_t *at, const uint8_t *end)
{
	struct list list;

	bag->length[field] += list_open(&list, at, end);
	while (list_next(&list))
		bag_count(bag, field, list.term, list.frequency);
}

static enum field part_field(enum part_kind kind)
{
	return kind == PART_TITLE ? FIELD_TITLE : kind == PART_BODY ? FIELD_BODY : FIELD_TAGS;
}

static void read_comment(struct bag *bag, const struct part *part, uint32_t until)
{
	struct record_comment comment;

	record_comment_head(part, &comment);
	if (!comment.removed && comment.created <= until)
		read_list(bag, FIELD_REPLIES, comment.list, comment.end);
}

void bag_read_text(struct bag *bag, const struct record *record)
{
	struct part part = {0};

	while (record_next(record, &part) && part.kind <= PART_TAGS)
		read_list(bag, part_field(part.kind), part.at, part.end);
}

void bag_read_replies(struct bag *bag, const struct record *record, uint32_t until)
{
	struct part part = {0};

	while (record_next(record, &part))
		if (part.kind == PART_COMMENT)
			read_comment(bag, &part, until);
}

void bag_read(struct bag *bag, const struct record *record)
{
	struct part part = {0};

	while (record_next(record, &part)) {
		if (part.kind == PART_COMMENT)
			read_comment(bag, &part, UINT32_MAX);
		else if (part.kind <= PART_TAGS)
			read_list(bag, part_field(part.kind), part.at, part.end);
	}
}
