/*
 * record.c - packs parts and lists of terms, and checks those of a snapshot.
 */
#include "related/record.h"

#include <stdlib.h>
#include <string.h>

#include "related/analyser.h"
#include "related/memory.h"

enum { SMALL_SORT = 48 };

void bytes_add(struct bytes *bytes, const void *from, size_t size)
{
	MEMORY_GROW(bytes->at, bytes->room, bytes->used + size);
	if (size > 0)
		memcpy(bytes->at + bytes->used, from, size);
	bytes->used += size;
}

void bytes_varint(struct bytes *bytes, uint64_t value)
{
	uint8_t packed[10];
	size_t size = 0;

	for (; value >= 0x80; value >>= 7)
		packed[size++] = (uint8_t)(value | 0x80);
	packed[size++] = (uint8_t)value;
	bytes_add(bytes, packed, size);
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->at);
	*bytes = (struct bytes){0};
}

static void sort_few(uint32_t *at, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		uint32_t value = at[i], j = i;

		for (; j > 0 && at[j - 1] > value; j--)
			at[j] = at[j - 1];
		at[j] = value;
	}
}

/* One pass: each value to the next place of those that have the same byte. */
static void spread(const uint32_t *from, uint32_t *to, uint32_t count, unsigned shift,
		   uint32_t places[256])
{
	uint32_t next = 0;

	for (unsigned byte = 0; byte < 256; byte++) {
		uint32_t place = next;

		next += places[byte];
		places[byte] = place;
	}
	for (uint32_t i = 0; i < count; i++)
		to[places[from[i] >> shift & 0xff]++] = from[i];
}

/* Radix sort, least significant byte first; a byte that is the same in all needs no pass. */
static void sort_many(struct terms *terms)
{
	uint32_t counts[4][256] = {0}, *from = terms->at, *to = NULL;

	MEMORY_GROW(terms->spare, terms->spare_room, terms->count);
	to = terms->spare;
	for (uint32_t i = 0; i < terms->count; i++)
		for (unsigned pass = 0; pass < 4; pass++)
			counts[pass][from[i] >> pass * 8 & 0xff]++;
	for (unsigned pass = 0; pass < 4; pass++) {
		uint32_t *swapped = from;

		if (counts[pass][from[0] >> pass * 8 & 0xff] == terms->count)
			continue;
		spread(from, to, terms->count, pass * 8, counts[pass]);
		from = to;
		to = swapped;
	}
	if (from != terms->at)
		memcpy(terms->at, from, terms->count * sizeof *from);
}

static void sort_terms(struct terms *terms)
{
	if (terms->count <= SMALL_SORT)
		sort_few(terms->at, terms->count);
	else
		sort_many(terms);
}

static void add_list(struct bytes *bytes, struct terms *terms)
{
	uint32_t before = 0;

	sort_terms(terms);
	bytes_varint(bytes, terms->count);
	for (uint32_t i = 0, next = 0; i < terms->count; i = next) {
		uint64_t difference = (uint64_t)(terms->at[i] - before) << 1;

		for (next = i + 1; next < terms->count && terms->at[next] == terms->at[i];)
			next++;
		before = terms->at[i];
		bytes_varint(bytes, difference | (next - i > 1));
		if (next - i > 1)
			bytes_varint(bytes, next - i);
	}
}

/* Where a part's content begins; close_part() puts its size before it. */
static size_t open_part(struct bytes *bytes, enum part_kind kind)
{
	uint8_t head = (uint8_t)kind;

	bytes_add(bytes, &head, 1);
	return bytes->used;
}

static void close_part(struct bytes *bytes, size_t start)
{
	size_t size = bytes->used - start, shift = 0;
	uint8_t packed[10];

	bytes_varint(bytes, size);
	shift = bytes->used - start - size;

	memcpy(packed, bytes->at + start + size, shift);
	memmove(bytes->at + start + shift, bytes->at + start, size);
	memcpy(bytes->at + start, packed, shift);
}

void record_add_terms(struct bytes *bytes, enum part_kind kind, struct terms *terms)
{
	size_t start = 0;

	if (terms->count == 0)
		return;
	start = open_part(bytes, kind);
	add_list(bytes, terms);
	close_part(bytes, start);
}

static void add_links(struct bytes *bytes, const uint64_t *links, size_t count)
{
	bytes_varint(bytes, count);
	for (size_t i = 0; i < count; i++)
		bytes_varint(bytes, links[i]);
}

void record_add_links(struct bytes *bytes, const uint64_t *links, size_t count)
{
	size_t start = 0;

	if (count == 0)
		return;
	start = open_part(bytes, PART_LINKS);
	add_links(bytes, links, count);
	close_part(bytes, start);
}

void record_add_display(struct bytes *bytes, const char *text)
{
	size_t start = 0;

	if (text == NULL || *text == '\0')
		return;
	start = open_part(bytes, PART_DISPLAY);
	bytes_add(bytes, text, strnlen(text, DISPLAY_BYTES));
	close_part(bytes, start);
}

void record_add_opinion(struct bytes *bytes, uint32_t user)
{
	size_t start = open_part(bytes, PART_OPINION);

	bytes_varint(bytes, user);
	close_part(bytes, start);
}

static size_t open_comment(struct bytes *bytes, const struct record_comment *comment)
{
	size_t start = open_part(bytes, PART_COMMENT);

	bytes_varint(bytes, comment->id);
	bytes_varint(bytes, (uint64_t)comment->version << 1 | comment->removed);
	bytes_varint(bytes, comment->user);
	bytes_varint(bytes, comment->created);
	add_links(bytes, comment->links, comment->n_links);
	return start;
}

void record_add_comment(struct bytes *bytes, const struct record_comment *comment,
			struct terms *terms)
{
	size_t start = open_comment(bytes, comment);

	add_list(bytes, terms);
	close_part(bytes, start);
}

void record_add_comment_list(struct bytes *bytes, const struct record_comment *comment)
{
	size_t start = open_comment(bytes, comment);

	bytes_add(bytes, comment->list, (size_t)(comment->end - comment->list));
	close_part(bytes, start);
}

void record_copy_part(struct bytes *bytes, const struct part *part)
{
	bytes_add(bytes, part->start, (size_t)(part->end - part->start));
}

static const uint8_t *comment_head(const struct part *part, struct record_comment *comment)
{
	const uint8_t *at = part->at;
	uint64_t version = 0;

	comment->id = varint_take(&at);
	version = varint_take(&at);
	comment->version = (uint32_t)(version >> 1);
	comment->removed = version & 1;
	comment->user = (uint32_t)varint_take(&at);
	comment->created = (uint32_t)varint_take(&at);
	comment->n_links = (uint32_t)varint_take(&at);
	comment->end = part->end;
	return at;
}

void record_comment(const struct part *part, struct record_comment *comment)
{
	const uint8_t *at = comment_head(part, comment);

	for (uint32_t i = 0; i < comment->n_links; i++)
		comment->links[i] = varint_take(&at);
	comment->list = at;
}

void record_comment_head(const struct part *part, struct record_comment *comment)
{
	const uint8_t *at = comment_head(part, comment);

	for (uint32_t i = 0; i < comment->n_links; i++)
		(void)varint_take(&at);
	comment->list = at;
}

bool record_terms(const struct part *part, uint32_t until, struct list *list)
{
	struct record_comment comment;

	if (part->kind <= PART_TAGS) {
		list_open(list, part->at, part->end);
		return true;
	}
	if (part->kind != PART_COMMENT)
		return false;
	record_comment_head(part, &comment);
	if (comment.removed || comment.created > until)
		return false;
	list_open(list, comment.list, comment.end);
	return true;
}

/* From here on: bytes of which nothing is known yet. */

struct reader {
	const uint8_t *at, *end;
	bool broken;
};

static uint64_t read_checked(struct reader *reader, uint64_t limit)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
		uint8_t byte = *reader->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			reader->broken |= value > limit;
			return value;
		}
	}
	reader->broken = true;
	return 0;
}

static bool sound_list(struct reader *reader, uint32_t n_terms)
{
	uint64_t term = 0;

	(void)read_checked(reader, RECORD_BYTES);
	while (!reader->broken && reader->at < reader->end) {
		uint64_t head = read_checked(reader, (uint64_t)UINT32_MAX * 2 + 1);

		term += head >> 1;
		if (head & 1)
			reader->broken |= read_checked(reader, RECORD_BYTES) == 0;
		reader->broken |= term >= n_terms;
	}
	return !reader->broken;
}

static bool sound_links(struct reader *reader)
{
	uint64_t count = read_checked(reader, MOST_LINKS);

	for (uint64_t i = 0; i < count && !reader->broken; i++)
		(void)read_checked(reader, UINT64_MAX);
	return !reader->broken;
}

static bool sound_comment(struct reader *reader, uint32_t n_terms, uint32_t n_users)
{
	(void)read_checked(reader, UINT64_MAX);
	(void)read_checked(reader, (uint64_t)UINT32_MAX * 2 + 1);
	(void)read_checked(reader, n_users - 1);
	(void)read_checked(reader, UINT32_MAX);
	return sound_links(reader) && sound_list(reader, n_terms);
}

static bool sound_part(enum part_kind kind, struct reader *reader, uint32_t n_terms,
		       uint32_t n_users)
{
	switch (kind) {
	case PART_TITLE:
	case PART_BODY:
	case PART_TAGS:
		return sound_list(reader, n_terms);
	case PART_LINKS:
		return sound_links(reader) && reader->at == reader->end;
	case PART_DISPLAY:
		return reader->end - reader->at <= DISPLAY_BYTES;
	case PART_OPINION:
		(void)read_checked(reader, n_users - 1);
		return !reader->broken && reader->at == reader->end;
	case PART_COMMENT:
		return sound_comment(reader, n_terms, n_users);
	}
	return false;
}

bool record_sound(const struct record *record, uint32_t n_terms, uint32_t n_users)
{
	struct reader reader = {record->bytes, record->bytes + record->size, false};

	while (reader.at < reader.end) {
		enum part_kind kind = (enum part_kind) * reader.at++;
		uint64_t size = read_checked(&reader, RECORD_BYTES);
		struct reader content = {reader.at, reader.at + size, reader.broken};

		if (reader.broken || size > (uint64_t)(reader.end - reader.at) ||
		    !sound_part(kind, &content, n_terms, n_users))
			return false;
		reader.at += size;
	}
	return true;
}
