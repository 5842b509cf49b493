/*
 * parser.h - reads one request head (RFC 9110, 9112) byte by byte, strictly.
 *
 * The parser sees bytes and nothing else: it does no input or output, allocates
 * nothing and keeps offsets instead of pointers, so the caller's buffer may grow
 * and move between two calls. Where the bytes are split never changes the
 * verdict. What two implementations could read in two ways is refused:
 *
 *   - lines end in CR LF; names are tokens with the colon right behind them; no
 *     folding, no control bytes, no NUL;
 *   - exactly one Host; one Content-Length of digits or none; any
 *     Transfer-Encoding is refused, so a body has one length or none;
 *   - GET and HEAD have no body;
 *   - HTTP/1.0 and HTTP/1.1 only.
 *
 * Errors of syntax are told at the byte where they stand, those of meaning at
 * the end of the head.
 */
#ifndef GATEWAY_HTTP_PARSER_H
#define GATEWAY_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/http/refusal.h"

#define HTTP_FIELDS_MAX 64    /* fields of one head, whatever the limits say */
#define HTTP_HEAD_MAX   65535 /* bytes of one head, whatever the limits say */

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_METHODS, /* how many there are */
};

/* "GET"; never NULL. */
const char *http_method_name(enum http_method);

/* Where something stands in the head. */
struct http_span {
	uint16_t start, length;
};

struct http_head_limits {
	size_t head;   /* bytes from the first of the request line to the last of the empty line */
	size_t target; /* bytes of the request target */
	size_t fields;
};

enum http_verdict { HTTP_WANTS_MORE, HTTP_COMPLETE, HTTP_REFUSED };

struct http_parser {
	/* Valid once the verdict is HTTP_COMPLETE. */
	enum http_method method;
	unsigned minor_version;  /* 0 or 1 */
	struct http_span target; /* origin form, or "*" of OPTIONS */
	struct http_span host;   /* value of the Host field */
	size_t n_fields;
	struct http_span names[HTTP_FIELDS_MAX], values[HTTP_FIELDS_MAX];
	size_t head_length;      /* bytes up to and with the empty line */
	uint64_t content_length; /* 0 without a body; UINT64_MAX stands for anything larger */
	bool keep_alive;         /* the client wants to go on */
	bool expects_continue;   /* the client waits for 100 before it sends the body */

	/* Valid once the verdict is HTTP_REFUSED. */
	enum http_refusal refusal;

	/* Private. */
	const struct http_head_limits *limits;
	unsigned state;
	size_t at; /* bytes seen */
	struct http_span method_token;
};

/* The limits are borrowed until the verdict. */
void http_parser_start(struct http_parser *, const struct http_head_limits *);

/*
 * bytes holds everything that has arrived of this head since its first byte,
 * those of earlier calls included; length never shrinks. Bytes behind the head
 * are not looked at. After a verdict other than HTTP_WANTS_MORE the parser must
 * be started again.
 */
enum http_verdict http_parser_feed(struct http_parser *, const char *bytes, size_t length);

#endif
