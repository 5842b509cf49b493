/*
 * compose.c - copies the parts that stay, and puts the changed one in its place.
 */
#include "related/compose.h"

#include "related/analyser.h"
#include "related/idset.h"

static uint32_t opinion_user(const struct part *part)
{
	const uint8_t *at = part->at;

	return (uint32_t)varint_take(&at);
}

static uint64_t comment_id(const struct part *part)
{
	const uint8_t *at = part->at;

	return varint_take(&at);
}

static void copy_parts(struct bytes *bytes, const struct record *record, enum part_kind first,
		       enum part_kind last)
{
	struct part part = {0};

	while (record_next(record, &part))
		if (part.kind >= first && part.kind <= last)
			record_copy_part(bytes, &part);
}

void compose_behaviour(struct bytes *bytes, const struct record *record)
{
	copy_parts(bytes, record, PART_OPINION, PART_COMMENT);
}

bool compose_find_comment(const struct record *record, uint64_t id, struct record_comment *comment)
{
	struct part part = {0};

	while (record_next(record, &part)) {
		if (part.kind != PART_COMMENT || comment_id(&part) != id)
			continue;
		record_comment(&part, comment);
		return true;
	}
	return false;
}

bool compose_has_opinion(const struct record *record, uint32_t user)
{
	struct part part = {0};

	while (record_next(record, &part))
		if (part.kind == PART_OPINION && opinion_user(&part) == user)
			return true;
	return false;
}

void compose_comment(struct bytes *bytes, const struct record *record,
		     const struct record_comment *comment, struct terms *terms)
{
	const uint8_t *from = record->bytes;
	struct part part = {0};

	bytes->used = 0;
	while (record_next(record, &part)) {
		if (part.kind != PART_COMMENT || comment_id(&part) != comment->id)
			continue;
		bytes_add(bytes, from, (size_t)(part.start - from));
		from = part.end;
	}
	bytes_add(bytes, from, (size_t)(record->bytes + record->size - from));
	record_add_comment(bytes, comment, terms);
}

void compose_opinion(struct bytes *bytes, const struct record *record, uint32_t user, bool given)
{
	struct part part = {0};
	bool placed = !given;

	bytes->used = 0;
	while (record_next(record, &part)) {
		if (part.kind == PART_OPINION && opinion_user(&part) == user)
			continue;
		if (part.kind == PART_COMMENT && !placed) {
			record_add_opinion(bytes, user);
			placed = true;
		}
		record_copy_part(bytes, &part);
	}
	if (!placed)
		record_add_opinion(bytes, user);
}

void compose_opinions(struct bytes *bytes, const struct record *record, const struct idset *users)
{
	bytes->used = 0;
	copy_parts(bytes, record, PART_TITLE, PART_DISPLAY);
	for (uint32_t i = 0; i < users->count; i++)
		record_add_opinion(bytes, users->items[i]);
	copy_parts(bytes, record, PART_COMMENT, PART_COMMENT);
}

static void copy_as_nobodys(struct bytes *bytes, const struct part *part)
{
	struct record_comment comment;

	record_comment(part, &comment);
	comment.user = 0;
	record_add_comment_list(bytes, &comment);
}

void compose_without(struct bytes *bytes, const struct record *record, uint32_t user)
{
	struct part part = {0};

	bytes->used = 0;
	while (record_next(record, &part)) {
		struct record_comment comment = {0};

		if (part.kind == PART_OPINION && opinion_user(&part) == user)
			continue;
		if (part.kind == PART_COMMENT)
			record_comment_head(&part, &comment);
		if (part.kind == PART_COMMENT && comment.user == user)
			copy_as_nobodys(bytes, &part);
		else
			record_copy_part(bytes, &part);
	}
}
