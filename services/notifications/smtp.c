/*
 * smtp.c - libcurl's multi interface on libevent, with a stop before the final dot.
 *
 *   offer --> sending --> paused (SMTP_READY) --> commit --> answered
 *                |                                   |
 *                +--> failed: certainly not sent     +--> refused, or unknown
 *
 * libcurl says "send error" and no more; where it happened follows from whether
 * the read callback was resumed: it pauses when nothing but the dot is left.
 */
#include "smtp.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "lib/arena.h"
#include "lib/task.h"

struct smtp {
	struct event_base *loop;
	struct smtp_settings settings;
	CURLM *multi;
	struct event *timer;
};

struct smtp_transfer {
	struct smtp *smtp;
	struct task *task;
	struct smtp_slot *slot;
	CURL *easy;
	struct curl_slist *recipients;
	const char *bytes;
	size_t length, given;
	bool waiting;   /* an operation of the task is in flight */
	bool committed; /* the dot may go */
	bool listed;    /* known to multi */
};

/* Each operation is answered exactly once. */
static void answer(struct smtp_transfer *transfer, enum smtp_state state)
{
	if (!transfer->waiting)
		return;
	transfer->waiting = false;
	transfer->slot->state = state;
	task_answered(transfer->task);
}

static enum smtp_state outcome(const struct smtp_transfer *transfer, CURLcode result)
{
	const int code = transfer->slot->code;

	if (result == CURLE_OK)
		return SMTP_ACCEPTED;
	if (code >= 400 && code < 600)
		return SMTP_REFUSED;
	return transfer->committed ? SMTP_UNKNOWN : SMTP_UNREACHABLE;
}

static void finished(struct smtp_transfer *transfer, CURLcode result)
{
	long code = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code);
	transfer->slot->code = (int)code;
	transfer->slot->error = result == CURLE_OK ? "" : curl_easy_strerror(result);
	curl_multi_remove_handle(transfer->smtp->multi, transfer->easy);
	transfer->listed = false;
	if (!transfer->waiting)
		transfer->slot->state =
			SMTP_UNREACHABLE; /* cut while the caller was writing it down */
	answer(transfer, outcome(transfer, result));
}

static void collect(struct smtp *smtp)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(smtp->multi, &left)) != NULL) {
		struct smtp_transfer *transfer;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finished(transfer, message->data.result);
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

struct smtp *smtp_new(struct event_base *loop, const struct smtp_settings *settings)
{
	struct smtp *smtp = calloc(1, sizeof *smtp);

	if (smtp == NULL)
		abort();
	smtp->loop = loop;
	smtp->settings = *settings;
	smtp->timer = evtimer_new(loop, on_timer, smtp);
	smtp->multi = curl_multi_init();
	if (smtp->timer == NULL || smtp->multi == NULL)
		abort();
	curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETDATA, smtp);
	curl_multi_setopt(smtp->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(smtp->multi, CURLMOPT_TIMERDATA, smtp);
	curl_multi_setopt(smtp->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)settings->connections);
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

/* Nothing but the dot is left: stop there until the caller commits. */
static size_t read_message(char *to, size_t size, size_t count, void *argument)
{
	struct smtp_transfer *transfer = argument;
	size_t part = transfer->length - transfer->given;

	if (part > size * count)
		part = size * count;
	if (part == 0 && !transfer->committed) {
		answer(transfer, SMTP_READY);
		return CURL_READFUNC_PAUSE;
	}
	memcpy(to, transfer->bytes + transfer->given, part);
	transfer->given += part;
	return part;
}

static void close_transfer(void *argument)
{
	struct smtp_transfer *transfer = argument;

	if (transfer->listed)
		curl_multi_remove_handle(transfer->smtp->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->recipients);
}

static long tls_level(const char *tls)
{
	if (strcmp(tls, "require") == 0)
		return CURLUSESSL_ALL;
	return strcmp(tls, "try") == 0 ? CURLUSESSL_TRY : CURLUSESSL_NONE;
}

static void set_options(struct smtp_transfer *transfer, const char *sender)
{
	const struct smtp_settings *settings = &transfer->smtp->settings;
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
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
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, sender);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, transfer->recipients);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_message);
	curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
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
	struct smtp_transfer *transfer = ARENA_NEW(&task->arena, struct smtp_transfer);

	assert(is_bare(sender) && is_bare(recipient));
	transfer->smtp = smtp;
	transfer->task = task;
	transfer->slot = slot;
	transfer->bytes = bytes;
	transfer->length = length;
	transfer->easy = curl_easy_init();
	transfer->recipients = curl_slist_append(NULL, recipient);
	if (transfer->easy == NULL || transfer->recipients == NULL)
		abort();
	arena_defer(&task->arena, close_transfer, transfer);
	set_options(transfer, sender);

	*slot = (struct smtp_slot){.transfer = transfer, .error = ""};
	transfer->waiting = true;
	task_wait(task);
	transfer->listed = true;
	curl_multi_add_handle(smtp->multi, transfer->easy);
}

void smtp_commit(struct task *task, struct smtp_slot *slot)
{
	struct smtp_transfer *transfer = slot->transfer;

	if (slot->state != SMTP_READY)
		return; /* the connection ended meanwhile: the slot says so */
	transfer->committed = true;
	transfer->waiting = true;
	slot->state = SMTP_PENDING;
	task_wait(task);
	curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
	on_timer(-1, 0, transfer->smtp);
}
