/*
 * builder.h - makes a packed block from records, a slice at a time.
 *
 *   count -> choose dense terms -> lay out -> fill -> (index: move)
 *
 * Topics may change between slices. corpus_replace() then takes their building
 * mark away: the block keeps entries of impact 0 where they were counted, and
 * the index gives them a place elsewhere.
 */
#ifndef RELATED_BUILDER_H
#define RELATED_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "related/bm25f.h"
#include "related/slice.h"

struct block;
struct builder;
struct corpus;

/* For at most so many topics; then each is added, with the place it has now. */
struct builder *builder_new(struct corpus *, struct averages, uint32_t room);
void builder_add(struct builder *, uint32_t topic);
void builder_free(struct builder *);

/* After the last topic. True when the block is complete. */
bool builder_work(struct builder *, const struct slice *);

uint32_t builder_count(const struct builder *);
uint32_t builder_topic(const struct builder *, uint32_t slot, uint32_t *place_then);

/* Did this topic stay as it was since the building began? */
bool builder_holds(const struct builder *, uint32_t slot);

/* Hands over the complete block, every slot of which is dead; the builder still knows it. */
struct block *builder_block(struct builder *);

size_t builder_bytes(const struct builder *);

#endif
