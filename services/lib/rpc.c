/*
 * rpc.c - calling other services.
 *
 *      call --> waiting --a replica takes it--> outstanding --answer--> slot
 *                  ^                                 |
 *                  +-- not executed, or only reads --+
 *
 * A link is what the clients of one daemon share: its replicas, the calls that
 * wait for one, and the budget for second tries. A call knows whether it can have
 * been executed (its frame was handed to nanomsg); only one that was not, or that
 * only reads, is ever sent again. When no replica is up calls wait a moment, so
 * that a restart is not seen, and after that fail at once.
 */
#include "lib/rpc.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <sodium.h>

#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/envelope.h"
#include "lib/frame.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/replica.h"
#include "lib/scan.h"
#include "lib/task.h"

#define DEFAULT_WINDOW   64
#define ENVELOPE_VERSION 1
#define TICK_MS          10 /* while something is outstanding */
#define CALM_TICK_MS     100
#define STALL_MS         200 /* a tick later than this: we did not run */
#define GRACE_MS         500 /* how long calls wait when the last replica went */
#define MARGIN_MS        100 /* left to the caller at most; a tenth of its time otherwise */
#define MOVES_LIMIT      4   /* times a call that was not executed goes elsewhere */
#define BUDGET_PART      10  /* one second try per so many calls */
#define PATIENCE_MS      200 /* a call that was given less says nothing about the replica */
#define RETRY_CONNECT_MS 1000

struct method {
	char name[128];
	const ProtobufCMessageDescriptor *output;
	bool reads;
};

struct rpc_client {
	ProtobufCService base; /* first: the stubs call base.invoke */
	struct link *link;
	struct method *methods;
	struct task *parked_task; /* between rpc_begin() and the stub's invoke */
	struct rpc_answer *parked_slot;
	int parked_ms;
};

/* Lies in the arena of its task, which lives until the call is over. */
struct call {
	struct call *next; /* waiting */
	struct rpc_client *client;
	struct task *task;
	struct rpc_answer *slot;
	const struct method *method;
	unsigned char *body;
	size_t body_size;
	int64_t started_ms, deadline_ms;
	uint64_t id, frame; /* while outstanding */
	unsigned attempt;   /* second tries, and moves */
	unsigned moves;
	const struct replica *avoid; /* compared only, never followed */
};

struct link {
	struct event_base *loop;
	struct rpc_settings settings;
	struct frame_key key;
	unsigned users;
	struct endpoints *endpoints;
	char (*addresses)[ENDPOINT_SIZE];
	size_t n_addresses;
	struct replica *replicas;
	unsigned n_replicas;
	struct call *waiting, **last_waiting;
	unsigned n_waiting, outstanding;
	struct event *tick, *dispatch;
	bool calm;
	int64_t ticked_ms, up_ms; /* up_ms: when a replica was last seen up */
	int64_t unconnected_ms;   /* an address could not be opened then; 0: all are */
	uint64_t count;           /* of calls, for their ids */
	uint64_t turns;
	unsigned budget; /* in tenths of a try */
};

static struct metric answered =
	METRIC_COUNTER("causerie_rpc_calls_total", "result=\"answered\"", "Calls to other daemons");
static struct metric timed_out = METRIC_COUNTER("causerie_rpc_calls_total", "result=\"timed_out\"",
						"Calls to other daemons");
static struct metric unavailable = METRIC_COUNTER(
	"causerie_rpc_calls_total", "result=\"unavailable\"", "Calls to other daemons");
static struct metric retried =
	METRIC_COUNTER("causerie_rpc_retries_total", "", "Calls tried a second time");
static struct metric moved = METRIC_COUNTER("causerie_rpc_moves_total", "",
					    "Calls not executed that went to another replica");
static struct metric late =
	METRIC_COUNTER("causerie_rpc_late_answers_total", "", "Answers nobody waited for");
static struct metric ejected =
	METRIC_COUNTER("causerie_rpc_ejections_total", "", "Replicas left alone for a while");
static struct metric took =
	METRIC_HISTOGRAM("causerie_rpc_call_milliseconds", "", "From a call to its answer");

/* --- ending a call --- */

static void fill(struct call *call, Causerie__Code code, const char *detail)
{
	call->slot->code = code;
	call->slot->detail = detail;
}

/* The call is in no list any more. A task that is done has no eyes for its slots. */
static void end(struct call *call)
{
	struct metric *result = call->slot->code == CAUSERIE__CODE__TIMED_OUT     ? &timed_out
				: call->slot->code == CAUSERIE__CODE__UNAVAILABLE ? &unavailable
										  : &answered;

	metric_add(result, 1);
	metric_observe_ms(&took, (double)(clock_ms() - call->started_ms));
	task_answered(call->task);
}

static void fail(struct call *call, Causerie__Code code, const char *detail)
{
	fill(call, code, detail);
	end(call);
}

/* --- waiting --- */

static void wake(struct link *link)
{
	event_active(link->dispatch, 0, 0);
}

static void hurry_tick(struct link *link)
{
	const struct timeval soon = {0, TICK_MS * 1000};

	if (!link->calm)
		return;
	link->calm = false;
	event_add(link->tick, &soon);
}

static void wait_for_replica(struct link *link, struct call *call)
{
	call->next = NULL;
	*link->last_waiting = call;
	link->last_waiting = &call->next;
	link->n_waiting++;
	wake(link);
	hurry_tick(link);
}

static struct call *stop_waiting(struct link *link, struct call **at)
{
	struct call *call = *at;

	*at = call->next;
	if (call->next == NULL)
		link->last_waiting = at;
	link->n_waiting--;
	return call;
}

/* --- choosing a replica --- */

static bool usable(const struct link *link, struct replica *replica, int64_t now)
{
	if (replica->gone || replica->outstanding == link->settings.window)
		return false;
	if (breaker_is_open(&replica->breaker) &&
	    (!breaker_may_try(&replica->breaker, now) || replica->outstanding > 0))
		return false;
	return replica_takes(replica);
}

/* The one to avoid is still better than none. */
static bool better(const struct call *call, const struct replica *a, const struct replica *b)
{
	if (b == NULL)
		return true;
	if ((a == call->avoid) != (b == call->avoid))
		return b == call->avoid;
	if (a->outstanding != b->outstanding)
		return a->outstanding < b->outstanding;
	return a->used < b->used;
}

static struct replica *choose(const struct link *link, const struct call *call, int64_t now)
{
	struct replica *best = NULL;

	for (struct replica *replica = link->replicas; replica; replica = replica->next)
		if (usable(link, replica, now) && better(call, replica, best))
			best = replica;
	return best;
}

static bool any_up(const struct link *link)
{
	for (const struct replica *replica = link->replicas; replica; replica = replica->next)
		if (replica->state == REPLICA_UP && !replica->gone)
			return true;
	return false;
}

static bool another_up(const struct link *link, const struct replica *but)
{
	for (const struct replica *replica = link->replicas; replica; replica = replica->next)
		if (replica != but && replica->state == REPLICA_UP && !replica->gone &&
		    !breaker_is_open(&replica->breaker))
			return true;
	return false;
}

/* --- sending --- */

static void describe(const struct call *call, int64_t now, Causerie__Request *request,
		     Causerie__Viewer *viewer)
{
	const struct request_context *context = &call->task->context;
	union { /* protoc-c knows no const */
		const char *in;
		char *out;
	} method = {call->method->name}, trace = {context->trace},
	  key = {context->idempotency_key ? context->idempotency_key : ""},
	  caller = {call->client->link->settings.caller};

	causerie__request__init(request);
	request->version = ENVELOPE_VERSION;
	request->method = method.out;
	request->remaining_ms = (uint32_t)(call->deadline_ms - now);
	request->idempotency_key = key.out;
	request->attempt = call->attempt;
	request->trace = trace.out;
	request->caller = caller.out;
	if (context->viewer.account_id == 0 && context->viewer.roles == 0)
		return;
	causerie__viewer__init(viewer);
	viewer->account_id = context->viewer.account_id;
	viewer->roles = context->viewer.roles;
	viewer->verified = context->viewer.verified;
	request->viewer = viewer;
}

static void take_place(struct link *link, struct replica *replica, struct call *call)
{
	const unsigned place = replica->places[--replica->n_places];

	call->id = ++link->count * link->settings.window + place;
	call->frame = replica->frame;
	replica->calls[place] = call;
	replica->used = ++link->turns;
	replica->outstanding++;
	link->outstanding++;
}

static void leave_place(struct link *link, struct replica *replica, const struct call *call)
{
	const unsigned place = (unsigned)(call->id % link->settings.window);

	assert(replica->calls[place] == call);
	replica->calls[place] = NULL;
	replica->places[replica->n_places++] = place;
	replica->outstanding--;
	link->outstanding--;
}

static void send_to(struct link *link, struct replica *replica, struct call *call)
{
	Causerie__Request request;
	Causerie__Viewer viewer;
	unsigned char *at;
	size_t size;

	describe(call, replica_frame_ms(replica), &request, &viewer);
	size = envelope_size(&request.base, call->body_size);
	take_place(link, replica, call);
	at = envelope_write(replica_add(replica, call->id, size), &request.base,
			    ENVELOPE_REQUEST_BODY, call->body_size);
	if (call->body_size > 0)
		memcpy(at, call->body, call->body_size);
}

/* A call whose time is over, or that nobody is there to take; returns whether it ended. */
static bool give_up(struct link *link, struct call *call, int64_t now)
{
	if (call->task->done || now >= call->deadline_ms) {
		fail(call, CAUSERIE__CODE__UNAVAILABLE, "no replica took it in time");
		return true;
	}
	if (now - link->up_ms > GRACE_MS && !any_up(link)) {
		fail(call, CAUSERIE__CODE__UNAVAILABLE, "no replica is up");
		return true;
	}
	return false;
}

static void dispatch(struct link *link)
{
	const int64_t now = clock_ms();

	while (link->waiting != NULL) {
		struct replica *replica = choose(link, link->waiting, now);
		struct call *call;

		if (replica == NULL)
			break;
		call = stop_waiting(link, &link->waiting);
		if (!give_up(link, call, now))
			send_to(link, replica, call);
	}
}

static void on_dispatch(evutil_socket_t nothing, short events, void *link)
{
	(void)nothing;
	(void)events;
	dispatch(link);
}

/* --- second tries --- */

static bool take_budget(struct link *link)
{
	if (link->budget < BUDGET_PART)
		return false;
	link->budget -= BUDGET_PART;
	return true;
}

static void earn_budget(struct link *link)
{
	if (link->budget < 2 * BUDGET_PART * link->settings.window)
		link->budget++;
}

/* It was certainly not executed, and its replica is known to be of no use: costs nothing. */
static void move(struct link *link, struct call *call)
{
	if (call->task->done || call->moves == MOVES_LIMIT) {
		fail(call, CAUSERIE__CODE__UNAVAILABLE, "no replica would have it");
		return;
	}
	call->moves++;
	metric_add(&moved, 1);
	wait_for_replica(link, call);
}

/* Returns whether it is tried again. */
static bool retry(struct link *link, struct call *call, const struct replica *avoid)
{
	if (call->task->done || call->attempt > 0 || !take_budget(link))
		return false;
	call->attempt++;
	call->avoid = avoid;
	metric_add(&retried, 1);
	wait_for_replica(link, call);
	return true;
}

/* The replica is lost: what became of the call nobody will say. */
static void lose(struct link *link, struct replica *replica, struct call *call)
{
	leave_place(link, replica, call);
	if (call->frame == replica->frame) /* not even sent */
		move(link, call);
	else if (!call->method->reads)
		fail(call, CAUSERIE__CODE__TIMED_OUT, "the replica was lost");
	else if (!retry(link, call, replica))
		fail(call, CAUSERIE__CODE__UNAVAILABLE, "the replica was lost");
}

static void on_lost(void *argument, struct replica *replica, const char *why)
{
	struct link *link = argument;

	(void)why;
	for (unsigned place = 0; place < link->settings.window && replica->outstanding; place++)
		if (replica->calls[place] != NULL)
			lose(link, replica, replica->calls[place]);
}

static void on_ready(void *argument, struct replica *replica)
{
	(void)replica;
	wake(argument);
}

/* --- answers --- */

static void take_message(struct call *call, const Causerie__Response *response)
{
	struct limits_error wrong = {0};
	ProtobufCMessage *message;

	if (scan_unpack(&call->task->arena, call->method->output, response->body.data,
			response->body.len, &message) < 0) {
		fill(call, CAUSERIE__CODE__INTERNAL, "the reply is malformed");
	} else if (limits_check(message, &wrong, 1) > 0) {
		log_error(call->task->context.trace, "rpc.reply_refused",
			  "method=%s field=%s reason=%s", call->method->name, wrong.field,
			  wrong.reason);
		fill(call, CAUSERIE__CODE__INTERNAL, "the reply breaks its limits");
	} else {
		fill(call, CAUSERIE__CODE__OK, NULL);
		call->slot->message = message;
	}
}

static void take_answer(struct link *link, struct replica *replica, struct call *call,
			const Causerie__Response *response)
{
	switch (response->code) {
	case CAUSERIE__CODE__OK:
		take_message(call, response);
		break;
	case CAUSERIE__CODE__DRAINING:
		call->avoid = replica;
		move(link, call);
		return;
	case CAUSERIE__CODE__OVERLOADED:
	case CAUSERIE__CODE__UNAVAILABLE:
		if (another_up(link, replica) && retry(link, call, replica))
			return;
		fill(call, response->code, response->detail);
		break;
	default:
		fill(call, response->code, response->detail);
		call->slot->errors = response->errors;
		call->slot->n_errors = response->n_errors;
		break;
	}
	end(call);
}

static struct call *find(const struct link *link, const struct replica *replica, uint64_t id)
{
	struct call *call = replica->calls[id % link->settings.window];

	return call != NULL && call->id == id ? call : NULL;
}

/* The envelope alone; NULL when it is no Response. */
static const Causerie__Response *read_response(struct arena *arena, const struct frame_entry *entry)
{
	struct limits_error wrong = {0};
	ProtobufCMessage *message;

	if (scan_unpack(arena, &causerie__response__descriptor, entry->bytes, entry->size,
			&message) < 0 ||
	    limits_check(message, &wrong, 1) > 0)
		return NULL;
	return (const Causerie__Response *)message;
}

static void on_answered(void *argument, struct replica *replica, const struct frame_entry *entry,
			bool refusals_only)
{
	struct link *link = argument;
	struct call *call = find(link, replica, entry->id);
	const Causerie__Response *response;

	if (call == NULL) {
		metric_add(&late, 1);
		return;
	}
	response = read_response(&call->task->arena, entry);
	if (refusals_only && (response == NULL || response->code != CAUSERIE__CODE__DRAINING))
		return;
	leave_place(link, replica, call);
	breaker_answered(&replica->breaker, clock_ms());
	if (link->waiting != NULL)
		wake(link);
	if (response == NULL)
		fail(call, CAUSERIE__CODE__INTERNAL, "the answer is malformed");
	else if (call->task->done)
		end(call);
	else
		take_answer(link, replica, call, response);
}

/* --- time --- */

/* Never more than half of them, so that a slow dependency of all does not end in no replica. */
static bool may_eject(const struct link *link)
{
	unsigned open = 0;

	for (const struct replica *replica = link->replicas; replica; replica = replica->next)
		open += breaker_is_open(&replica->breaker);
	return (open + 1) * 2 <= link->n_replicas;
}

static void note_time_out(struct link *link, struct replica *replica, const struct call *call,
			  int64_t now)
{
	if (call->deadline_ms - call->started_ms < PATIENCE_MS ||
	    !breaker_timed_out(&replica->breaker, now))
		return;
	if (!breaker_is_open(&replica->breaker) && !may_eject(link))
		return;
	breaker_open(&replica->breaker, now);
	metric_add(&ejected, 1);
	log_warn(NULL, "rpc.replica_ejected", "address=%s ms=%d", replica->address,
		 replica->breaker.pause_ms);
}

static void expire_outstanding(struct link *link, struct replica *replica, int64_t now)
{
	for (unsigned place = 0; place < link->settings.window && replica->outstanding; place++) {
		struct call *call = replica->calls[place];

		if (call == NULL || now < call->deadline_ms)
			continue;
		leave_place(link, replica, call);
		note_time_out(link, replica, call, now);
		fail(call, CAUSERIE__CODE__TIMED_OUT, "no answer in time");
	}
}

static void expire_waiting(struct link *link, int64_t now)
{
	struct call **at = &link->waiting;

	while (*at != NULL) {
		struct call *call = *at;

		if (!call->task->done && now < call->deadline_ms &&
		    (now - link->up_ms <= GRACE_MS || any_up(link))) {
			at = &call->next;
			continue;
		}
		stop_waiting(link, at);
		give_up(link, call, now);
	}
}

static void free_replica(struct link *link, struct replica **at)
{
	struct replica *replica = *at;

	*at = replica->next;
	link->n_replicas--;
	free(replica->calls);
	free(replica->places);
	replica_free(replica);
}

static void tend_replicas(struct link *link, int64_t now)
{
	for (struct replica **at = &link->replicas; *at != NULL;) {
		struct replica *replica = *at;

		replica_tick(replica, now);
		expire_outstanding(link, replica, now);
		if (replica->gone && replica->outstanding == 0)
			free_replica(link, at);
		else
			at = &replica->next;
	}
}

static void forgive_all(struct link *link, int64_t now)
{
	for (struct replica *replica = link->replicas; replica; replica = replica->next)
		replica_forgive(replica, now);
}

static bool all_up(const struct link *link)
{
	for (const struct replica *replica = link->replicas; replica; replica = replica->next)
		if (replica->state != REPLICA_UP)
			return false;
	return link->replicas != NULL;
}

static void connect_all(struct link *);

static void on_tick(evutil_socket_t nothing, short events, void *argument)
{
	struct link *link = argument;
	const int64_t now = clock_ms();
	struct timeval pause = {0};

	(void)nothing;
	(void)events;
	if (now - link->ticked_ms > CALM_TICK_MS + STALL_MS)
		forgive_all(link, now);
	link->ticked_ms = now;
	tend_replicas(link, now);
	if (any_up(link))
		link->up_ms = now;
	if (link->unconnected_ms != 0 && now - link->unconnected_ms > RETRY_CONNECT_MS)
		connect_all(link);
	expire_waiting(link, now);
	dispatch(link);
	endpoints_hurry(link->endpoints, !all_up(link));
	link->calm = link->outstanding == 0 && link->n_waiting == 0 && all_up(link);
	pause.tv_usec = (link->calm ? CALM_TICK_MS : TICK_MS) * 1000;
	event_add(link->tick, &pause);
}

/* --- replicas come and go --- */

static const struct replica_events replica_events = {
	.answered = on_answered,
	.lost = on_lost,
	.ready = on_ready,
};

static struct replica *find_replica(const struct link *link, const char *address)
{
	for (struct replica *replica = link->replicas; replica; replica = replica->next)
		if (strcmp(replica->address, address) == 0)
			return replica;
	return NULL;
}

static int add_replica(struct link *link, const char *address)
{
	const unsigned window = link->settings.window;
	struct replica *replica =
		replica_new(link->loop, address, &link->key, &replica_events, link);

	if (replica == NULL)
		return -errno;
	replica->calls = calloc(window, sizeof *replica->calls);
	replica->places = calloc(window, sizeof *replica->places);
	if (replica->calls == NULL || replica->places == NULL)
		abort();
	while (replica->n_places < window) {
		replica->places[replica->n_places] = replica->n_places;
		replica->n_places++;
	}
	replica->broken = 0;
	replica->next = link->replicas;
	link->replicas = replica;
	link->n_replicas++;
	return 0;
}

static void connect_all(struct link *link)
{
	link->unconnected_ms = 0;
	for (size_t i = 0; i < link->n_addresses; i++) {
		struct replica *known = find_replica(link, link->addresses[i]);
		int rc = 0;

		if (known != NULL)
			known->gone = false;
		else
			rc = add_replica(link, link->addresses[i]);
		if (rc == 0)
			continue;
		log_warn(NULL, "rpc.no_socket", "address=%s error=%s", link->addresses[i],
			 strerror(-rc));
		link->unconnected_ms = clock_ms();
	}
}

static void on_addresses(void *argument, char addresses[][ENDPOINT_SIZE], size_t count)
{
	struct link *link = argument;

	link->addresses = addresses;
	link->n_addresses = count;
	for (struct replica *replica = link->replicas; replica; replica = replica->next)
		replica->gone = true;
	connect_all(link);
	hurry_tick(link);
}

/* --- starting a call --- */

static bool begins_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static bool only_reads(const char *method)
{
	static const char *const words[] = {"Get",   "List",  "Find",    "Search",
					    "Count", "Fetch", "Suggest", "Check"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (begins_with(method, words[i]))
			return true;
	return false;
}

ProtobufCService *rpc_begin_within(int ms, struct task *task, struct rpc_answer *slot,
				   struct rpc_client *client)
{
	assert(client->parked_task == NULL && ms > 0);
	*slot = (struct rpc_answer){0};
	client->parked_task = task;
	client->parked_slot = slot;
	client->parked_ms = ms;
	return &client->base;
}

ProtobufCService *rpc_begin(struct task *task, struct rpc_answer *slot, struct rpc_client *client)
{
	return rpc_begin_within(INT32_MAX, task, slot, client);
}

void rpc_arrived(const ProtobufCMessage *message, void *nothing)
{
	(void)message;
	(void)nothing;
	abort(); /* it only carries the type of the reply */
}

static int64_t time_for(const struct task *task, int at_most)
{
	const int left = task_remaining(task);
	const int margin = left / 10 < MARGIN_MS ? left / 10 : MARGIN_MS;

	return left - margin < at_most ? left - margin : at_most;
}

static struct call *new_call(struct rpc_client *client, const struct method *method,
			     const ProtobufCMessage *ask)
{
	struct task *task = client->parked_task;
	struct call *call = ARENA_NEW(&task->arena, struct call);

	call->client = client;
	call->task = task;
	call->slot = client->parked_slot;
	call->method = method;
	call->started_ms = clock_ms();
	call->deadline_ms = call->started_ms + time_for(task, client->parked_ms);
	call->body_size = protobuf_c_message_get_packed_size(ask);
	if (call->body_size <= FRAME_BODY) {
		call->body = arena_alloc(&task->arena, call->body_size);
		protobuf_c_message_pack(ask, call->body);
	}
	client->parked_task = NULL;
	return call;
}

static void invoke(ProtobufCService *service, unsigned index, const ProtobufCMessage *ask,
		   ProtobufCClosure closure, void *closure_data)
{
	struct rpc_client *client = (struct rpc_client *)service;
	struct link *link = client->link;
	struct call *call;

	(void)closure;
	(void)closure_data;
	assert(client->parked_task != NULL && index < service->descriptor->n_methods);
	call = new_call(client, &client->methods[index], ask);
	task_wait(call->task);
	earn_budget(link);
	if (call->body_size > FRAME_BODY)
		fail(call, CAUSERIE__CODE__INVALID, "the request is too large");
	else if (link->n_waiting >= link->settings.window * (link->n_replicas + 1))
		fail(call, CAUSERIE__CODE__UNAVAILABLE, "too many calls wait");
	else if (!give_up(link, call, call->started_ms))
		wait_for_replica(link, call);
}

/* --- life --- */

static struct event *new_event(struct link *link, event_callback_fn callback)
{
	struct event *event = event_new(link->loop, -1, 0, callback, link);

	if (event == NULL)
		abort();
	return event;
}

static struct link *new_link(struct event_base *loop, const struct rpc_settings *settings)
{
	struct link *link = calloc(1, sizeof *link);

	if (link == NULL)
		abort();
	link->loop = loop;
	link->settings = *settings;
	if (link->settings.window == 0)
		link->settings.window = DEFAULT_WINDOW;
	link->endpoints = endpoints_new(loop, settings->peers, on_addresses, link);
	if (link->endpoints == NULL) {
		free(link);
		return NULL;
	}
	frame_key_init(&link->key, settings->key);
	link->last_waiting = &link->waiting;
	link->ticked_ms = link->up_ms = clock_ms();
	link->count = (uint64_t)randombytes_random()
		      << 16; /* an earlier process's ids are not ours */
	link->budget = 2 * BUDGET_PART * link->settings.window;
	link->tick = new_event(link, on_tick);
	link->dispatch = new_event(link, on_dispatch);
	link->calm = true;
	hurry_tick(link);
	return link;
}

static void free_link(struct link *link)
{
	while (link->replicas != NULL)
		free_replica(link, &link->replicas);
	endpoints_free(link->endpoints);
	event_free(link->tick);
	event_free(link->dispatch);
	free(link);
}

static void register_metrics(void)
{
	struct metric *const all[] = {&answered, &timed_out, &unavailable, &retried,
				      &moved,    &late,      &ejected,     &took};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		metric_register(all[i]);
}

static struct rpc_client *new_client(struct link *link, const ProtobufCServiceDescriptor *type)
{
	struct rpc_client *client = calloc(1, sizeof *client);

	if (client == NULL)
		abort();
	client->base.descriptor = type;
	client->base.invoke = invoke;
	client->link = link;
	client->methods = calloc(type->n_methods ? type->n_methods : 1, sizeof *client->methods);
	if (client->methods == NULL)
		abort();
	for (unsigned i = 0; i < type->n_methods; i++) {
		struct method *method = &client->methods[i];
		const int length = snprintf(method->name, sizeof method->name, "%s/%s", type->name,
					    type->methods[i].name);

		assert(length > 0 && (size_t)length < sizeof method->name);
		method->output = type->methods[i].output;
		method->reads = only_reads(type->methods[i].name);
	}
	link->users++;
	return client;
}

struct rpc_client *rpc_client_new(struct event_base *loop, const ProtobufCServiceDescriptor *type,
				  const struct rpc_settings *settings)
{
	struct link *link = new_link(loop, settings);

	register_metrics();
	return link ? new_client(link, type) : NULL;
}

struct rpc_client *rpc_client_also(struct rpc_client *client,
				   const ProtobufCServiceDescriptor *type)
{
	return new_client(client->link, type);
}

/* Its calls end unanswered; a task that is waiting for one goes on. */
static void drop_calls(struct rpc_client *client)
{
	struct link *link = client->link;

	for (struct call **at = &link->waiting; *at != NULL;) {
		if ((*at)->client == client)
			fail(stop_waiting(link, at), CAUSERIE__CODE__UNAVAILABLE, "closing");
		else
			at = &(*at)->next;
	}
	for (struct replica *replica = link->replicas; replica; replica = replica->next) {
		for (unsigned place = 0; place < link->settings.window; place++) {
			struct call *call = replica->calls[place];

			if (call == NULL || call->client != client)
				continue;
			leave_place(link, replica, call);
			fail(call, CAUSERIE__CODE__TIMED_OUT, "closing");
		}
	}
}

void rpc_client_free(struct rpc_client *client)
{
	if (client == NULL)
		return;
	drop_calls(client);
	if (--client->link->users == 0)
		free_link(client->link);
	free(client->methods);
	free(client);
}

bool rpc_client_up(const struct rpc_client *client)
{
	return any_up(client->link);
}
