/*
 * search.c - sums by block, and a short list of the best.
 *
 * The short list takes in every sum that is at least the threshold of the scan, and a histogram
 * of what it holds moves that threshold on: as soon as enough sums stand in higher steps, a step
 * is given up. So few are taken in for nothing, and which of them are the best is decided once,
 * exactly, at the end. What a topic is, and whether it is wanted, is looked up only then; so the
 * list keeps room for as many more as might turn out to be unwanted.
 */
#include "related/search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "related/block.h"
#include "related/corpus.h"
#include "related/index.h"
#include "related/memory.h"

enum {
	SHORTLIST = 2 * MOST_CANDIDATES,
	STEP = 32, /* of sums */
	LINE = 64,
	SENT_FOR = 256, /* bytes of a run; the processor sees by itself how it goes on */
};

/* A slot that may be one of the best. */
struct hopeful {
	uint32_t place; /* block << 16 | slot */
	uint16_t text;
};

struct searcher {
	const struct scan *scan;
	uint16_t sums[BLOCK_SLOTS];
	uint16_t hits[SCAN_CHUNK];
	/* Of the block at hand. */
	struct run runs[MOST_SEARCH_TERMS];
	uint16_t weights[MOST_SEARCH_TERMS];
	struct dense_term dense[MOST_SEARCH_TERMS];
	size_t n_runs, n_dense;

	struct hopeful list[SHORTLIST];
	uint32_t count, keep;
	uint16_t threshold;                          /* sums below it are not among the best */
	uint16_t steps[UINT16_MAX / STEP + 1], step; /* how many of the list, by sum */
	uint32_t higher;                             /* of the list: in this step or a higher one */
	uint16_t selection[SHORTLIST];
};

struct searcher *searcher_new(const struct scan *scan)
{
	struct searcher *s = MEMORY_NEW(struct searcher, 1);

	s->scan = scan;
	return s;
}

void searcher_free(struct searcher *s)
{
	free(s);
}

/* --- the short list --- */

static uint32_t topic_at(const struct index *ix, uint32_t place)
{
	uint32_t count = 0;

	return index_blocks(ix, &count)[place >> 16]->topics[place & 0xffff];
}

/* The nth largest (from 0) of sums, which are reordered: Hoare's selection. */
static uint16_t nth_largest(uint16_t *sums, int32_t count, int32_t nth)
{
	int32_t low = 0, high = count - 1;

	while (low < high) {
		uint16_t pivot = sums[(low + high) / 2];
		int32_t i = low, j = high;

		while (i <= j) {
			while (sums[i] > pivot)
				i++;
			while (sums[j] < pivot)
				j--;
			if (i <= j) {
				uint16_t kept = sums[i];

				sums[i++] = sums[j];
				sums[j--] = kept;
			}
		}
		if (nth <= j)
			high = j;
		else if (nth >= i)
			low = i;
		else
			break;
	}
	return sums[nth];
}

struct tie {
	uint64_t id;
	struct hopeful hopeful;
};

static int by_id(const void *left, const void *right)
{
	const struct tie *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

/* Equal sums at the end of the list: those with the smallest ids come first. */
static void order_ties(const struct corpus *c, const struct index *ix, struct hopeful *at,
		       uint32_t count)
{
	struct tie *ties = MEMORY_NEW(struct tie, count);

	for (uint32_t i = 0; i < count; i++)
		ties[i] = (struct tie){c->topics[topic_at(ix, at[i].place)].id, at[i]};
	qsort(ties, count, sizeof *ties, by_id);
	for (uint32_t i = 0; i < count; i++)
		at[i] = ties[i].hopeful;
	free(ties);
}

/* Moves those above the sum, then those equal to it, to the front; *above: how many of the first.
 */
static uint32_t gather(struct searcher *s, uint16_t sum, uint32_t *above)
{
	uint32_t equal = 0, kept = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct hopeful hopeful = s->list[i];

		if (hopeful.text < sum)
			continue;
		s->list[i] = s->list[kept];
		s->list[kept++] = hopeful;
		if (hopeful.text == sum)
			continue;
		s->list[kept - 1] = s->list[equal];
		s->list[equal++] = hopeful;
	}
	*above = equal;
	return kept;
}

static void shorten(struct searcher *s, const struct corpus *c, const struct index *ix,
		    uint32_t keep)
{
	uint32_t above = 0, kept = 0;

	if (s->count <= keep)
		return;
	for (uint32_t i = 0; i < s->count; i++)
		s->selection[i] = s->list[i].text;
	s->threshold = nth_largest(s->selection, (int32_t)s->count, (int32_t)keep - 1);
	kept = gather(s, s->threshold, &above);
	if (kept > keep)
		order_ties(c, ix, s->list + above, kept - above);
	s->count = keep;
}

/* One more of this sum; and with it the threshold. */
static void count_sum(struct searcher *s, uint16_t sum)
{
	s->steps[sum / STEP]++;
	s->higher += sum / STEP >= s->step;
	while (s->higher - s->steps[s->step] >= s->keep)
		s->higher -= s->steps[s->step++];
	if (s->step * STEP > s->threshold)
		s->threshold = (uint16_t)(s->step * STEP);
}

/* So many are alike that the histogram could not tell them apart. */
static void make_room(struct searcher *s, const struct corpus *c, const struct index *ix)
{
	shorten(s, c, ix, s->keep);
	memset(s->steps, 0, sizeof s->steps);
	s->higher = 0;
	for (uint32_t i = 0; i < s->count; i++)
		count_sum(s, s->list[i].text);
}

/* --- blocks --- */

static void prefetch_run(const struct run *run)
{
	const uint8_t *at = run->gaps != NULL ? run->gaps : (const uint8_t *)run->slots;

	for (uint32_t i = 0; i < run->count && i < SENT_FOR; i += LINE) {
		__builtin_prefetch(at + i);
		__builtin_prefetch(run->impacts + i);
	}
}

/*
 * Runs lie anywhere in memory, far apart: all are on their way before the first is added. Dense
 * terms wait for the walk along the slots.
 */
static void gather_runs(struct searcher *s, const struct block *block, const struct search *q)
{
	s->n_runs = s->n_dense = 0;
	for (uint32_t i = 0; i < q->n_terms; i++) {
		struct run run = block_run(block, q->terms[i].term);
		uint16_t weight = q->terms[i].weight;

		if (run_is_dense(&run)) {
			s->dense[s->n_dense++] = (struct dense_term){run.impacts, weight};
			continue;
		}
		prefetch_run(&run);
		s->runs[s->n_runs] = run;
		s->weights[s->n_runs++] = weight;
	}
}

static void add_runs(struct searcher *s, const struct block *block, const struct search *q)
{
	gather_runs(s, block, q);
	for (size_t i = 0; i < s->n_runs; i++)
		s->scan->add(s->sums, &s->runs[i], s->weights[i]);
}

static void add_dense(struct searcher *s, const struct block *block, uint32_t chunk)
{
	uint32_t left = block->used - chunk, count = left < SCAN_CHUNK ? left : SCAN_CHUNK;

	s->scan->add_dense(s->sums + chunk, s->dense, s->n_dense, count);
	for (size_t i = 0; i < s->n_dense; i++)
		s->dense[i].impacts += count;
}

static void find_best(struct searcher *s, const struct corpus *c, const struct index *ix,
		      uint32_t number, const struct block *block, uint32_t chunk, uint8_t audience)
{
	size_t hits = s->scan->find(s->sums + chunk, s->threshold, s->hits);

	for (size_t i = 0; i < hits; i++)
		__builtin_prefetch(&block->shown[chunk + s->hits[i]]);
	for (size_t i = 0; i < hits; i++) {
		uint32_t slot = chunk + s->hits[i];

		if (s->sums[slot] < s->threshold || (block->shown[slot] & audience) == 0)
			continue;
		s->list[s->count++] = (struct hopeful){number << 16 | slot, s->sums[slot]};
		if (s->count == SHORTLIST)
			make_room(s, c, ix);
		count_sum(s, s->sums[slot]);
	}
}

/* Those included go to the end of found, which the others never reach. */
static uint32_t note_included(const struct searcher *s, const struct corpus *c, uint32_t number,
			      const struct block *block, struct search *q, uint32_t noted)
{
	for (uint32_t i = 0; i < q->included->count; i++) {
		uint32_t topic = q->included->items[i];
		uint32_t place = c->topics[topic].place, slot = place & 0xffff;

		if (place == NOWHERE || place >> 16 != number || noted == MOST_CANDIDATES / 2 ||
		    (block->shown[slot] & q->audience) == 0 || idset_has(q->excluded, topic))
			continue;
		q->found[MOST_CANDIDATES - ++noted] = (struct candidate){topic, s->sums[slot]};
	}
	return noted;
}

static uint32_t search_block(struct searcher *s, const struct corpus *c, const struct index *ix,
			     uint32_t number, const struct block *block, struct search *q,
			     uint32_t noted)
{
	uint32_t chunk = 0;

	add_runs(s, block, q);
	for (; chunk < block->used; chunk += SCAN_CHUNK) {
		if (s->n_dense > 0)
			add_dense(s, block, chunk);
		if (!q->only_included)
			find_best(s, c, ix, number, block, chunk, q->audience);
	}
	if (q->included != NULL)
		noted = note_included(s, c, number, block, q, noted);
	memset(s->sums, 0, chunk * sizeof *s->sums);
	return noted;
}

/* --- the answer --- */

static void start_list(struct searcher *s, const struct search *q)
{
	uint32_t unwanted = q->excluded->count + (q->included != NULL ? q->included->count : 0);

	s->keep = q->limit + unwanted < MOST_CANDIDATES ? q->limit + unwanted : MOST_CANDIDATES;
	s->count = 0;
	s->threshold = 1;
	s->step = 0;
	s->higher = 0;
	memset(s->steps, 0, sizeof s->steps);
}

static bool wanted(const struct search *q, uint32_t topic)
{
	return !idset_has(q->excluded, topic) &&
	       (q->included == NULL || !idset_has(q->included, topic));
}

/* Those that were taken in while the threshold was lower. */
static void drop_low(struct searcher *s)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->count; i++)
		if (s->list[i].text >= s->threshold)
			s->list[kept++] = s->list[i];
	s->count = kept;
}

/* Whose slots they are is written all over memory: all are on their way before the first is read.
 */
static void prefetch_topics(const struct searcher *s, const struct index *ix)
{
	uint32_t count = 0;
	struct block *const *blocks = index_blocks(ix, &count);

	for (uint32_t i = 0; i < s->count; i++)
		__builtin_prefetch(
			&blocks[s->list[i].place >> 16]->topics[s->list[i].place & 0xffff]);
}

static void take_list(struct searcher *s, const struct corpus *c, const struct index *ix,
		      struct search *q)
{
	uint32_t kept = 0;

	drop_low(s);
	prefetch_topics(s, ix);
	for (uint32_t i = 0; i < s->count; i++)
		if (wanted(q, topic_at(ix, s->list[i].place)))
			s->list[kept++] = s->list[i];
	s->count = kept;
	shorten(s, c, ix, q->limit);
	q->n_found = s->count;
	for (uint32_t i = 0; i < s->count; i++)
		q->found[i] = (struct candidate){topic_at(ix, s->list[i].place), s->list[i].text};
}

void search_run(struct searcher *s, const struct corpus *c, const struct index *ix,
		struct search *q)
{
	uint32_t n_blocks = 0, noted = 0;
	struct block *const *blocks = index_blocks(ix, &n_blocks);

	assert(q->n_terms <= MOST_SEARCH_TERMS && q->limit > 0);
	start_list(s, q);
	for (uint32_t i = 0; i < n_blocks; i++)
		if (blocks[i] != NULL)
			noted = search_block(s, c, ix, i, blocks[i], q, noted);
	take_list(s, c, ix, q);
	memmove(q->found + q->n_found, q->found + MOST_CANDIDATES - noted,
		noted * sizeof *q->found);
	q->n_found += noted;
}
