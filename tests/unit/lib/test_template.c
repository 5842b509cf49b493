/* test_template.c - what values become on a page: escaped, spaced, said in the reader's language.
 */
#include "lib/template.h"

#include <errno.h>
#include <event2/buffer.h>

#include "lib/zone.h"

#include "check.h"

#define NARROW "\xe2\x80\xaf"
#define NBSP   "\xc2\xa0"

static struct html_out out;

static int start(void **state)
{
	(void)state;
	out = (struct html_out){.zone = zone_find("Europe/Paris"),
				.now = {INT64_C(1803907800000000)}};
	return 0;
}

static int finish(void **state)
{
	(void)state;
	html_out_free(&out);
	return 0;
}

/* What was written, once: the next call starts afresh. */
static const char *written(void)
{
	static char text[4096];

	assert_true(out.size < sizeof(text));
	memcpy(text, out.size > 0 ? out.bytes : "", out.size);
	text[out.size] = '\0';
	out.size = 0;
	return text;
}

static const char *set(const char *text)
{
	html_typeset(&out, text, LOCALE_FR);
	return written();
}

static const char *set_markup(const char *text)
{
	html_typeset_markup(&out, (struct html){text, strlen(text)}, LOCALE_FR);
	return written();
}

static void text_cannot_become_markup(void **state)
{
	(void)state;
	html_text(&out, "<b title=\"a\" id='x'>&amp;");
	assert_string_equal(written(), "&lt;b title=&quot;a&quot; id=&#39;x&#39;&gt;&amp;amp;");
	html_text(&out, NULL);
	assert_string_equal(written(), "");
}

static void values_are_written_by_their_type(void **state)
{
	char name[8] = "é&";
	uint64_t most = UINT64_MAX;

	(void)state;
	HTML_TEXT(&out, name);
	assert_string_equal(written(), "é&amp;");
	HTML_ATTRIBUTE(&out, most);
	assert_string_equal(written(), "18446744073709551615");
	HTML_ATTRIBUTE(&out, INT64_MIN);
	assert_string_equal(written(), "-9223372036854775808");
	HTML_TEXT(&out, (short)-7);
	assert_string_equal(written(), "-7");
}

static void large_numbers_are_grouped_for_people_only(void **state)
{
	(void)state;
	HTML_TEXT(&out, 2027);
	assert_string_equal(written(), "2027");
	HTML_TEXT(&out, 1234567);
	assert_string_equal(written(), "1" NARROW "234" NARROW "567");
	HTML_ATTRIBUTE(&out, 1234567);
	assert_string_equal(written(), "1234567");
	out.locale = LOCALE_EN;
	HTML_TEXT(&out, -1234567);
	assert_string_equal(written(), "-1,234,567");
}

static void only_safe_addresses_are_links(void **state)
{
	static const char *const refused[] = {"javascript:alert(1)",  "JaVaScRiPt:alert(1)",
					      "data:text/html,x",     "vbscript:x",
					      " javascript:alert(1)", "java\nscript:alert(1)",
					      "\x01javascript:x",     "ftp://a/",
					      "httpx://a/",           "http\t://a/"};
	static const char *const kept[] = {
		"/sujets/1", "https://a.fr/?x=1:2", "mailto:a@b.fr", "#c1",
		"?q=a:b",    "HTTP://a.fr",         "sujets/a:b",    ""};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		html_url(&out, refused[i]);
		assert_string_equal(written(), "#");
	}
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		html_url(&out, kept[i]);
		assert_string_equal(written(), kept[i]);
	}
	html_url(&out, "/a?b&c=\"");
	assert_string_equal(written(), "/a?b&amp;c=&quot;");
}

static void parts_of_an_address_are_percent_encoded(void **state)
{
	(void)state;
	html_url_part(&out, "vélo & co/?#\"'<~");
	assert_string_equal(written(), "v%C3%A9lo%20%26%20co%2F%3F%23%22%27%3C~");
}

static void json_cannot_leave_its_script(void **state)
{
	(void)state;
	html_json(&out, "a</script><!--\"\\\n\x01&é");
	assert_string_equal(written(),
			    "a\\u003c/script\\u003e\\u003c!--\\u0022\\u005c\\u000a\\u0001\\u0026é");
}

static void french_spaces_its_punctuation(void **state)
{
	(void)state;
	assert_string_equal(set("Où ça ? Là ! Oui ; non : si."),
			    "Où ça" NARROW "? Là" NARROW "! Oui" NARROW "; non" NBSP ": si.");
	assert_string_equal(set("Où ça? Là! Oui; non: si."),
			    "Où ça" NARROW "? Là" NARROW "! Oui" NARROW "; non" NBSP ": si.");
	assert_string_equal(set("« oui » et «non»"),
			    "«" NBSP "oui" NBSP "» et «" NBSP "non" NBSP "»");
	assert_string_equal(set("Quoi ?!"), "Quoi" NARROW "?!");
}

static void spacing_already_there_is_not_doubled(void **state)
{
	const char *once = "Où" NARROW "? «" NBSP "Là" NBSP "»" NBSP ": oui" NARROW "!";

	(void)state;
	assert_string_equal(set(once), once);
}

static void addresses_and_times_keep_their_punctuation(void **state)
{
	static const char *const same[] = {"https://a.fr/?q=1;2!",
					   "14:30",
					   "a@b.fr?",
					   "C::D",
					   "http://x.fr/a:",
					   "x;y",
					   "a:b",
					   ":",
					   "?",
					   "!",
					   "",
					   " "};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(same) / sizeof(*same); i++)
		assert_string_equal(set(same[i]), same[i]);
}

static void an_hour_stays_on_one_line(void **state)
{
	(void)state;
	assert_string_equal(set("à 17 h 30, puis 9 h."), "à 17\u00a0h\u00a030, puis 9\u00a0h.");
	assert_string_equal(set("3 h"), "3\u00a0h");
	assert_string_equal(set("2 heures, 4 hôtes, un h 3, h"), "2 heures, 4 hôtes, un h 3, h");
	assert_string_equal(set_markup("<p>17 h 30 <code>17 h 30</code></p>"),
			    "<p>17\u00a0h\u00a030 <code>17 h 30</code></p>");
}

static void english_is_left_alone(void **state)
{
	(void)state;
	html_typeset(&out, "What? « no »: <b>", LOCALE_EN);
	assert_string_equal(written(), "What? « no »: &lt;b&gt;");
}

static void markup_is_spaced_but_not_its_tags_nor_code(void **state)
{
	(void)state;
	assert_string_equal(
		set_markup("<p title=\"a ?\">Oui ? <code>x ? y : z;</code> <em>non</em> "
			   "!</p><pre><code>a ;</code></pre>"),
		"<p title=\"a ?\">Oui" NARROW "? <code>x ? y : z;</code> <em>non</em>" NARROW
		"!</p><pre><code>a ;</code></pre>");
	assert_string_equal(set_markup("a &amp; b &lt; c &#39;"), "a &amp; b &lt; c &#39;");
	assert_string_equal(set_markup("<p unfinished"), "<p unfinished");
}

static void matches_are_marked_and_nothing_else(void **state)
{
	(void)state;
	html_marked(&out, "le \x02v\xc3\xa9lo\x03 <b> ?", LOCALE_FR);
	assert_string_equal(written(), "le <mark>vélo</mark> &lt;b&gt;" NARROW "?");
	html_typeset(&out, "\x02x\x03", LOCALE_FR);
	assert_string_equal(written(), "x");
}

static void a_language_is_said_where_it_differs(void **state)
{
	(void)state;
	html_language(&out, LOCALE_FR);
	html_language(&out, LOCALE_EN);
	assert_string_equal(written(), " lang=\"en\"");
}

static void messages_take_values_in_any_order(void **state)
{
	const struct html_value values[] = {HTML_VALUE("<a>"), HTML_VALUE(3),
					    HTML_VALUE(HTML("<i>"))};

	(void)state;
	html_format(&out, HTML_IN_TEXT, "%s & %d %% %s", values, 3);
	assert_string_equal(written(), "&lt;a&gt; &amp; 3 % <i>");
	html_format(&out, HTML_IN_TEXT, "%2$d/%1$s", values, 3);
	assert_string_equal(written(), "3/&lt;a&gt;");
	html_format(&out, HTML_IN_PLAIN, "%s & %d", values, 3);
	assert_string_equal(written(), "<a> & 3");
}

static void format_beyond_its_values(void)
{
	struct html_out other = {0};

	html_format(&other, HTML_IN_TEXT, "%s %s", (const struct html_value[]){HTML_VALUE("a")}, 1);
}

static void a_message_that_wants_more_values_is_a_bug(void **state)
{
	(void)state;
	assert_true(check_aborts(format_beyond_its_values));
}

static void moments_are_relative_with_the_exact_time_beside(void **state)
{
	struct moment earlier = {out.now.us - INT64_C(3) * 3600 * 1000000};

	(void)state;
	HTML_TEXT(&out, earlier);
	assert_string_equal(written(),
			    "<time datetime=\"2027-03-01T10:30:00Z\" title=\"1er mars 2027 à "
			    "11:30 (heure de Paris)\">il y a 3 h</time>");
	HTML_ATTRIBUTE(&out, earlier);
	assert_string_equal(written(), "2027-03-01T10:30:00Z");
	HTML_TEXT(&out, ((struct moment){0}));
	assert_string_equal(written(), "");
	html_time(&out, HTML_DATE, earlier, NULL);
	assert_string_equal(written(),
			    "<time datetime=\"2027-03-01T10:30:00Z\">1er mars 2027</time>");
}

static void plain_text_is_not_escaped(void **state)
{
	(void)state;
	HTML_PLAIN(&out, "a < b & c");
	plain_typeset(&out, " ?", LOCALE_FR);
	assert_string_equal(written(), "a < b & c" NARROW "?");
}

static void output_is_handed_over_by_reference(void **state)
{
	struct evbuffer *buffer = evbuffer_new();
	char *bytes;

	(void)state;
	html_text(&out, "abc");
	bytes = out.bytes;
	assert_int_equal(html_out_send(&out, buffer), 0);
	assert_null(out.bytes);
	assert_int_equal(evbuffer_get_length(buffer), 3);
	assert_ptr_equal(evbuffer_pullup(buffer, -1), bytes);
	evbuffer_free(buffer);
}

static void output_can_be_taken_as_a_string(void **state)
{
	size_t size;
	char *text;

	(void)state;
	html_text(&out, "abc");
	text = html_out_take(&out, &size);
	assert_string_equal(text, "abc");
	assert_int_equal(size, 3);
	free(text);
}

static void output_beyond_its_limit_is_never_sent(void **state)
{
	struct evbuffer *buffer = evbuffer_new();
	static char megabyte[1 << 20];
	size_t i;

	(void)state;
	memset(megabyte, 'a', sizeof(megabyte));
	for (i = 0; i < 17; i++)
		html_raw(&out, megabyte, sizeof(megabyte));
	assert_true(out.full);
	assert_true(out.size <= HTML_OUT_LIMIT);
	assert_int_equal(html_out_send(&out, buffer), -EMSGSIZE);
	assert_int_equal(evbuffer_get_length(buffer), 0);
	assert_null(html_out_take(&(struct html_out){.full = true}, NULL));
	evbuffer_free(buffer);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_cannot_become_markup),
		TEST(values_are_written_by_their_type),
		TEST(large_numbers_are_grouped_for_people_only),
		TEST(only_safe_addresses_are_links),
		TEST(parts_of_an_address_are_percent_encoded),
		TEST(json_cannot_leave_its_script),
		TEST(french_spaces_its_punctuation),
		TEST(spacing_already_there_is_not_doubled),
		TEST(addresses_and_times_keep_their_punctuation),
		TEST(an_hour_stays_on_one_line),
		TEST(english_is_left_alone),
		TEST(markup_is_spaced_but_not_its_tags_nor_code),
		TEST(matches_are_marked_and_nothing_else),
		TEST(a_language_is_said_where_it_differs),
		TEST(messages_take_values_in_any_order),
		TEST(a_message_that_wants_more_values_is_a_bug),
		TEST(moments_are_relative_with_the_exact_time_beside),
		TEST(plain_text_is_not_escaped),
		TEST(output_is_handed_over_by_reference),
		TEST(output_can_be_taken_as_a_string),
		TEST(output_beyond_its_limit_is_never_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
