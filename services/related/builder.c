/*
 * builder.c - two passes over the records of a block's topics.
 *
 * The first counts how many entries each term will have, the second writes each
 * where its term's run continues. Both read every record; nothing is sorted.
 */
#include "related/builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "related/block.h"
#include "related/corpus.h"
#include "related/memory.h"

enum {
	TOPICS_BETWEEN_LOOKS = 32, /* some 30 us between two looks at the clock */
	WORDS_BETWEEN_LOOKS = 512,
	PAGES_BETWEEN_LOOKS = 64,
	PAGE = 4096,
	FEWEST_DENSE = 64, /* in a small block a run is as good */
	AHEAD = 8,         /* terms whose place is on its way from memory */
};

enum shape { BY_SLOTS, BY_GAPS, DENSE };

/* What becomes of one term. */
struct cursor {
	uint32_t at; /* first how many slots; then where the next one goes, or a dense number */
	uint32_t impacts; /* first how many gaps; then where the next impact goes */
	uint16_t slot;    /* the last one */
	uint8_t shape;
};

enum phase {
	GATHER,
	CLEAR_CURSORS,
	COUNT,
	CHOOSE_DENSE,
	LAY_OUT,
	CLEAR_RUNS,
	CLEAR_DENSE,
	FILL,
	DROP_CURSORS,
	COMPLETE,
};

struct builder {
	struct corpus *corpus;
	struct block *block;
	struct bag bag;
	uint32_t *places;       /* where each topic was at the beginning */
	struct cursor *cursors; /* one for each bit of the words of terms */
	uint32_t n_cursors, at, starts_room, dense_room;
	uint32_t frequent[MOST_DENSE], n_frequent; /* the largest counts, falling */
	enum phase phase;
	bool handed_over;
};

struct builder *builder_new(struct corpus *c, struct averages averages, uint32_t room)
{
	struct builder *b = MEMORY_NEW(struct builder, 1);

	b->corpus = c;
	b->block = block_new(room);
	b->block->averages = averages;
	b->places = MEMORY_NEW(uint32_t, room);
	return b;
}

void builder_add(struct builder *b, uint32_t topic)
{
	uint32_t slot = b->block->used++;

	assert(b->phase == GATHER && slot < b->block->room);
	b->block->topics[slot] = topic;
	b->block->dead++;
	b->places[slot] = b->corpus->topics[topic].place;
	b->corpus->topics[topic].building = true;
}

/* Terms that turn up later belong to topics that change, and those leave the block. */
static void begin(struct builder *b)
{
	uint32_t n_terms = b->corpus->dictionary.n_terms;
	size_t words = n_terms / 64 + 1;

	b->block->packed = (struct packed){.present = MEMORY_NEW(uint64_t, words),
					   .ranks = MEMORY_NEW(uint32_t, words),
					   .n_terms = n_terms};
	b->n_cursors = (uint32_t)(words * 64);
	b->cursors = memory_resize(NULL, b->n_cursors, sizeof *b->cursors);
}

void builder_free(struct builder *b)
{
	if (b == NULL)
		return;
	if (!b->handed_over)
		block_free(b->block);
	bag_free(&b->bag);
	free(b->places);
	free(b->cursors);
	free(b);
}

static const struct topic *topic_at(const struct builder *b, uint32_t slot)
{
	return &b->corpus->topics[b->block->topics[slot]];
}

bool builder_holds(const struct builder *b, uint32_t slot)
{
	return topic_at(b, slot)->building && topic_at(b, slot)->place == b->places[slot];
}

static void count_slot(struct cursor *cursor, uint32_t slot)
{
	uint32_t gap = slot - cursor->slot;

	cursor->at++;
	cursor->impacts += gap == 0 ? 1 : (gap + WIDEST_GAP - 1) / WIDEST_GAP;
	cursor->slot = (uint16_t)slot;
}

/* A term that the topic has in several parts counts once. */
static void count_topic(struct builder *b, uint32_t slot)
{
	struct part part = {0};

	while (record_next(&topic_at(b, slot)->record, &part)) {
		struct list list;

		if (!record_terms(&part, UINT32_MAX, &list))
			continue;
		while (list_next(&list))
			if (b->cursors[list.term].at == 0 || b->cursors[list.term].slot != slot)
				count_slot(&b->cursors[list.term], slot);
	}
}

static void put_slot(struct packed *packed, struct cursor *cursor, uint32_t slot, uint8_t impact)
{
	const uint16_t packed_slot = (uint16_t)slot;

	memcpy(packed->runs + cursor->at, &packed_slot, sizeof packed_slot);
	cursor->at += sizeof packed_slot;
	packed->runs[cursor->impacts++] = impact;
}

/*
 * A topic that was counted may be missing here. Bridging its place then takes no more entries than
 * it would have had; those left over at the end are all zero, and add nothing.
 */
static void put_gap(struct packed *packed, struct cursor *cursor, uint32_t slot, uint8_t impact)
{
	uint32_t gap = slot - cursor->slot;

	for (; gap > WIDEST_GAP; gap -= WIDEST_GAP) {
		packed->runs[cursor->at++] = WIDEST_GAP;
		packed->runs[cursor->impacts++] = 0;
	}
	packed->runs[cursor->at++] = (uint8_t)gap;
	packed->runs[cursor->impacts++] = impact;
	cursor->slot = (uint16_t)slot;
}

static void put_entry(struct packed *packed, struct cursor *cursor, uint32_t slot, uint8_t impact)
{
	if (cursor->shape == DENSE)
		packed->dense[(size_t)cursor->at * packed->n_slots + slot] = impact;
	else if (cursor->shape == BY_GAPS)
		put_gap(packed, cursor, slot, impact);
	else
		put_slot(packed, cursor, slot, impact);
}

static void fill_topic(struct builder *b, uint32_t slot)
{
	struct packed *packed = &b->block->packed;
	struct field_weights weights;

	bag_clear(&b->bag);
	bag_read(&b->bag, &topic_at(b, slot)->record);
	weights = bm25f_weights(b->block->averages, b->bag.length);
	for (uint32_t i = 0; i < b->bag.count; i++) {
		if (i + AHEAD < b->bag.count)
			__builtin_prefetch(&b->cursors[b->bag.entries[i + AHEAD].term], 1);
		put_entry(packed, &b->cursors[b->bag.entries[i].term], slot,
			  bm25f_impact(&weights, b->bag.entries[i].tf));
	}
}

/* Each of these does a little, moves b->at, and is called again until b->at reaches the end. */

static bool each_topic(struct builder *b, void (*visit)(struct builder *, uint32_t))
{
	for (unsigned i = 0; i < TOPICS_BETWEEN_LOOKS && b->at < b->block->used; i++, b->at++)
		if (builder_holds(b, b->at))
			visit(b, b->at);
	return b->at == b->block->used;
}

static void note_frequent(struct builder *b, uint32_t count)
{
	uint32_t at = b->n_frequent;

	if (count < FEWEST_DENSE || count < b->block->used / DENSE_SHARE)
		return;
	if (at == MOST_DENSE && b->frequent[--at] >= count)
		return;
	for (; at > 0 && b->frequent[at - 1] < count; at--)
		b->frequent[at] = b->frequent[at - 1];
	b->frequent[at] = count;
	b->n_frequent += b->n_frequent < MOST_DENSE;
}

static bool choose_dense(struct builder *b)
{
	uint32_t words = b->block->packed.n_terms / 64 + 1;

	for (unsigned i = 0; i < WORDS_BETWEEN_LOOKS && b->at < words; i++, b->at++)
		for (uint32_t bit = 0; bit < 64; bit++)
			note_frequent(b, b->cursors[b->at * 64 + bit].at);
	return b->at == words;
}

static bool is_dense(const struct builder *b, uint32_t count)
{
	return b->block->packed.n_dense < b->n_frequent && count >= b->frequent[b->n_frequent - 1];
}

static void lay_out_dense(struct builder *b, uint32_t term)
{
	struct packed *packed = &b->block->packed;

	MEMORY_GROW(packed->dense_terms, b->dense_room, packed->n_dense + 1);
	packed->dense_terms[packed->n_dense] = term;
	b->cursors[term] = (struct cursor){.at = packed->n_dense++, .shape = DENSE};
}

/* Runs begin at even numbers: slots of two bytes stand where a processor likes them. */
static void lay_out_run(struct builder *b, uint32_t term, enum shape shape, uint32_t count,
			uint32_t width)
{
	struct packed *packed = &b->block->packed;
	uint32_t start = packed->n_bytes;
	uint64_t end = start + (uint64_t)count * (width + 1);

	assert(end < UINT32_MAX);
	b->cursors[term] = (struct cursor){
		.at = start, .impacts = start + count * width, .shape = (uint8_t)shape};
	packed->present[term / 64] |= 1ULL << (term % 64);
	MEMORY_GROW(packed->starts, b->starts_room, packed->n_present + 2);
	packed->starts[packed->n_present++] = start | (shape == BY_GAPS);
	packed->n_bytes = (uint32_t)(end + end % 2);
}

static void lay_out_term(struct builder *b, uint32_t term)
{
	struct cursor *cursor = &b->cursors[term];
	uint32_t count = cursor->at, gaps = cursor->impacts;

	if (is_dense(b, count))
		lay_out_dense(b, term);
	else if (gaps * 2 < count * 3)
		lay_out_run(b, term, BY_GAPS, gaps, 1);
	else if (count > 0)
		lay_out_run(b, term, BY_SLOTS, count, sizeof(uint16_t));
}

static bool lay_out(struct builder *b)
{
	struct packed *packed = &b->block->packed;
	uint32_t words = packed->n_terms / 64 + 1;

	for (unsigned i = 0; i < WORDS_BETWEEN_LOOKS && b->at < words; i++, b->at++) {
		packed->ranks[b->at] = packed->n_present;
		for (uint32_t bit = 0; bit < 64; bit++)
			lay_out_term(b, b->at * 64 + bit);
	}
	if (b->at < words)
		return false;

	MEMORY_GROW(packed->starts, b->starts_room, packed->n_present + 1);
	packed->starts[packed->n_present] = packed->n_bytes;
	packed->runs = memory_resize(NULL, packed->n_bytes, 1);
	packed->n_slots = b->block->used;
	packed->dense = memory_resize(NULL, packed->n_dense, packed->n_slots);
	return true;
}

/*
 * New memory may be a used piece of the heap, which calloc() would clear in one go: milliseconds.
 * Or it is new to the process and comes page by page, each at its first touch; a topic's words lie
 * on hundreds of pages, so the first few topics would meet nearly all of them within one step.
 */
static bool clear(struct builder *b, void *memory, size_t bytes)
{
	uint32_t pages = (uint32_t)((bytes + PAGE - 1) / PAGE);

	for (unsigned i = 0; i < PAGES_BETWEEN_LOOKS && b->at < pages; i++, b->at++) {
		size_t at = (size_t)b->at * PAGE;

		memset((uint8_t *)memory + at, 0, bytes - at < PAGE ? bytes - at : PAGE);
	}
	return b->at == pages;
}

/* As it came, so it goes. */
static bool drop_cursors(struct builder *b)
{
	const uint32_t piece = MEMORY_PIECE / sizeof *b->cursors;

	if (b->n_cursors <= piece)
		return true;
	b->n_cursors -= piece;
	b->cursors = memory_resize(b->cursors, b->n_cursors, sizeof *b->cursors);
	return false;
}

static bool step(struct builder *b)
{
	struct packed *packed = &b->block->packed;

	switch (b->phase) {
	case GATHER:
		begin(b);
		return true;
	case CLEAR_CURSORS:
		return clear(b, b->cursors, b->n_cursors * sizeof *b->cursors);
	case COUNT:
		return each_topic(b, count_topic);
	case CHOOSE_DENSE:
		return choose_dense(b);
	case LAY_OUT:
		return lay_out(b);
	case CLEAR_RUNS:
		return clear(b, packed->runs, packed->n_bytes);
	case CLEAR_DENSE:
		return clear(b, packed->dense, (size_t)packed->n_dense * packed->n_slots);
	case FILL:
		return each_topic(b, fill_topic);
	case DROP_CURSORS:
		return drop_cursors(b);
	case COMPLETE:
		break;
	}
	return true;
}

bool builder_work(struct builder *b, const struct slice *slice)
{
	while (b->phase != COMPLETE) {
		if (step(b)) {
			b->phase++;
			b->at = 0;
		}
		if (slice_over(slice))
			break;
	}
	return b->phase == COMPLETE;
}

uint32_t builder_count(const struct builder *b)
{
	return b->block->used;
}

uint32_t builder_topic(const struct builder *b, uint32_t slot, uint32_t *place_then)
{
	*place_then = b->places[slot];
	return b->block->topics[slot];
}

struct block *builder_block(struct builder *b)
{
	assert(b->phase == COMPLETE);
	b->handed_over = true;
	return b->block;
}

size_t builder_bytes(const struct builder *b)
{
	if (b == NULL)
		return 0;
	return (b->handed_over ? 0 : block_bytes(b->block)) + b->block->room * sizeof *b->places +
	       b->n_cursors * sizeof *b->cursors;
}
