/*
 * sql.h - PostgreSQL without waiting: libpq in pipeline mode on the event loop.
 *
 * Every statement of a service stands in its queries.sql, is named there, and is
 * prepared on each connection when it opens. A statement is one transaction (one
 * Sync), so a failure touches nobody else. Connections are few (a pool), each
 * with a bounded number of statements in flight; beyond it a statement fails at
 * once as overloaded. A lost connection fails what was in flight as SQL_UNKNOWN
 * (it may have committed: the idempotency key decides) and is opened again.
 *
 * queries.sql is compiled to queries.h / queries.c (services/lib/tools/compile_queries.py):
 *
 *     -- name: get_topic
 *     SELECT id, title, version FROM topics WHERE id = :topic_id::bigint
 *
 * becomes `extern const struct sql_query get_topic_sql` with the parameters'
 * names in order of first appearance; `:name` is a parameter, `::type` a cast. The array
 * <folder>_queries lists them all; `-- with: outbox, idempotency` adds statements of lib to it.
 *
 * Sessions run in UTC with statement_timeout 5 s and lock_timeout 2 s: what waits longer is
 * SQL_REFUSED with 57014 or 55P03. Parameters are never logged.
 */
#ifndef LIB_SQL_H
#define LIB_SQL_H

#include <libpq-fe.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct sql;
struct task;
struct arena;

struct sql_query {
	const char *name;
	const char *text;              /* with $1, $2 … */
	const char *const *parameters; /* names, without colon */
	size_t n_parameters;
	bool writes; /* begins as an INSERT, UPDATE, DELETE, or a WITH that contains one */
};

enum sql_state {
	SQL_PENDING,
	SQL_DONE,        /* committed; rows may be 0 */
	SQL_REFUSED,     /* the server said no: see sqlstate and constraint */
	SQL_UNAVAILABLE, /* not executed, or it only reads: no connection, too many statements
			    waiting */
	SQL_UNKNOWN,     /* the connection or the deadline ended before the answer */
};

struct sql_slot {
	enum sql_state state;
	PGresult *result;       /* while SQL_DONE; cleared with the task */
	int rows;               /* PQntuples */
	int affected;           /* PQcmdTuples */
	char sqlstate[6];       /* of a refusal: "23505" */
	const char *constraint; /* the constraint that was violated, or NULL; in the arena */
};

struct sql_settings {
	const char *url;      /* libpq URL or keyword string; several hosts allowed */
	const char *name;     /* for logs and application_name: "topics" */
	unsigned connections; /* of the pool; 0: 4 */
	unsigned in_flight;   /* statements waiting per connection; 0: 64 */
	/* Ends with NULL; prepared on every connection. One that stands there twice counts once. */
	const struct sql_query *const *queries;
};

/* Starts connecting; never blocks. The settings and what they point to must outlive it. */
struct sql *sql_new(struct event_base *, const struct sql_settings *);
void sql_free(struct sql *);

/* A connection is up and prepared. */
bool sql_ready(const struct sql *);

/* The statement is among the prepared ones. */
bool sql_knows(const struct sql *, const struct sql_query *);

/* Parameters by hand, in the order of the statement's names. */
struct sql_param {
	const char *text;  /* NULL is SQL NULL */
	const void *bytes; /* or binary (bytea) */
	size_t length;
	int64_t integer;
	enum { SQL_NULL_, SQL_TEXT_, SQL_INTEGER_, SQL_BYTES_, SQL_BOOL_, SQL_ARRAY_ } kind;
};

struct sql_param sql_text(const char *); /* NULL is SQL NULL */
struct sql_param sql_integer(int64_t);
struct sql_param sql_id(uint64_t); /* 0 is SQL NULL */
struct sql_param sql_flag(bool);
struct sql_param sql_bytes(const void *, size_t);                   /* bytea */
struct sql_param sql_ids(struct arena *, const uint64_t *, size_t); /* bigint[] */
struct sql_param sql_texts(struct arena *, char *const *, size_t);  /* text[]; NULLs are NULL */
struct sql_param sql_null(void);

/* One parameter of n rows, no arrays among them, for a statement that takes rows as arrays. */
struct sql_param sql_column(struct arena *, const struct sql_param *const *rows, size_t n,
			    size_t parameter);

/* Runs a statement as an operation of the task; the count must match the statement's. */
void sql_run(struct task *, struct sql_slot *, struct sql *, const struct sql_query *,
	     const struct sql_param *, size_t n_params);

#define SQL_RUN(task, slot, sql, query, ...)                                                       \
	sql_run((task), (slot), (sql), (query), (const struct sql_param[]){__VA_ARGS__},           \
		sizeof((const struct sql_param[]){__VA_ARGS__}) / sizeof(struct sql_param))

/*
 * Several statements in one transaction: all or nothing, in this order, each with a
 * snapshot younger than the one before it (a lock taken by the first is seen by the
 * second). When it fails every slot has the same state; the statement that failed has
 * its sqlstate, the others 25P02.
 */
struct sql_statement {
	const struct sql_query *query;
	const struct sql_param *params; /* as many as the query has */
	struct sql_slot *slot;
};
void sql_run_together(struct task *, struct sql *, const struct sql_statement *, size_t count);

struct sql_named {
	const char *name;
	struct sql_param value;
};

/*
 * Runs a statement whose parameters are found by name: first in extra, then three
 * names that stand for the request itself (:viewer_id, :idempotency_key and :trace; NULL when
 * absent), then the message's fields (id lists become bigint[], text lists text[],
 * 0 in a field called id or ending in _id becomes NULL, enums their name in lower
 * case without the type's prefix, NULL when unspecified). A name found nowhere is a bug; extra ones
 * that the statement does not use are left alone. The message may be NULL.
 */
void sql_run_message(struct task *, struct sql_slot *, struct sql *, const struct sql_query *,
		     const ProtobufCMessage *, const struct sql_named *extra, size_t n_extra);

/* Only that lookup: the parameters for sql_run() or sql_run_together(), in the task's arena. */
const struct sql_param *sql_bind(struct task *, const struct sql_query *, const ProtobufCMessage *,
				 const struct sql_named *extra, size_t n_extra);

/* SQL_NAMED(task, &slot, sql, &query_sql, &ask->base, {"state", sql_text("open")}, …) */
#define SQL_NAMED(task, slot, sql, query, message, ...)                                            \
	sql_run_message((task), (slot), (sql), (query), (message),                                 \
			(const struct sql_named[]){__VA_ARGS__},                                   \
			sizeof((const struct sql_named[]){__VA_ARGS__}) /                          \
				sizeof(struct sql_named))

/* For drivers: the slot has this result, which goes with the task; the state stays to be set. */
void sql_slot_take(struct task *, struct sql_slot *, PGresult *);

/* Reading a result: column by name; a missing column is a bug. */
bool sql_is_null(const struct sql_slot *, int row, const char *column);
const char *sql_get_text(const struct sql_slot *, int row, const char *column); /* NULL is "" */
/* NULL is 0; a boolean 0 or 1; a timestamptz or date microseconds since 1970 UTC. */
int64_t sql_get_integer(const struct sql_slot *, int row, const char *column);
bool sql_get_flag(const struct sql_slot *, int row, const char *column);
/* Of a bigint[] or int[] column; returns how many, 0 for NULL. */
size_t sql_get_integers(struct arena *, const struct sql_slot *, int row, const char *column,
			int64_t **values);

/*
 * Fills a message (already initialised) from a row: every column whose name is a
 * field of the message, converted to the field's type (timestamptz to
 * microseconds since 1970, bigint[] and text[] to repeated fields, enums from
 * their number or their name in lower case, with or without the type's prefix, bytes
 * from bytea); NULL and other columns leave the message as it is. Strings are copies in the arena.
 */
void sql_fill(struct arena *, ProtobufCMessage *, const struct sql_slot *, int row);

/* One message a row, for repeated fields: an array of n pointers in the arena (NULL for none). */
ProtobufCMessage **sql_fill_all(struct arena *, const ProtobufCMessageDescriptor *,
				const struct sql_slot *, size_t *n);

/*
 * Migrations: forward only, in the order of their names, under an advisory lock,
 * each in a transaction with its row in schema_migrations. Blocks; for the start
 * of a daemon only. Returns 0, -EAGAIN when the database is not to be reached (try
 * again), -EINVAL when a migration failed (logged).
 */
struct sql_migration {
	const char *name, *text;
};

int sql_migrate(const char *url, const struct sql_migration *, size_t count);

#endif
