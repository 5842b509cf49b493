/*
 * inbox.c - ListNotifications and ListDeliveries, newest first, and MarkRead.
 *
 *   fetch --> answer
 *   mark --> marked
 *
 * What was read on the site before its mail left is not mailed (deliver.c).
 */
#include "notifications.h"

#include "lib/cursor.h"

#define PAGE 20

struct inbox {
	struct task task;
	const char *cursor, *list;
	const struct sql_query *query;
	size_t limit;
	struct sql_slot page;
};

struct mark_read {
	struct task task;
	const Causerie__MarkReadRequest *ask;
	struct sql_slot marked;
};

static task_step fetch, answer_notifications, answer_deliveries, mark, marked;

void notifications_list_notifications(Causerie__Notifications_Service *service,
				      const Causerie__ListNotificationsRequest *ask,
				      Causerie__ListNotificationsReply_Closure closure, void *call)
{
	struct inbox *i = rpc_task(call, sizeof *i, task_then(fetch));

	(void)service;
	(void)closure;
	i->cursor = ask->cursor;
	i->list = "inbox";
	i->query = &list_inbox_sql;
	i->limit = ask->limit ? ask->limit : PAGE;
}

void notifications_list_deliveries(Causerie__Notifications_Service *service,
				   const Causerie__ListDeliveriesRequest *ask,
				   Causerie__ListDeliveriesReply_Closure closure, void *call)
{
	struct inbox *i = rpc_task(call, sizeof *i, task_then(fetch));

	(void)service;
	(void)closure;
	i->cursor = ask->cursor;
	i->list = "deliveries";
	i->query = &list_deliveries_sql;
	i->limit = ask->limit ? ask->limit : PAGE;
}

static struct step fetch(struct task *task)
{
	struct inbox *i = (struct inbox *)task;
	struct cursor before;
	bool given;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose?");
	if (!cursor_read(i->cursor, i->list, &before, &given))
		return rpc_invalid(task, "cursor", "malformed");

	SQL_NAMED(task, &i->page, service_here()->sql, i->query, NULL,
		  {"before", given ? sql_integer(before.at[0]) : sql_null()},
		  {"limit", sql_integer((int64_t)i->limit + 1)});
	return i->query == &list_inbox_sql ? task_then(answer_notifications)
					   : task_then(answer_deliveries);
}

/* Drops the row that only says there is more; the cursor of the next page, or "". */
static char *next_cursor(struct inbox *i, size_t *n)
{
	struct cursor next;

	if (*n <= i->limit)
		return arena_strdup(&i->task.arena, "");
	--*n;
	next = (struct cursor){{sql_get_integer(&i->page, (int)*n - 1, "id")}};
	return arena_strdup(&i->task.arena, cursor_write(&i->task.arena, i->list, &next));
}

static struct step answer_notifications(struct task *task)
{
	struct inbox *i = (struct inbox *)task;
	Causerie__ListNotificationsReply reply = CAUSERIE__LIST_NOTIFICATIONS_REPLY__INIT;

	if (i->page.state != SQL_DONE)
		return rpc_sql_failed(task, &i->page);
	reply.notifications = (Causerie__Notification **)sql_fill_all(
		&task->arena, &causerie__notification__descriptor, &i->page,
		&reply.n_notifications);
	if (i->page.rows > 0)
		reply.unread = (uint32_t)sql_get_integer(&i->page, 0, "unread");
	reply.next_cursor = next_cursor(i, &reply.n_notifications);
	return rpc_reply(task, &reply.base);
}

static struct step answer_deliveries(struct task *task)
{
	struct inbox *i = (struct inbox *)task;
	Causerie__ListDeliveriesReply reply = CAUSERIE__LIST_DELIVERIES_REPLY__INIT;

	if (i->page.state != SQL_DONE)
		return rpc_sql_failed(task, &i->page);
	reply.deliveries = (Causerie__Delivery **)sql_fill_all(
		&task->arena, &causerie__delivery__descriptor, &i->page, &reply.n_deliveries);
	reply.next_cursor = next_cursor(i, &reply.n_deliveries);
	return rpc_reply(task, &reply.base);
}

void notifications_mark_read(Causerie__Notifications_Service *service,
			     const Causerie__MarkReadRequest *ask, Causerie__Empty_Closure closure,
			     void *call)
{
	struct mark_read *m = rpc_task(call, sizeof *m, task_then(mark));

	(void)service;
	(void)closure;
	m->ask = ask;
}

static struct step mark(struct task *task)
{
	struct mark_read *m = (struct mark_read *)task;

	if (task->context.viewer.account_id == 0)
		return rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "whose?");
	sql_run_message(task, &m->marked, service_here()->sql, &mark_read_sql, &m->ask->base, NULL,
			0);
	return task_then(marked);
}

static struct step marked(struct task *task)
{
	static const Causerie__Empty done = CAUSERIE__EMPTY__INIT;
	struct mark_read *m = (struct mark_read *)task;

	if (m->marked.state != SQL_DONE)
		return rpc_sql_failed(task, &m->marked);
	return rpc_reply(task, &done.base);
}
