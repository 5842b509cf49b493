/*
 * queue.c - takes what is due, a few at a time, and keeps its leases alive.
 *
 *   tick --> claim --> deliver (one task each) --> finished --> tick
 *
 * Mails of accounts (verification, reset) are a stream of their own, with places and
 * connections of their own: somebody waits for them, and a thousand notifications, or two
 * slow answers to them, are not in their way.
 *
 * A claim is a short statement with SKIP LOCKED: any number of replicas may take
 * from one queue. While a mail is being sent no transaction is open; what holds it
 * is the lease, renewed while its task here runs. A row that says it is ours and has
 * no task (the claim's answer was lost, or the result could not be written down)
 * keeps its lease no longer, and goes back when that has ended.
 */
#include "notifications.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "lib/log.h"
#include "lib/metrics.h"

#define AT_ONCE  16 /* deliveries of a stream in progress; SMTP connections are fewer */
#define TICK_MS  500
#define CLAIM_MS 10000

static struct event *ticker, *renewer, *salvager;
static struct event_base *loop;
static bool draining;

static struct stream {
	bool account;
	bool claiming;
	unsigned in_progress;
	uint64_t held[AT_ONCE]; /* ids of the deliveries in progress */
} streams[] = {{.account = true}, {.account = false}};

#define N_STREAMS (sizeof streams / sizeof *streams)

struct claim {
	struct task task;
	struct stream *stream;
	struct sql_slot rows;
};

static task_step take, taken, take_back, taken_back;

static struct metric claimed_total =
	METRIC_COUNTER("causerie_mails_claimed_total", "", "Deliveries taken from the queue");

static struct task *background(size_t size, struct step first)
{
	static const struct request_context nobody = {.trace = "queue"};
	struct arena arena = {0};

	return task_new(loop, &arena, size, first, task_done(), CLAIM_MS, &nobody);
}

static void claim_of(struct stream *stream)
{
	struct claim *c;

	if (stream->claiming || stream->in_progress >= AT_ONCE)
		return;
	stream->claiming = true;
	c = (struct claim *)background(sizeof *c, task_then(take));
	c->stream = stream;
}

static void tick(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	(void)argument;
	if (draining || !sql_ready(service_here()->sql))
		return;
	for (size_t i = 0; i < N_STREAMS; i++)
		claim_of(&streams[i]);
}

static struct step take(struct task *task)
{
	struct claim *c = (struct claim *)task;

	SQL_NAMED(task, &c->rows, service_here()->sql, &claim_sql, NULL,
		  {"worker", sql_text(worker)}, {"account", sql_flag(c->stream->account)},
		  {"limit", sql_integer(AT_ONCE - c->stream->in_progress)},
		  {"lease_ms", sql_integer(settings.lease_ms)},
		  {"delay_ms", sql_integer(settings.delay_ms)},
		  {"hold", sql_flag(strcmp(settings.on_unknown, "hold") == 0)});
	return task_then(taken);
}

static Causerie__Reason reason_of(const char *name)
{
	for (int reason = CAUSERIE__REASON__INVITATION; reason <= CAUSERIE__REASON__ACCOUNT;
	     reason++)
		if (strcmp(reason_name((Causerie__Reason)reason), name) == 0)
			return (Causerie__Reason)reason;
	return CAUSERIE__REASON__REASON_UNSPECIFIED;
}

static void hand_over(struct stream *stream, const struct sql_slot *rows, int row)
{
	struct claimed one = {
		.id = (uint64_t)sql_get_integer(rows, row, "id"),
		.account_id = (uint64_t)sql_get_integer(rows, row, "account_id"),
		.topic_id = (uint64_t)sql_get_integer(rows, row, "topic_id"),
		.comment_id = (uint64_t)sql_get_integer(rows, row, "comment_id"),
		.parent_id = (uint64_t)sql_get_integer(rows, row, "parent_id"),
		.actor_id = (uint64_t)sql_get_integer(rows, row, "actor_id"),
		.mail_id = (uint64_t)sql_get_integer(rows, row, "mail_id"),
		.seq = (uint64_t)sql_get_integer(rows, row, "seq"),
		.reason = reason_of(sql_get_text(rows, row, "reason")),
		.attempt = (int)sql_get_integer(rows, row, "attempt"),
		.unknowns = (int)sql_get_integer(rows, row, "unknowns"),
		.read = sql_get_flag(rows, row, "read"),
		.wanted = sql_get_flag(rows, row, "wanted"),
	};

	strncpy(one.type, sql_get_text(rows, row, "type"), sizeof one.type - 1);
	strncpy(one.to_state, sql_get_text(rows, row, "to_state"), sizeof one.to_state - 1);
	strncpy(one.trace, sql_get_text(rows, row, "trace"), sizeof one.trace - 1);
	stream->held[stream->in_progress++] = one.id;
	deliver(&one);
}

static struct step taken(struct task *task)
{
	struct claim *c = (struct claim *)task;

	c->stream->claiming = false;
	if (c->rows.state != SQL_DONE) {
		log_warn(NULL, "queue.not_claimed", "sqlstate=%s do=%s", c->rows.sqlstate,
			 "look at the database; it is tried again");
		return task_done();
	}
	for (int row = 0; row < c->rows.rows; row++)
		hand_over(c->stream, &c->rows, row);
	metric_add(&claimed_total, c->rows.rows);
	return task_done();
}

struct renewal {
	struct task task;
	struct sql_slot done[N_STREAMS];
};

static unsigned in_progress(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < N_STREAMS; i++)
		n += streams[i].in_progress;
	return n;
}

static struct step renew(struct task *task)
{
	struct renewal *r = (struct renewal *)task;

	for (size_t i = 0; i < N_STREAMS; i++)
		SQL_NAMED(task, &r->done[i], service_here()->sql, &renew_leases_sql, NULL,
			  {"worker", sql_text(worker)},
			  {"lease_ms", sql_integer(settings.lease_ms)},
			  {"ids", sql_ids(&task->arena, streams[i].held, streams[i].in_progress)});
	return task_done();
}

static void on_renew(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	(void)argument;
	if (in_progress() > 0)
		background(sizeof(struct renewal), task_then(renew));
}

/* --- what other workers, or this one, left behind --- */

static struct step take_back(struct task *task)
{
	SQL_NAMED(task, &((struct claim *)task)->rows, service_here()->sql, &take_back_sql, NULL,
		  {"unknown_ms", sql_integer(settings.unknown_ms)}, {"tries", sql_integer(TRIES)},
		  {"copies", sql_integer(COPIES)});
	return task_then(taken_back);
}

static struct step taken_back(struct task *task)
{
	const struct sql_slot *rows = &((struct claim *)task)->rows;

	for (int row = 0; rows->state == SQL_DONE && row < rows->rows; row++) {
		const char *trace = sql_get_text(rows, row, "trace");
		const uint64_t id = (uint64_t)sql_get_integer(rows, row, "id");
		const char *state = sql_get_text(rows, row, "state");

		log_warn(trace, "mail.lease_ended", "delivery=%llu state=%s",
			 (unsigned long long)id, state);
		if (strcmp(state, "failed") == 0)
			mail_given_up(trace, id, sql_get_text(rows, row, "why"),
				      (int)sql_get_integer(rows, row, "attempt"));
	}
	return task_done();
}

static void on_take_back(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	(void)argument;
	if (!draining && sql_ready(service_here()->sql))
		background(sizeof(struct claim), task_then(take_back));
}

static struct event *every(int64_t ms, event_callback_fn callback)
{
	const struct timeval interval = {ms / 1000, ms % 1000 * 1000};
	struct event *event = event_new(loop, -1, EV_PERSIST, callback, NULL);

	if (event == NULL)
		abort();
	event_add(event, &interval);
	return event;
}

void queue_start(struct event_base *base)
{
	loop = base;
	ticker = every(TICK_MS, tick);
	renewer = every(settings.lease_ms / 3, on_renew);
	salvager = every(settings.lease_ms / 3, on_take_back);
}

void queue_stop(void)
{
	if (ticker != NULL)
		event_free(ticker);
	if (renewer != NULL)
		event_free(renewer);
	if (salvager != NULL)
		event_free(salvager);
}

void queue_wake(void)
{
	event_active(ticker, 0, 0);
}

void queue_drain(void)
{
	draining = true;
	if (in_progress() == 0)
		service_drained();
}

static void let_go(struct stream *stream, uint64_t id)
{
	for (unsigned i = 0; i < stream->in_progress; i++)
		if (stream->held[i] == id) {
			stream->held[i] = stream->held[--stream->in_progress];
			return;
		}
}

void queue_finished(uint64_t id)
{
	for (size_t i = 0; i < N_STREAMS; i++)
		let_go(&streams[i], id);
	if (draining && in_progress() == 0)
		service_drained();
	else
		queue_wake();
}
