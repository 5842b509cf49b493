/*
 * query.h - a question as weighted terms, and its exact score against one topic.
 *
 *   q = 3 * tf in title + tf in body + .8 * tf in replies + 2 * tf in tags
 *   weight = idf^.85 * q (k3 + 1) / (q + k3), k3 = 3; the 40 heaviest terms ask
 *
 * A topic that asks is a long query, hence k3 (Robertson & Zaragoza 2009, 3.4.2), and its rarest
 * words are often names and slips, hence idf a little dampened where it is above 1.
 * Equal weights are told apart by the stem, never by the number of a term, so
 * that an index built in another order asks the same.
 */
#ifndef RELATED_QUERY_H
#define RELATED_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "related/bag.h"
#include "related/bm25f.h"
#include "related/search.h"

struct corpus;
struct topic;

enum { QUERY_TERMS = 40 };

struct query {
	struct bag bag; /* every term of the question */
	double *idf;    /* by position in the bag */
	uint8_t *asked; /* by position in the bag: position in terms, or QUERY_TERMS */
	uint32_t room;  /* of idf and asked */
	struct search_term terms[QUERY_TERMS]; /* heaviest first */
	uint32_t n_terms;
	struct averages averages;
	double self; /* what a topic with the question's own text would score */
};

/* What one topic scores with one question, term by term; the same unit as search's sums. */
struct query_score {
	double terms[QUERY_TERMS];
	double total;
};

/* Fill query->bag first; this weighs and chooses. */
void query_weigh(struct query *, const struct corpus *);

/* Comments after until (seconds since 1970) are left out. */
void query_score(const struct query *, const struct topic *, uint32_t until, struct query_score *);

void query_free(struct query *);

#endif
