/*
 * compose_mail.c - ComposeMail: the secret of a mail, given while it is being written.
 *
 *   fetch --> answer
 */
#include "accounts.h"

struct compose_mail {
	struct task task;
	const Causerie__ComposeMailRequest *ask;
	struct sql_slot row;
};

static task_step fetch, answer;

void accounts_compose_mail(Causerie__Accounts_Service *service,
			   const Causerie__ComposeMailRequest *ask,
			   Causerie__ComposeMailReply_Closure closure, void *call)
{
	struct compose_mail *c = rpc_task(call, sizeof *c, task_then(fetch));

	(void)service;
	(void)closure;
	c->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct compose_mail *c = (struct compose_mail *)task;

	sql_run_message(task, &c->row, service_here()->sql, &compose_mail_sql, &c->ask->base, NULL,
			0);
	return task_then(answer);
}

static bool has_link(Causerie__MailPurpose purpose)
{
	return purpose == CAUSERIE__MAIL_PURPOSE__VERIFY_ADDRESS ||
	       purpose == CAUSERIE__MAIL_PURPOSE__RESET_PASSWORD ||
	       purpose == CAUSERIE__MAIL_PURPOSE__ACCOUNT_CLOSING;
}

static struct step answer(struct task *task)
{
	struct compose_mail *c = (struct compose_mail *)task;
	Causerie__ComposeMailReply reply = CAUSERIE__COMPOSE_MAIL_REPLY__INIT;
	Causerie__Recipient recipient = CAUSERIE__RECIPIENT__INIT;

	if (c->row.state != SQL_DONE)
		return rpc_sql_failed(task, &c->row);
	if (c->row.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__GONE,
				"used, expired, or the address is another");

	sql_fill(&task->arena, &recipient.base, &c->row, 0);
	sql_fill(&task->arena, &reply.base, &c->row, 0);
	reply.recipient = &recipient;
	if (has_link(reply.purpose))
		reply.token = mail_token(&task->arena, c->ask->mail_id,
					 sql_get_text(&c->row, 0, "purpose"));
	return rpc_reply(task, &reply.base);
}
