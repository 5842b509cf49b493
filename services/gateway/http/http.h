/*
 * http.h - what a handler of the gateway sees of HTTP.
 *
 * A request arrives whole and valid: its head passed the strict parser, its
 * path and query are decoded and checked, its body is complete. The handler
 * answers it exactly once, now or later, with http_respond() or
 * http_stream_begin().
 *
 * The request and all it points to lie in its arena. A handler that answers
 * later takes that arena over by assignment and leaves {0} (task_new() does
 * both); the request then lives as long as that arena. An arena that was left
 * where it was is released by the front with the answer, or when the client
 * leaves. When an arena ends with its request unanswered, the front answers 500
 * in its place: no visitor waits for a handler that gave up.
 */
#ifndef GATEWAY_HTTP_HTTP_H
#define GATEWAY_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/http/parser.h"
#include "lib/arena.h"

struct evbuffer;
struct http_connection;
struct http_stream;

/* --- requests ----------------------------------------------------------------- */

struct http_field {
	const char *name, *value; /* end in NUL and hold none */
};

/* Decoded name=value pairs in their order: a query, a form's fields, cookies. */
struct http_form {
	struct http_field *fields;
	size_t n_fields;
};

#define HTTP_FORM_FIELDS_MAX 128 /* more is refused; our largest form has about forty */

struct http_request {
	struct arena arena;
	enum http_method method;
	unsigned minor_version;    /* of HTTP/1 */
	const char *target;        /* as it came, in origin form: "/sujets?q=v%C3%A9lo"; or "*" */
	const char *path;          /* decoded UTF-8, "/sujets"; an encoded slash stays "%2F" */
	const char *query;         /* as it came, "q=v%C3%A9lo"; "" when there is none */
	const char *host;          /* the Host field */
	const char *peer;          /* the client's address as text; "unix" for a local socket */
	struct http_field *fields; /* names in lower case */
	size_t n_fields;
	struct http_form query_form; /* the query, decoded */
	struct http_form cookies;
	const char *body; /* ends in NUL that body_length does not count; never NULL */
	size_t body_length;

	/* For the front. */
	struct http_connection *connection; /* NULL once answered or abandoned */
	bool answered;
	bool *alive; /* told when the request goes while its handler runs; else NULL */
	void (*on_abandon)(void *);
	void *on_abandon_argument;
};

/* The first value of a field, or NULL; name in lower case. Its bytes need not be UTF-8. */
const char *http_header(const struct http_request *, const char *name);

/* The value of the first cookie of that name (RFC 6265, 5.4), or NULL. */
const char *http_cookie(const struct http_request *, const char *name);

/* The first value of that name in the query, or NULL. */
const char *http_query_value(const struct http_request *, const char *name);

/*
 * Reads the body as application/x-www-form-urlencoded in UTF-8 into the arena.
 * Returns 0, or the status to answer with: 415 for another content type, 413 for
 * more than HTTP_FORM_FIELDS_MAX fields, 400 for a broken escape, NUL or invalid
 * UTF-8.
 */
int http_form_read(const struct http_request *, struct arena *, struct http_form *);

/* Value number index (from 0) of that name, or NULL: for boxes that may be ticked together. */
const char *http_form_nth(const struct http_form *, const char *name, size_t index);
const char *http_form_value(const struct http_form *, const char *name);

/* Calls back, once, when the client leaves before the answer; then none is needed. */
void http_on_abandon(struct http_request *, void (*on_abandon)(void *), void *argument);

/* Whether If-None-Match names this tag (quotes included; weak comparison, RFC 9110, 13.1.2). */
bool http_etag_matches(const struct http_request *, const char *etag);

/* --- answers ------------------------------------------------------------------ */

#define HTTP_ANSWER_FIELDS_MAX 24

struct http_response {
	int status;
	struct evbuffer *body; /* NULL is empty; taken over by the answer */
	/* For the functions below. */
	struct http_field fields[HTTP_ANSWER_FIELDS_MAX]; /* borrowed until the answer */
	size_t n_fields;
	bool refused; /* a field could have split the answer */
};

/* "Not Found"; "Unknown" for what has no name. */
const char *http_reason(int status);

/*
 * Adds a field, which replaces the server's own of that name. Date, Connection
 * and Content-Length are the front's. A name or value that could split the
 * answer (CR, LF, other control bytes) turns the whole answer into a 500.
 */
void http_response_field(struct http_response *, const char *name, const char *value);

/* The body, made at first use. evbuffer_add_reference() shares a kept piece without a copy. */
struct evbuffer *http_response_body(struct http_response *);

/*
 * Answers. HEAD gets the same head without the body; 204 and 304 have none. The
 * response is used up. The request must not be touched afterwards unless its
 * arena was taken over. When the client has left, this only releases the body.
 */
void http_respond(struct http_request *, struct http_response *);

/* --- answers without an end (Server-Sent Events) ------------------------------ */

/*
 * Sends the head and keeps the connection for what follows; the response's body
 * is sent first. on_close is called exactly once when the stream ends for
 * whatever reason but http_stream_close(): the client left, it reads too slowly,
 * the server drains, the connection's life is over. Returns NULL when there is
 * nobody to stream to (client gone, or HEAD); on_close is then not called.
 */
struct http_stream *http_stream_begin(struct http_request *, struct http_response *,
				      void (*on_close)(void *), void *argument);

/*
 * Returns 0, or -ENOBUFS when the client has not read what was sent before: the
 * stream then ends, and on_close follows from the loop.
 */
int http_stream_send(struct http_stream *, const void *bytes, size_t length);

/* Ends the stream from our side; the pointer is dead. */
void http_stream_close(struct http_stream *);

#endif
