/*
 * search.c - sums by block, from which a short list takes the best.
 *
 * What a topic is, and whether it is wanted, is looked up only at the end; so the list keeps as
 * many more as might turn out to be unwanted.
 */
#include "related/search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "related/block.h"
#include "related/corpus.h"
#include "related/index.h"
#include "related/memory.h"
#include "related/shortlist.h"

enum {
	LINE = 64,
	SENT_FOR = 256, /* bytes of a run; the processor sees by itself how it goes on */
};

/* Where the terms occur in one block. */
struct reading {
	const struct block *block; /* NULL after the last */
	uint32_t number;
	struct run runs[MOST_SEARCH_TERMS];
	uint16_t weights[MOST_SEARCH_TERMS];
	struct dense_term dense[MOST_SEARCH_TERMS];
	size_t n_runs, n_dense;
};

/* High sums of one chunk. */
struct hits {
	uint16_t at[SCAN_CHUNK];
	size_t count;
	uint32_t chunk;
};

struct searcher {
	const struct scan *scan;
	const struct corpus *corpus; /* of the search at hand, like the next two */
	const struct index *index;
	struct search *search;
	uint16_t sums[BLOCK_SLOTS];
	struct reading readings[2]; /* of the block at hand, and of the next */
	struct hits hits[2];        /* of the chunk at hand, and of the one before */
	struct shortlist best;
	uint32_t noted; /* topics included besides */
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

/* --- blocks --- */

static void prefetch_run(const struct run *run)
{
	const uint8_t *at = run->gaps != NULL ? run->gaps : (const uint8_t *)run->slots;

	for (uint32_t i = 0; i < run->count && i < SENT_FOR; i += LINE) {
		__builtin_prefetch(at + i);
		__builtin_prefetch(run->impacts + i);
	}
}

/* The first block from this number on. */
static void open_reading(struct reading *r, const struct index *ix, uint32_t number)
{
	uint32_t count = 0;
	struct block *const *blocks = index_blocks(ix, &count);

	while (number < count && blocks[number] == NULL)
		number++;
	r->block = number < count ? blocks[number] : NULL;
	r->number = number;
	r->n_runs = r->n_dense = 0;
}

/* Dense terms wait for the walk along the slots. */
static void read_term(struct reading *r, const struct search_term *term)
{
	struct run run = block_run(r->block, term->term);

	if (run_is_dense(&run)) {
		r->dense[r->n_dense++] = (struct dense_term){run.impacts, term->weight};
		return;
	}
	prefetch_run(&run);
	r->runs[r->n_runs] = run;
	r->weights[r->n_runs++] = term->weight;
}

static void read_terms(struct reading *r, const struct search *q)
{
	for (uint32_t i = 0; r->block != NULL && i < q->n_terms; i++)
		read_term(r, &q->terms[i]);
}

/*
 * Runs lie anywhere in memory, far apart: while those of one block are added, those of the next
 * are looked up and on their way, one by one.
 */
static void add_runs(struct searcher *s, const struct reading *here, struct reading *next)
{
	for (uint32_t i = 0; i < s->search->n_terms; i++) {
		if (next->block != NULL)
			read_term(next, &s->search->terms[i]);
		if (i < here->n_runs)
			s->scan->add(s->sums, &here->runs[i], here->weights[i]);
	}
}

static void add_dense(struct searcher *s, struct reading *here, uint32_t chunk)
{
	uint32_t left = here->block->used - chunk, count = left < SCAN_CHUNK ? left : SCAN_CHUNK;

	s->scan->add_dense(s->sums + chunk, here->dense, here->n_dense, count);
	for (size_t i = 0; i < here->n_dense; i++)
		here->dense[i].impacts += count;
}

static void find_hits(struct searcher *s, const struct block *block, uint32_t chunk,
		      struct hits *hits)
{
	hits->chunk = chunk;
	hits->count = s->scan->find(s->sums + chunk, s->best.threshold, hits->at);
	for (size_t i = 0; i < hits->count; i++)
		__builtin_prefetch(&block->shown[chunk + hits->at[i]]);
}

static void take_hits(struct searcher *s, const struct reading *here, const struct hits *hits)
{
	const uint8_t *shown = here->block->shown, audience = s->search->audience;

	for (size_t i = 0; i < hits->count; i++) {
		uint32_t slot = hits->chunk + hits->at[i];

		if (s->sums[slot] >= s->best.threshold && (shown[slot] & audience) != 0)
			shortlist_add(&s->best,
				      (struct hopeful){here->number << 16 | slot, s->sums[slot]});
	}
}

/* The hits of a chunk are taken after the next was searched: who may see them has arrived then. */
static void find_best(struct searcher *s, struct reading *here)
{
	struct hits *now = &s->hits[0], *before = &s->hits[1];

	now->count = before->count = 0;
	for (uint32_t chunk = 0; chunk < here->block->used; chunk += SCAN_CHUNK) {
		struct hits *taken = before;

		if (here->n_dense > 0)
			add_dense(s, here, chunk);
		if (!s->search->only_included)
			find_hits(s, here->block, chunk, now);
		take_hits(s, here, before);
		before = now;
		now = taken;
	}
	take_hits(s, here, before);
}

/* Those included go to the end of found, which the others never reach. */
static void note_included(struct searcher *s, const struct reading *here)
{
	struct search *q = s->search;

	for (uint32_t i = 0; q->included != NULL && i < q->included->count; i++) {
		uint32_t topic = q->included->items[i];
		uint32_t place = s->corpus->topics[topic].place, slot = place & 0xffff;

		if (place == NOWHERE || place >> 16 != here->number ||
		    s->noted == MOST_CANDIDATES / 2 ||
		    (here->block->shown[slot] & q->audience) == 0 || idset_has(q->excluded, topic))
			continue;
		q->found[MOST_CANDIDATES - ++s->noted] = (struct candidate){topic, s->sums[slot]};
	}
}

static void clear_sums(struct searcher *s, const struct block *block)
{
	uint32_t chunks = (block->used + SCAN_CHUNK - 1) / SCAN_CHUNK;

	memset(s->sums, 0, chunks * SCAN_CHUNK * sizeof *s->sums);
}

static void search_blocks(struct searcher *s)
{
	struct reading *here = &s->readings[0], *next = &s->readings[1];

	open_reading(here, s->index, 0);
	read_terms(here, s->search);
	while (here->block != NULL) {
		struct reading *done = here;

		open_reading(next, s->index, here->number + 1);
		add_runs(s, here, next);
		find_best(s, here);
		note_included(s, here);
		clear_sums(s, here->block);
		here = next;
		next = done;
	}
}

/* --- the answer --- */

/* Room for those that turn out to be unwanted. */
static uint32_t kept_for(const struct search *q)
{
	uint32_t unwanted = q->excluded->count + (q->included != NULL ? q->included->count : 0);

	return q->limit + unwanted < MOST_CANDIDATES ? q->limit + unwanted : MOST_CANDIDATES;
}

static bool wanted(const struct search *q, uint32_t topic)
{
	return !idset_has(q->excluded, topic) &&
	       (q->included == NULL || !idset_has(q->included, topic));
}

/* Whose slots they are is written all over memory: all are on their way before the first is read.
 */
static void prefetch_topics(const struct searcher *s)
{
	uint32_t count = 0;
	struct block *const *blocks = index_blocks(s->index, &count);

	for (uint32_t i = 0; i < s->best.count; i++)
		__builtin_prefetch(&blocks[s->best.list[i].place >> 16]
					    ->topics[s->best.list[i].place & 0xffff]);
}

static void drop_unwanted(struct searcher *s)
{
	struct shortlist *best = &s->best;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < best->count; i++)
		if (wanted(s->search, shortlist_topic(best, best->list[i])))
			best->list[kept++] = best->list[i];
	best->count = kept;
}

static void take_best(struct searcher *s)
{
	struct shortlist *best = &s->best;
	struct search *q = s->search;

	shortlist_drop_low(best);
	prefetch_topics(s);
	drop_unwanted(s);
	shortlist_cut(best, q->limit);
	q->n_found = best->count;
	for (uint32_t i = 0; i < best->count; i++)
		q->found[i] = (struct candidate){shortlist_topic(best, best->list[i]),
						 best->list[i].text};
}

static void join_included(const struct searcher *s)
{
	struct search *q = s->search;

	memmove(q->found + q->n_found, q->found + MOST_CANDIDATES - s->noted,
		s->noted * sizeof *q->found);
	q->n_found += s->noted;
}

void search_run(struct searcher *s, const struct corpus *c, const struct index *ix,
		struct search *q)
{
	assert(q->n_terms <= MOST_SEARCH_TERMS && q->limit > 0);
	s->corpus = c;
	s->index = ix;
	s->search = q;
	s->noted = 0;
	shortlist_begin(&s->best, c, ix, kept_for(q));
	search_blocks(s);
	take_best(s);
	join_included(s);
}
