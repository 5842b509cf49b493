/*
 * post_comment.c - PostComment: one comment, once.
 *
 *   check --> write --> written --------------------------> answer
 *               ^          |---- (nothing written) --> repeated --> answer, or what is in the way
 *               |          |---- (topic not known as open here) --> ask_topics
 *               +------------------------------------------------- learn
 *
 * Comments, counters, key and event are one statement, shared with the comments that
 * arrive at the same time (lib/sql_group.h). Whether a topic takes comments is known here
 * from its events; before refusing for one that has not come yet, topics is asked, once.
 */
#include "comments.h"

#include "lib/idempotency.h"
#include "lib/outbox.h"
#include "lib/rpc.h"
#include "lib/sql_group.h"
#include "lib/text.h"
#include "topics.pb-c.h"

struct post_comment {
	struct task task;
	const Causerie__PostCommentRequest *ask;
	const char *body, *language;
	bool asked;
	RPC_SLOT(Causerie__Topic) topic;
	struct sql_slot written, learnt, first, row;
};

static task_step check, write_comment, written, learn, repeated, answer;

void comments_post_comment(Causerie__Comments_Service *service,
			   const Causerie__PostCommentRequest *ask,
			   Causerie__Comment_Closure closure, void *call)
{
	struct post_comment *p = rpc_task(call, sizeof *p, task_then(check));

	(void)service;
	(void)closure;
	p->ask = ask;
}

static struct step check(struct task *task)
{
	struct post_comment *p = (struct post_comment *)task;
	struct step refused;

	if (refuse_writer(task, &refused))
		return refused;

	p->body = text_body(&task->arena, p->ask->body);
	if (p->body == NULL || text_length(p->body) < 2)
		return rpc_invalid(task, "body", "too_short");
	p->language = *p->ask->language ? p->ask->language : "fr";
	return write_comment(task);
}

static struct step write_comment(struct task *task)
{
	struct post_comment *p = (struct post_comment *)task;

	const struct sql_named values[] = {{"idempotency_key", idempotency_key(task)},
					   {"asked", idempotency_asked(task, &p->ask->base)},
					   {"rate", sql_integer(settings.rate)},
					   {"body", sql_text(p->body)},
					   {"language", sql_text(p->language)}};

	sql_group_run(task, &p->written, posts,
		      sql_bind(task, &post_comments_sql, &p->ask->base, values,
			       sizeof values / sizeof values[0]));
	return task_then(written);
}

static struct step ask_topics(struct post_comment *p)
{
	Causerie__GetTopicRequest ask = CAUSERIE__GET_TOPIC_REQUEST__INIT;

	p->asked = true;
	ask.id = p->ask->topic_id;
	RPC_CALL(&p->task, &p->topic, causerie__topics__get_topic, topics, &ask);
	return task_then(learn);
}

/* What stood in the way, most telling first. */
static struct step refuse(struct post_comment *p)
{
	struct task *task = &p->task;

	if (!sql_get_flag(&p->written, 0, "known"))
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic");
	if (!sql_get_flag(&p->written, 0, "open"))
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "the topic takes no comments");
	if (!sql_get_flag(&p->written, 0, "parent_found"))
		return rpc_invalid(task, "parent_id", "not_allowed");
	if (sql_get_flag(&p->written, 0, "too_many"))
		return rpc_fail(task, CAUSERIE__CODE__EXHAUSTED, "too many comments in a minute");
	return rpc_invalid(task, "idempotency_key", "taken");
}

static struct step written(struct task *task)
{
	struct post_comment *p = (struct post_comment *)task;

	if (p->written.state != SQL_DONE)
		return rpc_sql_failed(task, &p->written);
	if (!p->asked && !sql_get_flag(&p->written, 0, "open"))
		return ask_topics(p);
	if (sql_is_null(&p->written, 0, "id")) {
		idempotency_find(task, &p->first, service_here()->sql, &p->ask->base);
		return task_then(repeated);
	}
	outbox_wake(service_here()->outbox);
	return reply_comment(task, &p->written);
}

static struct step learn(struct task *task)
{
	struct post_comment *p = (struct post_comment *)task;

	if (p->topic.code != CAUSERIE__CODE__OK)
		return rpc_fail(task, p->topic.code,
				"topics did not say whether the topic is open");

	SQL_NAMED(task, &p->learnt, service_here()->sql, &put_thread_sql,
		  &p->topic.reply->summary->base, {"topic_id", sql_id(p->ask->topic_id)},
		  {"open", sql_flag(p->topic.reply->accepts_comments)},
		  {"seen", sql_id(p->topic.reply->summary->version)});
	return task_then(write_comment);
}

/* What was posted is posted, even if nothing could be posted now. */
static struct step repeated(struct task *task)
{
	struct post_comment *p = (struct post_comment *)task;

	if (p->first.state != SQL_DONE)
		return rpc_sql_failed(task, &p->first);
	if (!idempotency_matches(&p->first, "PostComment"))
		return refuse(p);
	fetch_comment(task, &p->row, (uint64_t)sql_get_integer(&p->first, 0, "result_id"));
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_comment(task, &((struct post_comment *)task)->row);
}
