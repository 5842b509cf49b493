/*
 * keep_account.c - KeepAccount: the link in the mail takes an erasure back.
 *
 *   keep --> kept
 *
 * Everything is as it was but the sessions: one signs in anew.
 */
#include "accounts.h"

struct keep_account {
	struct task task;
	const Causerie__KeepAccountRequest *ask;
	struct sql_slot written;
};

static task_step keep, kept;

void accounts_keep_account(Causerie__Accounts_Service *service,
			   const Causerie__KeepAccountRequest *ask, Causerie__Empty_Closure closure,
			   void *call)
{
	struct keep_account *k = rpc_task(call, sizeof *k, task_then(keep));

	(void)service;
	(void)closure;
	k->ask = ask;
}

static struct step keep(struct task *task)
{
	struct keep_account *k = (struct keep_account *)task;
	const uint64_t mail_id = mail_token_read(k->ask->token, "account_closing");

	if (mail_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "not a link of ours");
	SQL_NAMED(task, &k->written, service_here()->sql, &keep_account_sql, NULL,
		  {"mail_id", sql_id(mail_id)});
	return task_then(kept);
}

static struct step kept(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;
	struct keep_account *k = (struct keep_account *)task;

	if (k->written.state != SQL_DONE)
		return rpc_sql_failed(task, &k->written);
	if (k->written.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__GONE, "used, or too late");
	return rpc_reply(task, &done.base);
}
