/*
 * test_changes.c - however it came about, the index answers like one built afresh.
 *
 * 50,000 random changes of every kind go to one engine, with answers and background
 * work in between, and into a plain model of what should be true. Then an engine is built
 * from the model, and both are asked the same.
 */
#include "sentences.h"

#include <stdlib.h>

#include "dice.h"
#include "lib/clock.h"
#include "related/block.h"
#include "related/engine_state.h"
#include "related/memory.h"

#if defined(__SANITIZE_ADDRESS__)
enum { CHANGES = 8000, TOPICS = 600 };
#else
enum { CHANGES = 50000, TOPICS = 3000 };
#endif

enum {
	COMMENTS = TOPICS * 3,
	PEOPLE = 400,
	OPINIONS = TOPICS * 2,
	PAIRS = TOPICS / 2,
	VOCABULARY = 3000,
	EXPERTISES = 12,
	QUESTIONS = 300,
};

struct model_topic {
	uint32_t version;
	bool there, removed;
	uint8_t visible_to;
	uint64_t author, link;
	uint32_t text, expertise; /* seeds of the texts */
};

struct model_comment {
	uint32_t version, text;
	bool there;
	uint64_t topic, author;
};

struct model {
	struct model_topic topics[TOPICS + 1];
	struct model_comment comments[COMMENTS + 1];
	bool opinions[OPINIONS + 1];   /* of person o % PEOPLE + 1 about topic o % TOPICS + 1 */
	enum pairing pairs[PAIRS + 1]; /* of topics p and TOPICS + 1 - p */
	uint64_t seed;
};

static struct model model;

/* --- texts --- */

struct texts {
	char title[128], article[512], label[16];
	const char *labels[1];
};

static void write_texts(uint32_t text, uint32_t expertise, struct texts *texts)
{
	uint64_t seed = text;

	dice_words(&seed, texts->title, sizeof texts->title, 5, VOCABULARY);
	dice_words(&seed, texts->article, sizeof texts->article, 25, VOCABULARY);
	snprintf(texts->label, sizeof texts->label, "Label %u", expertise);
	texts->labels[0] = texts->label;
}

static void put_topic(struct engine *engine, uint64_t id)
{
	const struct model_topic *t = &model.topics[id];
	struct texts texts;

	write_texts(t->text, t->expertise, &texts);
	assert_int_equal(engine_put_topic(engine,
					  &(struct engine_topic){
						  .id = id,
						  .version = t->version,
						  .visible_to = t->visible_to,
						  .created_at = (int64_t)id * DAY_US / 4,
						  .author = t->author,
						  .title = texts.title,
						  .article = texts.article,
						  .expertises = texts.labels,
						  .n_expertises = 1,
						  .links = &t->link,
						  .n_links = t->link != 0,
					  }),
			 0);
}

static void put_comment(struct engine *engine, uint64_t id)
{
	const struct model_comment *comment = &model.comments[id];
	struct texts texts;

	write_texts(comment->text, 0, &texts);
	assert_int_equal(
		engine_put_comment(engine,
				   &(struct engine_comment){
					   .topic_id = comment->topic,
					   .id = id,
					   .version = comment->version,
					   .author = comment->author,
					   .created_at = (int64_t)(comment->topic + 7) * DAY_US / 4,
					   .body = texts.article,
				   }),
		0);
}

/* --- changes --- */

static uint64_t any(uint32_t below)
{
	return 1 + dice(&model.seed, below);
}

static void change_topic(struct engine *engine)
{
	uint64_t id = any(TOPICS);
	struct model_topic *t = &model.topics[id];

	if (t->removed)
		return;
	t->there = true;
	t->version++;
	t->visible_to = dice(&model.seed, 8) == 0 ? 0 : AUDIENCE_PUBLIC;
	t->author = any(PEOPLE);
	t->link = dice(&model.seed, 3) == 0 ? any(TOPICS) : 0;
	t->text = dice(&model.seed, 1000000);
	t->expertise = dice(&model.seed, EXPERTISES);
	put_topic(engine, id);
	if (dice(&model.seed, 10) == 0)
		put_topic(engine, id); /* delivered twice */
}

static void show_topic(struct engine *engine)
{
	uint64_t id = any(TOPICS);

	if (!model.topics[id].there)
		return;
	model.topics[id].visible_to = dice(&model.seed, 2) == 0 ? 0 : AUDIENCE_PUBLIC;
	assert_int_equal(engine_set_visibility(engine, id, model.topics[id].visible_to), 0);
}

static void remove_topic(struct engine *engine)
{
	uint64_t id = any(TOPICS);
	struct model_topic *t = &model.topics[id];

	if (!t->there || dice(&model.seed, 4) != 0)
		return;
	t->there = false;
	t->removed = true;
	engine_remove_topic(engine, id, t->version + 1);
}

static void change_comment(struct engine *engine)
{
	uint64_t id = any(COMMENTS);
	struct model_comment *comment = &model.comments[id];

	if (comment->version == 0) {
		comment->topic = dice(&model.seed, 2) == 0 ? any(TOPICS) : any(TOPICS / 20);
		comment->author = any(PEOPLE);
	}
	comment->there = true;
	comment->version++;
	comment->text = dice(&model.seed, 1000000);
	put_comment(engine, id);
}

static void remove_comment(struct engine *engine)
{
	uint64_t id = any(COMMENTS);
	struct model_comment *comment = &model.comments[id];

	if (!comment->there)
		return;
	comment->there = false;
	comment->version++;
	assert_int_equal(engine_remove_comment(engine, comment->topic, id, comment->version), 0);
}

static void change_opinion(struct engine *engine)
{
	uint64_t at = any(OPINIONS);

	model.opinions[at] = !model.opinions[at];
	assert_int_equal(
		engine_put_opinion(engine, at % TOPICS + 1, at % PEOPLE + 1, model.opinions[at]),
		0);
}

/* Both opinions that there may be of a topic, said at once. */
static void set_opinions(struct engine *engine)
{
	uint64_t topic = any(TOPICS), accounts[2];
	size_t count = 0;

	for (uint64_t at = topic == 1 ? TOPICS : topic - 1; at <= OPINIONS; at += TOPICS) {
		model.opinions[at] = dice(&model.seed, 2) == 0;
		if (model.opinions[at])
			accounts[count++] = at % PEOPLE + 1;
	}
	assert_int_equal(engine_set_opinions(engine, topic, accounts, count), 0);
}

static void pair_topics(struct engine *engine)
{
	uint64_t at = any(PAIRS);

	model.pairs[at] = (enum pairing)dice(&model.seed, 3);
	assert_int_equal(engine_pair(engine, TOPICS + 1 - at, at, model.pairs[at]), 0);
}

/* A topic leaves, and its discussion goes on in another. */
static void merge_topic(struct engine *engine)
{
	uint64_t from = any(TOPICS), to = any(TOPICS);

	if (!model.topics[from].there || !model.topics[to].there || from == to ||
	    dice(&model.seed, 8) != 0)
		return;
	for (uint64_t id = 1; id <= COMMENTS; id++) {
		struct model_comment *comment = &model.comments[id];

		if (!comment->there || comment->topic != from)
			continue;
		comment->version++;
		assert_int_equal(engine_remove_comment(engine, from, id, comment->version), 0);
		comment->topic = to;
		put_comment(engine, id);
	}
	model.topics[from].visible_to = 0;
	assert_int_equal(engine_set_visibility(engine, from, 0), 0);
}

/* What it wrote stays, and is nobody's. */
static void erase_account(struct engine *engine)
{
	uint64_t person = any(PEOPLE);

	if (dice(&model.seed, 40) != 0)
		return;
	for (uint64_t id = 1; id <= TOPICS; id++)
		if (model.topics[id].author == person)
			model.topics[id].author = 0;
	for (uint64_t id = 1; id <= COMMENTS; id++)
		if (model.comments[id].author == person)
			model.comments[id].author = 0;
	for (uint64_t at = 1; at <= OPINIONS; at++)
		if (at % PEOPLE + 1 == person)
			model.opinions[at] = false;
	engine_erase_account(engine, person);
}

static bool may_be_shown(uint64_t id)
{
	return model.topics[id].there && model.topics[id].visible_to != 0;
}

static enum pairing said_of(uint64_t one, uint64_t other)
{
	if (one + other != TOPICS + 1)
		return PAIR_FREE;
	return model.pairs[one < other ? one : other];
}

static void ask_in_between(struct engine *engine)
{
	struct engine_question question = about(any(TOPICS));
	static struct related_list list;
	struct arena arena = {0};

	question.as_new = dice(&model.seed, 2) == 0;
	if (engine_related(engine, &question, &arena, &list) == 0)
		for (uint32_t i = 0; i < list.count; i++) {
			assert_true(may_be_shown(list.items[i].topic_id));
			assert_true(list.items[i].topic_id != question.topic_id);
			assert_true(said_of(question.topic_id, list.items[i].topic_id) !=
				    PAIR_BANNED);
			assert_adds_up(&list.items[i]);
		}
	arena_free(&arena);
}

static void change(struct engine *engine)
{
	switch (dice(&model.seed, 20)) {
	case 0:
		remove_topic(engine);
		break;
	case 1:
		show_topic(engine);
		break;
	case 2:
	case 3:
		change_opinion(engine);
		break;
	case 4:
	case 5:
		remove_comment(engine);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		change_comment(engine);
		break;
	case 10:
		ask_in_between(engine);
		break;
	case 11:
		(void)engine_work(engine, dice(&model.seed, 200));
		break;
	case 12:
		set_opinions(engine);
		break;
	case 13:
		pair_topics(engine);
		break;
	case 14:
		merge_topic(engine);
		break;
	case 15:
		erase_account(engine);
		break;
	default:
		change_topic(engine);
		break;
	}
}

/* --- the same afresh --- */

static struct engine *build_afresh(void)
{
	struct engine *engine = new_engine();

	engine_bulk(engine, true);
	for (uint64_t id = TOPICS; id >= 1; id--)
		if (model.topics[id].there)
			put_topic(engine, id);
	for (uint64_t id = 1; id <= COMMENTS; id++)
		if (model.comments[id].there && !model.topics[model.comments[id].topic].removed)
			put_comment(engine, id);
	for (uint64_t at = 1; at <= OPINIONS; at++)
		if (model.opinions[at] && !model.topics[at % TOPICS + 1].removed)
			(void)engine_put_opinion(engine, at % TOPICS + 1, at % PEOPLE + 1, true);
	for (uint64_t at = 1; at <= PAIRS; at++)
		(void)engine_pair(engine, at, TOPICS + 1 - at, model.pairs[at]);
	engine_bulk(engine, false);
	engine_settle(engine);
	return engine;
}

static uint32_t differences(const struct related_list *one, const struct related_list *other)
{
	uint32_t wrong = one->count != other->count;

	for (uint32_t i = 0; i < one->count && i < other->count; i++) {
		bool tie = fabs(one->items[i].rank - other->items[i].rank) < 1e-9;

		wrong += !tie || (one->items[i].topic_id != other->items[i].topic_id &&
				  fabs(one->items[i].score - other->items[i].score) > 1e-9);
	}
	return wrong;
}

static uint32_t compare_answers(struct engine *one, struct engine *other, bool as_new)
{
	static struct related_list a, b;
	uint32_t wrong = 0, asked = 0;

	for (uint64_t id = 1; id <= TOPICS && asked < QUESTIONS; id++) {
		struct engine_question question = about(id);
		struct arena arena = {0};
		int known = 0;

		question.as_new = as_new;
		known = engine_related(one, &question, &arena, &a);
		assert_int_equal(engine_related(other, &question, &arena, &b), known);
		if (known == 0) {
			wrong += differences(&a, &b) > 0;
			asked++;
		}
		arena_free(&arena);
	}
	return wrong;
}

static void assert_pinned_come_first(struct engine *engine)
{
	static struct related_list list;
	uint32_t pinned = 0;

	for (uint64_t at = 1; at <= PAIRS; at++) {
		struct engine_question question = about(at);
		struct arena arena = {0};

		if (model.pairs[at] != PAIR_PINNED || !model.topics[at].there ||
		    !may_be_shown(TOPICS + 1 - at))
			continue;
		assert_int_equal(engine_related(engine, &question, &arena, &list), 0);
		assert_true(list.count > 0);
		assert_int_equal(list.items[0].topic_id, TOPICS + 1 - at);
		arena_free(&arena);
		pinned++;
	}
	assert_true(pinned > 10);
}

static void many_changes_answer_like_an_index_built_afresh(void **state)
{
	struct engine *grown = new_engine(), *fresh = NULL;
	struct engine_stats one, other;

	(void)state;
	model.seed = 42;
	for (uint32_t i = 0; i < CHANGES; i++)
		change(grown);
	engine_settle(grown);
	fresh = build_afresh();

	engine_stats(grown, &one);
	engine_stats(fresh, &other);
	assert_int_equal(one.topics, other.topics);
	assert_int_equal(links_noted(grown), links_noted(fresh));
	assert_int_equal(compare_answers(grown, fresh, false), 0);
	assert_int_equal(compare_answers(grown, fresh, true), 0);
	assert_pinned_come_first(grown);
	engine_free(grown);
	engine_free(fresh);
}

/* The middle of every slice is a moment at which somebody may ask, or change what is being read. */
static void a_topic_that_changes_while_its_block_is_built_keeps_its_place(void **state)
{
	struct engine *engine = new_engine();
	uint64_t seed = 5;

	(void)state;
	memset(&model, 0, sizeof model);
	model.seed = 43;
	engine_bulk(engine, true);
	for (uint64_t id = 1; id <= TOPICS; id++) {
		model.topics[id] = (struct model_topic){.version = 1,
							.there = true,
							.visible_to = AUDIENCE_PUBLIC,
							.text = dice(&seed, 1000000)};
		put_topic(engine, id);
	}
	engine_bulk(engine, false);
	for (uint32_t i = 0; i < 4000; i++) {
		(void)engine_work(engine, 0);
		if (i % 4 == 0)
			change(engine);
	}
	engine_settle(engine);
	struct engine *fresh = build_afresh();

	assert_int_equal(compare_answers(engine, fresh, false), 0);
	engine_free(fresh);
	engine_free(engine);
}

/* Slots that a search would find, and whether each is its topic's place. */
static uint32_t shown_slots(const struct engine *engine)
{
	const struct topic *topics = engine->corpus.topics;
	uint32_t count = 0, shown = 0;
	struct block *const *blocks = index_blocks(engine->index, &count);

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t slot = 0; blocks[i] != NULL && slot < blocks[i]->used; slot++) {
			if (blocks[i]->shown[slot] == 0)
				continue;
			assert_int_equal(topics[blocks[i]->topics[slot]].place, i << 16 | slot);
			shown++;
		}
	return shown;
}

/* What a slice does is counted, not timed: a step of 64 moved topics, or 32 read, or 8 put. */
static void a_slice_is_short_and_leaves_every_topic_in_the_index_once(void **state)
{
	enum { MANY = 3 * HOT_SLOTS, MOST_MOVED = 64 };
	struct engine *engine = new_engine();
	uint32_t slices = 0, count = 0;
	uint64_t before = 0;
	struct texts texts;

	(void)state;
	for (uint64_t id = 1; id <= MANY; id++) {
		write_texts((uint32_t)id, 0, &texts);
		engine_put_topic(engine, TOPIC(id, .title = texts.title));
	}
	do {
		before = index_epoch(engine->index);
		if (slices % 16 == 0)
			assert_int_equal(shown_slots(engine), MANY);
		slices++;
	} while (engine_work(engine, 0) && index_epoch(engine->index) - before <= MOST_MOVED + 1);
	assert_false(engine_work(engine, 0));
	assert_true(slices > 2 * MANY / MOST_MOVED);
	assert_int_equal(shown_slots(engine), MANY);
	(void)index_blocks(engine->index, &count);
	assert_true(count > 2);
	engine_free(engine);
}

/* Its first block has megabytes of runs and of dense terms, and is worn: so many topics are gone.
 */
static struct engine *with_a_worn_large_block(uint64_t topics, uint64_t removed)
{
	struct engine *engine = new_engine();
	struct texts texts;

	engine_bulk(engine, true);
	for (uint64_t id = 1; id <= topics; id++) {
		write_texts((uint32_t)id, 0, &texts);
		engine_put_topic(engine, TOPIC(id, .title = texts.title, .article = texts.article));
	}
	engine_bulk(engine, false);
	engine_settle(engine);
	for (uint64_t id = 1; id <= removed; id++)
		engine_remove_topic(engine, id, 2);
	return engine;
}

enum { LARGE = 60000, LEAVING = LARGE / 3 };

/* The kernel takes milliseconds to take back a block's megabytes. */
static void a_block_goes_in_pieces_and_nobody_searches_it_meanwhile(void **state)
{
	struct engine *engine = with_a_worn_large_block(LARGE, LEAVING);
	struct engine_question question = about(LARGE - 1);
	static struct related_list before, meanwhile;
	uint32_t slices = 0, pieces = 0, count = 0;
	const struct packed *packed = &index_blocks(engine->index, &count)[0]->packed;
	struct arena arena = {0};

	(void)state;
	assert_true(packed->n_bytes > 2 * MEMORY_PIECE);
	assert_true(packed->n_dense * packed->n_slots > 2 * MEMORY_PIECE);
	pieces = packed->n_bytes / MEMORY_PIECE + packed->n_dense * packed->n_slots / MEMORY_PIECE;
	assert_int_equal(engine_related(engine, &question, &arena, &before), 0);
	assert_true(before.count > 0);
	while (engine_work(engine, 0)) {
		if (index_blocks(engine->index, &count)[0] != NULL)
			continue;
		assert_int_equal(engine_related(engine, &question, &arena, &meanwhile), 0);
		assert_int_equal(differences(&before, &meanwhile), 0);
		slices++;
	}
	assert_true(slices > pieces); /* one more for what is left */
	arena_free(&arena);
	engine_free(engine);
}

/* The leak checker of SANITIZE=1 looks at what is left. */
static void an_end_while_a_block_goes_leaves_nothing_behind(void **state)
{
	struct engine *engine = with_a_worn_large_block(LARGE, LEAVING);
	uint32_t count = 0;

	(void)state;
	while (index_blocks(engine->index, &count)[0] != NULL)
		assert_true(engine_work(engine, 0));
	engine_free(engine);
}

static void a_long_discussion_is_read_within_half_a_minute(void **state)
{
	struct engine *engine = new_engine();
	static struct related_list list;
	struct engine_question question = about(1);
	struct arena arena = {0};

	(void)state;
	engine_put_topic(engine, TOPIC(1, .title = "Fanfare"));
	engine_put_topic(engine, TOPIC(2, .title = "Vélo"));
	for (uint64_t id = 1; id <= 40; id++)
		engine_put_comment(engine, COMMENT(2, id, .body = "oui"));
	(void)engine_work(engine, 100000);
	engine_put_comment(engine, COMMENT(2, 41, .body = "et la fanfare ?"));
	(void)engine_work(engine, 100000);
	engine_related(engine, &question, &arena, &list);
	assert_int_equal(list.count, 0);
	clock_advance(30001);
	(void)engine_work(engine, 100000);
	engine_related(engine, &question, &arena, &list);
	assert_int_equal(list.count, 1);
	arena_free(&arena);
	engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_changes_answer_like_an_index_built_afresh),
		cmocka_unit_test(a_topic_that_changes_while_its_block_is_built_keeps_its_place),
		cmocka_unit_test(a_slice_is_short_and_leaves_every_topic_in_the_index_once),
		cmocka_unit_test(a_block_goes_in_pieces_and_nobody_searches_it_meanwhile),
		cmocka_unit_test(an_end_while_a_block_goes_leaves_nothing_behind),
		cmocka_unit_test(a_long_discussion_is_read_within_half_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
