/*
 * connection.c - the life of one connection, see the drawing in front.h.
 *
 * One request is in flight at a time; what a client sends ahead waits in the input
 * buffer, up to the size of one request. Nothing is read from a client that does
 * not take its answers: the next request is looked at when the last answer has
 * left for the kernel.
 *
 * One timer per connection rings at the earliest deadline it was ever given and
 * then looks at the present one. So a keep-alive request, which only moves its
 * deadline to the future, touches no timer.
 */
#include <assert.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "gateway/http/crowd.h"
#include "gateway/http/front.h"
#include "lib/arena.h"
#include "lib/clock.h"

#define NEVER INT64_MAX

/* Requests of one connection in one turn of the loop; then others have theirs. */
#define REQUESTS_PER_TURN 16

/* The default of 16 KiB would cost a 20 kB page a second turn of the loop. */
#define LARGEST_WRITE (1 << 20)

/* A connection that never asked anything may be about to: it gets this long when draining. */
#define LAST_CHANCE_MS 1000

/* --- deadlines ---------------------------------------------------------------- */

static void arm(struct http_connection *connection)
{
	struct timeval delay;
	int64_t wait;

	if (connection->deadline_ms >= connection->alarm_ms)
		return;
	wait = connection->deadline_ms - clock_ms();
	if (wait < 0)
		wait = 0;
	delay.tv_sec = (time_t)(wait / 1000);
	delay.tv_usec = (suseconds_t)(wait % 1000 * 1000);
	event_add(&connection->wake, &delay);
	connection->alarm_ms = connection->deadline_ms;
}

/* EV_READ, as libevent forgets an event active by EV_TIMEOUT when its time is set anew. */
static void wake(struct http_connection *connection)
{
	event_active(&connection->wake, EV_READ, 0);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t life_end(const struct http_connection *connection)
{
	return connection->born_ms + connection->server->options.limits.life_ms;
}

static struct evbuffer *input_of(const struct http_connection *connection)
{
	return bufferevent_get_input(connection->bev);
}

/* A body is in time while it would have come at the least rate, or body_ms are not over. */
static int64_t body_deadline(const struct http_connection *connection)
{
	const struct http_limits *limits = &connection->server->options.limits;
	int64_t arrived = (int64_t)evbuffer_get_length(input_of(connection));

	return connection->since_ms + limits->body_ms + arrived * 1000 / limits->body_rate;
}

/* The first head's time runs from accept, whether or not a byte has come. */
static int64_t deadline_of(const struct http_connection *connection)
{
	const struct http_limits *limits = &connection->server->options.limits;
	int64_t since = connection->since_ms;

	switch (connection->state) {
	case RESTING:
		if (connection->served == 0)
			return connection->born_ms + limits->head_ms;
		return earlier(since + limits->idle_ms, life_end(connection));
	case READING_HEAD:
		return (connection->served == 0 ? connection->born_ms : since) + limits->head_ms;
	case READING_BODY:
		return body_deadline(connection);
	case WORKING:
		return NEVER; /* the handler's own deadline holds */
	case WRITING:
		return since + limits->write_ms;
	case STREAMING:
		return earlier(since + limits->write_ms, life_end(connection));
	case LINGERING:
		return since + limits->linger_ms;
	}
	abort();
}

/* --- states ------------------------------------------------------------------- */

/* Half a head is no work yet: whoever holds places with it loses them to newcomers first. */
static struct connections *list_of(const struct http_connection *connection)
{
	struct http_server *server = connection->server;

	switch (connection->state) {
	case RESTING:
	case READING_HEAD:
	case LINGERING:
		return &server->resting;
	default:
		return &server->working;
	}
}

static void change_state(struct http_connection *connection, enum connection_state state)
{
	TAILQ_REMOVE(list_of(connection), connection, link);
	connection->state = state;
	TAILQ_INSERT_TAIL(list_of(connection), connection, link);

	connection->since_ms = clock_ms();
	connection->deadline_ms = deadline_of(connection);
	arm(connection);
}

static void rest(struct http_connection *connection)
{
	http_parser_start(&connection->parser, &connection->server->head_limits);
	change_state(connection, RESTING);
}

void connection_doom(struct http_connection *connection)
{
	connection->doomed = true;
	wake(connection);
}

/* The arena is copied out first: the request lies in it, unless it was taken over. */
void connection_release(struct http_connection *connection)
{
	struct http_request *request = connection->request;
	struct arena left;

	connection->request = NULL;
	request->connection = NULL;
	if (request->alive != NULL)
		return; /* its handler is running; dispatch() releases it afterwards */
	left = request->arena;
	request->arena = (struct arena){0};
	arena_free(&left);
}

static void abandon(struct http_connection *connection)
{
	struct http_request *request = connection->request;
	void (*on_abandon)(void *) = request->on_abandon;
	void *argument = request->on_abandon_argument;
	struct arena left = request->arena;

	if (connection->state == WORKING)
		connection->server->counters.abandoned++;
	request->arena = (struct arena){0};
	request->connection = NULL;
	connection->request = NULL;
	if (on_abandon != NULL)
		on_abandon(argument);
	arena_free(&left);
}

static void close_stream(struct http_connection *connection)
{
	connection->server->counters.streams--;
	if (connection->on_close != NULL)
		connection->on_close(connection->on_close_argument);
}

void connection_disconnect(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	assert(!connection->serving);
	TAILQ_REMOVE(list_of(connection), connection, link);
	if (connection->request != NULL)
		abandon(connection);
	if (connection->state == STREAMING)
		close_stream(connection);

	event_del(&connection->wake);
	bufferevent_free(connection->bev);
	server_left(server, connection);
	free(connection);
}

/* Bytes the client has confirmed; those in the kernel's queue it has not. */
static uint64_t taken_of(const struct http_connection *connection)
{
	int queued = 0;

	if (ioctl(bufferevent_getfd(connection->bev), SIOCOUTQ, &queued) < 0)
		queued = 0;
	return connection->written - connection_unsent(connection) - (unsigned)queued;
}

/* --- after an answer ---------------------------------------------------------- */

/* Closing a socket that holds unread bytes resets it, and the answer may be lost on the way. */
static void linger(struct http_connection *connection)
{
	struct evbuffer *input = input_of(connection);

	shutdown(bufferevent_getfd(connection->bev), SHUT_WR);
	evbuffer_drain(input, evbuffer_get_length(input));
	change_state(connection, LINGERING);
}

static void finish(struct http_connection *connection)
{
	bool waiting = evbuffer_get_length(input_of(connection)) > 0;

	if (connection->last && (connection->linger || waiting)) {
		linger(connection);
	} else if (connection->last || connection->server->draining) {
		connection_doom(connection);
	} else {
		rest(connection);
		if (waiting && !connection->serving)
			wake(connection);
	}
}

void connection_answered(struct http_connection *connection)
{
	if (connection->doomed)
		return;
	if (connection_unsent(connection) == 0) {
		finish(connection);
		return;
	}
	connection->taken = taken_of(connection);
	change_state(connection, WRITING);
}

void connection_stream(struct http_connection *connection)
{
	connection->server->counters.streams++;
	change_state(connection, STREAMING);
}

void connection_end_stream(struct http_connection *connection)
{
	connection->on_close = NULL;
	if (connection->doomed)
		return;
	connection->server->counters.streams--;
	change_state(connection, WRITING);
	connection_answered(connection);
}

size_t connection_unsent(const struct http_connection *connection)
{
	return evbuffer_get_length(bufferevent_get_output(connection->bev));
}

/* --- reading ------------------------------------------------------------------ */

static bool is_last(const struct http_connection *connection)
{
	const struct http_server *server = connection->server;

	return !connection->parser.keep_alive || server->draining ||
	       connection->served >= server->options.limits.requests ||
	       clock_ms() >= life_end(connection);
}

/* Returns whether the next request may be looked at now. */
static bool dispatch(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct http_request *request = connection->request;
	struct arena left;
	bool alive = true;

	server->counters.requests++;
	connection->served++;
	connection->last = is_last(connection);
	change_state(connection, WORKING);

	request->alive = &alive;
	server->options.handle(server->options.argument, request);
	if (alive) {
		request->alive = NULL;
		if (request->answered) {
			left = request->arena;
			request->arena = (struct arena){0};
			arena_free(&left);
		}
	}
	return connection->state == RESTING;
}

static bool refuse(struct http_connection *connection, enum http_refusal refusal)
{
	answer_refusal(connection, refusal);
	return false;
}

static bool read_body(struct http_connection *connection)
{
	struct evbuffer *input = input_of(connection);
	struct http_request *request = connection->request;
	size_t length = (size_t)connection->parser.content_length;
	char *body;

	if (evbuffer_get_length(input) < length)
		return false;
	body = arena_alloc(&request->arena, length + 1);
	evbuffer_remove(input, body, length);
	request->body = body;
	request->body_length = length;
	return dispatch(connection);
}

static bool take_head(struct http_connection *connection, const char *bytes)
{
	struct evbuffer *input = input_of(connection);
	const struct http_parser *parser = &connection->parser;
	enum http_refusal why_not;

	if (parser->content_length > connection->server->options.limits.body)
		return refuse(connection, HTTP_LARGE_BODY);
	connection->request = request_new(connection, bytes, &why_not);
	if (connection->request == NULL)
		return refuse(connection, why_not);

	evbuffer_drain(input, parser->head_length);
	if (parser->content_length == 0)
		return dispatch(connection);
	change_state(connection, READING_BODY);
	if (parser->expects_continue && evbuffer_get_length(input) == 0)
		answer_continue(connection);
	return true;
}

/* Most heads lie in one piece; only one that does not is moved together. */
static bool read_head(struct http_connection *connection)
{
	struct evbuffer *input = input_of(connection);
	size_t length = evbuffer_get_length(input);
	size_t piece = evbuffer_get_contiguous_space(input);
	size_t most = connection->server->head_limits.head;
	const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)piece);
	enum http_verdict verdict;

	if (length == 0)
		return false;
	verdict = http_parser_feed(&connection->parser, bytes, piece);
	if (verdict == HTTP_WANTS_MORE && piece < length) {
		piece = length < most ? length : most;
		bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)piece);
		verdict = http_parser_feed(&connection->parser, bytes, piece);
	}
	if (verdict == HTTP_REFUSED)
		return refuse(connection, connection->parser.refusal);
	if (verdict == HTTP_COMPLETE)
		return take_head(connection, bytes);
	if (connection->state == RESTING)
		change_state(connection, READING_HEAD);
	return false;
}

static bool advance(struct http_connection *connection)
{
	switch (connection->state) {
	case RESTING:
	case READING_HEAD:
		return read_head(connection);
	case READING_BODY:
		return read_body(connection);
	default:
		return false;
	}
}

/* Serves what has arrived; the connection may be gone afterwards. */
static void serve(struct http_connection *connection)
{
	int turns = REQUESTS_PER_TURN;

	connection->serving = true;
	while (!connection->doomed && turns > 0 && advance(connection))
		turns--;
	connection->serving = false;

	if (connection->doomed)
		connection_disconnect(connection);
	else if (turns == 0)
		wake(connection);
}

/* --- what the loop calls ------------------------------------------------------ */

static void on_read(struct bufferevent *bev, void *argument)
{
	struct http_connection *connection = argument;
	struct evbuffer *input = bufferevent_get_input(bev);

	if (connection->state == STREAMING || connection->state == LINGERING)
		evbuffer_drain(input, evbuffer_get_length(input));
	else
		serve(connection);
}

static void on_written(struct bufferevent *bev, void *argument)
{
	struct http_connection *connection = argument;

	(void)bev;
	if (connection->state != WRITING)
		return;
	finish(connection);
	serve(connection);
}

/* Who closed his half while he is being written to may still be reading. */
static void on_event(struct bufferevent *bev, short what, void *argument)
{
	struct http_connection *connection = argument;
	struct evbuffer *input = bufferevent_get_input(bev);

	if ((what & BEV_EVENT_EOF) != 0 && connection->state == WRITING) {
		evbuffer_drain(input, evbuffer_get_length(input));
		connection->last = true;
		connection->linger = false;
		return;
	}
	connection_disconnect(connection);
}

static void prolong(struct http_connection *connection, int64_t deadline_ms)
{
	connection->deadline_ms = deadline_ms;
	arm(connection);
}

/* Whether the client has taken anything since the last look; nothing to take counts as well. */
static bool moves(struct http_connection *connection)
{
	uint64_t taken = taken_of(connection);
	bool moved = taken > connection->taken || connection_unsent(connection) == 0;

	connection->taken = taken;
	return moved;
}

static void expire_writing(struct http_connection *connection, int64_t now)
{
	int64_t next = now + connection->server->options.limits.write_ms;

	if (connection->state == STREAMING) {
		next = earlier(next, life_end(connection));
		if (now >= life_end(connection)) {
			connection_disconnect(connection);
			return;
		}
	}
	if (moves(connection)) {
		prolong(connection, next);
		return;
	}
	connection->server->counters.refused[HTTP_SLOW_READER]++;
	connection_disconnect(connection);
}

static void expire(struct http_connection *connection, int64_t now)
{
	switch (connection->state) {
	case READING_HEAD:
		answer_refusal(connection, HTTP_SLOW_HEAD);
		break;
	case READING_BODY:
		if (now < body_deadline(connection))
			prolong(connection, body_deadline(connection));
		else
			answer_refusal(connection, HTTP_SLOW_BODY);
		break;
	case WRITING:
	case STREAMING:
		expire_writing(connection, now);
		break;
	default:
		connection_disconnect(connection);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
	struct http_connection *connection = argument;
	int64_t now = clock_ms();

	(void)fd;
	(void)what;
	connection->alarm_ms = NEVER;
	if (connection->doomed) {
		connection_disconnect(connection);
	} else if (now >= connection->deadline_ms) {
		expire(connection, now);
	} else {
		arm(connection);
		serve(connection);
	}
}

/* --- its beginning ------------------------------------------------------------ */

void connection_open(struct http_server *server, int fd, const struct address *address,
		     bool trusted, bool counted)
{
	struct http_connection *connection = calloc(1, sizeof *connection);
	const struct http_limits *limits = &server->options.limits;

	if (connection == NULL)
		abort();
	connection->server = server;
	connection->address = *address;
	connection->trusted = trusted;
	connection->counted = counted;
	address_print(address, connection->peer);
	connection->alarm_ms = NEVER;
	connection->born_ms = clock_ms();
	event_assign(&connection->wake, server->loop, -1, 0, on_wake, connection);

	connection->bev = bufferevent_socket_new(server->loop, fd, BEV_OPT_CLOSE_ON_FREE);
	if (connection->bev == NULL)
		abort();
	bufferevent_setcb(connection->bev, on_read, on_written, on_event, connection);
	bufferevent_set_max_single_write(connection->bev, LARGEST_WRITE);
	bufferevent_setwatermark(connection->bev, EV_READ, 0, limits->head + limits->body);

	TAILQ_INSERT_TAIL(&server->resting, connection, link);
	rest(connection);
	bufferevent_enable(connection->bev, EV_READ);
}

void connection_drain(struct http_connection *connection)
{
	int64_t soon = clock_ms() + LAST_CHANCE_MS;

	if (connection->state == STREAMING || (connection->state == RESTING && connection->served))
		connection_doom(connection);
	else if (connection->state == RESTING)
		prolong(connection, earlier(soon, connection->deadline_ms));
}
