/*
 * erase_account.c - EraseAccount: whoever knows the password ends their account.
 *
 *   find --> check --> close --> closed --> look again --> answer
 *
 * It closes at once and is erased later (erase_due.c); until then the link in the mail keeps it
 * (keep_account.c). What was done is looked at afterwards, so a request that comes twice is
 * answered alike.
 */
#include "accounts.h"

#include "lib/outbox.h"

struct erase_account {
	struct task task;
	const Causerie__EraseAccountRequest *ask;
	struct password_work password;
	struct sql_slot found, written, left;
};

static task_step find, check, close_account, closed, answer;

void accounts_erase_account(Causerie__Accounts_Service *service,
			    const Causerie__EraseAccountRequest *ask,
			    Causerie__EraseAccountReply_Closure closure, void *call)
{
	struct erase_account *e = rpc_task(call, sizeof *e, task_then(find));

	(void)service;
	(void)closure;
	e->ask = ask;
}

static struct step find(struct task *task)
{
	struct erase_account *e = (struct erase_account *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose account?");
	sql_run_message(task, &e->found, service_here()->sql, &find_own_password_sql, NULL, NULL,
			0);
	return task_then(check);
}

static struct step check(struct task *task)
{
	struct erase_account *e = (struct erase_account *)task;

	if (e->found.state != SQL_DONE)
		return rpc_sql_failed(task, &e->found);
	password_check(task, &e->password, e->ask->password,
		       e->found.rows ? sql_get_text(&e->found, 0, "password_hash") : NULL);
	return task_then(close_account);
}

static struct step close_account(struct task *task)
{
	struct erase_account *e = (struct erase_account *)task;
	struct step refused;

	if (password_refused(task, &e->password, &refused))
		return refused;
	if (!e->password.matches)
		return rpc_invalid(task, "password", "not_allowed");
	SQL_NAMED(task, &e->written, service_here()->sql, &close_account_sql, &e->ask->base,
		  {"old_hash", sql_text(e->password.hash)},
		  {"organizer", sql_integer(CAUSERIE__ROLE__ROLE_ORGANIZER)},
		  {"after_ms", sql_integer(erase_after_ms)});
	return task_then(closed);
}

static struct step closed(struct task *task)
{
	struct erase_account *e = (struct erase_account *)task;

	if (e->written.state != SQL_DONE)
		return rpc_sql_failed(task, &e->written);
	if (e->written.rows > 0) {
		outbox_wake(service_here()->outbox);
		session_cache_end_all(task, &e->written, 0);
	}
	sql_run_message(task, &e->left, service_here()->sql, &find_own_password_sql, NULL, NULL, 0);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct erase_account *e = (struct erase_account *)task;
	Causerie__EraseAccountReply reply = CAUSERIE__ERASE_ACCOUNT_REPLY__INIT;

	if (e->left.state != SQL_DONE)
		return rpc_sql_failed(task, &e->left);
	sql_fill(&task->arena, &reply.base, &e->left, 0);
	if (reply.erased_at != 0)
		return rpc_reply(task, &reply.base);
	if (sql_get_integer(&e->left, 0, "roles") & CAUSERIE__ROLE__ROLE_ORGANIZER)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN,
				"the site would have no organizer: name another one first");
	return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "changed meanwhile");
}
