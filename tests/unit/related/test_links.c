/*
 * test_links.c - which addresses in a text are topics of this site.
 */
#include "sentences.h"

#include <stdio.h>

#include "related/links.h"

#define SITE "https://causerie.example"

static const struct {
	const char *text, *ids;
} cases[] = {
	{"", ""},
	{NULL, ""},
	{"/sujets/7", "7"},
	{"voir /sujets/7-un-titre, et /s/8.", "7 8"},
	{"[ici](/sujets/7) \"/s/8\" <" SITE "/sujets/9>", "7 8 9"},
	{SITE "/sujets/7 et encore " SITE "/s/7", "7"},
	{"https://ailleurs.example/sujets/7 //ailleurs.example/s/8", ""},
	{SITE "/compte/sujets/7", ""},
	{"/sujets/ /sujets/nouveau /sujets/7e /s/x /sujets/0", ""},
	{"/sujets/9223372036854775808 /sujets/99999999999999999999", ""},
};

static void only_topics_of_this_site_are_links(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t links[MOST_LINKS];
		uint32_t count = 0;
		char found[256] = "";

		links_read(cases[i].text, SITE, links, &count);
		for (uint32_t at = 0; at < count; at++)
			snprintf(found + strlen(found), sizeof found - strlen(found), "%s%llu",
				 at == 0 ? "" : " ", (unsigned long long)links[at]);
		if (strcmp(found, cases[i].ids) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].text, found, cases[i].ids);
	}
}

static void a_text_of_links_is_read_up_to_the_bound(void **state)
{
	static char text[MOST_LINKS * 2 * 16];
	uint64_t links[MOST_LINKS];
	uint32_t count = 0;
	size_t used = 0;

	(void)state;
	for (unsigned id = 1; id <= MOST_LINKS * 2; id++)
		used += (size_t)snprintf(text + used, sizeof text - used, "/sujets/%u ", id);
	links_read(text, SITE, links, &count);
	assert_int_equal(count, MOST_LINKS);
	assert_int_equal(links[MOST_LINKS - 1], MOST_LINKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_topics_of_this_site_are_links),
		cmocka_unit_test(a_text_of_links_is_read_up_to_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
