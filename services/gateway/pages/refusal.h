/*
 * refusal.h - the page, or for the API the problem, for what the front turned away before it was a
 * request.
 */
#ifndef GATEWAY_PAGES_REFUSAL_H
#define GATEWAY_PAGES_REFUSAL_H

#include "gateway/http/http.h"
#include "gateway/http/refusal.h"

/* For http_options.render. */
void refusal_page(void *nothing, enum http_refusal, const char *target, struct http_response *);
void refusal_pages_stop(void);

#endif
