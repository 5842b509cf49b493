/*
 * find_similar.c - FindSimilar: what is already there that says the same as an unsaved text.
 *
 * Only texts are compared: whoever proposes a topic should see the one that is
 * already there, however old. The text leaves no trace in the index.
 */
#include "lib/rpc_server.h"
#include "related/recommender.h"

enum { IN_THE_FORM = 5 };

struct find_similar {
	struct task task;
	const Causerie__FindSimilarRequest *ask;
	struct related_list list;
};

static task_step answer;

void related_find_similar(Causerie__Related_Service *service,
			  const Causerie__FindSimilarRequest *ask,
			  Causerie__ListRelatedReply_Closure closure, void *call)
{
	struct find_similar *f = rpc_task(call, sizeof *f, task_then(answer));

	(void)service;
	(void)closure;
	f->ask = ask;
}

static struct step answer(struct task *task)
{
	struct find_similar *f = (struct find_similar *)task;
	const struct engine_topic text = {
		.title = f->ask->title,
		.lead = f->ask->lead,
		.article = f->ask->article,
		.expertises = (const char *const *)f->ask->expertises,
		.n_expertises = f->ask->n_expertises,
	};
	const struct engine_question question = {
		.text = &text,
		.limit = f->ask->limit == 0 ? IN_THE_FORM : f->ask->limit,
		.audience = AUDIENCE_PUBLIC,
		.text_only = true,
		.min_confidence = ENGINE_PAGE_CONFIDENCE,
	};

	if (recommender.engine == NULL)
		return rpc_fail(task, CAUSERIE__CODE__UNAVAILABLE, "the index is not there yet");
	if (engine_related(recommender.engine, &question, &task->arena, &f->list) < 0)
		return rpc_fail(task, CAUSERIE__CODE__INTERNAL, "an unsaved text has no id");
	return reply_related(task, &f->list, false);
}
