/*
 * people.c - co-participation.
 */
#include "related/people.h"

#include <math.h>
#include <stdlib.h>

#include "related/corpus.h"
#include "related/record.h"

#define OPINION_WEIGHT .5
#define SOFTENING      5.0

enum {
	EVERYWHERE_SHARE = 5, /* in more than 1/5 of all topics: says nothing */
	FEW_TOPICS = 10,      /* below it nobody is everywhere */
};

void crowd_clear(struct crowd *crowd)
{
	idset_clear(&crowd->spoke);
	idset_clear(&crowd->opined);
	crowd->size = 0;
}

void crowd_free(struct crowd *crowd)
{
	idset_free(&crowd->spoke);
	idset_free(&crowd->opined);
}

static void read_comment(struct crowd *crowd, const struct part *part, uint32_t until)
{
	struct record_comment comment;

	record_comment_head(part, &comment);
	if (!comment.removed && comment.user != NOBODY && comment.created <= until)
		(void)idset_add(&crowd->spoke, comment.user);
}

void crowd_read(struct crowd *crowd, const struct record *record, uint32_t until)
{
	struct part part = {0};

	while (record_next(record, &part)) {
		const uint8_t *at = part.at;

		if (part.kind == PART_COMMENT)
			read_comment(crowd, &part, until);
		else if (part.kind == PART_OPINION)
			(void)idset_add(&crowd->opined, (uint32_t)varint_take(&at));
	}
}

static double weight_in(const struct crowd *crowd, uint32_t user)
{
	if (idset_has(&crowd->spoke, user))
		return 1;
	return idset_has(&crowd->opined, user) ? OPINION_WEIGHT : 0;
}

static bool everywhere(const struct corpus *c, uint32_t user)
{
	return c->users[user].n_topics > FEW_TOPICS &&
	       c->users[user].n_topics > c->live / EVERYWHERE_SHARE;
}

/* One of several who gave an opinion: counts as that unless they spoke too. */
static bool only_opined(const struct crowd *crowd, uint32_t at)
{
	return !idset_has(&crowd->spoke, crowd->opined.items[at]);
}

void crowd_measure(struct crowd *crowd, const struct corpus *c)
{
	crowd->size = 0;
	for (uint32_t i = 0; i < crowd->spoke.count; i++)
		crowd->size += !everywhere(c, crowd->spoke.items[i]);
	for (uint32_t i = 0; i < crowd->opined.count; i++)
		crowd->size += only_opined(crowd, i) && !everywhere(c, crowd->opined.items[i]);
}

/* What asking and another crowd have in common, as far as that one was looked through. */
struct common {
	const struct corpus *corpus;
	const struct crowd *asking;
	double sum;
	uint32_t shared, size; /* people in both; people of the other */
};

static void meet(struct common *common, uint32_t user, double weight)
{
	double in_asking = 0, idf = 0;

	if (everywhere(common->corpus, user))
		return;
	common->size++;
	in_asking = weight_in(common->asking, user);
	if (in_asking == 0)
		return;
	common->shared++;
	idf = corpus_user_idf(common->corpus, user);
	common->sum += idf * idf * weight * in_asking;
}

double crowd_likeness(const struct corpus *c, const struct crowd *asking, const struct crowd *other,
		      uint32_t *shared)
{
	struct common common = {.corpus = c, .asking = asking};

	for (uint32_t i = 0; i < other->spoke.count; i++)
		meet(&common, other->spoke.items[i], 1);
	for (uint32_t i = 0; i < other->opined.count; i++)
		if (only_opined(other, i))
			meet(&common, other->opined.items[i], OPINION_WEIGHT);
	*shared = common.shared;
	return common.sum / (sqrt((double)asking->size * common.size) + SOFTENING);
}

/* --- topics from people --- */

/* The rarest first, by topics and then id, so that the order of arrival does not matter. */
static bool is_rarer(const struct corpus *c, uint32_t left, uint32_t right)
{
	const struct user *a = &c->users[left], *b = &c->users[right];

	return a->n_topics != b->n_topics ? a->n_topics < b->n_topics : a->id < b->id;
}

static int compare_rarity(const void *left, const void *right, void *corpus)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return is_rarer(corpus, b, a) - is_rarer(corpus, a, b);
}

/* The rarest people seen so far; a heap, the least rare of them on top. */
struct rarest {
	const struct corpus *corpus;
	uint32_t users[MOST_FELLOWS], count;
};

static void sift_down(struct rarest *r)
{
	uint32_t at = 0, child = 1, user = r->users[0];

	for (; child < r->count; child = 2 * at + 1) {
		if (child + 1 < r->count &&
		    is_rarer(r->corpus, r->users[child], r->users[child + 1]))
			child++;
		if (!is_rarer(r->corpus, user, r->users[child]))
			break;
		r->users[at] = r->users[child];
		at = child;
	}
	r->users[at] = user;
}

static void sift_up(struct rarest *r, uint32_t user)
{
	uint32_t at = r->count++;

	for (; at > 0 && is_rarer(r->corpus, r->users[(at - 1) / 2], user); at = (at - 1) / 2)
		r->users[at] = r->users[(at - 1) / 2];
	r->users[at] = user;
}

static void consider(struct rarest *r, uint32_t user)
{
	if (everywhere(r->corpus, user))
		return;
	if (r->count < MOST_FELLOWS) {
		sift_up(r, user);
	} else if (is_rarer(r->corpus, user, r->users[0])) {
		r->users[0] = user;
		sift_down(r);
	}
}

void crowd_fellows(const struct corpus *c, const struct crowd *crowd, struct idset *topics)
{
	struct rarest rarest = {.corpus = c};

	for (uint32_t i = 0; i < crowd->spoke.count; i++)
		consider(&rarest, crowd->spoke.items[i]);
	for (uint32_t i = 0; i < crowd->opined.count; i++)
		if (only_opined(crowd, i))
			consider(&rarest, crowd->opined.items[i]);
	qsort_r(rarest.users, rarest.count, sizeof *rarest.users, compare_rarity,
		(void *)(uintptr_t)c);

	for (uint32_t i = 0; i < rarest.count; i++) {
		const struct user *user = &c->users[rarest.users[i]];

		if (topics->count + user->n_topics > MOST_FELLOWS)
			continue;
		for (uint32_t j = 0; j < user->n_topics; j++)
			if (c->topics[user->topics[j]].place != NOWHERE)
				(void)idset_add(topics, user->topics[j]);
	}
}
