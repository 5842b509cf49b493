/*
 * list_topic_documents.c - ListTopicDocuments: what the recommender knows of topics.
 *
 *   fetch --> answer
 *
 * The stream position is read before the rows: events after it may already be in
 * them, and applying those again changes nothing.
 */
#include "topics.h"

struct list_documents {
	struct task task;
	const Causerie__ListTopicDocumentsRequest *ask;
	struct sql_slot position, rows;
};

static task_step locate, fetch, answer;

void topics_list_topic_documents(Causerie__Topics_Service *service,
				 const Causerie__ListTopicDocumentsRequest *ask,
				 Causerie__ListTopicDocumentsReply_Closure closure, void *call)
{
	struct list_documents *l = rpc_task(call, sizeof *l, task_then(locate));

	(void)service;
	(void)closure;
	l->ask = ask;
}

static struct step locate(struct task *task)
{
	struct list_documents *l = (struct list_documents *)task;

	sql_run(task, &l->position, service_here()->sql, &stream_position_sql, NULL, 0);
	return task_then(fetch);
}

static struct step fetch(struct task *task)
{
	struct list_documents *l = (struct list_documents *)task;

	if (l->position.state != SQL_DONE)
		return rpc_sql_failed(task, &l->position);
	SQL_NAMED(task, &l->rows, service_here()->sql, &list_documents_sql, &l->ask->base,
		  {"after_id", sql_integer((int64_t)l->ask->after_id)});
	return task_then(answer);
}

static Causerie__OpinionBy **opinions(struct arena *arena, const struct sql_slot *rows, int row,
				      size_t *n)
{
	int64_t *accounts, *values;
	const size_t many = sql_get_integers(arena, rows, row, "opinion_accounts", &accounts);
	Causerie__OpinionBy **list = ARENA_ARRAY(arena, Causerie__OpinionBy *, many);

	*n = sql_get_integers(arena, rows, row, "opinion_values", &values);
	for (size_t i = 0; i < *n; i++) {
		list[i] = ARENA_NEW(arena, Causerie__OpinionBy);
		causerie__opinion_by__init(list[i]);
		list[i]->account_id = (uint64_t)accounts[i];
		list[i]->value = (uint32_t)values[i];
	}
	return list;
}

static Causerie__RelatedPair **pairs(struct arena *arena, const struct sql_slot *rows, int row,
				     size_t *n)
{
	int64_t *others, *pins;
	const size_t many = sql_get_integers(arena, rows, row, "pair_others", &others);
	Causerie__RelatedPair **list = ARENA_ARRAY(arena, Causerie__RelatedPair *, many);

	*n = sql_get_integers(arena, rows, row, "pair_pins", &pins);
	for (size_t i = 0; i < *n; i++) {
		list[i] = ARENA_NEW(arena, Causerie__RelatedPair);
		causerie__related_pair__init(list[i]);
		list[i]->other_id = (uint64_t)others[i];
		list[i]->pairing = pins[i] != 0 ? CAUSERIE__PAIRING__PAIRING_PINNED
						: CAUSERIE__PAIRING__PAIRING_BANNED;
	}
	return list;
}

static struct step answer(struct task *task)
{
	struct list_documents *l = (struct list_documents *)task;
	struct arena *arena = &task->arena;
	Causerie__ListTopicDocumentsReply reply = CAUSERIE__LIST_TOPIC_DOCUMENTS_REPLY__INIT;

	if (l->rows.state != SQL_DONE)
		return rpc_sql_failed(task, &l->rows);

	reply.topics = (Causerie__TopicDocument **)sql_fill_all(
		arena, &causerie__topic_document__descriptor, &l->rows, &reply.n_topics);
	for (size_t row = 0; row < reply.n_topics; row++) {
		Causerie__TopicDocument *topic = reply.topics[row];

		topic->summary = ARENA_NEW(arena, Causerie__TopicSummary);
		causerie__topic_summary__init(topic->summary);
		sql_fill(arena, &topic->summary->base, &l->rows, (int)row);
		topic->opinions = opinions(arena, &l->rows, (int)row, &topic->n_opinions);
		topic->pairs = pairs(arena, &l->rows, (int)row, &topic->n_pairs);
	}
	sql_fill(arena, &reply.base, &l->position, 0);
	return rpc_reply(task, &reply.base);
}
