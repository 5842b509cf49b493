/* test_diff.c - what changed between two texts, word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/pages/diff.h"
#include "lib/arena.h"

static struct arena arena;

static int clear(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* "same [-removed-] {+added+}" */
static const char *shown(const char *before, const char *after)
{
	size_t n;
	const struct diff_part *parts = diff_words(&arena, before, after, &n);
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = parts[i].kind == DIFF_SAME
			       ? arena_printf(&arena, "%s%s", text, parts[i].text)
		       : parts[i].kind == DIFF_ADDED
			       ? arena_printf(&arena, "%s{+%s+}", text, parts[i].text)
			       : arena_printf(&arena, "%s[-%s-]", text, parts[i].text);
	return text;
}

static void equal_texts_are_one_part(void **state)
{
	(void)state;
	assert_string_equal(shown("a b c", "a b c"), "a b c");
	assert_string_equal(shown("", ""), "");
}

static void a_word_in_the_middle_is_replaced(void **state)
{
	(void)state;
	assert_string_equal(shown("le vélo rouge roule", "le vélo vert roule"),
			    "le vélo [-rouge -]{+vert +}roule");
}

static void words_come_and_go_at_both_ends(void **state)
{
	(void)state;
	assert_string_equal(shown("b c", "a b"), "{+a +}b[-c-]");
	assert_string_equal(shown("", "tout neuf"), "{+tout neuf+}");
	assert_string_equal(shown("plus rien", ""), "[-plus rien-]");
}

static void both_texts_can_be_read_from_the_parts(void **state)
{
	const char *before = "un deux trois quatre cinq six sept huit";
	const char *after = "deux un trois cinq quatre six huit neuf";
	const char *read_before = "", *read_after = "";
	size_t n;
	const struct diff_part *parts = diff_words(&arena, before, after, &n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].kind != DIFF_ADDED)
			read_before = arena_printf(&arena, "%s%s", read_before, parts[i].text);
		if (parts[i].kind != DIFF_REMOVED)
			read_after = arena_printf(&arena, "%s%s", read_after, parts[i].text);
	}
	assert_string_equal(read_after, after);
	assert_int_equal(strlen(read_before),
			 strlen(before) + 1); /* "huit" is no longer the last word */
}

static void two_long_texts_without_a_word_in_common_take_no_time(void **state)
{
	char before[5000], after[5000];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof before - 1; i++) {
		before[i] = i % 2 ? ' ' : 'a';
		after[i] = i % 2 ? ' ' : 'b';
	}
	before[sizeof before - 1] = after[sizeof after - 1] = '\0';
	assert_int_equal(diff_words(&arena, before, after, &n)[0].kind, DIFF_REMOVED);
	assert_int_equal(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(equal_texts_are_one_part, clear),
		cmocka_unit_test_teardown(a_word_in_the_middle_is_replaced, clear),
		cmocka_unit_test_teardown(words_come_and_go_at_both_ends, clear),
		cmocka_unit_test_teardown(both_texts_can_be_read_from_the_parts, clear),
		cmocka_unit_test_teardown(two_long_texts_without_a_word_in_common_take_no_time,
					  clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
