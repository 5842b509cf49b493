/*
 * search.h - the topics whose text is nearest to a question's, exactly.
 *
 * Term at a time over one block at a time: the sums of a block stay in the
 * processor's cache, and every posting of every term counts; nothing is skipped
 * or estimated. Who may see what is decided when a topic is about to enter the
 * list, so hidden ones never take a place in it. Ties go to the smaller id.
 */
#ifndef RELATED_SEARCH_H
#define RELATED_SEARCH_H

#include <stdint.h>

#include "related/idset.h"
#include "related/scan.h"

struct corpus;
struct index;

enum { MOST_CANDIDATES = 2048, MOST_SEARCH_TERMS = 128 };

struct search_term {
	uint32_t term;
	uint16_t weight; /* all together at most 65,535 */
};

struct candidate {
	uint32_t topic;
	uint16_t text; /* the sum */
};

struct search {
	/* the question */
	const struct search_term *terms;
	uint32_t n_terms; /* at most MOST_SEARCH_TERMS */
	uint8_t audience;
	const struct idset *excluded; /* topics never to be listed */
	const struct idset *included; /* topics to be listed too, whatever their sum; may be NULL */
	bool only_included;
	uint32_t limit; /* how many by sum alone, from 1 to MOST_CANDIDATES / 2 */

	/* the answer: the best, in no order, then those included besides */
	struct candidate found[MOST_CANDIDATES];
	uint32_t n_found;
};

/* Room to work in, kept between searches. */
struct searcher;

struct searcher *searcher_new(const struct scan *);
void searcher_free(struct searcher *);

void search_run(struct searcher *, const struct corpus *, const struct index *, struct search *);

#endif
