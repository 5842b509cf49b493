/*
 * replica.c - one replica of another daemon: its socket, and whether it is well.
 */
#include "lib/replica.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <nanomsg/reqrep.h>
#include <sodium.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/nano.h"

#define FRAMES_A_TURN 64
#define JOIN_PING_MS  50   /* until the first pong */
#define QUIET_MS      250  /* then it is asked, when something is outstanding */
#define IDLE_MS       2000 /* then it is asked anyway, which also tells its time */
#define SILENT_MS     600  /* without a pong: lost */
#define SETTLE_MS     5000 /* clocks drift less than 1 ms in that time */
#define ROUTE_SIZE    4
#define ROUTE_BIT     0x80000000u /* marks the bottom of nanomsg's backtrace */

static struct metric refused =
	METRIC_COUNTER("causerie_rpc_answers_refused_total", "", "Frames of answers not read");
static struct metric losses = METRIC_COUNTER("causerie_rpc_replicas_lost_total", "",
					     "Connections broken, or silent for too long");

/* --- sending --- */

/* 0 or -EAGAIN; anything else would be a defect of nanomsg, and looks like the latter. */
static int hand_over(struct replica *replica, const struct frame_buffer *frame)
{
	const uint32_t route = htobe32((uint32_t)replica->frame | ROUTE_BIT);
	const int rc = nano_send(replica->socket, frame->bytes, frame->size, &route, ROUTE_SIZE);

	if (rc == 0)
		replica->acked = replica->heard;
	return rc;
}

static void seal(struct replica *replica, struct frame_buffer *frame, enum frame_kind kind,
		 int64_t time)
{
	struct frame_head head = {
		.kind = kind,
		.connection = replica->named ? replica->connection : 0,
		.seen = replica->heard,
		.time = time,
	};

	frame_start(frame);
	replica->sent += FRAME_COST(frame->size);
	head.position = replica->sent;
	frame_seal(frame, replica->key, &head);
}

static void send_out(struct replica *replica)
{
	if (!replica->sealed)
		seal(replica, &replica->out, FRAME_CALLS, replica->frame_ms + replica->ahead);
	replica->sealed = hand_over(replica, &replica->out) < 0;
	if (replica->sealed) {
		event_add(replica->writable, NULL);
		return;
	}
	replica->frame++;
	frame_clear(&replica->out);
}

static void on_flush(evutil_socket_t nothing, short events, void *argument)
{
	struct replica *replica = argument;

	(void)nothing;
	(void)events;
	if (replica->out.entries > 0 && !replica->sealed)
		send_out(replica);
}

static void on_writable(evutil_socket_t fd, short events, void *argument)
{
	struct replica *replica = argument;

	(void)fd;
	(void)events;
	if (replica->sealed)
		send_out(replica);
	if (!replica->sealed && replica->state == REPLICA_UP)
		replica->events->ready(replica->argument, replica);
}

/* Answers come on credit (see rpc_server.c); with nothing to ask, only that is said. */
static void acknowledge(struct replica *replica)
{
	struct frame_buffer frame = {0};

	if (replica->heard - replica->acked <= FRAME_CREDIT / 4 || replica->out.entries > 0)
		return;
	seal(replica, &frame, FRAME_CALLS, 0);
	hand_over(replica, &frame); /* not now: the next frame says it, too */
	frame_free(&frame);
}

static void ping(struct replica *replica, int64_t now)
{
	struct frame_buffer frame = {0};

	if (replica->pinged_ms == 0)
		randombytes_buf(replica->nonce, sizeof replica->nonce);
	replica->pinged_ms = now;
	memcpy(frame_add(&frame, 0, sizeof replica->nonce), replica->nonce, sizeof replica->nonce);
	seal(replica, &frame, FRAME_PING, 0);
	hand_over(replica, &frame); /* not connected yet, or full: silence will tell */
	frame_free(&frame);
}

bool replica_takes(struct replica *replica)
{
	if (replica->state != REPLICA_UP || !replica->named)
		return false;
	if (!replica->sealed && replica->out.size >= FRAME_FULL)
		send_out(replica);
	return !replica->sealed;
}

unsigned char *replica_add(struct replica *replica, uint64_t id, size_t size)
{
	assert(!replica->sealed);
	replica_frame_ms(replica);
	return frame_add(&replica->out, id, size);
}

int64_t replica_frame_ms(struct replica *replica)
{
	if (replica->out.entries == 0) {
		replica->frame_ms = clock_ms();
		event_active(replica->flush, 0, 0);
	}
	return replica->frame_ms;
}

/* --- losing and finding it --- */

/* Unsent calls have a number that was not sent; their frame is thrown away with the connection. */
static void lose(struct replica *replica, const char *why)
{
	const bool was_named = replica->named;

	replica->named = false;
	replica->state = REPLICA_JOINING;
	replica->pinged_ms = 0;
	replica->sealed = false;
	event_del(replica->writable);
	if (was_named) {
		metric_add(&losses, 1);
		log_info(NULL, "rpc.replica_lost", "address=%s why=%s outstanding=%u",
			 replica->address, why, replica->outstanding);
	}
	replica->events->lost(replica->argument, replica, why);
	if (replica->out.size > 0)
		replica->frame++;
	frame_clear(&replica->out);
}

/* The highest is nearest the truth: every answer was under way for a while. */
static void set_clock(struct replica *replica, int64_t time, int64_t now, bool anew)
{
	if (anew || time - now > replica->ahead) {
		replica->ahead = time - now;
		replica->settled_ms = now;
	}
}

/* What was true may be too much an hour later, if its clock is slower than ours. */
static void settle_clock(struct replica *replica, int64_t now)
{
	if (now - replica->settled_ms < SETTLE_MS)
		return;
	replica->ahead--;
	replica->settled_ms = now;
}

static void note_state(struct replica *replica, const struct frame_head *head)
{
	const enum replica_state before = replica->state;

	replica->state = head->flags & FRAME_DRAINING ? REPLICA_LEAVING : REPLICA_UP;
	if (before == replica->state)
		return;
	log_info(NULL, replica->state == REPLICA_UP ? "rpc.replica_up" : "rpc.replica_leaving",
		 "address=%s", replica->address);
	if (replica->state == REPLICA_UP)
		replica->events->ready(replica->argument, replica);
}

static void refuse(const struct replica *replica, const char *why)
{
	static int64_t complained_ms;
	const int64_t now = clock_ms();

	metric_add(&refused, 1);
	if (now - complained_ms < 1000)
		return;
	complained_ms = now;
	log_warn(NULL, "rpc.answer_refused", "address=%s why=%s total=%.0f", replica->address, why,
		 refused.value);
}

/* --- receiving --- */

static void on_pong(struct replica *replica, const struct frame_head *head,
		    struct frame_cursor *cursor, int64_t now)
{
	struct frame_entry entry;
	bool anew;

	if (frame_next(cursor, &entry) != 1 || entry.size != FRAME_NONCE ||
	    replica->pinged_ms == 0 ||
	    sodium_memcmp(entry.bytes, replica->nonce, FRAME_NONCE) != 0) {
		/* Several pings go out while joining; the first pong is enough. */
		if (replica->pinged_ms != 0)
			refuse(replica, "not the pong that is awaited");
		return;
	}
	if (replica->named && head->connection != replica->connection)
		lose(replica, "another connection");
	anew = !replica->named;
	replica->named = true;
	replica->connection = head->connection;
	replica->heard = head->position;
	if (anew)
		replica->acked = replica->heard;
	replica->pinged_ms = 0;
	replica->heard_ms = now;
	set_clock(replica, head->time, now, anew);
	note_state(replica, head);
}

static void read_answers(struct replica *replica, struct frame_cursor *cursor, bool refusals_only)
{
	struct frame_entry entry;
	int rc;

	while ((rc = frame_next(cursor, &entry)) == 1)
		replica->events->answered(replica->argument, replica, &entry, refusals_only);
	if (rc < 0)
		refuse(replica, "malformed");
}

static void on_answers(struct replica *replica, const struct frame_head *head,
		       struct frame_cursor *cursor, int64_t now)
{
	if (!replica->named || head->connection != replica->connection) {
		/* It was made again and we had not noticed: what went there was refused. */
		read_answers(replica, cursor, true);
		if (replica->named)
			lose(replica, "another connection");
		return;
	}
	if (head->position <= replica->heard) {
		refuse(replica, "replayed");
		return;
	}
	replica->heard = head->position;
	replica->heard_ms = now;
	replica->pinged_ms = 0;
	set_clock(replica, head->time, now, false);
	note_state(replica, head);
	read_answers(replica, cursor, false);
}

static void on_frame(struct replica *replica, const struct nano_message *message)
{
	const int64_t now = clock_ms();
	struct frame_cursor cursor;
	struct frame_head head;
	const int rc = frame_read(replica->key, message->bytes, message->size, &head, &cursor);

	if (rc < 0)
		refuse(replica, rc == -EPERM ? "forged" : "malformed");
	else if (head.kind == FRAME_PONG)
		on_pong(replica, &head, &cursor, now);
	else if (head.kind == FRAME_ANSWERS)
		on_answers(replica, &head, &cursor, now);
	else
		refuse(replica, "not an answer");
}

static void on_readable(evutil_socket_t nothing, short events, void *argument)
{
	struct replica *replica = argument;
	struct nano_message message;

	(void)nothing;
	(void)events;
	for (unsigned i = 0; i < FRAMES_A_TURN && nano_receive(replica->socket, &message) == 0;
	     i++) {
		on_frame(replica, &message);
		nano_free(&message);
	}
	acknowledge(replica);
}

/* --- looking after it --- */

void replica_tick(struct replica *replica, int64_t now)
{
	const uint64_t broken = nano_broken(replica->socket);

	if (broken != replica->broken) {
		replica->broken = broken;
		lose(replica, "broken");
	}
	if (!replica->named) {
		if (now - replica->pinged_ms >= JOIN_PING_MS)
			ping(replica, now);
		return;
	}
	settle_clock(replica, now);
	if (replica->pinged_ms != 0) {
		if (now - replica->pinged_ms > SILENT_MS)
			lose(replica, "silent");
	} else if (now - replica->heard_ms > (replica->outstanding > 0 ? QUIET_MS : IDLE_MS)) {
		ping(replica, now);
	}
}

void replica_forgive(struct replica *replica, int64_t now)
{
	replica->heard_ms = now;
	if (replica->named && replica->pinged_ms != 0)
		replica->pinged_ms = now;
}

/* --- life --- */

static struct event *new_event(struct event_base *loop, struct replica *replica, int fd, short what,
			       event_callback_fn callback)
{
	struct event *event = event_new(loop, fd, what, callback, replica);

	if (event == NULL)
		abort();
	return event;
}

struct replica *replica_new(struct event_base *loop, const char *address,
			    const struct frame_key *key, const struct replica_events *events,
			    void *argument)
{
	struct replica *replica;
	int s = nano_socket(NN_REQ);
	const int rc = s < 0 ? s : nano_connect(s, address);

	if (rc < 0) {
		nano_close(&s);
		errno = -rc;
		return NULL;
	}
	replica = calloc(1, sizeof *replica);
	if (replica == NULL)
		abort();
	assert(strlen(address) < sizeof replica->address);
	memcpy(replica->address, address, strlen(address) + 1);
	replica->key = key;
	replica->events = events;
	replica->argument = argument;
	replica->socket = s;
	replica->readable =
		new_event(loop, replica, nano_receive_fd(s), EV_READ | EV_PERSIST, on_readable);
	/* Its descriptor is readable when the socket can be written to. */
	replica->writable = new_event(loop, replica, nano_send_fd(s), EV_READ, on_writable);
	replica->flush = new_event(loop, replica, -1, 0, on_flush);
	event_add(replica->readable, NULL);
	metric_register(&refused);
	metric_register(&losses);
	return replica;
}

void replica_free(struct replica *replica)
{
	if (replica == NULL)
		return;
	event_free(replica->readable);
	event_free(replica->writable);
	event_free(replica->flush);
	nano_close(&replica->socket);
	frame_free(&replica->out);
	free(replica);
}
