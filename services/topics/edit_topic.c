/*
 * edit_topic.c - EditTopic: changes the fields that are named, on the version that was seen.
 *
 *   fetch --> resolve --> write --> written --> answer
 *
 * Every version is kept with its editor and reason. Somebody else was faster:
 * CONFLICT, and the caller fetches the fresh one.
 */
#include "topics.h"

#include <string.h>

#include "lib/locale.h"
#include "lib/outbox.h"
#include "lib/text.h"

struct edit_topic {
	struct task task;
	const Causerie__EditTopicRequest *ask;
	struct topic_rows before, after;
	Causerie__Topic *topic;
	struct expertises expertises;
	struct sql_slot known, written;
};

static task_step fetch, resolve, write_topic, written, answer;

void topics_edit_topic(Causerie__Topics_Service *service, const Causerie__EditTopicRequest *ask,
		       Causerie__Topic_Closure closure, void *call)
{
	struct edit_topic *e = rpc_task(call, sizeof *e, task_then(fetch));

	(void)service;
	(void)closure;
	e->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;

	fetch_topic(task, &e->before, e->ask->id);
	return task_then(resolve);
}

static bool set(const struct edit_topic *e, const char *field)
{
	for (size_t i = 0; i < e->ask->n_set; i++)
		if (strcmp(e->ask->set[i], field) == 0)
			return true;
	return false;
}

/* The topic as it would become; what is not set stays. Returns the field that is wrong, or NULL. */
static const char *change(struct edit_topic *e, const char **reason)
{
	struct arena *arena = &e->task.arena;
	Causerie__TopicSummary *s = e->topic->summary;

	*reason = "too_short";
	if (set(e, "title") && text_length(s->title = text_line(arena, e->ask->title)) < 10)
		return "title";
	if (set(e, "lead") && text_length(s->lead = text_line(arena, e->ask->lead)) < 60)
		return "lead";
	if (set(e, "article") &&
	    text_length(e->topic->article = text_body(arena, e->ask->article)) < 200)
		return "article";
	if (set(e, "place"))
		e->topic->place = text_line(arena, e->ask->place);
	*reason = "not_allowed";
	if (set(e, "language") && !locale_known(s->language = e->ask->language))
		return "language";
	if (set(e, "format"))
		s->format = e->ask->format;
	if (set(e, "treatment"))
		s->treatment = e->ask->treatment;
	*reason = "missing";
	if (set(e, "expertises") && e->ask->n_expertises == 0)
		return "expertises";
	if (set(e, "expertises")) {
		s->n_expertises = e->ask->n_expertises;
		s->expertises = e->ask->expertises;
	}
	return NULL;
}

static struct step resolve(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;
	const char *wrong, *reason;

	if (e->before.topic.state != SQL_DONE)
		return rpc_sql_failed(task, &e->before.topic);
	if (e->before.chapters.state != SQL_DONE)
		return rpc_sql_failed(task, &e->before.chapters);
	e->topic = topic_from_rows(task, &e->before);
	if (e->topic == NULL)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic for this viewer");
	if (!e->topic->may_edit)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "this viewer may not edit it now");
	if (e->topic->summary->version != e->ask->version)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "another version is there");
	if ((wrong = change(e, &reason)) != NULL)
		return rpc_invalid(task, wrong, reason);

	resolve_expertises(task, &e->expertises, e->topic->summary->expertises,
			   e->topic->summary->n_expertises);
	sql_run_message(task, &e->known, service_here()->sql, &known_format_sql,
			&e->topic->summary->base, NULL, 0);
	return task_then(write_topic);
}

static struct step write_topic(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;
	struct arena *arena = &task->arena;
	const Causerie__TopicSummary *s = e->topic->summary;

	if (!expertises_resolved(task, &e->expertises))
		return rpc_sql_failed(task, &e->expertises.found);
	if (e->known.state != SQL_DONE)
		return rpc_sql_failed(task, &e->known);
	if (e->expertises.unknown != NULL)
		return rpc_invalid(task, "expertises", "not_allowed");
	if (!sql_get_flag(&e->known, 0, "format"))
		return rpc_invalid(task, "format", "not_allowed");
	if (!sql_get_flag(&e->known, 0, "treatment"))
		return rpc_invalid(task, "treatment", "not_allowed");

	SQL_NAMED(task, &e->written, service_here()->sql, &edit_topic_sql, &s->base,
		  {"version", sql_id(e->ask->version)},
		  {"slug", sql_text(text_slug(arena, s->title))},
		  {"article", sql_text(e->topic->article)}, {"place", sql_text(e->topic->place)},
		  {"reason", sql_text(text_line(arena, e->ask->reason))},
		  {"expertises", sql_texts(arena, e->expertises.slugs, e->expertises.n_slugs)},
		  {"expertise_words", sql_text(e->expertises.words)});
	return task_then(written);
}

static struct step written(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;

	if (e->written.state != SQL_DONE)
		return rpc_sql_failed(task, &e->written);
	if (e->written.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "another version came first");

	outbox_wake(service_here()->outbox);
	fetch_topic(task, &e->after, e->ask->id);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_topic(task, &((struct edit_topic *)task)->after);
}
