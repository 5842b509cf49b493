/*
 * outbox.c - numbers what was announced, says that there is something, hands it out.
 *
 *   timer or wake --> look --(rows without a number)--> number --> announce
 *
 * The sequencer is a task of its own, at most one at a time. Lock and numbering are
 * two statements of one transaction, because the second's snapshot must be younger
 * than the lock; where several replicas try, the row lock lets one after the other.
 * A crash between any two steps loses nothing: unnumbered rows are found by the next
 * look, a hint that nobody heard by the consumers' own asking.
 *
 * Housekeeping deletes, in batches, events that everybody has passed, idempotency
 * keys that nobody will repeat, and what the service says (outbox_also_forget).
 */
#include "lib/outbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "events.pb-c.h"
#include "lib/bus.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/queries.h"
#include "lib/rpc_server.h"
#include "lib/sql.h"
#include "lib/task.h"

#define LOOK_MS      50  /* between looks while there is something to number */
#define LOOK_IDLE_MS 100 /* and when there was nothing for a while */
#define LOOK_STEP_MS 5
#define GATHER_MS    5   /* after a batch: what is announced meanwhile is numbered together */
#define DOWN_MS      200 /* the database does not answer */
#define ROUND_MS     5000
#define BATCH        500   /* as in outbox_number */
#define KEEP_MS      60000 /* between deletions */
#define KEEP_SOON_MS 1000  /* when there was more to delete than one batch */
#define FORGET_BATCH 1000  /* as in outbox_forget and every other one */
#define FORGET_ALSO  4
#define REMIND_MS    (24 * 3600 * 1000)
#define NOTE_MS      5000 /* a consumer's position is stored so often */
#define CONSUMERS    32   /* remembered at a time; more are stored at each fetch */

/* When a consumer's position was last stored. */
struct noted {
	char name[65];
	int64_t at_ms;
};

struct outbox {
	Causerie__Events_Service service; /* first, so that a handler finds its outbox */
	struct event_base *loop;
	struct sql *sql;
	struct bus_publisher *bus;
	struct event *look_timer, *keep_timer;
	struct task *sequencer, *keeper; /* running, or NULL */
	bool woken;
	int look_ms;
	bool failing;        /* has been said */
	int64_t reminded_ms; /* of absent consumers */
	struct noted noted[CONSUMERS];
	const struct sql_query *also_forget[FORGET_ALSO];
	size_t n_also_forget;
};

static struct metric numbered_events =
	METRIC_COUNTER("causerie_outbox_numbered_total", "", "Events numbered by this replica");
static struct metric head_metric =
	METRIC_GAUGE("causerie_outbox_head", "", "The last number this replica gave");
static struct metric absent_metric = METRIC_GAUGE("causerie_outbox_absent_consumers", "",
						  "Consumers behind and not seen for a day");
static struct metric fetched_events =
	METRIC_COUNTER("causerie_outbox_fetched_total", "", "Events handed out");

static const struct request_context background = {.trace = ""};

static void arm(struct event *timer, int ms)
{
	const struct timeval in = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(timer, &in);
}

/* --- the sequencer --- */

struct round {
	struct task task;
	struct outbox *outbox;
	struct sql_slot waiting, locked, numbered;
	bool busy; /* there was something */
};

static task_step look, number, announce;

/* The next look: soon while there is work, seldom when there is none. */
static void on_round_over(void *argument)
{
	const struct round *round = argument;
	struct outbox *outbox = round->outbox;

	if (outbox == NULL)
		return;
	outbox->sequencer = NULL;
	if (round->busy)
		outbox->look_ms = LOOK_MS;
	else if (outbox->look_ms < LOOK_IDLE_MS)
		outbox->look_ms += LOOK_STEP_MS;
	if (!sql_ready(outbox->sql))
		arm(outbox->look_timer, DOWN_MS);
	else
		arm(outbox->look_timer, outbox->woken || round->busy ? GATHER_MS : outbox->look_ms);
}

static void start_round(struct outbox *outbox)
{
	struct arena arena = {0};
	struct round *round = task_new(outbox->loop, &arena, sizeof *round, task_then(look),
				       task_done(), ROUND_MS, &background);

	round->outbox = outbox;
	outbox->sequencer = &round->task;
	arena_defer(&round->task.arena, on_round_over, round);
}

static void on_look(evutil_socket_t nothing, short events, void *argument)
{
	struct outbox *outbox = argument;

	(void)nothing;
	(void)events;
	if (!sql_ready(outbox->sql))
		arm(outbox->look_timer, DOWN_MS);
	else
		start_round(outbox);
}

/* Without a lock. Whoever woke us knows already that there is something. */
static struct step look(struct task *task)
{
	struct round *round = (struct round *)task;
	struct outbox *outbox = round->outbox;

	if (outbox->woken) {
		outbox->woken = false;
		return number(task);
	}
	sql_run(task, &round->waiting, outbox->sql, &outbox_is_waiting_sql, NULL, 0);
	return task_then(number);
}

static struct step number(struct task *task)
{
	struct round *round = (struct round *)task;
	const struct sql_statement statements[] = {{&outbox_lock_sql, NULL, &round->locked},
						   {&outbox_number_sql, NULL, &round->numbered}};

	if (round->waiting.state == SQL_DONE && !sql_get_flag(&round->waiting, 0, "waiting"))
		return task_done();
	if (round->waiting.state != SQL_DONE && round->waiting.state != SQL_PENDING)
		return task_done(); /* the pool has said what is wrong */

	sql_run_together(task, round->outbox->sql, statements, 2);
	return task_then(announce);
}

/* Not had the lock, deadlock, too slow: the next round will do. Anything else is a defect. */
static bool is_passing(const char *sqlstate)
{
	return strncmp(sqlstate, "40", 2) == 0 || strcmp(sqlstate, "55P03") == 0 ||
	       strcmp(sqlstate, "57014") == 0 || strcmp(sqlstate, "25P02") == 0;
}

static void say_failure(struct outbox *outbox, const struct round *round)
{
	const char *sqlstate = round->numbered.sqlstate;

	if (round->numbered.state != SQL_REFUSED || outbox->failing)
		return;
	if (is_passing(sqlstate) && is_passing(round->locked.sqlstate))
		return;
	outbox->failing = true;
	log_error(NULL, "outbox.not_numbered", "sqlstate=%s lock_sqlstate=%s", sqlstate,
		  round->locked.sqlstate);
}

static struct step announce(struct task *task)
{
	struct round *round = (struct round *)task;
	struct outbox *outbox = round->outbox;
	const struct sql_slot *slot = &round->numbered;
	uint64_t epoch, head;

	if (slot->state != SQL_DONE) {
		say_failure(outbox, round);
		return task_done();
	}
	outbox->failing = false;
	if (slot->rows == 0) /* another replica was faster */
		return task_done();

	epoch = (uint64_t)sql_get_integer(slot, 0, "epoch");
	head = (uint64_t)sql_get_integer(slot, 0, "head");
	bus_publish(outbox->bus, epoch, head);
	metric_add(&numbered_events, (double)sql_get_integer(slot, 0, "given"));
	metric_set(&head_metric, (double)head);
	round->busy = true;
	if (sql_get_integer(slot, 0, "given") == BATCH)
		outbox->woken = true;
	return task_done();
}

void outbox_wake(struct outbox *outbox)
{
	if (outbox->woken)
		return;
	outbox->woken = true;
	if (outbox->sequencer == NULL && sql_ready(outbox->sql))
		arm(outbox->look_timer, 0);
}

/* --- handing out --- */

struct fetch {
	struct task task;
	struct outbox *outbox;
	const Causerie__FetchEventsRequest *ask;
	struct sql_slot events, noted;
};

static task_step read_events, hand_out;

static void fetch(Causerie__Events_Service *service, const Causerie__FetchEventsRequest *ask,
		  Causerie__FetchEventsReply_Closure closure, void *call)
{
	struct fetch *f = rpc_task(call, sizeof *f, task_then(read_events));

	(void)closure;
	f->outbox = (struct outbox *)service;
	f->ask = ask;
}

/* Whether a consumer's position is due to be stored; remembers that it now is. */
static bool due(struct outbox *outbox, const char *name)
{
	const int64_t now = clock_ms();
	struct noted *place = NULL;

	for (size_t i = 0; i < CONSUMERS && place == NULL; i++)
		if (outbox->noted[i].name[0] == '\0' || strcmp(outbox->noted[i].name, name) == 0)
			place = &outbox->noted[i];
	if (place == NULL)
		return true;
	if (place->name[0] != '\0' && now - place->at_ms < NOTE_MS)
		return false;
	snprintf(place->name, sizeof place->name, "%s", name);
	place->at_ms = now;
	return true;
}

/* Nobody waits for the position to be stored: it only delays deletion. */
static struct step read_events(struct task *task)
{
	struct fetch *f = (struct fetch *)task;
	const struct sql_named extra[] = {
		{"after",
		 sql_integer(f->ask->after < INT64_MAX ? (int64_t)f->ask->after : INT64_MAX)}};

	sql_run_message(task, &f->events, f->outbox->sql, &outbox_fetch_sql, &f->ask->base, extra,
			1);
	if (*f->ask->consumer != '\0' && due(f->outbox, f->ask->consumer))
		sql_run_message(task, &f->noted, f->outbox->sql, &outbox_note_consumer_sql,
				&f->ask->base, extra, 1);
	return task_then(hand_out);
}

static struct step hand_out(struct task *task)
{
	struct fetch *f = (struct fetch *)task;
	Causerie__FetchEventsReply reply;

	if (f->events.state != SQL_DONE)
		return rpc_sql_failed(task, &f->events);

	causerie__fetch_events_reply__init(&reply);
	sql_fill(&task->arena, &reply.base, &f->events, 0);
	if (!sql_is_null(&f->events, 0, "seq") &&
	    (f->ask->epoch == 0 || f->ask->epoch == reply.epoch))
		reply.events = (Causerie__Event **)sql_fill_all(
			&task->arena, &causerie__event__descriptor, &f->events, &reply.n_events);
	metric_add(&fetched_events, (double)reply.n_events);
	return rpc_reply(task, &reply.base);
}

/* --- housekeeping --- */

struct keep {
	struct task task;
	struct outbox *outbox;
	struct sql_slot events, requests, absent, others[FORGET_ALSO];
};

static task_step forget, look_for_absent;

static void on_keep_over(void *argument)
{
	const struct keep *keep = argument;
	struct outbox *outbox = keep->outbox;
	bool more =
		keep->events.affected == FORGET_BATCH || keep->requests.affected == FORGET_BATCH;

	for (size_t i = 0; i < FORGET_ALSO; i++)
		more |= keep->others[i].affected == FORGET_BATCH;
	if (outbox == NULL)
		return;
	outbox->keeper = NULL;
	arm(outbox->keep_timer, more ? KEEP_SOON_MS : KEEP_MS);
}

static void on_keep(evutil_socket_t nothing, short events, void *argument)
{
	struct outbox *outbox = argument;
	struct arena arena = {0};
	struct keep *keep = task_new(outbox->loop, &arena, sizeof *keep, task_then(forget),
				     task_done(), ROUND_MS, &background);

	(void)nothing;
	(void)events;
	keep->outbox = outbox;
	outbox->keeper = &keep->task;
	arena_defer(&keep->task.arena, on_keep_over, keep);
}

/* What fails here is tried again in a minute. */
static struct step forget(struct task *task)
{
	struct keep *keep = (struct keep *)task;
	struct sql *sql = keep->outbox->sql;

	sql_run(task, &keep->events, sql, &outbox_forget_sql, NULL, 0);
	sql_run(task, &keep->absent, sql, &outbox_absent_sql, NULL, 0);
	if (sql_knows(sql, &forget_requests_sql))
		sql_run(task, &keep->requests, sql, &forget_requests_sql, NULL, 0);
	for (size_t i = 0; i < keep->outbox->n_also_forget; i++)
		sql_run(task, &keep->others[i], sql, keep->outbox->also_forget[i], NULL, 0);
	return task_then(look_for_absent);
}

/* Said once a day; the metric says it all the time. */
static struct step look_for_absent(struct task *task)
{
	struct keep *keep = (struct keep *)task;
	struct outbox *outbox = keep->outbox;
	const struct sql_slot *absent = &keep->absent;

	if (absent->state != SQL_DONE)
		return task_done();
	metric_set(&absent_metric, absent->rows);
	if (absent->rows == 0 || clock_ms() - outbox->reminded_ms < REMIND_MS)
		return task_done();
	outbox->reminded_ms = clock_ms();
	for (int row = 0; row < absent->rows; row++)
		log_warn(NULL, "outbox.consumer_absent", "consumer=%s behind=%lld absent_s=%lld",
			 sql_get_text(absent, row, "consumer"),
			 (long long)sql_get_integer(absent, row, "behind"),
			 (long long)sql_get_integer(absent, row, "absent_s"));
	return task_done();
}

/* --- --- */

static struct event *new_timer(struct outbox *outbox, event_callback_fn callback)
{
	struct event *timer = evtimer_new(outbox->loop, callback, outbox);

	if (timer == NULL)
		abort();
	return timer;
}

struct outbox *outbox_new(struct event_base *loop, struct sql *sql, struct bus_publisher *bus)
{
	struct outbox *outbox = calloc(1, sizeof *outbox);

	if (outbox == NULL)
		abort();
	causerie__events__init(&outbox->service, NULL);
	outbox->service.fetch = fetch;
	outbox->loop = loop;
	outbox->sql = sql;
	outbox->bus = bus;
	outbox->look_ms = LOOK_MS;
	outbox->reminded_ms = clock_ms() - REMIND_MS;
	outbox->look_timer = new_timer(outbox, on_look);
	outbox->keep_timer = new_timer(outbox, on_keep);
	arm(outbox->look_timer, 0);
	arm(outbox->keep_timer, KEEP_SOON_MS);
	metric_register(&numbered_events);
	metric_register(&absent_metric);
	return outbox;
}

void outbox_also_forget(struct outbox *outbox, const struct sql_query *statement)
{
	assert(outbox->n_also_forget < FORGET_ALSO);
	outbox->also_forget[outbox->n_also_forget++] = statement;
}

ProtobufCService *outbox_service(struct outbox *outbox)
{
	return &outbox->service.base;
}

/* A task that is still running forgets us; what it has in flight keeps it alive. */
static void leave(struct task *task, struct outbox **its_outbox)
{
	*its_outbox = NULL;
	if (!task->done)
		task_abandon(task);
}

void outbox_free(struct outbox *outbox)
{
	if (outbox == NULL)
		return;
	if (outbox->sequencer != NULL)
		leave(outbox->sequencer, &((struct round *)outbox->sequencer)->outbox);
	if (outbox->keeper != NULL)
		leave(outbox->keeper, &((struct keep *)outbox->keeper)->outbox);
	event_free(outbox->look_timer);
	event_free(outbox->keep_timer);
	free(outbox);
}
