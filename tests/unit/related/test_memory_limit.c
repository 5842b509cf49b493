/*
 * test_memory_limit.c - what happens where CAUSERIE_RELATED_MEMORY is reached.
 */
#include "small_site.h"

#include <errno.h>
#include <stdio.h>

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

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)
	const struct CMUnitTest tests[] = {
		CASE(beyond_the_memory_limit_a_change_is_refused_and_the_rest_answers),
		CASE(at_the_memory_limit_nothing_is_lost_and_nothing_grows),
		CASE(the_text_before_an_edit_that_is_refused_is_found_no_more),
		CASE(a_comment_before_an_edit_that_is_refused_is_found_no_more),
		CASE(an_opinion_is_withdrawn_at_the_memory_limit_and_none_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
