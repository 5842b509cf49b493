/*
 * unsubscribe.c - GetUnsubscribe (changes nothing) and Unsubscribe, by the link in a mail.
 *
 *   stop --> describe --> answer      (unsubscribe)
 *            describe --> answer      (get)
 *
 * The token says who, so nobody needs to be signed in; repeating it changes
 * nothing more. What was waiting to be sent is not sent: a claim looks again.
 */
#include "notifications.h"

struct unsubscribe {
	struct task task;
	const char *token;
	bool stops;
	Causerie__UnsubscribeScope scope;
	struct stop stop;
	struct sql_slot stopped, row;
};

static task_step stop, describe, answer;

void notifications_get_unsubscribe(Causerie__Notifications_Service *service,
				   const Causerie__DescribeUnsubscribeRequest *ask,
				   Causerie__UnsubscribeChoices_Closure closure, void *call)
{
	struct unsubscribe *u = rpc_task(call, sizeof *u, task_then(describe));

	(void)service;
	(void)closure;
	u->token = ask->token;
}

void notifications_unsubscribe(Causerie__Notifications_Service *service,
			       const Causerie__UnsubscribeRequest *ask,
			       Causerie__UnsubscribeChoices_Closure closure, void *call)
{
	struct unsubscribe *u = rpc_task(call, sizeof *u, task_then(stop));

	(void)service;
	(void)closure;
	u->token = ask->token;
	u->stops = true;
	u->scope = ask->scope;
	if (u->scope == CAUSERIE__UNSUBSCRIBE_SCOPE__UNSUBSCRIBE_SCOPE_UNSPECIFIED)
		u->scope = CAUSERIE__UNSUBSCRIBE_SCOPE__THIS_TOPIC;
}

static struct step unknown_link(struct task *task)
{
	return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "not a link of ours");
}

static struct step stop(struct task *task)
{
	struct unsubscribe *u = (struct unsubscribe *)task;
	struct sql *sql = service_here()->sql;

	if (!stop_read(u->token, &u->stop))
		return unknown_link(task);
	switch (u->scope) {
	case CAUSERIE__UNSUBSCRIBE_SCOPE__THIS_TOPIC:
		SQL_NAMED(task, &u->stopped, sql, &put_follow_sql, NULL,
			  {"topic_id", sql_id(u->stop.topic_id)},
			  {"account_id", sql_id(u->stop.account_id)}, {"level", sql_text("mute")});
		break;
	case CAUSERIE__UNSUBSCRIBE_SCOPE__THIS_KIND:
		SQL_NAMED(task, &u->stopped, sql, &stop_kind_sql, NULL,
			  {"account_id", sql_id(u->stop.account_id)},
			  {"kind", sql_text(reason_name(u->stop.kind))});
		break;
	default:
		SQL_NAMED(task, &u->stopped, sql, &stop_everything_sql, NULL,
			  {"account_id", sql_id(u->stop.account_id)});
		break;
	}
	return task_then(describe);
}

static struct step describe(struct task *task)
{
	struct unsubscribe *u = (struct unsubscribe *)task;

	if (!u->stops && !stop_read(u->token, &u->stop))
		return unknown_link(task);
	if (u->stops && u->stopped.state != SQL_DONE)
		return rpc_sql_failed(task, &u->stopped);
	SQL_NAMED(task, &u->row, service_here()->sql, &describe_stop_sql, NULL,
		  {"topic_id", sql_id(u->stop.topic_id)},
		  {"account_id", sql_id(u->stop.account_id)},
		  {"kind", sql_text(reason_name(u->stop.kind))});
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct unsubscribe *u = (struct unsubscribe *)task;
	Causerie__UnsubscribeChoices reply = CAUSERIE__UNSUBSCRIBE_CHOICES__INIT;

	if (u->row.state != SQL_DONE)
		return rpc_sql_failed(task, &u->row);
	sql_fill(&task->arena, &reply.base, &u->row, 0);
	reply.topic_id = u->stop.topic_id;
	reply.kind = u->stop.kind;
	return rpc_reply(task, &reply.base);
}
