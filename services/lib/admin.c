/*
 * admin.c - three answers over evhttp, with the limits evhttp leaves open.
 *
 * evhttp accepts without end when no descriptor is left, so its listener pauses
 * for a moment when accept() fails.
 */
#include "lib/admin.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>

#include <jansson.h>

#include "lib/config.h"
#include "lib/metrics.h"

#define BACKLOG      16
#define HEADER_LIMIT 8192
#define BODY_LIMIT   1024
#define TIMEOUT_S    10
#define ADDRESS_SIZE 80

struct admin {
	struct evhttp *http;
	struct evconnlistener *listener; /* the http's */
	const char *(*why)(void);
	char address[ADDRESS_SIZE];
};

static void reply(struct evhttp_request *request, int status, const char *type,
		  struct evbuffer *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_send_reply(request, status, NULL, body);
}

static struct evbuffer *new_buffer(void)
{
	struct evbuffer *buffer = evbuffer_new();

	if (buffer == NULL)
		abort();
	return buffer;
}

static void reply_json(struct evhttp_request *request, int status, json_t *json)
{
	struct evbuffer *body = new_buffer();
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL)
		abort();
	evbuffer_add_printf(body, "%s\n", text);
	reply(request, status, "application/json", body);
	evbuffer_free(body);
	free(text);
	json_decref(json);
}

static void healthz(struct evhttp_request *request, void *nothing)
{
	(void)nothing;
	reply_json(request, 200, json_pack("{s:b}", "healthy", 1));
}

static void readyz(struct evhttp_request *request, void *argument)
{
	const struct admin *admin = argument;
	const char *why = admin->why();

	if (why == NULL)
		reply_json(request, 200, json_pack("{s:b}", "ready", 1));
	else
		reply_json(request, 503, json_pack("{s:b,s:s}", "ready", 0, "why", why));
}

static void metrics(struct evhttp_request *request, void *nothing)
{
	struct evbuffer *body = new_buffer();

	(void)nothing;
	metrics_print(body);
	reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", body);
	evbuffer_free(body);
}

static void on_resume(evutil_socket_t nothing, short events, void *listener)
{
	(void)nothing;
	(void)events;
	evconnlistener_enable(listener);
}

/* The argument is evhttp's own. The loop is never run again once the port is freed. */
static void on_accept_error(struct evconnlistener *listener, void *http)
{
	const struct timeval pause = {.tv_usec = 100000};

	(void)http;
	evconnlistener_disable(listener);
	event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_resume, listener,
			&pause);
}

static void note_address(struct admin *admin)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof bound;
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getsockname(evconnlistener_get_fd(admin->listener), (struct sockaddr *)&bound, &size) ||
	    getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV))
		abort();
	snprintf(admin->address, sizeof admin->address,
		 strchr(host, ':') ? "[%.60s]:%s" : "%.60s:%s", host, port);
}

static struct evconnlistener *bind_listener(struct event_base *loop, const char *address)
{
	struct sockaddr_storage parsed;
	int size;

	if (parse_listen(address, &parsed, &size) < 0) {
		errno = EINVAL;
		return NULL;
	}
	return evconnlistener_new_bind(
		loop, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
		BACKLOG, (struct sockaddr *)&parsed, size);
}

struct admin *admin_new(struct event_base *loop, const char *listen, const char *(*why)(void))
{
	struct evconnlistener *listener = bind_listener(loop, listen);
	struct admin *admin;

	if (listener == NULL)
		return NULL;
	admin = calloc(1, sizeof *admin);
	if (admin == NULL)
		abort();
	admin->why = why;
	admin->http = evhttp_new(loop);
	admin->listener = listener;
	if (admin->http == NULL || evhttp_bind_listener(admin->http, listener) == NULL)
		abort();
	note_address(admin);
	evconnlistener_set_error_cb(listener, on_accept_error);
	evhttp_set_max_headers_size(admin->http, HEADER_LIMIT);
	evhttp_set_max_body_size(admin->http, BODY_LIMIT);
	evhttp_set_timeout(admin->http, TIMEOUT_S);
	evhttp_set_allowed_methods(admin->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_cb(admin->http, "/healthz", healthz, admin);
	evhttp_set_cb(admin->http, "/readyz", readyz, admin);
	evhttp_set_cb(admin->http, "/metrics", metrics, admin);
	return admin;
}

void admin_free(struct admin *admin)
{
	if (admin == NULL)
		return;
	evhttp_free(admin->http);
	free(admin);
}

const char *admin_address(const struct admin *admin)
{
	return admin->address;
}
