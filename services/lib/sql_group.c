/*
 * sql_group.c - several requests' rows in one statement.
 *
 *     sql_group_run --> waiting --> in flight --> each request's slot has its row
 *                          ^            |
 *                          +--refused---+  (several: each again, alone)
 *
 * A batch is a task of its own: its first step takes what waits by then, so requests that
 * were read in one turn of the loop travel together. It outlives requests that became too late;
 * theirs is a member without a task, whose values are gone and which is not tried again.
 */
#include "lib/sql_group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "lib/metrics.h"
#include "lib/task.h"

#define BATCH_MS 8000 /* beyond statement_timeout and a stalled server; sql.c ends it before */
#define GRACE_MS 20   /* the request's own deadline comes first */

struct member {
	struct member *next;
	struct task *task; /* NULL: it was too late, nobody waits any longer */
	struct sql_slot *slot;
	const struct sql_param *params; /* in the task's arena */
	struct event deadline;
	bool sent, alone;
};

struct sql_group {
	struct event_base *loop;
	struct sql *sql;
	const struct sql_query *query;
	struct member *first, **end; /* waiting */
	size_t waiting;
	bool busy; /* a batch is on its way */
};

struct batch {
	struct task task;
	struct sql_group *group;
	struct member *members[SQL_GROUP_ROWS];
	size_t count;
	struct sql_slot slot;
};

static struct metric batches = METRIC_COUNTER("causerie_sql_groups_total", "", "Group commits");
static struct metric grouped =
	METRIC_COUNTER("causerie_sql_grouped_total", "", "Requests committed in a group");

static task_step send_batch, hand_out, give_up;

static void start_batch(struct sql_group *);

/* --- members --- */

static void answer(struct member *member, enum sql_state state)
{
	struct task *task = member->task;

	member->task = NULL;
	event_del(&member->deadline);
	if (task == NULL)
		return;
	member->slot->state = state;
	task_answered(task);
}

static void on_deadline(evutil_socket_t nothing, short events, void *argument)
{
	struct member *member = argument;

	(void)nothing;
	(void)events;
	answer(member, member->sent ? SQL_UNKNOWN : SQL_UNAVAILABLE);
}

static void enqueue(struct sql_group *group, struct member *member)
{
	member->next = NULL;
	member->sent = false;
	*group->end = member;
	group->end = &member->next;
	group->waiting++;
}

static struct member *dequeue(struct sql_group *group)
{
	struct member *member = group->first;

	group->first = member->next;
	if (group->first == NULL)
		group->end = &group->first;
	group->waiting--;
	return member;
}

/* The next ones that somebody waits for; one that was refused in company goes alone. */
static void take_waiting(struct batch *b)
{
	struct sql_group *group = b->group;

	while (group->first != NULL && b->count < SQL_GROUP_ROWS) {
		if (group->first->task == NULL) {
			free(dequeue(group));
			continue;
		}
		if (group->first->alone && b->count > 0)
			break;
		b->members[b->count++] = dequeue(group);
		if (b->members[0]->alone)
			break;
	}
}

/* --- a batch, step by step --- */

static struct step finish(struct batch *b)
{
	struct sql_group *group = b->group;

	for (size_t i = 0; i < b->count; i++)
		free(b->members[i]);
	group->busy = false;
	if (group->first != NULL)
		start_batch(group);
	return task_done();
}

static struct step send_batch(struct task *task)
{
	struct batch *b = (struct batch *)task;
	const struct sql_query *query = b->group->query;
	struct sql_param *params = ARENA_ARRAY(&task->arena, struct sql_param, query->n_parameters);
	const struct sql_param *rows[SQL_GROUP_ROWS];

	take_waiting(b);
	if (b->count == 0)
		return finish(b);
	for (size_t i = 0; i < b->count; i++) {
		rows[i] = b->members[i]->params;
		b->members[i]->sent = true;
	}
	for (size_t i = 0; i < query->n_parameters; i++)
		params[i] = sql_column(&task->arena, rows, b->count, i);
	metric_add(&batches, 1);
	metric_add(&grouped, (double)b->count);
	sql_run(task, &b->slot, b->group->sql, query, params, query->n_parameters);
	return task_then(hand_out);
}

/* Each is tried again, and then it is known whose fault it was. */
static struct step try_alone(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		b->members[i]->alone = true;
		enqueue(b->group, b->members[i]);
	}
	b->count = 0;
	return finish(b);
}

static PGresult *row_of(const PGresult *all, int row)
{
	PGresult *one = PQcopyResult(all, PG_COPYRES_ATTRS);

	if (one == NULL)
		abort();
	for (int i = 0; i < PQnfields(all); i++)
		if (!PQsetvalue(one, 0, i, PQgetvalue(all, row, i),
				PQgetisnull(all, row, i) ? -1 : PQgetlength(all, row, i)))
			abort();
	return one;
}

static void refuse(struct member *member, const struct sql_slot *refusal)
{
	if (member->task == NULL)
		return;
	memcpy(member->slot->sqlstate, refusal->sqlstate, sizeof refusal->sqlstate);
	if (refusal->constraint != NULL)
		member->slot->constraint = arena_strdup(&member->task->arena, refusal->constraint);
	answer(member, SQL_REFUSED);
}

static struct step hand_out(struct task *task)
{
	struct batch *b = (struct batch *)task;

	if (b->slot.state == SQL_REFUSED && b->count > 1)
		return try_alone(b);
	assert(b->slot.state != SQL_DONE || (size_t)b->slot.rows == b->count);
	for (size_t i = 0; i < b->count; i++) {
		struct member *member = b->members[i];

		if (b->slot.state == SQL_REFUSED) {
			refuse(member, &b->slot);
			continue;
		}
		if (b->slot.state == SQL_DONE && member->task != NULL)
			sql_slot_take(member->task, member->slot, row_of(b->slot.result, (int)i));
		answer(member, b->slot.state);
	}
	return finish(b);
}

/* sql.c has answered the statement by then, whatever happened to the server. */
static struct step give_up(struct task *task)
{
	struct batch *b = (struct batch *)task;

	for (size_t i = 0; i < b->count; i++)
		answer(b->members[i], SQL_UNKNOWN);
	return finish(b);
}

static void start_batch(struct sql_group *group)
{
	const struct request_context context = {.trace = "group"};
	struct arena arena = {0};
	struct batch *b = task_new(group->loop, &arena, sizeof *b, task_then(send_batch),
				   task_then(give_up), BATCH_MS, &context);

	b->group = group;
	group->busy = true;
}

/* --- the group --- */

static void start_deadline(struct sql_group *group, struct member *member)
{
	const int left_ms = task_remaining(member->task) + GRACE_MS;
	const struct timeval left = {left_ms / 1000, left_ms % 1000 * 1000};

	if (event_assign(&member->deadline, group->loop, -1, 0, on_deadline, member) < 0)
		abort();
	evtimer_add(&member->deadline, &left);
}

void sql_group_run(struct task *task, struct sql_slot *slot, struct sql_group *group,
		   const struct sql_param *params)
{
	struct member *member;

	*slot = (struct sql_slot){.state = SQL_PENDING};
	task_wait(task);
	if (group->waiting >= SQL_GROUP_WAITING) {
		slot->state = SQL_UNAVAILABLE;
		task_answered(task);
		return;
	}
	member = calloc(1, sizeof *member);
	if (member == NULL)
		abort();
	member->task = task;
	member->slot = slot;
	member->params = params;
	start_deadline(group, member);
	enqueue(group, member);
	if (!group->busy)
		start_batch(group);
}

struct sql_group *sql_group_new(struct event_base *loop, struct sql *sql,
				const struct sql_query *query)
{
	struct sql_group *group = calloc(1, sizeof *group);

	if (group == NULL)
		abort();
	assert(sql_knows(sql, query));
	group->loop = loop;
	group->sql = sql;
	group->query = query;
	group->end = &group->first;
	metric_register(&batches);
	metric_register(&grouped);
	return group;
}

void sql_group_free(struct sql_group *group)
{
	if (group == NULL)
		return;
	assert(group->first == NULL && !group->busy);
	free(group);
}
