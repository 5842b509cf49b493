/*
 * index.c - places of topics, and which blocks are rebuilt when.
 */
#include "related/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "related/block.h"
#include "related/builder.h"
#include "related/corpus.h"
#include "related/memory.h"

enum {
	MOST_BLOCKS = 65535,
	TOUCHED_MS = 30000, /* a busy discussion is read again this late at most */
	DEAD_SHARE = 4,     /* rebuilt when more than 1/4 is dead or outdated */
	DRIFT = 2,          /* steps of an average length before a block is rebuilt for it */
	PUTS_BETWEEN_LOOKS = 8,
	MOVES_BETWEEN_LOOKS = 64,
};

struct waiting {
	uint32_t topic;
	int64_t due_ms;
};

struct queue {
	struct waiting *at;
	uint32_t first, count, room;
};

/* How far it has come. */
struct merge {
	struct builder *builder; /* NULL: there is none */
	uint32_t fresh;          /* still to be taken from the queue */
	uint32_t source, slot;   /* the next to be looked at */
	bool gathered;
	uint32_t target,
		moved; /* the new block, once it is complete, and its topics that are in it */
	struct block *leaving; /* a source that has no number any more */
};

struct index {
	struct corpus *corpus;
	struct block **blocks;
	uint32_t n_blocks, block_room;
	uint32_t hot;         /* number of the hot block, or NOWHERE */
	struct queue fresh;   /* new, without a place yet */
	struct queue touched; /* have a place, but their record has changed since */
	struct merge merge;
	uint32_t *sources; /* blocks that the merge will replace */
	uint32_t n_sources, source_room;
	struct bag bag;
	uint64_t epoch;
	bool bulk;
};

struct index *index_new(struct corpus *c)
{
	struct index *ix = MEMORY_NEW(struct index, 1);

	ix->corpus = c;
	ix->hot = NOWHERE;
	return ix;
}

void index_free(struct index *ix)
{
	if (ix == NULL)
		return;
	for (uint32_t i = 0; i < ix->n_blocks; i++)
		block_free(ix->blocks[i]);
	block_free(ix->merge.leaving);
	builder_free(ix->merge.builder);
	bag_free(&ix->bag);
	free(ix->blocks);
	free(ix->fresh.at);
	free(ix->touched.at);
	free(ix->sources);
	free(ix);
}

struct block *const *index_blocks(const struct index *ix, uint32_t *count)
{
	*count = ix->n_blocks;
	return ix->blocks;
}

uint64_t index_epoch(const struct index *ix)
{
	return ix->epoch;
}

size_t index_bytes(const struct index *ix)
{
	size_t bytes = builder_bytes(ix->merge.builder) +
		       (ix->fresh.room + ix->touched.room) * sizeof(struct waiting) +
		       bag_bytes(&ix->bag);

	for (uint32_t i = 0; i < ix->n_blocks; i++)
		if (ix->blocks[i] != NULL)
			bytes += block_bytes(ix->blocks[i]);
	return bytes;
}

static struct topic *topic_of(const struct index *ix, uint32_t topic)
{
	return &ix->corpus->topics[topic];
}

static uint32_t place(uint32_t block, uint32_t slot)
{
	return block << 16 | slot;
}

static struct block *block_of(const struct index *ix, const struct topic *t)
{
	return t->place == NOWHERE ? NULL : ix->blocks[t->place >> 16];
}

static bool lives(const struct index *ix, uint32_t block, uint32_t slot)
{
	return topic_of(ix, ix->blocks[block]->topics[slot])->place == place(block, slot);
}

/* --- queues --- */

static void enqueue(struct queue *queue, uint32_t topic, int64_t due_ms)
{
	if (queue->first > 0 && queue->first + queue->count == queue->room) {
		memmove(queue->at, queue->at + queue->first, queue->count * sizeof *queue->at);
		queue->first = 0;
	}
	MEMORY_GROW(queue->at, queue->room, queue->first + queue->count + 1);
	queue->at[queue->first + queue->count++] = (struct waiting){topic, due_ms};
}

static uint32_t dequeue(struct queue *queue)
{
	queue->count--;
	return queue->at[queue->first++].topic;
}

/* --- places --- */

static uint32_t free_number(struct index *ix)
{
	for (uint32_t i = 0; i < ix->n_blocks; i++)
		if (ix->blocks[i] == NULL)
			return i;
	assert(ix->n_blocks < MOST_BLOCKS);
	MEMORY_GROW(ix->blocks, ix->block_room, ix->n_blocks + 1);
	ix->blocks[ix->n_blocks] = NULL;
	return ix->n_blocks++;
}

static struct block *hot_block(struct index *ix)
{
	if (ix->hot == NOWHERE || ix->blocks[ix->hot]->used == ix->blocks[ix->hot]->room) {
		ix->hot = free_number(ix);
		ix->blocks[ix->hot] = block_new_hot(bm25f_averages(ix->corpus));
	}
	return ix->blocks[ix->hot];
}

static void set_outdated(struct index *ix, struct topic *t, bool outdated)
{
	struct block *block = block_of(ix, t);

	if (block != NULL)
		block->outdated += (uint32_t)outdated - (uint32_t)t->outdated;
	t->outdated = outdated && block != NULL;
}

static void leave_place(struct index *ix, struct topic *t)
{
	struct block *block = block_of(ix, t);

	if (block == NULL)
		return;
	set_outdated(ix, t, false);
	block->shown[t->place & 0xffff] = 0;
	block->dead++;
	t->place = NOWHERE;
}

static void place_hot(struct index *ix, uint32_t topic)
{
	struct topic *t = topic_of(ix, topic);
	struct block *hot = NULL;

	leave_place(ix, t);
	hot = hot_block(ix);
	bag_clear(&ix->bag);
	bag_read(&ix->bag, &t->record);
	t->place = place(ix->hot, block_add(hot, topic, t->visible_to, &ix->bag));
	t->unindexed = 0;
	ix->epoch++;
}

void index_put(struct index *ix, uint32_t topic)
{
	struct topic *t = topic_of(ix, topic);

	assert(t->live);
	if (!ix->bulk) {
		place_hot(ix, topic);
	} else if (t->place != NOWHERE) {
		index_touch(ix, topic);
	} else if (!t->queued) {
		t->queued = true;
		enqueue(&ix->fresh, topic, 0);
	}
}

void index_touch(struct index *ix, uint32_t topic)
{
	struct topic *t = topic_of(ix, topic);

	if (t->place == NOWHERE)
		return; /* it will be read when it gets its place */
	set_outdated(ix, t, true);
	if (t->queued)
		return;
	t->queued = true;
	enqueue(&ix->touched, topic, clock_ms() + TOUCHED_MS);
}

void index_drop(struct index *ix, uint32_t topic)
{
	ix->epoch++;
	leave_place(ix, topic_of(ix, topic));
}

void index_show(struct index *ix, uint32_t topic)
{
	const struct topic *t = topic_of(ix, topic);
	struct block *block = block_of(ix, t);

	ix->epoch++;
	if (block != NULL)
		block->shown[t->place & 0xffff] = t->visible_to;
}

bool index_take_block(struct index *ix, uint32_t number, struct block *block)
{
	uint32_t before = ix->n_blocks;

	if (number >= MOST_BLOCKS || (number < before && ix->blocks[number] != NULL))
		return false;
	if (number >= before) {
		MEMORY_GROW(ix->blocks, ix->block_room, number + 1);
		memset(ix->blocks + before, 0, (number + 1 - before) * sizeof *ix->blocks);
		ix->n_blocks = number + 1;
	}
	ix->blocks[number] = block;
	return true;
}

bool index_take_place(struct index *ix, uint32_t topic, uint32_t where)
{
	struct topic *t = topic_of(ix, topic);
	uint32_t number = where >> 16, slot = where & 0xffff;
	struct block *block = number < ix->n_blocks ? ix->blocks[number] : NULL;

	if (block == NULL || slot >= block->used || block->topics[slot] != topic)
		return false;
	t->place = where;
	block->shown[slot] = t->visible_to;
	block->dead--;
	return true;
}

bool index_waiting(const struct index *ix)
{
	return ix->fresh.count > 0 || ix->merge.builder != NULL;
}

void index_bulk(struct index *ix, bool on)
{
	ix->bulk = on;
}

/* --- which blocks are rebuilt --- */

static uint32_t living(const struct block *block)
{
	return block->used - block->dead;
}

static bool chosen(const struct index *ix, uint32_t number)
{
	for (uint32_t i = 0; i < ix->n_sources; i++)
		if (ix->sources[i] == number)
			return true;
	return false;
}

static void choose(struct index *ix, uint32_t number, uint32_t *total)
{
	MEMORY_GROW(ix->sources, ix->source_room, ix->n_sources + 1);
	ix->sources[ix->n_sources++] = number;
	*total += living(ix->blocks[number]);
	if (number == ix->hot)
		ix->hot = NOWHERE;
}

static void choose_full_hot(struct index *ix, uint32_t *total)
{
	for (uint32_t i = 0; i < ix->n_blocks; i++)
		if (ix->blocks[i] != NULL && ix->blocks[i]->hot != NULL && i != ix->hot &&
		    *total + living(ix->blocks[i]) <= BLOCK_SLOTS)
			choose(ix, i, total);
}

static bool drifted(const struct index *ix, const struct block *block, int limit)
{
	struct averages now = bm25f_averages(ix->corpus);

	for (int field = 0; field < FIELDS; field++)
		if (abs(now.step[field] - block->averages.step[field]) >= limit)
			return true;
	return false;
}

static bool worn(const struct index *ix, uint32_t number, bool settled)
{
	const struct block *block = ix->blocks[number];
	uint32_t outdated = ix->bulk ? 0 : block->outdated;

	if (number == ix->hot)
		return settled && drifted(ix, block, 1);
	return (block->dead + outdated) * DEAD_SHARE > block->used ||
	       (!ix->bulk && drifted(ix, block, settled ? 1 : DRIFT));
}

static void choose_worn(struct index *ix, bool settled, uint32_t *total)
{
	for (uint32_t i = 0; i < ix->n_blocks && ix->n_sources == 0; i++)
		if (ix->blocks[i] != NULL && worn(ix, i, settled))
			choose(ix, i, total);
}

/* The smallest packed block that would at least double by merging with what was chosen. */
static uint32_t partner(const struct index *ix, uint32_t total)
{
	uint32_t best = NOWHERE,
		 smallest = total < BLOCK_SLOTS - total ? total : BLOCK_SLOTS - total;

	for (uint32_t i = 0; i < ix->n_blocks; i++) {
		if (ix->blocks[i] == NULL || ix->blocks[i]->hot != NULL || chosen(ix, i) ||
		    living(ix->blocks[i]) > smallest)
			continue;
		smallest = living(ix->blocks[i]);
		best = i;
	}
	return best;
}

static uint32_t choose_sources(struct index *ix, bool settled)
{
	uint32_t total = 0, next = NOWHERE;

	ix->n_sources = 0;
	choose_full_hot(ix, &total);
	if (ix->n_sources == 0)
		choose_worn(ix, settled, &total);
	if (ix->n_sources == 0)
		return 0;
	while ((next = partner(ix, total)) != NOWHERE)
		choose(ix, next, &total);
	return total;
}

static void start_merge(struct index *ix, uint32_t room, uint32_t fresh)
{
	ix->merge =
		(struct merge){.builder = builder_new(ix->corpus, bm25f_averages(ix->corpus), room),
			       .fresh = fresh,
			       .target = NOWHERE};
}

/* What was chosen may hold no living topic at all: then it only has to go. */
static bool merge_blocks(struct index *ix, bool settled)
{
	uint32_t total = choose_sources(ix, settled);

	if (ix->n_sources == 0)
		return false;
	start_merge(ix, total, 0);
	return true;
}

/* --- a merge: gather, build, move; each goes on where the slice before ended --- */

static void gather_fresh(struct index *ix)
{
	uint32_t topic = dequeue(&ix->fresh);
	struct topic *t = topic_of(ix, topic);

	t->queued = false;
	if (t->live && t->place == NOWHERE)
		builder_add(ix->merge.builder, topic);
	ix->merge.fresh--;
}

/* True when there is nothing more. */
static bool gather_slot(struct index *ix)
{
	struct merge *merge = &ix->merge;
	const struct block *block = NULL;

	if (merge->source == ix->n_sources)
		return true;
	block = ix->blocks[ix->sources[merge->source]];
	if (merge->slot == block->used) {
		merge->slot = 0;
		merge->source++;
		return false;
	}
	if (lives(ix, ix->sources[merge->source], merge->slot))
		builder_add(merge->builder, block->topics[merge->slot]);
	merge->slot++;
	return false;
}

static bool gathered(struct index *ix, const struct slice *slice)
{
	for (uint32_t steps = 1;; steps++) {
		if (ix->merge.fresh > 0)
			gather_fresh(ix);
		else if (gather_slot(ix))
			return true;
		if (steps % MOVES_BETWEEN_LOOKS == 0 && slice_over(slice))
			return false;
	}
}

/*
 * A topic leaves its place for the one in the new block in one stroke, so that a search between
 * two slices sees it once. One whose text has changed since it was read goes to the hot block.
 */
static void move_topic(struct index *ix, uint32_t slot)
{
	struct merge *merge = &ix->merge;
	struct block *block = ix->blocks[merge->target];
	uint32_t then = 0, topic = builder_topic(merge->builder, slot, &then);
	struct topic *t = topic_of(ix, topic);

	if (!builder_holds(merge->builder, slot)) {
		if (t->live && t->place == then)
			place_hot(ix, topic);
		return;
	}
	leave_place(ix, t);
	t->building = false;
	t->unindexed = 0;
	t->place = place(merge->target, slot);
	block->shown[slot] = t->visible_to;
	block->dead--;
	ix->epoch++;
}

static void open_target(struct index *ix)
{
	ix->merge.target = free_number(ix);
	ix->blocks[ix->merge.target] = builder_block(ix->merge.builder);
}

static bool moved(struct index *ix, const struct slice *slice)
{
	struct merge *merge = &ix->merge;

	if (merge->target == NOWHERE)
		open_target(ix);
	while (merge->moved < builder_count(merge->builder)) {
		move_topic(ix, merge->moved++);
		if (merge->moved % MOVES_BETWEEN_LOOKS == 0 && slice_over(slice))
			return false;
	}
	return true;
}

/* Nobody finds it any more: what it holds can go piece by piece. */
static struct block *take_source(struct index *ix)
{
	uint32_t number = ix->sources[--ix->n_sources];
	struct block *block = ix->blocks[number];

	ix->blocks[number] = NULL;
	return block;
}

static bool sources_freed(struct index *ix, const struct slice *slice)
{
	struct merge *merge = &ix->merge;

	while (merge->leaving != NULL || ix->n_sources > 0) {
		if (merge->leaving == NULL)
			merge->leaving = take_source(ix);
		if (!block_shrink(merge->leaving)) {
			block_free(merge->leaving);
			merge->leaving = NULL;
		}
		if (slice_over(slice))
			return false;
	}
	return true;
}

static void merge(struct index *ix, const struct slice *slice)
{
	struct merge *merge = &ix->merge;

	if (!merge->gathered && !(merge->gathered = gathered(ix, slice)))
		return;
	if (builder_count(merge->builder) > 0 &&
	    (!builder_work(merge->builder, slice) || !moved(ix, slice)))
		return;
	if (!sources_freed(ix, slice))
		return;
	builder_free(merge->builder);
	merge->builder = NULL;
	ix->epoch++;
}

/* --- what waits --- */

static bool start_fresh(struct index *ix)
{
	uint32_t count = ix->fresh.count < BLOCK_SLOTS ? ix->fresh.count : BLOCK_SLOTS;

	if (count <= HOT_SLOTS || (ix->bulk && count < BLOCK_SLOTS))
		return false;
	ix->n_sources = 0;
	start_merge(ix, count, count);
	return true;
}

static bool place_fresh(struct index *ix)
{
	if (ix->bulk || ix->fresh.count == 0)
		return false;
	for (unsigned i = 0; i < PUTS_BETWEEN_LOOKS && ix->fresh.count > 0; i++) {
		uint32_t topic = dequeue(&ix->fresh);
		struct topic *t = topic_of(ix, topic);

		t->queued = false;
		if (t->live && t->place == NOWHERE)
			place_hot(ix, topic);
	}
	return true;
}

static bool place_touched(struct index *ix, bool settled)
{
	struct queue *queue = &ix->touched;

	if (ix->bulk || queue->count == 0 ||
	    (!settled && queue->at[queue->first].due_ms > clock_ms()))
		return false;
	for (unsigned i = 0; i < PUTS_BETWEEN_LOOKS && queue->count > 0; i++) {
		uint32_t topic = dequeue(queue);
		struct topic *t = topic_of(ix, topic);

		t->queued = false;
		if (t->live && t->outdated)
			place_hot(ix, topic);
	}
	return true;
}

bool index_work(struct index *ix, int64_t budget_us, bool settled)
{
	struct slice slice = slice_begin(budget_us);

	do {
		if (ix->merge.builder != NULL)
			merge(ix, &slice);
		else if (!start_fresh(ix) && !place_fresh(ix) && !merge_blocks(ix, settled) &&
			 !place_touched(ix, settled))
			return false;
	} while (!slice_over(&slice));
	return true;
}
