/*
 * test_http_server.c - the front as its clients see it, over real sockets in one process.
 *
 * The loop and the clients take turns: pump() runs the loop without waiting, then
 * reads what has come. Times are short limits of the server, not sleeps.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "gateway/http/http.h"
#include "gateway/http/server.h"
#include "http_cases.h"
#include "lib/arena.h"
#include "lib/clock.h"

#define BIG     (4u << 20)
#define PATIENT 2000 /* ms that something may take which is going to happen */

/* --- the site behind the front ------------------------------------------------ */

static struct {
	struct event_base *loop;
	struct http_server *server;
	unsigned handled, smuggled;
	char seen[8192]; /* paths in order, each behind a space */
	/* of /later */
	struct http_request *waiting;
	struct arena arena;
	unsigned abandoned;
	/* of /stream */
	struct http_stream *stream;
	unsigned closed;
	bool drained;
} site;

static char big[BIG];

static void respond(struct http_request *request, int status, const char *body)
{
	struct http_response response = {.status = status};

	http_response_field(&response, "Content-Type", "text/plain");
	evbuffer_add(http_response_body(&response), body, strlen(body));
	http_respond(request, &response);
}

static void on_abandon(void *argument)
{
	(void)argument;
	site.abandoned++;
}

static void handle_later(struct http_request *request)
{
	site.waiting = request;
	site.arena = request->arena;
	request->arena = (struct arena){0};
	http_on_abandon(request, on_abandon, NULL);
}

static void handle_drop(struct http_request *request)
{
	struct arena arena = request->arena;

	request->arena = (struct arena){0};
	arena_free(&arena);
}

static void handle_big(struct http_request *request)
{
	struct http_response response = {.status = 200};

	evbuffer_add_reference(http_response_body(&response), big, sizeof big, NULL, NULL);
	http_respond(request, &response);
}

static void handle_echo(struct http_request *request)
{
	struct http_response response = {.status = 200};

	evbuffer_add_printf(http_response_body(&response), "%s|%s|%s|%s|%zu|", request->path,
			    request->query, request->host, request->peer, request->body_length);
	evbuffer_add(http_response_body(&response), request->body, request->body_length);
	http_respond(request, &response);
}

static void on_close(void *argument)
{
	(void)argument;
	site.closed++;
	site.stream = NULL;
}

static void handle_stream(struct http_request *request)
{
	struct http_response response = {.status = 200};

	http_response_field(&response, "Content-Type", "text/event-stream");
	site.stream = http_stream_begin(request, &response, on_close, NULL);
}

static void handle_split(struct http_request *request)
{
	struct http_response response = {.status = 303};

	http_response_field(&response, "Location", "/a\r\nSet-Cookie: a=b");
	http_respond(request, &response);
}

static void handle_own_policy(struct http_request *request)
{
	struct http_response response = {.status = 200};

	http_response_field(&response, "content-security-policy", "own");
	http_respond(request, &response);
}

static void handle_not_modified(struct http_request *request)
{
	struct http_response response = {.status = http_etag_matches(request, "\"1\"") ? 304 : 200};

	http_response_field(&response, "ETag", "\"1\"");
	evbuffer_add(http_response_body(&response), "page", 4);
	http_respond(request, &response);
}

static const struct {
	const char *path;
	void (*handle)(struct http_request *);
} routes[] = {
	{"/later", handle_later},    {"/drop", handle_drop},         {"/big", handle_big},
	{"/echo", handle_echo},      {"/stream", handle_stream},     {"/split", handle_split},
	{"/own", handle_own_policy}, {"/etag", handle_not_modified},
};

static void handle(void *argument, struct http_request *request)
{
	size_t length = strlen(site.seen);

	(void)argument;
	site.handled++;
	site.smuggled += strcmp(request->path, "/smuggled") == 0;
	if (length + strlen(request->path) + 2 < sizeof site.seen)
		sprintf(site.seen + length, " %s", request->path);

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (strcmp(routes[i].path, request->path) == 0) {
			routes[i].handle(request);
			return;
		}
	respond(request, 200, "ok");
}

static void answer_waiting(int status)
{
	struct arena arena = site.arena;

	site.arena = (struct arena){0};
	respond(site.waiting, status, "late");
	site.waiting = NULL;
	arena_free(&arena);
}

/* --- starting and ending it --------------------------------------------------- */

static const struct http_field everywhere[] = {
	{"X-Content-Type-Options", "nosniff"},
	{"Content-Security-Policy", "default-src 'self'"},
};

static struct http_options default_options(void)
{
	struct http_options options = HTTP_OPTIONS_DEFAULT;

	options.handle = handle;
	options.fields = everywhere;
	options.n_fields = 2;
	return options;
}

static void start(const struct http_options *options)
{
	memset(&site, 0, sizeof site);
	site.loop = event_base_new();
	site.server = http_server_new(site.loop, options);
	assert_non_null(site.server);
	assert_int_equal(http_server_listen(site.server, "127.0.0.1:0", false), 0);
}

static int start_default(void **state)
{
	struct http_options options = default_options();

	(void)state;
	start(&options);
	return 0;
}

static int end(void **state)
{
	(void)state;
	http_server_free(site.server);
	arena_free(&site.arena);
	event_base_free(site.loop);
	site.loop = NULL;
	return 0;
}

static const struct http_counters *counters(void)
{
	return http_server_counters(site.server);
}

/* --- a client ----------------------------------------------------------------- */

struct client {
	int fd;
	char *in; /* ends in NUL */
	size_t length, size;
	bool closed;
};

static void set_nonblocking(int fd)
{
	assert_true(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

/* receive_buffer 0: the kernel's default */
static struct client connect_with(const char *address, int receive_buffer)
{
	struct sockaddr_in server = {.sin_family = AF_INET}, own = {.sin_family = AF_INET};
	struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};

	assert_true(client.fd >= 0);
	if (receive_buffer > 0)
		setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
			   sizeof receive_buffer);
	server.sin_port = htons(http_server_port(site.server));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	inet_pton(AF_INET, address, &own.sin_addr);
	assert_int_equal(bind(client.fd, (struct sockaddr *)&own, sizeof own), 0);
	assert_int_equal(connect(client.fd, (struct sockaddr *)&server, sizeof server), 0);
	set_nonblocking(client.fd);
	return client;
}

static struct client connect_client(void)
{
	return connect_with("127.0.0.1", 0);
}

static void hang_up(struct client *client)
{
	close(client->fd);
	free(client->in);
	*client = (struct client){.fd = -1};
}

static void turn(void)
{
	event_base_loop(site.loop, EVLOOP_NONBLOCK);
}

static void receive(struct client *client)
{
	ssize_t n;

	do {
		if (client->length + 65536 > client->size) {
			client->size = client->size * 2 + 131072;
			client->in = realloc(client->in, client->size);
		}
		n = recv(client->fd, client->in + client->length, 65535, MSG_DONTWAIT);
		if (n > 0)
			client->length += (size_t)n;
		if (n == 0 || (n < 0 && errno != EAGAIN))
			client->closed = true;
	} while (n > 0);
	client->in[client->length] = '\0';
}

/* Sends all of it, turning the loop where the socket is full; false when the server is gone. */
static bool send_bytes(struct client *client, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			turn();
		bytes += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

static void send_text(struct client *client, const char *text)
{
	send_bytes(client, text, strlen(text));
}

/* How many whole answers have come; each has a Content-Length or no body. */
static unsigned answers(const struct client *client, bool to_head)
{
	const char *at = client->in;
	unsigned n = 0;

	while (at != NULL && strncmp(at, "HTTP/1.1 ", 9) == 0) {
		const char *body = strstr(at, "\r\n\r\n"), *field = strstr(at, "Content-Length: ");
		size_t length = 0;

		if (body == NULL)
			break;
		if (field != NULL && field < body && !(to_head && n == 0))
			length = strtoul(field + 16, NULL, 10);
		at = body + 4 + length;
		if (at > client->in + client->length)
			break;
		n++;
	}
	return n;
}

static int status_of(const struct client *client)
{
	return client->length >= 12 ? atoi(client->in + 9) : 0;
}

#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		int64_t until_ = clock_ms() + PATIENT;                                             \
                                                                                                   \
		while (!(condition)) {                                                             \
			if (clock_ms() > until_)                                                   \
				fail_msg("%s:%d: never: %s", __FILE__, __LINE__, #condition);      \
			turn();                                                                    \
		}                                                                                  \
	} while (0)

#define ARRIVES(client, condition) UNTIL((receive(client), (condition)))

/* Long enough for what must not happen to happen. */
static void settle(void)
{
	for (int64_t end_ms = clock_ms() + 30; clock_ms() < end_ms;)
		turn();
}

static struct client ask(const char *text)
{
	struct client client = connect_client();

	send_text(&client, text);
	ARRIVES(&client, client.closed || answers(&client, strncmp(text, "HEAD", 4) == 0) > 0);
	return client;
}

static void assert_holds(const struct client *client, const char *text)
{
	if (strstr(client->in, text) == NULL)
		fail_msg("no %s in: %s", text, client->in);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: site.test\r\n\r\n"

/* --- the raw cases ------------------------------------------------------------ */

static void check_case(const struct http_case *c, struct client *client)
{
	bool to_head = strncmp(c->text, "HEAD", 4) == 0;

	if (c->closes)
		ARRIVES(client, client->closed);
	else
		ARRIVES(client, answers(client, to_head) == 2);

	if (status_of(client) != c->status)
		fail_msg("%s: %.60s", c->name, client->in);
	if (answers(client, to_head) != (c->closes ? 1 : 2))
		fail_msg("%s: %u answers", c->name, answers(client, to_head));
	if (site.smuggled != !c->closes || strstr(site.seen, "/body") != NULL)
		fail_msg("%s: another request was read:%s", c->name, site.seen);
	if (c->status != 200 && site.handled > 0)
		fail_msg("%s: reached the handler", c->name);
}

/* step 0: in one piece */
static void run_case(const struct http_case *c, size_t step)
{
	struct client client = connect_client();
	size_t length;
	char *bytes = http_case_bytes(c, &length);

	site.handled = site.smuggled = 0;
	site.seen[0] = '\0';
	memcpy(bytes + length, GET("/smuggled"), sizeof GET("/smuggled") - 1);
	length += sizeof GET("/smuggled") - 1;
	for (size_t at = 0; at < length && !client.closed;) {
		size_t n = step == 0 || length - at < step ? length - at : step;

		send_bytes(&client, bytes + at, n);
		at += n;
		if (step > 0) {
			turn();
			receive(&client);
		}
	}
	free(bytes);
	/* A client that sent all it had closes, so that lingering ends. */
	if (c->closes)
		shutdown(client.fd, SHUT_WR);
	check_case(c, &client);
	hang_up(&client);
}

static void every_raw_case_gets_its_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < HTTP_CASES; i++)
		run_case(&http_cases[i], 0);
}

static void every_raw_case_gets_it_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < HTTP_CASES; i++) {
		size_t length;

		free(http_case_bytes(&http_cases[i], &length));
		run_case(&http_cases[i], length < 4000 ? 1 : length / 50);
	}
}

static void every_raw_case_gets_it_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < HTTP_CASES; i++)
		run_case(&http_cases[i], 11 + i % 17);
}

/* --- requests ----------------------------------------------------------------- */

static void a_request_arrives_decoded(void **state)
{
	struct client client = ask("POST /%65cho?q=%C3%A9 HTTP/1.1\r\nHost: site.test:80\r\n"
				   "Content-Length: 5\r\n\r\nhello");

	(void)state;
	assert_holds(&client, "\r\n\r\n/echo|q=%C3%A9|site.test:80|127.0.0.1|5|hello");
	hang_up(&client);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct client client = connect_client();
	char path[32], expected[1024] = "";

	(void)state;
	for (int i = 0; i < 100; i++) {
		char text[128];

		snprintf(path, sizeof path, "/%d", i);
		snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: site.test\r\n\r\n", path);
		send_text(&client, text);
		strcat(strcat(expected, " "), path);
	}
	ARRIVES(&client, answers(&client, false) == 100);
	assert_string_equal(site.seen, expected);
	hang_up(&client);
}

static void the_next_request_waits_for_the_answer(void **state)
{
	struct client client = connect_client();

	(void)state;
	send_text(&client, GET("/later") GET("/next"));
	UNTIL(site.waiting != NULL);
	settle();
	assert_string_equal(site.seen, " /later");
	answer_waiting(200);
	ARRIVES(&client, answers(&client, false) == 2);
	assert_string_equal(site.seen, " /later /next");
	hang_up(&client);
}

static void the_next_request_waits_until_the_answer_was_taken(void **state)
{
	struct client client = connect_client();

	(void)state;
	for (int i = 0; i < 4; i++)
		send_text(&client, GET("/big"));
	send_text(&client, GET("/next"));
	settle();
	assert_null(strstr(site.seen, "/next"));
	ARRIVES(&client, answers(&client, false) == 5);
	assert_true(strstr(site.seen, "/next") != NULL);
	for (size_t i = 0; i < BIG; i += 4093)
		assert_int_equal(strstr(client.in, "\r\n\r\n")[4 + i], big[i]);
	hang_up(&client);
}

static void a_head_request_gets_the_head_alone(void **state)
{
	struct client got = ask(GET("/etag"));
	struct client client = ask("HEAD /etag HTTP/1.1\r\nHost: site.test\r\n\r\n");

	(void)state;
	assert_int_equal(got.length, client.length + 4);
	assert_holds(&client, "Content-Length: 4\r\n");
	hang_up(&client);
	hang_up(&got);
}

static void not_modified_has_no_body_and_no_length(void **state)
{
	struct client client = ask("GET /etag HTTP/1.1\r\nHost: site.test\r\n"
				   "If-None-Match: W/\"1\"\r\n\r\n");

	(void)state;
	assert_int_equal(status_of(&client), 304);
	assert_null(strstr(client.in, "Content-Length"));
	assert_holds(&client, "ETag: \"1\"\r\n");
	assert_holds(&client, "X-Content-Type-Options: nosniff\r\n");
	assert_string_equal(client.in + client.length - 4, "\r\n\r\n");
	hang_up(&client);
}

static void refusals_carry_the_fields_of_every_answer(void **state)
{
	struct client client = ask("GET / HTTP/1.1\r\n\r\n");

	(void)state;
	assert_int_equal(status_of(&client), 400);
	assert_holds(&client, "X-Content-Type-Options: nosniff\r\n");
	assert_holds(&client, "Content-Security-Policy: default-src 'self'\r\n");
	assert_holds(&client, "Connection: close\r\n");
	assert_holds(&client, "\r\nDate: ");
	assert_int_equal(counters()->refused[HTTP_BAD_HOST], 1);
	hang_up(&client);
}

static void an_answer_may_replace_a_field_of_every_answer(void **state)
{
	struct client client = ask(GET("/own"));

	(void)state;
	assert_holds(&client, "content-security-policy: own\r\n");
	assert_null(strstr(client.in, "default-src"));
	assert_holds(&client, "nosniff");
	hang_up(&client);
}

static void a_field_that_would_split_the_answer_becomes_a_500(void **state)
{
	struct client client = ask(GET("/split"));

	(void)state;
	assert_int_equal(status_of(&client), 500);
	assert_null(strstr(client.in, "Set-Cookie"));
	assert_int_equal(counters()->refused[HTTP_BAD_ANSWER], 1);
	hang_up(&client);
}

static void a_refused_head_request_gets_no_body(void **state)
{
	struct client client = ask("HEAD /.. HTTP/1.1\r\nHost: site.test\r\n\r\n");

	(void)state;
	assert_int_equal(status_of(&client), 400);
	assert_string_equal(client.in + client.length - 4, "\r\n\r\n");
	hang_up(&client);
}

static void render(void *argument, enum http_refusal refusal, const char *target,
		   struct http_response *response)
{
	(void)argument;
	http_response_field(response, "Content-Type", "text/html; charset=utf-8");
	evbuffer_add_printf(http_response_body(response), "<p>%d %s %.4s</p>", response->status,
			    http_refusal_name(refusal), target);
}

static void refusals_can_be_rendered_by_the_gateway(void **state)
{
	struct http_options options = default_options();
	struct client client;

	(void)state;
	options.render = render;
	start(&options);
	client = ask("TRACE /api/ HTTP/1.1\r\nHost: site.test\r\n\r\n");
	assert_holds(&client, "<p>405 forbidden_method /api</p>");
	assert_holds(&client, "Allow: GET, ");
	hang_up(&client);
}

/* --- bodies ------------------------------------------------------------------- */

static void a_body_of_64_kib_arrives_whole(void **state)
{
	struct client client = connect_client();
	char body[65536];

	(void)state;
	memset(body, 'x', sizeof body);
	send_text(&client,
		  "POST /echo HTTP/1.1\r\nHost: site.test\r\nContent-Length: 65536\r\n\r\n");
	send_bytes(&client, body, sizeof body);
	ARRIVES(&client, answers(&client, false) == 1);
	assert_holds(&client, "|65536|xxxx");
	hang_up(&client);
}

static void continue_is_said_to_who_waits_for_it(void **state)
{
	struct client client = connect_client();

	(void)state;
	send_text(&client, "POST /echo HTTP/1.1\r\nHost: site.test\r\nExpect: 100-continue\r\n"
			   "Content-Length: 5\r\n\r\n");
	ARRIVES(&client, client.length > 0);
	assert_string_equal(client.in, "HTTP/1.1 100 Continue\r\n\r\n");
	send_text(&client, "hello");
	ARRIVES(&client, strstr(client.in, "|5|hello") != NULL);
	hang_up(&client);
}

static void too_large_a_body_is_refused_before_it_is_sent(void **state)
{
	struct client client = ask("POST / HTTP/1.1\r\nHost: site.test\r\nExpect: 100-continue\r\n"
				   "Content-Length: 70000\r\n\r\n");

	(void)state;
	assert_int_equal(status_of(&client), 413);
	assert_int_equal(site.handled, 0);
	hang_up(&client);
}

static void a_refusal_reaches_who_is_still_sending(void **state)
{
	struct client client = connect_client();

	(void)state;
	send_text(&client, "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 4194304\r\n\r\n");
	assert_true(send_bytes(&client, big, sizeof big));
	ARRIVES(&client, client.length > 0);
	assert_int_equal(status_of(&client), 413);
	hang_up(&client);
}

/* --- time --------------------------------------------------------------------- */

static struct http_options hasty_options(void)
{
	struct http_options options = default_options();

	options.limits.head_ms = 60;
	options.limits.body_ms = 60;
	options.limits.idle_ms = 60;
	options.limits.write_ms = 60;
	options.limits.linger_ms = 60;
	return options;
}

static int start_hasty(void **state)
{
	struct http_options options = hasty_options();

	(void)state;
	start(&options);
	return 0;
}

/* One byte each few milliseconds never restarts the clock. */
static void a_slow_head_ends_in_time(void **state)
{
	struct client client = ask(GET("/"));
	int64_t began = clock_ms(), last = 0;

	(void)state;
	client.length = 0;
	send_text(&client, "GET / HTTP/1.1\r\nHost: site.test\r\nX-Slow: ");
	while (!client.closed && clock_ms() - began < PATIENT) {
		if (clock_ms() - last > 4) {
			send_bytes(&client, "a", 1);
			last = clock_ms();
		}
		turn();
		receive(&client);
	}
	assert_int_equal(status_of(&client), 408);
	assert_true(clock_ms() - began >= 60);
	assert_int_equal(counters()->refused[HTTP_SLOW_HEAD], 1);
	hang_up(&client);
}

static void lingering_ends_in_time(void **state)
{
	struct client client = ask("GET / HTTP/1.1\r\n\r\n");

	(void)state;
	assert_int_equal(counters()->open, 1);
	UNTIL(counters()->open == 0);
	hang_up(&client);
}

static void a_silent_newcomer_is_closed_without_a_word(void **state)
{
	struct client client = connect_client();

	(void)state;
	ARRIVES(&client, client.closed);
	assert_int_equal(client.length, 0);
	hang_up(&client);
}

static void a_resting_connection_is_closed_in_time(void **state)
{
	int64_t began = clock_ms();
	struct client client = ask(GET("/"));

	(void)state;
	ARRIVES(&client, client.closed);
	assert_true(clock_ms() - began >= 60);
	assert_int_equal(answers(&client, false), 1);
	hang_up(&client);
}

static void a_body_that_stops_ends_in_time(void **state)
{
	struct client client = connect_client();

	(void)state;
	send_text(&client, "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 500\r\n\r\nabc");
	ARRIVES(&client, client.closed);
	assert_int_equal(status_of(&client), 408);
	assert_int_equal(counters()->refused[HTTP_SLOW_BODY], 1);
	assert_int_equal(site.handled, 0);
	hang_up(&client);
}

static void a_body_at_a_fair_rate_may_take_longer(void **state)
{
	struct http_options options = default_options();
	struct client client;
	int64_t began;
	int sent = 0;

	(void)state;
	options.limits.body_ms = 500;
	start(&options);
	client = connect_client();
	began = clock_ms();
	send_text(&client,
		  "POST /echo HTTP/1.1\r\nHost: site.test\r\nContent-Length: 2000\r\n\r\n");
	while (sent < 2000 && clock_ms() - began < PATIENT) {
		for (; sent < 2000 && (clock_ms() - began) * 2 > sent; sent += 10)
			send_bytes(&client, big + sent, 10);
		turn();
	}
	assert_true(clock_ms() - began > 900);
	ARRIVES(&client, client.length > 0);
	assert_int_equal(status_of(&client), 200);
	hang_up(&client);
}

static void who_does_not_read_is_closed(void **state)
{
	struct client client = connect_client();

	(void)state;
	for (int i = 0; i < 4; i++)
		send_text(&client, GET("/big"));
	UNTIL(counters()->refused[HTTP_SLOW_READER] == 1);
	assert_int_equal(counters()->open, 0);
	hang_up(&client);
}

static void who_reads_slowly_but_reads_is_served(void **state)
{
	struct http_options options = hasty_options();
	struct client client;
	int64_t began = clock_ms(), last = 0;

	(void)state;
	options.limits.write_ms = 500;
	start(&options);
	client = connect_with("127.0.0.1", 16384);
	send_text(&client, GET("/big"));
	while (clock_ms() - began < 1200) {
		if (clock_ms() - last > 50) {
			char bytes[16384];

			assert_true(recv(client.fd, bytes, sizeof bytes, MSG_DONTWAIT) != 0);
			last = clock_ms();
		}
		turn();
	}
	assert_int_equal(counters()->refused[HTTP_SLOW_READER], 0);
	assert_int_equal(counters()->open, 1);
	hang_up(&client);
}

static void a_connection_ends_after_its_requests(void **state)
{
	struct http_options options = default_options();
	struct client client;

	(void)state;
	options.limits.requests = 3;
	start(&options);
	client = connect_client();
	for (int i = 0; i < 5; i++)
		send_text(&client, GET("/"));
	shutdown(client.fd, SHUT_WR);
	ARRIVES(&client, client.closed);
	assert_int_equal(answers(&client, false), 3);
	assert_int_equal(site.handled, 3);
	assert_holds(&client, "Connection: close\r\n");
	hang_up(&client);
}

static void a_connection_ends_after_its_life(void **state)
{
	struct http_options options = default_options();
	struct client client;

	(void)state;
	options.limits.life_ms = 500;
	start(&options);
	client = ask(GET("/"));
	assert_null(strstr(client.in, "Connection: close"));
	ARRIVES(&client, client.closed);
	hang_up(&client);
}

/* --- handlers that answer later, or never ------------------------------------- */

static void a_client_that_leaves_abandons_its_request(void **state)
{
	struct client client = connect_client();

	(void)state;
	send_text(&client, GET("/later"));
	UNTIL(site.waiting != NULL);
	hang_up(&client);
	UNTIL(site.abandoned == 1);
	assert_int_equal(counters()->open, 0);
	assert_int_equal(counters()->abandoned, 1);
	answer_waiting(200); /* nobody is there; nothing happens */
}

static void a_request_left_behind_is_answered_by_the_front(void **state)
{
	struct client client = connect_client();

	(void)state;
	send_text(&client, GET("/later"));
	UNTIL(site.waiting != NULL);
	arena_free(&site.arena);
	ARRIVES(&client, client.length > 0);
	assert_int_equal(status_of(&client), 500);
	hang_up(&client);
}

static void a_request_dropped_at_once_is_answered_by_the_front(void **state)
{
	struct client client = ask(GET("/drop") GET("/"));

	(void)state;
	ARRIVES(&client, answers(&client, false) == 2);
	assert_int_equal(status_of(&client), 500);
	hang_up(&client);
}

static void what_is_in_flight_is_abandoned_when_the_server_ends(void **state)
{
	struct client client = connect_client();

	(void)state;
	send_text(&client, GET("/later"));
	UNTIL(site.waiting != NULL);
	http_server_free(site.server);
	site.server = NULL;
	assert_int_equal(site.abandoned, 1);
	answer_waiting(200);
	hang_up(&client);
}

/* --- who may come in ---------------------------------------------------------- */

static void a_network_holds_so_many_connections(void **state)
{
	struct http_options options = default_options();
	struct client clients[4];

	(void)state;
	options.limits.per_network = 3;
	start(&options);
	for (int i = 0; i < 3; i++)
		clients[i] = ask(GET("/"));
	clients[3] = ask("");
	assert_int_equal(status_of(&clients[3]), 429);
	assert_holds(&clients[3], "Retry-After: 1\r\n");
	assert_holds(&clients[3], "nosniff");
	hang_up(&clients[3]);

	clients[3] = connect_with("127.0.0.2", 0);
	send_text(&clients[3], GET("/"));
	ARRIVES(&clients[3], answers(&clients[3], false) == 1);
	assert_int_equal(status_of(&clients[3]), 200);

	hang_up(&clients[0]);
	UNTIL(counters()->open == 3);
	clients[0] = ask(GET("/"));
	assert_int_equal(status_of(&clients[0]), 200);
	for (int i = 0; i < 4; i++)
		hang_up(&clients[i]);
}

static void our_proxies_hold_any_number_of_connections(void **state)
{
	struct http_options options = default_options();
	struct client clients[5];

	(void)state;
	options.limits.per_network = 2;
	options.trusted_proxies = "127.0.0.1";
	start(&options);
	for (int i = 0; i < 5; i++) {
		clients[i] = ask(GET("/"));
		assert_int_equal(status_of(&clients[i]), 200);
	}
	for (int i = 0; i < 5; i++)
		hang_up(&clients[i]);
}

static void the_longest_rest_ends_for_a_newcomer(void **state)
{
	struct http_options options = default_options();
	struct client a, b, c;

	(void)state;
	options.limits.connections = 2;
	start(&options);
	a = ask(GET("/"));
	b = ask(GET("/"));
	send_text(&a, GET("/"));
	ARRIVES(&a, answers(&a, false) == 2);
	c = ask(GET("/"));
	assert_int_equal(status_of(&c), 200);
	ARRIVES(&b, b.closed);
	receive(&a);
	assert_false(a.closed);
	assert_int_equal(counters()->evicted, 1);
	hang_up(&a);
	hang_up(&b);
	hang_up(&c);
}

static void half_a_head_ends_for_a_newcomer(void **state)
{
	struct http_options options = default_options();
	struct client slow, client;

	(void)state;
	options.limits.connections = 1;
	start(&options);
	slow = connect_client();
	send_text(&slow, "GET / HTTP/1.1\r\nHost: ");
	settle();
	client = ask(GET("/"));
	assert_int_equal(status_of(&client), 200);
	ARRIVES(&slow, slow.closed);
	hang_up(&slow);
	hang_up(&client);
}

static void nobody_at_work_ends_for_a_newcomer(void **state)
{
	struct http_options options = default_options();
	struct client a, b;

	(void)state;
	options.limits.connections = 1;
	start(&options);
	a = connect_client();
	send_text(&a, GET("/later"));
	UNTIL(site.waiting != NULL);
	b = ask(GET("/"));
	assert_int_equal(status_of(&b), 503);
	answer_waiting(200);
	ARRIVES(&a, answers(&a, false) == 1);
	hang_up(&a);
	hang_up(&b);
}

/* The limit under which just so many descriptors can still be opened. */
static rlim_t room_for(unsigned more)
{
	int fd = 0;

	while (more > 0 || fcntl(fd, F_GETFD) >= 0)
		more -= fcntl(fd++, F_GETFD) < 0;
	return (rlim_t)fd;
}

/* Counts the turns of the loop while nothing can be accepted: a spin would be thousands. */
static unsigned count_turns(int ms)
{
	int64_t began = clock_ms();
	unsigned turns = 0;

	for (; clock_ms() - began < ms; turns++) {
		struct timeval most = {.tv_usec = 50000};

		event_base_loopexit(site.loop, &most);
		event_base_loop(site.loop, EVLOOP_ONCE);
	}
	return turns;
}

static void without_descriptors_the_front_waits_and_recovers(void **state)
{
	struct client clients[8];
	struct rlimit before, few;
	unsigned turns;

	(void)state;
	for (int i = 0; i < 8; i++)
		clients[i] = connect_client();
	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = room_for(2);
	setrlimit(RLIMIT_NOFILE, &few);
	turns = count_turns(350);
	setrlimit(RLIMIT_NOFILE, &before);

	assert_in_range(turns, 1, 60);
	assert_in_range(counters()->refused[HTTP_NO_DESCRIPTOR], 2, 5);
	assert_int_equal(counters()->open, 2);
	UNTIL(counters()->open + counters()->refused[HTTP_NO_DESCRIPTOR] == 8);
	send_text(&clients[7], GET("/"));
	ARRIVES(&clients[7], answers(&clients[7], false) == 1);
	for (int i = 0; i < 8; i++)
		hang_up(&clients[i]);
}

/* --- proxies ------------------------------------------------------------------ */

static void assert_peer(const char *forwarded, const char *expected)
{
	struct client client = connect_client();

	send_text(&client, "GET /echo HTTP/1.1\r\nHost: a\r\n");
	send_text(&client, forwarded);
	send_text(&client, "\r\n");
	ARRIVES(&client, answers(&client, false) == 1);
	if (strstr(client.in, expected) == NULL)
		fail_msg("%s gave %s", forwarded, strstr(client.in, "\r\n\r\n"));
	hang_up(&client);
}

static void the_client_is_the_last_address_that_is_not_ours(void **state)
{
	struct http_options options = default_options();

	(void)state;
	options.trusted_proxies = "127.0.0.0/8 10.0.0.0/8";
	start(&options);
	assert_peer("", "|a|127.0.0.1|");
	assert_peer("X-Forwarded-For: 192.0.2.7\r\n", "|a|192.0.2.7|");
	assert_peer("X-Forwarded-For: 6.6.6.6, 192.0.2.7 , 10.0.0.9\r\n", "|a|192.0.2.7|");
	assert_peer("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\n", "|a|192.0.2.7|");
	assert_peer("X-Forwarded-For: 6.6.6.6, nonsense, 10.0.0.9\r\n", "|a|10.0.0.9|");
	assert_peer("X-Forwarded-For: 2001:db8::7\r\n", "|a|2001:db8::7|");
	assert_peer("X-Forwarded-For: 10.0.0.2,10.0.0.1\r\n", "|a|10.0.0.2|");
	assert_peer("X-Forwarded-For: ,, \r\n", "|a|127.0.0.1|");
}

static void strangers_do_not_say_who_they_are(void **state)
{
	(void)state;
	assert_peer("X-Forwarded-For: 192.0.2.7\r\n", "|a|127.0.0.1|");
}

/* --- listeners ---------------------------------------------------------------- */

static void an_inherited_unix_socket_is_served(void **state)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM, 0)};

	(void)state;
	snprintf(name.sun_path, sizeof name.sun_path, "/tmp/test_http_%d", (int)getpid());
	unlink(name.sun_path);
	assert_int_equal(http_server_adopt(site.server, fd), -EINVAL);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	assert_int_equal(listen(fd, 10), 0);
	assert_int_equal(http_server_adopt(site.server, fd), 0);
	assert_int_equal(connect(client.fd, (struct sockaddr *)&name, sizeof name), 0);
	unlink(name.sun_path);
	send_text(&client, GET("/echo"));
	ARRIVES(&client, answers(&client, false) == 1);
	assert_holds(&client, "|site.test|unix|");
	hang_up(&client);
}

/* systemd passes descriptor 3, which is the first one free here. */
static void what_systemd_passed_is_served(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct http_options options = default_options();
	struct client client;
	char pid[16];

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 10), 0);
	site.loop = event_base_new();
	site.server = http_server_new(site.loop, &options);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	if (fd != 3) {
		close(fd);
		skip();
	}

	assert_int_equal(http_server_inherit(site.server), 0);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	assert_int_equal(http_server_inherit(site.server), 0);
	setenv("LISTEN_PID", pid, 1);
	assert_int_equal(http_server_inherit(site.server), 1);
	assert_null(getenv("LISTEN_FDS"));
	client = ask(GET("/"));
	assert_int_equal(status_of(&client), 200);
	hang_up(&client);
}

static void ipv6_is_served(void **state)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct http_options options = default_options();
	struct http_server *server = http_server_new(site.loop, &options);
	struct client client = {.fd = socket(AF_INET6, SOCK_STREAM, 0)};

	(void)state;
	if (client.fd < 0 || http_server_listen(server, "[::1]:0", false) != 0) {
		http_server_free(server);
		skip();
	}
	address.sin6_port = htons(http_server_port(server));
	assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof address), 0);
	send_text(&client, GET("/echo"));
	ARRIVES(&client, answers(&client, false) == 1);
	assert_holds(&client, "|site.test|::1|");
	hang_up(&client);
	http_server_free(server);
}

static void a_port_is_shared_only_when_asked(void **state)
{
	struct http_options options = default_options();
	struct http_server *one = http_server_new(site.loop, &options);
	struct http_server *two = http_server_new(site.loop, &options);
	char address[32];

	(void)state;
	assert_int_equal(http_server_listen(one, "127.0.0.1:0", true), 0);
	snprintf(address, sizeof address, "127.0.0.1:%d", http_server_port(one));
	assert_int_equal(http_server_listen(two, address, true), 0);
	snprintf(address, sizeof address, "127.0.0.1:%d", http_server_port(site.server));
	assert_int_equal(http_server_listen(two, address, false), -EADDRINUSE);
	http_server_free(one);
	http_server_free(two);
}

static void an_address_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"",        "8080",           "127.0.0.1", "127.0.0.1:", "::1:80",
		"[::1:80", "127.0.0.1:http", "[]:80",     "256.0.0.1:1"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(http_server_listen(site.server, bad[i], false), -EINVAL);
}

static void malformed_proxies_are_told(void **state)
{
	struct http_options options = default_options();

	(void)state;
	options.trusted_proxies = "10.0.0.0/40";
	assert_null(http_server_new(site.loop, &options));
}

/* --- streams ------------------------------------------------------------------ */

static struct client open_stream(void)
{
	struct client client = connect_client();

	send_text(&client, GET("/stream"));
	ARRIVES(&client, strstr(client.in, "\r\n\r\n") != NULL);
	assert_non_null(site.stream);
	return client;
}

static void a_stream_carries_what_is_sent(void **state)
{
	struct client client = open_stream();

	(void)state;
	assert_holds(&client, "text/event-stream");
	assert_null(strstr(client.in, "Content-Length"));
	assert_int_equal(http_stream_send(site.stream, "data: 1\n\n", 9), 0);
	assert_int_equal(http_stream_send(site.stream, "data: 2\n\n", 9), 0);
	ARRIVES(&client, strstr(client.in, "data: 1\n\ndata: 2\n\n") != NULL);
	assert_int_equal(counters()->streams, 1);
	http_stream_close(site.stream);
	ARRIVES(&client, client.closed);
	assert_int_equal(site.closed, 0);
	assert_int_equal(counters()->streams, 0);
	hang_up(&client);
}

static void a_stream_knows_when_the_client_leaves(void **state)
{
	struct client client = open_stream();

	(void)state;
	hang_up(&client);
	UNTIL(site.closed == 1);
	assert_int_equal(counters()->streams, 0);
	assert_int_equal(counters()->open, 0);
}

static void a_stream_nobody_reads_ends(void **state)
{
	struct client client = open_stream();
	int result = 0;

	(void)state;
	for (int i = 0; i < 10000 && result == 0; i++)
		result = http_stream_send(site.stream, big, 4096);
	assert_int_equal(result, -ENOBUFS);
	assert_int_equal(site.closed, 0);
	assert_int_equal(http_stream_send(site.stream, "x", 1), -ENOBUFS);
	UNTIL(site.closed == 1);
	hang_up(&client);
}

static void a_stream_may_close_with_bytes_unsent(void **state)
{
	struct client client = open_stream();
	size_t sent = 0;

	(void)state;
	while (sent < 3u << 20 && http_stream_send(site.stream, big, 65536) == 0)
		sent += 65536;
	if (site.stream != NULL && sent >= 3u << 20)
		http_stream_close(site.stream);
	ARRIVES(&client, client.closed);
	assert_true(client.length >= sent);
	assert_int_equal(counters()->streams, 0);
	hang_up(&client);
}

static void a_head_of_a_stream_has_no_stream(void **state)
{
	struct client client = ask("HEAD /stream HTTP/1.1\r\nHost: site.test\r\n\r\n");

	(void)state;
	assert_int_equal(status_of(&client), 200);
	assert_null(site.stream);
	assert_int_equal(site.closed, 0);
	hang_up(&client);
}

/* --- drain -------------------------------------------------------------------- */

static void on_drained(void *argument)
{
	(void)argument;
	site.drained = true;
}

static void a_drain_finishes_what_is_in_flight(void **state)
{
	struct client resting = ask(GET("/")), working = connect_client(), late;

	(void)state;
	send_text(&working, GET("/later") GET("/next"));
	UNTIL(site.waiting != NULL);
	late = connect_client(); /* connected, but not yet accepted */
	http_server_drain(site.server, on_drained, NULL);
	ARRIVES(&resting, resting.closed);
	send_text(&late, GET("/late"));
	ARRIVES(&late, late.closed);
	assert_int_equal(status_of(&late), 200);
	assert_false(site.drained);

	answer_waiting(200);
	shutdown(working.fd, SHUT_WR);
	ARRIVES(&working, working.closed);
	assert_int_equal(answers(&working, false), 1);
	assert_holds(&working, "Connection: close\r\n");
	UNTIL(site.drained);
	assert_null(strstr(site.seen, "/next"));
	hang_up(&resting);
	hang_up(&working);
	hang_up(&late);
}

static void a_drain_ends_streams(void **state)
{
	struct client client = open_stream();

	(void)state;
	http_server_drain(site.server, on_drained, NULL);
	UNTIL(site.drained);
	assert_int_equal(site.closed, 1);
	hang_up(&client);
}

static void an_empty_server_is_drained_from_the_loop(void **state)
{
	(void)state;
	http_server_drain(site.server, on_drained, NULL);
	assert_false(site.drained);
	UNTIL(site.drained);
}

/* A test with the default options, and one that starts its own server. */
#define TEST(f)       cmocka_unit_test_setup_teardown(f, start_default, end)
#define HASTY_TEST(f) cmocka_unit_test_setup_teardown(f, start_hasty, end)
#define OWN_TEST(f)   cmocka_unit_test_teardown(f, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_raw_case_gets_its_answer),
		TEST(every_raw_case_gets_it_byte_by_byte),
		TEST(every_raw_case_gets_it_in_pieces),
		TEST(a_request_arrives_decoded),
		TEST(pipelined_requests_are_answered_in_order),
		TEST(the_next_request_waits_for_the_answer),
		TEST(the_next_request_waits_until_the_answer_was_taken),
		TEST(a_head_request_gets_the_head_alone),
		TEST(not_modified_has_no_body_and_no_length),
		TEST(refusals_carry_the_fields_of_every_answer),
		TEST(an_answer_may_replace_a_field_of_every_answer),
		TEST(a_field_that_would_split_the_answer_becomes_a_500),
		TEST(a_refused_head_request_gets_no_body),
		OWN_TEST(refusals_can_be_rendered_by_the_gateway),
		TEST(a_body_of_64_kib_arrives_whole),
		TEST(continue_is_said_to_who_waits_for_it),
		TEST(too_large_a_body_is_refused_before_it_is_sent),
		TEST(a_refusal_reaches_who_is_still_sending),
		HASTY_TEST(a_slow_head_ends_in_time),
		HASTY_TEST(lingering_ends_in_time),
		HASTY_TEST(a_silent_newcomer_is_closed_without_a_word),
		HASTY_TEST(a_resting_connection_is_closed_in_time),
		HASTY_TEST(a_body_that_stops_ends_in_time),
		OWN_TEST(a_body_at_a_fair_rate_may_take_longer),
		HASTY_TEST(who_does_not_read_is_closed),
		OWN_TEST(who_reads_slowly_but_reads_is_served),
		OWN_TEST(a_connection_ends_after_its_requests),
		OWN_TEST(a_connection_ends_after_its_life),
		TEST(a_client_that_leaves_abandons_its_request),
		TEST(a_request_left_behind_is_answered_by_the_front),
		TEST(a_request_dropped_at_once_is_answered_by_the_front),
		TEST(what_is_in_flight_is_abandoned_when_the_server_ends),
		OWN_TEST(a_network_holds_so_many_connections),
		OWN_TEST(our_proxies_hold_any_number_of_connections),
		OWN_TEST(the_longest_rest_ends_for_a_newcomer),
		OWN_TEST(half_a_head_ends_for_a_newcomer),
		OWN_TEST(nobody_at_work_ends_for_a_newcomer),
		TEST(without_descriptors_the_front_waits_and_recovers),
		OWN_TEST(the_client_is_the_last_address_that_is_not_ours),
		TEST(strangers_do_not_say_who_they_are),
		TEST(an_inherited_unix_socket_is_served),
		OWN_TEST(what_systemd_passed_is_served),
		TEST(ipv6_is_served),
		TEST(a_port_is_shared_only_when_asked),
		TEST(an_address_that_is_none_is_refused),
		TEST(malformed_proxies_are_told),
		TEST(a_stream_carries_what_is_sent),
		TEST(a_stream_knows_when_the_client_leaves),
		TEST(a_stream_nobody_reads_ends),
		TEST(a_stream_may_close_with_bytes_unsent),
		TEST(a_head_of_a_stream_has_no_stream),
		TEST(a_drain_finishes_what_is_in_flight),
		TEST(a_drain_ends_streams),
		TEST(an_empty_server_is_drained_from_the_loop),
	};

	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)('a' + i % 23);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
