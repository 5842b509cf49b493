/*
 * follow.c - GetFollow and PutFollow: how much of a topic a member wants to hear.
 *
 *   put --> written --> fetch --> answer      (put)
 *                       fetch --> answer      (get)
 */
#include "notifications.h"

struct follow {
	struct task task;
	uint64_t topic_id;
	const ProtobufCMessage *put;
	struct sql_slot written, row;
};

static task_step put, fetch, answer;

void notifications_get_follow(Causerie__Notifications_Service *service,
			      const Causerie__GetFollowRequest *ask,
			      Causerie__Follow_Closure closure, void *call)
{
	struct follow *f = rpc_task(call, sizeof *f, task_then(fetch));

	(void)service;
	(void)closure;
	f->topic_id = ask->topic_id;
}

void notifications_put_follow(Causerie__Notifications_Service *service,
			      const Causerie__PutFollowRequest *ask,
			      Causerie__Follow_Closure closure, void *call)
{
	struct follow *f = rpc_task(call, sizeof *f, task_then(put));

	(void)service;
	(void)closure;
	f->topic_id = ask->topic_id;
	f->put = &ask->base;
}

static struct step put(struct task *task)
{
	struct follow *f = (struct follow *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "who follows?");
	SQL_NAMED(task, &f->written, service_here()->sql, &put_follow_sql, f->put,
		  {"account_id", sql_id(task->context.viewer.account_id)});
	return task_then(fetch);
}

static struct step fetch(struct task *task)
{
	struct follow *f = (struct follow *)task;

	if (f->put != NULL && f->written.state != SQL_DONE)
		return rpc_sql_failed(task, &f->written);
	SQL_NAMED(task, &f->row, service_here()->sql, &get_follow_sql, NULL,
		  {"topic_id", sql_id(f->topic_id)});
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct follow *f = (struct follow *)task;
	Causerie__Follow reply = CAUSERIE__FOLLOW__INIT;

	if (f->row.state != SQL_DONE)
		return rpc_sql_failed(task, &f->row);
	sql_fill(&task->arena, &reply.base, &f->row, 0);
	return rpc_reply(task, &reply.base);
}
