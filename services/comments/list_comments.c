/*
 * list_comments.c - ListComments: a page of a topic's thread.
 *
 *   locate --> fetch --> check --> answer
 *
 * topics is asked about one that is not known here, or not as one for this viewer: the
 * event that made it public may still be on its way.
 * The order is (root, id); the cursor is the last row's. A page may begin where
 * a given comment stands, so that its permalink finds it.
 */
#include "comments.h"

#include "lib/cursor.h"
#include "lib/rpc.h"
#include "topics.pb-c.h"

#define PAGE 50

struct list_comments {
	struct task task;
	const Causerie__ListCommentsRequest *ask;
	size_t limit;
	struct cursor after;
	const char *list;
	struct sql_slot place, page, thread;
	RPC_SLOT(Causerie__Topic) topic;
};

static task_step locate, fetch, check, answer;

void comments_list_comments(Causerie__Comments_Service *service,
			    const Causerie__ListCommentsRequest *ask,
			    Causerie__ListCommentsReply_Closure closure, void *call)
{
	struct list_comments *l = rpc_task(call, sizeof *l, task_then(locate));

	(void)service;
	(void)closure;
	l->ask = ask;
	l->limit = ask->limit ? ask->limit : PAGE;
}

static struct step locate(struct task *task)
{
	struct list_comments *l = (struct list_comments *)task;
	bool given;

	l->list = arena_printf(&task->arena, "comments|%llu", (unsigned long long)l->ask->topic_id);
	if (!cursor_read(l->ask->cursor, l->list, &l->after, &given))
		return rpc_invalid(task, "cursor", "malformed");
	if (l->ask->around_id == 0)
		return fetch(task);

	SQL_NAMED(task, &l->place, service_here()->sql, &locate_comment_sql, &l->ask->base,
		  {"limit", sql_integer((int64_t)l->limit)});
	return task_then(fetch);
}

/*
 * The beginning when the first page holds the comment; else the position just before its root, or
 * before the comment in a root longer than a page.
 */
static struct cursor place_before(const struct sql_slot *place)
{
	const int64_t root = sql_get_integer(place, 0, "root_id");

	if (sql_get_flag(place, 0, "near"))
		return (struct cursor){0};
	if (sql_get_flag(place, 0, "far"))
		return (struct cursor){{root, sql_get_integer(place, 0, "id") - 1}};
	return (struct cursor){{root, 0}};
}

static struct step fetch(struct task *task)
{
	struct list_comments *l = (struct list_comments *)task;

	if (l->ask->around_id != 0 && l->place.state != SQL_DONE)
		return rpc_sql_failed(task, &l->place);
	if (l->place.rows > 0)
		l->after = place_before(&l->place);

	SQL_NAMED(task, &l->page, service_here()->sql, &list_comments_sql, &l->ask->base,
		  {"after_root", sql_integer(l->after.at[0])},
		  {"after_id", sql_integer(l->after.at[1])},
		  {"is_moderator", sql_flag(is_moderator(&task->context.viewer))},
		  {"limit", sql_integer((int64_t)l->limit + 1)});
	SQL_NAMED(task, &l->thread, service_here()->sql, &get_thread_sql, &l->ask->base,
		  {"is_moderator", sql_flag(is_moderator(&task->context.viewer))});
	return task_then(check);
}

/* As far as is known here. */
static bool is_private(const struct list_comments *l)
{
	return l->thread.rows > 0 && !sql_get_flag(&l->thread, 0, "seen");
}

static struct step check(struct task *task)
{
	struct list_comments *l = (struct list_comments *)task;
	Causerie__GetTopicRequest ask = CAUSERIE__GET_TOPIC_REQUEST__INIT;

	if (l->page.state != SQL_DONE)
		return rpc_sql_failed(task, &l->page);
	if (l->thread.state != SQL_DONE)
		return rpc_sql_failed(task, &l->thread);
	if (l->thread.rows > 0 && !is_private(l))
		return answer(task);

	ask.id = l->ask->topic_id;
	RPC_CALL(task, &l->topic, causerie__topics__get_topic, topics, &ask);
	return task_then(answer);
}

/* A topic nobody told us of yet has an empty, open thread, unless topics says that there is none.
 */
static struct step answer(struct task *task)
{
	struct list_comments *l = (struct list_comments *)task;
	Causerie__ListCommentsReply reply = CAUSERIE__LIST_COMMENTS_REPLY__INIT;

	if (l->topic.code == CAUSERIE__CODE__NOT_FOUND || (is_private(l) && l->topic.reply == NULL))
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic for this viewer");

	reply.open = true;
	if (l->thread.rows > 0)
		sql_fill(&task->arena, &reply.base, &l->thread, 0);
	if (l->topic.reply != NULL)
		reply.open = l->topic.reply->accepts_comments;
	reply.begins = l->after.at[0] == 0;
	reply.comments = (Causerie__Comment **)sql_fill_all(
		&task->arena, &causerie__comment__descriptor, &l->page, &reply.n_comments);
	if (reply.n_comments > l->limit) {
		const Causerie__Comment *last = reply.comments[--reply.n_comments - 1];
		const struct cursor next = {{(int64_t)last->root_id, (int64_t)last->id}};

		reply.next_cursor =
			arena_strdup(&task->arena, cursor_write(&task->arena, l->list, &next));
	}
	for (size_t i = 0; i < reply.n_comments; i++)
		show_comment(&task->context.viewer, reply.comments[i]);
	return rpc_reply(task, &reply.base);
}
