/*
 * edit_comment.c - EditComment: another text, on the version that was seen.
 *
 *   fetch --> write --> written --> answer
 *
 * The text before is kept. Within a quarter of an hour the author's own edit is
 * silent; later ones, and a moderator's always, are shown to readers.
 */
#include "comments.h"

#include "lib/outbox.h"
#include "lib/text.h"

struct edit_comment {
	struct task task;
	const Causerie__EditCommentRequest *ask;
	struct sql_slot before, written, after;
};

static task_step fetch, write_comment, written, answer;

void comments_edit_comment(Causerie__Comments_Service *service,
			   const Causerie__EditCommentRequest *ask,
			   Causerie__Comment_Closure closure, void *call)
{
	struct edit_comment *e = rpc_task(call, sizeof *e, task_then(fetch));

	(void)service;
	(void)closure;
	e->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct edit_comment *e = (struct edit_comment *)task;
	struct step refused;

	if (refuse_writer(task, &refused))
		return refused;
	fetch_comment(task, &e->before, e->ask->id);
	return task_then(write_comment);
}

static struct step write_comment(struct task *task)
{
	struct edit_comment *e = (struct edit_comment *)task;
	const char *body = text_body(&task->arena, e->ask->body);
	Causerie__Comment *comment;

	if (e->before.state != SQL_DONE)
		return rpc_sql_failed(task, &e->before);
	comment = comment_from_row(task, &e->before);
	if (comment == NULL)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such comment for this viewer");
	if (!comment->may_edit)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "not this viewer's to edit");
	if (comment->version != e->ask->version)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "another version is there");
	if (body == NULL || text_length(body) < 2)
		return rpc_invalid(task, "body", "too_short");

	SQL_NAMED(task, &e->written, service_here()->sql, &edit_comment_sql, &e->ask->base,
		  {"version", sql_id(e->ask->version)}, {"body", sql_text(body)});
	return task_then(written);
}

static struct step written(struct task *task)
{
	struct edit_comment *e = (struct edit_comment *)task;

	if (e->written.state != SQL_DONE)
		return rpc_sql_failed(task, &e->written);
	if (e->written.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "another version came first");

	outbox_wake(service_here()->outbox);
	fetch_comment(task, &e->after, e->ask->id);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_comment(task, &((struct edit_comment *)task)->after);
}
