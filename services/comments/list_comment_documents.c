/*
 * list_comment_documents.c - ListCommentDocuments: what the recommender knows of comments.
 *
 *   locate --> fetch --> answer
 *
 * The stream position is read before the rows: events after it may already be in
 * them, and applying those again changes nothing.
 */
#include "comments.h"

struct list_documents {
	struct task task;
	const Causerie__ListCommentDocumentsRequest *ask;
	struct sql_slot position, rows;
};

static task_step locate, fetch, answer;

void comments_list_comment_documents(Causerie__Comments_Service *service,
				     const Causerie__ListCommentDocumentsRequest *ask,
				     Causerie__ListCommentDocumentsReply_Closure closure,
				     void *call)
{
	struct list_documents *l = rpc_task(call, sizeof *l, task_then(locate));

	(void)service;
	(void)closure;
	l->ask = ask;
}

static struct step locate(struct task *task)
{
	struct list_documents *l = (struct list_documents *)task;

	sql_run(task, &l->position, service_here()->sql, &stream_position_sql, NULL, 0);
	return task_then(fetch);
}

static struct step fetch(struct task *task)
{
	struct list_documents *l = (struct list_documents *)task;

	if (l->position.state != SQL_DONE)
		return rpc_sql_failed(task, &l->position);
	SQL_NAMED(task, &l->rows, service_here()->sql, &list_documents_sql, &l->ask->base,
		  {"after_id", sql_integer((int64_t)l->ask->after_id)});
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct list_documents *l = (struct list_documents *)task;
	Causerie__ListCommentDocumentsReply reply = CAUSERIE__LIST_COMMENT_DOCUMENTS_REPLY__INIT;

	if (l->rows.state != SQL_DONE)
		return rpc_sql_failed(task, &l->rows);

	sql_fill(&task->arena, &reply.base, &l->position, 0);
	reply.comments = (Causerie__CommentDocument **)sql_fill_all(
		&task->arena, &causerie__comment_document__descriptor, &l->rows, &reply.n_comments);
	return rpc_reply(task, &reply.base);
}
