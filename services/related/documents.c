/*
 * documents.c - what the owners say of topics and comments, as the engine wants it.
 */
#include <stdio.h>

#include "lib/arena.h"
#include "lib/log.h"
#include "related/recommender.h"

/* Refusals are counted by the engine; one line says when they begin. */
static void note_refusal(struct engine *engine)
{
	struct engine_stats stats;

	engine_stats(engine, &stats);
	if (stats.refused == 1)
		log_error(NULL, "related.full", "bytes=%llu topics=%llu",
			  (unsigned long long)stats.bytes, (unsigned long long)stats.topics);
}

static void take_opinions(struct engine *engine, const Causerie__TopicDocument *document,
			  struct arena *arena)
{
	uint64_t *accounts = ARENA_ARRAY(arena, uint64_t, document->n_opinions);

	for (size_t i = 0; i < document->n_opinions; i++)
		accounts[i] = document->opinions[i]->account_id;
	if (engine_set_opinions(engine, document->summary->id, accounts, document->n_opinions) < 0)
		note_refusal(engine);
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
	if (engine_set_pairs(engine, document->summary->id, pairs, document->n_pairs) < 0)
		note_refusal(engine);
}

void take_topic(struct engine *engine, const Causerie__TopicDocument *document)
{
	const Causerie__TopicSummary *summary = document->summary;
	struct arena arena = {0};
	struct engine_topic topic = {0};

	if (summary == NULL)
		return;
	topic = (struct engine_topic){
		.id = summary->id,
		.version = (uint32_t)summary->version,
		.visible_to = document->visible ? AUDIENCE_PUBLIC | AUDIENCE_ORGANIZERS : 0,
		.created_at = summary->created_at,
		.author = summary->proposer_id,
		.title = summary->title,
		.lead = summary->lead,
		.article = document->article,
		.expertises = (const char *const *)summary->expertises,
		.n_expertises = summary->n_expertises,
		.language = summary->language,
		.display = arena_printf(&arena, "%s\n%s", summary->slug, summary->title),
	};
	if (engine_put_topic(engine, &topic) < 0)
		note_refusal(engine);
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
		.author = document->author_id,
		.created_at = document->created_at,
		.body = document->body,
	};
	int status = document->visible ? engine_put_comment(engine, &comment)
				       : engine_remove_comment(engine, comment.topic_id, comment.id,
							       comment.version);

	if (status < 0)
		note_refusal(engine);
}
