/*
 * new_password.c - ResetPassword (by a link) and ChangePassword (knowing the old one).
 *
 *   hash ---------------------> write --> written --> told
 *   find --> check --> hash --^
 *
 * A reset ends every session; a change ends all but the one it came from. Either
 * way the owner is told by mail.
 */
#include "accounts.h"

#include "lib/outbox.h"

struct new_password {
	struct task task;
	const char *password, *current;
	ProtobufCBinaryData keep;
	uint64_t mail_id; /* of the link; 0: a change */
	struct password_work old, new;
	struct sql_slot found, written;
};

static task_step find, check, hash, write_password, written, told;

void accounts_reset_password(Causerie__Accounts_Service *service,
			     const Causerie__ResetPasswordRequest *ask,
			     Causerie__Empty_Closure closure, void *call)
{
	struct new_password *n = rpc_task(call, sizeof *n, task_then(hash));

	(void)service;
	(void)closure;
	n->password = ask->password;
	n->mail_id = mail_token_read(ask->token, "reset_password");
}

void accounts_change_password(Causerie__Accounts_Service *service,
			      const Causerie__ChangePasswordRequest *ask,
			      Causerie__Empty_Closure closure, void *call)
{
	struct new_password *n = rpc_task(call, sizeof *n, task_then(find));

	(void)service;
	(void)closure;
	n->password = ask->password;
	n->current = ask->current;
	n->keep = ask->token_hash;
}

static struct step find(struct task *task)
{
	struct new_password *n = (struct new_password *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose password?");
	sql_run_message(task, &n->found, service_here()->sql, &find_own_password_sql, NULL, NULL,
			0);
	return task_then(check);
}

static struct step check(struct task *task)
{
	struct new_password *n = (struct new_password *)task;

	if (n->found.state != SQL_DONE)
		return rpc_sql_failed(task, &n->found);
	password_check(task, &n->old, n->current,
		       n->found.rows ? sql_get_text(&n->found, 0, "password_hash") : NULL);
	return task_then(hash);
}

static struct step hash(struct task *task)
{
	struct new_password *n = (struct new_password *)task;
	struct step refused;

	if (n->current != NULL && password_refused(task, &n->old, &refused))
		return refused;
	if (n->current != NULL && !n->old.matches)
		return rpc_invalid(task, "current", "not_allowed");
	if (n->current == NULL && n->mail_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "not a link of ours");
	password_hash(task, &n->new, n->password);
	return task_then(write_password);
}

static struct step write_password(struct task *task)
{
	struct new_password *n = (struct new_password *)task;
	struct step refused;

	if (password_refused(task, &n->new, &refused))
		return refused;
	if (n->current == NULL)
		SQL_NAMED(task, &n->written, service_here()->sql, &reset_password_sql, NULL,
			  {"mail_id", sql_id(n->mail_id)},
			  {"password_hash", sql_text(n->new.made)});
	else
		SQL_NAMED(task, &n->written, service_here()->sql, &change_password_sql, NULL,
			  {"password_hash", sql_text(n->new.made)},
			  {"old_hash", sql_text(n->old.hash)},
			  {"token_hash",
			   n->keep.len ? sql_bytes(n->keep.data, n->keep.len) : sql_null()});
	return task_then(written);
}

static struct step written(struct task *task)
{
	struct new_password *n = (struct new_password *)task;

	if (n->written.state != SQL_DONE)
		return rpc_sql_failed(task, &n->written);
	if (n->written.rows == 0)
		return n->current ? rpc_fail(task, CAUSERIE__CODE__CONFLICT, "changed meanwhile")
				  : rpc_fail(task, CAUSERIE__CODE__GONE, "used or expired");
	outbox_wake(service_here()->outbox);
	session_cache_end_all(task, &n->written, 0);
	return task_then(told);
}

static struct step told(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;

	return rpc_reply(task, &done.base);
}
