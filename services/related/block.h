/*
 * block.h - up to 65,536 topics and, per term, where it occurs with which impact.
 *
 * A packed block does not change. Per term it has a run of slots with their impacts,
 * found through a bitmap of its terms with ranks. A slot takes two bytes; or, where a
 * term is frequent enough, one: how far it is from the slot before. The most frequent
 * terms have a byte for each slot instead, which adds up several times as fast; their
 * number is limited because that takes a byte per topic each.
 * A topic that changes leaves its slot dead and moves on. The hot block has lists that
 * grow, and takes what is new at once. An entry of impact 0 adds nothing, and may stand
 * in any run: it bridges what is too far for one byte.
 */
#ifndef RELATED_BLOCK_H
#define RELATED_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "related/bag.h"
#include "related/bm25f.h"

enum {
	BLOCK_SLOTS = 65536,
	HOT_SLOTS = 4096,
	/* The most frequent terms of a block are dense: so many, in 1/16 of its slots at least. */
	MOST_DENSE = 64,
	DENSE_SHARE = 16,
	WIDEST_GAP = 255,
};

/* Where a term occurs: by slots, by gaps, or, without either, impacts of every slot. */
struct run {
	const uint16_t *slots;
	const uint8_t *gaps; /* each from the slot before; the first from slot 0 */
	const uint8_t *impacts;
	uint32_t count;
};

static inline bool run_is_dense(const struct run *run)
{
	return run->slots == NULL && run->gaps == NULL && run->count > 0;
}

/* A term's growing list in the hot block. */
struct hot_list {
	uint32_t term, start, count, room;
};

struct hot {
	struct hot_list *lists; /* open addressing by term; room 0 is free */
	uint32_t mask, used;
	uint16_t *slots; /* pools; a list that outgrows its place leaves it behind */
	uint8_t *impacts;
	uint32_t pool_used, pool_room;
};

/* Runs of all terms, back to back: slots or gaps, then as many impacts. */
struct packed {
	uint64_t *present; /* bit per term */
	uint32_t *ranks;   /* terms before each word of present */
	uint32_t
		*starts; /* by rank: where in runs, an even number, + 1 when by gaps; and the end */
	uint8_t *runs;
	uint32_t n_terms, n_present, n_bytes;
	uint32_t *dense_terms; /* rising; these have no run, but an impact for every slot */
	uint8_t *dense;        /* n_slots for each */
	uint32_t n_dense, n_slots;
};

struct block {
	uint32_t *topics; /* by slot */
	uint8_t *shown;   /* by slot: audiences that may see it; 0: hidden or dead */
	uint32_t used, room;
	uint32_t dead, outdated;  /* slots; outdated: their topic's text has changed since */
	struct averages averages; /* by which impacts were computed */
	struct packed packed;
	struct hot *hot; /* NULL in a packed block */
	bool mapped;     /* topics and packed belong to a mapped snapshot */
};

struct block *block_new(uint32_t slots);
/* An empty hot block for at most HOT_SLOTS topics. */
struct block *block_new_hot(struct averages);
/* One whose topics and runs the caller then points into a mapping; every slot is dead. */
struct block *block_new_mapped(uint32_t slots, struct averages);
void block_free(struct block *);
/*
 * Gives back a piece of the memory of a block that nobody asks any more. False: what is left is
 * small, and block_free() takes it. A whole block would hold up the loop for milliseconds.
 */
bool block_shrink(struct block *);
size_t block_bytes(const struct block *);

/* The hot block takes a topic; returns its slot. There must be room. */
uint32_t block_add(struct block *, uint32_t topic, uint8_t shown, const struct bag *);

/* Where a term occurs; count 0 when it does not. */
struct run block_run(const struct block *, uint32_t term);

#endif
