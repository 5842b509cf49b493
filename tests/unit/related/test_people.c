/*
 * test_people.c - co-participation, against figures computed by hand.
 *
 * Everybody who talks here is an account of 100 and more; topics have neither authors nor texts
 * that matter.
 */
#include "sentences.h"

#include <math.h>

#include "dice.h"
#include "related/corpus.h"
#include "related/engine_state.h"
#include "related/people.h"

enum { EVERYWHERE = 100, ANA, BEN, CLEO, FIRST_OF_MANY = 200 };

struct people {
	struct engine *engine;
	struct crowd one, other;
	struct idset fellows;
};

static int gather(void **state)
{
	static struct people people;

	people = (struct people){.engine = new_engine()};
	*state = &people;
	return 0;
}

static int part(void **state)
{
	struct people *p = *state;

	crowd_free(&p->one);
	crowd_free(&p->other);
	idset_free(&p->fellows);
	engine_free(p->engine);
	return 0;
}

static void put_topics(struct people *p, uint64_t count)
{
	for (uint64_t id = 1; id <= count; id++)
		assert_int_equal(engine_put_topic(p->engine, TOPIC(id, .title = "Un sujet")), 0);
}

static void talk(struct people *p, uint64_t topic, uint64_t account)
{
	const struct engine_comment *comment =
		COMMENT(topic, topic * 1000 + account, "D'accord.", .author = account);

	assert_int_equal(engine_put_comment(p->engine, comment), 0);
}

static void like(struct people *p, uint64_t topic, uint64_t account)
{
	assert_int_equal(engine_put_opinion(p->engine, topic, account, true), 0);
}

static void read_crowd(const struct people *p, struct crowd *crowd, uint64_t topic)
{
	const struct corpus *corpus = &p->engine->corpus;

	crowd_clear(crowd);
	crowd_read(crowd, &corpus->topics[corpus_find(corpus, topic)].record, UINT32_MAX);
	crowd_measure(crowd, corpus);
}

static double likeness(struct people *p, uint32_t *shared)
{
	read_crowd(p, &p->one, 1);
	read_crowd(p, &p->other, 2);
	return crowd_likeness(&p->engine->corpus, &p->one, &p->other, shared);
}

static bool has_fellow(const struct people *p, uint64_t topic)
{
	return idset_has(&p->fellows, corpus_find(&p->engine->corpus, topic));
}

/* Of 20 topics Ana and Ben are seen in 2, Cleo in 1. 2 * ln(20/2)^2 / (sqrt(3 * 2) + 5) */
static void who_spoke_in_both_counts_by_rarity(void **state)
{
	struct people *p = *state;
	uint32_t shared = 0;

	put_topics(p, 20);
	talk(p, 1, ANA), talk(p, 1, BEN), talk(p, 1, CLEO);
	talk(p, 2, ANA), talk(p, 2, BEN);
	assert_true(fabs(likeness(p, &shared) - 2 * pow(log(10), 2) / (sqrt(6) + 5)) < 1e-9);
	assert_int_equal(shared, 2);
}

/* Whoever they are, wherever they spoke and gave opinions besides: to the last bit. */
static void the_opinions_of_two_people_cannot_be_told_from_none(void **state)
{
	struct people *p = *state;
	uint32_t shared = 0;
	double before = 0;

	put_topics(p, 20);
	talk(p, 1, ANA), talk(p, 1, BEN), talk(p, 2, ANA);
	before = likeness(p, &shared);
	like(p, 1, ANA), like(p, 2, ANA);
	like(p, 2, BEN);
	like(p, 1, CLEO), like(p, 2, CLEO);
	for (uint64_t topic = 3; topic <= 10; topic++)
		like(p, topic, ANA);
	assert_true(likeness(p, &shared) == before);
	assert_int_equal(shared, 1);
}

/* Those who spoke before all others do: what everybody reads does not say what they think. */
static void opinions_count_from_three_people_on_who_gave_one_of_both(void **state)
{
	struct people *p = *state;
	uint32_t shared = 0;

	put_topics(p, 20);
	for (uint64_t account = FIRST_OF_MANY; account < FIRST_OF_MANY + 3; account++)
		talk(p, 1, account), like(p, 2, account);
	assert_true(likeness(p, &shared) == 0);
	assert_int_equal(shared, 0);
}

/* Three of 3 and 4. 3 * 1/2 * 1/2 * (ln(20) / 2)^2 / (sqrt(3 * 4) + 5), whether one spoke or not.
 */
static void three_opinions_of_both_count_alike(void **state)
{
	struct people *p = *state;
	const double expected = 3 * .25 * pow(log(20) / 2, 2) / (sqrt(12) + 5);
	uint32_t shared = 0;

	put_topics(p, 20);
	like(p, 1, ANA), like(p, 1, BEN), like(p, 1, CLEO);
	like(p, 2, ANA), like(p, 2, BEN), like(p, 2, CLEO), like(p, 2, FIRST_OF_MANY);
	assert_true(fabs(likeness(p, &shared) - expected) < 1e-9);
	assert_int_equal(shared, 3);
	assert_true(crowd_meets(&p->engine->corpus, &p->one, &p->fellows));
	assert_true(has_fellow(p, 2));
	talk(p, 5, ANA), talk(p, 1, BEN);
	assert_true(fabs(likeness(p, &shared) - expected) < 1e-9);
	assert_int_equal(shared, 3);
}

/* Two spoke in both and three gave opinions of both: more than three cannot be told. */
static void who_spoke_and_who_gave_opinions_are_not_added_up(void **state)
{
	struct people *p = *state;
	uint32_t shared = 0;

	put_topics(p, 20);
	talk(p, 1, ANA), talk(p, 2, ANA), talk(p, 1, BEN), talk(p, 2, BEN);
	for (uint64_t account = BEN; account < BEN + 3; account++)
		like(p, 1, account), like(p, 2, account);
	assert_true(likeness(p, &shared) > 0);
	assert_int_equal(shared, 3);
}

/* In 11 of 20 topics: as if they were in none. ln(20/2)^2 / (sqrt(2 * 1) + 5) */
static void who_is_everywhere_is_not_counted_among_those_who_are_there(void **state)
{
	struct people *p = *state;
	uint32_t shared = 0;

	put_topics(p, 20);
	for (uint64_t topic = 1; topic <= 11; topic++)
		talk(p, topic, EVERYWHERE);
	talk(p, 1, ANA), talk(p, 1, BEN), talk(p, 2, ANA);
	assert_true(fabs(likeness(p, &shared) - pow(log(10), 2) / (sqrt(2) + 5)) < 1e-9);
	assert_int_equal(shared, 1);
	assert_int_equal(p->one.size, 2);
}

static void who_is_in_more_topics_stands_behind_the_rarest_however_early_they_came(void **state)
{
	struct people *p = *state;

	put_topics(p, 60);
	for (uint64_t account = FIRST_OF_MANY; account < FIRST_OF_MANY + MOST_FELLOWS; account++)
		for (uint64_t topic = 1; topic <= 3; topic++)
			talk(p, topic, account);
	talk(p, 1, ANA), talk(p, 40, ANA);
	talk(p, 1, BEN), talk(p, 50, BEN);
	read_crowd(p, &p->one, 1);
	crowd_fellows(&p->engine->corpus, &p->one, &p->fellows);
	assert_true(has_fellow(p, 40));
	assert_true(has_fellow(p, 50));
	assert_true(has_fellow(p, 2));
}

/* Neither who is known here by an opinion, nor where one is known by nothing else. */
static void an_opinion_leads_to_no_topic(void **state)
{
	struct people *p = *state;

	put_topics(p, 60);
	like(p, 1, ANA), talk(p, 40, ANA);
	talk(p, 1, BEN), like(p, 50, BEN), talk(p, 51, BEN);
	read_crowd(p, &p->one, 1);
	crowd_fellows(&p->engine->corpus, &p->one, &p->fellows);
	assert_false(has_fellow(p, 40));
	assert_false(has_fellow(p, 50));
	assert_true(has_fellow(p, 51));
}

static uint32_t unseen(const struct people *p, uint64_t account)
{
	return p->engine->corpus.users[corpus_find_user(&p->engine->corpus, account)].n_unseen;
}

static void where_somebody_is_not_seen_is_counted_through_all_changes(void **state)
{
	struct people *p = *state;

	put_topics(p, 3);
	like(p, 1, ANA), like(p, 2, ANA), like(p, 3, ANA);
	assert_int_equal(unseen(p, ANA), 3);
	talk(p, 1, ANA);
	assert_int_equal(unseen(p, ANA), 2);
	assert_int_equal(engine_put_topic(p->engine, TOPIC_AT(2, 2, .author = ANA)), 0);
	assert_int_equal(unseen(p, ANA), 1);
	assert_int_equal(engine_remove_comment(p->engine, 1, 1000 + ANA, 2), 0);
	assert_int_equal(unseen(p, ANA), 2);
	assert_int_equal(engine_put_opinion(p->engine, 3, ANA, false), 0);
	assert_int_equal(unseen(p, ANA), 1);
	engine_remove_topic(p->engine, 1, 9);
	assert_int_equal(unseen(p, ANA), 0);
	like(p, 3, ANA);
	engine_erase_account(p->engine, ANA);
	assert_int_equal(unseen(p, ANA), 0);
}

/* 60 people of one more topic each came after 100 of two more: their 60 topics, and 38 of the 200.
 */
static void the_rarest_of_all_fill_the_places_first(void **state)
{
	struct people *p = *state;
	uint64_t account = FIRST_OF_MANY, next = 2;
	uint32_t rare = 0;

	put_topics(p, 300);
	for (uint32_t i = 0; i < 100; i++, account++, next += 2)
		talk(p, 1, account), talk(p, next, account), talk(p, next + 1, account);
	for (uint32_t i = 0; i < 60; i++, account++, next++)
		talk(p, 1, account), talk(p, next, account);
	read_crowd(p, &p->one, 1);
	crowd_fellows(&p->engine->corpus, &p->one, &p->fellows);
	for (uint64_t topic = 202; topic < 262; topic++)
		rare += has_fellow(p, topic);
	assert_int_equal(rare, 60);
	assert_int_equal(p->fellows.count, 1 + 60 + 38);
}

/* Any six of 40 people talk and any six have opinions in each of 60 topics. */
static void whoever_shares_somebody_is_met(void **state)
{
	struct people *p = *state;
	uint64_t seed = 1;
	uint32_t alike = 0;

	put_topics(p, 60);
	for (uint64_t topic = 1; topic <= 60; topic++)
		for (uint32_t i = 0; i < 6; i++) {
			talk(p, topic, FIRST_OF_MANY + dice(&seed, 40));
			like(p, topic, FIRST_OF_MANY + dice(&seed, 40));
		}
	read_crowd(p, &p->one, 1);
	assert_true(crowd_meets(&p->engine->corpus, &p->one, &p->fellows));
	for (uint64_t topic = 2; topic <= 60; topic++) {
		uint32_t shared = 0;

		read_crowd(p, &p->other, topic);
		if (crowd_likeness(&p->engine->corpus, &p->one, &p->other, &shared) == 0)
			continue;
		alike++;
		assert_true(has_fellow(p, topic));
	}
	assert_in_range(alike, 20, 59);
}

/* A hundred people, each in a hundred of 600 topics: more to follow than there is to read. */
static void a_crowd_that_has_been_in_very_many_topics_is_compared_all_the_same(void **state)
{
	struct people *p = *state;
	static struct related_list list;
	struct arena arena = {0};
	struct engine_question question = about(1);
	const struct reason *reason = NULL;

	put_topics(p, 600);
	for (uint64_t account = FIRST_OF_MANY; account < FIRST_OF_MANY + 100; account++)
		for (uint64_t topic = 1; topic <= 100; topic++)
			talk(p, topic, account);
	read_crowd(p, &p->one, 1);
	assert_false(crowd_meets(&p->engine->corpus, &p->one, &p->fellows));
	assert_int_equal(engine_related(p->engine, &question, &arena, &list), 0);
	reason = reason_of(&list.items[0], REASON_PARTICIPANTS);
	assert_non_null(reason);
	assert_int_equal(reason->count, 100);
	arena_free(&arena);
}

#define CASE(sentence) cmocka_unit_test_setup_teardown(sentence, gather, part)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(who_spoke_in_both_counts_by_rarity),
		CASE(the_opinions_of_two_people_cannot_be_told_from_none),
		CASE(opinions_count_from_three_people_on_who_gave_one_of_both),
		CASE(three_opinions_of_both_count_alike),
		CASE(who_spoke_and_who_gave_opinions_are_not_added_up),
		CASE(who_is_everywhere_is_not_counted_among_those_who_are_there),
		CASE(who_is_in_more_topics_stands_behind_the_rarest_however_early_they_came),
		CASE(an_opinion_leads_to_no_topic),
		CASE(where_somebody_is_not_seen_is_counted_through_all_changes),
		CASE(the_rarest_of_all_fill_the_places_first),
		CASE(whoever_shares_somebody_is_met),
		CASE(a_crowd_that_has_been_in_very_many_topics_is_compared_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
