/*
 * sign_up.c - SignUp: an account that waits for its address to be confirmed.
 *
 *   check --> hash --> write --> written
 *
 * The answer is the same whether or not the address has an account: its owner
 * gets a mail that says so, and time is spent on the hash in both cases. A display
 * name is public, so a name that looks like a member's is refused openly, to that
 * member's address as well; one that waits to be verified has none yet.
 */
#include "accounts.h"

#include "lib/locale.h"
#include "lib/outbox.h"
#include "lib/text.h"
#include "lib/zone.h"

struct sign_up {
	struct task task;
	const Causerie__SignUpRequest *ask;
	const char *folded, *name, *skeleton, *zone;
	struct password_work password;
	struct sql_slot taken, written;
};

static task_step check, hash, write_account, written;

void accounts_sign_up(Causerie__Accounts_Service *service, const Causerie__SignUpRequest *ask,
		      Causerie__Empty_Closure closure, void *call)
{
	struct sign_up *s = rpc_task(call, sizeof *s, task_then(check));

	(void)service;
	(void)closure;
	s->ask = ask;
}

static struct step check(struct task *task)
{
	struct sign_up *s = (struct sign_up *)task;

	if (!address_valid(s->ask->email))
		return rpc_invalid(task, "email", "malformed");
	if (!locale_known(s->ask->language))
		return rpc_invalid(task, "language", "not_allowed");
	s->zone = *s->ask->time_zone ? s->ask->time_zone : "Europe/Paris";
	if (zone_find(s->zone) == NULL)
		return rpc_invalid(task, "time_zone", "not_allowed");
	s->name = text_line(&task->arena, s->ask->display_name);
	if (s->name == NULL || text_length(s->name) < 2 || !text_is_name(s->ask->display_name))
		return rpc_invalid(task, "display_name", "malformed");

	s->folded = address_fold(&task->arena, s->ask->email);
	s->skeleton = text_name_skeleton(&task->arena, s->name);
	SQL_NAMED(task, &s->taken, service_here()->sql, &name_taken_sql, NULL,
		  {"name_skeleton", sql_text(s->skeleton)});
	return task_then(hash);
}

static struct step hash(struct task *task)
{
	struct sign_up *s = (struct sign_up *)task;

	if (s->taken.state != SQL_DONE)
		return rpc_sql_failed(task, &s->taken);
	if (sql_get_flag(&s->taken, 0, "taken"))
		return rpc_invalid(task, "display_name", "taken");
	password_hash(task, &s->password, s->ask->password);
	return task_then(write_account);
}

static struct step write_account(struct task *task)
{
	struct sign_up *s = (struct sign_up *)task;
	struct step refused;

	if (password_refused(task, &s->password, &refused))
		return refused;
	SQL_NAMED(task, &s->written, service_here()->sql, &sign_up_sql, &s->ask->base,
		  {"email_folded", sql_text(s->folded)}, {"display_name", sql_text(s->name)},
		  {"name_skeleton", sql_text(s->skeleton)}, {"time_zone", sql_text(s->zone)},
		  {"password_hash", sql_text(s->password.made)});
	return task_then(written);
}

static struct step written(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;
	struct sign_up *s = (struct sign_up *)task;

	if (s->written.state != SQL_DONE)
		return rpc_sql_failed(task, &s->written);
	outbox_wake(service_here()->outbox);
	return rpc_reply(task, &done.base);
}
