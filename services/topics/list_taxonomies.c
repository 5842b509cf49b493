/*
 * list_taxonomies.c - ListTaxonomies: formats, treatments and expertises, with how many topics have
 * them.
 *
 *   fetch --> answer
 */
#include "topics.h"

#include <string.h>

struct list_taxonomies {
	struct task task;
	struct sql_slot terms;
};

static task_step fetch, answer;

void topics_list_taxonomies(Causerie__Topics_Service *service,
			    const Causerie__ListTaxonomiesRequest *ask,
			    Causerie__Taxonomies_Closure closure, void *call)
{
	(void)service;
	(void)ask;
	(void)closure;
	rpc_task(call, sizeof(struct list_taxonomies), task_then(fetch));
}

static struct step fetch(struct task *task)
{
	struct list_taxonomies *l = (struct list_taxonomies *)task;

	sql_run(task, &l->terms, service_here()->sql, &list_terms_sql, NULL, 0);
	return task_then(answer);
}

/* The rows stand together by kind; each list takes its part of them. */
static struct step answer(struct task *task)
{
	struct list_taxonomies *l = (struct list_taxonomies *)task;
	Causerie__Taxonomies reply = CAUSERIE__TAXONOMIES__INIT;
	const struct {
		const char *kind;
		Causerie__Term ***terms;
		size_t *n;
	} lists[] = {{"format", &reply.formats, &reply.n_formats},
		     {"treatment", &reply.treatments, &reply.n_treatments},
		     {"expertise", &reply.expertises, &reply.n_expertises}};
	ProtobufCMessage **all;
	size_t n;

	if (l->terms.state != SQL_DONE)
		return rpc_sql_failed(task, &l->terms);

	all = sql_fill_all(&task->arena, &causerie__term__descriptor, &l->terms, &n);
	for (size_t row = 0; row < n; row++)
		for (size_t i = 0; i < 3; i++) {
			if (strcmp(sql_get_text(&l->terms, (int)row, "kind"), lists[i].kind) != 0)
				continue;
			if (*lists[i].n == 0)
				*lists[i].terms = (Causerie__Term **)&all[row];
			++*lists[i].n;
		}
	return rpc_reply(task, &reply.base);
}
