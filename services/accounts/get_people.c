/*
 * get_people.c - GetPeople: what everybody may know of some members.
 *
 *   fetch --> answer
 */
#include "accounts.h"

struct get_people {
	struct task task;
	const Causerie__GetPeopleRequest *ask;
	struct sql_slot rows;
};

static task_step fetch, answer;

void accounts_get_people(Causerie__Accounts_Service *service, const Causerie__GetPeopleRequest *ask,
			 Causerie__GetPeopleReply_Closure closure, void *call)
{
	struct get_people *g = rpc_task(call, sizeof *g, task_then(fetch));

	(void)service;
	(void)closure;
	g->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct get_people *g = (struct get_people *)task;

	sql_run_message(task, &g->rows, service_here()->sql, &get_people_sql, &g->ask->base, NULL,
			0);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct get_people *g = (struct get_people *)task;
	Causerie__GetPeopleReply reply = CAUSERIE__GET_PEOPLE_REPLY__INIT;

	if (g->rows.state != SQL_DONE)
		return rpc_sql_failed(task, &g->rows);
	reply.people = (Causerie__Person **)sql_fill_all(
		&task->arena, &causerie__person__descriptor, &g->rows, &reply.n_people);
	return rpc_reply(task, &reply.base);
}
