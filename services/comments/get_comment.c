/*
 * get_comment.c - GetComment: one comment, as this viewer may see it.
 *
 *   fetch --> answer
 */
#include "comments.h"

struct get_comment {
	struct task task;
	const Causerie__GetCommentRequest *ask;
	struct sql_slot row;
};

static task_step fetch, answer;

void comments_get_comment(Causerie__Comments_Service *service,
			  const Causerie__GetCommentRequest *ask, Causerie__Comment_Closure closure,
			  void *call)
{
	struct get_comment *g = rpc_task(call, sizeof *g, task_then(fetch));

	(void)service;
	(void)closure;
	g->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct get_comment *g = (struct get_comment *)task;

	fetch_comment(task, &g->row, g->ask->id);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_comment(task, &((struct get_comment *)task)->row);
}

void fetch_comment(struct task *task, struct sql_slot *row, uint64_t id)
{
	SQL_NAMED(task, row, service_here()->sql, &get_comment_sql, NULL, {"id", sql_id(id)},
		  {"is_moderator", sql_flag(is_moderator(&task->context.viewer))});
}

struct step reply_comment(struct task *task, const struct sql_slot *row)
{
	Causerie__Comment *comment;

	if (row->state != SQL_DONE)
		return rpc_sql_failed(task, row);
	comment = comment_from_row(task, row);
	if (comment == NULL)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such comment for this viewer");
	return rpc_reply(task, &comment->base);
}
