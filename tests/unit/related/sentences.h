/*
 * sentences.h - short ways to say what happens to topics, for the tests of the engine.
 */
#ifndef TEST_RELATED_SENTENCES_H
#define TEST_RELATED_SENTENCES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "lib/arena.h"
#include "related/compose.h"
#include "related/engine.h"
#include "related/engine_state.h"

#define DAY_US ((int64_t)86400 * 1000000)

static inline struct engine *new_engine(void)
{
	return engine_new(&(struct engine_settings){.public_url = "https://causerie.example"});
}

/* A public topic; everything else by its field: TOPIC(7, .title = "Vélo") */
#define TOPIC(number, ...) TOPIC_AT(1, number, __VA_ARGS__)
#define TOPIC_AT(edition, number, ...)                                                             \
	(&(struct engine_topic){.id = (number),                                                    \
				.version = (edition),                                              \
				.visible_to = AUDIENCE_PUBLIC | AUDIENCE_ORGANIZERS,               \
				.created_at = 1000 * DAY_US,                                       \
				__VA_ARGS__})

#define COMMENT(topic, number, ...)                                                                \
	(&(struct engine_comment){.topic_id = (topic),                                             \
				  .id = (number),                                                  \
				  .version = 1,                                                    \
				  .created_at = 1001 * DAY_US,                                     \
				  __VA_ARGS__})

/* Public answers about a topic, all of them, however unsure. */
static inline struct engine_question about(uint64_t topic_id)
{
	return (struct engine_question){
		.topic_id = topic_id, .limit = 10, .audience = AUDIENCE_PUBLIC};
}

static inline const struct related *answer_about(const struct related_list *list, uint64_t topic_id)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].topic_id == topic_id)
			return &list->items[i];
	return NULL;
}

static inline const struct reason *reason_of(const struct related *related, enum reason_kind kind)
{
	for (uint32_t i = 0; related != NULL && i < related->n_reasons; i++)
		if (related->reasons[i].kind == kind)
			return &related->reasons[i];
	return NULL;
}

/* All that are counted into their targets. */
static inline uint64_t links_noted(const struct engine *engine)
{
	uint64_t links = 0;

	for (uint32_t i = 0; i < engine->corpus.n_in; i++)
		links += engine->corpus.in[i].count;
	return links;
}

static inline bool has_opinion(const struct engine *engine, uint64_t topic, uint64_t account)
{
	const struct corpus *corpus = &engine->corpus;

	return compose_has_opinion(&corpus->topics[corpus_find(corpus, topic)].record,
				   corpus_find_user(corpus, account));
}

static inline void assert_adds_up(const struct related *related)
{
	double sum = 0;

	for (uint32_t i = 0; i < related->n_reasons; i++)
		sum += related->reasons[i].part;
	assert_true(fabs(sum - related->score) < 1e-9);
}

#endif
