/*
 * small_site.h - an engine with a handful of topics, new for every test, and the last list it gave.
 */
#ifndef TEST_RELATED_SMALL_SITE_H
#define TEST_RELATED_SMALL_SITE_H

#include "sentences.h"

struct site {
	struct engine *engine;
	struct arena arena;
	struct related_list list;
};

static inline int open_site(void **state)
{
	static struct site site;

	site = (struct site){.engine = new_engine()};
	*state = &site;
	return 0;
}

static inline int close_site(void **state)
{
	struct site *s = *state;

	engine_free(s->engine);
	arena_free(&s->arena);
	return 0;
}

static inline void put(struct site *s, const struct engine_topic *topic)
{
	assert_int_equal(engine_put_topic(s->engine, topic), 0);
}

static inline void say(struct site *s, const struct engine_comment *comment)
{
	assert_int_equal(engine_put_comment(s->engine, comment), 0);
}

static inline const struct related_list *ask(struct site *s, struct engine_question question)
{
	assert_int_equal(engine_related(s->engine, &question, &s->arena, &s->list), 0);
	for (uint32_t i = 0; i < s->list.count; i++)
		assert_adds_up(&s->list.items[i]);
	return &s->list;
}

static inline void put_three(struct site *s)
{
	put(s, TOPIC(1, .title = "Pistes cyclables en ville", .article = "Le vélo et la voiture"));
	put(s, TOPIC(2, .title = "Le vélo en ville", .article = "Des pistes pour le vélo"));
	put(s, TOPIC(3, .title = "La tomate au jardin", .article = "Semis et récolte"));
}

#endif
