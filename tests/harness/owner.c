/*
 * owner.c - a replica that owns events and nothing else: sequencer, hints, Events service.
 *
 *     owner DATABASE_URL LISTEN
 *
 * The database has lib/migrations/outbox.sql. Ends on SIGTERM, or when killed.
 */
#include <signal.h>
#include <stdio.h>

#include <event2/event.h>

#include "lib/bus.h"
#include "lib/log.h"
#include "lib/outbox.h"
#include "lib/queries.h"
#include "lib/rpc_server.h"
#include "lib/sql.h"

static const unsigned char key[32]; /* of all test programs: zeros */

static void on_term(evutil_socket_t number, short events, void *loop)
{
	(void)number;
	(void)events;
	event_base_loopbreak(loop);
}

int main(int argc, char **argv)
{
	const struct sql_settings database = {.url = argc == 3 ? argv[1] : "",
					      .name = "owner",
					      .connections = 2,
					      .queries = outbox_queries};
	const struct rpc_server_settings server = {
		.name = "owner", .listen = argc == 3 ? argv[2] : "", .key = key};
	struct event_base *loop = event_base_new();
	struct event *term = evsignal_new(loop, SIGTERM, on_term, loop);
	ProtobufCService *services[2] = {NULL};
	struct bus_publisher *bus;
	struct outbox *outbox;
	struct rpc_server *rpc;
	struct sql *sql;

	if (argc != 3)
		log_fatal("usage: owner DATABASE_URL LISTEN");
	log_start("owner", LOG_INFO);
	event_add(term, NULL);
	sql = sql_new(loop, &database);
	bus = bus_publisher_new(loop, server.listen, key);
	if (bus == NULL)
		log_fatal("cannot publish");
	outbox = outbox_new(loop, sql, bus);
	services[0] = outbox_service(outbox);
	rpc = rpc_server_new(loop, services, &server);
	if (rpc == NULL)
		log_fatal("cannot listen on %s", server.listen);

	event_base_dispatch(loop);

	rpc_server_free(rpc);
	outbox_free(outbox);
	bus_publisher_free(bus);
	sql_free(sql);
	event_free(term);
	event_base_free(loop);
	return 0;
}
