/*
 * coding.h - whether and how a body travels compressed (RFC 9110 12.5.3).
 */
#ifndef GATEWAY_CODING_H
#define GATEWAY_CODING_H

#include <stdbool.h>

struct evbuffer;
struct http_request;

/* gzip, or anything, is named in Accept-Encoding and not with q=0. */
bool accepts_gzip(const struct http_request *);

/* Replaces what the buffer holds by its gzip form. Quick rather than small: it is sent once. */
void gzip_buffer(struct evbuffer *);

#endif
