/*
 * report_comment.c - ReportComment: a member asks the moderators to look; once each.
 *
 *   report --> reported
 */
#include "comments.h"

#include "lib/text.h"

struct report_comment {
	struct task task;
	const Causerie__ReportCommentRequest *ask;
	struct sql_slot written;
};

static task_step report, reported;

void comments_report_comment(Causerie__Comments_Service *service,
			     const Causerie__ReportCommentRequest *ask,
			     Causerie__Empty_Closure closure, void *call)
{
	struct report_comment *r = rpc_task(call, sizeof *r, task_then(report));

	(void)service;
	(void)closure;
	r->ask = ask;
}

static struct step report(struct task *task)
{
	struct report_comment *r = (struct report_comment *)task;
	const char *reason = text_body(&task->arena, r->ask->reason);
	struct step refused;

	if (refuse_writer(task, &refused))
		return refused;
	if (reason == NULL || text_length(reason) < 2)
		return rpc_invalid(task, "reason", "too_short");

	SQL_NAMED(task, &r->written, service_here()->sql, &report_comment_sql, &r->ask->base,
		  {"reason", sql_text(reason)});
	return task_then(reported);
}

static struct step reported(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;
	struct report_comment *r = (struct report_comment *)task;

	if (r->written.state != SQL_DONE)
		return rpc_sql_failed(task, &r->written);
	if (r->written.affected == 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no visible comment");
	return rpc_reply(task, &done.base);
}
