/*
 * stream.c - the readers who wait, by topic, and the lines they get.
 *
 *   look (may this viewer see the topic?) -> open -> … -> the client leaves
 *
 * The head says how long to wait before coming back; a comment line every 15
 * seconds keeps proxies from closing. A reader who does not read is dropped by the front.
 */
#include "gateway/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>

#include "gateway/gateway.h"
#include "lib/metrics.h"
#include "topics.pb-c.h"

#define STREAMS_MAX 2000 /* beyond it 503: the page works without */
#define BUCKETS     1024
#define HEARTBEAT_S 15
#define RETRY_MS    3000
#define LINE_LIMIT  512

struct reader_stream {
	LIST_ENTRY(reader_stream) chain;
	uint64_t topic_id;
	struct http_stream *stream;
};

LIST_HEAD(streams, reader_stream);

static struct streams buckets[BUCKETS];
static struct event *heartbeat;
static size_t open_streams;

static double count_streams(void)
{
	return (double)open_streams;
}

static struct metric streams_metric = {
	.name = "causerie_gateway_streams",
	.labels = "",
	.help = "Open Server-Sent Events streams",
	.kind = METRIC_IS_GAUGE,
	.read = count_streams,
};

size_t streams_open(void)
{
	return open_streams;
}

/* --- sending --------------------------------------------------------------------------- */

static void send_to(struct streams *streams, uint64_t topic_id, const char *text, size_t length)
{
	struct reader_stream *reader;

	LIST_FOREACH(reader, streams, chain)
	if (topic_id == 0 || reader->topic_id == topic_id)
		http_stream_send(reader->stream, text, length); /* a slow one ends by itself */
}

static void set_text(json_t *data, const char *name, const char *text)
{
	if (text != NULL && *text != '\0')
		json_object_set_new(data, name, json_string(text));
}

static void set_id(json_t *data, const char *name, uint64_t id)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%llu", (unsigned long long)id);
	json_object_set_new(data, name, json_string(digits));
}

/* Only what every reader of the topic may know. */
static json_t *describe(const char *name, uint64_t topic_id, const Causerie__Event *event)
{
	json_t *data = json_object();

	set_id(data, "topic_id", topic_id);
	if (strcmp(name, "comment") == 0) {
		set_id(data, "id", event->comment_id ? event->comment_id : event->aggregate_id);
		set_text(data, "change", strchr(event->type, '.') + 1);
	} else if (strcmp(name, "state") == 0) {
		set_text(data, "from", event->from_state);
		set_text(data, "to", event->to_state);
	}
	return data;
}

/* A comment that waits for a moderator, or a draft's life, is no news for readers. */
static bool is_public(const char *name, const Causerie__Event *event)
{
	if (strcmp(name, "comment") == 0)
		return strcmp(event->to_state, "pending") != 0 &&
		       strcmp(event->to_state, "spam") != 0;
	return true;
}

void stream_publish(const char *name, uint64_t topic_id, const Causerie__Event *event)
{
	struct streams *streams = &buckets[topic_id % BUCKETS];
	char line[LINE_LIMIT];
	json_t *data;
	char *text;
	int length;

	if (LIST_EMPTY(streams) || !is_public(name, event))
		return;
	data = describe(name, topic_id, event);
	text = json_dumps(data, JSON_COMPACT);
	length = snprintf(line, sizeof line, "event: %s\ndata: %s\n\n", name, text);
	if (length > 0 && (size_t)length < sizeof line)
		send_to(streams, topic_id, line, (size_t)length);
	free(text);
	json_decref(data);
}

static void on_heartbeat(evutil_socket_t nothing, short events, void *none)
{
	static const char line[] = ": \n\n";

	(void)nothing;
	(void)events;
	(void)none;
	for (size_t i = 0; i < BUCKETS; i++)
		send_to(&buckets[i], 0, line, sizeof line - 1);
}

void streams_start(void)
{
	const struct timeval every = {HEARTBEAT_S, 0};

	metric_register(&streams_metric);
	heartbeat = event_new(site.loop, -1, EV_PERSIST, on_heartbeat, NULL);
	if (heartbeat == NULL || event_add(heartbeat, &every) != 0)
		abort();
}

void streams_stop(void)
{
	if (heartbeat != NULL)
		event_free(heartbeat);
	heartbeat = NULL;
}

/* --- opening ----------------------------------------------------------------------------- */

struct open_stream {
	struct visit visit;
	uint64_t topic_id;
	RPC_SLOT(Causerie__TopicSummaries) topics;
};

static task_step look, open_it;

const struct handler topic_stream = HANDLER(struct open_stream, look);

/* In the page's path the topic is "12" or "12-slug". */
static uint64_t wanted_topic(const struct visit *v)
{
	const char *text = v->match.parameters[0].value;
	uint64_t id = strtoull(text, NULL, 10);

	return id <= INT64_MAX ? id : 0;
}

static struct step look(struct task *task)
{
	struct open_stream *o = (struct open_stream *)task;
	Causerie__GetTopicSummariesRequest ask = CAUSERIE__GET_TOPIC_SUMMARIES_REQUEST__INIT;

	o->topic_id = wanted_topic(&o->visit);
	if (o->topic_id == 0)
		return visit_fail(&o->visit, 404, NULL);
	if (open_streams == STREAMS_MAX)
		return visit_fail(&o->visit, 503, "Too many streams are open.");
	ask.ids = &o->topic_id;
	ask.n_ids = 1;
	RPC_CALL(task, &o->topics, causerie__topics__get_topic_summaries, site.topics, &ask);
	return task_then(open_it);
}

static void on_close(void *argument)
{
	struct reader_stream *reader = argument;

	LIST_REMOVE(reader, chain);
	open_streams--;
	free(reader);
}

static struct step open_it(struct task *task)
{
	struct open_stream *o = (struct open_stream *)task;
	struct visit *v = &o->visit;
	struct reader_stream *reader;

	if (o->topics.code != CAUSERIE__CODE__OK)
		return visit_failed(v, &o->topics.answer);
	if (o->topics.reply->n_topics == 0)
		return visit_fail(v, 404, NULL);

	reader = calloc(1, sizeof *reader);
	if (reader == NULL)
		abort();
	reader->topic_id = o->topic_id;
	visit_field(v, "Content-Type", "text/event-stream; charset=utf-8");
	visit_field(v, "X-Accel-Buffering", "no"); /* nginx would wait for more */
	evbuffer_add_printf(http_response_body(&v->response), "retry: %d\n\n", RETRY_MS);
	reader->stream = visit_stream(v, on_close, reader);
	if (reader->stream == NULL) {
		free(reader);
		return task_done();
	}
	LIST_INSERT_HEAD(&buckets[o->topic_id % BUCKETS], reader, chain);
	open_streams++;
	return task_done();
}
