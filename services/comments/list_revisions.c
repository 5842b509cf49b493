/*
 * list_revisions.c - ListRevisions: what a comment said before; public, like the comment.
 *
 *   fetch --> answer
 */
#include "comments.h"

struct list_revisions {
	struct task task;
	const Causerie__GetCommentRequest *ask;
	struct sql_slot comment, revisions;
};

static task_step fetch, answer;

void comments_list_revisions(Causerie__Comments_Service *service,
			     const Causerie__GetCommentRequest *ask,
			     Causerie__ListRevisionsReply_Closure closure, void *call)
{
	struct list_revisions *l = rpc_task(call, sizeof *l, task_then(fetch));

	(void)service;
	(void)closure;
	l->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct list_revisions *l = (struct list_revisions *)task;

	fetch_comment(task, &l->comment, l->ask->id);
	SQL_RUN(task, &l->revisions, service_here()->sql, &list_revisions_sql, sql_id(l->ask->id));
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct list_revisions *l = (struct list_revisions *)task;
	Causerie__ListRevisionsReply reply = CAUSERIE__LIST_REVISIONS_REPLY__INIT;

	if (l->comment.state != SQL_DONE)
		return rpc_sql_failed(task, &l->comment);
	if (l->revisions.state != SQL_DONE)
		return rpc_sql_failed(task, &l->revisions);

	/* A tombstone's texts are as gone as its own. */
	reply.comment = comment_from_row(task, &l->comment);
	if (reply.comment == NULL || *reply.comment->body == '\0')
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such comment for this viewer");
	reply.revisions = (Causerie__Revision **)sql_fill_all(
		&task->arena, &causerie__revision__descriptor, &l->revisions, &reply.n_revisions);
	return rpc_reply(task, &reply.base);
}
