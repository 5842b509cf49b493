/*
 * test_explain.c - why a topic is in the list: every reason, what it weighs, and what is told
 * nobody.
 */
#include "small_site.h"

static void who_asks_and_took_part_is_a_reason(void **state)
{
	struct site *s = *state;

	put(s, TOPIC(1, .title = "Pistes cyclables", .author = 7));
	put(s, TOPIC(2, .title = "Pistes en ville"));
	put(s, TOPIC(3, .title = "Pistes de ski"));
	say(s, COMMENT(3, 30, .author = 7, .body = "J'y vais"));
	assert_int_equal(ask(s, about(1))->items[0].topic_id, 3);
	assert_non_null(reason_of(&s->list.items[0], REASON_AUTHOR));
	engine_erase_account(s->engine, 7);
	assert_null(reason_of(answer_about(ask(s, about(1)), 3), REASON_AUTHOR));
}

/* Everybody reads a comment; what somebody thinks of a topic is nobody else's business. */
static void an_opinion_of_who_asks_is_no_part(void **state)
{
	struct site *s = *state;

	put(s, TOPIC(1, .title = "Pistes cyclables", .author = 7));
	put(s, TOPIC(2, .title = "Pistes en ville"));
	put(s, TOPIC(3, .title = "Pistes de ski"));
	assert_int_equal(engine_put_opinion(s->engine, 3, 7, true), 0);
	assert_null(reason_of(answer_about(ask(s, about(1)), 3), REASON_AUTHOR));

	say(s, COMMENT(3, 30, .author = 7, .body = "J'y vais"));
	assert_non_null(reason_of(answer_about(ask(s, about(1)), 3), REASON_AUTHOR));
	assert_int_equal(engine_remove_comment(s->engine, 3, 30, 2), 0);
	assert_null(reason_of(answer_about(ask(s, about(1)), 3), REASON_AUTHOR));
}

static void assert_same_list(const struct related_list *list, const struct related_list *other)
{
	assert_int_equal(list->count, other->count);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct related *one = &list->items[i], *two = &other->items[i];

		assert_int_equal(one->topic_id, two->topic_id);
		assert_true(one->score == two->score && one->rank == two->rank);
		assert_int_equal(one->n_reasons, two->n_reasons);
		for (uint32_t r = 0; r < one->n_reasons; r++) {
			assert_int_equal(one->reasons[r].kind, two->reasons[r].kind);
			assert_true(one->reasons[r].part == two->reasons[r].part);
			assert_int_equal(one->reasons[r].count, two->reasons[r].count);
		}
	}
}

/* Of the first topics: whoever is in more than ten may be everywhere, and not count anyway. */
static void give_opinions(struct site *s, uint64_t one, uint64_t other, bool given)
{
	for (uint64_t id = 1; id < 10; id++) {
		assert_int_equal(engine_put_opinion(s->engine, id, one, given), 0);
		assert_int_equal(engine_put_opinion(s->engine, id, other, given), 0);
	}
}

/* 7 asks and talks, 8 talks, of 9 nothing is read; two of them gave opinions. Parts are exact. */
static void whose_opinions_two_people_gave_does_not_show_in_any_answer(void **state)
{
	struct site *s = *state;
	struct related_list without;

	put(s, TOPIC(1, .title = "Pistes cyclables", .author = 7));
	for (uint64_t id = 2; id < 40; id++)
		put(s, TOPIC(id, .title = id < 20 ? "Pistes en ville" : "Autre chose"));
	for (uint64_t who = 7; who <= 8; who++) {
		say(s, COMMENT(1, who, .author = who, .body = "oui"));
		say(s, COMMENT(3, 10 + who, .author = who, .body = "oui"));
		say(s, COMMENT(30 + who, 20 + who, .author = who, .body = "oui"));
	}
	without = *ask(s, about(1));
	for (uint64_t first = 7; first <= 9; first++) {
		uint64_t second = first < 9 ? first + 1 : 7;

		give_opinions(s, first, second, true);
		assert_same_list(ask(s, about(1)), &without);
		give_opinions(s, first, second, false);
	}
}

static double part_of(const struct related *related, enum reason_kind kind)
{
	const struct reason *reason = reason_of(related, kind);

	return reason == NULL ? 0 : reason->part;
}

static void assert_part(const struct related *related, enum reason_kind kind, double expected)
{
	if (fabs(part_of(related, kind) - expected) > 1e-9)
		fail_msg("reason %d: %.9f, not %.9f", (int)kind, part_of(related, kind), expected);
}

/* 2 leads in every signal that is divided by the best; the others are worked out by hand. */
static void every_signal_has_the_weight_of_its_table(void **state)
{
	struct site *s = *state;
	struct engine_topic later =
		*TOPIC(2, .title = "Vélo au garage", .article = "Lampe", .language = "fr");
	const struct related *second = NULL;

	later.created_at += 30 * DAY_US;
	put(s, TOPIC(1, .title = "Vélo", .article = "Lampe, vélo, garage", .author = 7,
		     .language = "fr"));
	put(s, &later);
	put(s, TOPIC(3, .title = "Autre chose", .article = "Garage : /sujets/2"));
	for (uint64_t other = 4; other <= 13; other++)
		put(s, TOPIC(other, .title = "Tout autre"));
	for (uint64_t who = 1; who <= 3; who++) {
		say(s, COMMENT(1, who, .author = who, .body = "oui"));
		say(s, COMMENT(2, 10 + who, .author = who, .body = "oui"));
	}
	say(s, COMMENT(2, 20, .author = 7, .body = "oui"));

	second = answer_about(ask(s, about(1)), 2);
	assert_part(second, REASON_WORDS, 1 + .15 + .1);
	assert_part(second, REASON_AUTHOR, .3 * log(13.0 / 2) / 8);
	assert_part(second, REASON_PERIOD, .4 / (1 + 30 / 30.0) - .05 * log(1 + 30) / 8);
	assert_int_equal(reason_of(second, REASON_PERIOD)->count, 30);
	assert_part(second, REASON_ACTIVITY, .05 * log(1 + 5) / 4); /* four comments and it */
	assert_part(second, REASON_CITED, .1 * log(1 + 1) + .1);
	assert_part(second, REASON_PARTICIPANTS, .5);
	assert_part(second, REASON_LANGUAGE, .05);
}

static void people_in_both_count_from_three_on(void **state)
{
	struct site *s = *state;
	const struct reason *reason = NULL;

	put_three(s);
	for (uint64_t other = 10; other < 30; other++)
		put(s, TOPIC(other, .title = "Autre chose"));
	for (uint64_t who = 1; who <= 3; who++) {
		assert_int_equal(engine_put_opinion(s->engine, 1, who, true), 0);
		assert_int_equal(engine_put_opinion(s->engine, 2, who, true), 0);
	}
	reason = reason_of(answer_about(ask(s, about(1)), 2), REASON_PARTICIPANTS);
	assert_non_null(reason);
	assert_int_equal(reason->count, 3);

	assert_int_equal(engine_put_opinion(s->engine, 2, 3, false), 0);
	reason = reason_of(answer_about(ask(s, about(1)), 2), REASON_PARTICIPANTS);
	assert_null(reason);
}

static void people_who_are_everywhere_say_nothing(void **state)
{
	struct site *s = *state;

	put_three(s);
	for (uint64_t other = 10; other < 40; other++) {
		put(s, TOPIC(other, .title = "Autre chose"));
		for (uint64_t who = 1; who <= 3; who++)
			assert_int_equal(engine_put_opinion(s->engine, other, who, true), 0);
	}
	for (uint64_t who = 1; who <= 3; who++) {
		assert_int_equal(engine_put_opinion(s->engine, 1, who, true), 0);
		assert_int_equal(engine_put_opinion(s->engine, 2, who, true), 0);
	}
	assert_null(reason_of(answer_about(ask(s, about(1)), 2), REASON_PARTICIPANTS));
}

static void a_link_in_the_text_is_a_reason_until_its_topic_is_hidden(void **state)
{
	struct site *s = *state;

	put_three(s);
	put(s, TOPIC(4, .title = "Vélo et ville",
		     .article = "Voir https://causerie.example/sujets/2-velo"));
	assert_int_equal(reason_of(answer_about(ask(s, about(1)), 2), REASON_CITED)->count, 1);
	engine_set_visibility(s->engine, 4, 0);
	assert_null(reason_of(answer_about(ask(s, about(1)), 2), REASON_CITED));
}

static void a_link_to_another_site_is_none(void **state)
{
	struct site *s = *state;

	put_three(s);
	put(s, TOPIC(4, .title = "Vélo et ville",
		     .article = "Voir https://ailleurs.example/sujets/2"));
	assert_null(reason_of(answer_about(ask(s, about(1)), 2), REASON_CITED));
}

static void common_words_are_named_as_people_write_them_most(void **state)
{
	struct site *s = *state;
	const struct reason *words = NULL;

	put(s, TOPIC(1, .title = "Conversation"));
	put(s, TOPIC(2, .title = "Conversation", .article = "conversations, conversations"));
	put(s, TOPIC(3, .title = "Des conversations"));
	words = reason_of(answer_about(ask(s, about(1)), 2), REASON_WORDS);
	assert_int_equal(words->n_words, 1);
	assert_string_equal(words->words[0], "conversations");
}

/* A draft and what is said of it leave no trace in what others read. */
static void how_texts_that_are_not_public_write_a_word_is_told_nobody(void **state)
{
	struct site *s = *state;
	struct engine_topic draft =
		*TOPIC(3, .title = "CONVERSATIONS, CONVERSATIONS, CONVERSATIONS");
	const struct reason *words = NULL;

	draft.visible_to = AUDIENCE_ORGANIZERS;
	put(s, TOPIC(1, .title = "Conversation"));
	put(s, TOPIC(2, .title = "Une conversation"));
	put(s, &draft);
	say(s, COMMENT(3, 31, .body = "CONVERSATIONS, CONVERSATIONS"));
	words = reason_of(answer_about(ask(s, about(1)), 2), REASON_WORDS);
	assert_string_equal(words->words[0], "Conversation");
}

static void expertises_are_a_reason_in_their_written_form(void **state)
{
	struct site *s = *state;
	const char *const labels[] = {"Mobilité douce"};
	const struct reason *reason = NULL;

	put(s, TOPIC(1, .title = "Un", .expertises = labels, .n_expertises = 1));
	put(s, TOPIC(2, .title = "Deux", .expertises = labels, .n_expertises = 1));
	reason = reason_of(answer_about(ask(s, about(1)), 2), REASON_EXPERTISES);
	assert_non_null(reason);
	assert_string_equal(reason->words[0], "Mobilité douce");
}

static void a_number_and_a_letter_in_common_are_not_named_and_two_letters_are(void **state)
{
	struct site *s = *state;
	const struct reason *words = NULL;

	put(s, TOPIC(1, .title = "2030 : x, IA"));
	put(s, TOPIC(2, .title = "2030, x ou IA"));
	words = reason_of(answer_about(ask(s, about(1)), 2), REASON_WORDS);
	assert_int_equal(words->n_words, 1);
	assert_string_equal(words->words[0], "IA");
}

#define YEARS "2030 2031 2032 2033 2034 2035 2036 2037"

/* Numbers, the same day and language, two people in both: best by score, and no reason. */
static void what_cannot_be_told_why_is_not_given_and_the_next_takes_its_place(void **state)
{
	struct site *s = *state;
	struct engine_question question = about(1);
	const struct related *untold = NULL;

	put(s, TOPIC(1, .title = YEARS " vélo", .language = "fr"));
	put(s, TOPIC(2, .title = YEARS, .language = "fr"));
	for (uint64_t id = 10; id < 20; id++)
		put(s, TOPIC(id, .title = YEARS, .language = "fr"));
	for (uint64_t id = 20; id < 60; id++)
		put(s, TOPIC(id, .title = "Autre chose"));
	put(s, TOPIC(3, .title = "Vélo en forêt et en ville"));
	for (uint64_t who = 1; who <= 2; who++) {
		say(s, COMMENT(1, who, .author = who, .body = "oui"));
		say(s, COMMENT(2, 10 + who, .author = who, .body = "oui"));
	}
	question.limit = 1;
	assert_int_equal(ask(s, question)->items[0].topic_id, 2);
	question.min_confidence = .1;
	assert_int_equal(ask(s, question)->count, 1);
	assert_int_equal(s->list.items[0].topic_id, 3);
	assert_false(s->list.items[0].unsure);

	question.keeps_unsure = true;
	untold = &ask(s, question)->items[0];
	assert_int_equal(untold->topic_id, 2);
	assert_true(untold->unsure && untold->confidence >= untold->needed);
}

static void who_writes_what_is_there_already_is_told_without_a_reason(void **state)
{
	struct site *s = *state;
	struct engine_question question = {.text = TOPIC(0, .title = "2030 2031"),
					   .limit = 5,
					   .audience = AUDIENCE_PUBLIC,
					   .text_only = true,
					   .min_confidence = .1};

	put(s, TOPIC(2, .title = "2030 2031"));
	assert_int_equal(ask(s, question)->count, 1);
	assert_int_equal(reason_of(&s->list.items[0], REASON_WORDS)->n_words, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)
	const struct CMUnitTest tests[] = {
		CASE(who_asks_and_took_part_is_a_reason),
		CASE(an_opinion_of_who_asks_is_no_part),
		CASE(whose_opinions_two_people_gave_does_not_show_in_any_answer),
		CASE(every_signal_has_the_weight_of_its_table),
		CASE(people_in_both_count_from_three_on),
		CASE(people_who_are_everywhere_say_nothing),
		CASE(a_link_in_the_text_is_a_reason_until_its_topic_is_hidden),
		CASE(a_link_to_another_site_is_none),
		CASE(common_words_are_named_as_people_write_them_most),
		CASE(how_texts_that_are_not_public_write_a_word_is_told_nobody),
		CASE(expertises_are_a_reason_in_their_written_form),
		CASE(a_number_and_a_letter_in_common_are_not_named_and_two_letters_are),
		CASE(what_cannot_be_told_why_is_not_given_and_the_next_takes_its_place),
		CASE(who_writes_what_is_there_already_is_told_without_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
