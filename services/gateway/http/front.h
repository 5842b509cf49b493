/*
 * front.h - what the files of this folder share and nobody else sees.
 *
 *   server.c      listeners, who may come in, drain
 *   connection.c  the life of one connection: its states, deadlines and end
 *   answer.c      what is written: answers, refusals, streams
 *   request.c     from parsed bytes to a struct http_request
 *   parser.c form.c address.c crowd.c refusal.c   know nothing of sockets
 *
 * One rule keeps this free of use after free: a connection is released only in
 * disconnect(), and that is called only from the event loop's own callbacks, never
 * below a handler. Whoever finds elsewhere that a connection must end calls
 * connection_doom(), which brings it to the loop.
 */
#ifndef GATEWAY_HTTP_FRONT_H
#define GATEWAY_HTTP_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "gateway/http/address.h"
#include "gateway/http/http.h"
#include "gateway/http/parser.h"
#include "gateway/http/server.h"

struct bufferevent;
struct crowd;
struct evconnlistener;

#define LISTENERS_MAX 16

TAILQ_HEAD(connections, http_connection);

struct http_server {
	struct event_base *loop;
	struct http_options options;
	struct http_head_limits head_limits;
	struct networks *trusted;
	struct crowd *crowd;
	struct http_counters counters;

	struct listener {
		struct evconnlistener *events;
		bool adopted; /* its queue outlives us */
	} listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct event *resume; /* switches the listeners on again after a pause */
	int reserve;          /* a descriptor to give up when there is none left */
	int64_t warned_ms;    /* when the last line about it was written */

	/* In the order in which they came to rest or began a head: the first goes for a newcomer.
	 */
	struct connections resting;
	struct connections working;

	bool draining;
	struct event *drained;
	void (*on_drained)(void *);
	void *on_drained_argument;

	/* What every head starts and ends with, made once (a second). */
	time_t date_second;
	char date[64];
	size_t date_length;
	char *head; /* the head that is being composed */
	size_t head_length, head_size;
};

/*
 *        +------------------------- the next request -------------------------+
 *        v                                                                     |
 *     RESTING -> READING_HEAD -> READING_BODY -> WORKING -> WRITING -----------+
 *        |             |              |             |          |
 *        |             +--- refused --+-------------|-> WRITING+--> LINGERING -> gone
 *        |                                          +-> STREAMING
 */
enum connection_state {
	RESTING,      /* nothing of a request has arrived */
	READING_HEAD, /* some of it, not all at once */
	READING_BODY,
	WORKING,   /* a handler has the request */
	WRITING,   /* the kernel did not take the whole answer at once */
	STREAMING, /* an answer without an end */
	LINGERING, /* answered and half closed: reads what the client still sends, so that the
		      answer is not lost to a reset */
};

struct http_connection {
	TAILQ_ENTRY(http_connection) link; /* in resting or working */
	struct http_server *server;
	struct bufferevent *bev;
	struct event wake; /* the one timer, and the way to the loop */
	int64_t alarm_ms;  /* when it rings, at the latest; NEVER when it is not set */
	int64_t deadline_ms;
	int64_t born_ms, since_ms; /* since: in this state */
	enum connection_state state;

	struct address address;
	bool trusted; /* a proxy of ours: X-Forwarded-For counts */
	bool counted; /* in the crowd */
	char peer[ADDRESS_TEXT_SIZE];

	struct http_parser parser;
	struct http_request *request; /* not yet answered */
	unsigned served;
	bool serving; /* the loop of serve() is on the stack */
	bool last;    /* close after this answer */
	bool linger;  /* bytes of the client may still be on their way */
	bool doomed;  /* to be released by the loop */

	uint64_t written, taken; /* bytes sent; of them confirmed at the last look */

	/* of a stream */
	void (*on_close)(void *);
	void *on_close_argument;
};

/* connection.c */
void connection_open(struct http_server *, int fd, const struct address *, bool trusted,
		     bool counted);
void connection_disconnect(struct http_connection *); /* only from the loop, see above */
void connection_doom(struct http_connection *);
void connection_answered(struct http_connection *);   /* all of it was given to the socket */
void connection_stream(struct http_connection *);     /* the head of a stream was */
void connection_end_stream(struct http_connection *); /* from our side */
void connection_drain(struct http_connection *);
void connection_release(struct http_connection *); /* forgets its request, frees what is left */
size_t connection_unsent(const struct http_connection *);

/* answer.c */
void answer_refusal(struct http_connection *, enum http_refusal);
void answer_continue(struct http_connection *);
void turn_away(struct http_server *, int fd, enum http_refusal); /* closes fd */

/* request.c: NULL when *why_not says why */
struct http_request *request_new(struct http_connection *, const char *head,
				 enum http_refusal *why_not);

/* server.c */
void server_left(struct http_server *, const struct http_connection *);

#endif
