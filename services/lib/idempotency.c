/* idempotency.c - keys of writes, and what the first request with a key made. */
#include "lib/idempotency.h"

#include <string.h>

#include <sodium.h>

#include "lib/queries.h"
#include "lib/task.h"

#define FRESH_BYTES 16

struct sql_param idempotency_key(struct task *task)
{
	unsigned char random[FRESH_BYTES];
	char *key;

	if (task->context.idempotency_key != NULL && *task->context.idempotency_key != '\0')
		return sql_text(task->context.idempotency_key);

	randombytes_buf(random, sizeof random);
	key = arena_alloc(&task->arena, 2 * sizeof random + 1);
	return sql_text(sodium_bin2hex(key, 2 * sizeof random + 1, random, sizeof random));
}

void idempotency_find(struct task *task, struct sql_slot *slot, struct sql *sql)
{
	sql_run_message(task, slot, sql, &find_request_sql, NULL, NULL, 0);
}

bool idempotency_matches(const struct sql_slot *slot, const char *method)
{
	return slot->state == SQL_DONE && slot->rows == 1 &&
	       strcmp(sql_get_text(slot, 0, "method"), method) == 0;
}
