/* test_address.c - which addresses we write to, and which are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accounts/accounts.h"

static void usual_addresses_are_taken(void **state)
{
	static const char *const fine[] = {"ana@example.org", "a.b+c@mail.example.co.uk",
					   "o'neil@example.org", "x@a-b.fr", "1@1.fr"};

	(void)state;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		assert_true(address_valid(fine[i]));
}

static void what_could_be_read_otherwise_is_refused(void **state)
{
	static const char *const refused[] = {
		"",
		"ana",
		"@example.org",
		"ana@",
		"ana@localhost",
		"ana@@example.org",
		"a na@example.org",
		"ana@example .org",
		"ana@example.org\r\nRCPT TO:<b@c.fr>",
		"ana@example.org\n",
		"<ana@example.org>",
		"ana@example.org>",
		"\"a b\"@example.org",
		"ana@[127.0.0.1]",
		".ana@example.org",
		"ana.@example.org",
		"a..b@example.org",
		"ana@-example.org",
		"ana@example-.org",
		"ana@.example.org",
		"ana@example..org",
		"ana@example.org.",
		"an\xc3\xa9@example.org",
		"ana@ex\xc3\xa9mple.org",
		"ana@example.org,b@c.fr",
		"ana(x)@example.org",
		"ana@exa_mple.org",
	};

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (address_valid(refused[i]))
			fail_msg("taken: %s", refused[i]);
}

static void lengths_end_where_smtp_ends_them(void **state)
{
	char address[300];

	(void)state;
	memset(address, 'a', sizeof address);
	strcpy(address + 64, "@example.org");
	assert_true(address_valid(address));
	memset(address, 'a', sizeof address);
	strcpy(address + 65, "@example.org");
	assert_false(address_valid(address));

	memset(address, 'a', sizeof address);
	for (size_t i = 2; i < 290; i += 60)
		address[i] = '.';
	address[1] = '@';
	address[2] = 'b';
	address[254] = '\0';
	assert_true(address_valid(address));
	address[254] = 'a';
	address[255] = '\0';
	assert_false(address_valid(address));
}

static void case_alone_makes_no_other_account_but_a_plus_form_does(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_string_equal(address_fold(&arena, "Ana@Example.ORG"), "ana@example.org");
	assert_string_not_equal(address_fold(&arena, "ana+tv@example.org"),
				address_fold(&arena, "ana@example.org"));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_addresses_are_taken),
		cmocka_unit_test(what_could_be_read_otherwise_is_refused),
		cmocka_unit_test(lengths_end_where_smtp_ends_them),
		cmocka_unit_test(case_alone_makes_no_other_account_but_a_plus_form_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
