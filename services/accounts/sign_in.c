/*
 * sign_in.c - SignIn: an address and a password for a session token.
 *
 *   find --> check --> open --> opened --> answer
 *
 * Unknown address, wrong password, suspended account: one answer, in the same
 * time. Only who knows the password learns that the account is about to be erased. Counting
 * failures is the gateway's, which knows the network it came from.
 */
#include "accounts.h"

#include <string.h>

struct sign_in {
	struct task task;
	const Causerie__SignInRequest *ask;
	struct sql_slot found, opened, account;
	struct password_work password;
	unsigned char hash[32];
	char *token;
};

static task_step find, check, open_session, opened, answer;

void accounts_sign_in(Causerie__Accounts_Service *service, const Causerie__SignInRequest *ask,
		      Causerie__SignInReply_Closure closure, void *call)
{
	struct sign_in *s = rpc_task(call, sizeof *s, task_then(find));

	(void)service;
	(void)closure;
	s->ask = ask;
}

static struct step find(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;

	SQL_RUN(task, &s->found, service_here()->sql, &find_password_sql,
		sql_text(address_fold(&task->arena, s->ask->email)));
	return task_then(check);
}

static struct step check(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;

	if (s->found.state != SQL_DONE)
		return rpc_sql_failed(task, &s->found);
	password_check(task, &s->password, s->ask->password,
		       s->found.rows ? sql_get_text(&s->found, 0, "password_hash") : NULL);
	return task_then(open_session);
}

static struct step open_session(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;
	struct step refused;

	if (password_refused(task, &s->password, &refused))
		return refused;
	if (!s->password.matches)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "no such pair");
	if (strcmp(sql_get_text(&s->found, 0, "state"), "closing") == 0)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN,
				"it is about to be erased: the link in the mail keeps it");

	s->token = token_new(&task->arena, s->hash);
	SQL_NAMED(task, &s->opened, service_here()->sql, &open_session_sql, &s->ask->base,
		  {"account_id", sql_integer(sql_get_integer(&s->found, 0, "id"))},
		  {"token_hash", sql_bytes(s->hash, sizeof s->hash)},
		  {"new_hash", s->password.outdated ? sql_text(s->password.made) : sql_null()});
	return task_then(opened);
}

static struct step opened(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;

	if (s->opened.state != SQL_DONE)
		return rpc_sql_failed(task, &s->opened);
	fetch_account(task, &s->account, (uint64_t)sql_get_integer(&s->found, 0, "id"));
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;
	Causerie__SignInReply reply = CAUSERIE__SIGN_IN_REPLY__INIT;
	Causerie__Account account = CAUSERIE__ACCOUNT__INIT;

	if (s->account.state != SQL_DONE)
		return rpc_sql_failed(task, &s->account);
	if (s->account.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "erased meanwhile");
	sql_fill(&task->arena, &account.base, &s->account, 0);
	reply.token = s->token;
	reply.account = &account;
	return rpc_reply(task, &reply.base);
}
