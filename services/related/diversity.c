/*
 * diversity.c - maximal marginal relevance over the best of the ranked.
 *
 * Likeness to those chosen only ever grows, so a value once computed is an upper
 * bound ever after: the option with the best bound is brought up to date, and
 * taken if it still leads (Minoux 1978). Most likenesses are never computed.
 *
 * What organizers pinned stands above every likeness and outside the share of its author, and
 * the others are measured by the best among themselves: a pin moves nothing but itself.
 */
#include "related/diversity.h"

#include <math.h>
#include <stdbool.h>

#include "lib/arena.h"
#include "related/corpus.h"
#include "related/rank.h"

#define LAMBDA .2

#define PINNED_RELEVANCE 2 /* above the best of the others, whatever it is like */

enum { DIVERSE_PLACES = 5 }; /* further down nobody sees two of a kind side by side */

struct vector {
	uint32_t *terms; /* rising */
	float *weights;  /* of length 1 */
	uint32_t count;
};

struct option {
	const struct record *record;
	struct vector vector;       /* once it is needed */
	double relevance, likeness; /* likeness: to the nearest of the first compared */
	uint32_t compared;          /* with how many of those chosen */
	uint32_t author;
	bool pinned, taken;
};

struct choice {
	const struct corpus *corpus;
	struct arena *arena;
	struct option *options;
	uint32_t count;
	uint32_t chosen[DIVERSE_PLACES], n_chosen; /* options */
	double lowered; /* what later values are lowered by, so that none is above an earlier one */
};

/* A part's bytes bound its entries. */
static uint32_t most_entries(const struct record *record)
{
	struct part part = {0};
	uint32_t entries = 0;

	while (record_next(record, &part) && part.kind <= PART_BODY)
		entries += (uint32_t)(part.end - part.at);
	return entries;
}

/* Title and body are read side by side, as each rises by term. */
static void merge_lists(struct list lists[2], struct vector *v)
{
	bool more[2] = {list_next(&lists[0]), list_next(&lists[1])};

	while (more[0] || more[1]) {
		uint32_t one = more[0] ? lists[0].term : UINT32_MAX;
		uint32_t other = more[1] ? lists[1].term : UINT32_MAX;
		uint32_t frequency = 0;

		if (one <= other) {
			frequency += lists[0].frequency;
			more[0] = list_next(&lists[0]);
		}
		if (other <= one) {
			frequency += lists[1].frequency;
			more[1] = list_next(&lists[1]);
		}
		v->terms[v->count] = one < other ? one : other;
		v->weights[v->count++] = (float)frequency;
	}
}

static void set_length(const struct corpus *c, struct vector *v)
{
	double length = 0;

	for (uint32_t i = 0; i < v->count; i++) {
		double weight = corpus_idf(c, c->dictionary.terms[v->terms[i]].documents);

		if (v->weights[i] > 1)
			weight *= 1 + log((double)v->weights[i]);
		v->weights[i] = (float)weight;
		length += weight * weight;
	}
	for (uint32_t i = 0; i < v->count; i++)
		v->weights[i] /= (float)sqrt(length);
}

static void read_vector(const struct choice *choice, struct option *option)
{
	uint32_t room = most_entries(option->record);
	struct list lists[2] = {{0}, {0}};
	struct part part = {0};

	option->vector = (struct vector){ARENA_ARRAY(choice->arena, uint32_t, room),
					 ARENA_ARRAY(choice->arena, float, room), 0};
	while (record_next(option->record, &part) && part.kind <= PART_BODY)
		list_open(&lists[part.kind == PART_BODY], part.at, part.end);
	merge_lists(lists, &option->vector);
	set_length(choice->corpus, &option->vector);
}

static double likeness(const struct vector *a, const struct vector *b)
{
	double sum = 0;

	for (uint32_t i = 0, j = 0; i < a->count && j < b->count;) {
		if (a->terms[i] == b->terms[j])
			sum += (double)a->weights[i] * b->weights[j];
		if (a->terms[i] < b->terms[j])
			i++;
		else if (a->terms[i] > b->terms[j])
			j++;
		else
			i++, j++;
	}
	return sum;
}

static bool diverse(const struct choice *choice)
{
	return choice->n_chosen < DIVERSE_PLACES;
}

static double value(const struct choice *choice, const struct option *option)
{
	double relevance = (1 - LAMBDA) * option->relevance;

	return diverse(choice) ? relevance - LAMBDA * option->likeness
			       : relevance - choice->lowered;
}

static void bring_up_to_date(const struct choice *choice, struct option *option)
{
	if (option->vector.terms == NULL)
		read_vector(choice, option);
	for (; option->compared < choice->n_chosen; option->compared++) {
		const struct option *other = &choice->options[choice->chosen[option->compared]];

		option->likeness =
			fmax(option->likeness, likeness(&option->vector, &other->vector));
	}
}

static uint32_t by_author(const struct option *options, uint32_t count, uint32_t author)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < count; i++)
		taken += options[i].taken && options[i].author == author;
	return author == NOBODY ? 0 : taken;
}

/* The option with the best bound that is still free, or count. */
static uint32_t leader(const struct choice *choice, uint32_t most_by_author)
{
	const struct option *options = choice->options;
	uint32_t found = choice->count;

	for (uint32_t i = 0; i < choice->count; i++) {
		if (options[i].taken ||
		    (found < choice->count &&
		     value(choice, &options[i]) <= value(choice, &options[found])))
			continue;
		if (most_by_author > 0 && !options[i].pinned &&
		    by_author(options, choice->count, options[i].author) >= most_by_author)
			continue;
		found = i;
	}
	return found;
}

/* The option whose true value is best, or count. */
static uint32_t best(struct choice *choice, uint32_t most_by_author)
{
	for (;;) {
		uint32_t at = leader(choice, most_by_author);

		if (at == choice->count || !diverse(choice) ||
		    choice->options[at].compared == choice->n_chosen)
			return at;
		bring_up_to_date(choice, &choice->options[at]);
	}
}

/* After the last diverse place: the best of the rest is worth at most what it was. */
static void settle(struct choice *choice, double last)
{
	double most = 0;

	for (uint32_t i = 0; i < choice->count; i++)
		if (!choice->options[i].taken)
			most = fmax(most, (1 - LAMBDA) * choice->options[i].relevance);
	choice->lowered = fmax(0, most - last);
}

static void take(struct choice *choice, uint32_t at)
{
	double last = value(choice, &choice->options[at]);

	choice->options[at].taken = true;
	if (!diverse(choice))
		return;
	if (choice->options[at].vector.terms == NULL)
		read_vector(choice, &choice->options[at]);
	choice->chosen[choice->n_chosen++] = at;
	if (!diverse(choice))
		settle(choice, last);
}

/* The score that is a relevance of 1: the best of those that are not pinned. */
static double full_relevance(const struct ranked *ranked, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (ranked[i].parts[SIGNAL_PINNED] == 0)
			return ranked[i].score;
	return 0;
}

static double relevance(const struct ranked *ranked, double full)
{
	double pinned = ranked->parts[SIGNAL_PINNED];
	double own = full > 0 ? (ranked->score - pinned) / full : 0;

	return pinned > 0 ? PINNED_RELEVANCE + own : own;
}

uint32_t diversity_choose(const struct corpus *c, const struct ranked *ranked, uint32_t count,
			  uint32_t limit, uint32_t most_by_author, struct arena *arena,
			  struct chosen *chosen)
{
	struct choice choice = {c, arena, ARENA_ARRAY(arena, struct option, count), count, {0},
				0, 0};
	double full = full_relevance(ranked, count);
	uint32_t taken = 0, at = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct option *option = &choice.options[i];

		option->record = &c->topics[ranked[i].topic].record;
		option->author = c->topics[ranked[i].topic].author;
		option->pinned = ranked[i].parts[SIGNAL_PINNED] > 0;
		option->relevance = relevance(&ranked[i], full);
	}
	while (taken < limit && (at = best(&choice, most_by_author)) < count) {
		chosen[taken++] = (struct chosen){at, value(&choice, &choice.options[at])};
		take(&choice, at);
	}
	return taken;
}
