/*
 * cache.c - one connection to Redis that comes back by itself, and commands that end in time.
 *
 *          +--------- retry timer ---------+
 *          v                               |
 *   looking up -> connecting -> greeting -> up       (idle: waiting for the retry timer)
 *          |          |            |         |
 *          +----------+------------+---------+--- failed, too slow ---> closing -> idle
 *
 * Greeting is AUTH and SELECT where the url asks for them, and PING, whose answer
 * says that Redis can serve. hiredis owns its context in ways that differ by
 * version, so two rules stand: it is freed only from drop(), which only runs from
 * our own timer; and where hiredis frees it (after a failed connect or a lost
 * connection) our callback forgets it and touches nothing else. Either way hiredis
 * calls every waiting command's callback with no reply, so each command is
 * answered exactly once, there.
 */
#include "lib/cache.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>

#include "lib/cache_url.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/lookup.h"
#include "lib/metrics.h"
#include "lib/task.h"

#define WAITING_LIMIT   1024 /* commands in flight; beyond it they fail at once */
#define CONNECT_MS      2000 /* until the greeting is answered */
#define RETRY_FIRST_MS  100
#define RETRY_LONGEST   2000
#define DEFAULT_TIMEOUT 250

enum state { IDLE, LOOKING_UP, CONNECTING, GREETING, UP, CLOSING };

struct cache {
	struct event_base *loop;
	struct cache_url url;
	int timeout_ms;
	enum state state;
	redisAsyncContext *context;
	struct lookup *lookup;
	struct event *timer; /* retry, too slow, or closing: by state */
	int retry_ms;
	unsigned waiting;
	bool warned; /* that it is down; once until it is up again */
};

/* Lies in the task's arena. */
struct command {
	struct cache *cache;
	struct task *task;
	struct cache_slot *slot;
	struct event *timer;
	int64_t started_ms;
};

static struct metric up_metric = METRIC_GAUGE("causerie_cache_up", "", "Redis answers");
static struct metric took_metric =
	METRIC_HISTOGRAM("causerie_cache_ms", "", "Time to Redis' answer");
static struct metric replaced_metric =
	METRIC_COUNTER("causerie_cache_replaced_total", "",
		       "Connections given up because a command took too long");
static struct metric lost_metric = METRIC_COUNTER("causerie_cache_failed_total", "reason=\"lost\"",
						  "Commands without an answer");
static struct metric down_metric = METRIC_COUNTER("causerie_cache_failed_total", "reason=\"down\"",
						  "Commands without an answer");
static struct metric full_metric = METRIC_COUNTER("causerie_cache_failed_total", "reason=\"full\"",
						  "Commands without an answer");

static void connect_now(struct cache *);

/* --- the connection --- */

static void set_timer(struct cache *cache, int ms)
{
	const struct timeval later = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(cache->timer, &later);
}

static void set_state(struct cache *cache, enum state state)
{
	cache->state = state;
	metric_set(&up_metric, state == UP);
}

/* Waits and tries again; the pause doubles up to two seconds. */
static void become_idle(struct cache *cache, const char *why)
{
	set_state(cache, IDLE);
	if (!cache->warned)
		log_warn(NULL, "cache.down", "why=%s", why);
	cache->warned = true;
	set_timer(cache, cache->retry_ms);
	cache->retry_ms = cache->retry_ms * 2 > RETRY_LONGEST ? RETRY_LONGEST : cache->retry_ms * 2;
}

/* Never from inside one of hiredis' callbacks. Waiting commands are answered in here. */
static void drop(struct cache *cache)
{
	redisAsyncContext *context = cache->context;

	set_state(cache, CLOSING);
	lookup_cancel(cache->lookup);
	cache->lookup = NULL;
	cache->context = NULL;
	if (context != NULL)
		redisAsyncFree(context);
}

/* From a callback of hiredis: drop() follows from the loop. */
static void drop_soon(struct cache *cache)
{
	set_state(cache, CLOSING);
	event_active(cache->timer, EV_TIMEOUT, 0);
}

static void on_timer(evutil_socket_t nothing, short events, void *argument)
{
	struct cache *cache = argument;
	const char *why =
		cache->state == CLOSING ? "it did not answer or refused us" : "it does not answer";

	(void)nothing;
	(void)events;
	if (cache->state == IDLE) {
		connect_now(cache);
		return;
	}
	drop(cache);
	become_idle(cache, why);
}

/* hiredis frees the context after this; it is no longer ours. */
static void on_disconnected(const redisAsyncContext *context, int status)
{
	struct cache *cache = context->data;

	(void)status;
	if (cache->context != context)
		return; /* drop() did it */
	cache->context = NULL;
	become_idle(cache, context->errstr ? context->errstr : "the connection ended");
}

static void on_greeted(redisAsyncContext *context, void *reply, void *last)
{
	struct cache *cache = context->data;
	const redisReply *answer = reply;

	if (cache->context != context || cache->state != GREETING || answer == NULL)
		return;
	if (answer->type == REDIS_REPLY_ERROR) {
		if (!cache->warned)
			log_warn(NULL, "cache.refused_us", "why=%s", answer->str);
		cache->warned = true;
		drop_soon(cache);
		return;
	}
	if (last == NULL)
		return;
	evtimer_del(cache->timer);
	set_state(cache, UP);
	cache->retry_ms = RETRY_FIRST_MS;
	cache->warned = false;
	log_info(NULL, "cache.up", "");
}

static void greet(struct cache *cache)
{
	const struct cache_url *url = &cache->url;

	if (url->user[0] != '\0')
		redisAsyncCommand(cache->context, on_greeted, NULL, "AUTH %s %s", url->user,
				  url->password);
	else if (url->password[0] != '\0')
		redisAsyncCommand(cache->context, on_greeted, NULL, "AUTH %s", url->password);
	if (url->database != 0)
		redisAsyncCommand(cache->context, on_greeted, NULL, "SELECT %d", url->database);
	redisAsyncCommand(cache->context, on_greeted, cache, "PING");
}

/* After a failure hiredis frees the context, and calls no other callback but the commands'. */
static void on_connected(const redisAsyncContext *context, int status)
{
	struct cache *cache = context->data;

	if (cache->context != context)
		return;
	if (status != REDIS_OK) {
		cache->context = NULL;
		become_idle(cache, context->errstr ? context->errstr : strerror(errno));
		return;
	}
	set_state(cache, GREETING);
	greet(cache);
}

static void attach(struct cache *cache, redisAsyncContext *context)
{
	if (context == NULL)
		abort();
	if (context->err != 0) {
		become_idle(cache, context->errstr);
		redisAsyncFree(context);
		return;
	}
	context->data = cache;
	cache->context = context;
	redisLibeventAttach(context, cache->loop);
	redisAsyncSetConnectCallback(context, on_connected);
	redisAsyncSetDisconnectCallback(context, on_disconnected);
	set_state(cache, CONNECTING);
	set_timer(cache, CONNECT_MS);
}

/* A literal address, which hiredis connects to without asking anybody. */
static void on_looked_up(void *argument, const char *literal)
{
	struct cache *cache = argument;

	cache->lookup = NULL;
	evtimer_del(cache->timer);
	if (literal == NULL)
		become_idle(cache, "its host name is not known");
	else
		attach(cache, redisAsyncConnect(literal, cache->url.port));
}

static void look_up(struct cache *cache)
{
	cache->lookup = lookup_start(cache->loop, cache->url.host, on_looked_up, cache);
	if (cache->lookup == NULL) {
		become_idle(cache, "no descriptor is left");
		return;
	}
	set_state(cache, LOOKING_UP);
	set_timer(cache, CONNECT_MS);
}

static bool is_literal(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void connect_now(struct cache *cache)
{
	if (cache->url.path[0] != '\0') {
		attach(cache, redisAsyncConnectUnix(cache->url.path));
	} else if (is_literal(cache->url.host)) {
		attach(cache, redisAsyncConnect(cache->url.host, cache->url.port));
	} else {
		look_up(cache);
	}
}

struct cache *cache_new(struct event_base *loop, const char *url, int timeout_ms)
{
	struct cache *cache = calloc(1, sizeof *cache);

	if (cache == NULL)
		abort();
	if (cache_url_parse(&cache->url, url) != NULL) {
		free(cache);
		return NULL;
	}
	cache->loop = loop;
	cache->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT;
	cache->retry_ms = RETRY_FIRST_MS;
	cache->timer = evtimer_new(loop, on_timer, cache);
	if (cache->timer == NULL)
		abort();
	set_state(cache, IDLE);
	set_timer(cache, 0);
	return cache;
}

void cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	drop(cache);
	assert(cache->waiting == 0);
	event_free(cache->timer);
	free(cache);
}

bool cache_up(const struct cache *cache)
{
	return cache->state == UP;
}

/* --- commands --- */

static void copy_reply(struct arena *arena, struct cache_slot *slot, const redisReply *reply)
{
	static const enum cache_kind kinds[] = {
		[REDIS_REPLY_STRING] = CACHE_TEXT,     [REDIS_REPLY_ARRAY] = CACHE_LIST,
		[REDIS_REPLY_INTEGER] = CACHE_INTEGER, [REDIS_REPLY_NIL] = CACHE_NIL,
		[REDIS_REPLY_STATUS] = CACHE_TEXT,     [REDIS_REPLY_ERROR] = CACHE_REFUSED,
	};

	assert(reply->type > 0 && (size_t)reply->type < sizeof kinds / sizeof kinds[0]);
	slot->kind = kinds[reply->type];
	slot->integer = reply->integer;
	if (reply->str != NULL) {
		slot->text = arena_copy(arena, reply->str, reply->len);
		slot->length = reply->len;
	}
	if (reply->elements == 0)
		return;
	slot->items = ARENA_ARRAY(arena, struct cache_slot, reply->elements);
	slot->n_items = reply->elements;
	for (size_t i = 0; i < reply->elements; i++) /* at most 7 deep, says the reader */
		copy_reply(arena, &slot->items[i], reply->element[i]);
}

/* reply is NULL when the connection is gone. */
static void on_reply(redisAsyncContext *context, void *reply, void *argument)
{
	struct command *command = argument;
	struct cache *cache = command->cache;

	(void)context;
	cache->waiting--;
	event_del(command->timer);
	if (reply == NULL)
		metric_add(&lost_metric, 1);
	else
		metric_observe_ms(&took_metric, (double)(clock_ms() - command->started_ms));
	if (reply != NULL && command->slot != NULL)
		copy_reply(&command->task->arena, command->slot, reply);
	task_answered(command->task);
}

/* All that wait share the connection, and lose it together: it does not answer. */
static void on_too_slow(evutil_socket_t nothing, short events, void *argument)
{
	struct cache *cache = argument;

	(void)nothing;
	(void)events;
	metric_add(&replaced_metric, 1);
	drop(cache);
	become_idle(cache, "a command was not answered in time");
}

static struct command *new_command(struct task *task, struct cache_slot *slot, struct cache *cache)
{
	struct command *command = ARENA_NEW(&task->arena, struct command);

	command->cache = cache;
	command->task = task;
	command->slot = slot;
	command->started_ms = clock_ms();
	command->timer = arena_alloc(&task->arena, event_get_struct_event_size());
	event_assign(command->timer, cache->loop, -1, 0, on_too_slow, cache);
	return command;
}

void cache_command(struct task *task, struct cache_slot *slot, struct cache *cache,
		   const char *format, ...)
{
	const struct timeval too_slow = {cache->timeout_ms / 1000, cache->timeout_ms % 1000 * 1000};
	struct command *command;
	va_list arguments;
	int result;

	if (cache->state != UP || cache->waiting >= WAITING_LIMIT) {
		metric_add(cache->state != UP ? &down_metric : &full_metric, 1);
		return;
	}
	command = new_command(task, slot, cache);
	va_start(arguments, format);
	result = redisvAsyncCommand(cache->context, on_reply, command, format, arguments);
	va_end(arguments);
	assert(result == REDIS_OK); /* or the format is wrong */
	cache->waiting++;
	task_wait(task);
	evtimer_add(command->timer, &too_slow);
}
