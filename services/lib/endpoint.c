/*
 * endpoint.c - where the replicas of a daemon are, now.
 *
 * A round puts the set together on the loop: fixed addresses as they stand,
 * patterns from their folder (a folder of /run, in memory), names from what the
 * thread found last. The thread may be held by a resolver for many seconds, so
 * nobody ever waits for it: what both sides share is counted, and whoever leaves
 * last frees it.
 */
#include "lib/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#define SOURCES_LIMIT 16
#define ROUND_MS      500
#define HURRY_MS      100
#define RESOLVE_S     5
#define MISSED_LIMIT  2

enum source_kind { SOURCE_FIXED, SOURCE_PATTERN, SOURCE_NAME };

struct source {
	enum source_kind kind;
	char text[ENDPOINT_SIZE]; /* the address; of a pattern the path; of a name the host */
	unsigned port;            /* of a name */
};

/* What the thread found for one name. */
struct found {
	char literals[ENDPOINT_LIMIT][ENDPOINT_SIZE];
	unsigned missed[ENDPOINT_LIMIT]; /* answers in a row without it */
	size_t count;
};

/* Shared by the loop and the thread. */
struct lookups {
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopped, fruitless;
	unsigned users;
	int notice; /* eventfd */
	struct source sources[SOURCES_LIMIT];
	struct found found[SOURCES_LIMIT];
	size_t count;
};

struct set {
	char addresses[ENDPOINT_LIMIT][ENDPOINT_SIZE];
	size_t count;
};

struct endpoints {
	struct event_base *loop;
	endpoints_changed *changed;
	void *argument;
	struct source sources[SOURCES_LIMIT];
	size_t n_sources;
	struct set now;
	bool told, hurried;
	struct event *round, *notice;
	struct lookups *lookups; /* NULL without names */
};

/* --- the thread --- */

static size_t ask_system(const char *host, char literals[][ENDPOINT_SIZE], size_t room)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	size_t count = 0;

	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return 0;
	for (struct addrinfo *at = list; at != NULL && count < room; at = at->ai_next)
		if (getnameinfo(at->ai_addr, at->ai_addrlen, literals[count], ENDPOINT_SIZE, NULL,
				0, NI_NUMERICHOST) == 0)
			count++;
	freeaddrinfo(list);
	return count;
}

static endpoint_resolver *resolve = ask_system;

void endpoint_set_resolver(endpoint_resolver *resolver)
{
	resolve = resolver;
}

static bool holds(char list[][ENDPOINT_SIZE], size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

static void forget(struct found *found, size_t i)
{
	found->count--;
	memmove(found->literals[i], found->literals[i + 1],
		(found->count - i) * sizeof found->literals[0]);
	memmove(&found->missed[i], &found->missed[i + 1],
		(found->count - i) * sizeof found->missed[0]);
}

static void merge(struct found *found, char answer[][ENDPOINT_SIZE], size_t count)
{
	if (count == 0)
		return;
	for (size_t i = found->count; i-- > 0;) {
		if (holds(answer, count, found->literals[i]))
			found->missed[i] = 0;
		else if (++found->missed[i] == MISSED_LIMIT)
			forget(found, i);
	}
	for (size_t i = 0; i < count && found->count < ENDPOINT_LIMIT; i++) {
		if (holds(found->literals, found->count, answer[i]))
			continue;
		memcpy(found->literals[found->count], answer[i], ENDPOINT_SIZE);
		found->missed[found->count++] = 0;
	}
}

/* The lock is not held while the system looks. */
static void look_up_all(struct lookups *lookups)
{
	static _Thread_local char answer[ENDPOINT_LIMIT][ENDPOINT_SIZE];
	const uint64_t one = 1;

	lookups->fruitless = false;
	for (size_t i = 0; i < lookups->count && !lookups->stopped; i++) {
		size_t count;

		pthread_mutex_unlock(&lookups->lock);
		count = resolve(lookups->sources[i].text, answer, ENDPOINT_LIMIT);
		pthread_mutex_lock(&lookups->lock);
		merge(&lookups->found[i], answer, count);
		lookups->fruitless |= lookups->found[i].count == 0;
	}
	if (write(lookups->notice, &one, sizeof one) < 0)
		assert(errno == EAGAIN); /* noticed already */
}

static void leave(struct lookups *lookups)
{
	const bool last = --lookups->users == 0;

	pthread_mutex_unlock(&lookups->lock);
	if (!last)
		return;
	close(lookups->notice);
	pthread_cond_destroy(&lookups->stop);
	pthread_mutex_destroy(&lookups->lock);
	free(lookups);
}

static void *look_up(void *argument)
{
	struct lookups *lookups = argument;

	pthread_mutex_lock(&lookups->lock);
	while (!lookups->stopped) {
		struct timespec until;

		look_up_all(lookups);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += lookups->fruitless ? 1 : RESOLVE_S;
		while (!lookups->stopped &&
		       pthread_cond_timedwait(&lookups->stop, &lookups->lock, &until) == 0)
			continue;
	}
	leave(lookups);
	return NULL;
}

/* Signals are the loop's: the thread has none. */
static void start_thread(struct lookups *lookups)
{
	sigset_t all, before;
	pthread_attr_t detached;
	pthread_t thread;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &detached, look_up, lookups);
	pthread_attr_destroy(&detached);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		abort();
}

static struct lookups *start_lookups(const struct source *sources, size_t count)
{
	struct lookups *lookups = calloc(1, sizeof *lookups);
	pthread_condattr_t monotonic;

	if (lookups == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		if (sources[i].kind == SOURCE_NAME)
			lookups->sources[lookups->count++] = sources[i];
	lookups->notice = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (lookups->notice < 0)
		abort();
	pthread_mutex_init(&lookups->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&lookups->stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
	lookups->users = 2;
	start_thread(lookups);
	return lookups;
}

/* --- a round --- */

static void add(struct set *set, const char *address)
{
	if (set->count == ENDPOINT_LIMIT || holds(set->addresses, set->count, address))
		return;
	memcpy(set->addresses[set->count++], address, strlen(address) + 1);
}

/* A socket file outlives its process; only connecting tells. A full queue is somebody. */
static bool listened_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool answer;
	int s;

	if (strlen(path) >= sizeof address.sun_path)
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return true; /* cannot tell */
	answer = connect(s, (const struct sockaddr *)&address, sizeof address) == 0 ||
		 errno == EAGAIN;
	close(s);
	return answer;
}

static bool matches(const char *name, const char *pattern)
{
	const char *star = strchr(pattern, '*');
	const size_t before = (size_t)(star - pattern), after = strlen(star + 1);
	const size_t length = strlen(name);

	return length > before + after && memcmp(name, pattern, before) == 0 &&
	       strcmp(name + length - after, star + 1) == 0;
}

static void add_matching(struct endpoints *endpoints, struct set *set, const char *pattern)
{
	char folder[ENDPOINT_SIZE], address[ENDPOINT_SIZE];
	const char *name = strrchr(pattern, '/') + 1;
	const struct dirent *entry;
	DIR *list;

	memcpy(folder, pattern, (size_t)(name - pattern));
	folder[name - pattern] = '\0';
	list = opendir(folder);
	if (list == NULL) /* nobody has started yet */
		return;
	while ((entry = readdir(list)) != NULL) {
		int length;

		if (!matches(entry->d_name, name))
			continue;
		length = snprintf(address, sizeof address, "ipc://%s%s", folder, entry->d_name);
		if (length < 0 || (size_t)length >= sizeof address)
			continue;
		/* Those in use are known to be well unless we hurry. */
		if ((!endpoints->hurried &&
		     holds(endpoints->now.addresses, endpoints->now.count, address)) ||
		    listened_to(address + strlen("ipc://")))
			add(set, address);
	}
	closedir(list);
}

static void add_found(struct set *set, const struct source *source, const struct found *found)
{
	char address[ENDPOINT_SIZE];

	for (size_t i = 0; i < found->count; i++) {
		const bool v6 = strchr(found->literals[i], ':') != NULL;
		const int length =
			snprintf(address, sizeof address, v6 ? "tcp://[%s]:%u" : "tcp://%s:%u",
				 found->literals[i], source->port);

		if (length > 0 && (size_t)length < sizeof address)
			add(set, address);
	}
}

static void add_resolved(struct set *set, struct lookups *lookups)
{
	pthread_mutex_lock(&lookups->lock);
	for (size_t i = 0; i < lookups->count; i++)
		add_found(set, &lookups->sources[i], &lookups->found[i]);
	pthread_mutex_unlock(&lookups->lock);
}

static bool same(const struct set *a, struct set *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!holds(b->addresses, b->count, a->addresses[i]))
			return false;
	return true;
}

static void look_around(struct endpoints *endpoints)
{
	struct set found = {.count = 0};

	for (size_t i = 0; i < endpoints->n_sources; i++) {
		const struct source *source = &endpoints->sources[i];

		if (source->kind == SOURCE_FIXED)
			add(&found, source->text);
		else if (source->kind == SOURCE_PATTERN)
			add_matching(endpoints, &found, source->text);
	}
	if (endpoints->lookups != NULL)
		add_resolved(&found, endpoints->lookups);
	if (endpoints->told && same(&found, &endpoints->now))
		return;
	endpoints->told = true;
	endpoints->now = found;
	endpoints->changed(endpoints->argument, endpoints->now.addresses, endpoints->now.count);
}

static void schedule(struct endpoints *endpoints)
{
	const int ms = endpoints->hurried ? HURRY_MS : ROUND_MS;
	const struct timeval pause = {ms / 1000, ms % 1000 * 1000};

	event_add(endpoints->round, &pause);
}

static void on_round(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	schedule(argument);
	look_around(argument);
}

static void on_notice(evutil_socket_t notice, short events, void *argument)
{
	uint64_t count;

	(void)events;
	if (read(notice, &count, sizeof count) == sizeof count)
		look_around(argument);
}

/* --- reading the list --- */

/* Splits "host:port" or "[v6]:port" into host and port. */
static int read_tcp(const char *text, struct source *source)
{
	struct in6_addr ignored;
	const char *colon = strrchr(text, ':');
	const bool bracketed = text[0] == '[';
	char *end;
	size_t length;
	long port;

	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	port = strtol(colon + 1, &end, 10);
	length = (size_t)(colon - text);
	if (*end != '\0' || port < 1 || port > 65535 || length == 0 || length >= ENDPOINT_SIZE - 16)
		return -EINVAL;
	if (bracketed && (length < 4 || text[length - 1] != ']'))
		return -EINVAL;
	source->port = (unsigned)port;
	snprintf(source->text, sizeof source->text, "%.*s", (int)(length - 2 * bracketed),
		 text + bracketed);
	if (bracketed ? inet_pton(AF_INET6, source->text, &ignored) != 1
		      : strchr(source->text, ':') != NULL)
		return -EINVAL;
	if (!bracketed && inet_pton(AF_INET, source->text, &ignored) != 1) {
		source->kind = SOURCE_NAME;
		return 0;
	}
	source->kind = SOURCE_FIXED;
	snprintf(source->text, sizeof source->text, "tcp://%.*s:%ld", (int)length, text, port);
	return 0;
}

static int read_ipc(const char *path, struct source *source)
{
	const char *star = strchr(path, '*');

	if (path[0] != '/' || strlen(path) + sizeof "ipc://" > ENDPOINT_SIZE)
		return -EINVAL;
	if (star == NULL) {
		source->kind = SOURCE_FIXED;
		snprintf(source->text, sizeof source->text, "ipc://%s", path);
		return 0;
	}
	if (strchr(star + 1, '*') != NULL || strchr(star, '/') != NULL)
		return -EINVAL;
	source->kind = SOURCE_PATTERN;
	snprintf(source->text, sizeof source->text, "%s", path);
	return 0;
}

static int read_one(const char *text, struct source *source)
{
	if (strncmp(text, "ipc://", 6) == 0)
		return read_ipc(text + 6, source);
	if (strncmp(text, "tcp://", 6) == 0)
		return read_tcp(text + 6, source);
	return -EINVAL;
}

static int read_list(struct endpoints *endpoints, const char *peers)
{
	char *list = strdup(peers), *rest = list;
	int rc = 0;

	if (list == NULL)
		abort();
	for (char *one = strsep(&rest, ","); one != NULL && rc == 0; one = strsep(&rest, ",")) {
		while (*one == ' ')
			one++;
		if (endpoints->n_sources == SOURCES_LIMIT)
			rc = -EINVAL;
		else
			rc = read_one(one, &endpoints->sources[endpoints->n_sources++]);
	}
	free(list);
	return rc;
}

/* --- life --- */

static struct event *new_event(struct endpoints *endpoints, int fd, short what,
			       event_callback_fn callback)
{
	struct event *event = event_new(endpoints->loop, fd, what, callback, endpoints);

	if (event == NULL)
		abort();
	return event;
}

static bool has_names(const struct endpoints *endpoints)
{
	for (size_t i = 0; i < endpoints->n_sources; i++)
		if (endpoints->sources[i].kind == SOURCE_NAME)
			return true;
	return false;
}

struct endpoints *endpoints_new(struct event_base *loop, const char *peers,
				endpoints_changed *changed, void *argument)
{
	struct endpoints *endpoints = calloc(1, sizeof *endpoints);

	if (endpoints == NULL)
		abort();
	endpoints->loop = loop;
	endpoints->changed = changed;
	endpoints->argument = argument;
	if (read_list(endpoints, peers) < 0) {
		free(endpoints);
		errno = EINVAL;
		return NULL;
	}
	endpoints->round = new_event(endpoints, -1, 0, on_round);
	event_active(endpoints->round, 0, 0);
	if (!has_names(endpoints))
		return endpoints;
	endpoints->lookups = start_lookups(endpoints->sources, endpoints->n_sources);
	endpoints->notice =
		new_event(endpoints, endpoints->lookups->notice, EV_READ | EV_PERSIST, on_notice);
	event_add(endpoints->notice, NULL);
	return endpoints;
}

void endpoints_free(struct endpoints *endpoints)
{
	if (endpoints == NULL)
		return;
	event_free(endpoints->round);
	if (endpoints->lookups != NULL) {
		event_free(endpoints->notice);
		pthread_mutex_lock(&endpoints->lookups->lock);
		endpoints->lookups->stopped = true;
		pthread_cond_signal(&endpoints->lookups->stop);
		leave(endpoints->lookups);
	}
	free(endpoints);
}

void endpoints_hurry(struct endpoints *endpoints, bool hurried)
{
	if (endpoints->hurried == hurried)
		return;
	endpoints->hurried = hurried;
	schedule(endpoints);
}

int endpoint_own(const char *listen, char address[ENDPOINT_SIZE])
{
	const char *pid = strstr(listen, "%d");
	int length;

	if (pid != NULL && strncmp(listen, "ipc://", 6) == 0)
		length = snprintf(address, ENDPOINT_SIZE, "%.*s%d%s", (int)(pid - listen), listen,
				  (int)getpid(), pid + 2);
	else
		length = snprintf(address, ENDPOINT_SIZE, "%s", listen);
	return length > 0 && length < ENDPOINT_SIZE ? 0 : -EINVAL;
}

int endpoint_bus(const char *rpc_address, char address[ENDPOINT_SIZE])
{
	const char *colon = strrchr(rpc_address, ':');
	int length;

	if (strncmp(rpc_address, "ipc://", 6) == 0)
		length = snprintf(address, ENDPOINT_SIZE, "%s.bus", rpc_address);
	else if (strncmp(rpc_address, "tcp://", 6) == 0 && colon > rpc_address + 5)
		length = snprintf(address, ENDPOINT_SIZE, "%.*s:%ld", (int)(colon - rpc_address),
				  rpc_address, strtol(colon + 1, NULL, 10) + 1);
	else
		return -EINVAL;
	return length > 0 && length < ENDPOINT_SIZE ? 0 : -EINVAL;
}
