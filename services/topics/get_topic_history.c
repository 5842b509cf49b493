/*
 * get_topic_history.c - GetTopicHistory: "Histoire du sujet", every transition and version.
 *
 *   fetch --> answer
 */
#include "topics.h"

struct get_history {
	struct task task;
	const Causerie__GetTopicRequest *ask;
	struct topic_rows topic;
	struct sql_slot entries;
};

static task_step fetch, answer;

void topics_get_topic_history(Causerie__Topics_Service *service,
			      const Causerie__GetTopicRequest *ask,
			      Causerie__GetTopicHistoryReply_Closure closure, void *call)
{
	struct get_history *g = rpc_task(call, sizeof *g, task_then(fetch));

	(void)service;
	(void)closure;
	g->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct get_history *g = (struct get_history *)task;

	fetch_topic(task, &g->topic, g->ask->id);
	SQL_NAMED(task, &g->entries, service_here()->sql, &list_history_sql, &g->ask->base,
		  {"is_organizer", sql_flag(is_organizer(&task->context.viewer))});
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct get_history *g = (struct get_history *)task;
	Causerie__GetTopicHistoryReply reply = CAUSERIE__GET_TOPIC_HISTORY_REPLY__INIT;

	if (g->topic.topic.state != SQL_DONE)
		return rpc_sql_failed(task, &g->topic.topic);
	if (g->entries.state != SQL_DONE)
		return rpc_sql_failed(task, &g->entries);
	if (topic_from_rows(task, &g->topic) == NULL)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic for this viewer");

	reply.entries = (Causerie__HistoryEntry **)sql_fill_all(
		&task->arena, &causerie__history_entry__descriptor, &g->entries, &reply.n_entries);
	return rpc_reply(task, &reply.base);
}
