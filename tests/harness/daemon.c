/*
 * daemon.c - the smallest daemon that service_main() runs: database, events, rpc, one long task.
 *
 * It goes by the name of comments, whose settings it takes. The database has
 * lib/migrations/outbox.sql. HARNESS_TASK_MS starts a task that lasts so long, so that a
 * drain has something to wait for.
 */
#include <stdlib.h>

#include "lib/outbox.h"
#include "lib/queries.h"
#include "lib/service.h"
#include "lib/task.h"

static struct step finish(struct task *task)
{
	(void)task;
	return task_done();
}

static struct step last_long(struct task *task)
{
	task_sleep(task, atoi(getenv("HARNESS_TASK_MS")));
	return task_then(finish);
}

static const char *start(const struct service_context *here)
{
	const struct request_context nobody = {.trace = "harness"};
	struct arena arena = {0};

	if (getenv("HARNESS_TASK_MS") != NULL)
		task_new(here->loop, &arena, sizeof(struct task), task_then(last_long), task_done(),
			 3600000, &nobody);
	return NULL;
}

static ProtobufCService *const no_services[] = {NULL};

int main(int argc, char **argv)
{
	const struct service service = {
		.name = "comments",
		.description = "the smallest daemon",
		.queries = outbox_queries,
		.rpc = no_services,
		.announces = true,
		.start = start,
	};

	return service_main(argc, argv, &service);
}
