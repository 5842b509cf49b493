/*
 * rpc_server.c - answering other services.
 *
 *      frame --authentic, in order?--> each request --known, fresh, not one too
 *      many, within limits?--> handler's task --reply--> the peer's queue --> frame
 *
 * A peer is one connection of a client. Raw REP drops what its connection does
 * not take at once, without a word, and gives no sign of it (measured: 35,940 of
 * 40,000 replies). So answers are sent on credit: every frame says how far its
 * sender has read (seen), and no more than FRAME_CREDIT is under way when the
 * next frame of answers is handed over; the kernel's buffers hold that much.
 *
 * A request's age is known exactly enough, whatever delayed it: its frame says
 * when it was sent on this server's own clock (see frame.h). A replica that was
 * stopped for half a minute wakes up to a queue of requests and executes none
 * whose caller has given up.
 */
#include "lib/rpc_server.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <nanomsg/reqrep.h>

#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/envelope.h"
#include "lib/frame.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/nano.h"
#include "lib/scan.h"
#include "lib/sql.h"

#define DEFAULT_LIMIT    256
#define ENVELOPE_VERSION 1
#define FRAMES_A_TURN    64
#define PEERS_LIMIT      1024
#define PEER_IDLE_MS     60000              /* clients say something every few seconds */
#define QUEUE_LIMIT      ((size_t)32 << 20) /* answers that wait for credit, all peers */
#define SWEEP_MS         1000
#define LINGER_MS        200 /* NN_LINGER does nothing: what was sent last needs time to leave */
#define SLOW_MS          500
#define REFUSAL_MS       2000 /* nobody waits longer for a refusal */
#define ERRORS_LIMIT     8
#define ROUTE_ID_BIT     0x80

struct method {
	char name[128]; /* "causerie.Topics/GetTopic", as in the envelope */
	ProtobufCService *service;
	unsigned index;
	const ProtobufCMessageDescriptor *input;
	struct metric *took;
};

/* A packed Response on its way. */
struct reply {
	struct reply *next;
	uint64_t id;
	int64_t wanted_until_ms;
	size_t size;
	unsigned char bytes[];
};

struct peer {
	struct peer *next;
	uint32_t connection;
	unsigned char route[NANO_ROUTE];
	uint64_t heard;      /* position of its last frame */
	uint64_t sent, seen; /* position of our last frame, and of the last one it has read */
	int64_t last_ms;     /* when it last said something */
	struct reply *replies, **last_reply;
};

struct call {
	struct call *next, **link;
	struct rpc_server *server; /* NULL when that has gone */
	uint32_t connection;
	uint64_t id;
	const struct method *method;
	struct task *task;
	struct arena arena; /* until the task takes it over */
	struct request_context context;
	const char *caller;
	int64_t arrived_ms, wanted_until_ms;
	bool answered;
};

struct rpc_server {
	struct event_base *loop;
	struct rpc_server_settings settings;
	struct frame_key key;
	int socket;
	struct event *readable, *flush, *sweep, *linger;
	struct method *methods;
	size_t n_methods;
	struct peer *peers; /* the last heard of first */
	unsigned n_peers;
	struct call *calls;
	unsigned in_progress;
	size_t queued; /* bytes of replies */
	struct frame_buffer out;
	int64_t complained_ms;
	bool draining;
	void (*idle)(void *);
	void *idle_argument;
};

static struct metric forged =
	METRIC_COUNTER("causerie_rpc_frames_refused_total", "reason=\"forged\"", "Frames not read");
static struct metric malformed = METRIC_COUNTER("causerie_rpc_frames_refused_total",
						"reason=\"malformed\"", "Frames not read");
static struct metric replayed = METRIC_COUNTER("causerie_rpc_frames_refused_total",
					       "reason=\"replayed\"", "Frames not read");
static struct metric expired = METRIC_COUNTER("causerie_rpc_requests_refused_total",
					      "reason=\"expired\"", "Requests not executed");
static struct metric overloaded = METRIC_COUNTER("causerie_rpc_requests_refused_total",
						 "reason=\"overloaded\"", "Requests not executed");
static struct metric drained = METRIC_COUNTER("causerie_rpc_requests_refused_total",
					      "reason=\"draining\"", "Requests not executed");
static struct metric invalid = METRIC_COUNTER("causerie_rpc_requests_refused_total",
					      "reason=\"invalid\"", "Requests not executed");
static struct metric stale = METRIC_COUNTER("causerie_rpc_requests_refused_total",
					    "reason=\"stale\"", "Requests not executed");
static struct metric executed =
	METRIC_COUNTER("causerie_rpc_requests_executed_total", "", "Requests given to a handler");
static struct metric dropped = METRIC_COUNTER("causerie_rpc_replies_dropped_total", "",
					      "Answers nobody waited for any more, or too many");
static struct metric in_progress =
	METRIC_GAUGE("causerie_rpc_requests_in_progress", "", "Requests being executed");

/* --- methods --- */

static int compare_methods(const void *a, const void *b)
{
	return strcmp(((const struct method *)a)->name, ((const struct method *)b)->name);
}

static int compare_name(const void *name, const void *method)
{
	return strcmp(name, ((const struct method *)method)->name);
}

static const struct method *find_method(const struct rpc_server *server, const char *name)
{
	return bsearch(name, server->methods, server->n_methods, sizeof *server->methods,
		       compare_name);
}

/* Metrics outlive every server; a method's is made once. */
static struct metric *histogram_of(const char *method)
{
	static struct known {
		struct known *next;
		struct metric metric;
		char labels[];
	} * all;
	struct known *known;
	size_t room = strlen(method) + sizeof "method=\"\"";

	known = malloc(sizeof *known + room);
	if (known == NULL)
		abort();
	snprintf(known->labels, room, "method=\"%s\"", method);
	for (struct known *old = all; old != NULL; old = old->next) {
		if (strcmp(old->labels, known->labels) == 0) {
			free(known);
			return &old->metric;
		}
	}
	known->metric = (struct metric)METRIC_HISTOGRAM(
		"causerie_rpc_served_milliseconds", known->labels, "From a request to its answer");
	known->next = all;
	all = known;
	metric_register(&known->metric);
	return &known->metric;
}

static void list_methods(struct rpc_server *server, ProtobufCService *const *services)
{
	size_t count = 0;

	for (size_t i = 0; services[i] != NULL; i++)
		count += services[i]->descriptor->n_methods;
	server->methods = calloc(count ? count : 1, sizeof *server->methods);
	if (server->methods == NULL)
		abort();
	for (size_t i = 0; services[i] != NULL; i++) {
		const ProtobufCServiceDescriptor *type = services[i]->descriptor;

		for (unsigned j = 0; j < type->n_methods; j++) {
			struct method *method = &server->methods[server->n_methods++];
			const int length = snprintf(method->name, sizeof method->name, "%s/%s",
						    type->name, type->methods[j].name);

			assert(length > 0 && (size_t)length < sizeof method->name);
			method->service = services[i];
			method->index = j;
			method->input = type->methods[j].input;
			method->took = histogram_of(method->name);
		}
	}
	qsort(server->methods, server->n_methods, sizeof *server->methods, compare_methods);
}

/* --- peers --- */

/* The one asked for comes to the front: whoever speaks is found first. */
static struct peer *find_peer(struct rpc_server *server, uint32_t connection)
{
	for (struct peer **at = &server->peers; *at != NULL; at = &(*at)->next) {
		struct peer *peer = *at;

		if (peer->connection != connection)
			continue;
		*at = peer->next;
		peer->next = server->peers;
		server->peers = peer;
		return peer;
	}
	return NULL;
}

static void drop_reply(struct rpc_server *server, struct peer *peer)
{
	struct reply *reply = peer->replies;

	peer->replies = reply->next;
	if (peer->replies == NULL)
		peer->last_reply = &peer->replies;
	server->queued -= reply->size;
	free(reply);
}

static void remove_peer(struct rpc_server *server, struct peer **at)
{
	struct peer *peer = *at;

	*at = peer->next;
	server->n_peers--;
	while (peer->replies != NULL)
		drop_reply(server, peer);
	free(peer);
}

static void remove_quietest(struct rpc_server *server)
{
	struct peer **at = &server->peers;

	assert(*at != NULL);
	while ((*at)->next != NULL)
		at = &(*at)->next;
	remove_peer(server, at);
}

static struct peer *add_peer(struct rpc_server *server, uint32_t connection)
{
	struct peer *peer;

	if (server->n_peers == PEERS_LIMIT)
		remove_quietest(server);
	peer = calloc(1, sizeof *peer);
	if (peer == NULL)
		abort();
	peer->connection = connection;
	peer->last_reply = &peer->replies;
	peer->next = server->peers;
	server->peers = peer;
	server->n_peers++;
	return peer;
}

/* --- answers --- */

static void send_frame(struct rpc_server *server, struct peer *peer, enum frame_kind kind)
{
	struct frame_head head = {
		.kind = kind,
		.flags = server->draining ? FRAME_DRAINING : 0,
		.connection = peer->connection,
		.seen = peer->heard,
		.time = clock_ms(),
	};

	if (server->out.size == 0)
		frame_start(&server->out);
	peer->sent += FRAME_COST(server->out.size);
	head.position = peer->sent;
	frame_seal(&server->out, &server->key, &head);
	if (nano_send(server->socket, server->out.bytes, server->out.size, peer->route,
		      sizeof peer->route) < 0)
		metric_add(&dropped, server->out.entries);
	frame_clear(&server->out);
}

static bool has_credit(const struct peer *peer)
{
	return peer->sent - peer->seen <= FRAME_CREDIT;
}

static void flush_peer(struct rpc_server *server, struct peer *peer)
{
	const int64_t now = clock_ms();

	while (peer->replies != NULL && has_credit(peer)) {
		while (peer->replies != NULL && server->out.size < FRAME_FULL) {
			const struct reply *reply = peer->replies;

			if (now > reply->wanted_until_ms)
				metric_add(&dropped, 1);
			else
				memcpy(frame_add(&server->out, reply->id, reply->size),
				       reply->bytes, reply->size);
			drop_reply(server, peer);
		}
		if (server->out.entries > 0)
			send_frame(server, peer, FRAME_ANSWERS);
	}
}

static void watch_for_idleness(struct rpc_server *server)
{
	const struct timeval linger = {0, LINGER_MS * 1000};

	if (server->draining && server->in_progress == 0 && server->queued == 0 &&
	    !event_pending(server->linger, EV_TIMEOUT, NULL))
		event_add(server->linger, &linger);
}

static void on_flush(evutil_socket_t nothing, short events, void *argument)
{
	struct rpc_server *server = argument;

	(void)nothing;
	(void)events;
	for (struct peer *peer = server->peers; peer != NULL; peer = peer->next)
		flush_peer(server, peer);
	watch_for_idleness(server);
}

static void queue_reply(struct rpc_server *server, struct peer *peer, struct reply *reply)
{
	*peer->last_reply = reply;
	peer->last_reply = &reply->next;
	server->queued += reply->size;
	event_active(server->flush, 0, 0); /* after whatever else is ready in this turn */
}

static void answer(struct rpc_server *server, uint32_t connection, uint64_t id,
		   int64_t wanted_until_ms, const Causerie__Response *response,
		   const ProtobufCMessage *message)
{
	struct peer *peer = find_peer(server, connection);
	const size_t body = message ? protobuf_c_message_get_packed_size(message) : 0;
	const size_t size = envelope_size(&response->base, body);
	struct reply *reply;
	unsigned char *at;

	if (peer == NULL || server->queued + size > QUEUE_LIMIT) {
		metric_add(&dropped, 1);
		return;
	}
	reply = malloc(sizeof *reply + size);
	if (reply == NULL)
		abort();
	*reply = (struct reply){NULL, id, wanted_until_ms, size};
	at = envelope_write(reply->bytes, &response->base, ENVELOPE_RESPONSE_BODY, body);
	if (message != NULL)
		protobuf_c_message_pack(message, at);
	queue_reply(server, peer, reply);
}

static const char *code_name(Causerie__Code code)
{
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value(&causerie__code__descriptor, (int)code);

	return value ? value->name : "?";
}

static bool failed(Causerie__Code code)
{
	return code == CAUSERIE__CODE__INTERNAL || code == CAUSERIE__CODE__TIMED_OUT ||
	       code == CAUSERIE__CODE__UNAVAILABLE || code == CAUSERIE__CODE__OVERLOADED;
}

static void note_answer(const struct call *call, Causerie__Code code, const char *detail)
{
	const int64_t ms = clock_ms() - call->arrived_ms;

	metric_observe_ms(call->method->took, (double)ms);
	log_write(failed(code) || ms > SLOW_MS ? LOG_INFO : LOG_DEBUG, call->context.trace,
		  "rpc.answered", "method=%s caller=%s code=%s ms=%" PRId64 " detail=%s",
		  call->method->name, call->caller, code_name(code), ms, detail ? detail : "");
}

static Causerie__Response response_of(Causerie__Code code)
{
	Causerie__Response response;

	causerie__response__init(&response);
	response.version = ENVELOPE_VERSION;
	response.code = code;
	return response;
}

static void answer_call(struct call *call, const Causerie__Response *response,
			const ProtobufCMessage *message)
{
	assert(!call->answered); /* a handler replies once */
	call->answered = true;
	if (call->server == NULL)
		return;
	note_answer(call, response->code, response->detail);
	answer(call->server, call->connection, call->id, call->wanted_until_ms, response, message);
}

static void fail_call(struct call *call, Causerie__Code code, const char *detail)
{
	Causerie__Response response = response_of(code);
	union { /* protoc-c knows no const */
		const char *in;
		char *out;
	} text = {.in = detail};

	if (detail != NULL)
		response.detail = text.out;
	answer_call(call, &response, NULL);
}

/* --- for handlers --- */

static struct call *call_of(const struct task *task)
{
	assert(task->call != NULL); /* not a task that rpc_task() made */
	return task->call;
}

static struct step answer_late(struct task *task)
{
	if (call_of(task)->answered) /* and went on with something else */
		return task_done();
	return rpc_fail(task, CAUSERIE__CODE__TIMED_OUT, "the deadline passed");
}

/* The task has gone and taken its arena along: this is the last that is heard of the call. */
static void on_task_gone(void *argument)
{
	struct call *call = argument;

	if (call->server == NULL)
		return;
	if (!call->answered) {
		log_error(call->context.trace, "rpc.unanswered", "method=%s", call->method->name);
		fail_call(call, CAUSERIE__CODE__INTERNAL, "the handler ended without a reply");
	}
	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	metric_set(&in_progress, --call->server->in_progress);
	watch_for_idleness(call->server);
}

void *rpc_task(void *argument, size_t size, struct step first)
{
	struct call *call = argument;
	const int64_t left = call->wanted_until_ms - clock_ms();
	struct task *task;

	assert(call->task == NULL);
	task = task_new(call->server->loop, &call->arena, size, first, task_then(answer_late),
			left > 0 ? (int)left : 0, &call->context);
	task->call = call;
	call->task = task;
	return task;
}

struct step rpc_reply(struct task *task, const ProtobufCMessage *message)
{
	const Causerie__Response response = response_of(CAUSERIE__CODE__OK);
	struct call *call = call_of(task);

	if (protobuf_c_message_get_packed_size(message) > FRAME_BODY) {
		log_error(call->context.trace, "rpc.reply_too_large", "method=%s",
			  call->method->name);
		return rpc_fail(task, CAUSERIE__CODE__INTERNAL, "the reply is too large");
	}
	answer_call(call, &response, message);
	return task_done();
}

struct step rpc_fail(struct task *task, Causerie__Code code, const char *detail)
{
	assert(code != CAUSERIE__CODE__OK);
	fail_call(call_of(task), code, detail);
	return task_done();
}

static void refuse_fields(struct call *call, const struct limits_error *wrong, size_t count)
{
	Causerie__FieldError errors[ERRORS_LIMIT];
	Causerie__FieldError *pointers[ERRORS_LIMIT];
	Causerie__Response response = response_of(CAUSERIE__CODE__INVALID);
	struct arena arena = {0};

	for (size_t i = 0; i < count; i++) {
		causerie__field_error__init(&errors[i]);
		errors[i].field = arena_strdup(&arena, wrong[i].field);
		errors[i].reason = arena_strdup(&arena, wrong[i].reason);
		pointers[i] = &errors[i];
	}
	response.n_errors = count;
	response.errors = pointers;
	answer_call(call, &response, NULL);
	arena_free(&arena);
}

struct step rpc_invalid(struct task *task, const char *field, const char *reason)
{
	struct limits_error wrong = {.reason = reason};

	snprintf(wrong.field, sizeof wrong.field, "%s", field);
	refuse_fields(call_of(task), &wrong, 1);
	return task_done();
}

static bool sqlstate_is(const struct sql_slot *slot, const char *prefix)
{
	return strncmp(slot->sqlstate, prefix, strlen(prefix)) == 0;
}

struct step rpc_sql_failed(struct task *task, const struct sql_slot *slot)
{
	switch (slot->state) {
	case SQL_UNAVAILABLE:
		return rpc_fail(task, CAUSERIE__CODE__UNAVAILABLE, "the database is not reached");
	case SQL_PENDING:
	case SQL_UNKNOWN:
		return rpc_fail(task, CAUSERIE__CODE__TIMED_OUT, "the database did not answer");
	case SQL_REFUSED:
		break;
	case SQL_DONE:
		log_error(task->context.trace, "rpc.sql_unexpected", "rows=%d", slot->rows);
		return rpc_fail(task, CAUSERIE__CODE__INTERNAL, "not the rows that were expected");
	}
	/* Serialization, deadlock, unique: somebody else was first. */
	if (sqlstate_is(slot, "40") || sqlstate_is(slot, "23505"))
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "somebody else was first");
	/* Read only, shutting down, no connection, lock or statement time-out, out of resources. */
	if (sqlstate_is(slot, "25006") || sqlstate_is(slot, "57") || sqlstate_is(slot, "08") ||
	    sqlstate_is(slot, "55P03") || sqlstate_is(slot, "53"))
		return rpc_fail(task, CAUSERIE__CODE__UNAVAILABLE, "the database refused for now");
	log_error(task->context.trace, "rpc.sql_refused", "sqlstate=%s constraint=%s",
		  slot->sqlstate, slot->constraint ? slot->constraint : "");
	return rpc_fail(task, CAUSERIE__CODE__INTERNAL, "the database refused");
}

/* --- requests --- */

/* For one that never becomes a call. */
static void refuse(struct rpc_server *server, const struct peer *peer, uint64_t id,
		   Causerie__Code code, const char *detail, struct metric *reason)
{
	Causerie__Response response = response_of(code);
	union {
		const char *in;
		char *out;
	} text = {.in = detail};

	metric_add(reason, 1);
	response.detail = text.out;
	answer(server, peer->connection, id, clock_ms() + REFUSAL_MS, &response, NULL);
}

static struct call *start_call(struct rpc_server *server, const struct peer *peer, uint64_t id,
			       struct arena *arena, const Causerie__Request *request,
			       const struct method *method, int64_t age)
{
	struct call *call = ARENA_NEW(arena, struct call);

	call->server = server;
	call->connection = peer->connection;
	call->id = id;
	call->method = method;
	call->caller = request->caller;
	call->arrived_ms = clock_ms();
	call->wanted_until_ms = call->arrived_ms + (int64_t)request->remaining_ms - age;
	call->context.trace = request->trace;
	if (request->idempotency_key[0] != '\0')
		call->context.idempotency_key = request->idempotency_key;
	if (request->viewer != NULL)
		call->context.viewer = (struct viewer){
			.account_id = request->viewer->account_id,
			.roles = request->viewer->roles,
			.verified = request->viewer->verified,
		};
	call->arena = *arena;
	*arena = (struct arena){0};
	call->next = server->calls;
	call->link = &server->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	server->calls = call;
	metric_set(&in_progress, ++server->in_progress);
	arena_defer(&call->arena, on_task_gone, call);
	return call;
}

/* The handler, once nothing speaks against it. Whatever happens the call is answered. */
static void execute(struct call *call, const ProtobufCBinaryData *body)
{
	const struct method *method = call->method;
	struct limits_error wrong[ERRORS_LIMIT];
	ProtobufCMessage *message;
	size_t n_wrong;

	if (scan_unpack(&call->arena, method->input, body->data, body->len, &message) < 0) {
		metric_add(&invalid, 1);
		wrong[0] = (struct limits_error){"", "malformed"};
		refuse_fields(call, wrong, 1);
		return;
	}
	n_wrong = limits_check(message, wrong, ERRORS_LIMIT);
	if (n_wrong > 0) {
		metric_add(&invalid, 1);
		refuse_fields(call, wrong, n_wrong);
		return;
	}
	metric_add(&executed, 1);
	method->service->invoke(method->service, method->index, message, NULL, call);
}

static void free_call(struct call *call)
{
	struct arena arena = call->arena;

	arena_free(&arena);
}

/* Refusals stand in the order of what they cost: nothing is unpacked for a request that is late. */
static void take_request(struct rpc_server *server, const struct peer *peer, uint64_t id,
			 const Causerie__Request *request, int64_t age, struct arena *arena)
{
	const struct method *method = find_method(server, request->method);
	struct call *call;

	if (age >= (int64_t)request->remaining_ms)
		refuse(server, peer, id, CAUSERIE__CODE__TIMED_OUT, "expired", &expired);
	else if (server->draining)
		refuse(server, peer, id, CAUSERIE__CODE__DRAINING, "leaving", &drained);
	else if (server->in_progress >= server->settings.limit)
		refuse(server, peer, id, CAUSERIE__CODE__OVERLOADED, "too many", &overloaded);
	else if (request->version != ENVELOPE_VERSION || method == NULL)
		refuse(server, peer, id, CAUSERIE__CODE__INVALID, "no such method", &invalid);
	else {
		call = start_call(server, peer, id, arena, request, method, age);
		execute(call, &request->body);
		if (call->task == NULL) /* refused, or a handler that forgot it */
			free_call(call);
	}
}

static void read_request(struct rpc_server *server, const struct peer *peer,
			 const struct frame_entry *entry, int64_t age)
{
	struct arena arena = {0};
	struct limits_error wrong = {0};
	ProtobufCMessage *message;

	if (scan_unpack(&arena, &causerie__request__descriptor, entry->bytes, entry->size,
			&message) < 0 ||
	    limits_check(message, &wrong, 1) > 0)
		refuse(server, peer, entry->id, CAUSERIE__CODE__INVALID, "malformed envelope",
		       &invalid);
	else
		take_request(server, peer, entry->id, (const Causerie__Request *)message, age,
			     &arena);
	arena_free(&arena);
}

/* --- frames --- */

static void complain(struct rpc_server *server, const char *event, struct metric *reason)
{
	const int64_t now = clock_ms();

	metric_add(reason, 1);
	if (now - server->complained_ms < 1000)
		return;
	server->complained_ms = now;
	log_warn(NULL, event, "server=%s total=%.0f", server->settings.name, reason->value);
}

static uint32_t connection_of(const struct nano_message *message)
{
	uint32_t connection;

	memcpy(&connection, message->route, sizeof connection);
	return connection;
}

static void note_seen(struct rpc_server *server, struct peer *peer, const struct frame_head *head)
{
	peer->last_ms = clock_ms();
	peer->heard = head->position;
	if (head->seen <= peer->seen || head->seen > peer->sent)
		return;
	peer->seen = head->seen;
	if (peer->replies != NULL && has_credit(peer))
		event_active(server->flush, 0, 0);
}

/* Makes the peer known, if it is not, and tells it its name and our time. */
static void on_ping(struct rpc_server *server, struct peer *peer, const struct frame_head *head,
		    struct frame_cursor *cursor, const struct nano_message *message)
{
	struct frame_entry nonce;

	if (frame_next(cursor, &nonce) != 1 || nonce.size != FRAME_NONCE) {
		complain(server, "rpc.frame_malformed", &malformed);
		return;
	}
	if (peer == NULL)
		peer = add_peer(server, connection_of(message));
	else if (head->connection == peer->connection)
		note_seen(server, peer, head);
	memcpy(peer->route, message->route, sizeof peer->route);
	peer->last_ms = clock_ms();
	memcpy(frame_add(&server->out, nonce.id, nonce.size), nonce.bytes, nonce.size);
	send_frame(server, peer, FRAME_PONG);
}

/*
 * Calls for a connection that is not this one: it broke and was made again, and
 * the client does not know yet. None was executed, and it may well ask again.
 */
static void refuse_stale(struct rpc_server *server, struct frame_cursor *cursor,
			 const struct nano_message *message)
{
	struct peer *peer = find_peer(server, connection_of(message));
	struct frame_entry entry;

	if (peer == NULL)
		peer = add_peer(server, connection_of(message));
	memcpy(peer->route, message->route, sizeof peer->route);
	peer->last_ms = clock_ms();
	while (frame_next(cursor, &entry) == 1)
		refuse(server, peer, entry.id, CAUSERIE__CODE__UNAVAILABLE, "a new connection",
		       &stale);
}

static void on_calls(struct rpc_server *server, struct peer *peer, const struct frame_head *head,
		     struct frame_cursor *cursor, const struct nano_message *message)
{
	const int64_t late = clock_ms() - head->time;
	struct frame_entry entry;
	int rc;

	if (peer == NULL || head->connection != peer->connection) {
		refuse_stale(server, cursor, message);
		return;
	}
	if (head->position <= peer->heard) {
		complain(server, "rpc.frame_replayed", &replayed);
		return;
	}
	note_seen(server, peer, head);
	while ((rc = frame_next(cursor, &entry)) == 1)
		read_request(server, peer, &entry, late > 0 ? late : 0);
	if (rc < 0)
		complain(server, "rpc.frame_malformed", &malformed);
}

static void on_frame(struct rpc_server *server, const struct nano_message *message)
{
	struct frame_cursor cursor;
	struct frame_head head;
	struct peer *peer;
	int rc;

	if (message->route_size != NANO_ROUTE) {
		complain(server, "rpc.frame_malformed", &malformed);
		return;
	}
	rc = frame_read(&server->key, message->bytes, message->size, &head, &cursor);
	if (rc == -EPERM)
		complain(server, "rpc.frame_forged", &forged);
	else if (rc < 0 || (head.kind != FRAME_PING && head.kind != FRAME_CALLS))
		complain(server, "rpc.frame_malformed", &malformed);
	if (rc < 0)
		return;
	peer = find_peer(server, connection_of(message));
	if (head.kind == FRAME_PING)
		on_ping(server, peer, &head, &cursor, message);
	else if (head.kind == FRAME_CALLS)
		on_calls(server, peer, &head, &cursor, message);
}

/* A bounded number, so that timers and other sockets have their turn; it is level-triggered. */
static void on_readable(evutil_socket_t nothing, short events, void *argument)
{
	struct rpc_server *server = argument;
	struct nano_message message;

	(void)nothing;
	(void)events;
	for (unsigned i = 0; i < FRAMES_A_TURN && nano_receive(server->socket, &message) == 0;
	     i++) {
		on_frame(server, &message);
		nano_free(&message);
	}
}

static void on_sweep(evutil_socket_t nothing, short events, void *argument)
{
	struct rpc_server *server = argument;
	const int64_t now = clock_ms();

	(void)nothing;
	(void)events;
	for (struct peer **at = &server->peers; *at != NULL;) {
		struct peer *peer = *at;

		while (peer->replies != NULL && now > peer->replies->wanted_until_ms) {
			metric_add(&dropped, 1);
			drop_reply(server, peer);
		}
		if (now - peer->last_ms > PEER_IDLE_MS)
			remove_peer(server, at);
		else
			at = &peer->next;
	}
	watch_for_idleness(server);
}

/* --- life --- */

static void on_linger_over(evutil_socket_t nothing, short events, void *argument)
{
	struct rpc_server *server = argument;
	void (*idle)(void *) = server->idle;

	(void)nothing;
	(void)events;
	if (server->in_progress > 0 || server->queued > 0 || idle == NULL)
		return;
	server->idle = NULL;
	idle(server->idle_argument);
}

/* Tells every client at once, so that few calls come only to be refused. */
void rpc_server_drain(struct rpc_server *server, void (*idle)(void *), void *argument)
{
	server->draining = true;
	server->idle = idle;
	server->idle_argument = argument;
	for (struct peer *peer = server->peers; peer != NULL; peer = peer->next)
		if (has_credit(peer))
			send_frame(server, peer, FRAME_ANSWERS);
	watch_for_idleness(server);
}

static struct event *new_event(struct rpc_server *server, int fd, short what,
			       event_callback_fn callback)
{
	struct event *event = event_new(server->loop, fd, what, callback, server);

	if (event == NULL)
		abort();
	return event;
}

static void register_metrics(void)
{
	struct metric *const all[] = {&forged,     &malformed, &replayed,   &expired,
				      &overloaded, &drained,   &invalid,    &stale,
				      &executed,   &dropped,   &in_progress};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		metric_register(all[i]);
}

struct rpc_server *rpc_server_new(struct event_base *loop, ProtobufCService *const *services,
				  const struct rpc_server_settings *settings)
{
	const struct timeval sweep = {SWEEP_MS / 1000, SWEEP_MS % 1000 * 1000};
	char address[ENDPOINT_SIZE];
	struct rpc_server *server;
	int rc, s;

	rc = endpoint_own(settings->listen, address);
	s = rc < 0 ? rc : nano_socket(NN_REP);
	rc = s < 0 ? s : nano_bind(s, address);
	if (rc < 0) {
		nano_close(&s);
		errno = -rc;
		return NULL;
	}
	server = calloc(1, sizeof *server);
	if (server == NULL)
		abort();
	server->loop = loop;
	server->settings = *settings;
	if (settings->limit == 0)
		server->settings.limit = DEFAULT_LIMIT;
	frame_key_init(&server->key, settings->key);
	server->socket = s;
	list_methods(server, services);
	server->readable = new_event(server, nano_receive_fd(s), EV_READ | EV_PERSIST, on_readable);
	server->flush = new_event(server, -1, 0, on_flush);
	server->sweep = new_event(server, -1, EV_PERSIST, on_sweep);
	server->linger = new_event(server, -1, 0, on_linger_over);
	event_add(server->readable, NULL);
	event_add(server->sweep, &sweep);
	register_metrics();
	return server;
}

void rpc_server_free(struct rpc_server *server)
{
	if (server == NULL)
		return;
	for (struct call *call = server->calls; call != NULL; call = call->next)
		call->server = NULL; /* their tasks end unheard */
	event_free(server->readable);
	event_free(server->flush);
	event_free(server->sweep);
	event_free(server->linger);
	while (server->peers != NULL)
		remove_peer(server, &server->peers);
	frame_free(&server->out);
	nano_close(&server->socket);
	free(server->methods);
	free(server);
}
