/*
 * memory.h - blocks that live longer than one request.
 *
 * Like the arena, these never fail: without memory the process ends and its
 * supervisor starts it again from the snapshot. The engine's own limit
 * (engine_settings.memory_limit) is what keeps it from coming to that.
 */
#ifndef RELATED_MEMORY_H
#define RELATED_MEMORY_H

#include <stddef.h>

/* So much of a large block goes back to the kernel at once; 8 MB take it a millisecond. */
enum { MEMORY_PIECE = 1 << 20 };

/*
 * To be called before the first large block; again does no harm. From then on each large one is a
 * mapping of its own, which comes cleared and grows without being copied. Left alone, malloc takes
 * them from the heap as soon as one was freed, and clears tens of megabytes in one go.
 */
void memory_begin(void);

/* count elements of size bytes, zeroed; NULL when count is 0. Released by free(). */
void *memory_new(size_t count, size_t size);

/* Keeps what was there; what is added is not cleared. */
void *memory_resize(void *, size_t count, size_t size);

/* The next capacity for an array that must hold needed elements: grows by halves. */
size_t memory_room(size_t capacity, size_t needed);

#define MEMORY_NEW(type, count) ((type *)memory_new((count), sizeof(type)))

/* Makes room for one more at array[used]; capacity is an lvalue of any unsigned type. */
#define MEMORY_GROW(array, capacity, needed)                                                       \
	do {                                                                                       \
		if ((size_t)(needed) > (size_t)(capacity)) {                                       \
			size_t room_ = memory_room((size_t)(capacity), (size_t)(needed));          \
			(array) = memory_resize((array), room_, sizeof *(array));                  \
			(capacity) = (__typeof__(capacity))room_;                                  \
		}                                                                                  \
	} while (0)

#endif
