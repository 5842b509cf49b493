/* test_lifecycle.c - the life of a topic as a whole: who sees it, who may move it where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "topics/topics.h"

#define STATE(name) CAUSERIE__TOPIC_STATE__##name
#define SEEN(name)  CAUSERIE__SEEN_BY__SEEN_BY_##name

static const struct viewer visitor = {0};
static const struct viewer member = {.account_id = 5, .verified = true};
static const struct viewer proposer = {.account_id = 7, .verified = true};
static const struct viewer organizer = {
	.account_id = 9, .roles = CAUSERIE__ROLE__ROLE_ORGANIZER, .verified = true};

#define PROPOSER_ID 7

/* The states a viewer may move a topic to, as bits. */
static unsigned moves(Causerie__TopicState from, const struct viewer *viewer)
{
	unsigned bits = 0;

	for (int to = STATE(DRAFT); to <= STATE(ARCHIVED); to++)
		if (may_transition(from, (Causerie__TopicState)to, PROPOSER_ID, viewer))
			bits |= 1u << to;
	return bits;
}

static void the_road_from_draft_to_published_exists(void **state)
{
	(void)state;
	assert_true(may_transition(STATE(DRAFT), STATE(PROPOSED), PROPOSER_ID, &proposer));
	assert_true(may_transition(STATE(PROPOSED), STATE(OPEN), PROPOSER_ID, &organizer));
	assert_true(may_transition(STATE(OPEN), STATE(SHORTLISTED), PROPOSER_ID, &organizer));
	assert_true(may_transition(STATE(SHORTLISTED), STATE(SCHEDULED), PROPOSER_ID, &organizer));
	assert_true(may_transition(STATE(SCHEDULED), STATE(RECORDED), PROPOSER_ID, &organizer));
	assert_true(may_transition(STATE(RECORDED), STATE(PUBLISHED), PROPOSER_ID, &organizer));
}

static void visitors_and_other_members_move_nothing(void **state)
{
	(void)state;
	for (int from = STATE(DRAFT); from <= STATE(ARCHIVED); from++) {
		assert_int_equal(moves((Causerie__TopicState)from, &visitor), 0);
		assert_int_equal(moves((Causerie__TopicState)from, &member), 0);
	}
}

static void a_proposer_submits_and_withdraws_until_it_is_scheduled(void **state)
{
	const unsigned withdraw = 1u << STATE(WITHDRAWN);

	(void)state;
	assert_int_equal(moves(STATE(DRAFT), &proposer), withdraw | 1u << STATE(PROPOSED));
	assert_int_equal(moves(STATE(PROPOSED), &proposer), withdraw);
	assert_int_equal(moves(STATE(OPEN), &proposer), withdraw);
	assert_int_equal(moves(STATE(SHORTLISTED), &proposer), withdraw);
	assert_int_equal(moves(STATE(SCHEDULED), &proposer), 0);
	assert_int_equal(moves(STATE(PUBLISHED), &proposer), 0);
}

static void an_archived_topic_stays_where_it_is(void **state)
{
	(void)state;
	assert_int_equal(moves(STATE(ARCHIVED), &organizer), 0);
	assert_int_equal(moves(STATE(MERGED), &organizer), 0);
}

static bool sees(Causerie__SeenBy seen_by, uint64_t proposer_id, const struct viewer *viewer)
{
	const Causerie__TopicSummary topic = {.seen_by = seen_by, .proposer_id = proposer_id};

	return may_see(&topic, viewer);
}

static void a_topic_is_seen_by_those_it_says_and_its_proposer(void **state)
{
	(void)state;
	assert_true(sees(SEEN(PROPOSER), PROPOSER_ID, &proposer));
	assert_false(sees(SEEN(PROPOSER), PROPOSER_ID, &organizer));
	assert_false(sees(SEEN(PROPOSER), PROPOSER_ID, &member));
	assert_true(sees(SEEN(ORGANIZERS), PROPOSER_ID, &organizer));
	assert_true(sees(SEEN(ORGANIZERS), PROPOSER_ID, &proposer));
	assert_false(sees(SEEN(ORGANIZERS), PROPOSER_ID, &member));
	assert_true(sees(SEEN(EVERYBODY), PROPOSER_ID, &visitor));
}

static void a_topic_that_does_not_say_who_sees_it_is_its_proposers(void **state)
{
	(void)state;
	assert_true(sees(SEEN(UNSPECIFIED), PROPOSER_ID, &proposer));
	assert_false(sees(SEEN(UNSPECIFIED), PROPOSER_ID, &organizer));
}

static void nobody_is_not_the_proposer_of_a_topic_without_one(void **state)
{
	(void)state;
	assert_false(sees(SEEN(PROPOSER), 0, &visitor));
	assert_false(may_edit(STATE(DRAFT), 0, &visitor));
	assert_false(may_transition(STATE(DRAFT), STATE(PROPOSED), 0, &visitor));
}

static void the_proposer_edits_until_it_is_shortlisted(void **state)
{
	(void)state;
	assert_true(may_edit(STATE(OPEN), PROPOSER_ID, &proposer));
	assert_false(may_edit(STATE(SHORTLISTED), PROPOSER_ID, &proposer));
	assert_true(may_edit(STATE(SHORTLISTED), PROPOSER_ID, &organizer));
	assert_false(may_edit(STATE(ARCHIVED), PROPOSER_ID, &organizer));
	assert_false(may_edit(STATE(OPEN), PROPOSER_ID, &member));
}

static void opinions_and_comments_close_when_the_road_ends(void **state)
{
	(void)state;
	assert_true(accepts_opinions(STATE(OPEN)) && accepts_comments(STATE(OPEN)));
	assert_true(accepts_comments(STATE(PUBLISHED)));
	for (int closed = STATE(WITHDRAWN); closed <= STATE(MERGED); closed++) {
		assert_false(accepts_opinions((Causerie__TopicState)closed));
		assert_false(accepts_comments((Causerie__TopicState)closed));
	}
	assert_false(accepts_comments(STATE(DRAFT)) || accepts_comments(STATE(PROPOSED)));
}

static void four_opinions_are_a_total_and_five_a_distribution(void **state)
{
	(void)state;
	assert_false(opinions_visible(4));
	assert_true(opinions_visible(5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_road_from_draft_to_published_exists),
		cmocka_unit_test(visitors_and_other_members_move_nothing),
		cmocka_unit_test(a_proposer_submits_and_withdraws_until_it_is_scheduled),
		cmocka_unit_test(an_archived_topic_stays_where_it_is),
		cmocka_unit_test(a_topic_is_seen_by_those_it_says_and_its_proposer),
		cmocka_unit_test(a_topic_that_does_not_say_who_sees_it_is_its_proposers),
		cmocka_unit_test(nobody_is_not_the_proposer_of_a_topic_without_one),
		cmocka_unit_test(the_proposer_edits_until_it_is_shortlisted),
		cmocka_unit_test(opinions_and_comments_close_when_the_road_ends),
		cmocka_unit_test(four_opinions_are_a_total_and_five_a_distribution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
