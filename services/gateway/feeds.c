/*
 * feeds.c - turns events into dropped pages, forgotten names and lines of streams.
 *
 * Which event changes which page is the table below. What an event leads to in
 * other services (a topic in the recommender's index, a count in a list) comes
 * a moment later, so pages that show it are kept only briefly meanwhile.
 */
#include "gateway/feeds.h"

#include <string.h>

#include "events.pb-c.h"
#include "gateway/gateway.h"
#include "gateway/page_cache.h"
#include "gateway/pages/related_lists.h"
#include "gateway/people.h"
#include "gateway/stream.h"
#include "lib/consumer.h"
#include "lib/service.h"

#define SETTLE_MS 2500 /* others have taken in what was announced */

static struct feed {
	const char *source;
	unsigned bit;
	struct consumer *consumer;
} feeds[] = {
	{"topics", FEED_TOPICS, NULL},
	{"comments", FEED_COMMENTS, NULL},
	{"accounts", FEED_ACCOUNTS, NULL},
};

#define FEEDS (sizeof feeds / sizeof *feeds)

enum change {
	CHANGES_TOPIC = 1 << 0,   /* the pages of its topic */
	CHANGES_LISTS = 1 << 1,   /* every list */
	CHANGES_RELATED = 1 << 2, /* related topics anywhere */
	CHANGES_PERSON = 1 << 3,  /* the name of the account */
	SETTLES_LATER = 1 << 4,
	TAKES_BACK = 1 << 5, /* what its pages show is not to be seen again */
};

static const struct {
	const char *type;
	unsigned changes;
	const char *stream; /* the name of the streams' event, or NULL */
} kinds[] = {
	{"topic.created", CHANGES_LISTS, NULL},
	{"topic.edited",
	 CHANGES_TOPIC | CHANGES_LISTS | CHANGES_RELATED | SETTLES_LATER | TAKES_BACK, "topic"},
	{"topic.transitioned", CHANGES_TOPIC | CHANGES_LISTS | CHANGES_RELATED | SETTLES_LATER,
	 "state"},
	{"pair.changed", CHANGES_TOPIC | SETTLES_LATER, NULL},
	{"opinion.changed", CHANGES_TOPIC, "opinion"},
	{"participation.changed", CHANGES_TOPIC, NULL},
	{"sponsorship.changed", CHANGES_TOPIC, NULL},
	{"seat.changed", CHANGES_TOPIC, NULL},
	{"comment.posted", CHANGES_TOPIC | CHANGES_LISTS | SETTLES_LATER, "comment"},
	{"comment.edited", CHANGES_TOPIC | TAKES_BACK, "comment"},
	{"comment.hidden", CHANGES_TOPIC | CHANGES_LISTS | SETTLES_LATER | TAKES_BACK, "comment"},
	{"comment.restored", CHANGES_TOPIC | CHANGES_LISTS | SETTLES_LATER, "comment"},
	{"comment.deleted", CHANGES_TOPIC | CHANGES_LISTS | SETTLES_LATER | TAKES_BACK, "comment"},
	{"thread.merged", CHANGES_TOPIC | CHANGES_LISTS | SETTLES_LATER, NULL},
	{"account.changed", CHANGES_PERSON, NULL},
	{"account.suspended", CHANGES_PERSON, NULL},
	{"account.erased", CHANGES_PERSON | TAKES_BACK, NULL},
};

static uint64_t topic_of(const Causerie__Event *event)
{
	return event->topic_id != 0 ? event->topic_id : event->aggregate_id;
}

static void drop(enum page_tag_kind tag, uint64_t id, unsigned changes)
{
	page_cache_drop(site.pages, tag, id);
	if (changes & SETTLES_LATER)
		page_cache_unsettle(site.pages, tag, id, SETTLE_MS);
}

static void apply_changes(unsigned changes, const Causerie__Event *event)
{
	if (changes & CHANGES_TOPIC) {
		drop(TAG_TOPIC, topic_of(event), changes);
		if (event->target_id != 0)
			drop(TAG_TOPIC, event->target_id, changes);
	}
	if (changes & CHANGES_LISTS)
		drop(TAG_LISTS, 0, changes);
	if (changes & CHANGES_RELATED) {
		drop(TAG_RELATED, 0, changes);
		if (strcmp(event->to_state, "declined") == 0) /* read on, but recommended no more */
			related_lists_forget(topic_of(event));
	}
	if (changes & CHANGES_PERSON) {
		people_forget(event->aggregate_id);
		drop(TAG_PERSON, event->aggregate_id, changes);
	}
}

/* Its own pages and the lists it stands in; about a topic itself, also the pages that name it. */
static void take_back(unsigned changes, const Causerie__Event *event)
{
	if (changes & CHANGES_PERSON)
		page_cache_discard(site.pages, TAG_PERSON, event->aggregate_id);
	if (changes & CHANGES_TOPIC)
		page_cache_discard(site.pages, TAG_TOPIC, topic_of(event));
	if (changes & CHANGES_RELATED) {
		page_cache_discard(site.pages, TAG_NAMED, topic_of(event));
		related_lists_forget(topic_of(event));
	}
}

/* Of all steps of a topic these two end its being public. */
static bool takes_back(unsigned changes, const Causerie__Event *event)
{
	return (changes & TAKES_BACK) || strcmp(event->to_state, "withdrawn") == 0 ||
	       strcmp(event->to_state, "merged") == 0;
}

static void apply(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].type, event->type) != 0)
			continue;
		apply_changes(kinds[i].changes, event);
		if (takes_back(kinds[i].changes, event))
			take_back(kinds[i].changes, event);
		if (kinds[i].stream != NULL)
			stream_publish(kinds[i].stream, topic_of(event), event);
		return;
	}
}

/* The owner was restored from a backup: nothing that was heard of it holds. */
static void lost(void *feed)
{
	page_cache_discard_all(site.pages);
	people_forget_all();
	related_lists_forget_all();
	consumer_restart(((struct feed *)feed)->consumer, 0, UINT64_MAX);
}

static struct rpc_client *owner_of(const struct feed *feed)
{
	switch (feed->bit) {
	case FEED_TOPICS:
		return site.topics;
	case FEED_COMMENTS:
		return site.comments;
	default:
		return site.accounts;
	}
}

void feeds_start(void)
{
	const struct service_context *here = service_here();

	for (size_t i = 0; i < FEEDS; i++) {
		const struct consumer_settings settings = {
			.name = "gateway",
			.source = feeds[i].source,
			.owner = owner_of(&feeds[i]),
			.peers = service_peers(feeds[i].source),
			.key = here->key,
			.apply = apply,
			.start = UINT64_MAX,
			.lost = lost,
			.argument = &feeds[i],
		};

		feeds[i].consumer = consumer_new(here->loop, &settings);
	}
}

void feeds_stop(void)
{
	for (size_t i = 0; i < FEEDS; i++) {
		consumer_free(feeds[i].consumer);
		feeds[i].consumer = NULL;
	}
}

int64_t feeds_silence_ms(unsigned wanted)
{
	int64_t longest = 0, silence;

	for (size_t i = 0; i < FEEDS; i++) {
		if (!(wanted & feeds[i].bit))
			continue;
		silence = consumer_staleness_ms(feeds[i].consumer);
		if (silence > longest)
			longest = silence;
	}
	return longest;
}
