/*
 * test_breaker.c - a replica is left alone when it should be, and comes back when it may.
 */
#include "lib/breaker.h"

#include "check.h"

static void five_time_outs_in_a_row_are_enough(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(breaker_timed_out(&breaker, 1000));
	breaker_answered(&breaker, 1000);
	for (int i = 0; i < 4; i++)
		assert_false(breaker_timed_out(&breaker, 1000));
	assert_true(breaker_timed_out(&breaker, 1000));
}

static void more_than_half_of_twenty_are_enough(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	for (int i = 0; i < 9; i++) {
		breaker_answered(&breaker, 1000);
		assert_false(breaker_timed_out(&breaker, 2000));
	}
	assert_false(breaker_timed_out(&breaker, 3000)); /* 10 of 19 */
	assert_true(breaker_timed_out(&breaker, 3000));
}

static void what_is_ten_seconds_old_is_forgotten(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	for (int i = 0; i < 12; i++) {
		breaker_answered(&breaker, 1000);
		breaker_timed_out(&breaker, 1000);
	}
	breaker_answered(&breaker, 12000);
	assert_false(breaker_timed_out(&breaker, 12000));
}

static void it_stays_away_longer_each_time(void **state)
{
	static const int pauses[] = {5000, 10000, 20000, 30000, 30000};
	struct breaker breaker = {0};
	int64_t now = 1000;

	(void)state;
	for (unsigned i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
		breaker_open(&breaker, now);
		assert_true(breaker_is_open(&breaker));
		assert_false(breaker_may_try(&breaker, now + pauses[i] - 1));
		assert_false(
			breaker_timed_out(&breaker, now + pauses[i] - 1)); /* an earlier call */
		now += pauses[i];
		assert_true(breaker_may_try(&breaker, now));
		assert_true(breaker_timed_out(&breaker, now)); /* the try */
	}
}

static void one_answer_closes_it(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		breaker_timed_out(&breaker, 1000);
	breaker_open(&breaker, 1000);
	breaker_answered(&breaker, 6000);
	assert_false(breaker_is_open(&breaker));
	assert_false(breaker_timed_out(&breaker, 6000));
	breaker_open(&breaker, 6000);
	assert_true(breaker_may_try(&breaker, 11000)); /* as good as new: 5 s again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_time_outs_in_a_row_are_enough),
		cmocka_unit_test(more_than_half_of_twenty_are_enough),
		cmocka_unit_test(what_is_ten_seconds_old_is_forgotten),
		cmocka_unit_test(it_stays_away_longer_each_time),
		cmocka_unit_test(one_answer_closes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
