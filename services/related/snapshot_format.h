/*
 * snapshot_format.h - how a snapshot is laid out; private to snapshot_*.c.
 *
 *   header, place, pool, terms, surfaces, users' ids, topics, pairs, blocks each followed by
 *   its parts, records one after the other, checksum (8 bytes) of all before it
 *
 * Each part begins at a multiple of 8, so that it can be used where it is mapped. Numbers are the
 * machine's own; byte_order tells another machine's file apart.
 */
#ifndef RELATED_SNAPSHOT_FORMAT_H
#define RELATED_SNAPSHOT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "related/bag.h"
#include "related/bm25f.h"
#include "related/hash.h"

struct block;

#define SNAPSHOT_MAGIC      "CSRELAT2" /* 1: before pairs were followed, and read whole */
#define SNAPSHOT_BYTE_ORDER 0x01020304u

enum { SNAPSHOT_ALIGNMENT = 8, SNAPSHOT_PIECE = 1 << 16 /* summed up together */ };

struct snapshot_header {
	char magic[8];
	uint32_t byte_order, place_size;
	uint32_t n_terms, n_surfaces, n_users, n_topics, n_pairs, n_blocks;
	uint64_t pool_used, refused;
	uint64_t tokens[FIELDS];
	uint32_t filled[FIELDS];
};

struct snapshot_topic {
	uint64_t id;
	uint32_t version, created, author, record_size;
	uint32_t place; /* in one of the blocks; else it is read again from its record */
	uint32_t comments;
	uint16_t language;
	uint8_t visible_to, live;
	uint32_t unused;
};

/* Then topics, present, ranks, starts, runs, dense_terms and dense, see block.h. */
struct snapshot_block {
	uint32_t number, used, n_terms, n_present, n_bytes, n_dense;
	struct averages averages;
	uint32_t unused;
};

/* Finds damage, not malice: multiply and fold, four times 8 bytes side by side. */
enum { SNAPSHOT_LANES = 4 };

struct snapshot_sum {
	uint64_t lanes[SNAPSHOT_LANES];
};

/* All pieces but the last are of SNAPSHOT_PIECE bytes. */
static inline void snapshot_sum_add(struct snapshot_sum *sum, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	for (; size >= 8 * SNAPSHOT_LANES; p += 8 * SNAPSHOT_LANES, size -= 8 * SNAPSHOT_LANES)
		for (size_t lane = 0; lane < SNAPSHOT_LANES; lane++)
			sum->lanes[lane] = hash_mix(sum->lanes[lane] ^ hash_load(p + 8 * lane, 8) ^
							    0x9e3779b97f4a7c15u,
						    0xa0761d6478bd642fu) +
					   8;
	for (; size > 0; p++, size--)
		sum->lanes[0] =
			hash_mix(sum->lanes[0] ^ *p ^ 0x9e3779b97f4a7c15u, 0xe7037ed1a0b428dbu) + 1;
}

static inline uint64_t snapshot_sum_end(const struct snapshot_sum *sum)
{
	uint64_t all = 0;

	for (size_t lane = 0; lane < SNAPSHOT_LANES; lane++)
		all = hash_mix(all ^ sum->lanes[lane] ^ 0x9e3779b97f4a7c15u, 0xa0761d6478bd642fu) +
		      lane;
	return all;
}

/* A walk along a mapped file. */
struct snapshot_reader {
	unsigned char *start, *at, *end;
	bool broken;
};

/* The next size bytes, at a multiple of 8, or NULL at a premature end. */
static inline void *snapshot_take(struct snapshot_reader *r, uint64_t size)
{
	uint64_t at = ((uint64_t)(r->at - r->start) + SNAPSHOT_ALIGNMENT - 1) / SNAPSHOT_ALIGNMENT *
		      SNAPSHOT_ALIGNMENT;
	uint64_t all = (uint64_t)(r->end - r->start);

	if (r->broken || at > all || size > all - at) {
		r->broken = true;
		return NULL;
	}
	r->at = r->start + at + size;
	return r->start + at;
}

/* snapshot_blocks.c: a block whose parts stay where they are mapped, or NULL. */
struct block *snapshot_read_block(struct snapshot_reader *, uint32_t n_topics, uint32_t n_terms,
				  uint32_t *number);

#endif
