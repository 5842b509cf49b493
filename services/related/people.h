/*
 * people.h - who took part in a topic, and how much two topics share of it.
 *
 *   sim = sum over people in both of idf^2 * weight * weight / (sqrt(|A| |B|) + 5)
 *
 * weight: 1 for a comment, 1/2 for an opinion. People who are in more than a
 * fifth of all topics say nothing and are left out, of |A| and |B| too.
 */
#ifndef RELATED_PEOPLE_H
#define RELATED_PEOPLE_H

#include <stdint.h>

#include "related/idset.h"

struct corpus;
struct record;
struct search;

/* The participants of one topic. */
struct crowd {
	struct idset spoke;  /* commented */
	struct idset opined; /* gave an opinion */
	uint32_t size;       /* |A|, see crowd_measure() */
};

void crowd_clear(struct crowd *);
/* Comments after until (seconds since 1970) are left out. */
void crowd_read(struct crowd *, const struct record *, uint32_t until);
void crowd_free(struct crowd *);

/* Counts a crowd that is going to ask; once, as it is compared with many. */
void crowd_measure(struct crowd *, const struct corpus *);

/* How alike two crowds are, the one that asks measured before; *shared: people in both. */
double crowd_likeness(const struct corpus *, const struct crowd *asking, const struct crowd *other,
		      uint32_t *shared);

enum { MOST_FELLOWS = 100 };

/* Adds up to MOST_FELLOWS topics that share the rarest people with this crowd. */
void crowd_fellows(const struct corpus *, const struct crowd *, struct idset *topics);

#endif
