/*
 * session_cache.c - what Redis must learn at once: a session ended, or changed.
 *
 * Gateways copy a session for 60 s with SET … NX. The marker of an ended one lives
 * twice as long and cannot be overwritten by NX, so a copy made from a read
 * before the end finds the place taken.
 */
#include "accounts.h"

#include <string.h>

#define HASH_HEX 64

static void end_one(struct task *task, const char *hash)
{
	cache_command(task, NULL, redis, "SET session:%s revoked EX 120", hash);
}

void session_cache_end(struct task *task, const struct sql_slot *rows)
{
	for (int row = 0; row < rows->rows; row++)
		end_one(task, sql_get_text(rows, row, "hash"));
}

/* PostgreSQL writes text[] of hex digits as {a,b}. */
void session_cache_end_all(struct task *task, const struct sql_slot *slot, int row)
{
	const char *at = sql_get_text(slot, row, "hashes");

	for (at += strcspn(at, "0123456789abcdef"); strlen(at) >= HASH_HEX;
	     at += strcspn(at, "0123456789abcdef")) {
		end_one(task, arena_strndup(&task->arena, at, HASH_HEX));
		at += HASH_HEX;
	}
}

void session_cache_refresh(struct task *task, const struct sql_slot *rows)
{
	for (int row = 0; row < rows->rows; row++)
		cache_command(task, NULL, redis, "DEL session:%s", sql_get_text(rows, row, "hash"));
}
