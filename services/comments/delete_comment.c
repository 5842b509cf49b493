/*
 * delete_comment.c - DeleteComment: by its author; what was answered leaves a tombstone.
 *
 *   fetch --> remove --> removed
 *
 * Deleting what is deleted already is a success: the wish is fulfilled.
 */
#include "comments.h"

#include "lib/outbox.h"

struct delete_comment {
	struct task task;
	const Causerie__DeleteCommentRequest *ask;
	struct sql_slot before, gone;
};

static task_step fetch, remove_comment, removed;

void comments_delete_comment(Causerie__Comments_Service *service,
			     const Causerie__DeleteCommentRequest *ask,
			     Causerie__Empty_Closure closure, void *call)
{
	struct delete_comment *d = rpc_task(call, sizeof *d, task_then(fetch));

	(void)service;
	(void)closure;
	d->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct delete_comment *d = (struct delete_comment *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED,
				"only its author deletes it");
	fetch_comment(task, &d->before, d->ask->id);
	return task_then(remove_comment);
}

static struct step remove_comment(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;
	struct delete_comment *d = (struct delete_comment *)task;
	Causerie__Comment comment = CAUSERIE__COMMENT__INIT;

	if (d->before.state != SQL_DONE)
		return rpc_sql_failed(task, &d->before);
	if (d->before.rows > 0)
		sql_fill(&task->arena, &comment.base, &d->before, 0);
	if (comment.author_id != task->context.viewer.account_id)
		return comment_from_row(task, &d->before) == NULL
			       ? rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such comment")
			       : rpc_fail(task, CAUSERIE__CODE__FORBIDDEN,
					  "only its author deletes it");
	if (comment.state == CAUSERIE__COMMENT_STATE__DELETED)
		return rpc_reply(task, &done.base);

	sql_run_message(task, &d->gone, service_here()->sql, &delete_comment_sql, &d->ask->base,
			NULL, 0);
	return task_then(removed);
}

static struct step removed(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;
	struct delete_comment *d = (struct delete_comment *)task;

	if (d->gone.state != SQL_DONE)
		return rpc_sql_failed(task, &d->gone);
	if (d->gone.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "a moderator has acted on it");
	outbox_wake(service_here()->outbox);
	return rpc_reply(task, &done.base);
}
