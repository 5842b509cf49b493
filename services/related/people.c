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
	EVERYWHERE_SHARE = 5,  /* in more than 1/5 of all topics: says nothing */
	FEW_TOPICS = 10,       /* below it nobody is everywhere */
	MOST_LOOKED_AT = 1000, /* topics, of people who have opinions of many */
	MOST_FOLLOWED = 8192,  /* topics of a crowd's people: as much work as 300 records */
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

/* --- people by what everybody sees of them --- */

static uint32_t seen_in(const struct corpus *c, uint32_t user)
{
	return c->users[user].n_topics - c->users[user].n_unseen;
}

double person_idf(const struct corpus *c, uint32_t user)
{
	double topics = seen_in(c, user);

	return topics == 0 || topics >= c->live ? 0 : log(c->live / topics);
}

bool person_seen(const struct topic *t, uint32_t user, uint32_t until)
{
	struct part part = {0};

	if (t->author == user && t->created <= until)
		return true;
	while (record_next(&t->record, &part)) {
		struct record_comment comment;

		if (part.kind != PART_COMMENT)
			continue;
		record_comment_head(&part, &comment);
		if (!comment.removed && comment.user == user && comment.created <= until)
			return true;
	}
	return false;
}

static bool has_opinions(const struct record *record)
{
	struct part part = {0};

	while (record_next(record, &part) && part.kind <= PART_OPINION)
		if (part.kind == PART_OPINION)
			return true;
	return false;
}

static void count_unseen(struct corpus *c, uint32_t topic, struct crowd *crowd, uint32_t by)
{
	const struct topic *t = &c->topics[topic];

	if (!has_opinions(&t->record))
		return;
	crowd_clear(crowd);
	crowd_read(crowd, &t->record, UINT32_MAX);
	for (uint32_t i = 0; i < crowd->opined.count; i++) {
		uint32_t user = crowd->opined.items[i];

		if (user != t->author && !idset_has(&crowd->spoke, user))
			c->users[user].n_unseen += by;
	}
}

void people_leave(struct corpus *c, uint32_t topic, struct crowd *crowd)
{
	count_unseen(c, topic, crowd, UINT32_MAX); /* one less */
}

void people_enter(struct corpus *c, uint32_t topic, struct crowd *crowd)
{
	count_unseen(c, topic, crowd, 1);
}

/* --- two crowds --- */

static bool everywhere(const struct corpus *c, uint32_t topics)
{
	return topics > FEW_TOPICS && topics > c->live / EVERYWHERE_SHARE;
}

static bool seen_everywhere(const struct corpus *c, uint32_t user)
{
	return everywhere(c, seen_in(c, user));
}

static uint32_t speakers(const struct corpus *c, const struct crowd *crowd)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < crowd->spoke.count; i++)
		count += !seen_everywhere(c, crowd->spoke.items[i]);
	return count;
}

void crowd_measure(struct crowd *crowd, const struct corpus *c)
{
	crowd->size = speakers(c, crowd);
}

static double likeness_of(double shared, double size, double other_size)
{
	return shared / (sqrt(size * other_size) + SOFTENING);
}

/* Most crowds share nobody: then how many there are is not looked up. */
static double speakers_likeness(const struct corpus *c, const struct crowd *asking,
				const struct crowd *other, uint32_t *shared)
{
	double sum = 0;

	for (uint32_t i = 0; i < other->spoke.count; i++) {
		uint32_t user = other->spoke.items[i];

		if (!idset_has(&asking->spoke, user) || seen_everywhere(c, user))
			continue;
		++*shared;
		sum += person_idf(c, user) * person_idf(c, user);
	}
	return sum > 0 ? likeness_of(sum, asking->size, speakers(c, other)) : 0;
}

/* People who gave an opinion of both, those left out who give one of everything. */
static uint32_t opinions_shared(const struct corpus *c, const struct crowd *asking,
				const struct crowd *other)
{
	uint32_t shared = 0;

	for (uint32_t i = 0; i < other->opined.count; i++) {
		uint32_t user = other->opined.items[i];

		shared +=
			idset_has(&asking->opined, user) && !everywhere(c, c->users[user].n_topics);
	}
	return shared;
}

/* Each as rare as somebody in the square root of all topics: who they are must not show. */
static double opinions_likeness(const struct corpus *c, const struct crowd *asking,
				const struct crowd *other, uint32_t shared)
{
	double idf = log(c->live) / 2;

	return likeness_of(shared * OPINION_WEIGHT * OPINION_WEIGHT * idf * idf,
			   asking->opined.count, other->opined.count);
}

double crowd_likeness(const struct corpus *c, const struct crowd *asking, const struct crowd *other,
		      uint32_t *shared)
{
	uint32_t opinions = opinions_shared(c, asking, other);
	double likeness = 0;

	*shared = 0;
	likeness = speakers_likeness(c, asking, other, shared);
	if (opinions < FEWEST_PEOPLE)
		return likeness;
	*shared = *shared > opinions ? *shared : opinions;
	return likeness + opinions_likeness(c, asking, other, opinions);
}

/* --- topics from people --- */

static bool add_all(const struct user *user, struct idset *topics, uint32_t *followed)
{
	*followed += user->n_topics;
	for (uint32_t i = 0; i < user->n_topics && *followed <= MOST_FOLLOWED; i++)
		(void)idset_add(topics, user->topics[i]);
	return *followed <= MOST_FOLLOWED;
}

bool crowd_meets(const struct corpus *c, const struct crowd *crowd, struct idset *topics)
{
	uint32_t followed = 0;

	for (uint32_t i = 0; i < crowd->spoke.count; i++)
		if (!seen_everywhere(c, crowd->spoke.items[i]) &&
		    !add_all(&c->users[crowd->spoke.items[i]], topics, &followed))
			return false;
	for (uint32_t i = 0; i < crowd->opined.count; i++)
		if (!everywhere(c, c->users[crowd->opined.items[i]].n_topics) &&
		    !add_all(&c->users[crowd->opined.items[i]], topics, &followed))
			return false;
	return true;
}

/* The rarest first, by topics and then id, so that the order of arrival does not matter. */
static bool is_rarer(const struct corpus *c, uint32_t left, uint32_t right)
{
	uint32_t a = seen_in(c, left), b = seen_in(c, right);

	return a != b ? a < b : c->users[left].id < c->users[right].id;
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
	if (seen_everywhere(r->corpus, user))
		return;
	if (r->count < MOST_FELLOWS) {
		sift_up(r, user);
	} else if (is_rarer(r->corpus, user, r->users[0])) {
		r->users[0] = user;
		sift_down(r);
	}
}

/*
 * The topics in which one person is seen. Those of which they only have an opinion are passed
 * over, at a price, because their records are read; false when it is paid.
 */
static bool add_topics(const struct corpus *c, uint32_t at, uint32_t *looked_at,
		       struct idset *topics)
{
	const struct user *user = &c->users[at];

	for (uint32_t i = 0; i < user->n_topics; i++) {
		const struct topic *t = &c->topics[user->topics[i]];

		if (user->n_unseen > 0 && ++*looked_at > MOST_LOOKED_AT)
			return false;
		if (t->place != NOWHERE && (user->n_unseen == 0 || person_seen(t, at, UINT32_MAX)))
			(void)idset_add(topics, user->topics[i]);
	}
	return true;
}

void crowd_fellows(const struct corpus *c, const struct crowd *crowd, struct idset *topics)
{
	struct rarest rarest = {.corpus = c};
	uint32_t looked_at = 0;

	for (uint32_t i = 0; i < crowd->spoke.count; i++)
		consider(&rarest, crowd->spoke.items[i]);
	qsort_r(rarest.users, rarest.count, sizeof *rarest.users, compare_rarity,
		(void *)(uintptr_t)c);

	for (uint32_t i = 0; i < rarest.count; i++)
		if (topics->count + seen_in(c, rarest.users[i]) <= MOST_FELLOWS &&
		    !add_topics(c, rarest.users[i], &looked_at, topics))
			return;
}
