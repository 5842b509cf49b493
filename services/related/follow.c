/*
 * follow.c - the streams of topics and comments.
 *
 * An event is a reason to ask its owner again, and no more: what it says by itself was true when
 * it was written, and a document that was read later may have come before it. Only what is gone
 * goes at once: a comment that was taken back, by its version, and an account that was forgotten,
 * which never comes back. An owner that lost its stream, or was restored, makes us rebuild.
 */
#include <string.h>

#include "lib/consumer.h"
#include "lib/log.h"
#include "related/recommender.h"

static const char *const sources[STREAMS] = {"topics", "comments"};

static struct consumer *streams[STREAMS];
static struct stream_place fetched[STREAMS]; /* whatever was named up to here is in the engine */

static bool is(const Causerie__Event *event, const char *type)
{
	return strcmp(event->type, type) == 0;
}

static bool is_of(const Causerie__Event *event, const char *kind)
{
	return strncmp(event->type, kind, strlen(kind)) == 0;
}

static void on_topic(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	if (is(event, "account.forgotten"))
		forget_account(event->aggregate_id);
	else if (is(event, "opinion.changed") || is(event, "pair.changed"))
		refresh_topic(event->topic_id); /* its document has opinions, and pairs of both */
	else if (is_of(event, "topic."))
		refresh_topic(event->aggregate_id);
	if (is(event, "topic.transitioned") && event->target_id != 0)
		refresh_topic(event->target_id); /* has the opinions and pairs of what was merged */
}

/* A page listed before may have put comments into the topic that they have left. */
static void on_merged(const Causerie__Event *event)
{
	refresh_topic(event->topic_id);
	refresh_thread(event->target_id);
}

static void on_comment(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	if (is(event, "account.forgotten"))
		forget_account(event->aggregate_id);
	else if (is(event, "thread.merged"))
		on_merged(event);
	else if (is(event, "comment.hidden") || is(event, "comment.deleted"))
		(void)engine_remove_comment(recommender.engine, event->topic_id,
					    event->aggregate_id,
					    (uint32_t)event->aggregate_version);
	else if (is_of(event, "comment."))
		refresh_comment(event->aggregate_id);
}

/* The new engine has read up to places. */
static void go_on(const struct stream_place places[STREAMS])
{
	follow_stop();
	follow_start(places);
}

static void on_lost(void *argument)
{
	const char *const *source = argument;

	log_warn(NULL, "related.lost", "source=%s", *source);
	if (!recommender.rebuilding)
		rebuild_start(go_on);
}

static struct consumer *follow(int stream, struct rpc_client *owner,
			       void (*apply)(void *, const Causerie__Event *),
			       struct stream_place place)
{
	const struct service_context *here = service_here();
	const struct consumer_settings stream_settings = {
		.name = here->name,
		.source = sources[stream],
		.owner = owner,
		.peers = service_peers(sources[stream]),
		.key = here->key,
		.apply = apply,
		.start = place.seq,
		.start_epoch = place.epoch,
		.lost = on_lost,
		.argument = (void *)(uintptr_t)&sources[stream],
	};

	return consumer_new(here->loop, &stream_settings);
}

void follow_start(const struct stream_place places[STREAMS])
{
	memcpy(fetched, places, sizeof fetched);
	streams[STREAM_TOPICS] =
		follow(STREAM_TOPICS, recommender.topics, on_topic, places[STREAM_TOPICS]);
	streams[STREAM_COMMENTS] =
		follow(STREAM_COMMENTS, recommender.comments, on_comment, places[STREAM_COMMENTS]);
	refresh_start();
}

bool follow_started(void)
{
	return streams[STREAM_TOPICS] != NULL;
}

void follow_fetched(void)
{
	for (int i = 0; i < STREAMS && follow_started(); i++)
		fetched[i].seq = consumer_position(streams[i], &fetched[i].epoch);
}

void follow_places(struct stream_place places[STREAMS])
{
	if (!refresh_pending())
		follow_fetched(); /* what names nothing is no reason to stay behind */
	memcpy(places, fetched, sizeof fetched);
}

void follow_stop(void)
{
	for (int i = 0; i < STREAMS; i++) {
		consumer_free(streams[i]);
		streams[i] = NULL;
	}
}
