/*
 * people.h - who took part in a topic, and how much two topics share of it.
 *
 *   sim = sum over people who spoke in both of idf^2 / (sqrt(|A| |B|) + 5)
 *       + n / 4 * (ln(N) / 2)^2 / (sqrt(|A'| |B'|) + 5), where n >= 3
 *
 * A, B: who commented; everybody reads that. People who are in more than a fifth of all
 * topics say nothing and are left out, of |A| and |B| too.
 *
 * A', B': who gave an opinion, which is nobody else's business. Of them only numbers are used:
 * n gave one of both topics, each counts as much as any other, whether they spoke too or not,
 * and fewer than three count as none. How rare a person is follows from where everybody sees
 * them. So nothing that is answered depends on who gave an opinion.
 */
#ifndef RELATED_PEOPLE_H
#define RELATED_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "related/idset.h"

struct corpus;
struct record;
struct topic;

/* The participants of one topic. */
struct crowd {
	struct idset spoke;  /* commented */
	struct idset opined; /* gave an opinion */
	uint32_t size;       /* |A| of those who spoke, see crowd_measure() */
};

void crowd_clear(struct crowd *);
/* Comments after until (seconds since 1970) are left out. */
void crowd_read(struct crowd *, const struct record *, uint32_t until);
void crowd_free(struct crowd *);

/* Counts a crowd that is going to ask; once, as it is compared with many. */
void crowd_measure(struct crowd *, const struct corpus *);

/*
 * Adds every topic in which one of the crowd has a part that counts: with the others it shares
 * nobody. False where reading the topics themselves is less work than following its people.
 */
bool crowd_meets(const struct corpus *, const struct crowd *, struct idset *topics);

/*
 * How alike two crowds are, the one that asks measured before. *shared: at least so many people
 * are in both, as far as it may be told: those who spoke, or gave an opinion if three did.
 */
double crowd_likeness(const struct corpus *, const struct crowd *asking, const struct crowd *other,
		      uint32_t *shared);

/* How rare a person is: ln(N / topics in which everybody sees them). */
double person_idf(const struct corpus *, uint32_t user);

/* Did they propose it, or comment on it, until then? */
bool person_seen(const struct topic *, uint32_t user, uint32_t until);

enum {
	FEWEST_PEOPLE = 3, /* of fewer nothing is told, and their opinions do not count */
	MOST_FELLOWS = 100,
};

/* Adds up to MOST_FELLOWS topics in which the rarest people who spoke here are seen too. */
void crowd_fellows(const struct corpus *, const struct crowd *, struct idset *topics);

/*
 * Around every change of a topic's record: counts for each person the topics that have no more
 * of them than an opinion, in user.n_unseen. The crowd is room to work in.
 */
void people_leave(struct corpus *, uint32_t topic, struct crowd *);
void people_enter(struct corpus *, uint32_t topic, struct crowd *);

#endif
