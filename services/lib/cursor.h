/*
 * cursor.h - opaque, signed positions in a list (keyset pagination).
 *
 * A cursor holds the sort key of the last row that was given, so that a page
 * neither repeats nor skips rows when others come and go. It is signed under a
 * key of the service, bound to the list it came from, and says nothing to whoever holds it.
 */
#ifndef LIB_CURSOR_H
#define LIB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define CURSOR_NUMBERS 4

struct cursor {
	int64_t at[CURSOR_NUMBERS]; /* meaning is the list's own; unused ones are 0 */
};

/* list: names the list and its filters ("topics:recent:open"); both sides must agree. */
const char *cursor_write(struct arena *, const char *list, const struct cursor *);

/* Reads a cursor of this list. An empty text is no cursor: *given false. False: forged or foreign.
 */
bool cursor_read(const char *text, const char *list, struct cursor *, bool *given);

#endif
