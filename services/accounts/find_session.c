/*
 * find_session.c - FindSession: who holds this token, from the record itself.
 *
 *   find --> answer
 */
#include "accounts.h"

struct find_session {
	struct task task;
	const Causerie__FindSessionRequest *ask;
	struct sql_slot found;
};

static task_step find, answer;

void accounts_find_session(Causerie__Accounts_Service *service,
			   const Causerie__FindSessionRequest *ask,
			   Causerie__Session_Closure closure, void *call)
{
	struct find_session *f = rpc_task(call, sizeof *f, task_then(find));

	(void)service;
	(void)closure;
	f->ask = ask;
}

static struct step find(struct task *task)
{
	struct find_session *f = (struct find_session *)task;

	sql_run_message(task, &f->found, service_here()->sql, &find_session_sql, &f->ask->base,
			NULL, 0);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct find_session *f = (struct find_session *)task;
	Causerie__Session session = CAUSERIE__SESSION__INIT;

	if (f->found.state != SQL_DONE)
		return rpc_sql_failed(task, &f->found);
	if (f->found.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such session");
	sql_fill(&task->arena, &session.base, &f->found, 0);
	return rpc_reply(task, &session.base);
}
