/*
 * test_analyser.c - what becomes of written words.
 */
#include <stdlib.h>

#include "dice.h"
#include "sentences.h"

#include "related/analyser.h"
#include "related/dictionary.h"

struct reading {
	struct dictionary dictionary;
	struct analyser *analyser;
	struct terms terms;
};

static int open_reading(void **state)
{
	static struct reading reading;

	dictionary_open(&reading.dictionary);
	reading.analyser = analyser_new(&reading.dictionary);
	reading.terms = (struct terms){0};
	*state = &reading;
	return 0;
}

static int close_reading(void **state)
{
	struct reading *r = *state;

	analyser_free(r->analyser);
	dictionary_close(&r->dictionary);
	terms_free(&r->terms);
	return 0;
}

static const char *stem(const struct reading *r, uint32_t at)
{
	return r->dictionary.pool + r->dictionary.terms[r->terms.at[at]].stem + 1;
}

static void read_text(struct reading *r, const char *text)
{
	r->terms.count = 0;
	analyser_read(r->analyser, text, LEARN_FORMS, &r->terms);
}

static void assert_terms(struct reading *r, const char *text, const char *expected)
{
	char found[1024] = "";

	read_text(r, text);
	for (uint32_t i = 0; i < r->terms.count; i++) {
		strcat(found, i > 0 ? " " : "");
		strcat(found, stem(r, i));
	}
	assert_string_equal(found, expected);
}

static void words_are_stemmed_and_accents_folded_afterwards(void **state)
{
	assert_terms(*state, "Conversations apaisées", "convers apais");
	assert_terms(*state, "confiance Confiances CONFIANCE", "confianc confianc confianc");
}

static void an_apostrophe_of_either_kind_splits_and_clitics_go(void **state)
{
	assert_terms(*state, "l'énergie d’hiver qu'aujourd'hui", "energ hiv");
}

static void stop_words_of_both_languages_go(void **state)
{
	assert_terms(*state, "the city and la ville où nous étions", "city vill");
	assert_terms(*state, "Pourquoi les lampes, toujours ? Whether bikes, always", "lamp bik");
	assert_terms(*state, "on devrait, ils pourraient, il faudra que je puisse", "");
	assert_terms(*state, "car font devoirs pouvoir", "car font devoir pouvoir");
}

static void a_decomposed_accent_is_the_same_word(void **state)
{
	struct reading *r = *state;

	read_text(r, "vélo ve\xcc\x81lo");
	assert_int_equal(r->terms.count, 2);
	assert_int_equal(r->terms.at[0], r->terms.at[1]);
	read_text(r, "2050 2050 2050 2050 2050 2050 ve\xcc\x81lo");
	assert_int_equal(r->dictionary.n_surfaces, 2);
}

static void ligatures_are_spelt_out(void **state)
{
	struct reading *r = *state;

	read_text(r, "œuvre oeuvre Straße strasse");
	assert_int_equal(r->terms.at[0], r->terms.at[1]);
	assert_int_equal(r->terms.at[2], r->terms.at[3]);
}

static void digits_are_words_and_underscores_separate(void **state)
{
	assert_terms(*state, "plan_2050, 5G", "plan 2050 5g");
}

static void a_link_to_a_topic_has_no_words(void **state)
{
	assert_terms(*state,
		     "lire [cela](/sujets/7-un-jardin-public) ou /s/12, mais /sujets ouverts",
		     "lir sujet ouvert");
}

static void broken_utf8_separates_words(void **state)
{
	assert_terms(*state,
		     "v\xc3 lampe\xff\xfe"
		     "cycle \xf0\x9f\x9a",
		     "v lamp cycl");
	assert_terms(*state, "\xcc\x81\xff lampe", "lamp");
}

static void a_word_of_more_than_64_bytes_is_left_out(void **state)
{
	char text[80];

	memset(text, 'x', 65);
	strcpy(text + 65, " court");
	assert_terms(*state, text, "court");
}

/* Characters of a word and what separates words, with the length of each in bytes. */
static const char *const of_a_word[] = {"a", "z", "k", "0", "9", "5", "\xc3\xa9", "\xe1\xba\xbd"};
static const char *const between_words[] = {" ",    "@",   "[",  "`",    "{",        "/",
					    ":",    "_",   "\t", "\x7f", "\xc3\x97", "\xe2\x80\x99",
					    "\xff", "\x80"};

static const char *any(uint64_t *random, const char *const *of, size_t count)
{
	return of[dice(random, (uint32_t)count)];
}
#define ANY(random, of) any((random), (of), sizeof(of) / sizeof *(of))

/* A word of up to 24 characters at the end of a text and by itself, then what separates it. */
static void write_word(uint64_t *random, char *text, char *word)
{
	word[0] = '\0';
	for (uint32_t n = 1 + dice(random, 24); n > 0; n--)
		strcat(word, ANY(random, of_a_word));
	strcat(text, word);
	for (uint32_t n = 1 + dice(random, 3); n > 0; n--)
		strcat(text, ANY(random, between_words));
}

static int by_number(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static void wherever_it_stands_a_word_is_read_like_by_itself(void **state)
{
	struct reading *r = *state;
	struct terms alone = {0};
	uint64_t random = 12;

	for (int round = 0; round < 2000; round++) {
		char text[2048] = "", word[128];

		alone.count = r->terms.count = 0;
		for (uint32_t n = dice(&random, 12); n > 0; n--) {
			write_word(&random, text, word);
			analyser_read(r->analyser, word, LEARN_FORMS, &alone);
		}
		analyser_read(r->analyser, text, LEARN_FORMS, &r->terms);
		assert_int_equal(r->terms.count, alone.count);
		if (alone.count == 0)
			continue;
		qsort(alone.at, alone.count, sizeof *alone.at, by_number);
		qsort(r->terms.at, r->terms.count, sizeof *r->terms.at, by_number);
		assert_memory_equal(alone.at, r->terms.at, alone.count * sizeof *alone.at);
	}
	terms_free(&alone);
}

/* Digits are their own stem. */
static void assert_digits(struct reading *r, const char *head, const char *rest)
{
	char word[64];

	snprintf(word, sizeof word, "%s%s", head, rest);
	assert_terms(r, word, word);
}

/* Each of these differs in one place from others that were read, and soon meets one where it stood.
 */
static void however_many_words_were_read_each_keeps_its_term(void **state)
{
	struct reading *r = *state;

	for (uint32_t n = 0; n < 40000; n++) {
		char four[8], seven[16], head[16];

		snprintf(four, sizeof four, "%04u", n % 10000);
		snprintf(seven, sizeof seven, "%.3s%.3s%.1s", four, four, four);
		snprintf(head, sizeof head, "%08u", n * 997);
		memcpy(four + 3, four, 1);
		assert_digits(r, head, four);
		assert_digits(r, head, seven);
		snprintf(four, sizeof four, "%04u", n % 10000);
		assert_digits(r, "", four);
		assert_digits(r, "12345678", four);
		assert_digits(r, four, "12345678");
		assert_digits(r, "1234567890123456", four);
	}
}

static void a_familiar_word_counts_whenever_it_is_read(void **state)
{
	struct reading *r = *state;

	read_text(r, "conversation");
	for (int i = 0; i < 3; i++)
		read_text(r, "conversations");
	read_text(r, "conversation");
	assert_string_equal(dictionary_written(&r->dictionary, r->terms.at[0]), "conversations");
	r->terms.count = 0;
	for (int i = 0; i < 9; i++)
		analyser_read(r->analyser, "conversation", LEARN_WORDS, &r->terms);
	assert_string_equal(dictionary_written(&r->dictionary, r->terms.at[0]), "conversations");
	for (int i = 0; i < 2; i++)
		read_text(r, "conversation");
	assert_string_equal(dictionary_written(&r->dictionary, r->terms.at[0]), "conversation");
}

static void an_empty_text_has_no_terms(void **state)
{
	assert_terms(*state, "", "");
	assert_terms(*state, NULL, "");
	assert_terms(*state, " … — ’ ", "");
}

static void the_most_frequent_written_form_is_shown(void **state)
{
	struct reading *r = *state;

	read_text(r, "Conversation conversations conversations");
	assert_string_equal(dictionary_written(&r->dictionary, r->terms.at[0]), "conversations");
}

static void a_word_is_analysed_once_and_a_text_not_learnt_leaves_nothing(void **state)
{
	struct reading *r = *state;

	read_text(r, "lampe lampe lampes");
	assert_int_equal(r->dictionary.n_surfaces, 2);
	assert_int_equal(r->dictionary.n_terms, 1);
	r->terms.count = 0;
	analyser_read(r->analyser, "LAMPES inconnues", LEARN_NOTHING, &r->terms);
	assert_int_equal(r->terms.count, 1);
	assert_int_equal(r->dictionary.n_surfaces, 2);
	assert_int_equal(r->dictionary.n_terms, 1);
}

static void a_label_is_one_term_and_never_a_word(void **state)
{
	struct reading *r = *state;
	uint32_t label = analyser_label(r->analyser, "Énergie solaire", LEARN_FORMS);

	assert_int_equal(analyser_label(r->analyser, "énergie solaire", LEARN_FORMS), label);
	assert_true(analyser_is_label(r->analyser, label));
	read_text(r, "énergie");
	assert_int_not_equal(r->terms.at[0], label);
	assert_false(analyser_is_label(r->analyser, r->terms.at[0]));
	assert_int_equal(analyser_label(r->analyser, "inconnue", LEARN_NOTHING), TERM_NONE);
	assert_int_equal(analyser_label(r->analyser, "", LEARN_FORMS), TERM_NONE);
}

static void a_full_dictionary_leaves_new_words_out(void **state)
{
	struct reading *r = *state;

	r->dictionary.max_terms = 1;
	assert_terms(r, "premier deuxième premier", "premi premi");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_reading, close_reading)
	const struct CMUnitTest tests[] = {
		CASE(words_are_stemmed_and_accents_folded_afterwards),
		CASE(an_apostrophe_of_either_kind_splits_and_clitics_go),
		CASE(stop_words_of_both_languages_go),
		CASE(a_decomposed_accent_is_the_same_word),
		CASE(ligatures_are_spelt_out),
		CASE(digits_are_words_and_underscores_separate),
		CASE(a_link_to_a_topic_has_no_words),
		CASE(broken_utf8_separates_words),
		CASE(a_word_of_more_than_64_bytes_is_left_out),
		CASE(wherever_it_stands_a_word_is_read_like_by_itself),
		CASE(however_many_words_were_read_each_keeps_its_term),
		CASE(a_familiar_word_counts_whenever_it_is_read),
		CASE(an_empty_text_has_no_terms),
		CASE(the_most_frequent_written_form_is_shown),
		CASE(a_word_is_analysed_once_and_a_text_not_learnt_leaves_nothing),
		CASE(a_label_is_one_term_and_never_a_word),
		CASE(a_full_dictionary_leaves_new_words_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
