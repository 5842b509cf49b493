/*
 * builder.c - two passes over the records of a block's topics.
 *
 * The first counts how often each term will occur, the second writes each entry
 * where its term's run continues. Both read every record; nothing is sorted.
 */
#include "related/builder.h"

#include <stdlib.h>

#include "related/block.h"
#include "related/corpus.h"
#include "related/memory.h"

enum {
	TOPICS_BETWEEN_LOOKS = 32, /* some 30 us between two looks at the clock */
	WORDS_BETWEEN_LOOKS = 512,
	FEWEST_DENSE = 64, /* in a small block a run is as good */
};

/* In a cursor: the term is dense, and this is its number among those. */
#define DENSE_MARK 0x80000000u

enum phase { COUNT, LAY_OUT, FILL, COMPLETE };

struct builder {
	struct corpus *corpus;
	struct block *block;
	struct bag bag;
	uint32_t *places;  /* where each topic was at the beginning */
	uint32_t *cursors; /* by term: first how many, then where the next one goes */
	uint32_t at, starts_room, dense_room;
	enum phase phase;
};

struct builder *builder_new(struct corpus *c, struct averages averages, uint32_t *topics,
			    uint32_t count)
{
	struct builder *b = MEMORY_NEW(struct builder, 1);
	uint32_t n_terms = c->dictionary.n_terms;
	size_t words = n_terms / 64 + 1;

	b->corpus = c;
	b->block = MEMORY_NEW(struct block, 1);
	b->block->topics = topics;
	b->block->shown = MEMORY_NEW(uint8_t, count);
	b->block->room = b->block->used = count;
	b->block->averages = averages;
	b->block->packed = (struct packed){.present = MEMORY_NEW(uint64_t, words),
					   .ranks = MEMORY_NEW(uint32_t, words),
					   .n_terms = n_terms};
	b->places = MEMORY_NEW(uint32_t, count);
	b->cursors = MEMORY_NEW(uint32_t, words * 64);
	for (uint32_t slot = 0; slot < count; slot++) {
		b->places[slot] = c->topics[topics[slot]].place;
		c->topics[topics[slot]].building = true;
	}
	return b;
}

void builder_free(struct builder *b)
{
	if (b == NULL)
		return;
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

static void read_topic(struct builder *b, uint32_t slot)
{
	bag_clear(&b->bag, b->corpus->dictionary.n_terms);
	bag_read(&b->bag, &topic_at(b, slot)->record);
}

static void count_topic(struct builder *b, uint32_t slot)
{
	read_topic(b, slot);
	for (uint32_t i = 0; i < b->bag.count; i++)
		b->cursors[b->bag.entries[i].term]++;
}

static void fill_topic(struct builder *b, uint32_t slot)
{
	struct packed *packed = &b->block->packed;
	struct field_weights weights;

	read_topic(b, slot);
	weights = bm25f_weights(b->block->averages, b->bag.length);
	for (uint32_t i = 0; i < b->bag.count; i++) {
		uint32_t *cursor = &b->cursors[b->bag.entries[i].term];
		uint8_t impact = bm25f_impact(&weights, b->bag.entries[i].tf);

		if (*cursor & DENSE_MARK) {
			packed->dense[(size_t)(*cursor & ~DENSE_MARK) * packed->n_slots + slot] =
				impact;
			continue;
		}
		packed->slots[*cursor] = (uint16_t)slot;
		packed->impacts[(*cursor)++] = impact;
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

static void lay_out_term(struct builder *b, uint32_t term)
{
	struct packed *packed = &b->block->packed;
	uint32_t count = b->cursors[term];

	b->cursors[term] = packed->n_entries;
	if (count == 0)
		return;
	if (count > b->block->used / DENSE_SHARE && count >= FEWEST_DENSE) {
		MEMORY_GROW(packed->dense_terms, b->dense_room, packed->n_dense + 1);
		packed->dense_terms[packed->n_dense] = term;
		b->cursors[term] = DENSE_MARK | packed->n_dense++;
		return;
	}
	packed->present[term / 64] |= 1ULL << (term % 64);
	MEMORY_GROW(packed->starts, b->starts_room, packed->n_present + 2);
	packed->starts[packed->n_present++] = packed->n_entries;
	packed->n_entries += count;
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
	packed->starts[packed->n_present] = packed->n_entries;
	packed->slots = MEMORY_NEW(uint16_t, packed->n_entries);
	packed->impacts = MEMORY_NEW(uint8_t, packed->n_entries);
	packed->n_slots = b->block->used;
	packed->dense = MEMORY_NEW(uint8_t, (size_t)packed->n_dense * packed->n_slots);
	return true;
}

static bool step(struct builder *b)
{
	switch (b->phase) {
	case COUNT:
		return each_topic(b, count_topic);
	case LAY_OUT:
		return lay_out(b);
	case FILL:
		return each_topic(b, fill_topic);
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

struct block *builder_block(const struct builder *b)
{
	return b->block;
}

struct block *builder_finish(struct builder *b)
{
	struct block *block = b->block;

	b->block = NULL;
	builder_free(b);
	return block;
}

size_t builder_bytes(const struct builder *b)
{
	if (b == NULL)
		return 0;
	return block_bytes(b->block) + b->block->used * sizeof *b->places +
	       b->block->packed.n_terms * sizeof *b->cursors;
}
