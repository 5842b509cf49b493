/* test_seal.c - what we hand out is known again, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/arena.h"
#include "lib/cursor.h"
#include "lib/seal.h"

static struct arena arena;

static int clear(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void a_seal_is_read_back(void **state)
{
	char bytes[5] = {0};

	(void)state;
	assert_true(seal_read(seal_write(&arena, "test", "here", "sujet", 5), "test", "here", bytes,
			      5));
	assert_memory_equal(bytes, "sujet", 5);
}

static void another_purpose_scope_or_length_is_refused(void **state)
{
	const char *text = seal_write(&arena, "test", "here", "sujet", 5);
	char bytes[8];

	(void)state;
	assert_false(seal_read(text, "other", "here", bytes, 5));
	assert_false(seal_read(text, "test", "there", bytes, 5));
	assert_false(seal_read(text, "test", "here", bytes, 4));
	assert_false(seal_read(text, "test", "here", bytes, 6));
}

static void a_seal_with_any_bit_changed_is_refused(void **state)
{
	char *text = seal_write(&arena, "test", "", "sujet", 5);
	char bytes[5];

	(void)state;
	for (size_t i = 0; text[i] != '\0'; i++) {
		const char kept = text[i];

		text[i] = kept == 'A' ? 'B' : 'A';
		assert_false(seal_read(text, "test", "", bytes, 5));
		text[i] = kept;
	}
	assert_true(seal_read(text, "test", "", bytes, 5));
}

static void what_is_no_seal_is_refused(void **state)
{
	static const char *const texts[] = {"",
					    "A",
					    "AAAA",
					    "é",
					    "====",
					    "a b",
					    "AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
					    "../../etc/passwd"};
	char bytes[5];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(seal_read(texts[i], "test", "", bytes, 5));
}

static void a_cursor_belongs_to_its_list(void **state)
{
	const struct cursor made = {{-7, INT64_MAX, 0, INT64_MIN}};
	const char *text = cursor_write(&arena, "topics|recent", &made);
	struct cursor read;
	bool given;

	(void)state;
	assert_true(cursor_read(text, "topics|recent", &read, &given));
	assert_true(given);
	assert_memory_equal(&made, &read, sizeof made);
	assert_false(cursor_read(text, "topics|discussed", &read, &given));
	assert_true(cursor_read("", "topics|recent", &read, &given));
	assert_false(given);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_seal_is_read_back, clear),
		cmocka_unit_test_teardown(another_purpose_scope_or_length_is_refused, clear),
		cmocka_unit_test_teardown(a_seal_with_any_bit_changed_is_refused, clear),
		cmocka_unit_test_teardown(what_is_no_seal_is_refused, clear),
		cmocka_unit_test_teardown(a_cursor_belongs_to_its_list, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
