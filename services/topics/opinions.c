/*
 * opinions.c - PutOpinion, DeleteOpinion, GetOpinions: what a member thinks of a topic.
 *
 *   change --> changed --> fetch --> answer        (put and delete)
 *      ^----------+ overtaken by the same member's other opinion
 *                          fetch --> answer        (get)
 *
 * One opinion per member and topic, changed and withdrawn at will; who said what is
 * known to its author alone. The three share a file because they share their answer.
 */
#include "topics.h"

#include "lib/outbox.h"
#include "lib/text.h"

struct opinion {
	struct task task;
	uint64_t topic_id;
	const ProtobufCMessage *ask;
	const struct sql_query *statement;
	const char *reason;
	struct sql_slot changed, counts;
};

static task_step change, changed, fetch, answer;

static struct opinion *start(void *call, struct step first, uint64_t topic_id)
{
	struct opinion *o = rpc_task(call, sizeof *o, first);

	o->topic_id = topic_id;
	return o;
}

void topics_put_opinion(Causerie__Topics_Service *service, const Causerie__PutOpinionRequest *ask,
			Causerie__OpinionReply_Closure closure, void *call)
{
	struct opinion *o = start(call, task_then(change), ask->topic_id);

	(void)service;
	(void)closure;
	o->ask = &ask->base;
	o->statement = &put_opinion_sql;
	o->reason = text_line(&o->task.arena, ask->reason);
}

void topics_delete_opinion(Causerie__Topics_Service *service,
			   const Causerie__DeleteOpinionRequest *ask,
			   Causerie__OpinionReply_Closure closure, void *call)
{
	struct opinion *o = start(call, task_then(change), ask->topic_id);

	(void)service;
	(void)closure;
	o->ask = &ask->base;
	o->statement = &delete_opinion_sql;
}

void topics_get_opinions(Causerie__Topics_Service *service, const Causerie__GetTopicRequest *ask,
			 Causerie__OpinionReply_Closure closure, void *call)
{
	(void)service;
	(void)closure;
	start(call, task_then(fetch), ask->id);
}

static struct step change(struct task *task)
{
	struct opinion *o = (struct opinion *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "an opinion is somebody's");
	if (!task->context.viewer.verified)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "the address is not verified");

	SQL_NAMED(task, &o->changed, service_here()->sql, o->statement, o->ask,
		  {"reason", sql_text(o->reason)});
	return task_then(changed);
}

static struct step changed(struct task *task)
{
	struct opinion *o = (struct opinion *)task;

	if (o->changed.state != SQL_DONE)
		return rpc_sql_failed(task, &o->changed);
	if (sql_get_flag(&o->changed, 0, "overtaken"))
		return change(task);
	if (sql_get_integer(&o->changed, 0, "changed") > 0)
		outbox_wake(service_here()->outbox);
	return fetch(task);
}

static struct step fetch(struct task *task)
{
	struct opinion *o = (struct opinion *)task;

	SQL_NAMED(task, &o->counts, service_here()->sql, &get_opinions_sql, NULL,
		  {"topic_id", sql_id(o->topic_id)});
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct opinion *o = (struct opinion *)task;
	Causerie__OpinionReply reply = CAUSERIE__OPINION_REPLY__INIT;
	Causerie__TopicSummary seen = CAUSERIE__TOPIC_SUMMARY__INIT;

	if (o->counts.state != SQL_DONE)
		return rpc_sql_failed(task, &o->counts);
	if (o->counts.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic");
	sql_fill(&task->arena, &seen.base, &o->counts, 0);
	if (!may_see(&seen, &task->context.viewer))
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic");
	if (o->statement != NULL && sql_get_integer(&o->changed, 0, "open") == 0)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "opinions are closed");

	sql_fill(&task->arena, &reply.base, &o->counts, 0);
	reply.counts = opinion_counts(&task->arena, &o->counts);
	return rpc_reply(task, &reply.base);
}
