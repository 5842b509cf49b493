/*
 * bus.c - hints: "there is something new", over nanomsg PUB/SUB.
 *
 *      offset  bytes
 *       0      32  HMAC-SHA-256 of what follows
 *      32       4  version 1, 'H', 0, 0
 *      36       8  epoch, little-endian
 *      44       8  head
 *
 * A hint repeated by somebody else makes a listener ask once more than needed;
 * that is all it can do.
 */
#include "lib/bus.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <nanomsg/pubsub.h>

#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/frame.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/nano.h"

#define HINT_SIZE    52
#define PAUSE_MS     5 /* between two hints */
#define HINTS_A_TURN 64

enum offset { AT_MARK = 32, AT_EPOCH = 36, AT_HEAD = 44 };

static const unsigned char mark[4] = {1, 'H', 0, 0};

struct bus_publisher {
	struct frame_key key;
	int socket;
	struct event *timer;
	int64_t sent_ms;
	uint64_t epoch, head; /* the latest, sent when the timer fires */
};

struct connection {
	char address[ENDPOINT_SIZE]; /* of the rpc; the hints are beside it */
	int number;
};

struct bus_listener {
	struct frame_key key;
	int socket;
	struct event *readable;
	struct endpoints *endpoints;
	struct connection connections[ENDPOINT_LIMIT];
	size_t n_connections;
	bus_hint *hint;
	void *argument;
	int64_t complained_ms;
};

static struct metric refused =
	METRIC_COUNTER("causerie_bus_hints_refused_total", "", "Hints that are none of ours");

/* --- publishing --- */

static void send_hint(struct bus_publisher *publisher)
{
	const uint64_t epoch = htole64(publisher->epoch), head = htole64(publisher->head);
	unsigned char hint[HINT_SIZE];

	memcpy(hint + AT_MARK, mark, sizeof mark);
	memcpy(hint + AT_EPOCH, &epoch, sizeof epoch);
	memcpy(hint + AT_HEAD, &head, sizeof head);
	frame_mac(&publisher->key, hint, hint + AT_MARK, sizeof hint - AT_MARK);
	publisher->sent_ms = clock_ms();
	nano_send(publisher->socket, hint, sizeof hint, NULL, 0); /* may be lost like any hint */
}

static void on_timer(evutil_socket_t nothing, short events, void *publisher)
{
	(void)nothing;
	(void)events;
	send_hint(publisher);
}

void bus_publish(struct bus_publisher *publisher, uint64_t epoch, uint64_t head)
{
	const struct timeval pause = {0, PAUSE_MS * 1000};

	publisher->epoch = epoch;
	publisher->head = head;
	if (event_pending(publisher->timer, EV_TIMEOUT, NULL))
		return;
	if (clock_ms() - publisher->sent_ms >= PAUSE_MS)
		send_hint(publisher);
	else
		event_add(publisher->timer, &pause);
}

struct bus_publisher *bus_publisher_new(struct event_base *loop, const char *rpc_address,
					const unsigned char *key)
{
	char rpc[ENDPOINT_SIZE], address[ENDPOINT_SIZE];
	struct bus_publisher *publisher;
	int s = -1, rc = endpoint_own(rpc_address, rpc);

	if (rc == 0)
		rc = endpoint_bus(rpc, address);
	if (rc == 0)
		rc = s = nano_socket(NN_PUB);
	if (s >= 0)
		rc = nano_bind(s, address);
	if (rc < 0) {
		nano_close(&s);
		errno = -rc;
		return NULL;
	}
	publisher = calloc(1, sizeof *publisher);
	if (publisher == NULL)
		abort();
	frame_key_init(&publisher->key, key);
	publisher->socket = s;
	publisher->timer = event_new(loop, -1, 0, on_timer, publisher);
	if (publisher->timer == NULL)
		abort();
	return publisher;
}

void bus_publisher_free(struct bus_publisher *publisher)
{
	if (publisher == NULL)
		return;
	event_free(publisher->timer);
	nano_close(&publisher->socket);
	free(publisher);
}

/* --- listening --- */

static uint64_t read64(const unsigned char *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof value);
	return le64toh(value);
}

static void refuse(struct bus_listener *listener)
{
	const int64_t now = clock_ms();

	metric_add(&refused, 1);
	if (now - listener->complained_ms < 1000)
		return;
	listener->complained_ms = now;
	log_warn(NULL, "bus.hint_refused", "total=%.0f", refused.value);
}

static bool ours(const struct bus_listener *listener, const struct nano_message *message)
{
	return message->size == HINT_SIZE &&
	       memcmp(message->bytes + AT_MARK, mark, sizeof mark) == 0 &&
	       frame_mac_matches(&listener->key, message->bytes, message->bytes + AT_MARK,
				 HINT_SIZE - AT_MARK);
}

static void on_readable(evutil_socket_t nothing, short events, void *argument)
{
	struct bus_listener *listener = argument;
	struct nano_message message;

	(void)nothing;
	(void)events;
	for (unsigned i = 0; i < HINTS_A_TURN && nano_receive(listener->socket, &message) == 0;
	     i++) {
		if (ours(listener, &message))
			listener->hint(listener->argument, read64(message.bytes + AT_EPOCH),
				       read64(message.bytes + AT_HEAD));
		else
			refuse(listener);
		nano_free(&message);
	}
}

static bool among(const char *address, char addresses[][ENDPOINT_SIZE], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(addresses[i], address) == 0)
			return true;
	return false;
}

static bool connected(const struct bus_listener *listener, const char *address)
{
	for (size_t i = 0; i < listener->n_connections; i++)
		if (strcmp(listener->connections[i].address, address) == 0)
			return true;
	return false;
}

static void connect_to(struct bus_listener *listener, const char *rpc_address)
{
	struct connection *connection = &listener->connections[listener->n_connections];
	char address[ENDPOINT_SIZE];
	int number = endpoint_bus(rpc_address, address);

	if (number == 0)
		number = nano_connect(listener->socket, address);
	if (number < 0) {
		log_warn(NULL, "bus.not_connected", "address=%s error=%s", rpc_address,
			 strerror(-number));
		return;
	}
	memcpy(connection->address, rpc_address, strlen(rpc_address) + 1);
	connection->number = number;
	listener->n_connections++;
}

/* Those that are gone make room first. */
static void on_addresses(void *argument, char addresses[][ENDPOINT_SIZE], size_t count)
{
	struct bus_listener *listener = argument;

	for (size_t i = listener->n_connections; i-- > 0;) {
		if (among(listener->connections[i].address, addresses, count))
			continue;
		nano_disconnect(listener->socket, listener->connections[i].number);
		listener->connections[i] = listener->connections[--listener->n_connections];
	}
	for (size_t i = 0; i < count; i++)
		if (!connected(listener, addresses[i]))
			connect_to(listener, addresses[i]);
}

struct bus_listener *bus_listener_new(struct event_base *loop, const char *peers,
				      const unsigned char *key, bus_hint *hint, void *argument)
{
	struct bus_listener *listener;
	int s = nano_socket(NN_SUB);

	if (s < 0) {
		errno = -s;
		return NULL;
	}
	listener = calloc(1, sizeof *listener);
	if (listener == NULL)
		abort();
	frame_key_init(&listener->key, key);
	listener->socket = s;
	listener->hint = hint;
	listener->argument = argument;
	listener->readable =
		event_new(loop, nano_receive_fd(s), EV_READ | EV_PERSIST, on_readable, listener);
	if (listener->readable == NULL)
		abort();
	event_add(listener->readable, NULL);
	metric_register(&refused);
	listener->endpoints = endpoints_new(loop, peers, on_addresses, listener);
	if (listener->endpoints != NULL)
		return listener;
	bus_listener_free(listener);
	errno = EINVAL;
	return NULL;
}

void bus_listener_free(struct bus_listener *listener)
{
	if (listener == NULL)
		return;
	endpoints_free(listener->endpoints);
	event_free(listener->readable);
	nano_close(&listener->socket);
	free(listener);
}
