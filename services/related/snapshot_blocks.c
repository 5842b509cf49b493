/*
 * snapshot_blocks.c - blocks that answer from the mapped file.
 *
 * What a search follows without looking is checked here: that ranks count the terms before
 * them, that runs begin where the one before ends, that topics exist. What stands in a run may
 * be anything; a slot of 16 bits is always one of a block's.
 */
#include "related/block.h"
#include "related/index.h"
#include "related/memory.h"
#include "related/snapshot_format.h"

static uint32_t words_of(uint32_t n_terms)
{
	return n_terms / 64 + 1;
}

static bool ranks_right(const struct packed *packed)
{
	uint64_t before = 0;

	for (uint32_t word = 0; word < words_of(packed->n_terms); word++) {
		if (packed->ranks[word] != before)
			return false;
		before += (uint64_t)__builtin_popcountll(packed->present[word]);
	}
	return before == packed->n_present;
}

static bool starts_right(const struct packed *packed)
{
	for (uint32_t rank = 0; rank < packed->n_present; rank++)
		if ((packed->starts[rank] & ~1U) > (packed->starts[rank + 1] & ~1U))
			return false;
	return packed->starts[packed->n_present] == packed->n_bytes && packed->n_bytes % 2 == 0;
}

static bool topics_right(const struct block *block, uint32_t n_topics)
{
	for (uint32_t slot = 0; slot < block->used; slot++)
		if (block->topics[slot] >= n_topics)
			return false;
	return true;
}

static void map_parts(struct snapshot_reader *r, const struct snapshot_block *about,
		      struct block *block)
{
	struct packed *packed = &block->packed;
	uint64_t words = words_of(about->n_terms);

	*packed = (struct packed){.n_terms = about->n_terms,
				  .n_present = about->n_present,
				  .n_bytes = about->n_bytes,
				  .n_dense = about->n_dense,
				  .n_slots = about->used};
	block->topics = snapshot_take(r, about->used * sizeof *block->topics);
	packed->present = snapshot_take(r, words * sizeof *packed->present);
	packed->ranks = snapshot_take(r, words * sizeof *packed->ranks);
	packed->starts = snapshot_take(r, (about->n_present + 1ULL) * sizeof *packed->starts);
	packed->runs = snapshot_take(r, about->n_bytes);
	packed->dense_terms = snapshot_take(r, about->n_dense * sizeof *packed->dense_terms);
	packed->dense = snapshot_take(r, (uint64_t)about->n_dense * about->used);
}

struct block *snapshot_read_block(struct snapshot_reader *r, uint32_t n_topics, uint32_t n_terms,
				  uint32_t *number)
{
	const struct snapshot_block *about = snapshot_take(r, sizeof *about);
	struct block *block = NULL;

	if (about == NULL || about->used == 0 || about->used > BLOCK_SLOTS ||
	    about->n_terms > n_terms || about->n_dense > MOST_DENSE)
		return NULL;
	block = block_new_mapped(about->used, about->averages);
	map_parts(r, about, block);
	*number = about->number;
	if (!r->broken && ranks_right(&block->packed) && starts_right(&block->packed) &&
	    topics_right(block, n_topics))
		return block;
	block_free(block);
	return NULL;
}
