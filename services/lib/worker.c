/*
 * worker.c - threads that run functions for tasks, and an eventfd that tells the loop.
 *
 *   worker_run() --> queued --> a thread runs it --> finished --> loop fills the slot
 *
 * One mutex guards both lists. A thread sees of a task only what was copied for
 * it: the function, its argument, and the time after which nobody waits any more;
 * work that is past it is not begun. Signals stay with the loop's thread.
 */
#include "lib/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/task.h"

#define THREADS_LIMIT 64

/* Lies in the task's arena. */
struct work {
	struct work *next;
	struct task *task;
	struct worker_slot *slot;
	void (*function)(void *);
	void *argument;
	int64_t until_ms;
	bool done;
};

struct list {
	struct work *first, *last;
};

struct workers {
	struct event *wakeup;
	int fd;
	pthread_t threads[THREADS_LIMIT];
	unsigned n_threads, queue_limit;

	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t not_empty;
	struct list queued, finished;
	unsigned n_queued;
	bool stopping;
};

static struct metric refused_metric = METRIC_COUNTER(
	"causerie_worker_refused_total", "reason=\"overload\"", "Work that was not begun");
static struct metric expired_metric = METRIC_COUNTER(
	"causerie_worker_refused_total", "reason=\"expired\"", "Work that was not begun");

static void append(struct list *list, struct work *work)
{
	work->next = NULL;
	if (list->last != NULL)
		list->last->next = work;
	else
		list->first = work;
	list->last = work;
}

static struct work *take_first(struct list *list)
{
	struct work *work = list->first;

	if (work == NULL)
		return NULL;
	list->first = work->next;
	if (list->first == NULL)
		list->last = NULL;
	return work;
}

/* --- on a thread --- */

/* Waits for work; NULL when it is time to end. Called and left with the mutex held. */
static struct work *next_work(struct workers *workers)
{
	struct work *work;

	while (!workers->stopping) {
		work = take_first(&workers->queued);
		if (work != NULL) {
			workers->n_queued--;
			return work;
		}
		pthread_cond_wait(&workers->not_empty, &workers->mutex);
	}
	return NULL;
}

static void *work_on(void *argument)
{
	struct workers *workers = argument;
	struct work *work;

	pthread_mutex_lock(&workers->mutex);
	while ((work = next_work(workers)) != NULL) {
		pthread_mutex_unlock(&workers->mutex);
		if (clock_ms() < work->until_ms) {
			work->function(work->argument);
			work->done = true;
		}
		pthread_mutex_lock(&workers->mutex);
		append(&workers->finished, work);
		eventfd_write(workers->fd, 1);
	}
	pthread_mutex_unlock(&workers->mutex);
	return NULL;
}

/* --- on the loop --- */

static void answer(struct work *work)
{
	if (!work->done)
		metric_add(&expired_metric, 1);
	work->slot->done = work->done;
	task_answered(work->task);
}

static void answer_all(struct workers *workers, struct list *from)
{
	struct list list;
	struct work *work;

	pthread_mutex_lock(&workers->mutex);
	list = *from;
	*from = (struct list){0};
	pthread_mutex_unlock(&workers->mutex);
	while ((work = take_first(&list)) != NULL)
		answer(work);
}

static void on_finished(evutil_socket_t fd, short events, void *argument)
{
	struct workers *workers = argument;
	eventfd_t count;

	(void)events;
	eventfd_read(fd, &count);
	answer_all(workers, &workers->finished);
}

void worker_run(struct task *task, struct worker_slot *slot, struct workers *workers,
		void (*function)(void *), void *argument)
{
	struct work *work = ARENA_NEW(&task->arena, struct work);
	bool full;

	*work = (struct work){
		.task = task,
		.slot = slot,
		.function = function,
		.argument = argument,
		.until_ms = task->deadline_ms,
	};
	pthread_mutex_lock(&workers->mutex);
	full = workers->n_queued >= workers->queue_limit;
	if (!full) {
		task_wait(task);
		append(&workers->queued, work);
		workers->n_queued++;
		pthread_cond_signal(&workers->not_empty);
	}
	pthread_mutex_unlock(&workers->mutex);
	if (full) {
		slot->overload = true;
		metric_add(&refused_metric, 1);
	}
}

static void start_threads(struct workers *workers, unsigned threads)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; workers->n_threads < threads; workers->n_threads++)
		if (pthread_create(&workers->threads[workers->n_threads], NULL, work_on, workers))
			log_fatal("cannot start a thread; is the limit of processes reached?");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct workers *workers_new(struct event_base *loop, unsigned threads, unsigned queue_limit)
{
	struct workers *workers = calloc(1, sizeof *workers);

	assert(threads > 0 && threads <= THREADS_LIMIT);
	if (workers == NULL)
		abort();
	workers->queue_limit = queue_limit;
	workers->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (workers->fd < 0)
		log_fatal("cannot open a descriptor for worker threads");
	workers->wakeup = event_new(loop, workers->fd, EV_READ | EV_PERSIST, on_finished, workers);
	if (workers->wakeup == NULL)
		abort();
	event_add(workers->wakeup, NULL);
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->not_empty, NULL);
	start_threads(workers, threads);
	return workers;
}

void workers_free(struct workers *workers)
{
	if (workers == NULL)
		return;
	pthread_mutex_lock(&workers->mutex);
	workers->stopping = true;
	pthread_cond_broadcast(&workers->not_empty);
	pthread_mutex_unlock(&workers->mutex);
	for (unsigned i = 0; i < workers->n_threads; i++)
		pthread_join(workers->threads[i], NULL);
	answer_all(workers, &workers->finished);
	answer_all(workers, &workers->queued);
	pthread_cond_destroy(&workers->not_empty);
	pthread_mutex_destroy(&workers->mutex);
	event_free(workers->wakeup);
	close(workers->fd);
	free(workers);
}
