/*
 * get_topic_summaries.c - GetTopicSummaries: those of the asked topics that this viewer may see.
 *
 *   fetch --> answer
 */
#include "topics.h"

struct get_summaries {
	struct task task;
	const Causerie__GetTopicSummariesRequest *ask;
	struct sql_slot rows;
};

static task_step fetch, answer;

void topics_get_topic_summaries(Causerie__Topics_Service *service,
				const Causerie__GetTopicSummariesRequest *ask,
				Causerie__TopicSummaries_Closure closure, void *call)
{
	struct get_summaries *g = rpc_task(call, sizeof *g, task_then(fetch));

	(void)service;
	(void)closure;
	g->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct get_summaries *g = (struct get_summaries *)task;

	sql_run_message(task, &g->rows, service_here()->sql, &get_summaries_sql, &g->ask->base,
			NULL, 0);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct get_summaries *g = (struct get_summaries *)task;
	Causerie__TopicSummaries reply = CAUSERIE__TOPIC_SUMMARIES__INIT;
	Causerie__TopicSummary **all;
	size_t n;

	if (g->rows.state != SQL_DONE)
		return rpc_sql_failed(task, &g->rows);

	all = (Causerie__TopicSummary **)sql_fill_all(
		&task->arena, &causerie__topic_summary__descriptor, &g->rows, &n);
	reply.topics = all;
	for (size_t i = 0; i < n; i++)
		if (may_see(all[i], &task->context.viewer))
			reply.topics[reply.n_topics++] = all[i];
	return rpc_reply(task, &reply.base);
}
