/*
 * refusal.h - every reason for which the front turns a request or a connection away.
 *
 * One table gives each reason its status, its name in metrics and one sentence
 * for the person behind it. Whatever is refused is also closed: after a framing
 * error nobody knows where the next request would begin (RFC 9112, 11.2).
 */
#ifndef GATEWAY_HTTP_REFUSAL_H
#define GATEWAY_HTTP_REFUSAL_H

enum http_refusal {
	HTTP_ACCEPTED,
	/* found while reading the head */
	HTTP_BAD_REQUEST_LINE,
	HTTP_BAD_LINE_END,
	HTTP_BAD_TARGET,
	HTTP_BAD_FIELD_NAME,
	HTTP_BAD_FIELD_VALUE,
	HTTP_FOLDED_FIELD,
	HTTP_REPEATED_FIELD,
	HTTP_BAD_HOST,
	HTTP_BAD_LENGTH,
	HTTP_BAD_CODING,
	HTTP_CHUNKED,
	HTTP_UNEXPECTED_BODY,
	HTTP_FORBIDDEN_METHOD,
	HTTP_UNKNOWN_METHOD,
	HTTP_UNKNOWN_VERSION,
	HTTP_UNKNOWN_EXPECTATION,
	HTTP_LONG_TARGET,
	HTTP_LARGE_HEAD,
	/* found afterwards */
	HTTP_BAD_PATH,
	HTTP_BAD_QUERY,
	HTTP_LARGE_BODY,
	HTTP_SLOW_HEAD,
	HTTP_SLOW_BODY,
	HTTP_SLOW_READER,
	HTTP_PEER_BUSY,
	HTTP_SERVER_BUSY,
	HTTP_NO_DESCRIPTOR,
	HTTP_BAD_ANSWER,
	HTTP_REFUSALS, /* how many there are */
};

/* The status to answer with; 0 where the connection ends without an answer. */
int http_refusal_status(enum http_refusal);

/* A label for metrics: "bad_host". */
const char *http_refusal_name(enum http_refusal);

/* One English sentence, for the plain page and the log. */
const char *http_refusal_text(enum http_refusal);

#endif
