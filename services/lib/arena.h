/*
 * arena.h - memory that belongs to one piece of work and goes with it.
 *
 * What a request needs is taken from its arena and released with it in one
 * stroke. Allocation never fails: out of memory ends the process, so callers do
 * not check for NULL. What is not memory is handed over with arena_defer().
 * Under AddressSanitizer every allocation is a block of its own, so that a use
 * beyond its end is seen.
 */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;
struct arena_deferred;

/* All zero is an empty arena. Not thread-safe; may be moved by assignment. */
struct arena {
	struct arena_block *blocks;
	struct arena_deferred *deferred;
	size_t bytes; /* taken so far, for limits and metrics */
};

/* Returns size bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *, size_t size);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

/* Like arena_alloc() for count elements; a product that overflows ends the process. */
void *arena_array(struct arena *, size_t count, size_t size);

/* Copies; the result ends in NUL even where the source did not. */
void *arena_copy(struct arena *, const void *bytes, size_t size);
char *arena_strdup(struct arena *, const char *);
char *arena_strndup(struct arena *, const char *, size_t at_most);

char *arena_printf(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *, const char *format, va_list)
	__attribute__((format(printf, 2, 0)));

/* Calls clear(object) when the arena goes, latest first. */
void arena_defer(struct arena *, void (*clear)(void *), void *object);

/* Runs what was deferred, releases everything, leaves an empty arena. */
void arena_free(struct arena *);

#endif
