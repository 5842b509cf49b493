/*
 * bm25f.c - average lengths in steps, and the weight of an occurrence.
 */
#include "related/bm25f.h"

#include <math.h>

#include "related/corpus.h"

enum { STEPS_PER_OCTAVE = 8 };

static int8_t step_of(double average)
{
	double step = round(log2(average) * STEPS_PER_OCTAVE);

	return (int8_t)(step < -120 ? -120 : step > 120 ? 120 : step);
}

struct averages bm25f_averages(const struct corpus *c)
{
	struct averages averages = {{0}};

	for (int field = 0; field < FIELDS; field++)
		if (c->filled[field] > 0)
			averages.step[field] = step_of((double)c->tokens[field] / c->filled[field]);
	return averages;
}

struct field_weights bm25f_weights(struct averages averages, const uint32_t length[FIELDS])
{
	static const float weight[FIELDS] = BM25F_WEIGHTS, b[FIELDS] = BM25F_B;
	struct field_weights weights;

	for (int field = 0; field < FIELDS; field++) {
		float average = exp2f((float)averages.step[field] / STEPS_PER_OCTAVE);

		weights.per_occurrence[field] =
			weight[field] /
			((1 - b[field]) + b[field] * (float)length[field] / average);
	}
	return weights;
}
