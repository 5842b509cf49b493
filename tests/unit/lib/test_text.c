/*
 * test_text.c - what people write is normalised, counted, folded and cut as promised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/arena.h"
#include "lib/text.h"

static struct arena arena;

static int clear(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void composed_and_decomposed_text_become_the_same(void **state)
{
	(void)state;
	assert_string_equal(text_nfc(&arena, "e\xCC\x81t\xC3\xA9"), "été");
	assert_string_equal(text_nfc(&arena, ""), "");
}

static void what_is_not_utf8_is_no_text(void **state)
{
	static const char *const broken[] = {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
					     "a\xE2\x82"};

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		assert_null(text_nfc(&arena, broken[i]));
		assert_null(text_line(&arena, broken[i]));
		assert_null(text_body(&arena, broken[i]));
		assert_null(text_fold(&arena, broken[i]));
		assert_null(text_slug(&arena, broken[i]));
		assert_false(text_is_name(broken[i]));
	}
	assert_false(text_is_utf8("a\0b", 3));
	assert_true(text_is_utf8("aé", 3));
}

static void length_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(text_length("L’œuvre 🎬"), 9);
	assert_int_equal(text_length(""), 0);
}

static void a_line_has_single_spaces_and_nothing_hidden(void **state)
{
	(void)state;
	assert_string_equal(text_line(&arena, " \t Où\xC2\xA0"
					      "ça\xE2\x80\xAF?\r\n "),
			    "Où ça ?");
	assert_string_equal(text_line(&arena, "a\xE2\x80\xAE"
					      "b\xE2\x80\x8B"
					      "c\x01\x7F"),
			    "abc");
	assert_string_equal(text_line(&arena, " \n"), "");
}

static void a_body_keeps_its_lines_and_the_indentation_of_the_first(void **state)
{
	(void)state;
	assert_string_equal(text_body(&arena, "\r\n \n    code\r\nend\rline\xE2\x80\xA8last \n\n"),
			    "    code\nend\nline\nlast");
	assert_string_equal(text_body(&arena, "tab\tkept, bidi\xE2\x81\xA6 gone"),
			    "tab\tkept, bidi gone");
	assert_string_equal(text_body(&arena, "👩\xE2\x80\x8D💻"), "👩\xE2\x80\x8D💻");
}

static void removing_a_hidden_character_leaves_composed_text(void **state)
{
	(void)state;
	assert_string_equal(text_line(&arena, "e\xE2\x80\x8B\xCC\x81"), "é");
}

static void case_and_accents_fold_apart(void **state)
{
	(void)state;
	assert_string_equal(text_fold(&arena, "CAMILLE@Éxample.FR"), "camille@éxample.fr");
	assert_string_equal(text_plain_fold(&arena, "Cœur d’Été, Łódź, Straße"),
			    "coeur d’ete, lodz, strasse");
}

static void a_title_becomes_a_slug_as_french_spells_it(void **state)
{
	(void)state;
	assert_string_equal(text_slug(&arena, "L’œuvre & l’été : où ça ?"),
			    "l-oeuvre-et-l-ete-ou-ca");
	assert_string_equal(text_slug(&arena, "C'est l'ÆON & Straße"), "c-est-l-aeon-et-strasse");
	assert_string_equal(text_slug(&arena, "Q&A"), "q-et-a");
	assert_string_equal(text_slug(&arena, "&"), "et");
	assert_string_equal(text_slug(&arena, "  --  "), "sujet");
	assert_string_equal(text_slug(&arena, "Разговор"), "sujet");
}

static void a_long_slug_ends_at_a_word(void **state)
{
	char title[300];
	const char *slug;

	(void)state;
	for (size_t i = 0; i < 270; i += 9)
		memcpy(title + i, "bonjour  ", 9);
	title[270] = '\0';
	slug = text_slug(&arena, title);
	assert_true(strlen(slug) <= 100);
	assert_string_equal(slug + strlen(slug) - 8, "-bonjour");
	memset(title, 'a', 250);
	title[250] = '\0';
	assert_int_equal(strlen(text_slug(&arena, title)), 100);
}

static void names_are_visible_and_of_one_script(void **state)
{
	(void)state;
	assert_true(text_is_name("Camille R."));
	assert_true(text_is_name("Jean-François d’Été 2"));
	assert_true(text_is_name("Nguyễn Văn"));
	assert_true(text_is_name("Владимир"));
	assert_true(text_is_name("山田たろうタロウ"));
	assert_false(text_is_name("42"));
	assert_false(text_is_name("p\xD0\xB0ypal")); /* one Cyrillic letter */
	assert_false(text_is_name("たろう김"));
	assert_false(text_is_name("a\xE2\x80\x8B"
				  "b")); /* zero-width space */
	assert_false(text_is_name("a\xE2\x80\xAE"
				  "b")); /* right-to-left override */
	assert_false(text_is_name("a\nb"));
	assert_false(text_is_name("a\xCC\x81\xCC\x81\xCC\x81")); /* a pile of accents */
	assert_false(text_is_name(""));
}

static void names_that_look_alike_have_one_skeleton(void **state)
{
	const char *paypal = text_name_skeleton(&arena, "PayPal");

	(void)state;
	assert_string_equal(text_name_skeleton(&arena, "pay pa1"), paypal);
	assert_string_equal(text_name_skeleton(&arena, "PayPaI"), paypal);
	assert_string_equal(text_name_skeleton(&arena, "РауРаl"), paypal);
	assert_string_not_equal(text_name_skeleton(&arena, "Rémi"),
				text_name_skeleton(&arena, "Remi"));
	assert_string_not_equal(text_name_skeleton(&arena, "Camille"), paypal);
}

static void the_first_sentences_are_whole(void **state)
{
	const char *text =
		"Une conversation n’est pas un marché. M. Dupont dit « non ! » Et puis ? La suite.";

	(void)state;
	assert_string_equal(text_first_sentences(&arena, text, 500), text);
	assert_string_equal(text_first_sentences(&arena, text, 45),
			    "Une conversation n’est pas un marché.");
	assert_string_equal(text_first_sentences(&arena, text, 66),
			    "Une conversation n’est pas un marché. M. Dupont dit « non ! »");
	assert_string_equal(text_first_sentences(&arena, text, 20), "Une conversation…");
	assert_string_equal(text_first_sentences(&arena, "indivisiblement", 6), "indiv…");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(composed_and_decomposed_text_become_the_same),
		cmocka_unit_test(what_is_not_utf8_is_no_text),
		cmocka_unit_test(length_counts_characters),
		cmocka_unit_test(a_line_has_single_spaces_and_nothing_hidden),
		cmocka_unit_test(a_body_keeps_its_lines_and_the_indentation_of_the_first),
		cmocka_unit_test(removing_a_hidden_character_leaves_composed_text),
		cmocka_unit_test(case_and_accents_fold_apart),
		cmocka_unit_test(a_title_becomes_a_slug_as_french_spells_it),
		cmocka_unit_test(a_long_slug_ends_at_a_word),
		cmocka_unit_test(names_are_visible_and_of_one_script),
		cmocka_unit_test(names_that_look_alike_have_one_skeleton),
		cmocka_unit_test(the_first_sentences_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, clear);
}
