/*
 * list_pairs.c - ListPairs: what organizers said about a topic and others, by whom and when.
 *
 *   fetch --> answer
 */
#include "topics.h"

struct list_pairs {
	struct task task;
	const Causerie__GetTopicRequest *ask;
	struct topic_rows topic;
	struct sql_slot pairs;
};

static task_step fetch, answer;

void topics_list_pairs(Causerie__Topics_Service *service, const Causerie__GetTopicRequest *ask,
		       Causerie__ListPairsReply_Closure closure, void *call)
{
	struct list_pairs *l = rpc_task(call, sizeof *l, task_then(fetch));

	(void)service;
	(void)closure;
	l->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct list_pairs *l = (struct list_pairs *)task;

	fetch_topic(task, &l->topic, l->ask->id);
	sql_run_message(task, &l->pairs, service_here()->sql, &list_pairs_sql, &l->ask->base, NULL,
			0);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct list_pairs *l = (struct list_pairs *)task;
	Causerie__ListPairsReply reply = CAUSERIE__LIST_PAIRS_REPLY__INIT;

	if (l->topic.topic.state != SQL_DONE)
		return rpc_sql_failed(task, &l->topic.topic);
	if (l->pairs.state != SQL_DONE)
		return rpc_sql_failed(task, &l->pairs);
	if (topic_from_rows(task, &l->topic) == NULL)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic for this viewer");
	if (!is_organizer(&task->context.viewer))
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "for organizers");

	reply.pairs = (Causerie__RelatedPair **)sql_fill_all(
		&task->arena, &causerie__related_pair__descriptor, &l->pairs, &reply.n_pairs);
	return rpc_reply(task, &reply.base);
}
