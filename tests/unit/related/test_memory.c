/*
 * test_memory.c - large blocks come as mappings of their own, so that nobody waits for clearing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "related/memory.h"

enum { LARGE = 8 << 20, PAGE = 4096, PAGES = LARGE / PAGE };

/* Pages of a block that somebody has touched. */
static size_t touched(const uint8_t *block)
{
	static unsigned char resident[PAGES];
	uintptr_t first = ((uintptr_t)block + PAGE - 1) / PAGE * PAGE;
	size_t count = 0;

	assert_return_code(mincore((void *)first, (PAGES - 1) * PAGE, resident), 0);
	for (size_t i = 0; i < PAGES - 1; i++)
		count += resident[i] & 1;
	return count;
}

/* The second of these is where malloc, left alone, would begin to take them from the heap. */
static void a_large_block_comes_cleared_without_being_touched(void **state)
{
	uint8_t *block = NULL, *behind = NULL;

	(void)state;
	memory_begin();
	free(memory_new(1, LARGE));
	block = memory_new(1, LARGE);
	behind = memory_new(1, 1000);
	memset(block, 1, LARGE);
	assert_int_equal(touched(block), PAGES - 1);
	free(block);

	block = memory_new(1, LARGE);
	assert_int_equal(touched(block), 0);
	for (size_t i = 0; i < LARGE; i++)
		assert_int_equal(block[i], 0);
	free(block);
	free(behind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_block_comes_cleared_without_being_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
