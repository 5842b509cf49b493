/*
 * rank.h - puts the nearest texts into the order in which people would.
 *
 * The score is a weighted sum of signals, one setting of round numbers for every
 * corpus. Relative signals are divided by the largest among the candidates.
 *
 *   1    text            BM25F of the whole topic, replies included
 *   .15  titles          title against title
 *   .1   body in title   the question's body against the candidate's title
 *   .3   author          who asks has taken part: min(idf of the person / 8, 1.5)
 *   .4   closeness       1 / (1 + days apart / 30)
 *   -.05 distance        ln(1 + days apart) / 8
 *   .05  posts           ln(1 + posts) / 4
 *   .1   cited           ln(1 + topics that link to it)
 *   .1   cited nearby    the best text score among those topics
 *   .5   together        people who took part in both
 *   .05  language        the same one, where both are declared
 */
#ifndef RELATED_RANK_H
#define RELATED_RANK_H

#include <stdbool.h>
#include <stdint.h>

#include "related/engine.h"
#include "related/idset.h"
#include "related/people.h"
#include "related/query.h"
#include "related/search.h"

struct corpus;

enum signal {
	SIGNAL_TEXT,
	SIGNAL_TITLES,
	SIGNAL_BODY_TITLE,
	SIGNAL_AUTHOR,
	SIGNAL_CLOSENESS,
	SIGNAL_DISTANCE,
	SIGNAL_POSTS,
	SIGNAL_CITED,
	SIGNAL_CITED_NEARBY,
	SIGNAL_TOGETHER,
	SIGNAL_LANGUAGE,
	SIGNAL_PINNED, /* set after ranking */
	SIGNALS,
};

#define RANK_PINNED 10.0 /* above any sum of the others */

/* Who or what asks. */
struct asking {
	const struct corpus *corpus;
	struct query query;
	struct crowd crowd;         /* its participants; empty: not compared */
	struct idset author_topics; /* that the author has a part in */
	struct idset met;           /* that somebody of the crowd has a part in */
	bool followed;              /* met is complete */
	uint32_t self;              /* topic, or NOWHERE */
	uint32_t author;            /* user */
	uint32_t created;           /* seconds since 1970; 0: unknown */
	uint32_t until;             /* what is younger is not used; UINT32_MAX: now */
	uint16_t language;
	uint8_t audience;
	bool text_only;
};

enum {
	POOL = 4, /* candidates that are looked at for each place of a list */
	MOST_BEST = POOL * MOST_RELATED,
};

struct ranked {
	uint64_t id;
	uint32_t topic;
	double parts[SIGNALS]; /* weight * signal: they add up to the score */
	double score;
	double text;     /* the sum of the search, not scaled */
	uint32_t shared; /* people in both */
	uint32_t citing; /* topics that link to it */
};

/* Room to work in, kept between questions. */
struct ranker {
	struct asking asking;
	struct search search;
	struct idset excluded, included;
	struct idset nearby; /* candidates */
	struct crowd other;
	struct ranked ranked[MOST_CANDIDATES]; /* in no order */
	uint32_t n_ranked;
	uint16_t heap[MOST_CANDIDATES]; /* of those not taken yet; Williams 1964 */
	uint32_t n_heap;
	struct ranked best[MOST_BEST]; /* what the list is chosen from, best first */
	uint32_t n_best;
};

struct ranker *ranker_new(void);
void ranker_free(struct ranker *);

/* Scores search.found into ranked; at most most of them are kept, by text. */
void rank_candidates(struct ranker *, uint32_t most);

/* Once no score changes any more: then the best that was not taken yet, or NULL. */
void rank_order(struct ranker *);
const struct ranked *rank_next(struct ranker *);

/* What the person reads who asks why. */
enum reason_kind rank_reason(enum signal);

#endif
