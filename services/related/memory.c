/*
 * memory.c - malloc that does not fail, and keeps large blocks apart.
 */
#include "related/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { LARGE = 1 << 20 }; /* bytes */

void memory_begin(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE);
}

static void *taken(void *block, size_t count)
{
	if (block == NULL && count > 0) {
		fputs("related: out of memory\n", stderr);
		abort();
	}
	return block;
}

void *memory_new(size_t count, size_t size)
{
	return count == 0 ? NULL : taken(calloc(count, size), count);
}

void *memory_resize(void *block, size_t count, size_t size)
{
	return taken(reallocarray(block, count, size), count);
}

size_t memory_room(size_t capacity, size_t needed)
{
	size_t room = capacity + capacity / 2 + 16;

	return room < needed ? needed : room;
}
