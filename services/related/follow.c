/*
 * follow.c - the streams of topics, comments and accounts.
 *
 * What an event says by itself (an opinion, an erased account) takes effect at
 * once; for a text its owner is asked. An owner that lost its stream, or was
 * restored, makes us rebuild.
 */
#include <string.h>

#include "accounts.pb-c.h"
#include "lib/consumer.h"
#include "lib/log.h"
#include "related/recommender.h"

static const char *const sources[STREAMS] = {"topics", "comments", "accounts"};

static struct consumer *streams[STREAMS];
static bool accounts_lost;

static bool is(const Causerie__Event *event, const char *type)
{
	return strcmp(event->type, type) == 0;
}

/* comments moves the thread when it sees the same event: asked for a little later. */
static void on_merged(const Causerie__Event *event)
{
	engine_remove_topic(recommender.engine, event->topic_id,
			    (uint32_t)event->aggregate_version);
	refresh_topic(event->target_id);
	refresh_thread(event->target_id);
}

static void on_topic(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	if (is(event, "opinion.changed"))
		(void)engine_put_opinion(recommender.engine, event->topic_id, event->actor_id,
					 event->value != 0);
	else if (is(event, "topic.transitioned") && strcmp(event->to_state, "merged") == 0 &&
		 event->target_id != 0)
		on_merged(event);
	else if (is(event, "pair.changed"))
		refresh_topic(event->topic_id); /* its document has the pairs of both */
	else if (strncmp(event->type, "topic.", strlen("topic.")) == 0)
		refresh_topic(event->aggregate_id);
}

static void on_comment(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	if (is(event, "comment.hidden") || is(event, "comment.deleted"))
		(void)engine_remove_comment(recommender.engine, event->topic_id,
					    event->aggregate_id,
					    (uint32_t)event->aggregate_version);
	else
		refresh_comment(event->aggregate_id);
}

static void on_account(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	if (is(event, "account.erased"))
		engine_erase_account(recommender.engine, event->aggregate_id);
}

/* The new engine has read up to places: every stream is followed from there. */
static void go_on(const struct stream_place places[STREAMS])
{
	struct stream_place from[STREAMS];

	follow_places(from);
	from[STREAM_TOPICS] = places[STREAM_TOPICS];
	from[STREAM_COMMENTS] = places[STREAM_COMMENTS];
	if (accounts_lost)
		from[STREAM_ACCOUNTS] = places[STREAM_ACCOUNTS];
	accounts_lost = false;
	follow_stop();
	follow_start(from);
}

static void on_lost(void *argument)
{
	const char *const *source = argument;

	log_warn(NULL, "related.lost", "source=%s", *source);
	accounts_lost |= source == &sources[STREAM_ACCOUNTS];
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
	streams[STREAM_TOPICS] =
		follow(STREAM_TOPICS, recommender.topics, on_topic, places[STREAM_TOPICS]);
	streams[STREAM_COMMENTS] =
		follow(STREAM_COMMENTS, recommender.comments, on_comment, places[STREAM_COMMENTS]);
	streams[STREAM_ACCOUNTS] =
		follow(STREAM_ACCOUNTS, service_client("accounts", &causerie__accounts__descriptor),
		       on_account, places[STREAM_ACCOUNTS]);
	refresh_start();
}

bool follow_started(void)
{
	return streams[STREAM_TOPICS] != NULL;
}

void follow_places(struct stream_place places[STREAMS])
{
	for (int i = 0; i < STREAMS; i++)
		places[i].seq = consumer_position(streams[i], &places[i].epoch);
}

void follow_stop(void)
{
	for (int i = 0; i < STREAMS; i++) {
		consumer_free(streams[i]);
		streams[i] = NULL;
	}
}
