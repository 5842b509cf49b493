/*
 * reader.c - a replica that consumes events and nothing else.
 *
 *     reader DATABASE_URL PEERS          effects go to table effects(seq, aggregate_id)
 *     reader memory PEERS                each event is a line "SEQ AGGREGATE_ID" on standard output
 *
 * What an event does depends on its type: "quiet" has no effect, "poison" fails, "deadly"
 * ends the process, "crowd" takes effect with its neighbours of the same type, and fails them
 * when its aggregate is 2^42. The database has lib/migrations/cursors.sql and effects.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "lib/consumer.h"
#include "lib/log.h"
#include "lib/queries.h"
#include "lib/rpc.h"
#include "lib/sql.h"

#define MOVED                                                                                      \
	"WITH moved AS (UPDATE cursors SET seq = $1::bigint "                                      \
	"WHERE consumer = $2::text AND source = $3::text AND epoch = $4::bigint AND seq = $1 - 1 " \
	"RETURNING 1), "

static const unsigned char key[32]; /* of all test programs: zeros */

static const char *const names[] = {"seq", "consumer", "source", "epoch", "aggregate_id"};

static const struct sql_query effect = {
	.name = "effect",
	.text = MOVED
	"done AS (INSERT INTO effects (seq, aggregate_id) SELECT $1, $5::bigint FROM moved) "
	"SELECT count(*) AS moved FROM moved",
	.parameters = names,
	.n_parameters = 5,
	.writes = true,
};

static const struct sql_query poison = {
	.name = "poison",
	.text = MOVED "done AS (INSERT INTO effects (seq, aggregate_id) SELECT $1, 1 / ($5::bigint "
		      "- $5) FROM moved) "
		      "SELECT count(*) AS moved FROM moved",
	.parameters = names,
	.n_parameters = 5,
	.writes = true,
};

static const char *const crowd_names[] = {"from",  "to",  "consumer",    "source",
					  "epoch", "seq", "aggregate_id"};

static const struct sql_query crowd = {
	.name = "crowd",
	.text = "WITH moved AS (UPDATE cursors SET seq = $2::bigint WHERE consumer = $3::text AND "
		"source = $4::text AND epoch = $5::bigint AND seq = $1::bigint RETURNING 1), "
		"done AS (INSERT INTO effects (seq, aggregate_id) SELECT seq, id + 0 / (id - "
		"(1::bigint << 42)) FROM "
		"moved, "
		"unnest($6::bigint[], $7::bigint[]) AS c (seq, id)) "
		"SELECT count(*) AS moved FROM moved",
	.parameters = crowd_names,
	.n_parameters = 7,
	.writes = true,
};

static const struct sql_query *choose(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	if (strcmp(event->type, "deadly") == 0)
		_Exit(9);
	if (strcmp(event->type, "quiet") == 0)
		return NULL;
	if (strcmp(event->type, "crowd") == 0)
		return &crowd;
	return strcmp(event->type, "poison") == 0 ? &poison : &effect;
}

static void apply(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	printf("%llu %llu\n", (unsigned long long)event->seq,
	       (unsigned long long)event->aggregate_id);
	fflush(stdout);
}

static void lost(void *loop)
{
	puts("lost");
	fflush(stdout);
	event_base_loopbreak(loop);
}

static void on_term(evutil_socket_t number, short events, void *loop)
{
	(void)number;
	(void)events;
	event_base_loopbreak(loop);
}

static const struct sql_query *const queries[] = {&effect,
						  &poison,
						  &crowd,
						  &cursor_read_sql,
						  &cursor_begin_sql,
						  &cursor_move_sql,
						  &attempt_count_sql,
						  &attempt_forgive_sql,
						  &park_event_sql,
						  &dead_letter_take_sql,
						  &dead_letter_begin_sql,
						  &dead_letter_end_sql,
						  NULL};

int main(int argc, char **argv)
{
	const bool in_memory = argc == 3 && strcmp(argv[1], "memory") == 0;
	const struct sql_settings database = {.url = argc == 3 ? argv[1] : "",
					      .name = "reader",
					      .connections = 1,
					      .queries = queries};
	const struct rpc_settings rpc = {
		.caller = "reader", .peers = argc == 3 ? argv[2] : "", .key = key};
	struct event_base *loop = event_base_new();
	struct event *term = evsignal_new(loop, SIGTERM, on_term, loop);
	struct consumer_settings settings = {.name = "reader",
					     .source = "owner",
					     .peers = rpc.peers,
					     .key = key,
					     .argument = loop};
	struct consumer *consumer;
	struct sql *sql = NULL;

	if (argc != 3)
		log_fatal("usage: reader DATABASE_URL|memory PEERS");
	log_start("reader", LOG_INFO);
	event_add(term, NULL);
	settings.owner = rpc_client_new(loop, &causerie__events__descriptor, &rpc);
	if (in_memory) {
		settings.apply = apply;
		settings.lost = lost;
	} else {
		settings.sql = sql = sql_new(loop, &database);
		settings.choose = choose;
	}
	consumer = consumer_new(loop, &settings);

	event_base_dispatch(loop);

	consumer_free(consumer);
	rpc_client_free(settings.owner);
	sql_free(sql);
	event_free(term);
	event_base_free(loop);
	return 0;
}
