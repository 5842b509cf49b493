/*
 * verify.c - Verify: the link in the mail was opened, so the address is theirs.
 *
 *   use --> used --> forget
 *
 * Whoever knows an address can sign it up and open sessions before its owner opens the link: those
 * end here, and the password is the one of the sign-up that the link belongs to. Redis learns of it
 * at once.
 */
#include "accounts.h"

#include "lib/outbox.h"

struct verify {
	struct task task;
	const Causerie__VerifyRequest *ask;
	struct sql_slot used, sessions;
};

static task_step use, used, forget;

void accounts_verify(Causerie__Accounts_Service *service, const Causerie__VerifyRequest *ask,
		     Causerie__VerifyReply_Closure closure, void *call)
{
	struct verify *v = rpc_task(call, sizeof *v, task_then(use));

	(void)service;
	(void)closure;
	v->ask = ask;
}

static struct step use(struct task *task)
{
	struct verify *v = (struct verify *)task;
	const uint64_t mail_id = mail_token_read(v->ask->token, "verify_address");

	if (mail_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "not a link of ours");
	SQL_NAMED(task, &v->used, service_here()->sql, &verify_sql, NULL,
		  {"mail_id", sql_id(mail_id)});
	return task_then(used);
}

static struct step used(struct task *task)
{
	struct verify *v = (struct verify *)task;

	if (v->used.state != SQL_DONE)
		return rpc_sql_failed(task, &v->used);
	if (v->used.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__GONE, "expired, or the address is another");

	outbox_wake(service_here()->outbox);
	session_cache_end_all(task, &v->used, 0);
	SQL_RUN(task, &v->sessions, service_here()->sql, &session_hashes_sql,
		sql_integer(sql_get_integer(&v->used, 0, "account_id")));
	return task_then(forget);
}

static struct step forget(struct task *task)
{
	struct verify *v = (struct verify *)task;
	Causerie__VerifyReply reply = CAUSERIE__VERIFY_REPLY__INIT;

	if (v->sessions.state == SQL_DONE)
		session_cache_refresh(task, &v->sessions);
	reply.account_id = (uint64_t)sql_get_integer(&v->used, 0, "account_id");
	return rpc_reply(task, &reply.base);
}
