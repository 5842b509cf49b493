/*
 * hash.h - hashing of words and ids that strangers choose.
 *
 * Multiply-and-fold over 8 bytes at a time under a key drawn at start, so that
 * nobody can prepare words that all fall into one slot.
 */
#ifndef RELATED_HASH_H
#define RELATED_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Up to 8 bytes as one number, which the size makes unique; parts may overlap. */
static inline uint64_t hash_load(const unsigned char *bytes, size_t size)
{
	uint64_t word = 0;
	uint32_t first = 0, last = 0;

	if (size == 8) {
		memcpy(&word, bytes, 8);
		return word;
	}
	if (size >= 4) {
		memcpy(&first, bytes, 4);
		memcpy(&last, bytes + size - 4, 4);
		return (uint64_t)first << 32 | last;
	}
	if (size == 0)
		return 0;
	return (uint64_t)bytes[0] << 16 | (uint64_t)bytes[size / 2] << 8 | bytes[size - 1];
}

static inline uint32_t hash_bytes(const void *bytes, size_t size, uint64_t key)
{
	const unsigned char *p = bytes;
	uint64_t hash = key ^ (size * 0x9e3779b97f4a7c15u);

	for (; size > 8; p += 8, size -= 8)
		hash = hash_mix(hash ^ hash_load(p, 8), 0xa0761d6478bd642fu);
	hash = hash_mix(hash ^ hash_load(p, size), 0xe7037ed1a0b428dbu ^ key);
	return (uint32_t)(hash ^ (hash >> 32));
}

static inline uint32_t hash_id(uint64_t id, uint64_t key)
{
	uint64_t hash = hash_mix(id ^ key, 0x8ebc6af09c88c6e3u);

	return (uint32_t)(hash ^ (hash >> 32));
}

/* A fresh key from the system's random source. */
uint64_t hash_key(void);

#endif
