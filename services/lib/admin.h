/*
 * admin.h - the port for operators: /healthz, /readyz, /metrics.
 *
 *     GET /healthz   200 {"healthy":true}: the loop turns; says nothing about dependencies,
 *                    so that a database that is away does not restart the whole fleet
 *     GET /readyz    200 {"ready":true}, or 503 {"ready":false,"why":"…"}
 *     GET /metrics   Prometheus text
 *
 * It is evhttp, which cannot face browsers: loopback, or a network of operators.
 */
#ifndef LIB_ADMIN_H
#define LIB_ADMIN_H

struct admin;
struct event_base;

/* why() returns NULL when the daemon can serve. NULL with errno when listen cannot be bound. */
struct admin *admin_new(struct event_base *, const char *listen, const char *(*why)(void));
void admin_free(struct admin *);

/* The address with the port that port 0 became. */
const char *admin_address(const struct admin *);

#endif
