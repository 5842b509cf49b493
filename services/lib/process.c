/*
 * process.c - prepares the process, and notices when its loop is held up.
 *
 * nanomsg and glibc end threads with pthread_exit(), for which glibc opens
 * libgcc_s.so.1 when it is first needed; with no descriptor left that aborts the
 * process. So one thread ends at start, while there are plenty.
 */
#include "lib/process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <sodium.h>
#include <systemd/sd-daemon.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"

#define FD_LIMIT    65536 /* the hard limit may be a billion, and libraries loop over it */
#define TICK_MS     200
#define LAG_WARN_MS 250

struct process_watch {
	struct event *tick;
	int64_t last_ms;
	int64_t watchdog_every_ms, watchdog_fed_ms; /* 0: systemd does not watch us */
};

static struct metric lag_metric =
	METRIC_HISTOGRAM("causerie_loop_lag_ms", "", "How late the event loop runs a timer");

static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max > FD_LIMIT ? FD_LIMIT : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn(NULL, "process.fd_limit_stays", "why=%s", strerror(errno));
}

static void *end_at_once(void *nothing)
{
	pthread_exit(nothing);
}

static void load_libgcc(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, end_at_once, NULL) != 0)
		log_fatal("cannot start a thread; is the limit of processes reached?");
	pthread_join(thread, NULL);
}

void process_prepare(void)
{
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	raise_fd_limit();
	load_libgcc();
	if (sodium_init() < 0)
		log_fatal("libsodium does not start");
}

static void feed_watchdog(struct process_watch *watch, int64_t now)
{
	if (watch->watchdog_every_ms == 0 ||
	    now - watch->watchdog_fed_ms < watch->watchdog_every_ms)
		return;
	watch->watchdog_fed_ms = now;
	sd_notify(0, "WATCHDOG=1");
}

static void on_tick(evutil_socket_t nothing, short events, void *argument)
{
	struct process_watch *watch = argument;
	const int64_t now = clock_ms(), late = now - watch->last_ms - TICK_MS;

	(void)nothing;
	(void)events;
	watch->last_ms = now;
	metric_observe_ms(&lag_metric, late > 0 ? (double)late : 0);
	if (late > LAG_WARN_MS)
		log_warn(NULL, "loop.held_up", "ms=%lld", (long long)late);
	feed_watchdog(watch, now);
}

struct process_watch *process_watch_new(struct event_base *loop)
{
	const struct timeval interval = {.tv_usec = TICK_MS * 1000};
	struct process_watch *watch = calloc(1, sizeof *watch);
	uint64_t usec;

	if (watch == NULL)
		abort();
	watch->tick = event_new(loop, -1, EV_PERSIST, on_tick, watch);
	if (watch->tick == NULL)
		abort();
	watch->last_ms = clock_ms();
	metric_register(&lag_metric);
	if (sd_watchdog_enabled(0, &usec) > 0)
		watch->watchdog_every_ms = (int64_t)usec / 2000;
	event_add(watch->tick, &interval);
	return watch;
}

void process_watch_free(struct process_watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->tick);
	free(watch);
}

/*
 * libpq brings LDAP, and LDAP GnuTLS, which prepares itself while it is loaded: a megabyte in each
 * daemon for what none of them uses. It leaves that to who calls it when it finds this function.
 */
int _gnutls_global_init_skip(void);

int _gnutls_global_init_skip(void)
{
	return 1;
}
