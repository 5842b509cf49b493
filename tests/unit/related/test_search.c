/*
 * test_search.c - the scan over blocks gives exactly what counting every topic gives.
 */
#include "sentences.h"

#include <stdlib.h>

#include "dice.h"
#include "related/block.h"
#include "related/engine_state.h"
#include "related/memory.h"
#include "related/shortlist.h"

#if defined(__SANITIZE_ADDRESS__)
enum { CORPUS = 3000, QUESTIONS = 300 };
#else
enum { CORPUS = 100000, QUESTIONS = 10000 };
#endif

enum { TOP = 10, ASKED = 25, VOCABULARY = 40000 };

/* What a term is worth where, found without any block. */
struct occurrence {
	uint32_t topic;
	uint8_t impact;
};

struct occurrences {
	struct occurrence *at;
	uint32_t count, room;
};

struct truth {
	struct engine *engine;
	struct occurrences *terms;
	uint32_t n_terms;
	uint32_t *sums; /* by topic */
};

static void count_topic(struct truth *truth, uint32_t topic, struct bag *bag)
{
	const struct corpus *c = &truth->engine->corpus;
	struct field_weights weights;

	bag_clear(bag);
	bag_read(bag, &c->topics[topic].record);
	weights = bm25f_weights(bm25f_averages(c), bag->length);
	for (uint32_t i = 0; i < bag->count; i++) {
		struct occurrences *list = &truth->terms[bag->entries[i].term];

		MEMORY_GROW(list->at, list->room, list->count + 1);
		list->at[list->count++] =
			(struct occurrence){topic, bm25f_impact(&weights, bag->entries[i].tf)};
	}
}

static void count_everything(struct truth *truth)
{
	struct bag bag = {0};

	truth->n_terms = truth->engine->corpus.dictionary.n_terms;
	truth->terms = MEMORY_NEW(struct occurrences, truth->n_terms);
	truth->sums = MEMORY_NEW(uint32_t, truth->engine->corpus.n_topics);
	for (uint32_t topic = 0; topic < truth->engine->corpus.n_topics; topic++)
		if (truth->engine->corpus.topics[topic].live)
			count_topic(truth, topic, &bag);
	bag_free(&bag);
}

/* Most topics are found in a block built in one go, the last ones in merged and hot blocks. */
static int open_truth(void **state)
{
	static struct truth truth;
	uint64_t seed = 7;
	char title[128], article[1024];

	truth.engine = new_engine();
	engine_bulk(truth.engine, true);
	for (uint64_t id = 1; id <= CORPUS; id++) {
		if (id == CORPUS / 10 * 8) {
			engine_bulk(truth.engine, false);
			while (engine_work(truth.engine, 1000000))
				;
		}
		dice_words(&seed, title, sizeof title, 6, VOCABULARY);
		dice_words(&seed, article, sizeof article, dice(&seed, 40), VOCABULARY);
		engine_put_topic(truth.engine, TOPIC(id, .title = title, .article = article));
		if (dice(&seed, 10) == 0)
			engine_set_visibility(truth.engine, id, AUDIENCE_ORGANIZERS);
		if (dice(&seed, 20) == 0)
			engine_remove_topic(truth.engine, 1 + dice(&seed, (uint32_t)id), 2);
	}
	engine_settle(truth.engine);
	count_everything(&truth);
	*state = &truth;
	return 0;
}

static int close_truth(void **state)
{
	struct truth *truth = *state;

	for (uint32_t i = 0; i < truth->n_terms; i++)
		free(truth->terms[i].at);
	free(truth->terms);
	free(truth->sums);
	engine_free(truth->engine);
	return 0;
}

static void sum_up(struct truth *truth, const struct search *q)
{
	memset(truth->sums, 0, truth->engine->corpus.n_topics * sizeof *truth->sums);
	for (uint32_t i = 0; i < q->n_terms; i++) {
		const struct occurrences *list = &truth->terms[q->terms[i].term];

		for (uint32_t j = 0; j < list->count; j++)
			truth->sums[list->at[j].topic] +=
				(uint32_t)q->terms[i].weight * list->at[j].impact >> 8;
	}
}

/* One pass: keeps the best TOP in order. */
static uint32_t best_topics(const struct truth *truth, uint8_t audience, uint32_t best[TOP])
{
	const struct corpus *c = &truth->engine->corpus;
	uint32_t count = 0;

	for (uint32_t topic = 0; topic < c->n_topics; topic++) {
		uint32_t at = count;

		if (truth->sums[topic] == 0 || (c->topics[topic].visible_to & audience) == 0)
			continue;
		while (at > 0 && (truth->sums[best[at - 1]] < truth->sums[topic] ||
				  (truth->sums[best[at - 1]] == truth->sums[topic] &&
				   c->topics[best[at - 1]].id > c->topics[topic].id)))
			at--;
		if (at == TOP)
			continue;
		count += count < TOP;
		memmove(best + at + 1, best + at, (count - 1 - at) * sizeof *best);
		best[at] = topic;
	}
	return count;
}

static void draw_terms(const struct truth *truth, uint64_t *seed, struct search_term terms[ASKED])
{
	for (uint32_t i = 0; i < ASKED; i++) {
		terms[i].term = dice_zipf(seed, truth->n_terms);
		for (uint32_t j = 0; j < i; j++)
			if (terms[j].term == terms[i].term)
				terms[i].term = (terms[i].term + 1) % truth->n_terms,
				j = UINT32_MAX;
		terms[i].weight = (uint16_t)(1 + dice(seed, 65535 / ASKED - 1));
	}
}

static const struct corpus *sorted; /* for compare_found */

static int compare_found(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->text != b->text)
		return a->text > b->text ? -1 : 1;
	return sorted->topics[a->topic].id < sorted->topics[b->topic].id ? -1 : 1;
}

static uint32_t differs(const struct truth *truth, struct search *q, const uint32_t *best,
			uint32_t count)
{
	uint32_t wrong = count != q->n_found;

	sorted = &truth->engine->corpus;
	qsort(q->found, q->n_found, sizeof *q->found, compare_found);
	for (uint32_t i = 0; i < count && i < q->n_found; i++)
		wrong += q->found[i].topic != best[i] || q->found[i].text != truth->sums[best[i]];
	return wrong;
}

static void both_scans_answer_as_counting_everything_does(void **state)
{
	struct truth *truth = *state;
	struct searcher *portable = searcher_new(&scan_portable);
	struct searcher *fastest = searcher_new(scan_best());
	struct search *q = MEMORY_NEW(struct search, 1);
	struct idset excluded = {0};
	struct search_term terms[ASKED];
	uint32_t wrong = 0, best[TOP];
	uint64_t seed = 11;

	q->terms = terms;
	q->n_terms = ASKED;
	q->audience = AUDIENCE_PUBLIC;
	q->excluded = &excluded;
	q->limit = TOP;
	for (uint32_t i = 0; i < QUESTIONS; i++) {
		uint32_t count = 0;

		draw_terms(truth, &seed, terms);
		sum_up(truth, q);
		count = best_topics(truth, q->audience, best);
		search_run(fastest, &truth->engine->corpus, truth->engine->index, q);
		wrong += differs(truth, q, best, count);
		search_run(portable, &truth->engine->corpus, truth->engine->index, q);
		wrong += differs(truth, q, best, count);
	}
	assert_int_equal(wrong, 0);
	idset_free(&excluded);
	free(q);
	searcher_free(portable);
	searcher_free(fastest);
}

static void every_live_topic_has_exactly_one_place(void **state)
{
	const struct truth *truth = *state;
	const struct corpus *c = &truth->engine->corpus;
	uint32_t n_blocks = 0, placed = 0;
	struct block *const *blocks = index_blocks(truth->engine->index, &n_blocks);

	for (uint32_t i = 0; i < n_blocks; i++)
		for (uint32_t slot = 0; blocks[i] != NULL && slot < blocks[i]->used; slot++)
			placed += c->topics[blocks[i]->topics[slot]].place == (i << 16 | slot);
	assert_int_equal(placed, c->live);
	for (uint32_t topic = 0; topic < c->n_topics; topic++)
		assert_int_equal(c->topics[topic].live, c->topics[topic].place != NOWHERE);
}

static void both_scans_find_the_same_positions(void **state)
{
	static uint16_t sums[SCAN_CHUNK], one[SCAN_CHUNK], other[SCAN_CHUNK];
	const uint16_t thresholds[] = {1, 2, 100, 32767, 32768, 65535};
	uint64_t seed = 3;

	(void)state;
	for (uint32_t i = 0; i < SCAN_CHUNK; i++)
		sums[i] = (uint16_t)(dice(&seed, 3) == 0 ? dice(&seed, 65536) : dice(&seed, 3));
	sums[0] = sums[15] = sums[16] = sums[31] = sums[SCAN_CHUNK - 1] = 65535;
	for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++) {
		size_t count = scan_portable.find(sums, thresholds[i], one);

		assert_int_equal(scan_best()->find(sums, thresholds[i], other), count);
		assert_memory_equal(one, other, count * sizeof *one);
	}
}

/* More alike than the short list has room for, so that no histogram tells them apart. */
static void of_thousands_that_are_alike_those_with_the_smallest_ids_are_found(void **state)
{
	enum { ALIKE = 3 * MOST_CANDIDATES };
	struct engine *engine = new_engine();
	struct searcher *searcher = searcher_new(scan_best());
	struct search *q = MEMORY_NEW(struct search, 1);
	struct idset excluded = {0};
	struct search_term term = {0, 65535};

	(void)state;
	for (uint64_t i = 0; i < ALIKE; i++)
		engine_put_topic(engine, TOPIC(1 + i * 7919 % ALIKE, .title = "fanfare"));
	engine_settle(engine);
	*q = (struct search){.terms = &term,
			     .n_terms = 1,
			     .audience = AUDIENCE_PUBLIC,
			     .excluded = &excluded,
			     .limit = TOP};
	search_run(searcher, &engine->corpus, engine->index, q);
	sorted = &engine->corpus;
	qsort(q->found, q->n_found, sizeof *q->found, compare_found);
	assert_int_equal(q->n_found, TOP);
	for (uint32_t i = 0; i < TOP; i++)
		assert_int_equal(engine->corpus.topics[q->found[i].topic].id, i + 1);
	free(q);
	searcher_free(searcher);
	engine_free(engine);
}

static uint32_t any_place(const struct corpus *c)
{
	uint32_t topic = 0;

	while (c->topics[topic].place == NOWHERE)
		topic++;
	return c->topics[topic].place;
}

static uint32_t count_of(const struct shortlist *list, uint16_t text)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < list->count; i++)
		count += list->list[i].text == text;
	return count;
}

/* One less than are wanted are better than those that filled the list. */
static void whoever_fills_the_short_list_counts_once(void **state)
{
	const struct truth *truth = *state;
	struct shortlist *list = MEMORY_NEW(struct shortlist, 1);
	const uint32_t place = any_place(&truth->engine->corpus);

	shortlist_begin(list, &truth->engine->corpus, truth->engine->index, TOP);
	for (uint32_t i = 0; i < SHORTLIST - 1; i++)
		shortlist_add(list, (struct hopeful){place, 100});
	for (uint32_t i = 0; i < TOP - 1; i++)
		shortlist_add(list, (struct hopeful){place, 200});
	shortlist_drop_low(list);
	shortlist_cut(list, TOP);
	assert_int_equal(count_of(list, 200), TOP - 1);
	assert_int_equal(count_of(list, 100), 1);
	free(list);
}

/* A slot that stands in a run again with impact 0 keeps what was added. */
static void both_scans_add_the_same_sums(void **state)
{
	static uint16_t one[BLOCK_SLOTS], other[BLOCK_SLOTS], slots[999];
	static uint8_t impacts[BLOCK_SLOTS], gaps[999];
	const struct run run = {.slots = slots, .impacts = impacts, .count = 999};
	const struct run gap_run = {.gaps = gaps, .impacts = impacts + 1000, .count = 999};
	struct dense_term dense[3];
	uint16_t expected = 0;
	uint64_t seed = 4;

	(void)state;
	for (uint32_t i = 0; i < BLOCK_SLOTS; i++)
		impacts[i] = (uint8_t)dice(&seed, 256);
	for (uint32_t i = 0; i < 999; i++) {
		slots[i] = (uint16_t)(i * 65);
		gaps[i] = (uint8_t)dice(&seed, 66);
	}
	gaps[0] = 1;
	slots[1] = slots[2] = 0;
	impacts[1] = impacts[2] = 0;
	for (uint32_t weight = 1; weight < 65536; weight *= 3) {
		scan_portable.add(one, &run, (uint16_t)weight);
		scan_best()->add(other, &run, (uint16_t)weight);
		scan_portable.add(one, &gap_run, (uint16_t)weight);
		scan_best()->add(other, &gap_run, (uint16_t)weight);
		for (uint32_t t = 0; t < 3; t++)
			dense[t] = (struct dense_term){impacts + t, (uint16_t)(weight / (t + 1))};
		scan_portable.add_dense(one, dense, 3, BLOCK_SLOTS - 5);
		scan_best()->add_dense(other, dense, 3, BLOCK_SLOTS - 5);
		assert_memory_equal(one, other, sizeof one);
		expected = (uint16_t)(expected + (weight * impacts[0] >> 8));
		for (uint32_t t = 0; t < 3; t++)
			expected = (uint16_t)(expected + (dense[t].weight * impacts[t] >> 8));
	}
	assert_int_equal(one[0], expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_scans_find_the_same_positions),
		cmocka_unit_test(both_scans_add_the_same_sums),
		cmocka_unit_test(of_thousands_that_are_alike_those_with_the_smallest_ids_are_found),
		cmocka_unit_test(whoever_fills_the_short_list_counts_once),
		cmocka_unit_test(every_live_topic_has_exactly_one_place),
		cmocka_unit_test(both_scans_answer_as_counting_everything_does),
	};

	return cmocka_run_group_tests(tests, open_truth, close_truth);
}
