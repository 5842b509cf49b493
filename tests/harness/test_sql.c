/*
 * test_sql.c - the pool against a real PostgreSQL, whose URL is in CAUSERIE_TEST_DATABASE_URL.
 *
 * Run by tests/integration/test_sql.py. Every test is a task whose steps start statements and
 * look at the slots.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "comments.pb-c.h"
#include "events.pb-c.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sql.h"
#include "lib/sql_group.h"
#include "lib/task.h"

#define SLOTS 40

#define QUERY(name_, writes_, text_, ...)                                                          \
	static const char *const name_##_parameters[] = {__VA_ARGS__};                             \
	static const struct sql_query name_ = {                                                    \
		.name = #name_,                                                                    \
		.text = (text_),                                                                   \
		.parameters = name_##_parameters,                                                  \
		.n_parameters = sizeof name_##_parameters / sizeof name_##_parameters[0],          \
		.writes = (writes_),                                                               \
	}

QUERY(echo, false,
      "SELECT $1::text AS t, $2::bigint AS i, $3::bool AS b, $4::bytea AS y, $5::bigint[] AS ids, "
      "$6::text[] AS texts, $7::text AS nothing",
      "t", "i", "b", "y", "ids", "texts", "nothing");
QUERY(divide, true, "UPDATE tried SET n = 1 / $1::bigint", "by");
QUERY(insert, true, "INSERT INTO tried (n) VALUES ($1::bigint) RETURNING n", "n");
QUERY(count_rows, false, "SELECT count(*) AS n FROM tried WHERE n = $1::bigint", "n");
QUERY(insert_deferred, true, "INSERT INTO deferred (n) VALUES ($1::bigint) RETURNING n", "n");
QUERY(rest, false, "SELECT pg_sleep($1::double precision)", "s");
QUERY(rest_writing, true, "SELECT pg_sleep($1::double precision)", "s");
QUERY(end_reading, false, "SELECT pg_terminate_backend(pg_backend_pid()), $1::bigint", "n");
QUERY(end_writing, true, "SELECT pg_terminate_backend(pg_backend_pid()), $1::bigint", "n");
QUERY(whole_row, false, "SELECT * FROM shape WHERE $1::bigint = 1", "n");
QUERY(lock_head, true, "SELECT n FROM head WHERE $1::bigint = 1 FOR UPDATE", "n");
QUERY(read_other, false, "SELECT n FROM other WHERE $1::bigint = 1", "n");
QUERY(backend, false, "SELECT pg_backend_pid() AS pid, $1::bigint AS n", "n");
QUERY(times, false,
      "SELECT '2026-11-23 01:28:09.123456+00'::timestamptz AS created_at, "
      "'1969-12-31 23:59:59.5+00'::timestamptz AS edited_at, '2000-02-29'::date AS day, "
      "'2026-11-23 03:28:09+02'::timestamptz AS moved, $1::bigint AS n",
      "n");
QUERY(comment, false,
      "SELECT 7 AS id, $1::bigint AS topic_id, NULL::bigint AS parent_id, 'Salut à tous' AS body, "
      "'hidden' AS state, true AS may_edit, 3 AS replies, 'x' AS unknown_column, $2::text AS "
      "given_state",
      "topic_id", "state");
QUERY(event_lists, false,
      "SELECT $1::bigint[] AS mentioned_ids, $2::bigint AS topic_id, $3::bigint AS viewer, "
      "$4::text AS key",
      "mentioned_ids", "topic_id", "viewer_id", "idempotency_key");
/* One row back for each in their order; a number that ends in 9 takes t seconds. */
QUERY(insert_all, true,
      "WITH w AS (SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[]) WITH ORDINALITY AS w "
      "(n, t, y, "
      "place)), made AS (INSERT INTO tried (n) SELECT n FROM w ORDER BY place RETURNING n), "
      "rests AS MATERIALIZED (SELECT pg_sleep(t::double precision) FROM w WHERE n % 10 = 9) "
      "SELECT n, t, y, pg_current_xact_id()::text AS xact, (SELECT count(*) FROM rests) AS rests "
      "FROM w JOIN made USING (n) ORDER BY place",
      "n", "t", "y");

static const struct sql_query *const queries[] = {
	&echo,        &divide,       &insert,      &count_rows,  &insert_deferred,
	&rest,        &rest_writing, &end_reading, &end_writing, &whole_row,
	&lock_head,   &read_other,   &backend,     &times,       &comment,
	&event_lists, &insert_all,   &echo, /* twice on purpose */
	NULL};

static struct event_base *loop;
static struct sql *sql;
static struct sql_settings settings = {
	.name = "test", .connections = 2, .in_flight = 8, .queries = queries};

struct probe {
	struct task task;
	struct sql_slot slots[SLOTS];
	int64_t began_ms;
};

/* What a test's task did, for after it is gone. */
static bool checked, came_late;

static struct step too_late(struct task *task)
{
	(void)task;
	came_late = true;
	return task_done();
}

static struct probe *probe(struct step first, int deadline_ms)
{
	static const struct request_context context = {
		.trace = "t", .viewer = {.account_id = 5}, .idempotency_key = "k"};
	struct arena arena = {0};
	struct probe *p = task_new(loop, &arena, sizeof *p, first, task_then(too_late), deadline_ms,
				   &context);

	p->began_ms = clock_ms();
	checked = came_late = false;
	return p;
}

static void run_until_idle(void)
{
	while (tasks_alive() > 0)
		event_base_loop(loop, EVLOOP_ONCE);
}

static void wait_until_ready(void)
{
	const int64_t end = clock_ms() + 10000;

	while (!sql_ready(sql) && clock_ms() < end)
		event_base_loop(loop, EVLOOP_ONCE);
	assert_true(sql_ready(sql));
}

static void run(struct step first)
{
	wait_until_ready();
	probe(first, 5000);
	run_until_idle();
	assert_true(checked);
	assert_false(came_late);
}

/* Blocking, on a connection of its own: what others do meanwhile. */
static PGconn *other(void)
{
	PGconn *pg = PQconnectdb(settings.url);

	assert_int_equal(PQstatus(pg), CONNECTION_OK);
	return pg;
}

static void execute(PGconn *pg, const char *text)
{
	PGresult *result = PQexec(pg, text);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", text, PQerrorMessage(pg));
	PQclear(result);
}

static void make_tables(void)
{
	PGconn *pg = other();

	execute(pg, "CREATE TABLE tried (n bigint UNIQUE);"
		    "CREATE TABLE deferred (n bigint, UNIQUE (n) DEFERRABLE INITIALLY DEFERRED);"
		    "INSERT INTO deferred VALUES (1); INSERT INTO tried VALUES (1000);"
		    "CREATE TABLE shape (a int); INSERT INTO shape VALUES (1);"
		    "CREATE TABLE head (n int); INSERT INTO head VALUES (1);"
		    "CREATE TABLE other (n int); INSERT INTO other VALUES (1);");
	PQfinish(pg);
}

/* --- --- */

#define ODD "quote ' \" backslash \\ comma , brace } é \n end"

static struct step check_echo(struct task *task)
{
	struct probe *p = (struct probe *)task;
	const struct sql_slot *slot = &p->slots[0];

	assert_int_equal(slot->state, SQL_DONE);
	assert_int_equal(slot->rows, 1);
	assert_string_equal(sql_get_text(slot, 0, "t"), ODD);
	assert_true(sql_get_integer(slot, 0, "i") == INT64_MIN);
	assert_true(sql_get_flag(slot, 0, "b"));
	assert_string_equal(sql_get_text(slot, 0, "y"), "\\x00ff27");
	assert_string_equal(sql_get_text(slot, 0, "ids"), "{1,9223372036854775807}");
	assert_string_equal(
		sql_get_text(slot, 0, "texts"),
		"{\"quote ' \\\" backslash \\\\ comma , brace } é \n end\",\"\",\"NULL\",plain}");
	assert_true(sql_is_null(slot, 0, "nothing"));
	assert_string_equal(sql_get_text(slot, 0, "nothing"), "");
	assert_int_equal(sql_get_integer(slot, 0, "nothing"), 0);
	checked = true;
	return task_done();
}

static struct step start_echo(struct task *task)
{
	struct probe *p = (struct probe *)task;
	char odd[] = ODD, empty[] = "", null[] = "NULL", plain[] = "plain";
	char *texts[] = {odd, empty, null, plain};
	const uint64_t ids[] = {1, INT64_MAX};

	SQL_RUN(task, &p->slots[0], sql, &echo, sql_text(ODD), sql_integer(INT64_MIN),
		sql_flag(true), sql_bytes("\0\xff'", 3), sql_ids(&task->arena, ids, 2),
		sql_texts(&task->arena, texts, 4), sql_id(0));
	return task_then(check_echo);
}

static void parameters_arrive_as_they_were_given(void **state)
{
	(void)state;
	run(task_then(start_echo));
}

static struct step check_neighbours(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(p->slots[0].state, SQL_DONE);
	assert_int_equal(p->slots[1].state, SQL_REFUSED);
	assert_string_equal(p->slots[1].sqlstate, "22012");
	assert_int_equal(p->slots[2].state, SQL_DONE);
	assert_int_equal(p->slots[3].state, SQL_REFUSED);
	assert_string_equal(p->slots[3].sqlstate, "23505");
	assert_string_equal(p->slots[3].constraint, "tried_n_key");
	assert_int_equal(p->slots[4].state, SQL_DONE);
	assert_int_equal(p->slots[4].affected, 1);
	checked = true;
	return task_done();
}

static struct step start_neighbours(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &insert, sql_integer(1));
	SQL_RUN(task, &p->slots[1], sql, &divide, sql_integer(0));
	SQL_RUN(task, &p->slots[2], sql, &insert, sql_integer(2));
	SQL_RUN(task, &p->slots[3], sql, &insert, sql_integer(1000));
	SQL_RUN(task, &p->slots[4], sql, &insert, sql_integer(3));
	return task_then(check_neighbours);
}

static void a_statement_that_fails_touches_nobody_else(void **state)
{
	(void)state;
	run(task_then(start_neighbours));
}

static struct step check_commit(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(p->slots[0].state, SQL_REFUSED);
	assert_string_equal(p->slots[0].sqlstate, "23505");
	assert_null(p->slots[0].result);
	assert_int_equal(p->slots[1].state, SQL_DONE);
	checked = true;
	return task_done();
}

static struct step start_commit(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &insert_deferred, sql_integer(1));
	SQL_RUN(task, &p->slots[1], sql, &insert_deferred, sql_integer(2));
	return task_then(check_commit);
}

static void a_commit_that_fails_is_not_a_success(void **state)
{
	(void)state;
	run(task_then(start_commit));
}

static struct step check_nothing_kept(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(sql_get_integer(&p->slots[3], 0, "n"), 0);
	assert_int_equal(sql_get_integer(&p->slots[4], 0, "n"), 1);
	checked = true;
	return task_done();
}

static struct step check_together(struct task *task)
{
	struct probe *p = (struct probe *)task;

	for (int i = 0; i < 3; i++)
		assert_int_equal(p->slots[i].state, SQL_REFUSED);
	assert_string_equal(p->slots[0].sqlstate, "25P02");
	assert_string_equal(p->slots[1].sqlstate, "22012");
	assert_string_equal(p->slots[2].sqlstate, "25P02");
	assert_int_equal(p->slots[5].state, SQL_DONE);
	assert_int_equal(p->slots[6].state, SQL_DONE);
	SQL_RUN(task, &p->slots[3], sql, &count_rows, sql_integer(10));
	SQL_RUN(task, &p->slots[4], sql, &count_rows, sql_integer(12));
	return task_then(check_nothing_kept);
}

static struct step start_together(struct task *task)
{
	struct probe *p = (struct probe *)task;
	const struct sql_param ten = sql_integer(10), zero = sql_integer(0),
			       eleven = sql_integer(11), twelve = sql_integer(12);
	const struct sql_statement bad[] = {{&insert, &ten, &p->slots[0]},
					    {&divide, &zero, &p->slots[1]},
					    {&insert, &eleven, &p->slots[2]}};
	const struct sql_statement good[] = {{&insert, &twelve, &p->slots[5]},
					     {&count_rows, &twelve, &p->slots[6]}};

	sql_run_together(task, sql, bad, 3);
	sql_run_together(task, sql, good, 2);
	return task_then(check_together);
}

static void statements_together_are_all_or_nothing(void **state)
{
	(void)state;
	run(task_then(start_together));
}

static PGconn *holder;

static void on_release(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	(void)argument;
	execute(holder, "UPDATE other SET n = 2; COMMIT");
}

static struct step check_snapshot(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(p->slots[1].state, SQL_DONE);
	assert_int_equal(sql_get_integer(&p->slots[1], 0, "n"), 2);
	checked = true;
	return task_done();
}

static struct step start_snapshot(struct task *task)
{
	struct probe *p = (struct probe *)task;
	const struct sql_param one = sql_integer(1);
	const struct sql_statement both[] = {{&lock_head, &one, &p->slots[0]},
					     {&read_other, &one, &p->slots[1]}};

	sql_run_together(task, sql, both, 2);
	return task_then(check_snapshot);
}

static void the_second_statement_sees_what_the_lock_waited_for(void **state)
{
	const struct timeval soon = {0, 100000};

	(void)state;
	wait_until_ready();
	holder = other();
	execute(holder, "BEGIN; SELECT n FROM head FOR UPDATE");
	event_base_once(loop, -1, EV_TIMEOUT, on_release, NULL, &soon);
	run(task_then(start_snapshot));
	PQfinish(holder);
}

static struct step check_full(struct task *task)
{
	struct probe *p = (struct probe *)task;
	int refused = 0;

	for (int i = 0; i < 40; i++)
		refused += p->slots[i].state == SQL_UNAVAILABLE;
	assert_in_range(refused, 40 - 2 * 8, 40 - 8); /* one connection at least was up */
	checked = true;
	return task_done();
}

static struct step start_full(struct task *task)
{
	struct probe *p = (struct probe *)task;

	for (int i = 0; i < 40; i++)
		SQL_RUN(task, &p->slots[i], sql, &backend, sql_integer(i));
	return task_then(check_full);
}

static void one_statement_too_many_is_refused_at_once(void **state)
{
	(void)state;
	run(task_then(start_full));
}

static struct step never(struct task *task)
{
	(void)task;
	fail();
	return task_done();
}

static struct step start_slow(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &rest, sql_text("2"));
	return task_then(never);
}

static void a_late_answer_is_not_waited_for_and_dropped(void **state)
{
	int64_t began;

	(void)state;
	wait_until_ready();
	began = clock_ms();
	probe(task_then(start_slow), 100);
	run_until_idle();
	assert_true(came_late);
	assert_in_range(clock_ms() - began, 90, 1500);
	for (int i = 0; i < 2;
	     i++) /* on both connections: what comes is not taken for its answer */
		run(task_then(start_echo));
}

static void an_abandoned_task_goes_with_its_answer(void **state)
{
	struct probe *p;
	int64_t began;

	(void)state;
	wait_until_ready();
	p = probe(task_then(start_slow), 10000);
	began = clock_ms();
	event_base_loop(loop, EVLOOP_NONBLOCK);
	task_abandon(&p->task);
	assert_int_equal(tasks_alive(), 1);
	run_until_idle();
	assert_in_range(clock_ms() - began, 1900, 8000);
	assert_false(came_late);
}

static pid_t stopped;

static struct step check_stopped(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(p->slots[1].state, SQL_DONE);
	stopped = (pid_t)sql_get_integer(&p->slots[1], 0, "pid");
	assert_int_equal(kill(stopped, SIGSTOP), 0);
	checked = true;
	return task_done();
}

static struct step start_stopped(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[1], sql, &backend, sql_integer(1));
	return task_then(check_stopped);
}

static struct step start_both(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &backend, sql_integer(1));
	SQL_RUN(task, &p->slots[1], sql, &backend, sql_integer(2));
	return task_then(never);
}

static struct step check_both(struct task *task)
{
	struct probe *p = (struct probe *)task;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(p->slots[i].state, SQL_DONE);
		assert_int_not_equal(sql_get_integer(&p->slots[i], 0, "pid"), stopped);
	}
	checked = true;
	return task_done();
}

static struct step ask_both(struct task *task)
{
	start_both(task);
	return task_then(check_both);
}

static struct step pause_a_while(struct task *task)
{
	task_sleep(task, 1500);
	return task_then(ask_both);
}

static void a_server_that_stops_answering_is_given_up(void **state)
{
	(void)state;
	run(task_then(start_stopped));
	probe(task_then(start_both), 200);
	run_until_idle();
	assert_true(came_late);
	clock_advance(10000);
	run(task_then(pause_a_while));
	kill(stopped, SIGCONT);
}

static struct step check_lost(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(p->slots[0].state, SQL_UNAVAILABLE); /* it only read */
	assert_int_equal(p->slots[1].state, SQL_UNKNOWN);
	checked = true;
	return task_done();
}

static struct step start_lost(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &end_reading, sql_integer(1));
	SQL_RUN(task, &p->slots[1], sql, &end_writing, sql_integer(1));
	return task_then(check_lost);
}

static void a_lost_connection_is_unknown_to_writers_and_comes_back(void **state)
{
	(void)state;
	run(task_then(start_lost));
	run(task_then(start_echo));
}

static struct step check_row(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(p->slots[0].state, SQL_DONE);
	checked = true;
	return task_done();
}

static struct step start_row(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &whole_row, sql_integer(1));
	return task_then(check_row);
}

static struct step again_or_done(struct task *task);

static struct step try_row(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &whole_row, sql_integer(1));
	return task_then(again_or_done);
}

static struct step again_or_done(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_not_equal(p->slots[0].state, SQL_REFUSED);
	if (p->slots[0].state != SQL_DONE) {
		task_sleep(task, 20);
		return task_then(try_row);
	}
	assert_int_equal(PQnfields(p->slots[0].result), 2);
	checked = true;
	return task_done();
}

static void a_table_may_change_its_shape(void **state)
{
	PGconn *pg = other();

	(void)state;
	run(task_then(start_row));
	run(task_then(start_row));
	execute(pg, "ALTER TABLE shape ADD COLUMN b int");
	PQfinish(pg);
	run(task_then(try_row));
}

static struct step check_times(struct task *task)
{
	struct probe *p = (struct probe *)task;
	Causerie__Comment read = CAUSERIE__COMMENT__INIT;

	assert_true(sql_get_integer(&p->slots[0], 0, "created_at") == INT64_C(1795397289123456));
	assert_true(sql_get_integer(&p->slots[0], 0, "moved") == INT64_C(1795397289000000));
	assert_true(sql_get_integer(&p->slots[0], 0, "edited_at") == -500000);
	assert_true(sql_get_integer(&p->slots[0], 0, "day") == INT64_C(951782400000000));
	sql_fill(&task->arena, &read.base, &p->slots[0], 0);
	assert_true(read.created_at == INT64_C(1795397289123456));
	checked = true;
	return task_done();
}

static struct step start_times(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &times, sql_integer(1));
	return task_then(check_times);
}

static void times_are_microseconds_since_1970(void **state)
{
	(void)state;
	run(task_then(start_times));
}

static struct step check_message(struct task *task)
{
	struct probe *p = (struct probe *)task;
	size_t n;
	Causerie__Comment **all;
	Causerie__Event event = CAUSERIE__EVENT__INIT;

	all = (Causerie__Comment **)sql_fill_all(&task->arena, &causerie__comment__descriptor,
						 &p->slots[0], &n);
	assert_int_equal(n, 1);
	assert_int_equal(all[0]->id, 7);
	assert_int_equal(all[0]->topic_id, 42);
	assert_int_equal(all[0]->parent_id, 0);
	assert_string_equal(all[0]->body, "Salut à tous");
	assert_int_equal(all[0]->state, CAUSERIE__COMMENT_STATE__HIDDEN);
	assert_true(all[0]->may_edit);
	assert_int_equal(all[0]->replies, 3);
	assert_string_equal(all[0]->language, "");
	assert_string_equal(sql_get_text(&p->slots[0], 0, "given_state"), "visible");

	sql_fill(&task->arena, &event.base, &p->slots[1], 0);
	assert_int_equal(event.n_mentioned_ids, 3);
	assert_int_equal(event.mentioned_ids[2], 30);
	assert_true(sql_is_null(&p->slots[1], 0, "topic_id")); /* an id of 0 is NULL */
	assert_int_equal(sql_get_integer(&p->slots[1], 0, "viewer"), 5);
	assert_string_equal(sql_get_text(&p->slots[1], 0, "key"), "given");
	checked = true;
	return task_done();
}

static struct step start_message(struct task *task)
{
	struct probe *p = (struct probe *)task;
	Causerie__Comment comment_ = CAUSERIE__COMMENT__INIT;
	Causerie__Event event = CAUSERIE__EVENT__INIT;
	uint64_t ids[] = {10, 20, 30};

	comment_.topic_id = 42;
	comment_.state = CAUSERIE__COMMENT_STATE__VISIBLE;
	event.mentioned_ids = ids;
	event.n_mentioned_ids = 3;
	sql_run_message(task, &p->slots[0], sql, &comment, &comment_.base, NULL, 0);
	SQL_NAMED(task, &p->slots[1], sql, &event_lists, &event.base,
		  {"idempotency_key", sql_text("given")}, {"unused", sql_null()});
	return task_then(check_message);
}

static void a_message_is_bound_and_filled_by_its_fields_names(void **state)
{
	(void)state;
	run(task_then(start_message));
}

static struct step check_down(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(p->slots[0].state, SQL_UNAVAILABLE);
	checked = true;
	return task_done();
}

static struct step start_down(struct task *task)
{
	struct probe *p = (struct probe *)task;

	SQL_RUN(task, &p->slots[0], sql, &insert, sql_integer(1));
	return task_then(check_down);
}

static void without_a_server_statements_fail_at_once(void **state)
{
	struct sql *whole = sql;
	struct sql_settings nowhere = settings;

	(void)state;
	nowhere.url = "postgresql://nobody@127.0.0.1:1/none";
	sql = sql_new(loop, &nowhere);
	probe(task_then(start_down), 1000);
	run_until_idle();
	assert_true(checked);
	assert_false(sql_ready(sql));
	sql_free(sql);
	sql = whole;
}

static void a_migration_is_applied_once_and_a_broken_one_leaves_nothing(void **state)
{
	const struct sql_migration good[] = {
		{"0001_a", "CREATE TABLE made (n int); INSERT INTO made VALUES (1)"},
		{"0002_b", "ALTER TABLE made ADD COLUMN b int"}};
	const struct sql_migration bad[] = {{"0003_c", "CREATE TABLE half (n int); SELECT 1 / 0"}};
	PGconn *pg = other();
	PGresult *result;

	(void)state;
	assert_int_equal(sql_migrate(settings.url, good, 2), 0);
	assert_int_equal(sql_migrate(settings.url, good, 2), 0);
	assert_int_equal(sql_migrate(settings.url, bad, 1), -EINVAL);
	assert_int_equal(sql_migrate("postgresql://nobody@127.0.0.1:1/none", good, 2), -EAGAIN);
	result = PQexec(pg, "SELECT count(*), to_regclass('half') FROM schema_migrations");
	assert_string_equal(PQgetvalue(result, 0, 0), "2");
	assert_true(PQgetisnull(result, 0, 1));
	PQclear(result);
	PQfinish(pg);
}

/* A loop that names itself; every statement's fate is checked against its number. */
static struct step check_many(struct task *task);

static struct step start_many(struct task *task)
{
	struct probe *p = (struct probe *)task;

	for (int i = 0; i < 7; i++)
		SQL_RUN(task, &p->slots[i], sql, i % 3 ? &backend : &divide,
			sql_integer(i ? i : 0));
	return task_then(check_many);
}

static struct step check_many(struct task *task)
{
	struct probe *p = (struct probe *)task;

	for (int i = 0; i < 7; i++) {
		assert_int_equal(p->slots[i].state, i % 3 ? SQL_DONE : SQL_REFUSED);
		if (i % 3)
			assert_int_equal(sql_get_integer(&p->slots[i], 0, "n"), i);
	}
	if (clock_ms() - p->began_ms < 500)
		return task_then(start_many);
	checked = true;
	return task_done();
}

static void every_answer_finds_its_own_slot(void **state)
{
	(void)state;
	run(task_then(start_many));
}

/* --- groups --- */

static struct sql_group *group;

static void insert_in_group(struct task *task, int slot, int64_t n, const char *text)
{
	struct sql_param *params = ARENA_ARRAY(&task->arena, struct sql_param, 3);

	params[0] = sql_integer(n);
	params[1] = sql_text(text);
	params[2] = sql_bytes("\0\xff", 2);
	sql_group_run(task, &((struct probe *)task)->slots[slot], group, params);
}

static void run_with_group(struct step first)
{
	wait_until_ready();
	group = sql_group_new(loop, sql, &insert_all);
	run(first);
	sql_group_free(group);
}

static struct step check_group(struct task *task)
{
	struct probe *p = (struct probe *)task;
	const char *const texts[] = {ODD, NULL, "NULL", ""};

	for (int i = 0; i < 4; i++) {
		const struct sql_slot *slot = &p->slots[i];

		assert_int_equal(slot->state, SQL_DONE);
		assert_int_equal(slot->rows, 1);
		assert_int_equal(sql_get_integer(slot, 0, "n"), 2000 + i);
		assert_string_equal(sql_get_text(slot, 0, "y"), "\\x00ff");
		assert_int_equal(sql_is_null(slot, 0, "t"), texts[i] == NULL);
		assert_string_equal(sql_get_text(slot, 0, "t"), texts[i] ? texts[i] : "");
		assert_string_equal(sql_get_text(slot, 0, "xact"),
				    sql_get_text(&p->slots[0], 0, "xact"));
	}
	checked = true;
	return task_done();
}

static struct step start_group(struct task *task)
{
	insert_in_group(task, 0, 2000, ODD);
	insert_in_group(task, 1, 2001, NULL);
	insert_in_group(task, 2, 2002, "NULL");
	insert_in_group(task, 3, 2003, "");
	return task_then(check_group);
}

static void requests_of_one_turn_are_one_transaction(void **state)
{
	(void)state;
	run_with_group(task_then(start_group));
}

static struct step check_refused(struct task *task)
{
	struct probe *p = (struct probe *)task;

	for (int i = 0; i < 3; i++)
		assert_int_equal(p->slots[i].state, i == 1 ? SQL_REFUSED : SQL_DONE);
	assert_string_equal(p->slots[1].sqlstate, "23505");
	assert_string_equal(p->slots[1].constraint, "tried_n_key");
	assert_string_not_equal(sql_get_text(&p->slots[0], 0, "xact"),
				sql_get_text(&p->slots[2], 0, "xact"));
	checked = true;
	return task_done();
}

static struct step start_refused(struct task *task)
{
	insert_in_group(task, 0, 2010, "before");
	insert_in_group(task, 1, 1000, "taken");
	insert_in_group(task, 2, 2012, "after");
	return task_then(check_refused);
}

static void what_one_asks_for_fails_nobody_else_of_its_group(void **state)
{
	(void)state;
	run_with_group(task_then(start_refused));
}

static struct step check_many_rows(struct task *task)
{
	struct probe *p = (struct probe *)task;

	for (int i = 0; i < SLOTS; i++)
		assert_int_equal(p->slots[i].state, SQL_DONE);
	checked = true;
	return task_done();
}

static int64_t next_number = 3000;

static struct step start_many_rows(struct task *task)
{
	for (int i = 0; i < SLOTS; i++, next_number += next_number % 10 == 8 ? 2 : 1)
		insert_in_group(task, i, next_number, "many");
	return task_then(check_many_rows);
}

static void more_than_one_statement_takes_wait_for_the_next(void **state)
{
	PGconn *pg = other();
	PGresult *result;

	(void)state;
	wait_until_ready();
	group = sql_group_new(loop, sql, &insert_all);
	probe(task_then(start_many_rows), 5000);
	probe(task_then(start_many_rows), 5000);
	run_until_idle();
	assert_true(checked);
	result = PQexec(pg, "SELECT count(*), max(n) FROM (SELECT xmin, count(*) AS n FROM tried "
			    "WHERE n BETWEEN 3000 "
			    "AND 3999 GROUP BY xmin::text, xmin) AS transactions");
	assert_string_equal(PQgetvalue(result, 0, 0), "2");
	assert_int_equal(atoi(PQgetvalue(result, 0, 1)), SQL_GROUP_ROWS);
	PQclear(result);
	PQfinish(pg);
	sql_group_free(group);
}

/* Its statement rests while the deadlines of two requests pass: one was sent with it, one was not.
 */
static struct sql_slot late_sent, late_waiting;

static struct step start_waiting(struct task *task)
{
	struct sql_param *params = ARENA_ARRAY(&task->arena, struct sql_param, 3);

	params[0] = sql_integer(4002);
	sql_group_run(task, &late_waiting, group, params);
	return task_then(too_late);
}

static struct step start_resting(struct task *task)
{
	struct sql_param *params = ARENA_ARRAY(&task->arena, struct sql_param, 3);

	params[0] = sql_integer(4009);
	params[1] = sql_text("2");
	sql_group_run(task, &late_sent, group, params);
	return task_then(too_late);
}

static void who_is_late_is_told_whether_it_was_sent(void **state)
{
	PGconn *pg = other();
	PGresult *result;

	(void)state;
	wait_until_ready();
	group = sql_group_new(loop, sql, &insert_all);
	probe(task_then(start_resting), 300);
	event_base_loop(loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	event_base_loop(loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	probe(task_then(start_waiting), 300);
	run_until_idle();
	assert_true(came_late);
	assert_int_equal(late_sent.state, SQL_UNKNOWN);
	assert_int_equal(late_waiting.state, SQL_UNAVAILABLE);
	result = PQexec(pg,
			"SELECT string_agg(n::text, ',') FROM tried WHERE n BETWEEN 4000 AND 4999");
	assert_string_equal(PQgetvalue(result, 0, 0), "4009");
	PQclear(result);
	PQfinish(pg);
	sql_group_free(group);
}

static void cut_soon(void);

/* Ends the server's side of the statement that rests, or comes back when none does yet. */
static void on_cut(evutil_socket_t nothing, short events, void *argument)
{
	PGconn *pg = other();
	PGresult *result;

	(void)nothing;
	(void)events;
	(void)argument;
	result = PQexec(pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query "
			    "LIKE '%rests%' AND wait_event = 'PgSleep'");
	assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
	if (PQntuples(result) == 0)
		cut_soon();
	PQclear(result);
	PQfinish(pg);
}

static void cut_soon(void)
{
	const struct timeval soon = {0, 50000};

	event_base_once(loop, -1, EV_TIMEOUT, on_cut, NULL, &soon);
}

static struct step check_cut(struct task *task)
{
	struct probe *p = (struct probe *)task;

	assert_int_equal(p->slots[0].state, SQL_UNKNOWN);
	assert_int_equal(p->slots[1].state, SQL_UNKNOWN);
	checked = true;
	return task_done();
}

static struct step start_cut(struct task *task)
{
	insert_in_group(task, 0, 5009, "10");
	insert_in_group(task, 1, 5010, "with it");
	cut_soon();
	return task_then(check_cut);
}

static void a_lost_connection_leaves_a_whole_group_unknown(void **state)
{
	(void)state;
	run_with_group(task_then(start_cut));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_arrive_as_they_were_given),
		cmocka_unit_test(a_statement_that_fails_touches_nobody_else),
		cmocka_unit_test(a_commit_that_fails_is_not_a_success),
		cmocka_unit_test(statements_together_are_all_or_nothing),
		cmocka_unit_test(the_second_statement_sees_what_the_lock_waited_for),
		cmocka_unit_test(one_statement_too_many_is_refused_at_once),
		cmocka_unit_test(a_late_answer_is_not_waited_for_and_dropped),
		cmocka_unit_test(an_abandoned_task_goes_with_its_answer),
		cmocka_unit_test(a_server_that_stops_answering_is_given_up),
		cmocka_unit_test(a_lost_connection_is_unknown_to_writers_and_comes_back),
		cmocka_unit_test(a_table_may_change_its_shape),
		cmocka_unit_test(times_are_microseconds_since_1970),
		cmocka_unit_test(a_message_is_bound_and_filled_by_its_fields_names),
		cmocka_unit_test(without_a_server_statements_fail_at_once),
		cmocka_unit_test(a_migration_is_applied_once_and_a_broken_one_leaves_nothing),
		cmocka_unit_test(every_answer_finds_its_own_slot),
		cmocka_unit_test(requests_of_one_turn_are_one_transaction),
		cmocka_unit_test(what_one_asks_for_fails_nobody_else_of_its_group),
		cmocka_unit_test(more_than_one_statement_takes_wait_for_the_next),
		cmocka_unit_test(who_is_late_is_told_whether_it_was_sent),
		cmocka_unit_test(a_lost_connection_leaves_a_whole_group_unknown),
	};
	int failures;

	settings.url = getenv("CAUSERIE_TEST_DATABASE_URL");
	if (settings.url == NULL) {
		fputs("CAUSERIE_TEST_DATABASE_URL is not set\n", stderr);
		return 1;
	}
	log_start("test", LOG_DEBUG);
	loop = event_base_new();
	make_tables();
	sql = sql_new(loop, &settings);
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	sql_free(sql);
	event_base_free(loop);
	return failures;
}
