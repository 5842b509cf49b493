/*
 * list_moderation.c - ListModeration: what waits for a moderator, oldest first.
 *
 *   fetch --> answer
 */
#include "comments.h"

#include "lib/cursor.h"

#define PAGE 20

struct list_moderation {
	struct task task;
	const Causerie__ListModerationRequest *ask;
	size_t limit;
	struct sql_slot page;
};

static const char list[] = "moderation";

static task_step fetch, answer;

void comments_list_moderation(Causerie__Comments_Service *service,
			      const Causerie__ListModerationRequest *ask,
			      Causerie__ListModerationReply_Closure closure, void *call)
{
	struct list_moderation *l = rpc_task(call, sizeof *l, task_then(fetch));

	(void)service;
	(void)closure;
	l->ask = ask;
	l->limit = ask->limit ? ask->limit : PAGE;
}

static struct step fetch(struct task *task)
{
	struct list_moderation *l = (struct list_moderation *)task;
	struct cursor after;
	bool given;

	if (!is_moderator(&task->context.viewer))
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "for moderators");
	if (!cursor_read(l->ask->cursor, list, &after, &given))
		return rpc_invalid(task, "cursor", "malformed");

	SQL_RUN(task, &l->page, service_here()->sql, &list_moderation_sql, sql_integer(after.at[0]),
		sql_integer((int64_t)l->limit + 1));
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	struct list_moderation *l = (struct list_moderation *)task;
	Causerie__ListModerationReply reply = CAUSERIE__LIST_MODERATION_REPLY__INIT;

	if (l->page.state != SQL_DONE)
		return rpc_sql_failed(task, &l->page);

	reply.items = (Causerie__ModerationItem **)sql_fill_all(
		&task->arena, &causerie__moderation_item__descriptor, &l->page, &reply.n_items);
	for (size_t row = 0; row < reply.n_items; row++) {
		Causerie__Comment *comment = ARENA_NEW(&task->arena, Causerie__Comment);

		causerie__comment__init(comment);
		sql_fill(&task->arena, &comment->base, &l->page, (int)row);
		show_comment(&task->context.viewer, comment);
		reply.items[row]->comment = comment;
	}
	if (reply.n_items > l->limit) {
		const struct cursor next = {
			{(int64_t)reply.items[--reply.n_items - 1]->comment->id}};

		reply.next_cursor =
			arena_strdup(&task->arena, cursor_write(&task->arena, list, &next));
	}
	return rpc_reply(task, &reply.base);
}
