/*
 * test_bm25f.c - weights and scores against figures worked out by hand.
 *
 * Two topics. Lengths: titles 2 and 1 (average 1.5 -> 2^(5/8) = 1.5422), bodies 3 and 1
 * (average 2), replies 1 and none (average 1), no tags.
 */
#include "sentences.h"

#include "related/bm25f.h"
#include "related/engine_state.h"
#include "related/query.h"

static void put_both(struct engine *engine)
{
	engine_put_topic(engine, TOPIC(1, .title = "velo ville", .article = "velo velo pont"));
	engine_put_topic(engine, TOPIC(2, .title = "jardin", .article = "pont"));
	engine_put_comment(engine, COMMENT(1, 1, .body = "pont"));
}

static struct bag bag_of(struct engine *engine, uint64_t topic_id)
{
	struct bag bag = {0};

	bag_clear(&bag);
	bag_read(&bag, &engine->corpus.topics[corpus_find(&engine->corpus, topic_id)].record);
	return bag;
}

static uint32_t term_of(struct engine *engine, const char *stem)
{
	return dictionary_find_term(&engine->corpus.dictionary, stem, strlen(stem));
}

static void average_lengths_are_rounded_to_eighths_of_an_octave(void **state)
{
	struct engine *engine = new_engine();
	struct averages averages;

	(void)state;
	put_both(engine);
	averages = bm25f_averages(&engine->corpus);
	assert_int_equal(averages.step[FIELD_TITLE], 5);   /* log2(1.5) * 8 = 4.68 */
	assert_int_equal(averages.step[FIELD_BODY], 8);    /* log2(2) * 8 */
	assert_int_equal(averages.step[FIELD_REPLIES], 0); /* of the one that has any */
	engine_free(engine);
}

static void a_share_is_tf_over_k1_plus_tf(void **state)
{
	struct engine *engine = new_engine();
	struct bag bag;
	struct field_weights weights;

	(void)state;
	put_both(engine);
	bag = bag_of(engine, 1);
	weights = bm25f_weights(bm25f_averages(&engine->corpus), bag.length);

	/* title 3 / (.4 + .6 * 2 / 1.5422) = 2.5461, body 1 / (.3 + .7 * 3 / 2) = .74074 */
	assert_true(fabs(weights.per_occurrence[FIELD_TITLE] - 2.5461) < 1e-3);
	assert_true(fabs(weights.per_occurrence[FIELD_BODY] - 1 / 1.35) < 1e-6);
	/* velo: 2.5461 + 2 * .74074 = 4.0276; 4.0276 / 8.0276 = .50172, * 255 = 127.9 */
	assert_int_equal(bm25f_impact(&weights, bag_find(&bag, term_of(engine, "velo"))->tf), 128);
	/* pont: body .74074 and reply .5 / (.5 + .5 * 1 / 1) = .5; 1.2407 / 5.2407 * 255 = 60.4 */
	assert_int_equal(bm25f_impact(&weights, bag_find(&bag, term_of(engine, "pont"))->tf), 60);
	bag_free(&bag);
	engine_free(engine);
}

static void idf_is_that_of_robertson_and_never_negative(void **state)
{
	struct engine *engine = new_engine();

	(void)state;
	put_both(engine);
	/* ln(1 + (2 - 1 + .5) / 1.5) = ln 2; in both: ln(1 + .5 / 2.5) */
	assert_true(fabs(corpus_idf(&engine->corpus, 1) - log(2)) < 1e-12);
	assert_true(fabs(corpus_idf(&engine->corpus, 2) - log(1.2)) < 1e-12);
	assert_true(corpus_idf(&engine->corpus, 3) == 0);
	engine_free(engine);
}

static void a_question_weighs_title_three_times_and_saturates(void **state)
{
	struct engine *engine = new_engine();
	struct query query = {0};
	double velo = 0, ville = 0, pont = 0, sum = 0;

	(void)state;
	put_both(engine);
	query.bag = bag_of(engine, 1);
	query_weigh(&query, &engine->corpus);
	/* q: velo 3 + 2 = 5, ville 3, pont 1 + .8 = 1.8; q * 4 / (q + 3), times idf (below 1) */
	velo = log(2) * 5 * 4 / 8;
	ville = log(2) * 3 * 4 / 6;
	pont = log(1.2) * 1.8 * 4 / 4.8;
	sum = velo + ville + pont;
	assert_int_equal(query.n_terms, 3);
	assert_int_equal(query.terms[0].term, term_of(engine, "velo"));
	assert_int_equal(query.terms[0].weight, (int)(velo / sum * 65535));
	assert_int_equal(query.terms[1].weight, (int)(ville / sum * 65535));
	assert_int_equal(query.terms[2].weight, (int)(pont / sum * 65535));
	query_free(&query);
	engine_free(engine);
}

/* Of four topics one has it: idf ln(1 + 3.5 / 1.5) = ln(10 / 3), to the power of .85. */
static void a_rare_word_weighs_less_than_its_idf_says(void **state)
{
	const double rare = pow(log(10 / 3.0), .85), common = log(1 + .5 / 4.5);
	struct engine *engine = new_engine();
	struct query query = {0};

	(void)state;
	engine_put_topic(engine, TOPIC(1, .title = "velo pont"));
	for (uint64_t id = 2; id <= 4; id++)
		engine_put_topic(engine, TOPIC(id, .title = "pont"));
	query.bag = bag_of(engine, 1);
	query_weigh(&query, &engine->corpus);
	assert_int_equal(query.terms[0].term, term_of(engine, "velo"));
	assert_int_equal(query.terms[0].weight, (int)(rare / (rare + common) * 65535));
	query_free(&query);
	engine_free(engine);
}

static void a_score_from_the_record_is_the_sum_of_weight_times_share(void **state)
{
	struct engine *engine = new_engine();
	struct query query = {0};
	struct query_score score;

	(void)state;
	put_both(engine);
	query.bag = bag_of(engine, 1);
	query_weigh(&query, &engine->corpus);
	/* Topic 2 has pont once in a body of 1: 1 / (.3 + .7 * 1 / 2) = 1.5385; share 5 / 18 */
	query_score(&query, &engine->corpus.topics[1], UINT32_MAX, &score);
	assert_true(fabs(score.total - query.terms[2].weight * 5.0 / 18 * 255 / 256) < .01);
	assert_true(fabs(score.terms[2] - score.total) < 1e-9);
	/* What is younger does not count: pont in the body alone, .74074 / 4.74074 = 5 / 32. */
	query_score(&query, &engine->corpus.topics[0], 86400 * 1000, &score);
	assert_true(fabs(score.terms[2] - query.terms[2].weight * 5.0 / 32 * 255 / 256) < .01);
	query_free(&query);
	engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(average_lengths_are_rounded_to_eighths_of_an_octave),
		cmocka_unit_test(a_share_is_tf_over_k1_plus_tf),
		cmocka_unit_test(idf_is_that_of_robertson_and_never_negative),
		cmocka_unit_test(a_question_weighs_title_three_times_and_saturates),
		cmocka_unit_test(a_rare_word_weighs_less_than_its_idf_says),
		cmocka_unit_test(a_score_from_the_record_is_the_sum_of_weight_times_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
