/*
 * task.c - runs a task's steps, one whenever nothing is pending.
 *
 * The state machine is three fields: next, pending, done. A step that starts
 * operations leaves them pending and returns what follows; the last answer wakes
 * the loop, which runs it. Whoever ends (no step follows, deadline, abandoned)
 * becomes done; the arena goes when the last operation in flight has answered.
 */
#include "lib/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "lib/clock.h"
#include "lib/log.h"

#define SLOW_MS      500 /* a task that took longer says where */
#define SLOW_STEP_MS 20  /* a step that held the loop longer is a defect */
#define STEPS_LIMIT  1024

static unsigned alive;

unsigned tasks_alive(void)
{
	return alive;
}

static void free_event(void *event)
{
	event_free(event);
}

static void free_arena(void *arena)
{
	arena_free(arena);
}

/*
 * The last thing a task does. What a called task found must outlive it, so its
 * memory passes to the caller, which waits no longer.
 */
static void release(struct task *task)
{
	struct task *caller = task->caller;
	struct arena *kept;

	alive--;
	if (caller == NULL) {
		arena_free(&task->arena);
		return;
	}
	kept = ARENA_NEW(&caller->arena, struct arena);
	*kept = task->arena;
	arena_defer(&caller->arena, free_arena, kept);
	task_answered(caller);
}

static void finish(struct task *task)
{
	const long long took = clock_ms() - task->started_ms;

	task->done = true;
	event_del(task->deadline);
	event_del(task->wakeup);
	if (took > SLOW_MS)
		log_warn(task->context.trace, "task.slow", "task=%s ms=%lld steps=%s", task->name,
			 took, task->steps);
	if (task->pending == 0)
		release(task);
}

static void note_step(struct task *task, const char *name, int64_t ms)
{
	if (ms > SLOW_STEP_MS)
		log_warn(task->context.trace, "task.step_held_the_loop", "step=%s ms=%lld", name,
			 (long long)ms);
	if (task->steps == NULL)
		task->steps = arena_strdup(&task->arena, name);
	else if (strlen(task->steps) < STEPS_LIMIT)
		task->steps = arena_printf(&task->arena, "%s, %s@%lldms", task->steps, name,
					   (long long)(clock_ms() - task->started_ms));
}

static void be_late(struct task *task)
{
	task->next = task->late.run ? task->late.run(task) : task_done();
	assert(task->next.run == NULL); /* a late step replies; it starts nothing */
	finish(task);
}

/*
 * Runs steps until one waits for an answer or none follows. The clock is asked,
 * too: after a pause of the process the wake-up may come before the timer.
 */
static void run(struct task *task)
{
	while (task->pending == 0 && task->next.run != NULL) {
		const struct step step = task->next;
		const int64_t before = clock_ms();

		if (before >= task->deadline_ms) {
			be_late(task);
			return;
		}
		task->next = step.run(task);
		note_step(task, step.name, clock_ms() - before);
	}
	if (task->next.run == NULL)
		finish(task);
}

static void on_wakeup(evutil_socket_t nothing, short events, void *task)
{
	(void)nothing;
	(void)events;
	run(task);
}

static void on_deadline(evutil_socket_t nothing, short events, void *task)
{
	(void)nothing;
	(void)events;
	be_late(task);
}

static struct event *own_event(struct task *task, event_callback_fn callback)
{
	struct event *event = event_new(task->loop, -1, 0, callback, task);

	if (event == NULL)
		abort();
	arena_defer(&task->arena, free_event, event);
	return event;
}

void *task_new(struct event_base *loop, struct arena *arena, size_t size, struct step first,
	       struct step late, int deadline_ms, const struct request_context *context)
{
	struct task *task;
	struct timeval time_left = {deadline_ms / 1000, deadline_ms % 1000 * 1000};

	assert(size >= sizeof *task && deadline_ms >= 0);
	task = arena_alloc(arena, size);
	task->arena = *arena;
	*arena = (struct arena){0};
	task->next = first;
	task->name = first.name;
	task->late = late;
	task->context = *context;
	task->loop = loop;
	task->started_ms = clock_ms();
	task->deadline_ms = task->started_ms + deadline_ms;
	task->wakeup = own_event(task, on_wakeup);
	task->deadline = own_event(task, on_deadline);
	evtimer_add(task->deadline, &time_left);
	event_active(task->wakeup, 0, 0);
	alive++;
	return task;
}

void *task_call(struct task *caller, size_t size, struct step first)
{
	struct arena arena = {0};
	struct task *task = task_new(caller->loop, &arena, size, first, task_done(),
				     task_remaining(caller), &caller->context);

	task->caller = caller;
	task_wait(caller);
	return task;
}

void task_abandon(struct task *task)
{
	assert(!task->done);
	task->next = task_done();
	finish(task);
}

int task_remaining(const struct task *task)
{
	int64_t left = task->deadline_ms - clock_ms();

	return left > 0 ? (int)left : 0;
}

void task_wait(struct task *task)
{
	assert(!task->done);
	task->pending++;
}

void task_answered(struct task *task)
{
	assert(task->pending > 0);
	if (--task->pending > 0)
		return;
	if (task->done)
		release(task);
	else
		event_active(task->wakeup, 0, 0);
}

struct pause {
	struct task *task;
	struct event *timer;
};

static void on_pause_over(evutil_socket_t nothing, short events, void *argument)
{
	struct pause *pause = argument;

	(void)nothing;
	(void)events;
	task_answered(pause->task);
}

void task_sleep(struct task *task, int ms)
{
	struct pause *pause = ARENA_NEW(&task->arena, struct pause);
	struct timeval length = {ms / 1000, ms % 1000 * 1000};

	pause->task = task;
	pause->timer = evtimer_new(task->loop, on_pause_over, pause);
	if (pause->timer == NULL)
		abort();
	arena_defer(&task->arena, free_event, pause->timer);
	task_wait(task);
	evtimer_add(pause->timer, &length);
}
