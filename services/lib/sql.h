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
 * names in order of first appearance; `:name` is a parameter, `::type` a cast.
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
	const char *text; /* with $1, $2 … */
	const char *const *parameters; /* names, without colon */
	size_t n_parameters;
	bool writes; /* begins as an INSERT, UPDATE, DELETE, or a WITH that contains one */
};

enum sql_state {
	SQL_PENDING,
	SQL_DONE,        /* committed; rows may be 0 */
	SQL_REFUSED,     /* the server said no: see sqlstate and constraint */
	SQL_UNAVAILABLE, /* not executed: no connection, or too many statements waiting */
	SQL_UNKNOWN,     /* the connection or the deadline ended before the answer */
};

struct sql_slot {
	enum sql_state state;
	PGresult *result;   /* while SQL_DONE; cleared with the task */
	int rows;           /* PQntuples */
	int affected;       /* PQcmdTuples */
	char sqlstate[6];   /* of a refusal: "23505" */
	const char *constraint; /* the constraint that was violated, or NULL; in the arena */
};

struct sql_settings {
	const char *url; /* libpq URL or keyword string; several hosts allowed */
	const char *name; /* for logs and application_name: "topics" */
	unsigned connections, in_flight; /* per pool; statements waiting per connection */
	const struct sql_query *const *queries; /* ends with NULL; prepared on every connection */
};

/* Starts connecting; never blocks. The settings and what they point to must outlive it. */
struct sql *sql_new(struct event_base *, const struct sql_settings *);
void sql_free(struct sql *);

/* A connection is up and prepared. */
bool sql_ready(const struct sql *);

/* Parameters by hand, in the order of the statement's names. */
struct sql_param {
	const char *text; /* NULL is SQL NULL */
	const void *bytes; /* or binary (bytea) */
	size_t length;
	int64_t integer;
	enum { SQL_NULL_, SQL_TEXT_, SQL_INTEGER_, SQL_BYTES_, SQL_BOOL_, SQL_ARRAY_ } kind;
};

struct sql_param sql_text(const char *);           /* NULL is SQL NULL */
struct sql_param sql_integer(int64_t);
struct sql_param sql_id(uint64_t);                 /* 0 is SQL NULL */
struct sql_param sql_flag(bool);
struct sql_param sql_bytes(const void *, size_t);  /* bytea */
struct sql_param sql_ids(struct arena *, const uint64_t *, size_t);       /* bigint[] */
struct sql_param sql_texts(struct arena *, char *const *, size_t);        /* text[] */
struct sql_param sql_null(void);

/* Runs a statement as an operation of the task; the count must match the statement's. */
void sql_run(struct task *, struct sql_slot *, struct sql *, const struct sql_query *,
	     const struct sql_param *, size_t n_params);

#define SQL_RUN(task, slot, sql, query, ...)                                                       \
	sql_run((task), (slot), (sql), (query), (const struct sql_param[]){__VA_ARGS__},           \
		sizeof((const struct sql_param[]){__VA_ARGS__}) / sizeof(struct sql_param))

/*
 * Runs a statement whose parameters are the message's fields of the same names
 * (id lists become bigint[], text lists text[], 0 in a field ending in _id and an
 * empty string in one marked optional become NULL). Three names stand for the
 * request itself: :viewer_id, :idempotency_key (NULL when absent), :trace. Names
 * that are not fields are taken from extra, in the order the statement names
 * them; a name found nowhere is a bug.
 */
void sql_run_message(struct task *, struct sql_slot *, struct sql *, const struct sql_query *,
		     const ProtobufCMessage *, const struct sql_param *extra, size_t n_extra);

/* Reading a result: column by name; a missing column is a bug. */
bool sql_is_null(const struct sql_slot *, int row, const char *column);
const char *sql_get_text(const struct sql_slot *, int row, const char *column); /* NULL is "" */
int64_t sql_get_integer(const struct sql_slot *, int row, const char *column);  /* NULL is 0 */
bool sql_get_flag(const struct sql_slot *, int row, const char *column);

/*
 * Fills a message (already initialised) from a row: every column whose name is a
 * field of the message, converted to the field's type (timestamptz to
 * microseconds since 1970, bigint[] and text[] to repeated fields, enums from
 * their number or their name without prefix in lower case); other columns are left alone.
 * Strings point into the arena.
 */
void sql_fill(struct arena *, ProtobufCMessage *, const struct sql_slot *, int row);

/* One message a row, for repeated fields: an array of n pointers in the arena. */
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
