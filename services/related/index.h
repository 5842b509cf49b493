/*
 * index.h - every live topic in exactly one place, found by its terms.
 *
 * What is new or changed goes to the hot block at once. Full hot blocks and
 * blocks with many dead slots are rebuilt from the records into packed blocks, in
 * slices; then topics move over one by one, so a search between two slices sees
 * every topic once. Blocks double in size as they merge, so a
 * topic is rewritten a handful of times in its life.
 */
#ifndef RELATED_INDEX_H
#define RELATED_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;
struct corpus;
struct index;

struct index *index_new(struct corpus *);
void index_free(struct index *);

/*
 * From a snapshot: a block under its number, then the place in it of each of its living topics.
 * False when the number or the place is not free for it. Other topics are put.
 */
bool index_take_block(struct index *, uint32_t number, struct block *);
bool index_take_place(struct index *, uint32_t topic, uint32_t place);

/* Does a topic still wait for a place? */
bool index_waiting(const struct index *);

/* Each brings the index in step with the topic's record and visibility. */
void index_put(struct index *, uint32_t topic);   /* at once */
void index_touch(struct index *, uint32_t topic); /* within 30 s; its old text answers until then */
void index_drop(struct index *, uint32_t topic);  /* no search sees it any more */
void index_show(struct index *, uint32_t topic);  /* visible_to has changed */

/* While on, new topics wait for a full block of their own, and touched ones for the end. */
void index_bulk(struct index *, bool on);

/*
 * Does background work for at most about budget_us; true while there is more.
 * settled: until every impact follows from today's average lengths, as in an
 * index built afresh.
 */
bool index_work(struct index *, int64_t budget_us, bool settled);

/* Blocks by number, NULL where one was; at most 65,535. */
struct block *const *index_blocks(const struct index *, uint32_t *count);

/* Rises with every change that a search could see. */
uint64_t index_epoch(const struct index *);

size_t index_bytes(const struct index *);

#endif
