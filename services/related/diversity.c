/*
 * diversity.c - maximal marginal relevance over the best of the ranked.
 */
#include "related/diversity.h"

#include <math.h>
#include <stdbool.h>

#include "lib/arena.h"
#include "related/corpus.h"
#include "related/rank.h"

#define LAMBDA .2

enum { POOL_PER_PLACE = 4 }; /* candidates looked at for each place */

struct vector {
	uint32_t *terms;
	double *weights; /* of length 1 */
	uint32_t count;
};

struct option {
	struct vector vector;
	double relevance, likeness; /* to the nearest of those chosen */
	uint32_t author;
	bool taken;
};

static uint32_t entries_of(const struct record *record)
{
	struct part part = {0};
	uint32_t entries = 0;

	while (record_next(record, &part) && part.kind <= PART_BODY)
		entries += (uint32_t)(part.end - part.at);
	return entries;
}

/* seen is only room to work in. */
static struct vector vector_of(const struct corpus *c, const struct record *record,
			       struct idset *seen, struct arena *arena)
{
	uint32_t room = entries_of(record);
	struct vector v = {ARENA_ARRAY(arena, uint32_t, room), ARENA_ARRAY(arena, double, room), 0};
	struct part part = {0};
	double length = 0;

	idset_clear(seen);
	while (record_next(record, &part) && part.kind <= PART_BODY) {
		struct list list;

		(void)list_open(&list, part.at, part.end);
		while (list_next(&list)) {
			if (idset_add(seen, list.term))
				v.terms[v.count++] = list.term;
			v.weights[seen->where[list.term]] += list.frequency;
		}
	}
	for (uint32_t i = 0; i < v.count; i++) {
		v.weights[i] = corpus_idf(c, c->dictionary.terms[v.terms[i]].documents) *
			       (1 + log(v.weights[i]));
		length += v.weights[i] * v.weights[i];
	}
	for (uint32_t i = 0; i < v.count; i++)
		v.weights[i] /= sqrt(length);
	return v;
}

/* Terms of the topic chosen last, for lookup. */
struct lookup {
	struct idset terms;
	const struct vector *vector;
};

static double likeness(const struct lookup *lookup, const struct vector *v)
{
	double sum = 0;

	for (uint32_t i = 0; i < v->count; i++)
		if (idset_has(&lookup->terms, v->terms[i]))
			sum += v->weights[i] *
			       lookup->vector->weights[lookup->terms.where[v->terms[i]]];
	return sum;
}

static void look_up(struct lookup *lookup, const struct vector *v)
{
	idset_clear(&lookup->terms);
	lookup->vector = v;
	for (uint32_t i = 0; i < v->count; i++)
		(void)idset_add(&lookup->terms, v->terms[i]);
}

static double value(const struct option *option)
{
	return (1 - LAMBDA) * option->relevance - LAMBDA * option->likeness;
}

static uint32_t by_author(const struct option *options, uint32_t count, uint32_t author)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < count; i++)
		taken += options[i].taken && options[i].author == author;
	return author == NOBODY ? 0 : taken;
}

/* The best option still free, or count. */
static uint32_t best(const struct option *options, uint32_t count, uint32_t most_by_author)
{
	uint32_t found = count;

	for (uint32_t i = 0; i < count; i++) {
		if (options[i].taken ||
		    (found < count && value(&options[i]) <= value(&options[found])))
			continue;
		if (most_by_author > 0 &&
		    by_author(options, count, options[i].author) >= most_by_author)
			continue;
		found = i;
	}
	return found;
}

static uint32_t take(struct option *options, uint32_t count, uint32_t limit,
		     uint32_t most_by_author, struct lookup *lookup, struct chosen *chosen)
{
	uint32_t taken = 0, at = 0;

	while (taken < limit && (at = best(options, count, most_by_author)) < count) {
		chosen[taken++] = (struct chosen){at, value(&options[at])};
		options[at].taken = true;
		look_up(lookup, &options[at].vector);
		for (uint32_t i = 0; i < count; i++)
			if (!options[i].taken)
				options[i].likeness = fmax(options[i].likeness,
							   likeness(lookup, &options[i].vector));
	}
	return taken;
}

uint32_t diversity_choose(const struct corpus *c, const struct ranked *ranked, uint32_t count,
			  uint32_t limit, uint32_t most_by_author, struct arena *arena,
			  struct chosen *chosen)
{
	uint32_t pool = count < limit * POOL_PER_PLACE ? count : limit * POOL_PER_PLACE;
	struct option *options = ARENA_ARRAY(arena, struct option, pool);
	struct lookup lookup = {0};

	for (uint32_t i = 0; i < pool; i++) {
		const struct topic *t = &c->topics[ranked[i].topic];

		options[i].vector = vector_of(c, &t->record, &lookup.terms, arena);
		options[i].relevance = ranked[0].score > 0 ? ranked[i].score / ranked[0].score : 0;
		options[i].author = t->author;
	}
	pool = take(options, pool, limit, most_by_author, &lookup, chosen);
	idset_free(&lookup.terms);
	return pool;
}
