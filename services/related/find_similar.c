/*
 * find_similar.c - FindSimilar: what is already there that says the same as an unsaved text.
 *
 * Only texts are compared: whoever proposes a topic should see the one that is
 * already there, however old, and is not to be stopped by what merely shares an expertise
 * with it. The text leaves no trace in the index.
 */
#include "lib/rpc_server.h"
#include "related/recommender.h"

enum { IN_THE_FORM = 5 };

/*
 * The share of the text that has to be found again, in words. On the demo site the same thing said
 * anew has half of it in common with what was there, and what is about something else a sixth.
 */
#define LOOK_ALIKE 0.25

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

static double words_in_common(const struct related *related)
{
	double words = 0, all = 0;

	for (uint32_t i = 0; i < related->n_reasons; i++) {
		words += related->reasons[i].kind == REASON_WORDS ? related->reasons[i].part : 0;
		all += related->reasons[i].part;
	}
	return all > 0 ? related->confidence * words / all : 0;
}

/* On a page a common expertise counts for much; here it would stop whoever proposes anything. */
static void keep_look_alikes(struct related_list *list)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < list->count; i++)
		if (words_in_common(&list->items[i]) >= LOOK_ALIKE)
			list->items[kept++] = list->items[i];
	list->count = kept;
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
		.min_confidence = LOOK_ALIKE,
	};

	if (recommender.engine == NULL)
		return rpc_fail(task, CAUSERIE__CODE__UNAVAILABLE, "the index is not there yet");
	if (engine_related(recommender.engine, &question, &task->arena, &f->list) < 0)
		return rpc_fail(task, CAUSERIE__CODE__INTERNAL, "an unsaved text has no id");
	keep_look_alikes(&f->list);
	return reply_related(task, &f->list, false);
}
