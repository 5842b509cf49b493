/*
 * idempotency.h - the same request twice is one write.
 *
 * A write statement stores its key and the id of what it makes in table requests
 * (migrations/idempotency.sql) itself, so both exist or neither:
 *
 *     WITH new AS (SELECT nextval(pg_get_serial_sequence('comments', 'id')) AS id
 *                   WHERE …),                        -- everything that must hold, first
 *          once AS (INSERT INTO requests (account_id, key, method, result_id, asked)
 *                   SELECT :viewer_id, :idempotency_key, 'PostComment', id, :asked FROM new
 *                   ON CONFLICT DO NOTHING RETURNING result_id AS id),
 *          made AS (INSERT INTO comments (id, …) SELECT id, … FROM once RETURNING id), …
 *     SELECT id FROM made
 *
 * What refuses the write stands before `once`, or the key of a refused request would be
 * used up. A repeat makes nothing and returns no row; a concurrent one waits at the
 * conflict until the first has committed, and its snapshot is older than that, so what
 * the first made must be asked for in a statement of its own: idempotency_find(). A
 * change of one row needs no `once` when it is guarded by the row's version: the second
 * finds another version and returns no row; it stores the key FROM the changed row.
 *
 * Statements and table are taken by `-- with: idempotency` in queries.sql and the lines
 * `idempotency` and `idempotency_asked` in migrations/lib.list. Keys are kept for a week.
 */
#ifndef LIB_IDEMPOTENCY_H
#define LIB_IDEMPOTENCY_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "lib/sql.h"

struct task;

/* For sql_settings; ends with NULL. */
extern const struct sql_query *const idempotency_queries[];

/* The request's key; a fresh random one where the caller gave none. */
struct sql_param idempotency_key(struct task *);

/* The request's message as 16 bytes that another one does not have. */
struct sql_param idempotency_asked(struct task *, const ProtobufCMessage *);

/* Finds what the viewer's first request with this key made: column result_id. */
void idempotency_find(struct task *, struct sql_slot *, struct sql *, const ProtobufCMessage *);

/* The first request was found, and asked for the same. */
bool idempotency_matches(const struct sql_slot *, const char *method);

#endif
