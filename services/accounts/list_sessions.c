/*
 * list_sessions.c - ListSessions: where the viewer is signed in.
 *
 *   fetch --> answer
 */
#include "accounts.h"

struct list_sessions {
	struct task task;
	const Causerie__ListSessionsRequest *ask;
	struct sql_slot rows;
};

static task_step fetch, answer;

void accounts_list_sessions(Causerie__Accounts_Service *service,
			    const Causerie__ListSessionsRequest *ask,
			    Causerie__ListSessionsReply_Closure closure, void *call)
{
	struct list_sessions *l = rpc_task(call, sizeof *l, task_then(fetch));

	(void)service;
	(void)closure;
	l->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct list_sessions *l = (struct list_sessions *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose sessions?");
	sql_run_message(task, &l->rows, service_here()->sql, &list_sessions_sql, &l->ask->base,
			NULL, 0);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct list_sessions *l = (struct list_sessions *)task;
	Causerie__ListSessionsReply reply = CAUSERIE__LIST_SESSIONS_REPLY__INIT;

	if (l->rows.state != SQL_DONE)
		return rpc_sql_failed(task, &l->rows);
	reply.sessions = (Causerie__Session **)sql_fill_all(
		&task->arena, &causerie__session__descriptor, &l->rows, &reply.n_sessions);
	return rpc_reply(task, &reply.base);
}
