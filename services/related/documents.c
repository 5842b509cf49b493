/*
 * documents.c - what the owners say of topics and comments, as the engine wants it.
 *
 * What the engine refuses it counts, and upkeep.c tells the operator.
 */
#include <stdio.h>

#include "lib/arena.h"
#include "related/recommender.h"

static void take_opinions(struct engine *engine, const Causerie__TopicDocument *document,
			  struct arena *arena)
{
	uint64_t *accounts = ARENA_ARRAY(arena, uint64_t, document->n_opinions);

	for (size_t i = 0; i < document->n_opinions; i++)
		accounts[i] = account_or_nobody(document->opinions[i]->account_id);
	(void)engine_set_opinions(engine, document->summary->id, accounts, document->n_opinions);
}

static void take_pairs(struct engine *engine, const Causerie__TopicDocument *document,
		       struct arena *arena)
{
	struct engine_pair *pairs = ARENA_ARRAY(arena, struct engine_pair, document->n_pairs);

	for (size_t i = 0; i < document->n_pairs; i++)
		pairs[i] = (struct engine_pair){
			.other_id = document->pairs[i]->other_id,
			.word = document->pairs[i]->pairing == CAUSERIE__PAIRING__PAIRING_PINNED
					? PAIR_PINNED
					: PAIR_BANNED,
		};
	(void)engine_set_pairs(engine, document->summary->id, pairs, document->n_pairs);
}

/* What people said of it has gone over to another topic; nobody will find this one again. */
static void take_merged(struct engine *engine, const Causerie__TopicSummary *summary)
{
	engine_remove_topic(engine, summary->id, (uint32_t)summary->version);
	(void)engine_set_pairs(engine, summary->id, NULL, 0);
}

void take_topic(struct engine *engine, const Causerie__TopicDocument *document)
{
	const Causerie__TopicSummary *summary = document->summary;
	struct arena arena = {0};
	struct engine_topic topic = {0};

	if (summary == NULL)
		return;
	if (summary->state == CAUSERIE__TOPIC_STATE__MERGED) {
		take_merged(engine, summary);
		return;
	}
	topic = (struct engine_topic){
		.id = summary->id,
		.version = (uint32_t)summary->version,
		.visible_to = document->visible ? AUDIENCE_PUBLIC | AUDIENCE_ORGANIZERS : 0,
		.created_at = summary->created_at,
		.author = account_or_nobody(summary->proposer_id),
		.title = summary->title,
		.lead = summary->lead,
		.article = document->article,
		.expertises = (const char *const *)summary->expertises,
		.n_expertises = summary->n_expertises,
		.language = summary->language,
		.display = arena_printf(&arena, "%s\n%s", summary->slug, summary->title),
	};
	(void)engine_put_topic(engine, &topic);
	(void)engine_set_visibility(engine, topic.id, topic.visible_to);
	take_opinions(engine, document, &arena);
	take_pairs(engine, document, &arena);
	arena_free(&arena);
}

void take_comment(struct engine *engine, const Causerie__CommentDocument *document)
{
	const struct engine_comment comment = {
		.topic_id = document->topic_id,
		.id = document->id,
		.version = (uint32_t)document->version,
		.author = account_or_nobody(document->author_id),
		.created_at = document->created_at,
		.body = document->body,
	};

	if (document->visible)
		(void)engine_put_comment(engine, &comment);
	else
		(void)engine_remove_comment(engine, comment.topic_id, comment.id, comment.version);
}
