/* idempotency.c - keys of writes, and what the first request with a key made. */
#include "lib/idempotency.h"

#include <string.h>

#include <sodium.h>

#include "lib/queries.h"
#include "lib/task.h"

#define FRESH_BYTES 16
#define ASKED_BYTES 16

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

struct sql_param idempotency_asked(struct task *task, const ProtobufCMessage *message)
{
	const size_t size = protobuf_c_message_get_packed_size(message);
	unsigned char *packed = arena_alloc(&task->arena, size + 1);
	unsigned char *hash = arena_alloc(&task->arena, ASKED_BYTES);

	protobuf_c_message_pack(message, packed);
	crypto_generichash(hash, ASKED_BYTES, packed, size, NULL, 0);
	return sql_bytes(hash, ASKED_BYTES);
}

void idempotency_find(struct task *task, struct sql_slot *slot, struct sql *sql,
		      const ProtobufCMessage *message)
{
	SQL_NAMED(task, slot, sql, &find_request_sql, NULL,
		  {"asked", idempotency_asked(task, message)});
}

bool idempotency_matches(const struct sql_slot *slot, const char *method)
{
	return slot->state == SQL_DONE && slot->rows == 1 &&
	       strcmp(sql_get_text(slot, 0, "method"), method) == 0 &&
	       sql_get_flag(slot, 0, "same");
}
