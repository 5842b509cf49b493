/*
 * test_engine.c - what the recommender promises to those who feed and ask it.
 */
#include "sentences.h"

#include <errno.h>
#include <stdio.h>

#include "related/compose.h"

struct site {
	struct engine *engine;
	struct arena arena;
	struct related_list list;
};

static int open_site(void **state)
{
	static struct site site;

	site = (struct site){.engine = new_engine()};
	*state = &site;
	return 0;
}

static int close_site(void **state)
{
	struct site *s = *state;

	engine_free(s->engine);
	arena_free(&s->arena);
	return 0;
}

static void put(struct site *s, const struct engine_topic *topic)
{
	assert_int_equal(engine_put_topic(s->engine, topic), 0);
}

static void say(struct site *s, const struct engine_comment *comment)
{
	assert_int_equal(engine_put_comment(s->engine, comment), 0);
}

static const struct related_list *ask(struct site *s, struct engine_question question)
{
	assert_int_equal(engine_related(s->engine, &question, &s->arena, &s->list), 0);
	for (uint32_t i = 0; i < s->list.count; i++)
		assert_adds_up(&s->list.items[i]);
	return &s->list;
}

static void put_three(struct site *s)
{
	put(s, TOPIC(1, .title = "Pistes cyclables en ville", .article = "Le vélo et la voiture"));
	put(s, TOPIC(2, .title = "Le vélo en ville", .article = "Des pistes pour le vélo"));
	put(s, TOPIC(3, .title = "La tomate au jardin", .article = "Semis et récolte"));
}

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

static void beyond_the_memory_limit_a_change_is_refused_and_the_rest_answers(void **state)
{
	struct site *s = *state;
	struct engine *small = engine_new(&(struct engine_settings){.memory_limit = 4 << 20});
	struct engine_stats stats;
	uint64_t id = 1;
	int status = 0;
	char title[64];

	for (; status == 0 && id < 100000; id++) {
		snprintf(title, sizeof title, "sujet%llu %s", (unsigned long long)id,
			 id % 4 == 1 ? "commun" : "autre");
		status = engine_put_topic(small, TOPIC(id, .title = title));
	}
	assert_int_equal(status, -ENOSPC);
	engine_stats(small, &stats);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(stats.topics, id - 2);
	assert_int_equal(engine_related(small,
					&(struct engine_question){.topic_id = 1,
								  .limit = 5,
								  .audience = AUDIENCE_PUBLIC},
					&s->arena, &s->list),
			 0);
	assert_int_equal(s->list.count, 5);
	engine_free(small);
}

enum { LIMIT = 4 << 20 };

/* Topics 1 to *last; merging makes room for some more, until not even one is taken after it. */
static struct engine *full_engine(uint64_t *last)
{
	struct engine *small = engine_new(&(struct engine_settings){.memory_limit = LIMIT});
	uint64_t id = 1;
	char title[64];

	for (uint32_t refused = 0; refused < 2;) {
		snprintf(title, sizeof title, "sujet%llu %s", (unsigned long long)id,
			 id % 4 == 1 ? "commun" : "autre");
		if (engine_put_topic(small, TOPIC(id, .title = title, .author = 7)) == 0) {
			id++;
			refused = 0;
			continue;
		}
		refused++;
		engine_settle(small);
	}
	*last = id - 1;
	return small;
}

/* What is refused is counted and changes nothing; what takes no memory goes on being done. */
static void at_the_memory_limit_nothing_is_lost_and_nothing_grows(void **state)
{
	enum { REFUSED = 1000 };
	struct site *s = *state;
	struct engine_question question = about(1);
	struct engine_stats stats;
	uint64_t last = 0, id = 0, refused_before = 0;
	struct engine *small = full_engine(&last);

	engine_stats(small, &stats);
	refused_before = stats.refused;
	for (uint64_t n = 0; n < REFUSED; n++) {
		assert_int_equal(engine_put_topic(small, TOPIC(last + 1, .title = "autre")),
				 -ENOSPC);
		assert_int_equal(engine_put_comment(small, COMMENT(2, n + 1, .body = "mots")),
				 -ENOSPC);
		assert_int_equal(engine_put_opinion(small, 2, n + 1, true), -ENOSPC);
		(void)engine_work(small, 1000);
	}
	engine_stats(small, &stats);
	assert_int_equal(stats.topics, last);
	assert_int_equal(stats.refused, refused_before + 3 * REFUSED);
	assert_true(stats.bytes < LIMIT + LIMIT / 4);

	assert_int_equal(engine_related(small, &question, &s->arena, &s->list), 0);
	assert_int_equal(s->list.count, 10);
	id = s->list.items[0].topic_id;
	assert_int_equal(engine_set_visibility(small, id, 0), 0);
	engine_remove_topic(small, s->list.items[1].topic_id, 9);
	question.limit = MOST_RELATED;
	assert_int_equal(engine_related(small, &question, &s->arena, &s->list), 0);
	assert_null(answer_about(&s->list, id));
	assert_int_equal(s->list.count, MOST_RELATED);
	engine_free(small);
}

/* Is topic 5 found by these words? */
static const struct related *found(struct engine *engine, struct site *s, const char *words)
{
	const uint64_t only[] = {5};
	const struct engine_topic text = {.title = words};
	const struct engine_question question = {
		.text = &text, .limit = 5, .audience = AUDIENCE_PUBLIC, .only = only, .n_only = 1};

	assert_int_equal(engine_related(engine, &question, &s->arena, &s->list), 0);
	return reason_of(answer_about(&s->list, 5), REASON_WORDS) != NULL ? &s->list.items[0]
									  : NULL;
}

static void the_text_before_an_edit_that_is_refused_is_found_no_more(void **state)
{
	const struct engine_topic *edit = TOPIC_AT(2, 5, .title = "sujet5 réécrit", .author = 7);
	struct site *s = *state;
	uint64_t last = 0;
	struct engine *small = full_engine(&last);

	assert_non_null(found(small, s, "sujet5"));
	assert_int_equal(engine_put_topic(small, edit), -ENOSPC);
	assert_null(found(small, s, "sujet5"));
	assert_int_equal(engine_related(small, &(struct engine_question){.topic_id = 5}, &s->arena,
					&s->list),
			 -ENOENT);

	small->memory_limit = 2 * (size_t)LIMIT;
	assert_int_equal(engine_put_topic(small, TOPIC(5, .title = "sujet5")), 0);
	assert_null(found(small, s, "sujet5"));
	assert_int_equal(engine_put_comment(small, COMMENT(5, 50, .body = "entretemps")), 0);
	assert_int_equal(engine_put_topic(small, edit), 0);
	assert_non_null(found(small, s, "réécrit"));
	assert_non_null(found(small, s, "entretemps"));
	engine_free(small);
}

static void a_comment_before_an_edit_that_is_refused_is_found_no_more(void **state)
{
	struct engine_comment comment = *COMMENT(5, 50, .body = "parapluie", .author = 8);
	struct site *s = *state;
	uint64_t last = 0;
	struct engine *small = full_engine(&last);

	small->memory_limit = 2 * (size_t)LIMIT;
	assert_int_equal(engine_put_comment(small, &comment), 0);
	small->memory_limit = LIMIT;
	assert_int_equal(engine_put_comment(small, &comment), -ENOSPC);
	assert_non_null(found(small, s, "parapluie")); /* nothing newer */
	comment.version = 2;
	comment.body = "corrigé";
	assert_int_equal(engine_put_comment(small, &comment), -ENOSPC);
	assert_null(found(small, s, "parapluie"));

	small->memory_limit = 2 * (size_t)LIMIT;
	assert_int_equal(engine_put_comment(small, &comment), 0);
	assert_non_null(found(small, s, "corrigé"));
	engine_free(small);
}

static bool has_opinion(const struct engine *engine, uint64_t topic, uint64_t account)
{
	const struct corpus *corpus = &engine->corpus;

	return compose_has_opinion(&corpus->topics[corpus_find(corpus, topic)].record,
				   corpus_find_user(corpus, account));
}

static void an_opinion_is_withdrawn_at_the_memory_limit_and_none_comes(void **state)
{
	const uint64_t before[] = {11, 12, 13}, after[] = {12, 13, 14};
	uint64_t last = 0;
	struct engine *small = full_engine(&last);
	struct engine_stats stats, later;

	(void)state;
	small->memory_limit = 2 * (size_t)LIMIT;
	assert_int_equal(engine_set_opinions(small, 5, before, 3), 0);
	small->memory_limit = LIMIT;
	assert_int_equal(engine_set_opinions(small, 5, after, 3), -ENOSPC);
	assert_false(has_opinion(small, 5, 11));
	assert_true(has_opinion(small, 5, 12) && has_opinion(small, 5, 13));
	assert_false(has_opinion(small, 5, 14));
	assert_int_equal(engine_put_opinion(small, 5, 12, false), 0);
	assert_false(has_opinion(small, 5, 12));

	engine_stats(small, &stats);
	assert_int_equal(engine_set_opinions(small, 5, &after[1], 1), 0);
	assert_int_equal(engine_set_opinions(small, last + 1, after, 3), -ENOSPC);
	engine_stats(small, &later);
	assert_int_equal(later.refused, stats.refused + 1);
	engine_free(small);
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
		CASE(the_first_expertises_of_very_many_count),
		CASE(a_long_article_counts_to_its_end),
		CASE(expertises_are_a_reason_in_their_written_form),
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
		CASE(beyond_the_memory_limit_a_change_is_refused_and_the_rest_answers),
		CASE(at_the_memory_limit_nothing_is_lost_and_nothing_grows),
		CASE(the_text_before_an_edit_that_is_refused_is_found_no_more),
		CASE(an_opinion_is_withdrawn_at_the_memory_limit_and_none_comes),
		CASE(the_same_opinions_and_visibility_once_more_are_no_change),
		CASE(a_comment_before_an_edit_that_is_refused_is_found_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
