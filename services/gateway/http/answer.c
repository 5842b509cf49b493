/*
 * answer.c - writes answers: a handler's, the front's refusals, streams.
 *
 * A head is composed into one buffer of the server and written together with the
 * pieces of the body in one system call, straight to the socket. Only what the
 * kernel does not take goes through the connection's output buffer. That saves the
 * usual answer a copy, two changes of the poll set and a turn of the loop.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "gateway/http/front.h"
#include "lib/clock.h"

#define PIECES_MAX 64 /* of a body in the first write */

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{428, "Precondition Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

const char *http_reason(int status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

/* --- a response being made ---------------------------------------------------- */

/* Names are our own constants; this is what would split an answer. */
static bool is_name(const char *name)
{
	size_t length = 0;

	while (name[length] > ' ' && name[length] < 0x7f && name[length] != ':')
		length++;
	return length > 0 && name[length] == '\0';
}

static bool is_value(const char *value)
{
	for (; *value != '\0'; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
			return false;
	return true;
}

void http_response_field(struct http_response *response, const char *name, const char *value)
{
	assert(response->n_fields < HTTP_ANSWER_FIELDS_MAX);
	if (!is_name(name) || !is_value(value))
		response->refused = true;
	else
		response->fields[response->n_fields++] = (struct http_field){name, value};
}

struct evbuffer *http_response_body(struct http_response *response)
{
	if (response->body == NULL && (response->body = evbuffer_new()) == NULL)
		abort();
	return response->body;
}

static void drop_body(struct http_response *response)
{
	if (response->body != NULL)
		evbuffer_free(response->body);
	response->body = NULL;
}

/* --- heads -------------------------------------------------------------------- */

static void put(struct http_server *server, const char *text, size_t length)
{
	if (server->head_length + length > server->head_size) {
		server->head_size = (server->head_length + length) * 2;
		server->head = realloc(server->head, server->head_size);
		if (server->head == NULL)
			abort();
	}
	memcpy(server->head + server->head_length, text, length);
	server->head_length += length;
}

static void put_field(struct http_server *server, const struct http_field *field)
{
	put(server, field->name, strlen(field->name));
	put(server, ": ", 2);
	put(server, field->value, strlen(field->value));
	put(server, "\r\n", 2);
}

static void put_status(struct http_server *server, int status)
{
	char line[64];
	int length = snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status, http_reason(status));

	assert(status >= 200 && status <= 599 && length < (int)sizeof line);
	put(server, line, (size_t)length);
}

/* IMF-fixdate, RFC 9110, 5.6.7; strftime() would follow the locale. */
static void write_date(struct http_server *server, time_t now)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm utc;
	int length;

	gmtime_r(&now, &utc);
	length = snprintf(server->date, sizeof server->date,
			  "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday],
			  utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour,
			  utc.tm_min, utc.tm_sec);
	assert(length > 0 && length < (int)sizeof server->date);
	server->date_length = (size_t)length;
	server->date_second = now;
}

static void put_date(struct http_server *server)
{
	time_t now = (time_t)(clock_now() / 1000000);

	if (now != server->date_second)
		write_date(server, now);
	put(server, server->date, server->date_length);
}

static bool has_field(const struct http_response *response, const char *name)
{
	for (size_t i = 0; i < response->n_fields; i++)
		if (strcasecmp(response->fields[i].name, name) == 0)
			return true;
	return false;
}

static void put_fields(struct http_server *server, const struct http_response *response)
{
	for (size_t i = 0; i < response->n_fields; i++)
		put_field(server, &response->fields[i]);
	for (size_t i = 0; i < server->options.n_fields; i++)
		if (!has_field(response, server->options.fields[i].name))
			put_field(server, &server->options.fields[i]);
}

static void put_length(struct http_server *server, size_t length)
{
	char line[48];
	int written = snprintf(line, sizeof line, "Content-Length: %zu\r\n", length);

	put(server, line, (size_t)written);
}

#define PUT(server, literal) put((server), (literal), sizeof(literal) - 1)

enum framing { WITH_LENGTH, WITHOUT_LENGTH };
enum persistence { STAYS, STAYS_FOR_1_0, CLOSES };

static void compose(struct http_server *server, const struct http_response *response,
		    enum framing framing, enum persistence persistence)
{
	server->head_length = 0;
	put_status(server, response->status);
	put_date(server);
	put_fields(server, response);
	if (framing == WITH_LENGTH)
		put_length(server, response->body ? evbuffer_get_length(response->body) : 0);
	if (persistence == CLOSES)
		PUT(server, "Connection: close\r\n");
	else if (persistence == STAYS_FOR_1_0)
		PUT(server, "Connection: keep-alive\r\n");
	PUT(server, "\r\n");
}

/* --- to the socket ------------------------------------------------------------ */

/*
 * Writes what the kernel takes at once; returns how much, or -1 when nobody is
 * there. The first piece is only read; struct iovec has no way to say so.
 */
static ssize_t write_now(int fd, const void *first, size_t length, struct evbuffer *body)
{
	struct iovec pieces[1 + PIECES_MAX] = {{.iov_base = NULL, .iov_len = length}};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 1};
	ssize_t taken;
	int n = 0;

	memcpy(&pieces[0].iov_base, &first, sizeof first);
	if (body != NULL)
		n = evbuffer_peek(body, -1, NULL, pieces + 1, PIECES_MAX);
	message.msg_iovlen += (size_t)(n < PIECES_MAX ? n : PIECES_MAX);

	taken = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (taken < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return taken;
}

/* Sends bytes and body (which may be NULL, and is emptied) behind what is still unsent. */
static void transmit(struct http_connection *connection, const void *bytes, size_t length,
		     struct evbuffer *body)
{
	size_t taken = 0;

	connection->written += length + (body != NULL ? evbuffer_get_length(body) : 0);
	if (connection_unsent(connection) == 0) {
		ssize_t now = write_now(bufferevent_getfd(connection->bev), bytes, length, body);

		if (now < 0) {
			connection_doom(connection);
			return;
		}
		taken = (size_t)now;
	}
	if (taken < length)
		bufferevent_write(connection->bev, (const char *)bytes + taken, length - taken);
	else if (body != NULL)
		evbuffer_drain(body, taken - length);
	if (body != NULL && evbuffer_get_length(body) > 0)
		bufferevent_write_buffer(connection->bev, body);
}

static void transmit_answer(struct http_connection *connection, struct http_response *response)
{
	struct http_server *server = connection->server;

	transmit(connection, server->head, server->head_length, response->body);
	drop_body(response);
}

void answer_continue(struct http_connection *connection)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	transmit(connection, line, sizeof line - 1, NULL);
}

/* --- refusals ----------------------------------------------------------------- */

static void add_hint(struct http_response *response, enum http_refusal refusal)
{
	int status = http_refusal_status(refusal);

	if (status == 405)
		http_response_field(response, "Allow",
				    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	if (status == 429 || status == 503)
		http_response_field(response, "Retry-After", "1");
}

static void write_plainly(struct http_response *response, enum http_refusal refusal)
{
	http_response_field(response, "Content-Type", "text/plain; charset=utf-8");
	evbuffer_add_printf(http_response_body(response), "%s\n", http_refusal_text(refusal));
}

/* What is seen: the gateway's page or problem, or a line of text. */
static struct http_response explain(struct http_server *server, enum http_refusal refusal,
				    const char *target)
{
	struct http_response response = {.status = http_refusal_status(refusal)};

	server->counters.refused[refusal]++;
	add_hint(&response, refusal);
	if (server->options.render != NULL)
		server->options.render(server->options.argument, refusal, target, &response);
	else
		write_plainly(&response, refusal);
	return response;
}

/* The parser may have refused before it knew the method; the bytes are still there. */
static bool wants_no_body(const struct http_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	char start[5] = {0};

	evbuffer_copyout(input, start, sizeof start);
	return memcmp(start, "HEAD ", sizeof start) == 0;
}

#define LINE_START 32 /* enough to tell whom a target is for */

/* How the target begins; "" when not even that came. start is room for it. */
static const char *target_of(const struct http_connection *connection, char start[LINE_START])
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	const char *space;

	if (connection->request != NULL)
		return connection->request->target != NULL ? connection->request->target : "";
	memset(start, 0, LINE_START);
	evbuffer_copyout(input, start, LINE_START - 1);
	space = strchr(start, ' ');
	return space != NULL ? space + 1 : "";
}

void answer_refusal(struct http_connection *connection, enum http_refusal refusal)
{
	char start[LINE_START];
	struct http_response response =
		explain(connection->server, refusal, target_of(connection, start));

	connection->last = true;
	connection->linger = true;
	compose(connection->server, &response, WITH_LENGTH, CLOSES);
	if (connection->request == NULL && wants_no_body(connection))
		drop_body(&response);
	if (connection->request != NULL)
		connection_release(connection);
	transmit_answer(connection, &response);
	connection_answered(connection);
}

/* One line for a newcomer, without a connection's cost; what does not fit is lost. */
void turn_away(struct http_server *server, int fd, enum http_refusal refusal)
{
	struct http_response response = {.status = http_refusal_status(refusal)};

	server->counters.refused[refusal]++;
	add_hint(&response, refusal);
	write_plainly(&response, refusal);
	compose(server, &response, WITH_LENGTH, CLOSES);
	(void)write_now(fd, server->head, server->head_length, response.body);
	drop_body(&response);
	shutdown(fd, SHUT_WR);
	close(fd);
}

/* --- a handler's answer ------------------------------------------------------- */

static enum persistence persistence_of(const struct http_request *request)
{
	const struct http_connection *connection = request->connection;

	if (connection->last)
		return CLOSES;
	return request->minor_version == 0 ? STAYS_FOR_1_0 : STAYS;
}

static void replace_by_error(struct http_server *server, struct http_response *response)
{
	drop_body(response);
	*response = explain(server, HTTP_BAD_ANSWER, "");
}

/* Returns the connection, or NULL when the client has left and there is nothing to do. */
static struct http_connection *begin_answer(struct http_request *request,
					    struct http_response *response)
{
	struct http_connection *connection = request->connection;

	assert(!request->answered);
	request->answered = true;
	if (connection == NULL) {
		drop_body(response);
		return NULL;
	}
	if (response->refused)
		replace_by_error(connection->server, response);
	connection->last |= connection->server->draining;
	return connection;
}

void http_respond(struct http_request *request, struct http_response *response)
{
	struct http_connection *connection = begin_answer(request, response);
	int status = response->status;
	bool without = request->method == HTTP_HEAD || status == 204 || status == 304;

	if (connection == NULL)
		return;
	compose(connection->server, response,
		status == 204 || status == 304 ? WITHOUT_LENGTH : WITH_LENGTH,
		persistence_of(request));
	if (without)
		drop_body(response);
	transmit_answer(connection, response);
	connection_release(connection);
	connection_answered(connection);
}

/* --- streams ------------------------------------------------------------------ */

static struct http_connection *connection_of(struct http_stream *stream)
{
	return (struct http_connection *)(void *)stream;
}

struct http_stream *http_stream_begin(struct http_request *request, struct http_response *response,
				      void (*on_close)(void *), void *argument)
{
	struct http_connection *connection = request->connection;

	if (connection == NULL || request->method == HTTP_HEAD || response->refused) {
		http_respond(request, response);
		return NULL;
	}
	begin_answer(request, response);
	connection->last = true;
	connection->on_close = on_close;
	connection->on_close_argument = argument;
	compose(connection->server, response, WITHOUT_LENGTH, CLOSES);
	transmit_answer(connection, response);
	connection_release(connection);
	connection_stream(connection);
	return (struct http_stream *)(void *)connection;
}

int http_stream_send(struct http_stream *stream, const void *bytes, size_t length)
{
	struct http_connection *connection = connection_of(stream);
	struct http_server *server = connection->server;

	if (connection->doomed)
		return -ENOBUFS;
	if (connection_unsent(connection) + length > server->options.limits.stream) {
		server->counters.refused[HTTP_SLOW_READER]++;
		connection_doom(connection);
		return -ENOBUFS;
	}
	transmit(connection, bytes, length, NULL);
	return 0;
}

void http_stream_close(struct http_stream *stream)
{
	connection_end_stream(connection_of(stream));
}
