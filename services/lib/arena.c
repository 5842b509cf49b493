/*
 * arena.c - bump allocation in blocks that are released together.
 *
 * Blocks double from 4 KiB to 64 KiB; a request beyond that gets a block of its
 * own. The newest block stands first and is the only one that is filled.
 */
#include "lib/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK   4096
#define LARGEST_BLOCK 65536

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct arena_deferred {
	struct arena_deferred *next;
	void (*clear)(void *);
	void *object;
};

static struct arena_block *add_block(struct arena *arena, size_t wanted)
{
	size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
	struct arena_block *block;

	if (size > LARGEST_BLOCK)
		size = LARGEST_BLOCK;
#ifdef __SANITIZE_ADDRESS__
	size = wanted;
#endif
	if (size < wanted)
		size = wanted;

	block = malloc(sizeof *block + size);
	if (block == NULL)
		abort();
	block->next = arena->blocks;
	block->size = size;
	block->used = 0;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	size_t padded;
	void *bytes;

	if (size == 0)
		size = 1;
	assert(size <= SIZE_MAX / 2);
	padded = (size + align - 1) & ~(align - 1);
#ifdef __SANITIZE_ADDRESS__
	padded = size;
	block = NULL;
#endif
	if (block == NULL || block->size - block->used < padded)
		block = add_block(arena, padded);

	bytes = block->bytes + block->used;
	block->used += padded;
	arena->bytes += padded;
	return memset(bytes, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	assert(size == 0 || count <= SIZE_MAX / 2 / size);
	return arena_alloc(arena, count * size);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);

	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text));
}

char *arena_strndup(struct arena *arena, const char *text, size_t at_most)
{
	return arena_copy(arena, text, strnlen(text, at_most));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
	va_list again;
	int length;
	char *text;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	assert(length >= 0);

	text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = arena_vprintf(arena, format, arguments);
	va_end(arguments);
	return text;
}

void arena_defer(struct arena *arena, void (*clear)(void *), void *object)
{
	struct arena_deferred *deferred = ARENA_NEW(arena, struct arena_deferred);

	deferred->clear = clear;
	deferred->object = object;
	deferred->next = arena->deferred;
	arena->deferred = deferred;
}

/* The caller's arena may itself lie in one of its blocks, so it is emptied first. */
void arena_free(struct arena *arena)
{
	struct arena going = *arena;
	struct arena_block *next;

	*arena = (struct arena){0};
	for (; going.deferred != NULL; going.deferred = going.deferred->next)
		going.deferred->clear(going.deferred->object);

	for (; going.blocks != NULL; going.blocks = next) {
		next = going.blocks->next;
		free(going.blocks);
	}
}
