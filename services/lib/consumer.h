/*
 * consumer.h - the reader's side of events: each takes effect exactly once.
 *
 * Pulls from the owner after the cursor, woken by hints, and asks every second
 * (with jitter) whatever the hints say; as long as it knows of a head beyond its cursor it keeps
 * asking. Two kinds:
 *
 *  - stored: the effect is one SQL statement in the reader's own database that
 *    also moves the cursor by compare-and-set, so that of several replicas, and
 *    of a paused one that comes back, only one takes effect. The attempt is
 *    counted before the effect; an event that failed ten times (or ended the daemon
 *    ten times) is parked in dead_letters with one log line, and the rest flow on; an operator
 *    lists, retries or drops it with --dead-letters.
 *    The first attempts follow each other after 0.2 s, 0.4 s, 0.8 s …; a failure that
 *    is not the event's (no connection, a deadlock, a time-out) is not counted.
 *    Effects of up to 50 events are one transaction, until one of them fails.
 *  - in memory (page cache, index): the cursor lives with what it describes.
 *
 * An epoch that differs from the stored one, a head below the cursor, or events that
 * are not there any more mean that the owner was restored from a backup, or that we
 * were away for too long. In memory: lost() is called. Stored: the consumer stops, says
 * so once, and goes on when the operator has put the cursor right (row of `cursors`).
 *
 * Tables: `cursors` and `cursors_retry` in migrations/lib.list; statements: `-- with: consumer` in
 * queries.sql.
 */
#ifndef LIB_CONSUMER_H
#define LIB_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "events.pb-c.h"

struct consumer;
struct event_base;
struct rpc_client;
struct sql;
struct sql_query;
struct task;
struct sql_slot;

/* Consumers with a table of cursors add these to their sql_settings. */
extern const struct sql_query *const consumer_queries[]; /* ends with NULL */

struct consumer_settings {
	const char *name;         /* "notifications" */
	const char *source;       /* "topics" */
	struct rpc_client *owner; /* any service of the owner; Events is called over its sockets */
	const char *peers;        /* for the bus */
	const unsigned char *key;
	unsigned batch; /* events a fetch, at most 500; 0: 200 */

	/* stored: */
	struct sql *sql;
	/*
	 * Starts the statement that makes one event's effect AND moves the cursor. Its
	 * text has: WITH moved AS (UPDATE cursors SET seq = :seq WHERE consumer = :consumer AND
	 * source = :source AND epoch = :epoch AND seq = :seq - 1 RETURNING 1) …
	 * and its effects WHERE EXISTS (SELECT FROM moved), and returns one row: SELECT count(*) AS
	 * moved FROM moved. An event that needs no effect: return NULL from choose and lib moves
	 * the cursor (batched). Parameters are the event's fields by name (sql_run_message; :trace
	 * is the event's), plus consumer, source, epoch. No effect may wait for a lock for long:
	 * the others wait behind it.
	 *
	 * A statement that names :from and :to takes all events in a row that choose it at once:
	 * it moves the cursor from :from to :to, and each field of the events is an array.
	 */
	const struct sql_query *(*choose)(void *argument, const Causerie__Event *);

	/* in memory: called for each event in order, from the loop. */
	void (*apply)(void *argument, const Causerie__Event *);
	/*
	 * The first position (in memory: from a snapshot; stored: only while there is no row in
	 * cursors). UINT64_MAX: the owner's head. Epoch 0: whatever it is now.
	 */
	uint64_t start, start_epoch;
	/* The owner lost or was restored: what is derived must be rebuilt; afterwards call
	 * consumer_restart(). */
	void (*lost)(void *argument);

	void *argument;
};

struct consumer *consumer_new(struct event_base *, const struct consumer_settings *);
void consumer_free(struct consumer *);
void consumer_restart(struct consumer *, uint64_t epoch, uint64_t seq);

uint64_t consumer_position(const struct consumer *, uint64_t *epoch);

/* Why it has stopped and needs somebody, or NULL; for the ready check. Static text. */
const char *consumer_trouble(const struct consumer *);

/* Milliseconds since it last knew that it had everything; INT64_MAX: never. */
int64_t consumer_staleness_ms(const struct consumer *);

#endif
