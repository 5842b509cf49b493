/*
 * search.c - sums by block, and a heap of the best.
 *
 * The heap's root is the weakest of the best so far; its sum is the threshold of
 * the scan.
 */
#include "related/search.h"

#include <stdlib.h>
#include <string.h>

#include "related/block.h"
#include "related/corpus.h"
#include "related/index.h"
#include "related/memory.h"

struct searcher {
	scan_chunk *scan;
	uint16_t sums[BLOCK_SLOTS];
	uint16_t hits[SCAN_CHUNK];
};

struct searcher *searcher_new(scan_chunk *scan)
{
	struct searcher *s = MEMORY_NEW(struct searcher, 1);

	s->scan = scan;
	return s;
}

void searcher_free(struct searcher *s)
{
	free(s);
}

static bool better(const struct candidate *a, const struct candidate *b)
{
	return a->text != b->text ? a->text > b->text : a->id < b->id;
}

static void sift_down(struct candidate *heap, uint32_t count, struct candidate candidate)
{
	uint32_t at = 0;

	for (;;) {
		uint32_t child = at * 2 + 1;

		if (child >= count)
			break;
		if (child + 1 < count && better(&heap[child], &heap[child + 1]))
			child++;
		if (better(&heap[child], &candidate))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = candidate;
}

static void sift_up(struct candidate *heap, uint32_t at, struct candidate candidate)
{
	while (at > 0 && better(&heap[(at - 1) / 2], &candidate)) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = candidate;
}

static void offer(struct search *q, struct candidate candidate)
{
	if (q->n_found < q->limit) {
		sift_up(q->found, q->n_found, candidate);
		q->n_found++;
	} else if (better(&candidate, &q->found[0])) {
		sift_down(q->found, q->n_found, candidate);
	}
}

static uint16_t threshold(const struct search *q)
{
	return q->n_found < q->limit ? 1 : q->found[0].text;
}

static bool wanted(const struct search *q, const struct block *block, uint32_t slot)
{
	return (block->shown[slot] & q->audience) != 0 &&
	       !idset_has(q->excluded, block->topics[slot]) &&
	       (q->included == NULL || !idset_has(q->included, block->topics[slot]));
}

static struct candidate candidate_at(const struct corpus *c, uint32_t topic, uint16_t sum)
{
	return (struct candidate){c->topics[topic].id, topic, sum};
}

static void add_terms(struct searcher *s, const struct block *block, const struct search *q)
{
	for (uint32_t i = 0; i < q->n_terms; i++) {
		struct run run = block_run(block, q->terms[i].term);

		scan_add(s->sums, &run, q->terms[i].weight);
	}
}

static void find_best(struct searcher *s, const struct corpus *c, const struct block *block,
		      struct search *q)
{
	for (uint32_t chunk = 0; chunk < block->used; chunk += SCAN_CHUNK) {
		size_t hits = s->scan(s->sums + chunk, threshold(q), s->hits);

		for (size_t i = 0; i < hits; i++) {
			uint32_t slot = chunk + s->hits[i];

			if (s->sums[slot] >= threshold(q) && wanted(q, block, slot))
				offer(q, candidate_at(c, block->topics[slot], s->sums[slot]));
		}
	}
}

/* The best in falling order, in place: the heap gives up its weakest, from behind. */
static void sort_found(struct search *q)
{
	for (uint32_t count = q->n_found; count > 1; count--) {
		struct candidate weakest = q->found[0];

		sift_down(q->found, count - 1, q->found[count - 1]);
		q->found[count - 1] = weakest;
	}
}

/* Those included go behind the heap, which never reaches that far. */
static uint32_t note_included(const struct searcher *s, const struct corpus *c, uint32_t number,
			      const struct block *block, struct search *q, uint32_t noted)
{
	for (uint32_t i = 0; i < q->included->count; i++) {
		uint32_t topic = q->included->items[i];
		uint32_t place = c->topics[topic].place, slot = place & 0xffff;

		if (place == NOWHERE || place >> 16 != number || noted == MOST_CANDIDATES / 2 ||
		    (block->shown[slot] & q->audience) == 0 || idset_has(q->excluded, topic))
			continue;
		q->found[MOST_CANDIDATES - ++noted] = candidate_at(c, topic, s->sums[slot]);
	}
	return noted;
}

static uint32_t search_block(struct searcher *s, const struct corpus *c, uint32_t number,
			     const struct block *block, struct search *q, uint32_t noted)
{
	uint32_t end = (block->used + SCAN_CHUNK - 1) / SCAN_CHUNK * SCAN_CHUNK;

	add_terms(s, block, q);
	if (q->included != NULL)
		noted = note_included(s, c, number, block, q, noted);
	if (!q->only_included)
		find_best(s, c, block, q);
	memset(s->sums, 0, end * sizeof *s->sums);
	return noted;
}

void search_run(struct searcher *s, const struct corpus *c, const struct index *ix,
		struct search *q)
{
	uint32_t n_blocks = 0, noted = 0;
	struct block *const *blocks = index_blocks(ix, &n_blocks);

	q->n_found = 0;
	for (uint32_t i = 0; i < n_blocks; i++)
		if (blocks[i] != NULL)
			noted = search_block(s, c, i, blocks[i], q, noted);
	sort_found(q);
	memmove(q->found + q->n_found, q->found + MOST_CANDIDATES - noted,
		noted * sizeof *q->found);
	q->n_found += noted;
}
