/*
 * server.h - the public face of the gateway: HTTP/1.1 on TCP or inherited sockets.
 *
 *     struct http_options options = HTTP_OPTIONS_DEFAULT;
 *
 *     options.handle = route;
 *     server = http_server_new(loop, &options);
 *     http_server_listen(server, "127.0.0.1:8080", false);
 *
 * Connections, their bytes and their time are bounded whatever the other side
 * does. When all places are taken, the connection that has rested longest makes
 * room; when none rests, the newcomer gets 503. Without descriptors the listeners
 * pause instead of spinning.
 *
 * SIGPIPE must be ignored by the process; http_server_new() sees to it.
 */
#ifndef GATEWAY_HTTP_SERVER_H
#define GATEWAY_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/http/refusal.h"

struct event_base;
struct http_field;
struct http_request;
struct http_response;
struct http_server;

struct http_limits {
	/* sizes in bytes */
	size_t head, target, fields;
	size_t body;
	size_t stream; /* what a stream may have unsent */
	/* times in milliseconds */
	int64_t head_ms;  /* a head is complete this long after its first byte, or after accept */
	int64_t body_ms;  /* a body may take this long before its rate is looked at */
	int64_t write_ms; /* without the client taking anything of an answer */
	int64_t idle_ms;  /* between two requests */
	int64_t life_ms;  /* then the next answer is the last; a stream ends */
	int64_t linger_ms;
	unsigned body_rate;   /* bytes a second, on average, once body_ms are over */
	unsigned requests;    /* of one connection */
	unsigned per_network; /* connections of an IPv4 address or an IPv6 /64; 0: any number */
	unsigned connections; /* of all; 0: what the descriptor limit allows, less 128 */
};

/* A browser's head with our cookies is under 2 KiB; our longest form under 40 KiB. */
#define HTTP_LIMITS_DEFAULT                                                                        \
	{                                                                                          \
		.head = 8192, .target = 4096, .fields = 64, .body = 65536, .stream = 262144,       \
		.head_ms = 10000, .body_ms = 10000, .write_ms = 30000, .idle_ms = 60000,           \
		.life_ms = 3600000, .linger_ms = 2000, .body_rate = 1024, .requests = 1000,        \
		.per_network = 50, .connections = 0                                                \
	}

struct http_options {
	struct http_limits limits;

	/* Whose X-Forwarded-For counts, see networks_new(); their connections are not counted
	   per network. NULL: nobody's. */
	const char *trusted_proxies;

	/* Sent with every answer, refusals and 304 included, unless the answer has its own. */
	const struct http_field *fields;
	size_t n_fields;

	/* Called for each request; it is answered exactly once, see http.h. */
	void (*handle)(void *argument, struct http_request *);

	/* Fills in what is seen of a refusal (status is set); NULL: plain text. target is how the
	   request's begins, as far as it was read, and may be "". */
	void (*render)(void *argument, enum http_refusal, const char *target,
		       struct http_response *);

	void *argument; /* of both */
};

#define HTTP_OPTIONS_DEFAULT                                                                       \
	{                                                                                          \
		.limits = HTTP_LIMITS_DEFAULT                                                      \
	}

struct http_counters {
	uint64_t accepted;
	uint64_t evicted; /* rested longest when a newcomer needed the place */
	uint64_t requests;
	uint64_t abandoned; /* the client left before the answer */
	uint64_t refused[HTTP_REFUSALS];
	size_t open, streams;
};

/* The options are copied, what they point to is borrowed. NULL: trusted_proxies is malformed. */
struct http_server *http_server_new(struct event_base *, const struct http_options *);

/* Ends every connection at once (abandoning what is in flight) and releases everything. */
void http_server_free(struct http_server *);

/*
 * "127.0.0.1:8080", "[::]:8080", "localhost:8080", ":8080" (everywhere). With
 * share_port, other processes may listen on it too (SO_REUSEPORT) and the kernel
 * spreads connections. Returns 0 or a negative errno: -EADDRINUSE, -EACCES, -EINVAL
 * for an address that is none.
 */
int http_server_listen(struct http_server *, const char *address, bool share_port);

/* Takes over a listening socket, TCP or Unix. Returns 0 or a negative errno. */
int http_server_adopt(struct http_server *, int fd);

/* Adopts what systemd passed (sd_listen_fds(3)). Returns how many, or a negative errno. */
int http_server_inherit(struct http_server *);

/* The port of the first TCP listener; 0 without one. */
uint16_t http_server_port(const struct http_server *);

/*
 * Stops accepting, ends what rests and streams, lets what is in flight finish
 * with "Connection: close", then calls back from the loop.
 */
void http_server_drain(struct http_server *, void (*on_drained)(void *), void *argument);

const struct http_counters *http_server_counters(const struct http_server *);

#endif
