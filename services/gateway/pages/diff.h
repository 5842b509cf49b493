/*
 * diff.h - what changed between two texts, word by word.
 */
#ifndef GATEWAY_PAGES_DIFF_H
#define GATEWAY_PAGES_DIFF_H

#include <stddef.h>

#include "gateway/views.h"

struct arena;

/*
 * The parts of both texts in the order of reading: kept, removed, added (longest common
 * subsequence of words). Texts beyond what can be compared at once are given as one
 * removal and one addition.
 */
const struct diff_part *diff_words(struct arena *, const char *before, const char *after,
				   size_t *n);

#endif
