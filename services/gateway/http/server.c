/*
 * server.c - listeners, who may come in, and how it all ends.
 *
 * A newcomer is counted against its network and against the whole. Out of
 * descriptors, the kernel keeps reporting a connection that nobody can accept;
 * so one is accepted with the reserve descriptor and turned away, and the
 * listeners pause for 100 ms (libevent#71 tells what happens otherwise).
 */
#include "gateway/http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/listener.h>

#include "gateway/http/crowd.h"
#include "gateway/http/front.h"
#include "lib/clock.h"
#include "lib/log.h"

#define BACKLOG      1024
#define PAUSE_MS     100
#define WARN_MS      1000
#define NOFILE_SPARE 128 /* descriptors for everything that is not a visitor */
#define FIRST_PASSED 3   /* SD_LISTEN_FDS_START */

/* --- who may come in ---------------------------------------------------------- */

static bool is_full(const struct http_server *server)
{
	return server->counters.open >= server->options.limits.connections;
}

/* The connection that has rested longest goes; false when every one is at work. */
static bool make_room(struct http_server *server)
{
	struct http_connection *oldest = TAILQ_FIRST(&server->resting);

	if (oldest == NULL)
		return false;
	server->counters.evicted++;
	connection_disconnect(oldest);
	return true;
}

static void admit(struct http_server *server, int fd, const struct sockaddr *peer)
{
	struct address address = address_of(peer);
	bool trusted = networks_hold(server->trusted, &address);
	unsigned most = server->options.limits.per_network;
	bool counted = !trusted && !address.local && most > 0;

	server->counters.accepted++;
	if (is_full(server) && !make_room(server)) {
		turn_away(server, fd, HTTP_SERVER_BUSY);
		return;
	}
	if (counted && !crowd_enter(server->crowd, address_network(&address), most)) {
		turn_away(server, fd, HTTP_PEER_BUSY);
		return;
	}
	server->counters.open++;
	connection_open(server, fd, &address, trusted, counted);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
		      int length, void *argument)
{
	(void)listener;
	(void)length;
	admit(argument, fd, peer);
}

void server_left(struct http_server *server, const struct http_connection *connection)
{
	if (connection->counted)
		crowd_leave(server->crowd, address_network(&connection->address));
	server->counters.open--;
	if (server->draining && server->counters.open == 0)
		event_active(server->drained, EV_TIMEOUT, 0);
}

/* --- out of descriptors ------------------------------------------------------- */

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void warn_seldom(struct http_server *server)
{
	int64_t now = clock_ms();

	if (now - server->warned_ms < WARN_MS)
		return;
	server->warned_ms = now;
	log_warn(NULL, "http.no_descriptor", "open=%zu refused=%llu", server->counters.open,
		 (unsigned long long)server->counters.refused[HTTP_NO_DESCRIPTOR]);
}

static void turn_one_away(struct http_server *server, int listening)
{
	int fd;

	if (server->reserve < 0)
		return;
	close(server->reserve);
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		turn_away(server, fd, HTTP_NO_DESCRIPTOR);
	server->reserve = open_reserve();
}

static void pause_listening(struct http_server *server)
{
	struct timeval pause = {.tv_usec = PAUSE_MS * 1000};

	for (size_t i = 0; i < server->n_listeners; i++)
		evconnlistener_disable(server->listeners[i].events);
	event_add(server->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *argument)
{
	struct http_server *server = argument;

	(void)fd;
	(void)what;
	if (server->reserve < 0)
		server->reserve = open_reserve();
	for (size_t i = 0; i < server->n_listeners; i++)
		evconnlistener_enable(server->listeners[i].events);
}

static void on_accept_error(struct evconnlistener *listener, void *argument)
{
	struct http_server *server = argument;

	turn_one_away(server, evconnlistener_get_fd(listener));
	pause_listening(server);
	warn_seldom(server);
}

/* --- listening ---------------------------------------------------------------- */

static int add_listener(struct http_server *server, int fd, bool adopted)
{
	const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
	struct evconnlistener *events;

	if (server->n_listeners == LISTENERS_MAX)
		return -ENOSPC;
	events = evconnlistener_new(server->loop, on_accept, server, flags, 0, fd);
	if (events == NULL)
		return -ENOMEM;
	evconnlistener_set_error_cb(events, on_accept_error);
	server->listeners[server->n_listeners++] = (struct listener){events, adopted};
	return 0;
}

/* Accepted sockets inherit TCP_NODELAY here (tcp(7) of Linux). */
static int prepare(int fd, const struct addrinfo *address, bool share_port, bool several)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
		return -errno;
	if (share_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
		return -errno;
	if (several && address->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
		return -errno;
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

static int listen_on(struct http_server *server, const struct addrinfo *address, bool share_port,
		     bool several)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return -errno;
	result = prepare(fd, address, share_port, several);
	if (result == 0)
		result = add_listener(server, fd, false);
	if (result < 0)
		close(fd);
	return result;
}

/* Splits "host:port" or "[host]:port" in place; an empty host is everywhere. */
static bool split(char *address, char **host, char **port)
{
	char *colon = strrchr(address, ':');

	if (colon == NULL || colon[1] == '\0')
		return false;
	*colon = '\0';
	*port = colon + 1;
	*host = address;
	if (address[0] == '[') {
		if (colon - address < 3 || colon[-1] != ']')
			return false;
		colon[-1] = '\0';
		*host = address + 1;
	} else if (strchr(address, ':') != NULL) {
		return false;
	}
	return true;
}

static int resolve(const char *text, struct addrinfo **found)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	char *copy = strdup(text), *host, *port;
	int result = -EINVAL;

	if (copy == NULL)
		abort();
	if (split(copy, &host, &port) &&
	    getaddrinfo(*host != '\0' ? host : NULL, port, &hints, found) == 0)
		result = 0;
	free(copy);
	return result;
}

int http_server_listen(struct http_server *server, const char *address, bool share_port)
{
	struct addrinfo *found;
	int result = resolve(address, &found);

	if (result < 0)
		return result;
	for (const struct addrinfo *a = found; a != NULL && result == 0; a = a->ai_next)
		result = listen_on(server, a, share_port, found->ai_next != NULL);
	freeaddrinfo(found);
	return result;
}

int http_server_adopt(struct http_server *server, int fd)
{
	const int on = 1;
	int listening = 0, family = 0;
	socklen_t size = sizeof listening;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0)
		return -errno;
	if (!listening)
		return -EINVAL;
	size = sizeof family;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0)
		return -errno;
	if (family != AF_UNIX && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	return add_listener(server, fd, true);
}

int http_server_inherit(struct http_server *server)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int n = 0;

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	for (long left = strtol(count, NULL, 10); left > 0; left--, n++) {
		int result = http_server_adopt(server, FIRST_PASSED + n);

		if (result < 0)
			return result;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return 0;
	memcpy(&ipv4, &address, sizeof ipv4);
	memcpy(&ipv6, &address, sizeof ipv6);
	switch (address.ss_family) {
	case AF_INET:
		return ntohs(ipv4.sin_port);
	case AF_INET6:
		return ntohs(ipv6.sin6_port);
	default:
		return 0;
	}
}

uint16_t http_server_port(const struct http_server *server)
{
	uint16_t port = 0;

	for (size_t i = 0; i < server->n_listeners && port == 0; i++)
		port = port_of(evconnlistener_get_fd(server->listeners[i].events));
	return port;
}

/* --- drain -------------------------------------------------------------------- */

static void on_drained(evutil_socket_t fd, short what, void *argument)
{
	struct http_server *server = argument;
	void (*call)(void *) = server->on_drained;

	(void)fd;
	(void)what;
	server->on_drained = NULL;
	if (call != NULL)
		call(server->on_drained_argument);
}

/* Who stands in the queue of a socket of our own would be reset with it. */
static void empty_queue(struct http_server *server, int listening)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	int fd;

	while ((fd = accept4(listening, (struct sockaddr *)&peer, &size,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		admit(server, fd, (struct sockaddr *)&peer);
		size = sizeof peer;
	}
}

static void stop_listening(struct http_server *server, bool politely)
{
	event_del(server->resume);
	for (size_t i = 0; i < server->n_listeners; i++) {
		struct listener *listener = &server->listeners[i];

		if (politely && !listener->adopted)
			empty_queue(server, evconnlistener_get_fd(listener->events));
		evconnlistener_free(listener->events);
	}
	server->n_listeners = 0;
}

static void drain_all(struct connections *connections)
{
	struct http_connection *connection;

	TAILQ_FOREACH(connection, connections, link)
	connection_drain(connection);
}

void http_server_drain(struct http_server *server, void (*call)(void *), void *argument)
{
	assert(!server->draining);
	server->on_drained = call;
	server->on_drained_argument = argument;
	stop_listening(server, true);
	server->draining = true;
	drain_all(&server->resting);
	drain_all(&server->working);
	if (server->counters.open == 0)
		event_active(server->drained, EV_TIMEOUT, 0);
}

/* --- beginning and end -------------------------------------------------------- */

static unsigned connections_allowed(unsigned wanted)
{
	struct rlimit files;
	unsigned most;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		abort();
	if (files.rlim_cur > 1u << 20)
		files.rlim_cur = 1u << 20;
	most = (unsigned)files.rlim_cur;
	most = most > 2 * NOFILE_SPARE ? most - NOFILE_SPARE : most / 2;
	return wanted == 0 || wanted > most ? most : wanted;
}

struct http_server *http_server_new(struct event_base *loop, const struct http_options *options)
{
	struct networks *trusted = networks_new(options->trusted_proxies);
	struct http_server *server;

	if (trusted == NULL)
		return NULL;
	server = calloc(1, sizeof *server);
	if (server == NULL)
		abort();

	signal(SIGPIPE, SIG_IGN);
	server->loop = loop;
	server->options = *options;
	server->options.limits.connections = connections_allowed(options->limits.connections);
	server->head_limits = (struct http_head_limits){
		options->limits.head, options->limits.target, options->limits.fields};
	server->trusted = trusted;
	server->crowd = crowd_new();
	server->reserve = open_reserve();
	server->warned_ms = -WARN_MS;
	server->resume = event_new(loop, -1, 0, on_resume, server);
	server->drained = event_new(loop, -1, 0, on_drained, server);
	if (server->resume == NULL || server->drained == NULL)
		abort();
	TAILQ_INIT(&server->resting);
	TAILQ_INIT(&server->working);
	return server;
}

static void disconnect_all(struct connections *connections)
{
	while (!TAILQ_EMPTY(connections))
		connection_disconnect(TAILQ_FIRST(connections));
}

void http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	stop_listening(server, false);
	disconnect_all(&server->resting);
	disconnect_all(&server->working);
	event_free(server->resume);
	event_free(server->drained);
	if (server->reserve >= 0)
		close(server->reserve);
	crowd_free(server->crowd);
	networks_free(server->trusted);
	free(server->head);
	free(server);
}

const struct http_counters *http_server_counters(const struct http_server *server)
{
	return &server->counters;
}
