/*
 * test_zone.c - local times become instants, on the nights when clocks change as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/zone.h"

static bool instant(const char *name, const char *local, int64_t *seconds)
{
	struct tm tm;

	memset(&tm, 0, sizeof tm);
	assert_non_null(strptime(local, "%Y-%m-%dT%H:%M:%S", &tm));
	return zone_instant(zone_find(name), &tm, seconds);
}

static void an_afternoon_in_paris_is_an_instant(void **state)
{
	int64_t seconds;

	(void)state;
	assert_true(instant("Europe/Paris", "2027-03-01T14:30:00", &seconds));
	assert_int_equal(seconds, 1803907800); /* 13:30 UTC */
	assert_true(instant("Europe/Paris", "2027-07-01T14:30:00", &seconds));
	assert_int_equal(seconds, 1814445000); /* 12:30 UTC */
}

static void the_hour_that_clocks_skip_is_none(void **state)
{
	int64_t seconds;

	(void)state;
	assert_false(instant("Europe/Paris", "2027-03-28T02:30:00", &seconds));
	assert_true(instant("Europe/Paris", "2027-03-28T03:00:00", &seconds));
	assert_int_equal(seconds, 1806195600); /* 01:00 UTC */
}

static void of_the_hour_that_comes_twice_it_is_the_first(void **state)
{
	int64_t seconds;

	(void)state;
	assert_true(instant("Europe/Paris", "2027-10-31T02:30:00", &seconds));
	assert_int_equal(seconds, 1824942600); /* 00:30 UTC, still summer */
	assert_true(instant("America/Montreal", "2027-11-07T01:30:00", &seconds));
	assert_int_equal(seconds, 1825565400); /* 05:30 UTC */
}

static void a_day_that_is_not_in_the_calendar_is_none(void **state)
{
	struct tm tm = {.tm_year = 127, .tm_mon = 1, .tm_mday = 31, .tm_hour = 12};
	int64_t seconds;

	(void)state;
	assert_false(zone_instant(zone_find("Europe/Paris"), &tm, &seconds));
}

static void without_a_zone_it_is_utc(void **state)
{
	struct tm tm = {.tm_year = 127, .tm_mday = 1};
	int64_t seconds;

	(void)state;
	assert_true(zone_instant(NULL, &tm, &seconds));
	assert_int_equal(seconds, 1798761600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_afternoon_in_paris_is_an_instant),
		cmocka_unit_test(the_hour_that_clocks_skip_is_none),
		cmocka_unit_test(of_the_hour_that_comes_twice_it_is_the_first),
		cmocka_unit_test(a_day_that_is_not_in_the_calendar_is_none),
		cmocka_unit_test(without_a_zone_it_is_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
