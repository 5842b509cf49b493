/*
 * error.h - the page for what went wrong.
 */
#ifndef GATEWAY_PAGES_ERROR_H
#define GATEWAY_PAGES_ERROR_H

struct evbuffer;
struct visit;

/* Draws the page of a status; detail is for developers and is not shown. */
void draw_error(struct visit *, int status, const char *detail, struct evbuffer *);

#endif
