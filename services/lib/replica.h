/*
 * replica.h - one replica of another daemon: its socket, and whether it is well.
 *
 *      joining --pong--> up --draining--> leaving
 *         ^               |                  |
 *         +----lost-------+------------------+
 *
 * Raw nanomsg says nothing when a connection breaks and whatever was on it is
 * gone. Its counters do, so they are read every few milliseconds while something
 * is under way; and a replica that is connected but silent (stopped, cut off)
 * is asked with a ping. Either way the calls that were under way are lost now and
 * not at their deadline.
 *
 * Nothing is sent before a pong has named the connection and told the replica's
 * time; see frame.h for what that is good for.
 */
#ifndef LIB_REPLICA_H
#define LIB_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/breaker.h"
#include "lib/endpoint.h"
#include "lib/frame.h"

struct event;
struct event_base;
struct replica;

struct replica_events {
	/* An answer came. refusals_only: it is about an earlier connection and may only say "not
	 * executed". */
	void (*answered)(void *argument, struct replica *, const struct frame_entry *,
			 bool refusals_only);
	/* What was under way will not be answered. */
	void (*lost)(void *argument, struct replica *, const char *why);
	/* It can take calls (again). */
	void (*ready)(void *argument, struct replica *);
};

enum replica_state { REPLICA_JOINING, REPLICA_UP, REPLICA_LEAVING };

struct replica {
	struct replica *next;       /* for the owner, like the next five */
	void **calls;               /* by place; a call's id is its place modulo the window */
	unsigned *places, n_places; /* the free ones */
	unsigned outstanding;
	uint64_t used; /* when it was last chosen */
	bool gone;     /* no longer among the addresses */
	struct breaker breaker;

	char address[ENDPOINT_SIZE];
	enum replica_state state;
	uint64_t frame; /* number of the frame being written; lower ones have been sent */

	/* Private to replica.c. */
	const struct frame_key *key;
	const struct replica_events *events;
	void *argument;
	int socket;
	struct event *readable, *writable, *flush;
	struct frame_buffer out;
	bool sealed; /* out could not be sent yet */
	bool named;  /* connection is that of now */
	uint32_t connection;
	uint64_t sent, heard, acked; /* positions; acked is the heard that we last told */
	uint64_t broken;             /* connections lost so far */
	int64_t ahead;               /* its clock less ours, at least */
	int64_t settled_ms;          /* when ahead was last lowered */
	int64_t frame_ms;            /* when out was begun */
	int64_t heard_ms, pinged_ms; /* pinged_ms is 0 when no pong is awaited */
	unsigned char nonce[FRAME_NONCE];
};

/* Starts connecting; the key must outlive it. NULL with errno. */
struct replica *replica_new(struct event_base *, const char *address, const struct frame_key *,
			    const struct replica_events *, void *argument);
void replica_free(struct replica *);

/* May be given a call now. */
bool replica_takes(struct replica *);

/* Room for a packed Request, sent in this turn of the loop. Only when it takes one. */
unsigned char *replica_add(struct replica *, uint64_t id, size_t size);

/* The moment from which the time left of a call in this frame counts. */
int64_t replica_frame_ms(struct replica *);

/* Looks after it: every few milliseconds while something is outstanding. */
void replica_tick(struct replica *, int64_t now);

/* We did not run for a while: its silence meanwhile means nothing. */
void replica_forgive(struct replica *, int64_t now);

#endif
