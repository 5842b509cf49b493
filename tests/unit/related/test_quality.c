/*
 * test_quality.c - on a small site judged by hand, a change for the worse turns red.
 *
 * nDCG@10 with the five others of a circle as the truth (Jarvelin & Kekalainen
 * 2002), for topics with their discussion, and as on their first day.
 *
 * Broken on purpose, one at a time, these turn this test red: no stemming, no stop list,
 * accents kept, replies of no weight (in the index or in the question), the same for titles
 * and for expertises, bodies of no weight, 5 terms a question, no idf, idf not dampened, k1 of .5,
 * lengths ignored, links ignored, language at .5, lambda at .6, a gate of .5 and no gate.
 *
 * Sixty-six topics do not show the rest, which is worked out by hand: no time, no author, no people
 * and no titles in the order in test_explain.c, no lambda in test_engine.c. test_bm25f.c holds
 * weights, k1 and b once more.
 */
#include "sentences.h"

#include "fixture.h"

/* What is reached less a margin; a change that raises a figure should raise its bar. */
#define AS_IT_STANDS 0.938
#define ON_FIRST_DAY 0.917
#define TEXT_ALONE   0.668
#define WITH_MANNERS 0.567

static void put_site(struct engine *engine)
{
	for (uint64_t id = 1; id <= FIXTURE_TOPICS; id++) {
		const struct fixture_topic *t = &fixture[id - 1];
		int64_t created = (int64_t)(id * 37 % FIXTURE_TOPICS) * 5 * DAY_US;

		engine_put_topic(engine, TOPIC(id, .title = t->title, .article = t->text,
					       .language = t->language, .expertises = &t->expertise,
					       .n_expertises = 1, .links = &t->link,
					       .n_links = t->link != 0));
		engine_put_comment(engine,
				   &(struct engine_comment){.topic_id = id,
							    .id = id,
							    .version = 1,
							    .created_at = 1000 * DAY_US + created,
							    .body = t->reply});
	}
	engine_settle(engine);
}

static double gain(uint64_t topic_id, uint64_t answer, uint32_t place)
{
	bool related = (topic_id - 1) / FIXTURE_CIRCLE == (answer - 1) / FIXTURE_CIRCLE;

	return related ? 1 / log2(place + 2.0) : 0;
}

static double ndcg(struct engine *engine, struct engine_question question)
{
	static struct related_list list;
	double sum = 0, most = 0;

	for (uint32_t place = 0; place < FIXTURE_CIRCLE - 1; place++)
		most += 1 / log2(place + 2.0);
	for (uint64_t id = 1; id <= FIXTURE_TOPICS; id++) {
		struct arena arena = {0};

		question.topic_id = id;
		assert_int_equal(engine_related(engine, &question, &arena, &list), 0);
		for (uint32_t i = 0; i < list.count; i++)
			sum += gain(id, list.items[i].topic_id, i);
		arena_free(&arena);
	}
	return sum / most / FIXTURE_TOPICS;
}

static void assert_reached(double reached, double bar, const char *what)
{
	print_message("nDCG@10 %s: %.4f (at least %.3f)\n", what, reached, bar);
	assert_true(reached >= bar);
}

static void related_topics_are_found_among_others(void **state)
{
	struct engine *engine = new_engine();
	struct engine_question question = about(0);

	(void)state;
	put_site(engine);
	assert_reached(ndcg(engine, question), AS_IT_STANDS, "as it stands");
	question.as_new = true;
	assert_reached(ndcg(engine, question), ON_FIRST_DAY, "on the first day");
	engine_free(engine);
}

/* As somebody types whose keyboard has no accents: e for any of its kind, and so on. */
static const char *unaccented(const char *text, char *out)
{
	static const char letters[] = "aaaaaaaceeeeiiiidnooooo/ouuuuyty"; /* U+00E0 and up */
	size_t used = 0;

	for (size_t i = 0; text[i] != '\0'; i++) {
		unsigned char next = (unsigned char)text[i + 1];

		if ((unsigned char)text[i] != 0xc3 || next < 0xa0) {
			out[used++] = text[i];
			continue;
		}
		out[used++] = letters[next - 0xa0];
		i++;
	}
	out[used] = '\0';
	return out;
}

/* What people write around what they mean; each stands in every third topic, whatever its matter.
 */
static const char *const manners[] = {
	"Merci d'avance pour vos réponses.",
	"Vos idées et vos questions ?",
	"Thanks in advance for your thoughts.",
};

enum { MANNERS = sizeof manners / sizeof *manners };

/* Without expertises: words alone, in two languages; every other topic has no accents. */
static void put_words_alone(struct engine *engine, uint32_t version, bool polite)
{
	for (uint64_t id = 1; id <= FIXTURE_TOPICS; id++) {
		const struct fixture_topic *t = &fixture[id - 1];
		char title[256], text[512];

		engine_put_topic(engine,
				 TOPIC_AT(version, id,
					  .title = id % 2 ? unaccented(t->title, title) : t->title,
					  .lead = polite ? manners[id % MANNERS] : NULL,
					  .article = id % 2 ? unaccented(t->text, text) : t->text));
	}
	engine_settle(engine);
}

static void words_alone_find_most_of_it(void **state)
{
	struct engine *engine = new_engine();
	struct engine_question question = about(0);

	(void)state;
	question.text_only = true;
	put_site(engine);
	put_words_alone(engine, 2, false);
	assert_reached(ndcg(engine, question), TEXT_ALONE, "text alone");
	put_words_alone(engine, 3, true);
	assert_reached(ndcg(engine, question), WITH_MANNERS, "text alone, with manners");
	engine_free(engine);
}

/* What a page shows: sure enough, and right. */
static void what_a_page_shows_is_seldom_wrong(void **state)
{
	struct engine *engine = new_engine();
	uint32_t shown = 0, right = 0;

	(void)state;
	put_site(engine);
	for (uint64_t id = 1; id <= FIXTURE_TOPICS; id++) {
		static struct related_list list;
		struct engine_question question = about(id);
		struct arena arena = {0};

		question.limit = 5;
		question.min_confidence = ENGINE_PAGE_CONFIDENCE;
		question.most_by_author = ENGINE_PAGE_BY_AUTHOR;
		assert_int_equal(engine_related(engine, &question, &arena, &list), 0);
		for (uint32_t i = 0; i < list.count; i++) {
			shown++;
			right += gain(id, list.items[i].topic_id, 0) > 0;
			assert_adds_up(&list.items[i]);
		}
		arena_free(&arena);
	}
	print_message("%u shown, %u right\n", shown, right);
	assert_true(shown >= 300);
	assert_true(right * 100 >= shown * 94);
	engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(related_topics_are_found_among_others),
		cmocka_unit_test(words_alone_find_most_of_it),
		cmocka_unit_test(what_a_page_shows_is_seldom_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
