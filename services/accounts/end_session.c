/*
 * end_session.c - EndSession: one session, the one that asks, or all others.
 *
 *   end --> ended
 *
 * Ending what has ended is a success.
 */
#include "accounts.h"

struct end_session {
	struct task task;
	const Causerie__EndSessionRequest *ask;
	struct sql_slot ended;
};

static task_step end, ended, told;

void accounts_end_session(Causerie__Accounts_Service *service,
			  const Causerie__EndSessionRequest *ask, Causerie__Empty_Closure closure,
			  void *call)
{
	struct end_session *e = rpc_task(call, sizeof *e, task_then(end));

	(void)service;
	(void)closure;
	e->ask = ask;
}

/* Only the holder of a token ends it without saying who they are. */
static struct step end(struct task *task)
{
	struct end_session *e = (struct end_session *)task;
	const uint64_t viewer_id = task->context.viewer.account_id;
	const ProtobufCBinaryData *hash = &e->ask->token_hash;

	if (viewer_id == 0 && (e->ask->session_id != 0 || e->ask->all_others))
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose sessions?");
	SQL_NAMED(task, &e->ended, service_here()->sql, &end_sessions_sql, &e->ask->base,
		  {"account_id", sql_id(viewer_id)},
		  {"token_hash", hash->len ? sql_bytes(hash->data, hash->len) : sql_null()});
	return task_then(ended);
}

/* Redis is told before the caller is: who reads our answer may rely on it. */
static struct step ended(struct task *task)
{
	struct end_session *e = (struct end_session *)task;

	if (e->ended.state != SQL_DONE)
		return rpc_sql_failed(task, &e->ended);
	session_cache_end(task, &e->ended);
	return task_then(told);
}

static struct step told(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;

	return rpc_reply(task, &done.base);
}
