/*
 * smtp.c - libcurl connects (TLS, AUTH); the dialogue of a mail is ours, and stops before the dot.
 *
 *   offer --> its turn --> connect --> MAIL --> RCPT --> DATA --> body --> SMTP_READY
 *                 |            |         |        |        |        |
 *                 +-- nothing is taken --+        +--------+--------+--> certainly not sent
 *
 *   commit --> dot --> accepted, refused, or (cut) unknown
 *
 * QUIT is said when the task ends, so after its caller wrote down that the mail was
 * accepted: a server that heard QUIT knows that it will not come again.
 *
 * libcurl's own upload waits for the answer to the dot in a blocking loop, for as long as the
 * server likes, and stops the daemon meanwhile. So it only opens the connection
 * (CURLOPT_CONNECT_ONLY), and we always know on which side of the dot a conversation ended.
 */
#include "smtp.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "lib/arena.h"
#include "lib/task.h"

#define LINE_LIMIT  1000 /* bytes of a reply's line; RFC 5321 4.5.3.1.5 has 512 */
#define LINES_LIMIT 100

struct smtp {
	struct event_base *loop;
	struct smtp_settings settings;
	CURLM *multi;
	struct event *timer;
	int talking;
	TAILQ_HEAD(transfers, smtp_transfer) queue; /* without a connection yet */
};

enum phase { QUEUED, CONNECTING, MAIL, RCPT, DATA, BODY, READY, DOT, TAKEN, OVER };

struct smtp_transfer {
	TAILQ_ENTRY(smtp_transfer) link;
	struct smtp *smtp;
	struct task *task;
	struct smtp_slot *slot;
	CURL *easy;
	struct event *io, *patience;
	enum phase phase;
	const char *sender, *recipient, *bytes;
	size_t length;
	const char *out; /* what is still to be written */
	size_t left;
	char line[LINE_LIMIT];
	size_t line_length;
	int lines;
	bool waiting; /* an operation of the task is in flight */
	bool busy;    /* on_io() is on the stack: it frees what the task has left meanwhile */
	bool left_behind;
};

static void next_in_queue(struct smtp *);

/* Each operation is answered exactly once. */
static void answer(struct smtp_transfer *transfer, enum smtp_state state)
{
	transfer->slot->state = state;
	if (!transfer->waiting)
		return;
	transfer->waiting = false;
	task_answered(transfer->task);
}

/* The connection goes without ceremony: what mattered has been said. */
static void hang_up(struct smtp_transfer *transfer)
{
	struct smtp *smtp = transfer->smtp;
	const enum phase phase = transfer->phase;

	transfer->phase = OVER;
	if (phase == QUEUED)
		TAILQ_REMOVE(&smtp->queue, transfer, link);
	if (phase == QUEUED || phase == OVER)
		return;
	if (transfer->io != NULL)
		event_free(transfer->io);
	event_free(transfer->patience);
	curl_multi_remove_handle(smtp->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	smtp->talking--;
	next_in_queue(smtp);
}

static void end(struct smtp_transfer *transfer, enum smtp_state state, const char *error)
{
	transfer->slot->error = error;
	hang_up(transfer);
	answer(transfer, state);
}

/* The server does not want us, or is not there: those who wait for a connection need not try. */
static void turned_away(struct smtp_transfer *transfer, int code, const char *error)
{
	struct smtp *smtp = transfer->smtp;
	struct transfers waiting = TAILQ_HEAD_INITIALIZER(waiting);
	struct smtp_transfer *other;

	TAILQ_CONCAT(&waiting, &smtp->queue, link);
	transfer->slot->code = code;
	end(transfer, SMTP_AWAY, error);
	while ((other = TAILQ_FIRST(&waiting)) != NULL) {
		TAILQ_REMOVE(&waiting, other, link);
		other->phase = OVER;
		other->slot->code = code;
		other->slot->error = error;
		answer(other, SMTP_AWAY);
	}
}

static void cut(struct smtp_transfer *transfer, const char *error)
{
	if (transfer->phase == TAKEN)
		hang_up(transfer);
	else if (transfer->phase <= MAIL)
		turned_away(transfer, transfer->slot->code, error);
	else
		end(transfer, transfer->phase == DOT ? SMTP_UNKNOWN : SMTP_UNREACHABLE, error);
}

/* --- the dialogue --------------------------------------------------------------------- */

static void wait_for_server(struct smtp_transfer *transfer)
{
	const int ms = transfer->smtp->settings.timeout_ms;
	const struct timeval patience = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(transfer->patience, &patience);
}

static void on_impatience(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	cut(argument, "the server did not answer in time");
}

static void write_more(struct smtp_transfer *transfer);

static void say(struct smtp_transfer *transfer, enum phase phase, const char *words, size_t length)
{
	transfer->phase = phase;
	transfer->out = words;
	transfer->left = length;
	wait_for_server(transfer);
	write_more(transfer);
}

static void say_line(struct smtp_transfer *transfer, enum phase phase, const char *line)
{
	say(transfer, phase, line, strlen(line));
}

/* Lines that begin with a dot get a second one (RFC 5321 4.5.2); the last one ends. */
static void say_body(struct smtp_transfer *transfer)
{
	const char *from = transfer->bytes, *end = from + transfer->length;
	char *stuffed = arena_alloc(&transfer->task->arena, 2 * transfer->length + 2),
	     *to = stuffed;
	bool begins = true;

	for (; from < end; from++) {
		if (begins && *from == '.')
			*to++ = '.';
		*to++ = *from;
		begins = *from == '\n';
	}
	if (!begins) {
		*to++ = '\r';
		*to++ = '\n';
	}
	say(transfer, BODY, stuffed, (size_t)(to - stuffed));
}

/* All was written. Nothing but the dot is left: stop there until the caller commits. */
static void written(struct smtp_transfer *transfer)
{
	if (transfer->phase != BODY)
		return;
	transfer->phase = READY;
	evtimer_del(transfer->patience);
	answer(transfer, SMTP_READY);
}

static void watch(struct smtp_transfer *transfer)
{
	curl_socket_t socket = CURL_SOCKET_BAD;

	curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &socket);
	event_del(transfer->io);
	event_assign(transfer->io, transfer->smtp->loop, socket,
		     (short)(EV_PERSIST | EV_READ | (transfer->left > 0 ? EV_WRITE : 0)),
		     event_get_callback(transfer->io), transfer);
	event_add(transfer->io, NULL);
}

static void write_more(struct smtp_transfer *transfer)
{
	CURLcode result = CURLE_OK;
	size_t part;

	while (transfer->left > 0) {
		result = curl_easy_send(transfer->easy, transfer->out, transfer->left, &part);
		if (result != CURLE_OK)
			break;
		transfer->out += part;
		transfer->left -= part;
		wait_for_server(transfer);
	}
	if (result != CURLE_OK && result != CURLE_AGAIN) {
		cut(transfer, curl_easy_strerror(result));
		return;
	}
	watch(transfer);
	if (transfer->left == 0)
		written(transfer);
}

/* If it cannot go at once, it need not go. */
static void say_goodbye(struct smtp_transfer *transfer)
{
	size_t size;

	(void)curl_easy_send(transfer->easy, "QUIT\r\n", strlen("QUIT\r\n"), &size);
}

static void said(struct smtp_transfer *transfer, int code)
{
	struct arena *arena = &transfer->task->arena;

	if (transfer->phase == TAKEN) { /* tired of waiting for QUIT */
		hang_up(transfer);
		return;
	}
	transfer->slot->code = code;
	if (code / 100 != (transfer->phase == DATA ? 3 : 2)) {
		say_goodbye(transfer);
		if (transfer->phase == MAIL)
			turned_away(transfer, code, "the server refused our sender");
		else
			end(transfer, code >= 400 && code < 600 ? SMTP_REFUSED : SMTP_UNREACHABLE,
			    "the server refused");
		return;
	}
	switch (transfer->phase) {
	case MAIL:
		say_line(transfer, RCPT,
			 arena_printf(arena, "RCPT TO:<%s>\r\n", transfer->recipient));
		break;
	case RCPT:
		say_line(transfer, DATA, "DATA\r\n");
		break;
	case DATA:
		say_body(transfer);
		break;
	case DOT:
		transfer->phase = TAKEN;
		evtimer_del(transfer->patience);
		answer(transfer, SMTP_ACCEPTED);
		break;
	default:
		cut(transfer, "the server spoke out of turn");
		break;
	}
}

/* "250-more" goes on, "250 done" is the last. */
static void take_line(struct smtp_transfer *transfer)
{
	const char *line = transfer->line;
	const bool is_reply = transfer->line_length >= 3 && strspn(line, "0123456789") >= 3;

	transfer->line_length = 0;
	if (!is_reply || ++transfer->lines > LINES_LIMIT) {
		cut(transfer, "the server does not speak SMTP");
		return;
	}
	if (line[3] == '-')
		return;
	transfer->lines = 0;
	said(transfer, (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0');
}

static void take(struct smtp_transfer *transfer, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && transfer->phase != OVER; i++) {
		if (transfer->line_length + 1 >= LINE_LIMIT) {
			cut(transfer, "the server does not speak SMTP");
			return;
		}
		transfer->line[transfer->line_length++] = bytes[i];
		transfer->line[transfer->line_length] = '\0';
		if (bytes[i] == '\n')
			take_line(transfer);
	}
}

static void read_more(struct smtp_transfer *transfer)
{
	char bytes[4096];
	size_t size = 0;
	CURLcode result;

	while (transfer->phase != OVER) {
		result = curl_easy_recv(transfer->easy, bytes, sizeof bytes, &size);
		if (result == CURLE_AGAIN)
			return;
		if (result != CURLE_OK || size == 0) {
			cut(transfer, "the server hung up");
			return;
		}
		take(transfer, bytes, size);
	}
}

static void on_io(evutil_socket_t socket, short events, void *argument)
{
	struct smtp_transfer *transfer = argument;

	(void)socket;
	transfer->busy = true;
	if (events & EV_READ)
		read_more(transfer);
	if (transfer->phase != OVER && transfer->left > 0)
		write_more(transfer);
	transfer->busy = false;
	if (transfer->left_behind)
		free(transfer);
}

/* --- connecting, by libcurl ------------------------------------------------------------- */

static void connected(struct smtp_transfer *transfer)
{
	transfer->io = event_new(transfer->smtp->loop, -1, 0, on_io, transfer);
	if (transfer->io == NULL)
		abort();
	say_line(transfer, MAIL,
		 arena_printf(&transfer->task->arena, "MAIL FROM:<%s>\r\n", transfer->sender));
}

static void not_connected(struct smtp_transfer *transfer, CURLcode result)
{
	long code = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code);
	turned_away(transfer, (int)code, curl_easy_strerror(result));
}

static void collect(struct smtp *smtp)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(smtp->multi, &left)) != NULL) {
		const CURLcode result = message->data.result;
		struct smtp_transfer *transfer;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		if (result == CURLE_OK)
			connected(transfer);
		else
			not_connected(transfer, result);
	}
}

static void on_socket_event(evutil_socket_t socket, short events, void *argument)
{
	struct smtp *smtp = argument;
	int running;

	curl_multi_socket_action(smtp->multi, socket,
				 (events & EV_READ ? CURL_CSELECT_IN : 0) |
					 (events & EV_WRITE ? CURL_CSELECT_OUT : 0),
				 &running);
	collect(smtp);
}

static void on_timer(evutil_socket_t nothing, short events, void *argument)
{
	struct smtp *smtp = argument;
	int running;

	(void)nothing;
	(void)events;
	curl_multi_socket_action(smtp->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(smtp);
}

static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *argument, void *watched)
{
	struct smtp *smtp = argument;
	struct event *event = watched;

	(void)easy;
	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		event = event_new(smtp->loop, socket,
				  (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
					  (what & CURL_POLL_OUT ? EV_WRITE : 0)),
				  on_socket_event, smtp);
		if (event == NULL)
			abort();
		event_add(event, NULL);
	}
	curl_multi_assign(smtp->multi, socket, event);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *argument)
{
	struct smtp *smtp = argument;
	struct timeval delay = {ms / 1000, ms % 1000 * 1000};

	(void)multi;
	if (ms < 0)
		evtimer_del(smtp->timer);
	else
		evtimer_add(smtp->timer, &delay);
	return 0;
}

static long tls_level(const char *tls)
{
	if (strcmp(tls, "require") == 0)
		return CURLUSESSL_ALL;
	return strcmp(tls, "try") == 0 ? CURLUSESSL_TRY : CURLUSESSL_NONE;
}

static void set_options(struct smtp_transfer *transfer)
{
	const struct smtp_settings *settings = &transfer->smtp->settings;
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_URL, settings->url);
	curl_easy_setopt(easy, CURLOPT_USE_SSL, tls_level(settings->tls));
	if (settings->user != NULL) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, settings->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD,
				 settings->password ? settings->password : "");
	}
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 30000L);
	curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT,
			 (long)(settings->timeout_ms / 1000));
}

static void begin(struct smtp_transfer *transfer)
{
	struct smtp *smtp = transfer->smtp;

	smtp->talking++;
	transfer->phase = CONNECTING;
	transfer->easy = curl_easy_init();
	transfer->patience = evtimer_new(smtp->loop, on_impatience, transfer);
	if (transfer->easy == NULL || transfer->patience == NULL)
		abort();
	set_options(transfer);
	curl_multi_add_handle(smtp->multi, transfer->easy);
}

static void next_in_queue(struct smtp *smtp)
{
	struct smtp_transfer *first = TAILQ_FIRST(&smtp->queue);

	if (first == NULL || smtp->talking >= smtp->settings.connections)
		return;
	TAILQ_REMOVE(&smtp->queue, first, link);
	begin(first);
}

struct smtp *smtp_new(struct event_base *loop, const struct smtp_settings *settings)
{
	struct smtp *smtp = calloc(1, sizeof *smtp);

	if (smtp == NULL)
		abort();
	smtp->loop = loop;
	smtp->settings = *settings;
	TAILQ_INIT(&smtp->queue);
	smtp->timer = evtimer_new(loop, on_timer, smtp);
	smtp->multi = curl_multi_init();
	if (smtp->timer == NULL || smtp->multi == NULL)
		abort();
	curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETDATA, smtp);
	curl_multi_setopt(smtp->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(smtp->multi, CURLMOPT_TIMERDATA, smtp);
	return smtp;
}

void smtp_free(struct smtp *smtp)
{
	if (smtp == NULL)
		return;
	curl_multi_cleanup(smtp->multi);
	event_free(smtp->timer);
	free(smtp);
}

/* --- the two operations ------------------------------------------------------------------- */

static void on_task_end(void *argument)
{
	struct smtp_transfer *transfer = argument;

	if (transfer->phase == TAKEN)
		say_goodbye(transfer);
	hang_up(transfer);
	transfer->left_behind = true;
	if (!transfer->busy)
		free(transfer);
}

static bool is_bare(const char *address)
{
	for (const char *c = address; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == '<' || *c == '>')
			return false;
	return *address != '\0';
}

void smtp_offer(struct task *task, struct smtp_slot *slot, struct smtp *smtp, const char *sender,
		const char *recipient, const char *bytes, size_t length)
{
	struct smtp_transfer *transfer = calloc(1, sizeof *transfer);

	if (transfer == NULL)
		abort();
	assert(is_bare(sender) && is_bare(recipient));
	*transfer = (struct smtp_transfer){.smtp = smtp,
					   .task = task,
					   .slot = slot,
					   .sender = sender,
					   .recipient = recipient,
					   .bytes = bytes,
					   .length = length};
	*slot = (struct smtp_slot){.transfer = transfer, .error = ""};
	arena_defer(&task->arena, on_task_end, transfer);
	transfer->waiting = true;
	task_wait(task);
	TAILQ_INSERT_TAIL(&smtp->queue, transfer, link);
	next_in_queue(smtp);
}

void smtp_commit(struct task *task, struct smtp_slot *slot)
{
	struct smtp_transfer *transfer = slot->transfer;

	if (slot->state != SMTP_READY)
		return; /* the connection ended meanwhile: the slot says so */
	transfer->waiting = true;
	slot->state = SMTP_PENDING;
	task_wait(task);
	say_line(transfer, DOT, ".\r\n");
}
