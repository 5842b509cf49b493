/*
 * record.h - what the engine remembers of one topic, packed.
 *
 * A record is a row of parts: title, body and tags as lists of terms, the links
 * of the text, what is shown of it, one part per opinion, one per comment with its own terms.
 * Comments stay apart so that one can be taken back exactly. Postings, forward vectors and
 * participants all follow from it; texts are not kept.
 *
 *   part  kind (1 byte), size of the rest (varint), the rest
 *   list  tokens (varint), then by rising term: difference * 2 + more (varint),
 *         and the frequency (varint) where it is more than 1
 *
 * Varints are LEB128. Records of this process are trusted; those of a snapshot
 * are checked once by record_sound().
 */
#ifndef RELATED_RECORD_H
#define RELATED_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct terms;

/* In the order in which they stand. */
enum part_kind {
	PART_TITLE = 1,
	PART_BODY,
	PART_TAGS,
	PART_LINKS,
	PART_DISPLAY,
	PART_OPINION,
	PART_COMMENT,
};

enum {
	RECORD_BYTES = 1 << 20, /* of one topic: some 20,000 comments; later ones are refused */
	DISPLAY_BYTES = 1024,   /* more is cut */
	MOST_LINKS = 64,        /* to other topics, in one text */
};

struct record {
	uint8_t *bytes;
	uint32_t size;
};

struct part {
	enum part_kind kind;
	const uint8_t *start, *at, *end; /* the whole part; its content; its end */
};

/* A comment's part; its terms are at list. */
struct record_comment {
	uint64_t id;
	uint32_t version;
	uint32_t user;
	uint32_t created; /* seconds since 1970 */
	bool removed;     /* remembered so that an old event cannot bring it back */
	uint64_t links[MOST_LINKS];
	uint32_t n_links;
	const uint8_t *list, *end;
};

static inline uint64_t varint_take(const uint8_t **at)
{
	uint64_t value = **at & 0x7f;

	for (unsigned shift = 7; *(*at)++ & 0x80; shift += 7)
		value |= (uint64_t)(**at & 0x7f) << shift;
	return value;
}

/* The first part, or the one after; false at the end. Start with all zero. */
static inline bool record_next(const struct record *record, struct part *part)
{
	const uint8_t *at = part->end != NULL ? part->end : record->bytes;
	uint64_t size = 0;

	if (at == record->bytes + record->size)
		return false;
	part->start = at;
	part->kind = (enum part_kind) * at++;
	size = varint_take(&at);
	part->at = at;
	part->end = at + size;
	return true;
}

/* A walk along a list of terms. */
struct list {
	const uint8_t *at, *end;
	uint32_t tokens, term, frequency; /* tokens: of all its terms */
};

static inline void list_open(struct list *list, const uint8_t *at, const uint8_t *end)
{
	uint32_t tokens = (uint32_t)varint_take(&at);

	*list = (struct list){at, end, tokens, 0, 0};
}

/*
 * A varint with at least four bytes left to read: how long it is decides over no jump, because
 * lengths alternate and a wrong guess costs more than the work.
 */
static inline uint64_t varint_take_near(const uint8_t **at)
{
	uint32_t word = (uint32_t)(*at)[0] | (uint32_t)(*at)[1] << 8 | (uint32_t)(*at)[2] << 16 |
			(uint32_t)(*at)[3] << 24;
	uint32_t last = ~word & 0x80808080U;

	if (last == 0)
		return varint_take(at);
	*at += (__builtin_ctz(last) + 1) / 8;
	word &= last ^ (last - 1);
	return (word & 0x7f) | (word >> 1 & 0x3f80) | (word >> 2 & 0x1fc000) |
	       (word >> 3 & 0xfe00000);
}

static inline bool list_next(struct list *list)
{
	uint64_t head = 0;

	if (list->at == list->end)
		return false;
	head = list->end - list->at >= 4 ? varint_take_near(&list->at) : varint_take(&list->at);
	list->term += (uint32_t)(head >> 1);
	list->frequency = head & 1 ? (uint32_t)varint_take(&list->at) : 1;
	return true;
}

/* A comment's fields; links too. */
void record_comment(const struct part *, struct record_comment *);

/* Like record_comment(), for walks that need no links: about a third of the work. */
void record_comment_head(const struct part *, struct record_comment *);

/*
 * Opens the terms of a title, a body, tags, or a comment that stands and was written by until
 * (seconds since 1970); false for every other part.
 */
bool record_terms(const struct part *, uint32_t until, struct list *);

/* Bytes under construction. */
struct bytes {
	uint8_t *at;
	size_t used, room;
};

void bytes_varint(struct bytes *, uint64_t value);
void bytes_add(struct bytes *, const void *, size_t size);
void bytes_free(struct bytes *);

/* Each appends one part. terms are sorted in place. */
void record_add_terms(struct bytes *, enum part_kind, struct terms *);
void record_add_links(struct bytes *, const uint64_t *links, size_t count);
void record_add_display(struct bytes *, const char *text);
void record_add_opinion(struct bytes *, uint32_t user);
void record_add_comment(struct bytes *, const struct record_comment *, struct terms *);
/* The same with the list that the comment has. */
void record_add_comment_list(struct bytes *, const struct record_comment *);
void record_copy_part(struct bytes *, const struct part *);

/* Is it well formed, with terms below n_terms and users below n_users? */
bool record_sound(const struct record *, uint32_t n_terms, uint32_t n_users);

#endif
