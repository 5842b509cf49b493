/*
 * pair_topics.c - PairTopics and UnpairTopics: organizers say that two topics belong together, or
 * not.
 *
 *   look --> check --> said --> fetch --> answer
 *                        +--> (key seen before) --> repeated --> fetch --> answer
 *
 * The recommender finds related topics by itself; this is where people overrule it. It has no
 * database, so the word is kept here and announced. The two share a file because they share
 * everything but their statement and their answer.
 */
#include "topics.h"

#include <string.h>

#include "lib/idempotency.h"
#include "lib/outbox.h"

enum { MOST_PAIRS = 16384 }; /* on the site, as many as the recommender holds (related/pairs.h) */

struct pair_topics {
	struct task task;
	const ProtobufCMessage *ask;
	uint64_t ids[2];
	Causerie__Pairing pairing; /* PAIRING_UNSPECIFIED: the pair is freed */
	struct sql_slot topics, written, first, pair;
};

static task_step look, check, said, repeated, answer;

static struct pair_topics *start(void *call, const ProtobufCMessage *ask, uint64_t topic_id,
				 uint64_t other_id)
{
	struct pair_topics *p = rpc_task(call, sizeof *p, task_then(look));

	p->ask = ask;
	p->ids[0] = topic_id;
	p->ids[1] = other_id;
	return p;
}

void topics_pair_topics(Causerie__Topics_Service *service, const Causerie__PairTopicsRequest *ask,
			Causerie__RelatedPair_Closure closure, void *call)
{
	struct pair_topics *p = start(call, &ask->base, ask->topic_id, ask->other_id);

	(void)service;
	(void)closure;
	p->pairing = ask->pairing;
}

void topics_unpair_topics(Causerie__Topics_Service *service,
			  const Causerie__UnpairTopicsRequest *ask, Causerie__Empty_Closure closure,
			  void *call)
{
	(void)service;
	(void)closure;
	start(call, &ask->base, ask->topic_id, ask->other_id);
}

static struct step look(struct task *task)
{
	struct pair_topics *p = (struct pair_topics *)task;

	SQL_NAMED(task, &p->topics, service_here()->sql, &get_summaries_sql, NULL,
		  {"ids", sql_ids(&task->arena, p->ids, 2)});
	return task_then(check);
}

static bool may_see_both(struct pair_topics *p)
{
	const int wanted = p->ids[0] == p->ids[1] ? 1 : 2;
	int seen = 0;

	for (int row = 0; row < p->topics.rows; row++) {
		Causerie__TopicSummary topic = CAUSERIE__TOPIC_SUMMARY__INIT;

		sql_fill(&p->task.arena, &topic.base, &p->topics, row);
		seen += may_see(&topic, &p->task.context.viewer);
	}
	return seen == wanted;
}

/* The field that names a merged topic, of which nothing is said any more; or NULL. */
static const char *merged_field(const struct pair_topics *p)
{
	for (int row = 0; row < p->topics.rows; row++)
		if (strcmp(sql_get_text(&p->topics, row, "state"), "merged") == 0)
			return (uint64_t)sql_get_integer(&p->topics, row, "id") == p->ids[0]
				       ? "topic_id"
				       : "other_id";
	return NULL;
}

static void say(struct pair_topics *p)
{
	const bool pinned = p->pairing == CAUSERIE__PAIRING__PAIRING_PINNED;
	const struct sql_query *statement = p->pairing != CAUSERIE__PAIRING__PAIRING_UNSPECIFIED
						    ? &pair_topics_sql
						    : &unpair_topics_sql;

	SQL_NAMED(&p->task, &p->written, service_here()->sql, statement, p->ask,
		  {"idempotency_key", idempotency_key(&p->task)},
		  {"asked", idempotency_asked(&p->task, p->ask)},
		  {"most", sql_integer(pinned ? MOST_PINNED : MOST_BANNED)},
		  {"site_most", sql_integer(MOST_PAIRS)});
}

static struct step check(struct task *task)
{
	struct pair_topics *p = (struct pair_topics *)task;

	if (p->topics.state != SQL_DONE)
		return rpc_sql_failed(task, &p->topics);
	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "a word is somebody's");
	if (!may_see_both(p))
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic for this viewer");
	if (!is_organizer(&task->context.viewer))
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "for organizers");
	if (!task->context.viewer.verified)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "the address is not verified");
	if (p->ids[0] == p->ids[1])
		return rpc_invalid(task, "other_id", "not_allowed");
	if (merged_field(p) != NULL)
		return rpc_invalid(task, merged_field(p), "not_allowed");

	say(p);
	return task_then(said);
}

static struct step fetch(struct pair_topics *p)
{
	sql_run_message(&p->task, &p->pair, service_here()->sql, &get_pair_sql, p->ask, NULL, 0);
	return task_then(answer);
}

static struct step said(struct task *task)
{
	struct pair_topics *p = (struct pair_topics *)task;

	if (p->written.state != SQL_DONE)
		return rpc_sql_failed(task, &p->written);
	if (sql_get_integer(&p->written, 0, "possible") == 0)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "one of them was merged meanwhile");
	if (sql_get_integer(&p->written, 0, "full") > 0)
		return rpc_invalid(task, "pairing", "out_of_range");
	if (sql_get_integer(&p->written, 0, "first") == 0) {
		idempotency_find(task, &p->first, service_here()->sql, p->ask);
		return task_then(repeated);
	}
	if (sql_get_integer(&p->written, 0, "changed") > 0)
		outbox_wake(service_here()->outbox);
	return fetch(p);
}

static struct step repeated(struct task *task)
{
	struct pair_topics *p = (struct pair_topics *)task;

	if (p->first.state != SQL_DONE)
		return rpc_sql_failed(task, &p->first);
	if (!idempotency_matches(&p->first, p->pairing != CAUSERIE__PAIRING__PAIRING_UNSPECIFIED
						    ? "PairTopics"
						    : "UnpairTopics"))
		return rpc_invalid(task, "idempotency_key", "taken");
	return fetch(p);
}

static struct step answer(struct task *task)
{
	struct pair_topics *p = (struct pair_topics *)task;
	Causerie__RelatedPair pair = CAUSERIE__RELATED_PAIR__INIT;
	Causerie__Empty nothing = CAUSERIE__EMPTY__INIT;

	if (p->pair.state != SQL_DONE)
		return rpc_sql_failed(task, &p->pair);
	if (p->pairing == CAUSERIE__PAIRING__PAIRING_UNSPECIFIED)
		return rpc_reply(task, &nothing.base);
	if (p->pair.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "another organizer freed it");
	sql_fill(&task->arena, &pair.base, &p->pair, 0);
	return rpc_reply(task, &pair.base);
}
