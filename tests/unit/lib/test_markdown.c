/*
 * test_markdown.c - what members write comes out as safe markup, as plain text, and in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/arena.h"
#include "lib/markdown.h"

#define SOURCE_LIMIT 20000

static struct arena arena;

static int clear(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const char *article(const char *source)
{
	return markdown_html(&arena, source, MARKDOWN_ARTICLE).bytes;
}

static const char *comment(const char *source)
{
	return markdown_html(&arena, source, MARKDOWN_COMMENT).bytes;
}

static void the_usual_marks_are_rendered(void **state)
{
	(void)state;
	assert_string_equal(
		article("**a** *b* `c<d` ~~e~~"),
		"<p><strong>a</strong> <em>b</em> <code>c&lt;d</code> <del>e</del></p>\n");
	assert_string_equal(
		article("> a\n\n- b\n- c\n\n3. d\n\n***"),
		"<blockquote>\n<p>a</p>\n</blockquote>\n<ul>\n<li>b</li>\n<li>c</li>\n</ul>\n"
		"<ol start=\"3\">\n<li>d</li>\n</ol>\n<hr>\n");
	assert_string_equal(article("```js\n<a>\n```"), "<pre><code>&lt;a&gt;\n</code></pre>\n");
}

static void the_size_is_that_of_the_markup(void **state)
{
	struct html html = markdown_html(&arena, "a", MARKDOWN_ARTICLE);

	(void)state;
	assert_int_equal(html.size, 9);
	assert_int_equal(markdown_html(&arena, "", MARKDOWN_ARTICLE).size, 0);
}

static void headings_stand_below_those_of_the_page(void **state)
{
	(void)state;
	assert_string_equal(article("# a\n## b\n###### c"), "<h2>a</h2>\n<h2>b</h2>\n<h6>c</h6>\n");
	assert_string_equal(comment("# a"), "<p><strong>a</strong></p>\n");
}

static void a_line_end_breaks_in_comments_alone(void **state)
{
	(void)state;
	assert_string_equal(article("a\nb"), "<p>a\nb</p>\n");
	assert_string_equal(comment("a\nb"), "<p>a<br>\nb</p>\n");
}

static void html_shows_as_text(void **state)
{
	(void)state;
	assert_string_equal(article("<script>alert(1)</script>"),
			    "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
	assert_string_equal(article("a <b onclick=x>b</b>"),
			    "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n");
	assert_string_equal(article("&lt;i&gt; <!-- c -->"), "<p>&lt;i&gt; &lt;!-- c --&gt;</p>\n");
}

static void links_go_to_the_web_and_to_mail_alone(void **state)
{
	static const char *const refused[] = {
		"[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))",
		"[a](data:text/html,x)",    "[a](&#106;avascript:alert(1))",
		"[a](vbscript:x)",          "[a](//evil.example)",
		"[a](/\\evil.example)",     "[a](/\t/evil.example)",
		"[a](\x01javascript:x)",    "[a](<java\tscript:x>)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_null(strstr(article(refused[i]), "<a"));
	assert_string_equal(article("[a](https://b.fr/?c=1&d=\"é)"),
			    "<p><a href=\"https://b.fr/?c=1&amp;d=%22%C3%A9\" rel=\"ugc nofollow "
			    "noopener\">a</a></p>\n");
	assert_non_null(strstr(article("[a](mailto:a@b.fr)"), "href=\"mailto:a@b.fr\""));
	assert_non_null(strstr(article("[a](https://b.fr \"title\")"), "\"https://b.fr\" rel="));
}

static void a_path_of_the_site_is_a_link_but_not_in_a_mail(void **state)
{
	const char *source = "[un sujet](/sujets/3-confiance)";

	(void)state;
	assert_string_equal(article(source),
			    "<p><a href=\"/sujets/3-confiance\">un sujet</a></p>\n");
	assert_string_equal(markdown_html(&arena, source, MARKDOWN_MAIL).bytes,
			    "<p>un sujet</p>\n");
}

static void addresses_become_links(void **state)
{
	(void)state;
	assert_string_equal(article("(voir https://b.fr/x)."),
			    "<p>(voir <a href=\"https://b.fr/x\" rel=\"ugc nofollow noopener\">"
			    "https://b.fr/x</a>).</p>\n");
}

static void a_picture_is_a_link_to_it(void **state)
{
	(void)state;
	assert_string_equal(
		article("![alt](https://b.fr/p.png)"),
		"<p><a href=\"https://b.fr/p.png\" rel=\"ugc nofollow noopener\">alt</a></p>\n");
	assert_string_equal(article("![alt](data:image/svg+xml,x)"), "<p>alt</p>\n");
}

static void plain_text_keeps_quotes_lists_and_addresses(void **state)
{
	(void)state;
	assert_string_equal(markdown_plain(&arena,
					   "# T\n\n**a** [b](https://c.fr)\n\n> q\n> r\n>\n> s\n\n"
					   "- x\n  1. y\n  2. z\n- w\n\n```\ncode\n```"),
			    "T\n\na b [https://c.fr]\n\n> q\n> r\n>\n> s\n\n"
			    "- x\n  1. y\n  2. z\n- w\n\ncode");
	assert_string_equal(markdown_plain(&arena, "<https://c.fr> <b>x</b>"),
			    "https://c.fr <b>x</b>");
}

static void an_excerpt_is_one_line_of_words(void **state)
{
	(void)state;
	assert_string_equal(markdown_excerpt(&arena, "# T\n\nUn [lien](https://c.fr).\nDeux.", 80),
			    "T Un lien. Deux.");
}

static long milliseconds_of(const char *source)
{
	struct timespec before, after;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	markdown_html(&arena, source, MARKDOWN_COMMENT);
	markdown_plain(&arena, source);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	arena_free(&arena);
	return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
}

/* The bound is generous: a machine may be slow, quadratic time in cmark would be seconds. */
static void hostile_sources_are_rendered_in_time(void **state)
{
	static const char *const patterns[] = {
		">",     "> ",     "- ",     "1. ",   "[",        "![",  "*a _b ",
		"`",     "a@a.",   "a@a",    "[a](",  "~~",       "<",   "- a\n",
		"> a\n", "\n- \n", "![[]()", "* *\n", "[a]: u\n", "***", "a**b*",
	};
	static char source[SOURCE_LIMIT + 1];

	(void)state;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		const size_t length = strlen(patterns[i]);
		size_t end = 0;

		for (; end + length <= SOURCE_LIMIT; end += length)
			memcpy(source + end, patterns[i], length);
		source[end] = '\0';
		if (milliseconds_of(source) > 1500)
			fail_msg("%s repeated takes too long", patterns[i]);
	}
}

static unsigned count(const char *haystack, const char *needle)
{
	unsigned found = 0;

	while ((haystack = strstr(haystack, needle)) != NULL) {
		haystack += strlen(needle);
		found++;
	}
	return found;
}

static void quotes_nest_eight_deep_at_most(void **state)
{
	char source[201] = "";

	(void)state;
	memset(source, '>', 100);
	strcpy(source + 100, " fin");
	assert_int_equal(count(article(source), "<blockquote>"), 8);
	assert_non_null(strstr(article(source), "<p>fin</p>"));
}

static void a_deep_ladder_of_lists_does_no_harm(void **state)
{
	static char source[SOURCE_LIMIT + 1];
	size_t end = 0;

	(void)state;
	for (size_t depth = 0; end + depth * 2 + 4 < SOURCE_LIMIT; depth++) {
		memset(source + end, ' ', depth * 2);
		end += depth * 2;
		memcpy(source + end, "- a\n", 4);
		end += 4;
	}
	assert_true(milliseconds_of(source) < 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_usual_marks_are_rendered),
		cmocka_unit_test(the_size_is_that_of_the_markup),
		cmocka_unit_test(headings_stand_below_those_of_the_page),
		cmocka_unit_test(a_line_end_breaks_in_comments_alone),
		cmocka_unit_test(html_shows_as_text),
		cmocka_unit_test(links_go_to_the_web_and_to_mail_alone),
		cmocka_unit_test(a_path_of_the_site_is_a_link_but_not_in_a_mail),
		cmocka_unit_test(addresses_become_links),
		cmocka_unit_test(a_picture_is_a_link_to_it),
		cmocka_unit_test(plain_text_keeps_quotes_lists_and_addresses),
		cmocka_unit_test(an_excerpt_is_one_line_of_words),
		cmocka_unit_test(hostile_sources_are_rendered_in_time),
		cmocka_unit_test(quotes_nest_eight_deep_at_most),
		cmocka_unit_test(a_deep_ladder_of_lists_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, clear);
}
