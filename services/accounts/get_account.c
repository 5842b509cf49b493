/*
 * get_account.c - GetAccount: the viewer's own.
 *
 *   fetch --> answer
 */
#include "accounts.h"

struct get_account {
	struct task task;
	struct sql_slot row;
};

static task_step fetch, answer;

void accounts_get_account(Causerie__Accounts_Service *service,
			  const Causerie__GetAccountRequest *ask, Causerie__Account_Closure closure,
			  void *call)
{
	(void)service;
	(void)ask;
	(void)closure;
	rpc_task(call, sizeof(struct get_account), task_then(fetch));
}

static struct step fetch(struct task *task)
{
	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose account?");
	fetch_account(task, &((struct get_account *)task)->row, task->context.viewer.account_id);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_account(task, &((struct get_account *)task)->row);
}

void fetch_account(struct task *task, struct sql_slot *row, uint64_t id)
{
	SQL_RUN(task, row, service_here()->sql, &get_account_sql, sql_id(id));
}

struct step reply_account(struct task *task, const struct sql_slot *row)
{
	Causerie__Account account = CAUSERIE__ACCOUNT__INIT;

	if (row->state != SQL_DONE)
		return rpc_sql_failed(task, row);
	if (row->rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such account");
	sql_fill(&task->arena, &account.base, row, 0);
	return rpc_reply(task, &account.base);
}
