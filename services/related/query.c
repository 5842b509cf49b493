/*
 * query.c - weighs a question's terms and scores a single record with them.
 */
#include "related/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "related/corpus.h"
#include "related/memory.h"

#define K3        3.0
#define IDF_POWER 0.85

/* A whole share is an impact of 255, and a sum counts 256ths of weight times impact. */
#define SUM_UNIT (255.0 / 256)

static const double field_factor[FIELDS] = {3.0, 1.0, 0.8, 2.0};

struct heavy {
	double weight;
	uint32_t at; /* in the bag */
};

void query_free(struct query *q)
{
	bag_free(&q->bag);
	free(q->idf);
	free(q->asked);
	*q = (struct query){0};
}

static const char *stem_of(const struct query *q, const struct corpus *c, uint32_t at)
{
	return c->dictionary.pool + c->dictionary.terms[q->bag.entries[at].term].stem + 1;
}

static bool heavier(const struct query *q, const struct corpus *c, struct heavy a, struct heavy b)
{
	if (a.weight != b.weight)
		return a.weight > b.weight;
	return strcmp(stem_of(q, c, a.at), stem_of(q, c, b.at)) < 0;
}

/* Insertion into the short list of the heaviest; most terms fail the first comparison. */
static void keep_heaviest(struct query *q, const struct corpus *c, struct heavy *list,
			  struct heavy term)
{
	uint32_t at = q->n_terms;

	if (at == QUERY_TERMS && !heavier(q, c, term, list[at - 1]))
		return;
	if (at < QUERY_TERMS)
		q->n_terms++;
	else
		at--;
	for (; at > 0 && heavier(q, c, term, list[at - 1]); at--)
		list[at] = list[at - 1];
	list[at] = term;
}

/* Words that stand in more than a third of all topics are not raised by it. */
static double dampened(double idf)
{
	return idf > 1 ? pow(idf, IDF_POWER) : idf;
}

static double weight_of(const struct query *q, uint32_t at)
{
	double frequency = 0;

	for (int field = 0; field < FIELDS; field++)
		frequency += field_factor[field] * q->bag.entries[at].tf[field];
	return dampened(q->idf[at]) * frequency * (K3 + 1) / (frequency + K3);
}

static void make_room(struct query *q)
{
	uint32_t room = q->room;

	MEMORY_GROW(q->idf, room, q->bag.count);
	if (room != q->room)
		q->asked = memory_resize(q->asked, room, sizeof *q->asked);
	q->room = room;
}

static void set_self(struct query *q)
{
	struct field_weights weights = bm25f_weights(q->averages, q->bag.length);

	q->self = 0;
	for (uint32_t i = 0; i < q->n_terms; i++)
		q->self += q->terms[i].weight * SUM_UNIT *
			   (double)bm25f_share(&weights, bag_find(&q->bag, q->terms[i].term)->tf);
}

void query_weigh(struct query *q, const struct corpus *c)
{
	struct heavy list[QUERY_TERMS];
	double sum = 0;

	make_room(q);
	q->n_terms = 0;
	q->averages = bm25f_averages(c);
	for (uint32_t at = 0; at < q->bag.count; at++) {
		q->idf[at] = corpus_idf(c, c->dictionary.terms[q->bag.entries[at].term].documents);
		q->asked[at] = QUERY_TERMS;
		keep_heaviest(q, c, list, (struct heavy){weight_of(q, at), at});
	}
	for (uint32_t i = 0; i < q->n_terms; i++)
		sum += list[i].weight;
	for (uint32_t i = 0; i < q->n_terms; i++) {
		q->asked[list[i].at] = (uint8_t)i;
		q->terms[i].term = q->bag.entries[list[i].at].term;
		q->terms[i].weight = (uint16_t)(list[i].weight / sum * UINT16_MAX);
	}
	set_self(q);
}

/* Frequencies of the asked terms in one topic. */
struct tally {
	uint16_t tf[QUERY_TERMS][FIELDS];
	uint32_t length[FIELDS];
};

static void tally_part(const struct query *q, struct tally *tally, const struct part *part,
		       uint32_t until)
{
	enum field field = field_of(part->kind);
	struct list list;

	if (!record_terms(part, until, &list))
		return;
	tally->length[field] += list.tokens;
	while (list_next(&list)) {
		const struct bag_entry *entry = bag_find(&q->bag, list.term);
		uint8_t asked = entry == NULL ? QUERY_TERMS : q->asked[entry - q->bag.entries];
		uint32_t sum = 0;

		if (asked == QUERY_TERMS)
			continue;
		sum = tally->tf[asked][field] + list.frequency;
		tally->tf[asked][field] = sum < UINT16_MAX ? (uint16_t)sum : UINT16_MAX;
	}
}

void query_score(const struct query *q, const struct topic *t, uint32_t until,
		 struct query_score *score)
{
	struct tally tally = {0};
	struct part part = {0};
	struct field_weights weights;

	while (record_next(&t->record, &part))
		tally_part(q, &tally, &part, until);
	weights = bm25f_weights(q->averages, tally.length);
	*score = (struct query_score){0};
	for (uint32_t i = 0; i < q->n_terms; i++) {
		score->terms[i] =
			q->terms[i].weight * SUM_UNIT * (double)bm25f_share(&weights, tally.tf[i]);
		score->total += score->terms[i];
	}
}
