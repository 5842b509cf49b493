/*
 * shortlist.h - the highest sums of a search, out of as many as there are topics.
 *
 * The list takes in every sum that is at least its threshold, and a histogram of what it holds
 * moves that threshold on: as soon as enough sums stand in higher steps, a step is given up. So
 * few are taken in for nothing, and which of them are the best is decided once, exactly, at the
 * end. What a topic is, and whether it is wanted, is looked up only then.
 */
#ifndef RELATED_SHORTLIST_H
#define RELATED_SHORTLIST_H

#include <stdint.h>

#include "related/search.h"

struct corpus;
struct index;

enum {
	SHORTLIST = 2 * MOST_CANDIDATES,
	SHORTLIST_STEP = 32, /* of sums */
};

/* A slot that may be one of the best. */
struct hopeful {
	uint32_t place; /* block << 16 | slot */
	uint16_t text;  /* the sum */
};

struct shortlist {
	const struct corpus *corpus;
	const struct index *index;
	struct hopeful list[SHORTLIST];
	uint32_t count, keep;
	uint16_t threshold; /* sums below it are not among the best; never 0 */
	uint16_t steps[UINT16_MAX / SHORTLIST_STEP + 1], step; /* how many of the list, by sum */
	uint32_t higher; /* of the list: in this step or a higher one */
	uint16_t selection[SHORTLIST];
};

/* Empty, for the best keep (1 to MOST_CANDIDATES). */
void shortlist_begin(struct shortlist *, const struct corpus *, const struct index *,
		     uint32_t keep);

/* Takes in a sum, unless it is below the threshold. */
void shortlist_add(struct shortlist *, struct hopeful);

/* What was taken in while the threshold was lower leaves the list. */
void shortlist_drop_low(struct shortlist *);

/* Keeps the best, so many at most, in no order. Of equal ones the smaller id is better. */
void shortlist_cut(struct shortlist *, uint32_t keep);

/* Whose slot it is. */
uint32_t shortlist_topic(const struct shortlist *, struct hopeful);

#endif
