/*
 * lookup.h - a host name's address, without holding the loop.
 *
 * The C library's resolver knows /etc/hosts, search domains and what else a
 * machine is set up for, but waits; so it runs on a thread of its own, one per
 * lookup.
 */
#ifndef LIB_LOOKUP_H
#define LIB_LOOKUP_H

struct event_base;
struct lookup;

/* The first address as a literal, or NULL when there is none; from the loop, once. */
typedef void lookup_done(void *argument, const char *literal);

/* NULL when there is no descriptor left. */
struct lookup *lookup_start(struct event_base *, const char *host, lookup_done *, void *argument);

/* done will not be called; not needed once it was. NULL is fine. */
void lookup_cancel(struct lookup *);

#endif
