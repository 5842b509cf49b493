/*
 * test_engine.c - what the recommender promises to those who feed and ask it.
 */
#include "small_site.h"

#include <errno.h>
#include <stdio.h>

static void the_nearest_topic_comes_first_with_its_words(void **state)
{
	struct site *s = *state;
	const struct related_list *list = NULL;
	const struct reason *words = NULL;

	put_three(s);
	list = ask(s, about(1));
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0].topic_id, 2);
	words = reason_of(&list->items[0], REASON_WORDS);
	assert_non_null(words);
	assert_int_equal(words->n_words, 3);
}

static void a_topic_is_never_related_to_itself(void **state)
{
	struct site *s = *state;

	put_three(s);
	assert_null(answer_about(ask(s, about(2)), 2));
}

static void a_hidden_topic_takes_no_place_and_is_shown_to_who_may_see_it(void **state)
{
	struct site *s = *state;
	struct engine_question question = about(1);

	put_three(s);
	engine_set_visibility(s->engine, 2, AUDIENCE_ORGANIZERS);
	assert_int_equal(ask(s, question)->count, 0);
	question.audience = AUDIENCE_ORGANIZERS;
	assert_int_equal(ask(s, question)->count, 1);
}

static void a_removed_topic_is_gone_and_its_return_needs_a_later_version(void **state)
{
	struct site *s = *state;

	put_three(s);
	engine_remove_topic(s->engine, 2, 2);
	assert_int_equal(ask(s, about(1))->count, 0);
	put(s, TOPIC(2, .title = "Le vélo en ville"));
	assert_int_equal(ask(s, about(1))->count, 0);
	put(s, TOPIC_AT(3, 2, .title = "Le vélo en ville"));
	assert_int_equal(ask(s, about(1))->count, 1);
}

static void an_older_version_changes_nothing(void **state)
{
	struct site *s = *state;

	put_three(s);
	put(s, TOPIC_AT(3, 2, .title = "Recettes de tomates"));
	put(s, TOPIC_AT(2, 2, .title = "Le vélo en ville"));
	assert_int_equal(ask(s, about(1))->count, 0);
	assert_non_null(answer_about(ask(s, about(3)), 2));
}

static void an_edit_is_found_at_once_and_the_old_text_no_more(void **state)
{
	struct site *s = *state;

	put_three(s);
	put(s, TOPIC_AT(2, 2, .title = "Recettes de tomates"));
	assert_int_equal(ask(s, about(1))->count, 0);
	assert_non_null(answer_about(ask(s, about(3)), 2));
}

static void a_comment_makes_a_topic_findable_until_it_is_removed(void **state)
{
	struct site *s = *state;

	put_three(s);
	say(s, COMMENT(3, 30, .author = 7, .body = "Je porte mes tomates à vélo"));
	assert_non_null(answer_about(ask(s, about(1)), 3));
	assert_int_equal(engine_remove_comment(s->engine, 3, 30, 2), 0);
	assert_null(answer_about(ask(s, about(1)), 3));
	say(s, COMMENT(3, 30, .author = 7, .body = "Je porte mes tomates à vélo"));
	assert_null(answer_about(ask(s, about(1)), 3));
}

static void a_comment_may_arrive_before_its_topic(void **state)
{
	struct site *s = *state;
	struct engine_stats stats;

	put(s, TOPIC(1, .title = "Pistes cyclables", .article = "vélo"));
	say(s, COMMENT(3, 30, .author = 7, .body = "Je porte mes tomates à vélo"));
	assert_int_equal(ask(s, about(1))->count, 0);
	assert_int_equal(engine_related(s->engine, &(struct engine_question){.topic_id = 3},
					&s->arena, &s->list),
			 -ENOENT);
	put(s, TOPIC(3, .title = "La tomate au jardin"));
	assert_non_null(answer_about(ask(s, about(1)), 3));
	engine_stats(s->engine, &stats);
	assert_int_equal(stats.topics, 2);
	assert_int_equal(stats.comments, 1);
}

/* Of 5,000 expertises the first 32 are read: the last of those is shared, the next is not. */
static void the_first_expertises_of_very_many_count(void **state)
{
	struct site *s = *state;
	static char names[5000][8];
	static const char *labels[5000];

	for (size_t i = 0; i < 5000; i++) {
		snprintf(names[i], sizeof names[i], "n%zu", i);
		labels[i] = names[i];
	}
	put(s, TOPIC(1, .title = "Un", .expertises = labels, .n_expertises = 5000));
	put(s, TOPIC(2, .title = "Deux", .expertises = labels + MOST_EXPERTISES - 1,
		     .n_expertises = 1));
	put(s,
	    TOPIC(3, .title = "Trois", .expertises = labels + MOST_EXPERTISES, .n_expertises = 1));
	assert_non_null(reason_of(answer_about(ask(s, about(1)), 2), REASON_EXPERTISES));
	assert_null(answer_about(&s->list, 3));
}

/* 20,000 characters are read to the last word. */
static void a_long_article_counts_to_its_end(void **state)
{
	struct site *s = *state;
	static char text[20001];

	for (size_t i = 0; i < 20000; i++)
		text[i] = i % 8 == 7 ? ' ' : (char)('a' + i / 8 % 26);
	memcpy(text + 20000 - 5, " velo", 5);
	put(s, TOPIC(1, .title = "Vélo"));
	put(s, TOPIC(2, .title = "Long", .article = text));
	assert_non_null(answer_about(ask(s, about(1)), 2));
	assert_non_null(answer_about(ask(s, about(2)), 1));
}

static void a_small_site_names_recent_topics_of_the_expertise_as_such(void **state)
{
	struct site *s = *state;
	const char *const labels[] = {"Jardin"};
	struct engine_question question = about(1);

	question.min_confidence = .9;
	put(s, TOPIC(1, .title = "Semis de printemps", .expertises = labels, .n_expertises = 1));
	put(s, TOPIC(2, .title = "Outils", .expertises = labels, .n_expertises = 1));
	put(s, TOPIC(3, .title = "Vélo"));
	ask(s, question);
	assert_int_equal(s->list.count, 1);
	assert_int_equal(s->list.items[0].reasons[0].kind, REASON_RECENT);
	assert_string_equal(s->list.items[0].reasons[0].words[0], "Jardin");
}

static void an_unsure_answer_is_not_given(void **state)
{
	struct site *s = *state;
	struct engine_question question = about(1);

	put_three(s);
	put(s, TOPIC(4, .title = "Tout autre chose que la voiture"));
	assert_non_null(answer_about(ask(s, question), 4));
	question.min_confidence = .3;
	assert_null(answer_about(ask(s, question), 4));
}

static void an_unsure_answer_that_is_asked_for_says_what_it_lacks(void **state)
{
	struct site *s = *state;
	struct engine_question question = about(1);
	const struct related *sure = NULL, *unsure = NULL;

	put_three(s);
	put(s, TOPIC(4, .title = "Tout autre chose que la voiture"));
	question.min_confidence = .3;
	question.keeps_unsure = true;
	sure = answer_about(ask(s, question), 2);
	unsure = answer_about(&s->list, 4);
	assert_non_null(sure);
	assert_non_null(unsure);
	assert_true(sure->confidence >= sure->needed);
	assert_true(unsure->confidence < unsure->needed);
	assert_true(unsure->needed == question.min_confidence);
}

static void muted_and_banned_topics_are_left_out_and_pinned_ones_come_first(void **state)
{
	struct site *s = *state;
	uint64_t muted[] = {2};
	struct engine_question question = about(1);

	put_three(s);
	question.muted = muted;
	question.n_muted = 1;
	assert_int_equal(ask(s, question)->count, 0);

	assert_int_equal(engine_pair(s->engine, 3, 1, PAIR_PINNED), 0);
	assert_int_equal(ask(s, about(1))->count, 2);
	assert_int_equal(s->list.items[0].topic_id, 3);
	assert_int_equal(s->list.items[0].reasons[0].kind, REASON_PINNED);

	assert_int_equal(engine_pair(s->engine, 1, 2, PAIR_BANNED), 0);
	assert_null(answer_about(ask(s, about(1)), 2));
	assert_null(answer_about(ask(s, about(2)), 1));
	assert_int_equal(engine_pair(s->engine, 2, 1, PAIR_FREE), 0);
	assert_non_null(answer_about(ask(s, about(1)), 2));
}

static void the_pairs_of_a_topic_replace_those_that_were_said_before(void **state)
{
	struct site *s = *state;
	const struct engine_pair said[] = {{2, PAIR_BANNED}, {3, PAIR_PINNED}};

	put_three(s);
	assert_int_equal(engine_set_pairs(s->engine, 1, said, 2), 0);
	assert_null(answer_about(ask(s, about(1)), 2));
	assert_int_equal(ask(s, about(3))->items[0].topic_id, 1);

	assert_int_equal(engine_set_pairs(s->engine, 3, NULL, 0), 0);
	assert_int_equal(ask(s, about(3))->count, 0);
	assert_null(answer_about(ask(s, about(2)), 1));
	assert_int_equal(engine_set_pairs(s->engine, 2, NULL, 0), 0);
	assert_non_null(answer_about(ask(s, about(2)), 1));
}

static void a_pinned_topic_that_is_hidden_is_not_shown_until_it_comes_back(void **state)
{
	struct site *s = *state;

	put_three(s);
	engine_set_visibility(s->engine, 3, AUDIENCE_ORGANIZERS);
	assert_int_equal(engine_pair(s->engine, 1, 3, PAIR_PINNED), 0);
	assert_null(answer_about(ask(s, about(1)), 3));
	engine_set_visibility(s->engine, 3, AUDIENCE_PUBLIC);
	assert_int_equal(ask(s, about(1))->items[0].topic_id, 3);
}

/* 3 is as good as 2 and much like it; 4 is like nothing, and worse. */
static void a_pin_moves_no_topic_but_its_own(void **state)
{
	struct site *s = *state;
	uint64_t order[3];

	put(s, TOPIC(1, .title = "Pistes cyclables en ville", .article = "vélo casque route"));
	put(s, TOPIC(2, .title = "Pistes cyclables en ville", .article = "vélo casque"));
	put(s, TOPIC(3, .title = "Pistes cyclables en ville", .article = "vélo"));
	put(s, TOPIC(4, .title = "Une autre route", .article = "montagne et neige"));
	put(s, TOPIC(5, .title = "La tomate au jardin", .article = "semis et récolte"));
	assert_int_equal(ask(s, about(1))->count, 3);
	for (int i = 0; i < 3; i++)
		order[i] = s->list.items[i].topic_id;
	assert_int_equal(order[2], 4);

	assert_int_equal(engine_pair(s->engine, 1, 5, PAIR_PINNED), 0);
	assert_int_equal(ask(s, about(1))->count, 4);
	assert_int_equal(s->list.items[0].topic_id, 5);
	for (int i = 0; i < 3; i++)
		assert_int_equal(s->list.items[i + 1].topic_id, order[i]);
}

static void a_text_that_is_not_saved_finds_what_is_there(void **state)
{
	struct site *s = *state;
	struct engine_topic text = {.title = "Faire du vélo", .article = "inouï et inédit"};
	struct engine_stats before, after;

	put_three(s);
	engine_stats(s->engine, &before);
	ask(s, (struct engine_question){.text = &text, .limit = 5, .audience = AUDIENCE_PUBLIC});
	assert_non_null(answer_about(&s->list, 2));
	engine_stats(s->engine, &after);
	assert_int_equal(after.terms, before.terms);
	assert_int_equal(after.surfaces, before.surfaces);
}

/* Nothing at all, 20,000 characters, one word a thousand times, broken bytes: as a form may bring
 * them. */
static void an_unsaved_text_may_be_anything(void **state)
{
	struct site *s = *state;
	static char text[20001];
	struct engine_topic asked = {0};
	const struct engine_question question = {
		.text = &asked, .limit = 5, .audience = AUDIENCE_PUBLIC};

	put_three(s);
	assert_int_equal(ask(s, question)->count, 0);
	asked.title = asked.lead = asked.article = "";
	assert_int_equal(ask(s, question)->count, 0);
	for (size_t i = 0; i + 5 <= 20000; i += 5)
		memcpy(text + i, "velo ", 5);
	asked.article = text;
	assert_non_null(answer_about(ask(s, question), 2));
	asked.article = "\xff\xfevélo\xc3";
	assert_non_null(answer_about(ask(s, question), 2));
	asked.article = "\x80 vélo \xc3";
	assert_non_null(answer_about(ask(s, question), 2));
	assert_null(answer_about(&s->list, 3));
}

static void at_most_two_by_one_author(void **state)
{
	struct site *s = *state;
	struct engine_question question = about(1);

	put(s, TOPIC(1, .title = "Vélo"));
	for (uint64_t id = 2; id < 7; id++)
		put(s, TOPIC(id, .title = "Vélo", .author = 9));
	put(s, TOPIC(7, .title = "Vélo", .author = 10));
	question.most_by_author = 2;
	assert_int_equal(ask(s, question)->count, 3);
}

static void pinned_topics_are_not_counted_by_author(void **state)
{
	struct site *s = *state;
	struct engine_question question = about(1);

	put(s, TOPIC(1, .title = "Vélo"));
	for (uint64_t id = 2; id < 5; id++) {
		put(s, TOPIC(id, .title = "Vélo", .author = 9));
		assert_int_equal(engine_pair(s->engine, 1, id, PAIR_PINNED), 0);
	}
	question.most_by_author = 2;
	assert_int_equal(ask(s, question)->count, 3);
}

/* 2 and 3 say the same; 4 is less near than 3, but says something else. */
static void put_a_repetition(struct site *s)
{
	put(s, TOPIC(1, .title = "Vélo, lampe, antivol, casque, sonnette ; pluie, garage"));
	put(s, TOPIC(2, .title = "Vélo, lampe, antivol, casque, sonnette"));
	put(s, TOPIC(3, .title = "Vélo, lampe, antivol, casque, sonnette"));
	put(s, TOPIC(4, .title = "Pluie, garage"));
}

static void what_repeats_an_answer_comes_after_what_does_not(void **state)
{
	struct site *s = *state;
	const struct related_list *list = NULL;

	put_a_repetition(s);
	list = ask(s, about(1));
	assert_int_equal(list->count, 3);
	assert_int_equal(list->items[0].topic_id, 2);
	assert_int_equal(list->items[1].topic_id, 4);
	assert_int_equal(list->items[2].topic_id, 3);
	assert_true(list->items[2].score > list->items[1].score);
	assert_true(list->items[1].rank >= list->items[2].rank);
}

static void given_candidates_stand_by_their_scores(void **state)
{
	struct site *s = *state;
	static const uint64_t only[] = {4, 3, 2};
	struct engine_question question = about(1);

	put_a_repetition(s);
	question.only = only;
	question.n_only = 3;
	ask(s, question);
	assert_int_equal(s->list.count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(s->list.items[i].topic_id, i + 2);
}

/* Seven that say the same: the first five are chosen against each other, no value rises after. */
static void no_place_is_worth_more_than_the_one_before(void **state)
{
	struct site *s = *state;

	put(s, TOPIC(1, .title = "Vélo", .article = "lampe"));
	for (uint64_t id = 2; id < 9; id++)
		put(s, TOPIC(id, .title = "Vélo et lampe"));
	assert_int_equal(ask(s, about(1))->count, 7);
	for (uint32_t i = 1; i < 7; i++)
		assert_true(s->list.items[i].rank <= s->list.items[i - 1].rank);
}

static void one_word_a_thousand_times_and_an_endless_text_are_taken(void **state)
{
	struct site *s = *state;
	static char text[400000];
	const char *labels[5000];

	for (size_t i = 0; i + 5 < sizeof text; i += 5)
		memcpy(text + i, "velo ", 5);
	for (size_t i = 0; i < 5000; i++)
		labels[i] = "x";
	put_three(s);
	put(s,
	    TOPIC(4, .title = text, .article = text, .expertises = labels, .n_expertises = 5000));
	put(s, TOPIC(5, .title = ""));
	assert_non_null(answer_about(ask(s, about(4)), 2));
	assert_int_equal(ask(s, about(5))->count, 0);
}

/* Documents come again and again: what they say is mostly known. */
static void the_same_opinions_and_visibility_once_more_are_no_change(void **state)
{
	const uint64_t some[] = {11, 12}, again[] = {12, 0, 11, 12}, fewer[] = {12}, other[] = {13};
	struct site *s = *state;
	struct engine_stats before, after;

	put(s, TOPIC(1, .title = "Vélo"));
	assert_int_equal(engine_set_opinions(s->engine, 1, some, 2), 0);
	engine_stats(s->engine, &before);
	assert_int_equal(engine_set_opinions(s->engine, 1, again, 4), 0);
	assert_int_equal(engine_set_visibility(s->engine, 1, engine_visibility(s->engine, 1)), 0);
	engine_stats(s->engine, &after);
	assert_int_equal(after.epoch, before.epoch);

	assert_int_equal(engine_set_opinions(s->engine, 1, fewer, 1), 0);
	engine_stats(s->engine, &after);
	assert_true(after.epoch > before.epoch);
	assert_int_equal(engine_set_opinions(s->engine, 1, other, 1), 0);
	assert_true(has_opinion(s->engine, 1, 13) && !has_opinion(s->engine, 1, 12));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)
	const struct CMUnitTest tests[] = {
		CASE(the_nearest_topic_comes_first_with_its_words),
		CASE(a_topic_is_never_related_to_itself),
		CASE(a_hidden_topic_takes_no_place_and_is_shown_to_who_may_see_it),
		CASE(a_removed_topic_is_gone_and_its_return_needs_a_later_version),
		CASE(an_older_version_changes_nothing),
		CASE(an_edit_is_found_at_once_and_the_old_text_no_more),
		CASE(a_comment_makes_a_topic_findable_until_it_is_removed),
		CASE(a_comment_may_arrive_before_its_topic),
		CASE(the_first_expertises_of_very_many_count),
		CASE(a_long_article_counts_to_its_end),
		CASE(a_small_site_names_recent_topics_of_the_expertise_as_such),
		CASE(an_unsure_answer_is_not_given),
		CASE(an_unsure_answer_that_is_asked_for_says_what_it_lacks),
		CASE(muted_and_banned_topics_are_left_out_and_pinned_ones_come_first),
		CASE(the_pairs_of_a_topic_replace_those_that_were_said_before),
		CASE(a_pinned_topic_that_is_hidden_is_not_shown_until_it_comes_back),
		CASE(a_pin_moves_no_topic_but_its_own),
		CASE(a_text_that_is_not_saved_finds_what_is_there),
		CASE(an_unsaved_text_may_be_anything),
		CASE(at_most_two_by_one_author),
		CASE(pinned_topics_are_not_counted_by_author),
		CASE(what_repeats_an_answer_comes_after_what_does_not),
		CASE(given_candidates_stand_by_their_scores),
		CASE(no_place_is_worth_more_than_the_one_before),
		CASE(one_word_a_thousand_times_and_an_endless_text_are_taken),
		CASE(the_same_opinions_and_visibility_once_more_are_no_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
