/*
 * change_account.c - ChangeAccount: the fields that are named in set.
 *
 *   change --> changed --> answer
 */
#include "accounts.h"

#include <string.h>

#include "lib/locale.h"
#include "lib/outbox.h"
#include "lib/text.h"
#include "lib/zone.h"

struct change_account {
	struct task task;
	const Causerie__ChangeAccountRequest *ask;
	struct sql_slot written, sessions, row;
};

static task_step change, changed, answer;

void accounts_change_account(Causerie__Accounts_Service *service,
			     const Causerie__ChangeAccountRequest *ask,
			     Causerie__Account_Closure closure, void *call)
{
	struct change_account *c = rpc_task(call, sizeof *c, task_then(change));

	(void)service;
	(void)closure;
	c->ask = ask;
}

static bool set(const struct change_account *c, const char *field)
{
	for (size_t i = 0; i < c->ask->n_set; i++)
		if (strcmp(c->ask->set[i], field) == 0)
			return true;
	return false;
}

/* The line to store, or NULL for a field that stays. */
static struct sql_param line(struct change_account *c, const char *field, const char *value)
{
	return set(c, field) ? sql_text(text_line(&c->task.arena, value)) : sql_null();
}

static struct step change(struct task *task)
{
	struct change_account *c = (struct change_account *)task;
	struct arena *arena = &task->arena;
	const char *name = text_line(arena, c->ask->display_name);

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose account?");
	if (set(c, "display_name") &&
	    (text_length(name) < 2 || !text_is_name(c->ask->display_name)))
		return rpc_invalid(task, "display_name", "malformed");
	if (set(c, "language") && !locale_known(c->ask->language))
		return rpc_invalid(task, "language", "not_allowed");
	if (set(c, "time_zone") && zone_find(c->ask->time_zone) == NULL)
		return rpc_invalid(task, "time_zone", "not_allowed");

	SQL_NAMED(task, &c->written, service_here()->sql, &change_account_sql, &c->ask->base,
		  {"display_name", line(c, "display_name", c->ask->display_name)},
		  {"name_skeleton",
		   set(c, "display_name") ? sql_text(text_name_skeleton(arena, name)) : sql_null()},
		  {"language", line(c, "language", c->ask->language)},
		  {"time_zone", line(c, "time_zone", c->ask->time_zone)},
		  {"organisation", line(c, "organisation", c->ask->organisation)},
		  {"bio", line(c, "bio", c->ask->bio)},
		  {"expertises",
		   set(c, "expertises") ? sql_texts(arena, c->ask->expertises, c->ask->n_expertises)
					: sql_null()});
	SQL_RUN(task, &c->sessions, service_here()->sql, &session_hashes_sql,
		sql_id(task->context.viewer.account_id));
	return task_then(changed);
}

static struct step changed(struct task *task)
{
	struct change_account *c = (struct change_account *)task;

	if (c->written.state == SQL_REFUSED && c->written.constraint != NULL &&
	    strcmp(c->written.constraint, "accounts_name") == 0)
		return rpc_invalid(task, "display_name", "taken");
	if (c->written.state != SQL_DONE)
		return rpc_sql_failed(task, &c->written);
	if (sql_get_flag(&c->written, 0, "taken"))
		return rpc_invalid(task, "display_name", "taken");

	outbox_wake(service_here()->outbox);
	if (c->sessions.state == SQL_DONE)
		session_cache_refresh(task, &c->sessions);
	fetch_account(task, &c->row, task->context.viewer.account_id);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_account(task, &((struct change_account *)task)->row);
}
