/*
 * want_mail.c - ForgotPassword and ResendVerification: a mail with a link, if there is one to write
 * to.
 *
 *   want --> wanted
 *
 * The answer is the same for every address, and so is the work. At most three
 * resets and one verification an hour go to an address.
 */
#include "accounts.h"

#include "lib/outbox.h"

struct want_mail {
	struct task task;
	const char *purpose, *folded, *states;
	int64_t seconds, hourly;
	struct sql_slot written;
};

static task_step want, wanted;

void accounts_forgot_password(Causerie__Accounts_Service *service,
			      const Causerie__ForgotPasswordRequest *ask,
			      Causerie__Empty_Closure closure, void *call)
{
	struct want_mail *w = rpc_task(call, sizeof *w, task_then(want));

	(void)service;
	(void)closure;
	w->purpose = "reset_password";
	w->folded = address_fold(&w->task.arena, ask->email);
	w->states = "{unverified,active,closing}";
	w->seconds = 3600;
	w->hourly = 3;
}

void accounts_resend_verification(Causerie__Accounts_Service *service,
				  const Causerie__ResendVerificationRequest *ask,
				  Causerie__Empty_Closure closure, void *call)
{
	struct want_mail *w = rpc_task(call, sizeof *w, task_then(want));

	(void)service;
	(void)ask;
	(void)closure;
	w->purpose = "verify_address";
	w->states = "{unverified}";
	w->seconds = 3 * 86400;
	w->hourly = 1;
}

static struct step want(struct task *task)
{
	struct want_mail *w = (struct want_mail *)task;

	if (w->folded == NULL && task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose address?");
	SQL_NAMED(task, &w->written, service_here()->sql, &want_mail_sql, NULL,
		  {"purpose", sql_text(w->purpose)}, {"email_folded", sql_text(w->folded)},
		  {"account_id", w->folded ? sql_null() : sql_id(task->context.viewer.account_id)},
		  {"states", sql_text(w->states)}, {"seconds", sql_integer(w->seconds)},
		  {"hourly", sql_integer(w->hourly)});
	return task_then(wanted);
}

static struct step wanted(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;
	struct want_mail *w = (struct want_mail *)task;

	if (w->written.state != SQL_DONE)
		return rpc_sql_failed(task, &w->written);
	outbox_wake(service_here()->outbox);
	return rpc_reply(task, &done.base);
}
