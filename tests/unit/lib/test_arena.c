/* test_arena.c - memory of a piece of work: there, zeroed, bounded, and gone in one stroke. */
#include "lib/arena.h"

#include <stdint.h>
#include <string.h>

#include "check.h"

static char order[16];

static void note(void *letter)
{
	strncat(order, letter, 1);
}

static void an_empty_arena_can_be_freed(void **state)
{
	struct arena arena = {0};

	(void)state;
	arena_free(&arena);
	arena_free(&arena);
	assert_int_equal(arena.bytes, 0);
}

static void memory_is_zeroed_and_aligned_at_every_size(void **state)
{
	struct arena arena = {0};

	(void)state;
	for (size_t size = 0; size < 300; size++) {
		unsigned char *bytes = arena_alloc(&arena, size);

		assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xff, size);
	}
	arena_free(&arena);
}

static void allocations_do_not_overlap_across_blocks(void **state)
{
	struct arena arena = {0};
	unsigned char *pieces[200];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		pieces[i] = arena_alloc(&arena, 1000);
		memset(pieces[i], (int)i, 1000);
	}
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(pieces[i][0], i);
		assert_int_equal(pieces[i][999], i);
	}
	assert_true(arena.bytes >= 200 * 1000);
	arena_free(&arena);
}

static void a_piece_larger_than_any_block_is_possible(void **state)
{
	struct arena arena = {0};
	unsigned char *large = arena_alloc(&arena, 1 << 20);

	(void)state;
	large[(1 << 20) - 1] = 7;
	assert_non_null(arena_alloc(&arena, 10));
	arena_free(&arena);
}

static void take_too_much(void)
{
	struct arena arena = {0};

	arena_array(&arena, SIZE_MAX / 2, 3);
}

static void a_product_that_overflows_ends_the_process(void **state)
{
	(void)state;
	assert_true(check_aborts(take_too_much));
}

static void copies_end_in_nul(void **state)
{
	struct arena arena = {0};
	const char *cut = arena_strndup(&arena, "abcdef", 3);

	(void)state;
	assert_string_equal(arena_copy(&arena, "xyz", 2), "xy");
	assert_string_equal(arena_copy(&arena, NULL, 0), "");
	assert_string_equal(cut, "abc");
	assert_string_equal(arena_strndup(&arena, "ab", 30), "ab");
	assert_string_equal(arena_strdup(&arena, ""), "");
	arena_free(&arena);
}

static void printing_takes_what_it_needs(void **state)
{
	struct arena arena = {0};
	const char *text = arena_printf(&arena, "%0*d|%s", 9000, 1, "end");

	(void)state;
	assert_int_equal(strlen(text), 9004);
	assert_string_equal(text + 9000, "|end");
	arena_free(&arena);
}

static void what_is_deferred_goes_latest_first(void **state)
{
	struct arena arena = {0};
	char a[] = "a", b[] = "b", c[] = "c";

	(void)state;
	order[0] = '\0';
	arena_defer(&arena, note, a);
	arena_defer(&arena, note, b);
	arena_defer(&arena, note, c);
	assert_string_equal(order, "");
	arena_free(&arena);
	assert_string_equal(order, "cba");
}

static void an_arena_may_lie_in_its_own_memory(void **state)
{
	struct arena first = {0}, *inside = ARENA_NEW(&first, struct arena);
	char a[] = "a";

	(void)state;
	order[0] = '\0';
	*inside = first;
	arena_defer(inside, note, a);
	arena_free(inside);
	assert_string_equal(order, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_arena_can_be_freed),
		cmocka_unit_test(memory_is_zeroed_and_aligned_at_every_size),
		cmocka_unit_test(allocations_do_not_overlap_across_blocks),
		cmocka_unit_test(a_piece_larger_than_any_block_is_possible),
		cmocka_unit_test(a_product_that_overflows_ends_the_process),
		cmocka_unit_test(copies_end_in_nul),
		cmocka_unit_test(printing_takes_what_it_needs),
		cmocka_unit_test(what_is_deferred_goes_latest_first),
		cmocka_unit_test(an_arena_may_lie_in_its_own_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
