/*
 * cache.h - Redis, asynchronously: commands with time-outs, reconnection, bounded queue.
 *
 * hiredis 0.14 has no command time-out and does not reconnect; both are here. A
 * command that is not answered in time replaces the connection, and all that
 * wait on it get an empty slot. While Redis is away commands fail at once; the
 * connection is retried every 100 ms to 2 s. A task whose own deadline is shorter
 * ends at its deadline, and its memory stays until the command has ended.
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

/*
 * url: redis://[[user]:password@]host[:port][/db] or unix://[:password@]/path[?db=0]; a host may
 * be a name, and is looked up again at each connection. timeout_ms of a command, 0: 250. NULL on
 * a bad url. cache_free() ends the commands that wait, without an answer.
 */
struct cache *cache_new(struct event_base *, const char *url, int timeout_ms);
void cache_free(struct cache *);
bool cache_up(const struct cache *);
const char *cache_check_url(const char *url); /* for config: what is wrong, or NULL */

/* format as hiredis: %s, %b with length, %d…; slot NULL when the answer does not matter. */
void cache_command(struct task *, struct cache_slot *, struct cache *, const char *format, ...);

#endif
