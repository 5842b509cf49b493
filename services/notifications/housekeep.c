/*
 * housekeep.c - deletes, in batches, deliveries that ended long ago.
 *
 *   timer --> forget --> timer (sooner when there was a whole batch)
 *
 * Any number of replicas may do it; what fails is tried again in a minute.
 */
#include "notifications.h"

#include <stdlib.h>

#include <event2/event.h>

#define KEEP_MS      60000 /* between deletions */
#define KEEP_SOON_MS 1000  /* when there was more to delete than one batch */
#define ROUND_MS     5000
#define BATCH        1000 /* as in forget_deliveries */

struct keep {
	struct task task;
	struct sql_slot deleted;
};

static struct event *timer;
static struct event_base *loop;

static task_step forget;

static void arm(int ms)
{
	const struct timeval in = {ms / 1000, ms % 1000 * 1000};

	if (timer != NULL)
		evtimer_add(timer, &in);
}

static void on_over(void *argument)
{
	const struct keep *keep = argument;

	arm(keep->deleted.affected == BATCH ? KEEP_SOON_MS : KEEP_MS);
}

static void on_time(evutil_socket_t nothing, short events, void *argument)
{
	static const struct request_context nobody = {.trace = "housekeeping"};
	struct arena arena = {0};
	struct keep *keep = (struct keep *)task_new(loop, &arena, sizeof *keep, task_then(forget),
						    task_done(), ROUND_MS, &nobody);

	(void)nothing;
	(void)events;
	(void)argument;
	arena_defer(&keep->task.arena, on_over, keep);
}

static struct step forget(struct task *task)
{
	struct keep *keep = (struct keep *)task;

	if (sql_ready(service_here()->sql))
		sql_run(task, &keep->deleted, service_here()->sql, &forget_deliveries_sql, NULL, 0);
	return task_done();
}

void housekeep_start(struct event_base *base)
{
	loop = base;
	timer = evtimer_new(loop, on_time, NULL);
	if (timer == NULL)
		abort();
	arm(KEEP_SOON_MS);
}

void housekeep_stop(void)
{
	if (timer != NULL)
		event_free(timer);
	timer = NULL;
}
