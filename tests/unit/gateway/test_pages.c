/*
 * test_pages.c - every page in both languages: whole, accessible, safe, and light.
 *
 * A small scanner reads what was rendered as a browser's tokenizer would, far
 * enough to see tags, attributes and where they end.
 */
#include "samples.h"

#include <ctype.h>
#include <strings.h>
#include <zlib.h>

#include "check.h"
#include "gateway_static.h"
#include "gateway_templates.h"

#define DEPTH_MAX 64
#define NAME_MAX_ 24
#define IDS_MAX   400

/* --- the scanner --- */

struct attribute {
	char name[NAME_MAX_];
	const char *value;
	size_t size;
};

struct tag {
	char name[NAME_MAX_];
	bool closes;
	struct attribute attributes[24];
	size_t n_attributes;
	const char *end; /* after its > */
};

static size_t read_name(const char *at, char name[NAME_MAX_])
{
	size_t size = strcspn(at, " \n\t=>/\"'<");
	size_t i;

	assert_true(size < NAME_MAX_);
	for (i = 0; i < size; i++)
		name[i] = (char)tolower((unsigned char)at[i]);
	name[size] = '\0';
	return size;
}

static const char *read_value(const char *at, struct attribute *attribute)
{
	attribute->value = at;
	if (*at == '"' || *at == '\'') {
		attribute->value = at + 1;
		attribute->size = (size_t)(strchr(at + 1, *at) - at - 1);
		return attribute->value + attribute->size + 1;
	}
	attribute->size = strcspn(at, " \n\t>");
	return at + attribute->size;
}

/* Reads the tag that starts at '<'; a declaration has the name "". */
static void read_tag(const char *at, struct tag *tag)
{
	*tag = (struct tag){.closes = at[1] == '/'};
	at += 1 + tag->closes;
	at += read_name(at, tag->name);
	while (*at != '>') {
		at += strspn(at, " \n\t/");
		if (*at == '>')
			break;
		assert_int_not_equal(*at, '\0');
		assert_true(tag->n_attributes < 24);
		at += read_name(at, tag->attributes[tag->n_attributes].name);
		if (*at == '=')
			at = read_value(at + 1, &tag->attributes[tag->n_attributes]);
		tag->n_attributes++;
	}
	tag->end = at + 1;
}

static const struct attribute *attribute_of(const struct tag *tag, const char *name)
{
	size_t i;

	for (i = 0; i < tag->n_attributes; i++)
		if (strcmp(tag->attributes[i].name, name) == 0)
			return &tag->attributes[i];
	return NULL;
}

static bool is_void(const char *name)
{
	static const char *const names[] = {"meta", "link", "input", "br",
					    "img",  "hr",   "rect",  "!doctype"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* The next tag from at on, or false at the end. The inside of script and textarea is text. */
static bool next_tag(const char **at, struct tag *tag, const char *inside)
{
	char end[NAME_MAX_ + 3];

	if (strcmp(inside, "script") == 0 || strcmp(inside, "textarea") == 0) {
		snprintf(end, sizeof(end), "</%s", inside);
		*at = strcasestr(*at, end);
		assert_non_null(*at);
	}
	*at = strchr(*at, '<');
	if (*at == NULL)
		return false;
	read_tag(*at, tag);
	*at = tag->end;
	return true;
}

/* Calls visit for every opening tag; fails where elements do not nest. */
static void walk(const char *html, void (*visit)(const struct tag *, void *), void *argument)
{
	char open[DEPTH_MAX][NAME_MAX_] = {""};
	size_t depth = 0;
	struct tag tag;

	while (next_tag(&html, &tag, open[depth])) {
		if (tag.closes) {
			assert_string_equal(open[depth], tag.name);
			depth--;
			continue;
		}
		visit(&tag, argument);
		if (!is_void(tag.name)) {
			assert_true(++depth < DEPTH_MAX);
			strcpy(open[depth], tag.name);
		}
	}
	assert_int_equal(depth, 0);
}

/* --- what each sample becomes, one at a time --- */

static char *render(const struct sample *sample, enum locale locale)
{
	struct html_out out = sample_out(locale);
	char *html;

	sample->render(&out);
	html = html_out_take(&out, NULL);
	assert_non_null(html);
	return html;
}

static const struct sample *named(const char *name)
{
	size_t i;

	for (i = 0; i < n_samples; i++)
		if (strcmp(samples[i].name, name) == 0)
			return &samples[i];
	fail_msg("no sample %s", name);
	return NULL;
}

static void each(void (*check)(const char *html, const struct sample *))
{
	size_t i;
	int locale;
	char *html;

	for (i = 0; i < n_samples; i++) {
		for (locale = LOCALE_FR; locale < LOCALE_COUNT; locale++) {
			print_message("%s %s\n", samples[i].name, locale_tag((enum locale)locale));
			html = render(&samples[i], (enum locale)locale);
			check(html, &samples[i]);
			free(html);
		}
	}
}

static size_t count(const char *html, const char *what)
{
	size_t n = 0;

	for (html = strstr(html, what); html != NULL; html = strstr(html + 1, what))
		n++;
	return n;
}

/* --- whole --- */

static void refuse_inline(const struct tag *tag, void *nothing)
{
	const struct attribute *type = attribute_of(tag, "type");
	size_t i;

	(void)nothing;
	assert_string_not_equal(tag->name, "style");
	for (i = 0; i < tag->n_attributes; i++) {
		assert_string_not_equal(tag->attributes[i].name, "style");
		assert_int_not_equal(strncmp(tag->attributes[i].name, "on", 2), 0);
	}
	if (strcmp(tag->name, "script") == 0 && attribute_of(tag, "src") == NULL)
		assert_true(type != NULL && strncmp(type->value, "application/ld+json", 19) == 0);
}

static void is_whole(const char *html, const struct sample *sample)
{
	(void)sample;
	assert_int_equal(strncmp(html, "<!doctype html>\n<html lang=\"", 28), 0);
	assert_string_equal(html + strlen(html) - 7, "</html>");
	assert_int_equal(count(html, "<h1"), 1);
	assert_int_equal(count(html, "<main"), 1);
	assert_int_equal(count(html, "<title>"), 1);
	walk(html, refuse_inline, NULL);
}

static void every_page_is_whole_and_without_inline_script_or_style(void **state)
{
	(void)state;
	each(is_whole);
}

/* --- accessible --- */

struct names {
	char ids[IDS_MAX][64];
	char wanted[IDS_MAX][64];
	size_t n_ids;
	size_t n_wanted;
};

static void keep(char list[IDS_MAX][64], size_t *n, const struct attribute *attribute)
{
	if (attribute == NULL)
		return;
	assert_true(*n < IDS_MAX && attribute->size < 64);
	memcpy(list[*n], attribute->value, attribute->size);
	list[(*n)++][attribute->size] = '\0';
}

static void collect_names(const struct tag *tag, void *argument)
{
	struct names *names = argument;

	keep(names->ids, &names->n_ids, attribute_of(tag, "id"));
	keep(names->wanted, &names->n_wanted, attribute_of(tag, "for"));
	keep(names->wanted, &names->n_wanted, attribute_of(tag, "aria-describedby"));
	keep(names->wanted, &names->n_wanted, attribute_of(tag, "aria-labelledby"));
}

static bool has_id(const struct names *names, const char *id)
{
	size_t i;

	for (i = 0; i < names->n_ids; i++)
		if (strcmp(names->ids[i], id) == 0)
			return true;
	return false;
}

static void ids_agree(const char *html, const struct sample *sample)
{
	struct names *names = calloc(1, sizeof(*names));
	size_t i;
	size_t j;

	(void)sample;
	walk(html, collect_names, names);
	for (i = 0; i < names->n_ids; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(names->ids[i], names->ids[j]);
	for (i = 0; i < names->n_wanted; i++)
		if (!has_id(names, names->wanted[i]))
			fail_msg("nothing has the id %s", names->wanted[i]);
	free(names);
}

static void ids_are_unique_and_labels_point_at_something(void **state)
{
	(void)state;
	each(ids_agree);
}

/* --- forms --- */

static void count_forms(const struct tag *tag, void *argument)
{
	const struct attribute *method = attribute_of(tag, "method");

	if (strcmp(tag->name, "form") == 0 && method != NULL &&
	    strncmp(method->value, "post", 4) == 0)
		++*(size_t *)argument;
}

static void forms_carry_csrf(const char *html, const struct sample *sample)
{
	size_t forms = 0;

	(void)sample;
	if (strstr(html, "class=\"account\"") == NULL)
		return; /* a visitor's forms are held to the same origin instead */
	walk(html, count_forms, &forms);
	assert_int_equal(count(html, "name=\"csrf\""), forms);
}

static void every_form_of_a_member_carries_the_token_of_the_session(void **state)
{
	(void)state;
	each(forms_carry_csrf);
}

static void a_visitor_is_offered_to_sign_in_and_a_member_is_not(void **state)
{
	char *visitor = render(named("topic"), LOCALE_FR);
	char *known = render(named("topic-member"), LOCALE_FR);
	char *on_sign_in = render(named("sign-in"), LOCALE_FR);

	(void)state;
	assert_int_equal(count(visitor, "class=\"strip\""), 1);
	assert_int_equal(count(known, "class=\"strip\""), 0);
	assert_int_equal(count(on_sign_in, "class=\"strip\""), 0);
	assert_non_null(strstr(visitor, "name=\"next\" value=\"/sujets/12-"));
	free(visitor);
	free(known);
	free(on_sign_in);
}

static void what_was_typed_is_kept_and_errors_lead_to_their_field(void **state)
{
	char *html = render(named("topic-form"), LOCALE_FR);

	(void)state;
	assert_non_null(strstr(html, "href=\"#sujet-title\""));
	assert_non_null(strstr(html, "aria-invalid=\"true\" aria-describedby=\"sujet-title-e\""));
	assert_non_null(strstr(html, "value=\"Les silences\""));
	assert_non_null(strstr(html, "On parle beaucoup de *prise de parole*.\n\n## Et"));
	free(html);
}

/* --- words --- */

static void french_reads_as_printed_and_english_as_english(void **state)
{
	char *french = render(named("topic"), LOCALE_FR);
	char *english = render(named("topic"), LOCALE_EN);

	(void)state;
	assert_non_null(strstr(french, "Et si je sponsorisais ce sujet\xe2\x80\xaf?"));
	assert_non_null(strstr(french, "trop de bienveillance"));
	assert_non_null(strstr(french, "<div class=\"prose\" lang=\"en\">\n<p>From across"));
	assert_non_null(strstr(english, "<html lang=\"en\">"));
	assert_non_null(strstr(english, "What if I sponsored this topic?"));
	assert_non_null(strstr(english, "<h1 lang=\"fr\">"));
	assert_null(strstr(english, "Publier"));
	free(french);
	free(english);
}

static void a_deleted_author_is_never_a_blank(void **state)
{
	char *html = render(named("topic"), LOCALE_FR);

	(void)state;
	assert_non_null(strstr(html, "<span class=\"name gone\">Membre supprimé</span>"));
	assert_non_null(strstr(html, "Réaction supprimée par son auteur."));
	free(html);
}

static void a_page_says_what_is_missing(void **state)
{
	char *html = render(named("topic-degraded"), LOCALE_FR);

	(void)state;
	assert_non_null(strstr(html, "Les réactions ne sont pas lisibles en ce moment."));
	assert_non_null(strstr(html, "Les sessions ne répondent pas"));
	assert_non_null(strstr(html, "Dernière liste connue."));
	free(html);
}

static void opinions_show_from_five_on(void **state)
{
	char *few = render(named("topic-degraded"), LOCALE_FR);
	char *many = render(named("topic"), LOCALE_FR);

	(void)state;
	assert_null(strstr(few, "<rect"));
	assert_non_null(strstr(few, "à partir de cinq"));
	assert_int_equal(count(many, "<rect"), 4);
	free(few);
	free(many);
}

static void replies_are_three_levels_deep_at_most(void **state)
{
	char *html = render(named("topic"), LOCALE_FR);

	(void)state;
	assert_non_null(strstr(html, "en réponse à Karim Ould"));
	assert_non_null(strstr(html, "<ol>\n<li id=\"c348\""));
	assert_non_null(strstr(html, "<ol>\n<li id=\"c351\""));
	assert_non_null(strstr(html, "</li>\n<li id=\"c352\"")); /* a reply to c351, beside it */
	free(html);
}

static void matches_of_a_search_are_highlighted(void **state)
{
	char *html = render(named("search"), LOCALE_FR);
	char *none = render(named("search-empty"), LOCALE_FR);

	(void)state;
	assert_int_equal(count(html, "<mark>vélo</mark>"), 2);
	assert_non_null(strstr(none, "«\xc2\xa0xylophone &lt;baryton&gt;\xc2\xa0»"));
	free(html);
	free(none);
}

/* --- hostile content --- */

/* The tags and the names of their attributes, in order: the shape of a page. */
static void note_shape(const struct tag *tag, void *argument)
{
	struct html_out *shape = argument;
	size_t i;

	html_text(shape, tag->name);
	for (i = 0; i < tag->n_attributes; i++) {
		html_raw(shape, " ", 1);
		html_text(shape, tag->attributes[i].name);
	}
	html_raw(shape, "\n", 1);
}

static void refuse_unsafe_links(const struct tag *tag, void *nothing)
{
	const struct attribute *href = attribute_of(tag, "href");

	(void)nothing;
	if (href != NULL)
		assert_false(href->size >= 11 && strncasecmp(href->value, "javascript:", 11) == 0);
}

static char *shape_under(const char *attack)
{
	struct html_out page = sample_out(LOCALE_FR);
	struct html_out shape = {0};
	char *html;

	sample_hostile_topic(&page, attack);
	html = html_out_take(&page, NULL);
	walk(html, refuse_unsafe_links, NULL);
	walk(html, note_shape, &shape);
	free(html);
	return html_out_take(&shape, NULL);
}

static void hostile_texts_do_not_change_the_shape_of_a_page(void **state)
{
	static const char *const attacks[] = {
		"<script>alert(1)</script>",
		"\"><img src=x onerror=alert(1)>",
		"' onmouseover='alert(1)",
		"\" autofocus onfocus=\"alert(1)",
		"javascript:alert(1)",
		" \tjavascript:alert(1)",
		"data:text/html,<script>alert(1)</script>",
		"</textarea><script>alert(1)</script>",
		"</script><script>alert(1)</script>",
		"</title></head><body onload=alert(1)>",
		"<!--",
		"]]><svg/onload=alert(1)>",
		"{{ 7*7 }}{% x %}",
		"&#60;b&#62; &lt;script&gt;",
		"\x02<b>\x03",
		"%s %d %n %%",
		"« <a href=x> » ?",
		"\xff\xfe\xc2",
		"",
	};
	char *plain = shape_under("rien de mal");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
		char *shape = shape_under(attacks[i]);

		assert_string_equal(shape, plain);
		free(shape);
	}
	free(plain);
}

/* --- weight --- */

static size_t packed(const char *bytes, size_t size)
{
	uLongf room = compressBound(size);
	unsigned char *to = malloc(room);

	assert_int_equal(compress2(to, &room, (const unsigned char *)bytes, size, 6), Z_OK);
	free(to);
	return room;
}

static const struct static_file *file(const char *url)
{
	const struct static_file *found;
	bool current;

	found = static_find(url, &current);
	assert_non_null(found);
	assert_true(current);
	return found;
}

static void a_topic_with_fifty_comments_weighs_less_than_thirty_kilobytes(void **state)
{
	struct html_out out = sample_out(LOCALE_FR);
	size_t page;
	size_t style = file(STATIC_SITE_CSS)->gzip_size;
	size_t script = file(STATIC_SITE_JS)->gzip_size;

	(void)state;
	sample_topic_with_comments(&out, 50);
	page = packed(html_written(&out).bytes, html_written(&out).size);
	print_message("page %zu (%zu plain), style %zu, script %zu\n", page, out.size, style,
		      script);
	assert_true(page + style + script <= 30000);
	assert_true(file(STATIC_SITE_JS)->size <= 8192);
	html_out_free(&out);
}

static void a_file_of_another_version_is_still_served(void **state)
{
	const struct static_file *found;
	bool current = true;

	(void)state;
	found = static_find("/static/site.0123456789.css", &current);
	assert_non_null(found);
	assert_false(current);
	assert_string_equal(found->url, STATIC_SITE_CSS);
	assert_null(static_find("/static/other.0123456789.css", &current));
	assert_null(static_find("/static/site.css", &current));
	assert_null(static_find("/static/site.../../x.css", &current));
	assert_null(static_find("", &current));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_is_whole_and_without_inline_script_or_style),
		cmocka_unit_test(ids_are_unique_and_labels_point_at_something),
		cmocka_unit_test(every_form_of_a_member_carries_the_token_of_the_session),
		cmocka_unit_test(a_visitor_is_offered_to_sign_in_and_a_member_is_not),
		cmocka_unit_test(what_was_typed_is_kept_and_errors_lead_to_their_field),
		cmocka_unit_test(french_reads_as_printed_and_english_as_english),
		cmocka_unit_test(a_deleted_author_is_never_a_blank),
		cmocka_unit_test(a_page_says_what_is_missing),
		cmocka_unit_test(opinions_show_from_five_on),
		cmocka_unit_test(replies_are_three_levels_deep_at_most),
		cmocka_unit_test(matches_of_a_search_are_highlighted),
		cmocka_unit_test(hostile_texts_do_not_change_the_shape_of_a_page),
		cmocka_unit_test(a_topic_with_fifty_comments_weighs_less_than_thirty_kilobytes),
		cmocka_unit_test(a_file_of_another_version_is_still_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
