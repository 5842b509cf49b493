/*
 * sql.c - a pool of PostgreSQL connections in pipeline mode, on the event loop.
 *
 *      WAITING --> LOOKING_UP --> CONNECTING --> PREPARING --> UP --schema changed--> RETIRING
 *         ^            |              |              |          |                        |
 *         +------------+--------------+--------------+----------+--- lost, too late -----+
 *
 * An operation is one or more statements and the Sync behind them, which makes them
 * one transaction. Answers come in the order of the operations. What an operation
 * did is told only when its Sync is answered: before, the commit may still fail. An
 * operation whose task's deadline passes is answered at once, and what comes for it
 * later is dropped.
 *
 * A server that answers nothing at all for longer than any statement may take is
 * given up, connection by connection. Reading goes on while writing waits, or both
 * sides could stand still with full buffers.
 */
#include "lib/sql.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/lookup.h"
#include "lib/metrics.h"
#include "lib/sql_url.h"
#include "lib/task.h"

#define CONNECTIONS 4
#define IN_FLIGHT   64

#define CONNECT_MS     3000 /* to one host, until prepared */
#define STALLED_MS     8000 /* statement_timeout and then some */
#define LOOK_MS        1000 /* while anything is in flight, for a server that stalls */
#define BACKOFF_MS     50
#define BACKOFF_MAX_MS 2000
#define STEADY_MS      2000 /* up for so long: the next outage begins with a short pause again */
#define GRACE_MS       20   /* the task's own deadline comes first */

/* jit compiles for longer than any of our statements runs. */
#define SESSION                                                                                    \
	"SELECT set_config('statement_timeout', '5s', false), "                                    \
	"set_config('lock_timeout', '2s', false), "                                                \
	"set_config('idle_in_transaction_session_timeout', '10s', false), "                        \
	"set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO, YMD', false), "       \
	"set_config('bytea_output', 'hex', false), set_config('jit', 'off', false)"

enum connection_state { WAITING, LOOKING_UP, CONNECTING, PREPARING, UP, RETIRING };

struct answer {
	struct sql_slot *slot;
	const struct sql_query *query;
	PGresult *result;
};

struct operation {
	struct operation *next;
	struct connection *connection;
	struct task *task; /* NULL: it was too late, nobody waits any longer */
	struct event deadline;
	int64_t started_ms;
	bool writes;
	PGresult *failure;  /* of the statement that failed */
	size_t failed;      /* which */
	size_t count, seen; /* statements, and how many of them were answered */
	struct answer answers[];
};

struct connection {
	struct sql *sql;
	enum connection_state state;
	PGconn *pg;
	struct lookup *lookup;
	struct event *readable, *writable, *timer;
	struct operation *first, *last; /* in flight, oldest first */
	unsigned in_flight;
	size_t prepared;  /* the session's settings are the first */
	unsigned attempt; /* rotates the hosts */
	int backoff_ms;
	int64_t since_ms;    /* entered its state */
	int64_t progress_ms; /* heard of the server */
};

struct sql {
	struct event_base *loop;
	const struct sql_settings *settings;
	const struct sql_query **queries;
	size_t n_queries;
	unsigned in_flight;
	bool down; /* has been said */
	int64_t down_since_ms;
	unsigned n_connections, n_up;
	struct connection connections[];
};

static struct metric statement_ms =
	METRIC_HISTOGRAM("causerie_sql_ms", "", "Statements, until committed");
static struct metric in_flight =
	METRIC_GAUGE("causerie_sql_in_flight", "", "Transactions sent and not answered");
static struct metric connections_up =
	METRIC_GAUGE("causerie_sql_connections", "", "Connections open and prepared");
static struct metric refused_down =
	METRIC_COUNTER("causerie_sql_refused_total", "reason=\"down\"", "Statements not executed");
static struct metric refused_full =
	METRIC_COUNTER("causerie_sql_refused_total", "reason=\"full\"", "Statements not executed");
static struct metric failed = METRIC_COUNTER("causerie_sql_failed_total", "reason=\"server\"",
					     "Statements that ended without effect or unknown");
static struct metric lost = METRIC_COUNTER("causerie_sql_failed_total", "reason=\"lost\"",
					   "Statements that ended without effect or unknown");
static struct metric late = METRIC_COUNTER("causerie_sql_failed_total", "reason=\"late\"",
					   "Statements that ended without effect or unknown");

static void drop(struct connection *, const char *reason);
static void flush(struct connection *);
static void on_ready(evutil_socket_t socket, short events, void *connection);

/* --- operations --- */

static void clear_result(void *result)
{
	PQclear(result);
}

void sql_slot_take(struct task *task, struct sql_slot *slot, PGresult *result)
{
	arena_defer(&task->arena, clear_result, result);
	slot->result = result;
	slot->rows = PQntuples(result);
	slot->affected = atoi(PQcmdTuples(result));
}

static void answer_all(struct operation *operation, enum sql_state state)
{
	struct task *task = operation->task;

	for (size_t i = 0; i < operation->count; i++)
		operation->answers[i].slot->state = state;
	operation->task = NULL;
	event_del(&operation->deadline);
	task_answered(task);
}

static void free_operation(struct operation *operation)
{
	for (size_t i = 0; i < operation->count; i++)
		PQclear(operation->answers[i].result);
	PQclear(operation->failure);
	free(operation);
	metric_add(&in_flight, -1);
}

/* The slots and their results pass to the task. */
static void answer_done(struct operation *operation)
{
	for (size_t i = 0; i < operation->count; i++) {
		struct answer *answer = &operation->answers[i];

		sql_slot_take(operation->task, answer->slot, answer->result);
		answer->result = NULL;
	}
	answer_all(operation, SQL_DONE);
}

static const char *field_of(const PGresult *result, int field)
{
	const char *text = PQresultErrorField(result, field);

	return text ? text : "";
}

static void answer_refused(struct operation *operation)
{
	const char *constraint = PQresultErrorField(operation->failure, PG_DIAG_CONSTRAINT_NAME);

	for (size_t i = 0; i < operation->count; i++) {
		struct sql_slot *slot = operation->answers[i].slot;
		const char *sqlstate = i == operation->failed
					       ? field_of(operation->failure, PG_DIAG_SQLSTATE)
					       : "25P02";

		memcpy(slot->sqlstate, sqlstate, strnlen(sqlstate, sizeof slot->sqlstate - 1));
		if (i == operation->failed && constraint != NULL)
			slot->constraint = arena_strdup(&operation->task->arena, constraint);
	}
	answer_all(operation, SQL_REFUSED);
}

/* What may have been executed is unknown, unless it only read. */
static void answer_lost(struct operation *operation)
{
	metric_add(&lost, 1);
	if (operation->task != NULL)
		answer_all(operation, operation->writes ? SQL_UNKNOWN : SQL_UNAVAILABLE);
}

static void on_deadline(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	metric_add(&late, 1);
	answer_all(argument, SQL_UNKNOWN);
}

static void enqueue(struct connection *connection, struct operation *operation)
{
	if (connection->first == NULL) {
		connection->first = operation;
		connection->progress_ms = clock_ms();
	} else {
		connection->last->next = operation;
	}
	connection->last = operation;
	connection->in_flight++;
}

static struct operation *dequeue(struct connection *connection)
{
	struct operation *operation = connection->first;

	connection->first = operation->next;
	connection->in_flight--;
	return operation;
}

/* --- what came back --- */

/*
 * After these a connection is of no use: the server is going (57P01-57P03), is a
 * replica since a failover (25006), has forgotten our statements (26000), or their
 * result types changed under them (0A000, a migration). All but the first class
 * mean that nothing was executed.
 */
static bool ends_connection(const char *sqlstate)
{
	return strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "57P0", 4) == 0;
}

static bool retires_connection(const char *sqlstate)
{
	return strcmp(sqlstate, "25006") == 0 || strcmp(sqlstate, "26000") == 0 ||
	       strcmp(sqlstate, "0A000") == 0;
}

static void change_state(struct connection *connection, enum connection_state state)
{
	const int up = (state == UP) - (connection->state == UP);

	connection->state = state;
	connection->since_ms = clock_ms();
	connection->sql->n_up += (unsigned)up;
	metric_add(&connections_up, up);
}

/*
 * The message may quote a value, so only that of a class that names nothing but our
 * own tables and columns is written.
 */
static void log_failure(const struct operation *operation)
{
	const char *sqlstate = field_of(operation->failure, PG_DIAG_SQLSTATE);
	const bool ours = strncmp(sqlstate, "42", 2) == 0;

	log_debug(operation->task ? operation->task->context.trace : NULL, "sql.refused",
		  "statement=%s sqlstate=%s constraint=%s message=%s",
		  operation->answers[operation->failed].query->name, sqlstate,
		  PQresultErrorField(operation->failure, PG_DIAG_CONSTRAINT_NAME),
		  ours ? field_of(operation->failure, PG_DIAG_MESSAGE_PRIMARY) : NULL);
}

/* Its transaction has ended without effect. */
static void finish_failed(struct connection *connection, struct operation *operation)
{
	const char *sqlstate = field_of(operation->failure, PG_DIAG_SQLSTATE);

	metric_add(&failed, 1);
	log_failure(operation);
	if (retires_connection(sqlstate)) {
		if (connection->state == UP)
			change_state(connection, RETIRING);
		if (operation->task != NULL)
			answer_all(operation, SQL_UNAVAILABLE);
	} else if (operation->task != NULL) {
		answer_refused(operation);
	}
}

/* Its Sync was answered: the transaction has ended. */
static void finish(struct connection *connection)
{
	struct operation *operation = dequeue(connection);

	metric_observe_ms(&statement_ms, (double)(clock_ms() - operation->started_ms));
	if (operation->failure != NULL)
		finish_failed(connection, operation);
	else if (operation->task != NULL)
		answer_done(operation);
	free_operation(operation);
}

/* An error behind the last statement's result is that of its commit. */
static void take_failure(struct operation *operation, PGresult *result)
{
	if (operation->failure != NULL) {
		PQclear(result);
		return;
	}
	operation->failure = result;
	operation->failed =
		operation->seen < operation->count ? operation->seen : operation->count - 1;
}

static void take_answer(struct connection *connection, PGresult *result)
{
	struct operation *operation = connection->first;

	switch (PQresultStatus(result)) {
	case PGRES_PIPELINE_SYNC:
		PQclear(result);
		finish(connection);
		return;
	case PGRES_PIPELINE_ABORTED:
		PQclear(result);
		break;
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		assert(operation->seen < operation->count);
		operation->answers[operation->seen].result = result;
		break;
	default:
		take_failure(operation, result);
		break;
	}
	operation->seen++;
}

static void note_down(struct sql *sql)
{
	sql->down = true;
	sql->down_since_ms = clock_ms();
}

static void note_up(struct sql *sql)
{
	if (sql->down)
		log_info(NULL, "sql.up", "database=%s down_ms=%" PRId64, sql->settings->name,
			 clock_ms() - sql->down_since_ms);
	sql->down = false;
}

/* A statement and the schema do not fit: the next try may find them mended. */
static void give_up_preparing(struct connection *connection, const PGresult *result)
{
	struct sql *sql = connection->sql;
	const size_t at = connection->prepared;

	if (!sql->down) {
		note_down(sql);
		log_error(NULL, "sql.not_prepared",
			  "database=%s statement=%s sqlstate=%s message=%s", sql->settings->name,
			  at > 0 ? sql->queries[at - 1]->name : "session",
			  field_of(result, PG_DIAG_SQLSTATE),
			  field_of(result, PG_DIAG_MESSAGE_PRIMARY));
	}
	drop(connection, "a statement could not be prepared");
}

/* The session's settings, one answer a statement, and the Sync. */
static void take_prepared(struct connection *connection, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_PIPELINE_SYNC:
		change_state(connection, UP);
		event_del(connection->timer);
		note_up(connection->sql);
		break;
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		connection->prepared++;
		break;
	default:
		give_up_preparing(connection, result);
	}
	PQclear(result);
}

static bool expects_answer(const struct connection *connection)
{
	return connection->state == PREPARING || connection->first != NULL;
}

static void take_result(struct connection *connection, PGresult *result)
{
	connection->progress_ms = clock_ms();
	if (PQstatus(connection->pg) == CONNECTION_BAD ||
	    ends_connection(field_of(result, PG_DIAG_SQLSTATE))) {
		PQclear(result);
		drop(connection, PQerrorMessage(connection->pg));
	} else if (connection->state == PREPARING) {
		take_prepared(connection, result);
	} else {
		take_answer(connection, result);
	}
}

/*
 * Everything that has arrived; drop() ends it by leaving nothing to expect. One NULL
 * stands between a statement's answer and the next one's, two mean that there is no more.
 */
static void take_answers(struct connection *connection)
{
	unsigned nulls = 0;

	while (nulls < 2 && expects_answer(connection) && !PQisBusy(connection->pg)) {
		PGresult *result = PQgetResult(connection->pg);

		nulls = result ? 0 : nulls + 1;
		if (result != NULL)
			take_result(connection, result);
	}
	if (connection->state == RETIRING && connection->first == NULL)
		drop(connection, "statements must be prepared anew");
}

/* --- the connection --- */

static void arm(struct connection *connection, int ms)
{
	const struct timeval in = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(connection->timer, &in);
}

/* A tenth more or less, so that pools do not return all at once. */
static int with_jitter(int ms)
{
	return ms - ms / 10 + (int)(random() % (ms / 5 + 1));
}

static void forget_socket(struct connection *connection)
{
	if (connection->readable != NULL)
		event_free(connection->readable);
	if (connection->writable != NULL)
		event_free(connection->writable);
	connection->readable = connection->writable = NULL;
}

/* The first line of libpq's message; said once an outage. */
static void complain(struct sql *sql, const char *reason)
{
	char line[256];

	if (sql->n_up > 0 || sql->down)
		return;
	note_down(sql);
	snprintf(line, sizeof line, "%.*s", (int)strcspn(reason, "\n"), reason);
	log_warn(NULL, "sql.down", "database=%s reason=%s", sql->settings->name, line);
}

/* Closes it, answers what was in flight, and tries again after a pause. */
static void drop(struct connection *connection, const char *reason)
{
	const bool was_steady = connection->state == UP || connection->state == RETIRING;
	const int64_t age = clock_ms() - connection->since_ms;

	if (was_steady && age >= STEADY_MS)
		connection->backoff_ms = BACKOFF_MS;
	change_state(connection, WAITING);
	complain(connection->sql, reason);
	lookup_cancel(connection->lookup);
	connection->lookup = NULL;
	forget_socket(connection);
	PQfinish(connection->pg);
	connection->pg = NULL;

	while (connection->first != NULL) {
		struct operation *operation = dequeue(connection);

		answer_lost(operation);
		free_operation(operation);
	}
	connection->attempt++;
	arm(connection, with_jitter(connection->backoff_ms));
	connection->backoff_ms *= 2;
	if (connection->backoff_ms > BACKOFF_MAX_MS)
		connection->backoff_ms = BACKOFF_MAX_MS;
}

static struct event *watch(struct connection *connection, short what)
{
	struct event *event = event_new(connection->sql->loop, PQsocket(connection->pg), what,
					on_ready, connection);

	if (event == NULL)
		abort();
	return event;
}

/* Writes what libpq holds back; the rest when the socket takes it. */
static void flush(struct connection *connection)
{
	switch (PQflush(connection->pg)) {
	case 0:
		event_del(connection->writable);
		return;
	case 1:
		event_add(connection->writable, NULL);
		return;
	default:
		drop(connection, PQerrorMessage(connection->pg));
	}
}

static void ignore_notice(void *nothing, const char *message)
{
	(void)nothing;
	(void)message;
}

static bool send_preparations(struct connection *connection)
{
	const struct sql *sql = connection->sql;
	PGconn *pg = connection->pg;

	if (PQsetnonblocking(pg, 1) != 0 || PQenterPipelineMode(pg) != 1 ||
	    PQsendQueryParams(pg, SESSION, 0, NULL, NULL, NULL, NULL, 0) != 1)
		return false;
	for (size_t i = 0; i < sql->n_queries; i++)
		if (PQsendPrepare(pg, sql->queries[i]->name, sql->queries[i]->text, 0, NULL) != 1)
			return false;
	return PQpipelineSync(pg) == 1;
}

static void prepare(struct connection *connection)
{
	change_state(connection, PREPARING);
	connection->prepared = 0;
	connection->readable = watch(connection, EV_READ | EV_PERSIST);
	connection->writable = watch(connection, EV_WRITE | EV_PERSIST);
	event_add(connection->readable, NULL);
	if (!send_preparations(connection))
		drop(connection, PQerrorMessage(connection->pg));
	else
		flush(connection);
}

/* libpq changes sockets between hosts, so none is watched while it works. */
static void go_on_connecting(struct connection *connection)
{
	forget_socket(connection);
	switch (PQconnectPoll(connection->pg)) {
	case PGRES_POLLING_READING:
		connection->readable = watch(connection, EV_READ);
		event_add(connection->readable, NULL);
		return;
	case PGRES_POLLING_WRITING:
		connection->readable = watch(connection, EV_WRITE);
		event_add(connection->readable, NULL);
		return;
	case PGRES_POLLING_OK:
		prepare(connection);
		return;
	default:
		drop(connection, PQerrorMessage(connection->pg));
	}
}

static void start_connecting(struct connection *connection, const char *address)
{
	const struct sql_settings *settings = connection->sql->settings;

	change_state(connection, CONNECTING);
	connection->pg =
		sql_url_connect(settings->url, settings->name, connection->attempt, address);
	if (connection->pg == NULL)
		abort();
	PQsetNoticeProcessor(connection->pg, ignore_notice, NULL);
	if (PQstatus(connection->pg) == CONNECTION_BAD) {
		drop(connection, PQerrorMessage(connection->pg));
		return;
	}
	connection->readable = watch(connection, EV_WRITE);
	event_add(connection->readable, NULL);
}

static void on_looked_up(void *argument, const char *address)
{
	struct connection *connection = argument;

	connection->lookup = NULL;
	if (address == NULL)
		drop(connection, "its host has no address");
	else
		start_connecting(connection, address);
}

/* A name is looked up beside the loop; libpq would wait for it. */
static void open_connection(struct connection *connection)
{
	struct arena arena = {0};
	const char *host =
		sql_url_host(&arena, connection->sql->settings->url, connection->attempt);

	arm(connection, CONNECT_MS);
	if (host == NULL) {
		start_connecting(connection, NULL);
	} else {
		change_state(connection, LOOKING_UP);
		connection->lookup =
			lookup_start(connection->sql->loop, host, on_looked_up, connection);
		if (connection->lookup == NULL)
			drop(connection, "no descriptor left to look its host up");
	}
	arena_free(&arena);
}

static void on_ready(evutil_socket_t socket, short events, void *argument)
{
	struct connection *connection = argument;

	(void)socket;
	if (connection->state == CONNECTING) {
		go_on_connecting(connection);
		return;
	}
	if (events & EV_READ && PQconsumeInput(connection->pg) != 1) {
		drop(connection, PQerrorMessage(connection->pg));
		return;
	}
	take_answers(connection);
	if (connection->pg != NULL)
		flush(connection);
}

/* Nothing at all was heard since the oldest operation in flight, or it was not asked. */
static void check_stalled(struct connection *connection)
{
	const int64_t silent_ms = clock_ms() - connection->progress_ms;

	if (connection->first == NULL)
		return;
	if (silent_ms >= STALLED_MS)
		drop(connection, "the server stopped answering");
	else
		arm(connection, LOOK_MS);
}

static void on_timer(evutil_socket_t nothing, short events, void *argument)
{
	struct connection *connection = argument;

	(void)nothing;
	(void)events;
	switch (connection->state) {
	case WAITING:
		open_connection(connection);
		return;
	case LOOKING_UP:
	case CONNECTING:
	case PREPARING:
		drop(connection, "connecting took too long");
		return;
	case UP:
	case RETIRING:
		check_stalled(connection);
		return;
	}
}

/* --- sending --- */

/* The least loaded connection that may take one more, or NULL. */
static struct connection *pick(struct sql *sql)
{
	struct connection *best = NULL;

	for (unsigned i = 0; i < sql->n_connections; i++) {
		struct connection *connection = &sql->connections[i];

		if (connection->state == UP && connection->in_flight < sql->in_flight &&
		    PQstatus(connection->pg) == CONNECTION_OK &&
		    (best == NULL || connection->in_flight < best->in_flight))
			best = connection;
	}
	return best;
}

/* As libpq takes them; numbers become text in the arena. */
struct values {
	const char **text;
	int *lengths, *formats;
};

static struct values encode(struct arena *arena, const struct sql_param *params, size_t n)
{
	struct values values = {ARENA_ARRAY(arena, const char *, n), ARENA_ARRAY(arena, int, n),
				ARENA_ARRAY(arena, int, n)};

	for (size_t i = 0; i < n; i++) {
		switch (params[i].kind) {
		case SQL_NULL_:
			break;
		case SQL_TEXT_:
		case SQL_ARRAY_:
			values.text[i] = params[i].text;
			break;
		case SQL_INTEGER_:
			values.text[i] = arena_printf(arena, "%" PRId64, params[i].integer);
			break;
		case SQL_BOOL_:
			values.text[i] = params[i].integer ? "t" : "f";
			break;
		case SQL_BYTES_:
			assert(params[i].length <= INT32_MAX);
			values.text[i] = params[i].bytes;
			values.lengths[i] = (int)params[i].length;
			values.formats[i] = 1;
			break;
		}
	}
	return values;
}

static bool send_statement(PGconn *pg, struct arena *arena, const struct sql_statement *statement)
{
	const size_t n = statement->query->n_parameters;
	const struct values values = encode(arena, statement->params, n);

	return PQsendQueryPrepared(pg, statement->query->name, (int)n, values.text, values.lengths,
				   values.formats, 0) == 1;
}

static struct operation *new_operation(struct task *task, const struct sql_statement *statements,
				       size_t count)
{
	struct operation *operation =
		calloc(1, sizeof *operation + count * sizeof operation->answers[0]);

	if (operation == NULL)
		abort();
	operation->task = task;
	operation->started_ms = clock_ms();
	operation->count = count;
	for (size_t i = 0; i < count; i++) {
		operation->answers[i].slot = statements[i].slot;
		operation->answers[i].query = statements[i].query;
		operation->writes |= statements[i].query->writes;
	}
	metric_add(&in_flight, 1);
	return operation;
}

static void start_deadline(struct sql *sql, struct operation *operation)
{
	const int left_ms = task_remaining(operation->task) + GRACE_MS;
	const struct timeval left = {left_ms / 1000, left_ms % 1000 * 1000};

	if (event_assign(&operation->deadline, sql->loop, -1, 0, on_deadline, operation) < 0)
		abort();
	evtimer_add(&operation->deadline, &left);
}

/* Sent whole or, when the connection turns out to be lost, answered so by drop(). */
static void send_operation(struct connection *connection, struct operation *operation,
			   const struct sql_statement *statements, size_t count)
{
	struct arena *arena = &operation->task->arena;
	bool sent = true;

	enqueue(connection, operation);
	if (!evtimer_pending(connection->timer, NULL))
		arm(connection, LOOK_MS);
	for (size_t i = 0; sent && i < count; i++)
		sent = send_statement(connection->pg, arena, &statements[i]);
	if (sent && PQpipelineSync(connection->pg) == 1)
		flush(connection);
	else
		drop(connection, PQerrorMessage(connection->pg));
}

static void refuse(struct task *task, struct sql *sql, const struct sql_statement *statements,
		   size_t count)
{
	metric_add(sql->n_up > 0 ? &refused_full : &refused_down, 1);
	for (size_t i = 0; i < count; i++)
		statements[i].slot->state = SQL_UNAVAILABLE;
	task_answered(task);
}

void sql_run_together(struct task *task, struct sql *sql, const struct sql_statement *statements,
		      size_t count)
{
	struct connection *connection = pick(sql);
	struct operation *operation;

	assert(count > 0);
	for (size_t i = 0; i < count; i++) {
		assert(sql_knows(sql, statements[i].query));
		*statements[i].slot = (struct sql_slot){.state = SQL_PENDING};
	}
	task_wait(task);
	if (connection == NULL) {
		refuse(task, sql, statements, count);
		return;
	}
	operation = new_operation(task, statements, count);
	start_deadline(sql, operation);
	send_operation(connection, operation, statements, count);
}

void sql_run(struct task *task, struct sql_slot *slot, struct sql *sql,
	     const struct sql_query *query, const struct sql_param *params, size_t n_params)
{
	const struct sql_statement statement = {query, params, slot};

	assert(n_params == query->n_parameters);
	sql_run_together(task, sql, &statement, 1);
}

/* --- the pool --- */

bool sql_ready(const struct sql *sql)
{
	return sql->n_up > 0;
}

bool sql_knows(const struct sql *sql, const struct sql_query *query)
{
	for (size_t i = 0; i < sql->n_queries; i++)
		if (sql->queries[i] == query)
			return true;
	return false;
}

static void collect_queries(struct sql *sql, const struct sql_query *const *queries)
{
	size_t n = 0;

	while (queries[n] != NULL)
		n++;
	sql->queries = calloc(n + 1, sizeof(struct sql_query *));
	if (sql->queries == NULL)
		abort();
	for (; *queries != NULL; queries++)
		if (!sql_knows(sql, *queries))
			sql->queries[sql->n_queries++] = *queries;
}

static void start_connection(struct sql *sql, struct connection *connection)
{
	connection->sql = sql;
	connection->backoff_ms = BACKOFF_MS;
	connection->timer = evtimer_new(sql->loop, on_timer, connection);
	if (connection->timer == NULL)
		abort();
	arm(connection, 0);
}

struct sql *sql_new(struct event_base *loop, const struct sql_settings *settings)
{
	const unsigned n = settings->connections ? settings->connections : CONNECTIONS;
	struct sql *sql = calloc(1, sizeof *sql + n * sizeof sql->connections[0]);

	if (sql == NULL)
		abort();
	sql->loop = loop;
	sql->settings = settings;
	sql->in_flight = settings->in_flight ? settings->in_flight : IN_FLIGHT;
	sql->n_connections = n;
	collect_queries(sql, settings->queries);
	for (unsigned i = 0; i < n; i++)
		start_connection(sql, &sql->connections[i]);
	metric_register(&connections_up);
	metric_register(&refused_down);
	metric_register(&refused_full);
	return sql;
}

void sql_free(struct sql *sql)
{
	if (sql == NULL)
		return;
	sql->down = true; /* leaving is nothing to complain about */
	for (unsigned i = 0; i < sql->n_connections; i++) {
		drop(&sql->connections[i], "closing");
		event_free(sql->connections[i].timer);
	}
	free(sql->queries);
	free(sql);
}
