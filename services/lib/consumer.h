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
 *    counted before the effect; an event that failed ten times is parked in
 *    dead_letters (order-free consumers) with one log line, and the rest flow on.
 *  - in memory (page cache, index): the cursor lives with what it describes.
 *
 * An epoch that differs from the stored one, or a head below the cursor, means the
 * owner was restored from a backup: the consumer stops and says so.
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
	const char *name;   /* "notifications" */
	const char *source; /* "topics" */
	struct rpc_client *owner; /* any service of the owner; Events is called over its sockets */
	const char *peers;        /* for the bus */
	const unsigned char *key;
	unsigned batch; /* events a fetch; 0: 200 */

	/* stored: */
	struct sql *sql;
	/*
	 * Starts the statement that makes one event's effect AND moves the cursor. Its
	 * text has: WITH moved AS (UPDATE cursors SET seq = :seq WHERE consumer = :consumer AND
	 * source = :source AND epoch = :epoch AND seq = :seq - 1 RETURNING 1) …
	 * and its effects WHERE EXISTS (SELECT FROM moved), and returns one row: SELECT count(*) AS moved FROM moved.
	 * An event that needs no effect: return NULL from choose and lib moves the cursor (batched).
	 * Parameters are the event's fields by name (sql_run_message), plus consumer, source, epoch.
	 */
	const struct sql_query *(*choose)(void *argument, const Causerie__Event *);

	/* in memory: called for each event in order, from the loop. */
	void (*apply)(void *argument, const Causerie__Event *);
	/* The first position (from a snapshot), UINT64_MAX: start at the owner's head. */
	uint64_t start, start_epoch;
	/* The owner lost or was restored: what is derived must be rebuilt; afterwards call consumer_restart(). */
	void (*lost)(void *argument);

	void *argument;
};

struct consumer *consumer_new(struct event_base *, const struct consumer_settings *);
void consumer_free(struct consumer *);
void consumer_restart(struct consumer *, uint64_t epoch, uint64_t seq);

uint64_t consumer_position(const struct consumer *, uint64_t *epoch);

/* Milliseconds since it last knew that it had everything; INT64_MAX: never. */
int64_t consumer_staleness_ms(const struct consumer *);

#endif
