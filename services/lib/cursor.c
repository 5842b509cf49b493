/*
 * cursor.c - the sort key of a list's last row, sealed and bound to that list.
 */
#include "lib/cursor.h"

#include "lib/arena.h"
#include "lib/seal.h"

const char *cursor_write(struct arena *arena, const char *list, const struct cursor *cursor)
{
	unsigned char bytes[CURSOR_NUMBERS * 8];

	for (size_t i = 0; i < CURSOR_NUMBERS; i++)
		seal_put_number(bytes + 8 * i, (uint64_t)cursor->at[i]);
	return seal_write(arena, "cursor", list, bytes, sizeof bytes);
}

bool cursor_read(const char *text, const char *list, struct cursor *cursor, bool *given)
{
	unsigned char bytes[CURSOR_NUMBERS * 8];

	*cursor = (struct cursor){0};
	*given = *text != '\0';
	if (!*given)
		return true;
	if (!seal_read(text, "cursor", list, bytes, sizeof bytes))
		return false;
	for (size_t i = 0; i < CURSOR_NUMBERS; i++)
		cursor->at[i] = (int64_t)seal_get_number(bytes + 8 * i);
	return true;
}
