/*
 * consumer.c - pulls events after a cursor and lets each take effect once.
 *
 *      find_place --> fetch --+--(in memory)-- apply all
 *                             |
 *                             +--(stored)--> count --> affect --> affected --+
 *                                              ^ |                           |
 *                                              | +--(tried too often)--> park|
 *                                              +---------(more of them)------+
 *
 *      with nothing to do, a dead letter that an operator wants tried again:
 *      take_events --> take_letter --> try_letter --> letter_tried
 *
 * One round is a task; when it is over the next one starts: at once while there is
 * more, on a hint, or within a second. A round keeps nothing but the position, so
 * one that fails or is cut off anywhere is simply followed by another. Who moves the
 * stored cursor first wins, and a round that finds it moved reads it again.
 *
 * A batch of effects that fails is taken back as a whole and tried again event by
 * event, so that the one at fault is known and its neighbours are not counted with it.
 */
#include "lib/consumer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <sodium.h>

#include "lib/bus.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/queries.h"
#include "lib/rpc.h"
#include "lib/scan.h"
#include "lib/sql.h"
#include "lib/task.h"

#define BATCH          200
#define EFFECTS        50 /* events whose effects are one transaction */
#define TRIES          10
#define PAUSE_MS       200 /* before the second try; doubles */
#define ROUND_MS       5000
#define ASK_MS         1000 /* with nothing to do, with a fifth of jitter */
#define ASK_AGAIN_MS   20   /* a hint told of more than was there to read */
#define ASK_AGAIN      50   /* so often; then the hint was wrong */
#define BACKOFF_MS     50
#define BACKOFF_MAX_MS 2000
#define TROUBLE_MS     5000 /* somebody may have put it right */

struct round;

struct consumer {
	struct consumer_settings settings;
	struct event_base *loop;
	struct rpc_client *events;
	struct bus_listener *hints;
	struct event *timer;
	struct round *round; /* running, or NULL */

	bool placed; /* epoch and seq are known; stored: lately read or moved by us */
	uint64_t epoch, seq;
	uint64_t told;        /* a hint's head, 0 when it was reached or given up */
	unsigned told_for;    /* rounds that did not find it */
	uint64_t alone_until; /* up to this event, one at a time */
	char sqlstate[6];     /* of the last failure, for the dead letter */

	int backoff_ms;
	bool waits_for_restart; /* lost() was called */
	const char *trouble;
	int64_t complete_ms; /* when it last had everything */
};

enum outcome {
	FAILED, /* also when the deadline cut it off */
	IDLE,
	MORE,
	LATER, /* the next event's pause is not over */
};

/* Events in a row that one statement takes together. */
struct gathered {
	const struct sql_query *query;
	const struct sql_param *rows[EFFECTS];
	size_t n;
	uint64_t from, to;
};

struct round {
	struct task task;
	struct consumer *consumer; /* NULL: it is gone */
	struct sql_slot place, begun, attempt, forgiven, parked;
	RPC_SLOT(Causerie__FetchEventsReply) fetched;
	size_t at; /* events of the reply that took effect */

	struct sql_statement
		*statements; /* of the batch in progress, and what each moves the cursor to */
	uint64_t *moves;
	size_t n_statements, n_events;
	struct gathered gathered;

	struct sql_slot letter; /* a dead letter's row, and whose cursor moves for it */
	const char *letter_place;
	uint64_t letter_epoch;
	enum outcome outcome;
};

static struct metric applied_metric =
	METRIC_COUNTER("causerie_consumer_events_total", "", "Events that took effect");
static struct metric parked_metric = METRIC_COUNTER("causerie_consumer_parked_total", "",
						    "Events passed over after ten failures");
static struct metric trouble_metric =
	METRIC_GAUGE("causerie_consumer_stopped", "", "Consumers that need somebody");

static task_step find_place, take_place, fetch, take_events, count, affect, affected, park, parked,
	begun, take_letter, try_letter, letter_tried;

/* --- rounds --- */

static void arm(struct consumer *consumer, int ms)
{
	const struct timeval in = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(consumer->timer, &in);
}

static int with_jitter(int ms)
{
	return ms - ms / 5 + (int)(random() % (2 * ms / 5 + 1));
}

static int back_off(struct consumer *consumer)
{
	const int pause = consumer->backoff_ms;

	consumer->backoff_ms = pause * 2 < BACKOFF_MAX_MS ? pause * 2 : BACKOFF_MAX_MS;
	return with_jitter(pause);
}

/* How long until the next round. */
static int pause_after(struct consumer *consumer, const struct round *round)
{
	if (consumer->trouble != NULL)
		return TROUBLE_MS;
	if (round->outcome == FAILED)
		return back_off(consumer);
	consumer->backoff_ms = BACKOFF_MS;
	if (round->outcome == MORE)
		return 0;
	if (round->outcome == LATER)
		return with_jitter(PAUSE_MS);
	if (consumer->told > consumer->seq && ++consumer->told_for <= ASK_AGAIN)
		return ASK_AGAIN_MS;
	consumer->told = 0;
	return with_jitter(ASK_MS);
}

static void on_round_over(void *argument)
{
	const struct round *round = argument;
	struct consumer *consumer = round->consumer;

	if (consumer == NULL)
		return;
	consumer->round = NULL;
	if (!consumer->waits_for_restart)
		arm(consumer, pause_after(consumer, round));
}

static void on_timer(evutil_socket_t nothing, short events, void *argument)
{
	static const struct request_context background = {.trace = ""};
	struct consumer *consumer = argument;
	struct arena arena = {0};
	struct round *round = task_new(consumer->loop, &arena, sizeof *round, task_then(find_place),
				       task_done(), ROUND_MS, &background);

	(void)nothing;
	(void)events;
	round->consumer = consumer;
	consumer->round = round;
	arena_defer(&round->task.arena, on_round_over, round);
}

static void on_hint(void *argument, uint64_t epoch, uint64_t head)
{
	struct consumer *consumer = argument;

	if (consumer->placed && (epoch != consumer->epoch || head <= consumer->seq))
		return;
	consumer->told = head;
	consumer->told_for = 0;
	if (consumer->round == NULL && consumer->trouble == NULL && !consumer->waits_for_restart &&
	    consumer->backoff_ms == BACKOFF_MS)
		arm(consumer, 0);
}

static bool is_stored(const struct consumer *consumer)
{
	return consumer->settings.choose != NULL;
}

static struct step end(struct round *round, enum outcome outcome)
{
	round->outcome = outcome;
	return task_done();
}

/* --- where we are --- */

/* The parameters that every statement of ours may name. */
#define PLACE_OF(name, consumer, epoch_)                                                           \
	{"consumer", sql_text(name)}, {"source", sql_text((consumer)->settings.source)},           \
	{                                                                                          \
		"epoch", sql_id(epoch_)                                                            \
	}
#define PLACE(consumer) PLACE_OF((consumer)->settings.name, consumer, (consumer)->epoch)

/* Where an effect moves a cursor: ours, or a dead letter's own. */
#define PLACE_MOVED(round)                                                                         \
	PLACE_OF((round)->letter_place ? (round)->letter_place : (round)->consumer->settings.name, \
		 (round)->consumer,                                                                \
		 (round)->letter_place ? (round)->letter_epoch : (round)->consumer->epoch)

#define RUN(task, slot, query, message, ...)                                                       \
	SQL_NAMED((task), (slot), ((struct round *)(task))->consumer->settings.sql, (query),       \
		  (message), PLACE(((struct round *)(task))->consumer), __VA_ARGS__)

static struct step find_place(struct task *task)
{
	struct round *round = (struct round *)task;
	struct consumer *consumer = round->consumer;
	const struct sql_named place[] = {PLACE(consumer)};

	if (consumer->trouble != NULL)
		consumer->placed = false;
	if (consumer->placed || !is_stored(consumer))
		return fetch(task);
	sql_run_message(task, &round->place, consumer->settings.sql, &cursor_read_sql, NULL, place,
			3);
	return task_then(take_place);
}

static struct step take_place(struct task *task)
{
	struct round *round = (struct round *)task;
	struct consumer *consumer = round->consumer;

	if (round->place.state != SQL_DONE)
		return end(round, FAILED);
	if (round->place.rows == 1) {
		consumer->placed = true;
		consumer->epoch = (uint64_t)sql_get_integer(&round->place, 0, "epoch");
		consumer->seq = (uint64_t)sql_get_integer(&round->place, 0, "seq");
	}
	return fetch(task);
}

static struct step fetch(struct task *task)
{
	struct round *round = (struct round *)task;
	struct consumer *consumer = round->consumer;
	const struct consumer_settings *settings = &consumer->settings;
	Causerie__FetchEventsRequest ask;

	causerie__fetch_events_request__init(&ask);
	ask.epoch = consumer->placed ? consumer->epoch : settings->start_epoch;
	ask.after = consumer->placed ? consumer->seq : settings->start;
	if (ask.after > INT64_MAX)
		ask.after = INT64_MAX;
	ask.limit = settings->batch;
	if (is_stored(consumer)) /* what is in memory can be rebuilt, nothing is kept for it */
		ask.consumer = arena_strdup(&task->arena, settings->name);
	RPC_CALL(task, &round->fetched, causerie__events__fetch, consumer->events, &ask);
	return task_then(take_events);
}

/* --- what came --- */

/* What is wrong between our position and the owner's, or NULL. */
static const char *mismatch(const struct consumer *consumer,
			    const Causerie__FetchEventsReply *reply)
{
	if (reply->epoch != consumer->epoch)
		return "the owner's epoch is another one: it was restored or made anew";
	if (reply->head < consumer->seq)
		return "the owner's head is below the cursor: it was restored";
	if (reply->oldest > consumer->seq + 1)
		return "events were deleted before they were read";
	for (size_t i = 0; i < reply->n_events; i++)
		if (reply->events[i]->seq != consumer->seq + 1 + i)
			return "the owner's numbers have a gap";
	return NULL;
}

static void set_trouble(struct consumer *consumer, const char *trouble)
{
	if (trouble != NULL && consumer->trouble == NULL)
		log_error(NULL, "consumer.stopped",
			  "consumer=%s source=%s reason=%s epoch=%" PRIu64 " seq=%" PRIu64,
			  consumer->settings.name, consumer->settings.source, trouble,
			  consumer->epoch, consumer->seq);
	if (trouble == NULL && consumer->trouble != NULL)
		log_info(NULL, "consumer.goes_on",
			 "consumer=%s source=%s epoch=%" PRIu64 " seq=%" PRIu64,
			 consumer->settings.name, consumer->settings.source, consumer->epoch,
			 consumer->seq);
	metric_add(&trouble_metric, (trouble != NULL) - (consumer->trouble != NULL));
	consumer->trouble = trouble;
}

static struct step lose(struct round *round, const char *reason)
{
	struct consumer *consumer = round->consumer;

	if (is_stored(consumer)) {
		set_trouble(consumer, reason);
		return end(round, FAILED);
	}
	log_warn(NULL, "consumer.lost", "consumer=%s source=%s reason=%s", consumer->settings.name,
		 consumer->settings.source, reason);
	consumer->waits_for_restart = true;
	consumer->settings.lost(consumer->settings.argument);
	return end(round, FAILED);
}

/* The first answer says which epoch it is, and where the end. */
static struct step begin(struct round *round)
{
	struct consumer *consumer = round->consumer;
	const Causerie__FetchEventsReply *reply = round->fetched.reply;

	consumer->epoch =
		consumer->settings.start_epoch ? consumer->settings.start_epoch : reply->epoch;
	consumer->seq =
		consumer->settings.start == UINT64_MAX ? reply->head : consumer->settings.start;
	if (!is_stored(consumer)) {
		consumer->placed = true;
		return take_events(&round->task);
	}
	RUN(&round->task, &round->begun, &cursor_begin_sql, NULL,
	    {"seq", sql_integer((int64_t)consumer->seq)});
	return task_then(begun);
}

/* Another replica may have begun elsewhere: the row decides. */
static struct step begun(struct task *task)
{
	struct round *round = (struct round *)task;

	return end(round, round->begun.state == SQL_DONE ? MORE : FAILED);
}

static void note_complete(struct consumer *consumer, const Causerie__FetchEventsReply *reply)
{
	if (consumer->seq == reply->head)
		consumer->complete_ms = clock_ms();
}

static struct step apply_all(struct round *round)
{
	struct consumer *consumer = round->consumer;
	const Causerie__FetchEventsReply *reply = round->fetched.reply;

	for (size_t i = 0; i < reply->n_events; i++) {
		consumer->seq = reply->events[i]->seq;
		consumer->settings.apply(consumer->settings.argument, reply->events[i]);
		metric_add(&applied_metric, 1);
	}
	note_complete(consumer, reply);
	return end(round, reply->head > consumer->seq ? MORE : IDLE);
}

static struct step take_events(struct task *task)
{
	struct round *round = (struct round *)task;
	struct consumer *consumer = round->consumer;
	const Causerie__FetchEventsReply *reply = round->fetched.reply;
	const char *wrong;

	if (reply == NULL)
		return end(round, FAILED);
	if (!consumer->placed)
		return begin(round);
	wrong = mismatch(consumer, reply);
	if (wrong != NULL)
		return lose(round, wrong);

	set_trouble(consumer, NULL);
	if (!is_stored(consumer))
		return apply_all(round);
	if (reply->n_events == 0) {
		note_complete(consumer, reply);
		return take_letter(task);
	}
	return count(task);
}

/* --- stored effects --- */

static const Causerie__Event *next_event(const struct round *round)
{
	return round->fetched.reply->events[round->at];
}

static const Causerie__Event *last_event(const struct round *round)
{
	const Causerie__FetchEventsReply *reply = round->fetched.reply;

	return reply->events[reply->n_events - 1];
}

/* Before the effect, so that an event that ends the daemon is counted, too. */
static struct step count(struct task *task)
{
	struct round *round = (struct round *)task;

	RUN(task, &round->attempt, &attempt_count_sql, NULL,
	    {"seq", sql_id(next_event(round)->seq)}, {"pause_ms", sql_integer(PAUSE_MS)});
	return task_then(affect);
}

static void begin_statements(struct round *round)
{
	round->statements = ARENA_ARRAY(&round->task.arena, struct sql_statement, 2 * EFFECTS + 1);
	round->moves = ARENA_ARRAY(&round->task.arena, uint64_t, 2 * EFFECTS + 1);
	round->n_statements = 0;
}

static void add_statement(struct round *round, const struct sql_query *query, uint64_t to,
			  const struct sql_param *params)
{
	struct sql_slot *slot = ARENA_NEW(&round->task.arena, struct sql_slot);

	round->moves[round->n_statements] = to;
	round->statements[round->n_statements++] = (struct sql_statement){query, params, slot};
}

/* One statement passes over all events from the last effect to this one. */
static void pass_over(struct round *round, uint64_t from, uint64_t to)
{
	const struct sql_named extra[] = {PLACE_MOVED(round),
					  {"from", sql_integer((int64_t)from)},
					  {"to", sql_integer((int64_t)to)}};

	if (from < to)
		add_statement(round, &cursor_move_sql, to,
			      sql_bind(&round->task, &cursor_move_sql, NULL, extra, 5));
}

/* The event's values; :from and :to are not the event's. */
static const struct sql_param *bind_event(struct round *round, const struct sql_query *query,
					  const Causerie__Event *event)
{
	const struct sql_named extra[] = {PLACE_MOVED(round),
					  {"trace", sql_text(event->trace)},
					  {"from", sql_null()},
					  {"to", sql_null()}};

	return sql_bind(&round->task, query, &event->base, extra, 6);
}

static bool gathers(const struct sql_query *query)
{
	for (size_t i = 0; i < query->n_parameters; i++)
		if (strcmp(query->parameters[i], "to") == 0)
			return true;
	return false;
}

/* What is one value for all events; false: a field of theirs. */
static bool is_place(const struct round *round, const char *name, struct sql_param *value)
{
	const struct gathered *gathered = &round->gathered;
	const struct sql_named place[] = {PLACE_MOVED(round),
					  {"from", sql_integer((int64_t)gathered->from)},
					  {"to", sql_integer((int64_t)gathered->to)}};

	for (size_t i = 0; i < sizeof place / sizeof place[0]; i++)
		if (strcmp(name, place[i].name) == 0) {
			*value = place[i].value;
			return true;
		}
	return false;
}

static void add_gathered(struct round *round)
{
	struct gathered *gathered = &round->gathered;
	const struct sql_query *query = gathered->query;
	struct sql_param *params;

	if (gathered->n == 0)
		return;
	params = ARENA_ARRAY(&round->task.arena, struct sql_param, query->n_parameters);
	for (size_t i = 0; i < query->n_parameters; i++)
		if (!is_place(round, query->parameters[i], &params[i]))
			params[i] = sql_column(&round->task.arena, gathered->rows, gathered->n, i);
	add_statement(round, query, gathered->to, params);
	gathered->n = 0;
}

static void gather(struct round *round, const struct sql_query *query, const Causerie__Event *event,
		   uint64_t reached)
{
	struct gathered *gathered = &round->gathered;

	if (gathered->n > 0 && gathered->query != query)
		add_gathered(round);
	if (gathered->n == 0) {
		gathered->query = query;
		gathered->from = reached;
	}
	gathered->rows[gathered->n++] = bind_event(round, query, event);
	gathered->to = event->seq;
}

static void add_effect(struct round *round, const struct sql_query *query,
		       const Causerie__Event *event, uint64_t reached)
{
	if (query != NULL && gathers(query)) {
		gather(round, query, event, reached);
		return;
	}
	add_gathered(round);
	pass_over(round, reached, query ? event->seq - 1 : event->seq);
	if (query != NULL)
		add_statement(round, query, event->seq, bind_event(round, query, event));
}

/* Collects what the next events need; at least one event, one alone while a failure is near. */
static void collect(struct round *round)
{
	struct consumer *consumer = round->consumer;
	const Causerie__FetchEventsReply *reply = round->fetched.reply;
	const size_t most = next_event(round)->seq <= consumer->alone_until ? 1 : EFFECTS;
	uint64_t reached = consumer->seq;
	size_t n = 0, effects = 0;

	begin_statements(round);
	for (; round->at + n < reply->n_events && effects < most; n++) {
		const Causerie__Event *event = reply->events[round->at + n];
		const struct sql_query *query =
			consumer->settings.choose(consumer->settings.argument, event);

		if (query == NULL && most > 1)
			continue;
		effects++;
		add_effect(round, query, event, reached);
		reached = event->seq;
	}
	add_gathered(round);
	round->n_events = n;
	pass_over(round, reached, reply->events[round->at + n - 1]->seq);
}

static struct step affect(struct task *task)
{
	struct round *round = (struct round *)task;
	struct consumer *consumer = round->consumer;
	int64_t tries;

	if (round->attempt.state != SQL_DONE)
		return end(round, FAILED);
	if (round->attempt.rows == 0) { /* tried lately, perhaps by another replica */
		consumer->placed = false;
		return end(round, LATER);
	}
	tries = sql_get_integer(&round->attempt, 0, "tries");
	if (tries > 1) /* which event of the batch it was shows when each is tried alone */
		consumer->alone_until = last_event(round)->seq;
	if (tries > TRIES)
		return park(task);

	collect(round);
	sql_run_together(task, consumer->settings.sql, round->statements, round->n_statements);
	return task_then(affected);
}

/* Whether every statement moved the cursor; the position follows those that did. */
static bool all_moved(struct round *round)
{
	for (size_t i = 0; i < round->n_statements; i++) {
		const struct sql_slot *slot = round->statements[i].slot;

		if (slot->rows == 0 || sql_get_integer(slot, 0, "moved") == 0)
			return false;
		round->consumer->seq = round->moves[i];
	}
	return true;
}

/* Reasons that are not the event's: serialization, resources, locks, cancelled, system. */
static bool is_passing(const char *sqlstate)
{
	return strncmp(sqlstate, "40", 2) == 0 || strncmp(sqlstate, "53", 2) == 0 ||
	       strncmp(sqlstate, "55", 2) == 0 || strncmp(sqlstate, "57", 2) == 0 ||
	       strncmp(sqlstate, "58", 2) == 0;
}

/* The statement at fault; NULL when none was refused for its own sake. */
static const struct sql_slot *fault(const struct round *round, uint64_t *seq)
{
	for (size_t i = 0; i < round->n_statements; i++) {
		const struct sql_slot *slot = round->statements[i].slot;

		if (slot->state != SQL_REFUSED || strcmp(slot->sqlstate, "25P02") == 0)
			continue;
		*seq = round->moves[i];
		return is_passing(slot->sqlstate) ? NULL : slot;
	}
	return NULL;
}

static struct step forgive(struct round *round)
{
	RUN(&round->task, &round->forgiven, &attempt_forgive_sql, NULL,
	    {"seq", sql_id(next_event(round)->seq)});
	return task_done();
}

/* An event failed by itself: said at the first of its tries. */
static void note_failure(struct round *round, const struct sql_slot *slot)
{
	struct consumer *consumer = round->consumer;
	const Causerie__Event *event = next_event(round);

	memcpy(consumer->sqlstate, slot->sqlstate, sizeof consumer->sqlstate);
	if (sql_get_integer(&round->attempt, 0, "tries") == 1)
		log_warn(event->trace, "consumer.event_failed",
			 "consumer=%s source=%s seq=%" PRIu64 " type=%s statement=%s sqlstate=%s",
			 consumer->settings.name, consumer->settings.source, event->seq,
			 event->type, round->statements[0].query->name, slot->sqlstate);
}

static struct step fail(struct round *round)
{
	struct consumer *consumer = round->consumer;
	uint64_t seq = 0;
	const struct sql_slot *slot = fault(round, &seq);

	consumer->placed = false;
	round->outcome = FAILED;
	if (slot == NULL)
		return forgive(round);
	if (round->n_events > 1) {
		consumer->alone_until = seq;
		round->outcome = MORE;
		return forgive(round);
	}
	note_failure(round, slot);
	return end(round, LATER);
}

static struct step affected(struct task *task)
{
	struct round *round = (struct round *)task;
	struct consumer *consumer = round->consumer;
	const Causerie__FetchEventsReply *reply = round->fetched.reply;

	for (size_t i = 0; i < round->n_statements; i++)
		if (round->statements[i].slot->state != SQL_DONE)
			return fail(round);
	if (!all_moved(round)) { /* another replica was here */
		consumer->placed = false;
		return end(round, MORE);
	}
	metric_add(&applied_metric, (double)round->n_events);
	round->at += round->n_events;
	if (round->at < reply->n_events && task_remaining(task) > ROUND_MS / 2)
		return count(task);
	note_complete(consumer, reply);
	return end(round, reply->head > consumer->seq ? MORE : IDLE);
}

/* --- given up --- */

static struct step park(struct task *task)
{
	struct round *round = (struct round *)task;
	const Causerie__Event *event = next_event(round);
	const size_t size = protobuf_c_message_get_packed_size(&event->base);
	unsigned char *packed = arena_alloc(&task->arena, size);
	const char *sqlstate = round->consumer->sqlstate;

	protobuf_c_message_pack(&event->base, packed);
	RUN(task, &round->parked, &park_event_sql, &event->base, {"event", sql_bytes(packed, size)},
	    {"sqlstate", *sqlstate ? sql_text(sqlstate) : sql_null()});
	return task_then(parked);
}

static struct step parked(struct task *task)
{
	struct round *round = (struct round *)task;
	struct consumer *consumer = round->consumer;
	const Causerie__Event *event = next_event(round);

	consumer->placed = false;
	if (round->parked.state != SQL_DONE)
		return end(round, FAILED);
	if (sql_get_integer(&round->parked, 0, "moved") == 1) {
		metric_add(&parked_metric, 1);
		log_error(event->trace, "consumer.event_parked",
			  "consumer=%s source=%s seq=%" PRIu64 " type=%s sqlstate=%s next=%s",
			  consumer->settings.name, consumer->settings.source, event->seq,
			  event->type, consumer->sqlstate, "--dead-letters");
	}
	consumer->sqlstate[0] = '\0';
	return end(round, MORE);
}

/* --- tried again by hand (lib/dead_letters.h) --- */

static struct step take_letter(struct task *task)
{
	struct round *round = (struct round *)task;
	const struct sql_named place[] = {PLACE(round->consumer)};

	sql_run_message(task, &round->letter, round->consumer->settings.sql, &dead_letter_take_sql,
			NULL, place, 3);
	return task_then(try_letter);
}

/* NULL for what was not written by us, or by a later build. */
static const Causerie__Event *read_letter(struct round *round)
{
	struct arena *arena = &round->task.arena;
	const char *hex = sql_get_text(&round->letter, 0, "event") + strlen("\\x");
	const size_t most = strlen(hex) / 2;
	unsigned char *bytes = arena_alloc(arena, most + 1);
	ProtobufCMessage *event;
	size_t size;

	if (sodium_hex2bin(bytes, most, hex, 2 * most, NULL, &size, NULL) != 0 ||
	    scan_unpack(arena, &causerie__event__descriptor, bytes, size, &event) < 0)
		return NULL;
	return (const Causerie__Event *)event;
}

/* The effect's statement finds a cursor that stands before this event, and nobody else's. */
static struct step try_letter(struct task *task)
{
	struct round *round = (struct round *)task;
	struct consumer *consumer = round->consumer;
	const Causerie__Event *event;
	uint64_t seq;

	if (round->letter.state != SQL_DONE || round->letter.rows == 0)
		return end(round, IDLE);
	event = read_letter(round);
	if (event == NULL) {
		log_warn(NULL, "consumer.letter_broken", "consumer=%s source=%s seq=%s",
			 consumer->settings.name, consumer->settings.source,
			 sql_get_text(&round->letter, 0, "seq"));
		return end(round, IDLE);
	}
	seq = event->seq;
	round->letter_epoch = (uint64_t)sql_get_integer(&round->letter, 0, "epoch");
	round->letter_place = arena_printf(&task->arena, "%s again", consumer->settings.name);
	const struct sql_named own[] = {
		PLACE_OF(consumer->settings.name, consumer, round->letter_epoch),
		{"seq", sql_integer((int64_t)seq)}};

	begin_statements(round);
	add_statement(round, &dead_letter_begin_sql, seq,
		      sql_bind(task, &dead_letter_begin_sql, NULL, own, 4));
	add_effect(round, consumer->settings.choose(consumer->settings.argument, event), event,
		   seq - 1);
	add_gathered(round);
	add_statement(round, &dead_letter_end_sql, seq,
		      sql_bind(task, &dead_letter_end_sql, NULL, own, 4));
	sql_run_together(task, consumer->settings.sql, round->statements, round->n_statements);
	return task_then(letter_tried);
}

static struct step letter_tried(struct task *task)
{
	struct round *round = (struct round *)task;
	const struct consumer_settings *settings = &round->consumer->settings;
	const struct sql_slot *last = round->statements[round->n_statements - 1].slot;
	const char *seq = sql_get_text(&round->letter, 0, "seq");

	if (last->state == SQL_DONE && last->affected == 1) {
		log_info(NULL, "consumer.letter_applied", "consumer=%s source=%s seq=%s",
			 settings->name, settings->source, seq);
		return end(round, MORE);
	}
	for (size_t i = 0; i < round->n_statements; i++)
		if (strcmp(round->statements[i].slot->sqlstate, "25P02") != 0)
			last = round->statements[i].slot;
	log_warn(NULL, "consumer.letter_failed", "consumer=%s source=%s seq=%s sqlstate=%s",
		 settings->name, settings->source, seq, last->sqlstate);
	return end(round, MORE);
}

/* --- --- */

struct consumer *consumer_new(struct event_base *loop, const struct consumer_settings *settings)
{
	struct consumer *consumer = calloc(1, sizeof *consumer);

	if (consumer == NULL)
		abort();
	if (settings->choose != NULL)
		assert(settings->sql != NULL && settings->apply == NULL);
	else
		assert(settings->apply != NULL && settings->lost != NULL);
	consumer->settings = *settings;
	if (consumer->settings.batch == 0)
		consumer->settings.batch = BATCH;
	consumer->loop = loop;
	consumer->backoff_ms = BACKOFF_MS;
	consumer->complete_ms = INT64_MIN;
	consumer->events = rpc_client_also(settings->owner, &causerie__events__descriptor);
	consumer->hints = bus_listener_new(loop, settings->peers, settings->key, on_hint, consumer);
	consumer->timer = evtimer_new(loop, on_timer, consumer);
	if (consumer->events == NULL || consumer->hints == NULL || consumer->timer == NULL)
		abort();
	arm(consumer, 0);
	metric_register(&applied_metric);
	metric_register(&trouble_metric);
	return consumer;
}

void consumer_free(struct consumer *consumer)
{
	if (consumer == NULL)
		return;
	event_free(consumer->timer);
	if (consumer->round != NULL) {
		consumer->round->consumer = NULL;
		if (!consumer->round->task.done)
			task_abandon(&consumer->round->task);
	}
	bus_listener_free(consumer->hints);
	rpc_client_free(consumer->events);
	free(consumer);
}

void consumer_restart(struct consumer *consumer, uint64_t epoch, uint64_t seq)
{
	assert(!is_stored(consumer));
	consumer->waits_for_restart = false;
	consumer->placed = true;
	consumer->epoch = epoch;
	consumer->seq = seq;
	consumer->told = 0;
	if (consumer->round == NULL)
		arm(consumer, 0);
}

uint64_t consumer_position(const struct consumer *consumer, uint64_t *epoch)
{
	if (epoch != NULL)
		*epoch = consumer->epoch;
	return consumer->seq;
}

const char *consumer_trouble(const struct consumer *consumer)
{
	return consumer->trouble;
}

int64_t consumer_staleness_ms(const struct consumer *consumer)
{
	return consumer->complete_ms == INT64_MIN ? INT64_MAX : clock_ms() - consumer->complete_ms;
}
