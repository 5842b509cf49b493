/*
 * get_topic.c - GetTopic: one topic, as this viewer may see it.
 *
 *   fetch --> answer
 */
#include "topics.h"

struct get_topic {
	struct task task;
	const Causerie__GetTopicRequest *ask;
	struct topic_rows rows;
};

static task_step fetch, answer;

void topics_get_topic(Causerie__Topics_Service *service, const Causerie__GetTopicRequest *ask,
		      Causerie__Topic_Closure closure, void *call)
{
	struct get_topic *g = rpc_task(call, sizeof *g, task_then(fetch));

	(void)service;
	(void)closure;
	g->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct get_topic *g = (struct get_topic *)task;

	fetch_topic(task, &g->rows, g->ask->id);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_topic(task, &((struct get_topic *)task)->rows);
}

void fetch_topic(struct task *task, struct topic_rows *rows, uint64_t id)
{
	struct sql *sql = service_here()->sql;

	SQL_RUN(task, &rows->topic, sql, &get_topic_sql, sql_id(task->context.viewer.account_id),
		sql_id(id));
	SQL_RUN(task, &rows->chapters, sql, &list_chapters_sql, sql_id(id));
}

struct step reply_topic(struct task *task, const struct topic_rows *rows)
{
	Causerie__Topic *topic;

	if (rows->topic.state != SQL_DONE)
		return rpc_sql_failed(task, &rows->topic);
	if (rows->chapters.state != SQL_DONE)
		return rpc_sql_failed(task, &rows->chapters);

	topic = topic_from_rows(task, rows);
	if (topic == NULL)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic for this viewer");
	return rpc_reply(task, &topic->base);
}
