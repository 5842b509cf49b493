/*
 * test_record.c - lists of terms, packed and read again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dice.h"

#include "related/analyser.h"
#include "related/memory.h"
#include "related/record.h"

static int by_number(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

/* The same list as this test makes it: sorted by the library. */
static uint32_t *sorted(const struct terms *terms)
{
	uint32_t *copy = MEMORY_NEW(uint32_t, terms->count);

	for (uint32_t i = 0; i < terms->count; i++)
		copy[i] = terms->at[i];
	qsort(copy, terms->count, sizeof *copy, by_number);
	return copy;
}

static void assert_packed(struct bytes *bytes, struct terms *terms)
{
	uint32_t *expected = sorted(terms), at = 0, last = 0;
	struct part part = {0};
	struct list list;

	bytes->used = 0;
	record_add_terms(bytes, PART_BODY, terms);
	assert_true(record_next(&(struct record){bytes->at, (uint32_t)bytes->used}, &part));
	assert_true(record_terms(&part, UINT32_MAX, &list));
	assert_int_equal(list.tokens, terms->count);
	while (list_next(&list)) {
		assert_true(at == 0 || list.term > last);
		last = list.term;
		for (uint32_t n = 0; n < list.frequency; n++)
			assert_int_equal(list.term, expected[at++]);
	}
	assert_int_equal(at, terms->count);
	free(expected);
}

static void terms_stand_by_rising_number_with_their_frequency(void **state)
{
	static const uint32_t ranges[] = {1, 200, 60000, 1 << 20, UINT32_MAX};
	struct terms terms = {0};
	struct bytes bytes = {0};
	uint64_t random = 5;

	(void)state;
	for (uint32_t count = 1; count < 400; count++) {
		uint32_t range = ranges[dice(&random, sizeof ranges / sizeof *ranges)];

		terms.count = 0;
		MEMORY_GROW(terms.at, terms.room, count);
		while (terms.count < count)
			terms.at[terms.count++] = dice(&random, range);
		assert_packed(&bytes, &terms);
	}
	terms_free(&terms);
	bytes_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms_stand_by_rising_number_with_their_frequency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
