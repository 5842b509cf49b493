/*
 * test_task.c - when a task runs, waits, is late, and goes; every order in which answers come.
 *
 * "struct errand" stands for any handler, "operation" for any driver: it answers when the
 * test says so. Under AddressSanitizer a task freed too early or never is seen.
 */
#include "lib/task.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "check.h"
#include "lib/clock.h"
#include "lib/log.h"

static struct event_base *loop;
static char story[256]; /* what happened, in order */
static bool gone;       /* the errand's arena was freed */

static const struct request_context visitor = {.trace = "test"};

struct operation {
	struct task *task;
	const char **slot;
};

struct errand {
	struct task task;
	const char *first, *second; /* slots */
	struct operation operations[2];
	struct errand *called;
};

static void tell(const char *what)
{
	strncat(story, what, sizeof story - strlen(story) - 1);
	strncat(story, " ", sizeof story - strlen(story) - 1);
}

static void note_gone(void *nothing)
{
	(void)nothing;
	gone = true;
}

static void begin(struct operation *operation, struct task *task, const char **slot)
{
	operation->task = task;
	operation->slot = slot;
	task_wait(task);
}

static void answer(struct operation *operation, const char *with)
{
	*operation->slot = with;
	task_answered(operation->task);
}

/* Runs what is due now, and no timer that is not. */
static void turn(void)
{
	for (int i = 0; i < 5; i++)
		event_base_loop(loop, EVLOOP_NONBLOCK);
}

/* The loop's own timers do not know the moved clock, so those of a deadline take real time. */
static void turn_until_empty(void)
{
	event_base_loop(loop, 0);
}

static struct errand *new_errand(struct step first, struct step late, int deadline_ms)
{
	struct arena arena = {0};
	struct errand *errand =
		task_new(loop, &arena, sizeof *errand, first, late, deadline_ms, &visitor);

	assert_null(arena.blocks);
	arena_defer(&errand->task.arena, note_gone, NULL);
	return errand;
}

static struct step too_late(struct task *task)
{
	(void)task;
	tell("late");
	return task_done();
}

static struct step finish_with_answers(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	tell("finish");
	tell(errand->first ? errand->first : "nothing");
	tell(errand->second ? errand->second : "nothing");
	return task_done();
}

static struct step ask_two(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	tell("ask");
	begin(&errand->operations[0], task, &errand->first);
	begin(&errand->operations[1], task, &errand->second);
	return task_then(finish_with_answers);
}

static struct step ask_two_answered_at_once(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	begin(&errand->operations[0], task, &errand->first);
	answer(&errand->operations[0], "a");
	begin(&errand->operations[1], task, &errand->second);
	answer(&errand->operations[1], "b");
	tell("asked");
	return task_then(finish_with_answers);
}

/* --- */

static int set_up(void **state)
{
	(void)state;
	loop = event_base_new();
	story[0] = '\0';
	gone = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	event_base_free(loop);
	return tasks_alive() == 0 ? 0 : -1;
}

static void the_first_step_runs_from_the_loop(void **state)
{
	(void)state;
	new_errand(task_then(finish_with_answers), task_then(too_late), 1000);
	assert_string_equal(story, "");
	assert_int_equal(tasks_alive(), 1);
	turn();
	assert_string_equal(story, "finish nothing nothing ");
	assert_true(gone);
	assert_int_equal(tasks_alive(), 0);
}

static void the_next_step_waits_for_every_answer(void **state)
{
	struct errand *errand = new_errand(task_then(ask_two), task_then(too_late), 1000);

	(void)state;
	turn();
	answer(&errand->operations[1], "b");
	turn();
	assert_string_equal(story, "ask ");
	answer(&errand->operations[0], "a");
	assert_string_equal(story, "ask "); /* never inside an operation's callback */
	turn();
	assert_string_equal(story, "ask finish a b ");
	assert_true(gone);
}

static void answers_may_arrive_before_their_calls_return(void **state)
{
	(void)state;
	new_errand(task_then(ask_two_answered_at_once), task_then(too_late), 1000);
	turn();
	assert_string_equal(story, "asked finish a b ");
	assert_true(gone);
}

static struct step ask_one_more(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	tell("more");
	begin(&errand->operations[0], task, &errand->first);
	return task_then(finish_with_answers);
}

static struct step answered_at_once_then_more(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	begin(&errand->operations[1], task, &errand->second);
	answer(&errand->operations[1], "b");
	return task_then(ask_one_more);
}

/* The wake-up of the answer that came at once is still due when the next call is in flight. */
static void an_early_answers_wakeup_does_not_run_a_step_too_many(void **state)
{
	struct errand *errand =
		new_errand(task_then(answered_at_once_then_more), task_then(too_late), 1000);

	(void)state;
	turn();
	assert_string_equal(story, "more ");
	answer(&errand->operations[0], "a");
	turn();
	assert_string_equal(story, "more finish a b ");
}

static void a_task_that_is_late_replies_and_waits_for_what_is_in_flight(void **state)
{
	struct errand *errand = new_errand(task_then(ask_two), task_then(too_late), 100);

	(void)state;
	turn_until_empty();
	assert_string_equal(story, "ask late ");
	assert_false(gone);
	assert_int_equal(tasks_alive(), 1);
	answer(&errand->operations[0], "a"); /* into a living arena */
	turn();
	assert_false(gone);
	answer(&errand->operations[1], "b");
	assert_true(gone);
	turn();
	assert_string_equal(story, "ask late ");
}

static void a_task_that_is_late_with_nothing_in_flight_goes_at_once(void **state)
{
	(void)state;
	new_errand(task_then(finish_with_answers), task_then(too_late), 0);
	turn_until_empty();
	assert_string_equal(story, "late ");
	assert_true(gone);
}

static void after_a_pause_of_the_process_the_deadline_comes_before_the_next_step(void **state)
{
	struct errand *errand = new_errand(task_then(ask_two), task_then(too_late), 1000);

	(void)state;
	turn();
	answer(&errand->operations[0], "a");
	answer(&errand->operations[1], "b");
	clock_advance(1001);
	turn();
	assert_string_equal(story, "ask late ");
	assert_true(gone);
}

static void without_a_late_step_a_late_task_just_ends(void **state)
{
	struct errand *errand = new_errand(task_then(ask_two), task_done(), 100);

	(void)state;
	turn_until_empty();
	answer(&errand->operations[0], "a");
	answer(&errand->operations[1], "b");
	assert_true(gone);
	assert_string_equal(story, "ask ");
}

static void an_abandoned_task_runs_no_step_and_keeps_its_arena_for_answers(void **state)
{
	struct errand *errand = new_errand(task_then(ask_two), task_then(too_late), 100);

	(void)state;
	turn();
	task_abandon(&errand->task);
	assert_false(gone);
	answer(&errand->operations[1], "b");
	turn_until_empty();
	assert_false(gone);
	answer(&errand->operations[0], "a");
	assert_true(gone);
	assert_string_equal(story, "ask ");
}

static void a_task_abandoned_before_its_first_step_never_runs(void **state)
{
	struct errand *errand = new_errand(task_then(ask_two), task_then(too_late), 1000);

	(void)state;
	task_abandon(&errand->task);
	assert_true(gone);
	turn();
	assert_string_equal(story, "");
}

static void the_time_left_shrinks_to_nothing(void **state)
{
	struct errand *errand = new_errand(task_then(ask_two), task_then(too_late), 10000);

	(void)state;
	assert_in_range(task_remaining(&errand->task), 9000, 10000);
	clock_advance(4000);
	assert_in_range(task_remaining(&errand->task), 5000, 6000);
	clock_advance(10000);
	assert_int_equal(task_remaining(&errand->task), 0);
	task_abandon(&errand->task);
}

/* --- tasks that call tasks --- */

static struct step called_works(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	tell("called");
	errand->first = arena_strdup(&task->arena, "found");
	begin(&errand->operations[1], task, &errand->second);
	return task_then(finish_with_answers);
}

static struct step use_what_was_found(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	tell("caller");
	tell(errand->called->first); /* outlives the task that found it */
	return task_done();
}

static struct step call(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	errand->called = task_call(task, sizeof *errand, task_then(called_works));
	return task_then(use_what_was_found);
}

static void a_called_task_is_an_operation_of_its_caller(void **state)
{
	struct errand *errand = new_errand(task_then(call), task_then(too_late), 1000);

	(void)state;
	turn();
	assert_string_equal(story, "called ");
	assert_string_equal(errand->called->task.context.trace, "test");
	answer(&errand->called->operations[1], "b");
	turn();
	assert_string_equal(story, "called finish found b caller found ");
	assert_true(gone);
}

static void an_abandoned_caller_waits_for_the_task_it_called(void **state)
{
	struct errand *errand = new_errand(task_then(call), task_then(too_late), 1000);
	struct errand *called;

	(void)state;
	turn();
	called = errand->called;
	task_abandon(&errand->task);
	assert_false(gone);
	answer(&called->operations[1], "b");
	turn();
	assert_true(gone);
	assert_int_equal(tasks_alive(), 0);
}

static void a_called_task_has_its_callers_deadline_and_ends_without_a_reply(void **state)
{
	struct errand *errand = new_errand(task_then(call), task_then(too_late), 100);
	struct errand *called;

	(void)state;
	turn();
	called = errand->called;
	assert_in_range(task_remaining(&called->task), 0, 100);
	turn_until_empty();
	assert_string_equal(story, "called late ");
	assert_false(gone);
	answer(&called->operations[1], "b");
	assert_true(gone);
}

/* --- pauses --- */

static struct step pause_then_finish(struct task *task)
{
	task_sleep(task, 10);
	return task_then(finish_with_answers);
}

static void a_pause_holds_the_task_and_not_the_loop(void **state)
{
	(void)state;
	new_errand(task_then(pause_then_finish), task_then(too_late), 1000);
	turn();
	assert_string_equal(story, "");
	turn_until_empty();
	assert_string_equal(story, "finish nothing nothing ");
	assert_true(gone);
}

static struct step pause_long_then_finish(struct task *task)
{
	task_sleep(task, 300);
	return task_then(finish_with_answers);
}

static void a_deadline_in_a_pause_does_not_wait_for_it(void **state)
{
	(void)state;
	new_errand(task_then(pause_long_then_finish), task_then(too_late), 50);
	while (story[0] == '\0')
		event_base_loop(loop, EVLOOP_ONCE);
	assert_string_equal(story, "late ");
	assert_false(gone);
	turn_until_empty();
	assert_true(gone);
}

/* --- bugs end the process --- */

static struct step late_and_not_done(struct task *task)
{
	(void)task;
	return task_then(finish_with_answers);
}

static void be_late_and_go_on(void)
{
	new_errand(task_then(finish_with_answers), task_then(late_and_not_done), 0);
	turn_until_empty();
}

static void answer_twice(void)
{
	struct errand *errand = new_errand(task_then(ask_two), task_then(too_late), 1000);

	turn();
	answer(&errand->operations[0], "a");
	answer(&errand->operations[1], "b");
	answer(&errand->operations[1], "b");
}

static void bugs_end_the_process(void **state)
{
	(void)state;
	assert_true(check_aborts(be_late_and_go_on));
	assert_true(check_aborts(answer_twice));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_step_runs_from_the_loop),
		TEST(the_next_step_waits_for_every_answer),
		TEST(answers_may_arrive_before_their_calls_return),
		TEST(an_early_answers_wakeup_does_not_run_a_step_too_many),
		TEST(a_task_that_is_late_replies_and_waits_for_what_is_in_flight),
		TEST(a_task_that_is_late_with_nothing_in_flight_goes_at_once),
		TEST(after_a_pause_of_the_process_the_deadline_comes_before_the_next_step),
		TEST(without_a_late_step_a_late_task_just_ends),
		TEST(an_abandoned_task_runs_no_step_and_keeps_its_arena_for_answers),
		TEST(a_task_abandoned_before_its_first_step_never_runs),
		TEST(the_time_left_shrinks_to_nothing),
		TEST(a_called_task_is_an_operation_of_its_caller),
		TEST(an_abandoned_caller_waits_for_the_task_it_called),
		TEST(a_called_task_has_its_callers_deadline_and_ends_without_a_reply),
		TEST(a_pause_holds_the_task_and_not_the_loop),
		TEST(a_deadline_in_a_pause_does_not_wait_for_it),
		TEST(bugs_end_the_process),
	};

	log_start("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
