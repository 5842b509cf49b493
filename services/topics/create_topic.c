/*
 * create_topic.c - CreateTopic: a draft, or a proposal at once.
 *
 *   check --> resolve --> write --> written --> answer
 *                                      |
 *                                      +-- (key seen before) --> repeated --> answer
 *
 * A trusted member's proposal opens by itself; anybody else's waits for an
 * organizer. The idempotency key and the topic are stored by one statement.
 */
#include "topics.h"

#include "lib/idempotency.h"
#include "lib/locale.h"
#include "lib/outbox.h"
#include "lib/text.h"

struct create_topic {
	struct task task;
	const Causerie__CreateTopicRequest *ask;
	char *title, *lead, *article, *place;
	struct expertises expertises;
	struct sql_slot known, written, first;
	struct topic_rows rows;
};

static task_step check, resolve, write_topic, written, repeated, answer;

void topics_create_topic(Causerie__Topics_Service *service, const Causerie__CreateTopicRequest *ask,
			 Causerie__Topic_Closure closure, void *call)
{
	struct create_topic *c = rpc_task(call, sizeof *c, task_then(check));

	(void)service;
	(void)closure;
	c->ask = ask;
}

static struct step check(struct task *task)
{
	struct create_topic *c = (struct create_topic *)task;
	const struct viewer *viewer = &task->context.viewer;

	if (viewer->account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "a topic has a proposer");
	if (!viewer->verified)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "the address is not verified");
	if (!locale_known(c->ask->language))
		return rpc_invalid(task, "language", "not_allowed");

	c->title = text_line(&task->arena, c->ask->title);
	c->lead = text_line(&task->arena, c->ask->lead);
	c->article = text_body(&task->arena, c->ask->article);
	c->place = text_line(&task->arena, c->ask->place);
	if (text_length(c->title) < 10)
		return rpc_invalid(task, "title", "too_short");
	if (text_length(c->lead) < 60)
		return rpc_invalid(task, "lead", "too_short");
	if (text_length(c->article) < 200)
		return rpc_invalid(task, "article", "too_short");
	return task_then(resolve);
}

static struct step resolve(struct task *task)
{
	struct create_topic *c = (struct create_topic *)task;

	resolve_expertises(task, &c->expertises, c->ask->expertises, c->ask->n_expertises);
	sql_run_message(task, &c->known, service_here()->sql, &known_format_sql, &c->ask->base,
			NULL, 0);
	return task_then(write_topic);
}

static const char *first_state(const struct create_topic *c)
{
	if (!c->ask->submit)
		return state_name(CAUSERIE__TOPIC_STATE__DRAFT);
	if (c->task.context.viewer.roles &
	    (CAUSERIE__ROLE__ROLE_TRUSTED | CAUSERIE__ROLE__ROLE_ORGANIZER))
		return state_name(CAUSERIE__TOPIC_STATE__OPEN);
	return state_name(CAUSERIE__TOPIC_STATE__PROPOSED);
}

static struct step write_topic(struct task *task)
{
	struct create_topic *c = (struct create_topic *)task;
	struct arena *arena = &task->arena;

	if (!expertises_resolved(task, &c->expertises))
		return rpc_sql_failed(task, &c->expertises.found);
	if (c->known.state != SQL_DONE)
		return rpc_sql_failed(task, &c->known);
	if (c->expertises.unknown != NULL)
		return rpc_invalid(task, "expertises", "not_allowed");
	if (!sql_get_flag(&c->known, 0, "format"))
		return rpc_invalid(task, "format", "not_allowed");
	if (!sql_get_flag(&c->known, 0, "treatment"))
		return rpc_invalid(task, "treatment", "not_allowed");

	SQL_NAMED(task, &c->written, service_here()->sql, &create_topic_sql, &c->ask->base,
		  {"idempotency_key", idempotency_key(task)},
		  {"asked", idempotency_asked(task, &c->ask->base)},
		  {"state", sql_text(first_state(c))}, {"title", sql_text(c->title)},
		  {"slug", sql_text(text_slug(arena, c->title))}, {"lead", sql_text(c->lead)},
		  {"article", sql_text(c->article)}, {"place", sql_text(c->place)},
		  {"expertises", sql_texts(arena, c->expertises.slugs, c->expertises.n_slugs)},
		  {"expertise_words", sql_text(c->expertises.words)});
	return task_then(written);
}

static struct step written(struct task *task)
{
	struct create_topic *c = (struct create_topic *)task;

	if (c->written.state != SQL_DONE)
		return rpc_sql_failed(task, &c->written);
	if (c->written.rows == 0) {
		idempotency_find(task, &c->first, service_here()->sql, &c->ask->base);
		return task_then(repeated);
	}
	outbox_wake(service_here()->outbox);
	fetch_topic(task, &c->rows, (uint64_t)sql_get_integer(&c->written, 0, "id"));
	return task_then(answer);
}

static struct step repeated(struct task *task)
{
	struct create_topic *c = (struct create_topic *)task;

	if (c->first.state != SQL_DONE)
		return rpc_sql_failed(task, &c->first);
	if (!idempotency_matches(&c->first, "CreateTopic"))
		return rpc_invalid(task, "idempotency_key", "taken");
	fetch_topic(task, &c->rows, (uint64_t)sql_get_integer(&c->first, 0, "result_id"));
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_topic(task, &((struct create_topic *)task)->rows);
}
