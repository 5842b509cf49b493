/*
 * test_worker.c - work on threads: answered once, refused when too much, dropped when late.
 */
#include "lib/worker.h"

#include <semaphore.h>
#include <stdatomic.h>

#include <event2/event.h>

#include "check.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/task.h"

static struct event_base *loop;
static struct workers *workers;
static const struct request_context visitor = {.trace = "test"};

static sem_t begun, go_on;
static atomic_int ran;

struct errand {
	struct task task;
	struct worker_slot slots[4];
	unsigned wanted; /* pieces of work */
	int number;      /* the argument of one */
	int *done, *overload;
};

static void count(void *argument)
{
	int *number = argument;

	(*number)++;
	atomic_fetch_add(&ran, 1);
}

static void count_when_told(void *argument)
{
	sem_post(&begun);
	sem_wait(&go_on);
	count(argument);
}

static struct step look(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	for (unsigned i = 0; i < errand->wanted; i++) {
		*errand->done += errand->slots[i].done;
		*errand->overload += errand->slots[i].overload;
	}
	return task_done();
}

static struct step work(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	for (unsigned i = 0; i < errand->wanted; i++)
		worker_run(task, &errand->slots[i], workers, count, &errand->number);
	return task_then(look);
}

static struct step work_when_told(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	for (unsigned i = 0; i < errand->wanted; i++)
		worker_run(task, &errand->slots[i], workers, count_when_told, &errand->number);
	return task_then(look);
}

static struct errand *new_errand(struct step first, unsigned wanted, int deadline_ms, int *done,
				 int *overload)
{
	struct arena arena = {0};
	struct errand *errand =
		task_new(loop, &arena, sizeof *errand, first, task_done(), deadline_ms, &visitor);

	errand->wanted = wanted;
	errand->done = done;
	errand->overload = overload;
	return errand;
}

static void run_until_idle(void)
{
	while (tasks_alive() > 0)
		event_base_loop(loop, EVLOOP_ONCE);
}

static int set_up(void **state)
{
	(void)state;
	loop = event_base_new();
	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	atomic_store(&ran, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	workers_free(workers);
	workers = NULL;
	run_until_idle();
	event_base_free(loop);
	return 0;
}

static void work_is_done_on_a_thread_and_answered_on_the_loop(void **state)
{
	int done = 0, overload = 0;

	(void)state;
	workers = workers_new(loop, 1, 10);
	new_errand(task_then(work), 3, 5000, &done, &overload);
	run_until_idle();
	assert_int_equal(done, 3);
	assert_int_equal(overload, 0);
	assert_int_equal(atomic_load(&ran), 3);
}

static void many_tasks_share_several_threads(void **state)
{
	int done = 0, overload = 0;

	(void)state;
	workers = workers_new(loop, 4, 1000);
	for (int i = 0; i < 200; i++)
		new_errand(task_then(work), 1, 5000, &done, &overload);
	run_until_idle();
	assert_int_equal(done, 200);
}

static void a_full_queue_refuses_at_once(void **state)
{
	int done = 0, overload = 0;

	(void)state;
	workers = workers_new(loop, 1, 1);
	new_errand(task_then(work_when_told), 1, 5000, &done, &overload);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	sem_wait(&begun); /* the thread is busy, the queue is empty */
	new_errand(task_then(work), 4, 5000, &done, &overload);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	sem_post(&go_on);
	run_until_idle();
	assert_int_equal(done, 2);
	assert_int_equal(overload, 3);
}

static void work_whose_task_is_late_in_the_queue_is_not_begun(void **state)
{
	int done = 0, overload = 0;

	(void)state;
	workers = workers_new(loop, 1, 10);
	new_errand(task_then(work_when_told), 1, 60000, &done, &overload);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	sem_wait(&begun);
	new_errand(task_then(work), 1, 1000, &done, &overload);
	event_base_loop(loop, EVLOOP_NONBLOCK); /* its first step queues the work */
	clock_advance(1000);
	sem_post(&go_on);
	run_until_idle();
	assert_int_equal(atomic_load(&ran), 1);
	assert_int_equal(done, 1);
}

static void a_task_lives_until_its_function_is_over(void **state)
{
	int done = 0, overload = 0;
	struct errand *errand;

	(void)state;
	workers = workers_new(loop, 1, 10);
	errand = new_errand(task_then(work_when_told), 1, 5000, &done, &overload);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	sem_wait(&begun);
	task_abandon(&errand->task);
	assert_int_equal(tasks_alive(), 1);
	sem_post(&go_on); /* now it writes into the arena */
	run_until_idle();
	assert_int_equal(atomic_load(&ran), 1);
	assert_int_equal(done, 0);
}

static void ending_waits_for_what_runs_and_drops_what_is_queued(void **state)
{
	int done = 0, overload = 0;

	(void)state;
	workers = workers_new(loop, 1, 10);
	new_errand(task_then(work_when_told), 3, 5000, &done, &overload);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	sem_wait(&begun);
	sem_post(&go_on);
	sem_post(&go_on); /* in case the thread takes the next before it is told to end */
	sem_post(&go_on);
	workers_free(workers);
	workers = NULL;
	run_until_idle();
	assert_int_equal(done, atomic_load(&ran));
	assert_in_range(done, 1, 3);
	assert_int_equal(overload, 0);
}

static void signals_stay_with_the_loop(void **state)
{
	int done = 0, overload = 0;
	sigset_t set;
	int signal_number = 0;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	workers = workers_new(loop, 2, 10);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGTERM); /* a thread that did not block it would end the process */
	new_errand(task_then(work), 2, 5000, &done, &overload);
	run_until_idle();
	sigwait(&set, &signal_number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	assert_int_equal(signal_number, SIGTERM);
	assert_int_equal(done, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(work_is_done_on_a_thread_and_answered_on_the_loop),
		TEST(many_tasks_share_several_threads),
		TEST(a_full_queue_refuses_at_once),
		TEST(work_whose_task_is_late_in_the_queue_is_not_begun),
		TEST(a_task_lives_until_its_function_is_over),
		TEST(ending_waits_for_what_runs_and_drops_what_is_queued),
		TEST(signals_stay_with_the_loop),
	};

	log_start("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
