/*
 * pairs.h - what organizers said about two topics: pinned together or kept apart.
 */
#ifndef RELATED_PAIRS_H
#define RELATED_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "related/engine.h"

enum { MOST_PAIRS = 16384 }; /* set by hand; beyond it -ENOSPC */

struct pair {
	uint64_t one, other; /* one < other */
	enum pairing word;
};

/* Sorted; all zero is empty. */
struct pairs {
	struct pair *at;
	uint32_t count, room;
};

int pairs_set(struct pairs *, uint64_t topic_id, uint64_t other_id, enum pairing);

/* Forgets every pair of this topic. */
void pairs_free_topic(struct pairs *, uint64_t topic_id);

enum pairing pairs_word(const struct pairs *, uint64_t topic_id, uint64_t other_id);

/* Calls visit for every pair of this topic. */
void pairs_of(const struct pairs *, uint64_t topic_id,
	      void (*visit)(void *argument, uint64_t other_id, enum pairing), void *argument);

void pairs_free(struct pairs *);

#endif
