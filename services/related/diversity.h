/*
 * diversity.h - a short list that does not say the same thing five times.
 *
 * Maximal marginal relevance (Carbonell & Goldstein 1998) with lambda .2: each of the
 * first five places, which a page shows at once, goes to the topic with the best score
 * less its likeness to those already chosen. Likeness is the cosine of title and body,
 * tf-idf. All others follow in the order of their scores.
 */
#ifndef RELATED_DIVERSITY_H
#define RELATED_DIVERSITY_H

#include <stdint.h>

struct arena;
struct corpus;
struct ranked;

/* A place in the list: which of the ranked, and the value it was chosen for (never rising). */
struct chosen {
	uint32_t at;
	double value;
};

/*
 * Chooses up to limit of count ranked (best first) into chosen and returns how many;
 * most_by_author: 0 for any number.
 */
uint32_t diversity_choose(const struct corpus *, const struct ranked *, uint32_t count,
			  uint32_t limit, uint32_t most_by_author, struct arena *,
			  struct chosen *chosen);

#endif
