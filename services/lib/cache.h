/*
 * cache.h - Redis, asynchronously: commands with time-outs, reconnection, bounded queue.
 *
 * hiredis 0.14 has no command time-out and does not reconnect; both are here. A
 * command that is not answered within its time (or the task's, if shorter)
 * leaves its slot empty and replaces the connection, because replies on it can
 * no longer be told apart from late ones. While Redis is away commands fail at
 * once; the connection is retried every 100 ms to 2 s.
 */
#ifndef LIB_CACHE_H
#define LIB_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct cache;
struct event_base;
struct task;

enum cache_kind { CACHE_NOTHING, CACHE_NIL, CACHE_TEXT, CACHE_INTEGER, CACHE_LIST, CACHE_REFUSED };

/* kind is CACHE_NOTHING when nobody answered; text ends in NUL and lies in the task's arena. */
struct cache_slot {
	enum cache_kind kind;
	const char *text;
	size_t length;
	long long integer;
	struct cache_slot *items; /* of a list */
	size_t n_items;
};

/* url: redis://[:password@]host:port[/db] or unix:///path/to/socket[?db=0]. NULL on a bad url. */
struct cache *cache_new(struct event_base *, const char *url, int timeout_ms);
void cache_free(struct cache *);
bool cache_up(const struct cache *);
const char *cache_check_url(const char *url); /* for config: what is wrong, or NULL */

/* format as hiredis: %s, %b with length, %d…; slot NULL when the answer does not matter. */
void cache_command(struct task *, struct cache_slot *, struct cache *, const char *format, ...);

#endif
