/*
 * moderate_comment.c - ModerateComment: hide, restore, approve, mark as spam, dismiss reports.
 *
 *   act --> acted --> answer
 *
 * Every act settles the open reports and leaves a line in the moderation log.
 */
#include "comments.h"

#include "lib/outbox.h"
#include "lib/text.h"

struct moderate_comment {
	struct task task;
	const Causerie__ModerateCommentRequest *ask;
	struct sql_slot acted, row;
};

/* What an action starts from, and where it leads. */
static const struct action {
	const char *name, *to;
	const char *from[3];
	bool wants_reason;
} actions[] = {
	[CAUSERIE__MODERATION_ACTION__HIDE] = {"hide",
					       "hidden",
					       {"visible", "pending", "spam"},
					       true},
	[CAUSERIE__MODERATION_ACTION__RESTORE] = {"restore", "visible", {"hidden", "spam"}, false},
	[CAUSERIE__MODERATION_ACTION__APPROVE] = {"approve", "visible", {"pending"}, false},
	[CAUSERIE__MODERATION_ACTION__MARK_SPAM] = {"mark_spam",
						    "spam",
						    {"visible", "pending", "hidden"},
						    false},
	[CAUSERIE__MODERATION_ACTION__DISMISS_REPORTS] = {"dismiss_reports",
							  "visible",
							  {"visible"},
							  false},
};

static task_step act, acted, answer;

void comments_moderate_comment(Causerie__Comments_Service *service,
			       const Causerie__ModerateCommentRequest *ask,
			       Causerie__Comment_Closure closure, void *call)
{
	struct moderate_comment *m = rpc_task(call, sizeof *m, task_then(act));

	(void)service;
	(void)closure;
	m->ask = ask;
}

static struct sql_param from_states(struct arena *arena, const struct action *action)
{
	char **from = ARENA_ARRAY(arena, char *, 3);
	size_t n = 0;

	while (n < 3 && action->from[n] != NULL) {
		from[n] = arena_strdup(arena, action->from[n]);
		n++;
	}
	return sql_texts(arena, from, n);
}

static struct step act(struct task *task)
{
	struct moderate_comment *m = (struct moderate_comment *)task;
	const struct action *action = &actions[m->ask->action];
	const char *reason = text_line(&task->arena, m->ask->reason);

	if (!is_moderator(&task->context.viewer))
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "for moderators");
	if (action->wants_reason && (reason == NULL || *reason == '\0'))
		return rpc_invalid(task, "reason", "missing");

	SQL_NAMED(task, &m->acted, service_here()->sql, &moderate_comment_sql, &m->ask->base,
		  {"from", from_states(&task->arena, action)}, {"to", sql_text(action->to)},
		  {"action", sql_text(action->name)}, {"reason", sql_text(reason)});
	return task_then(acted);
}

static struct step acted(struct task *task)
{
	struct moderate_comment *m = (struct moderate_comment *)task;

	if (m->acted.state != SQL_DONE)
		return rpc_sql_failed(task, &m->acted);
	if (m->acted.rows > 0)
		outbox_wake(service_here()->outbox);
	fetch_comment(task, &m->row, m->ask->id);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct moderate_comment *m = (struct moderate_comment *)task;

	if (m->acted.rows == 0 && m->row.state == SQL_DONE && m->row.rows > 0)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "not in a state for this");
	return reply_comment(task, &m->row);
}
