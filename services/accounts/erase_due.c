/*
 * erase_due.c - erases the accounts whose time to change their mind is over.
 *
 *   timer --> erase --> erased --> timer
 *
 * Any number of replicas may do it; what fails is tried again a second later. A database that was
 * restored from a backup has those that were waiting then, and they go again.
 */
#include "accounts.h"

#include <inttypes.h>
#include <stdlib.h>

#include <event2/event.h>

#include "lib/log.h"
#include "lib/outbox.h"

#define TICK_MS  1000
#define ROUND_MS 5000
#define BATCH    100 /* their rows are locked together */

struct erasing {
	struct task task;
	struct sql_slot erased;
};

static struct event *timer;
static struct event_base *loop;

static task_step erase, erased;

static void arm(void *nothing)
{
	const struct timeval in = {TICK_MS / 1000, TICK_MS % 1000 * 1000};

	(void)nothing;
	if (timer != NULL)
		evtimer_add(timer, &in);
}

static void on_time(evutil_socket_t nothing, short events, void *argument)
{
	static const struct request_context nobody = {.trace = "erasure"};
	struct arena arena = {0};
	struct task *task = task_new(loop, &arena, sizeof(struct erasing), task_then(erase),
				     task_done(), ROUND_MS, &nobody);

	(void)nothing;
	(void)events;
	(void)argument;
	arena_defer(&task->arena, arm, NULL);
}

static struct step erase(struct task *task)
{
	struct erasing *e = (struct erasing *)task;

	if (!sql_ready(service_here()->sql))
		return task_done();
	SQL_NAMED(task, &e->erased, service_here()->sql, &erase_accounts_sql, NULL,
		  {"limit", sql_integer(BATCH)});
	return task_then(erased);
}

static struct step erased(struct task *task)
{
	struct erasing *e = (struct erasing *)task;

	if (e->erased.state != SQL_DONE) {
		log_warn(task->context.trace, "account.not_erased", "sqlstate=%s do=%s",
			 e->erased.sqlstate, "look at the database; it is tried again");
		return task_done();
	}
	if (e->erased.rows == 0)
		return task_done();
	outbox_wake(service_here()->outbox);
	for (int row = 0; row < e->erased.rows; row++)
		log_info(NULL, "account.erased", "account=%" PRId64,
			 sql_get_integer(&e->erased, row, "id"));
	return task_done();
}

void erase_due_start(struct event_base *base)
{
	loop = base;
	timer = evtimer_new(loop, on_time, NULL);
	if (timer == NULL)
		abort();
	arm(NULL);
}

void erase_due_stop(void)
{
	if (timer != NULL)
		event_free(timer);
	timer = NULL;
}
