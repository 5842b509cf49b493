/*
 * preferences.c - GetPreferences and PutPreferences: what a member wants mailed.
 *
 *   put --> fetch --> answer      (put)
 *           fetch --> answer      (get)
 *
 * Mails go at once or never; the rhythms in between come with digests.
 */
#include "notifications.h"

struct preferences {
	struct task task;
	const Causerie__Preferences *put;
	struct sql_slot written, row;
};

static task_step put, fetch, answer;

void notifications_get_preferences(Causerie__Notifications_Service *service,
				   const Causerie__GetPreferencesRequest *ask,
				   Causerie__Preferences_Closure closure, void *call)
{
	(void)service;
	(void)ask;
	(void)closure;
	rpc_task(call, sizeof(struct preferences), task_then(fetch));
}

void notifications_put_preferences(Causerie__Notifications_Service *service,
				   const Causerie__Preferences *ask,
				   Causerie__Preferences_Closure closure, void *call)
{
	struct preferences *p = rpc_task(call, sizeof *p, task_then(put));

	(void)service;
	(void)closure;
	p->put = ask;
}

static struct step put(struct task *task)
{
	struct preferences *p = (struct preferences *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose?");
	if (p->put->rhythm != CAUSERIE__RHYTHM__AT_ONCE &&
	    p->put->rhythm != CAUSERIE__RHYTHM__NEVER)
		return rpc_invalid(task, "rhythm", "not_allowed");
	sql_run_message(task, &p->written, service_here()->sql, &put_preferences_sql, &p->put->base,
			NULL, 0);
	return task_then(fetch);
}

static struct step fetch(struct task *task)
{
	struct preferences *p = (struct preferences *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose?");
	if (p->put != NULL && p->written.state != SQL_DONE)
		return rpc_sql_failed(task, &p->written);
	sql_run_message(task, &p->row, service_here()->sql, &get_preferences_sql, NULL, NULL, 0);
	return task_then(answer);
}

/* Nobody without a row has said anything: everything, at once. */
static struct step answer(struct task *task)
{
	struct preferences *p = (struct preferences *)task;
	Causerie__Preferences reply = CAUSERIE__PREFERENCES__INIT;

	if (p->row.state != SQL_DONE)
		return rpc_sql_failed(task, &p->row);
	reply.rhythm = CAUSERIE__RHYTHM__AT_ONCE;
	reply.local_hour = 8;
	reply.replies = reply.follows = reply.states = true;
	if (p->row.rows > 0)
		sql_fill(&task->arena, &reply.base, &p->row, 0);
	return rpc_reply(task, &reply.base);
}
