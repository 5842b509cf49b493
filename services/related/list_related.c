/*
 * list_related.c - ListRelated: the topics that may have to do with one, and why.
 *
 * Only public topics are listed, whoever asks. Organizers may see how a score comes about, and
 * what the page leaves out.
 */
#include "lib/rpc_server.h"
#include "related/recommender.h"

enum { ON_A_PAGE = 5 };

struct list_related {
	struct task task;
	const Causerie__ListRelatedRequest *ask;
	struct related_list list;
};

static task_step answer;

void related_list_related(Causerie__Related_Service *service,
			  const Causerie__ListRelatedRequest *ask,
			  Causerie__ListRelatedReply_Closure closure, void *call)
{
	struct list_related *l = rpc_task(call, sizeof *l, task_then(answer));

	(void)service;
	(void)closure;
	l->ask = ask;
}

/* The words of a topic that only organizers may see would show in its reasons. */
static bool may_ask(const struct list_related *l)
{
	const uint32_t staff = CAUSERIE__ROLE__ROLE_ORGANIZER | CAUSERIE__ROLE__ROLE_MODERATOR;

	return (l->task.context.viewer.roles & staff) != 0 ||
	       (engine_visibility(recommender.engine, l->ask->topic_id) & AUDIENCE_PUBLIC) != 0;
}

static bool is_organizer(const struct list_related *l)
{
	return (l->task.context.viewer.roles & CAUSERIE__ROLE__ROLE_ORGANIZER) != 0;
}

static struct step answer(struct task *task)
{
	struct list_related *l = (struct list_related *)task;
	const struct engine_question question = {
		.topic_id = l->ask->topic_id,
		.limit = l->ask->limit == 0 ? ON_A_PAGE : l->ask->limit,
		.audience = AUDIENCE_PUBLIC,
		.min_confidence = ENGINE_PAGE_CONFIDENCE,
		.keeps_unsure = l->ask->everything,
		.most_by_author = l->ask->everything ? 0 : ENGINE_PAGE_BY_AUTHOR,
		.muted = l->ask->muted,
		.n_muted = l->ask->n_muted,
	};

	if (recommender.engine == NULL)
		return rpc_fail(task, CAUSERIE__CODE__UNAVAILABLE, "the index is not there yet");
	if (!may_ask(l))
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, NULL);
	if (l->ask->everything && !is_organizer(l))
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "for organizers");
	if (engine_related(recommender.engine, &question, &task->arena, &l->list) < 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, NULL);
	return reply_related(task, &l->list, l->ask->explain && is_organizer(l));
}
