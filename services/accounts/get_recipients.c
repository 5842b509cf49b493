/*
 * get_recipients.c - GetRecipients: where and in which language the notifier writes to people.
 *
 *   fetch --> answer
 */
#include "accounts.h"

struct get_recipients {
	struct task task;
	const Causerie__GetRecipientsRequest *ask;
	struct sql_slot rows;
};

static task_step fetch, answer;

void accounts_get_recipients(Causerie__Accounts_Service *service,
			     const Causerie__GetRecipientsRequest *ask,
			     Causerie__GetRecipientsReply_Closure closure, void *call)
{
	struct get_recipients *g = rpc_task(call, sizeof *g, task_then(fetch));

	(void)service;
	(void)closure;
	g->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct get_recipients *g = (struct get_recipients *)task;

	sql_run_message(task, &g->rows, service_here()->sql, &get_recipients_sql, &g->ask->base,
			NULL, 0);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct get_recipients *g = (struct get_recipients *)task;
	Causerie__GetRecipientsReply reply = CAUSERIE__GET_RECIPIENTS_REPLY__INIT;

	if (g->rows.state != SQL_DONE)
		return rpc_sql_failed(task, &g->rows);
	reply.recipients = (Causerie__Recipient **)sql_fill_all(
		&task->arena, &causerie__recipient__descriptor, &g->rows, &reply.n_recipients);
	return rpc_reply(task, &reply.base);
}
