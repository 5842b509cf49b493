/*
 * related_message.c - the engine's list as a reply.
 */
#include <string.h>

#include "lib/arena.h"
#include "lib/rpc_server.h"
#include "related/recommender.h"

static const Causerie__RelatedReasonKind kinds[REASON_KINDS] = {
	[REASON_WORDS] = CAUSERIE__RELATED_REASON_KIND__COMMON_WORDS,
	[REASON_EXPERTISES] = CAUSERIE__RELATED_REASON_KIND__COMMON_EXPERTISES,
	[REASON_CITED] = CAUSERIE__RELATED_REASON_KIND__CITED,
	[REASON_PARTICIPANTS] = CAUSERIE__RELATED_REASON_KIND__COMMON_PARTICIPANTS,
	[REASON_AUTHOR] = CAUSERIE__RELATED_REASON_KIND__SAME_AUTHOR,
	[REASON_PERIOD] = CAUSERIE__RELATED_REASON_KIND__SAME_PERIOD,
	[REASON_ACTIVITY] = CAUSERIE__RELATED_REASON_KIND__MUCH_DISCUSSED,
	[REASON_LANGUAGE] = CAUSERIE__RELATED_REASON_KIND__SAME_LANGUAGE,
	[REASON_PINNED] = CAUSERIE__RELATED_REASON_KIND__PINNED,
	[REASON_RECENT] = CAUSERIE__RELATED_REASON_KIND__RECENT_IN_EXPERTISE,
};

static Causerie__RelatedReason *message_of_reason(struct arena *arena, const struct reason *reason)
{
	Causerie__RelatedReason *message = ARENA_NEW(arena, Causerie__RelatedReason);

	causerie__related_reason__init(message);
	message->kind = kinds[reason->kind];
	message->part = reason->part;
	message->count = reason->count;
	message->n_words = reason->n_words;
	message->words = ARENA_ARRAY(arena, char *, reason->n_words);
	for (uint32_t i = 0; i < reason->n_words; i++)
		message->words[i] = arena_strdup(arena, reason->words[i]);
	return message;
}

/* The engine keeps slug and title for us, a line each. */
static void split_display(struct arena *arena, const char *display, Causerie__RelatedTopic *message)
{
	const char *end = strchrnul(display, '\n');

	message->slug = arena_strndup(arena, display, (size_t)(end - display));
	message->title = arena_strdup(arena, *end == '\n' ? end + 1 : "");
}

/* The reasons are the parts: they add up to the score, and never say who took part. */
static void explain(Causerie__RelatedTopic *message, const struct related *related)
{
	message->parts = message->reasons;
	message->n_parts = message->n_reasons;
	message->confidence = related->confidence;
	message->needed = related->needed;
	message->unsure = related->unsure;
}

static Causerie__RelatedTopic *message_of(struct arena *arena, const struct related *related,
					  bool explained)
{
	Causerie__RelatedTopic *message = ARENA_NEW(arena, Causerie__RelatedTopic);

	causerie__related_topic__init(message);
	message->topic_id = related->topic_id;
	split_display(arena, related->display, message);
	message->language = arena_strdup(arena, related->language);
	message->score = related->score;
	message->n_reasons = related->n_reasons;
	message->reasons = ARENA_ARRAY(arena, Causerie__RelatedReason *, related->n_reasons);
	for (uint32_t i = 0; i < related->n_reasons; i++)
		message->reasons[i] = message_of_reason(arena, &related->reasons[i]);
	if (explained)
		explain(message, related);
	return message;
}

struct step reply_related(struct task *task, const struct related_list *list, bool explained)
{
	Causerie__ListRelatedReply reply = CAUSERIE__LIST_RELATED_REPLY__INIT;

	reply.rebuilding = recommender.rebuilding;
	reply.n_topics = list->count;
	reply.topics = ARENA_ARRAY(&task->arena, Causerie__RelatedTopic *, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		reply.topics[i] = message_of(&task->arena, &list->items[i], explained);
	return rpc_reply(task, &reply.base);
}
