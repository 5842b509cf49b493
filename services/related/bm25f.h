/*
 * bm25f.h - how much a term of a topic weighs: BM25F with one setting for every corpus.
 *
 *   tf~ = sum over fields of w * tf / ((1 - b) + b * length / average length)
 *   share = tf~ / (k1 + tf~), from 0 to 1; the score of a term is idf * (k1 + 1) * share
 *
 * Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond
 * (2009), section 3.6.1. Only the share is kept in the index, as an impact of 8
 * bits; idf belongs to the query, so nothing is ever recomputed when it drifts.
 */
#ifndef RELATED_BM25F_H
#define RELATED_BM25F_H

#include <stdint.h>

#include "related/bag.h"

struct corpus;

/* title, body, replies, tags */
#define BM25F_WEIGHTS                                                                              \
	{                                                                                          \
		3.0F, 1.0F, 0.5F, 2.0F                                                             \
	}
#define BM25F_B                                                                                    \
	{                                                                                          \
		0.6F, 0.7F, 0.5F, 0.0F                                                             \
	}
#define BM25F_K1 4.0F

/*
 * Average lengths over the topics that have the field at all (on a young site few
 * have replies, and the first ones are no monsters), rounded to powers of 2^(1/8): a block
 * remembers by which it was built, and is rebuilt when the corpus has moved to another step.
 */
struct averages {
	int8_t step[FIELDS];
};

/* What one occurrence in each field adds to a topic's tf~. */
struct field_weights {
	float per_occurrence[FIELDS];
};

struct averages bm25f_averages(const struct corpus *);

struct field_weights bm25f_weights(struct averages, const uint32_t length[FIELDS]);

static inline float bm25f_share(const struct field_weights *weights, const uint16_t tf[FIELDS])
{
	float sum = 0;

	for (int field = 0; field < FIELDS; field++)
		sum += weights->per_occurrence[field] * (float)tf[field];
	return sum / (BM25F_K1 + sum);
}

/* The share in 8 bits, at least 1. */
static inline uint8_t bm25f_impact(const struct field_weights *weights, const uint16_t tf[FIELDS])
{
	float impact = bm25f_share(weights, tf) * 255.0F + 0.5F;

	return impact < 1.0F ? 1 : (uint8_t)impact;
}

#endif
