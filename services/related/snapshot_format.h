/*
 * snapshot_format.h - how a snapshot is laid out; private to snapshot_*.c.
 *
 *   header, place, pool, terms, surfaces, users' ids, topics each followed by its
 *   record, pairs, checksum (8 bytes) of all before it
 *
 * Numbers are the machine's own; byte_order tells another machine's file apart.
 */
#ifndef RELATED_SNAPSHOT_FORMAT_H
#define RELATED_SNAPSHOT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "related/hash.h"

#define SNAPSHOT_MAGIC      "CSRELAT2" /* 1: before pairs were followed */
#define SNAPSHOT_BYTE_ORDER 0x01020304u

struct snapshot_header {
	char magic[8];
	uint32_t byte_order, place_size;
	uint32_t n_terms, n_surfaces, n_users, n_topics, n_pairs, unused;
	uint64_t pool_used, refused;
};

struct snapshot_topic {
	uint64_t id;
	uint32_t version, created, author, record_size;
	uint16_t language;
	uint8_t visible_to, live;
	uint32_t unused;
};

/* Finds damage, not malice: multiply and fold over 8 bytes at a time. */
struct snapshot_sum {
	uint64_t state;
};

static inline void snapshot_sum_add(struct snapshot_sum *sum, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	for (; size >= 8; p += 8, size -= 8)
		sum->state = hash_mix(sum->state ^ hash_load(p, 8) ^ 0x9e3779b97f4a7c15u,
				      0xa0761d6478bd642fu) +
			     8;
	if (size > 0)
		sum->state = hash_mix(sum->state ^ hash_load(p, size) ^ 0x9e3779b97f4a7c15u,
				      0xe7037ed1a0b428dbu) +
			     size;
}

#endif
