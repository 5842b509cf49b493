/*
 * rank.c - signals of a candidate, their scale, their sum, and the order that follows from it.
 */
#include "related/rank.h"

#include <math.h>
#include <stdlib.h>

#include "related/corpus.h"
#include "related/memory.h"

enum {
	DAY = 86400,
	RECORD_AFTER = 8, /* candidates, since the topic was sent for */
	WORDS_AFTER = 16,
	COMPARED_AFTER = 24,
	LINKS_LOOKED_AT = 16, /* of those that lead to one candidate */
};

#define FIELD_K1 1.2 /* for a field by itself: Robertson's usual k1 */

static const struct {
	double weight;
	bool relative; /* divided by the candidates' maximum */
	enum reason_kind reason;
} signals[SIGNALS] = {
	[SIGNAL_TEXT] = {1, true, REASON_WORDS},
	[SIGNAL_TITLES] = {.15, true, REASON_WORDS},
	[SIGNAL_BODY_TITLE] = {.1, true, REASON_WORDS},
	[SIGNAL_AUTHOR] = {.3, false, REASON_AUTHOR},
	[SIGNAL_CLOSENESS] = {.4, false, REASON_PERIOD},
	[SIGNAL_DISTANCE] = {-.05, false, REASON_PERIOD},
	[SIGNAL_POSTS] = {.05, false, REASON_ACTIVITY},
	[SIGNAL_CITED] = {.1, false, REASON_CITED},
	[SIGNAL_CITED_NEARBY] = {.1, true, REASON_CITED},
	[SIGNAL_TOGETHER] = {.5, true, REASON_PARTICIPANTS},
	[SIGNAL_LANGUAGE] = {.05, false, REASON_LANGUAGE},
	[SIGNAL_PINNED] = {RANK_PINNED, false, REASON_PINNED},
};

enum reason_kind rank_reason(enum signal signal)
{
	return signals[signal].reason;
}

struct ranker *ranker_new(void)
{
	return MEMORY_NEW(struct ranker, 1);
}

void ranker_free(struct ranker *r)
{
	if (r == NULL)
		return;
	query_free(&r->asking.query);
	crowd_free(&r->asking.crowd);
	crowd_free(&r->other);
	idset_free(&r->asking.author_topics);
	idset_free(&r->asking.met);
	idset_free(&r->excluded);
	idset_free(&r->included);
	idset_free(&r->nearby);
	free(r);
}

static double saturated(double frequency)
{
	return frequency * (FIELD_K1 + 1) / (frequency + FIELD_K1);
}

/* --- text signals: the candidate's title against title and body of the question --- */

/* The title stands first in a record. */
static bool open_title(const struct topic *t, struct list *list)
{
	struct part part = {0};

	if (!record_next(&t->record, &part) || part.kind != PART_TITLE)
		return false;
	list_open(list, part.at, part.end);
	return true;
}

/* Titles are short: cosine of idf-weighted words. */
static void compare_title(const struct asking *a, const struct topic *t, double *values)
{
	const struct query *q = &a->query;
	double both = 0, body = 0, length = 0;
	struct list list;

	if (!open_title(t, &list))
		return;
	while (list_next(&list)) {
		const struct bag_entry *entry = bag_find(&q->bag, list.term);
		double idf = entry != NULL
				     ? q->idf[entry - q->bag.entries]
				     : corpus_idf(a->corpus,
						  a->corpus->dictionary.terms[list.term].documents);

		length += idf * idf;
		if (entry == NULL)
			continue;
		both += entry->tf[FIELD_TITLE] > 0 ? idf * idf : 0;
		body += idf * idf * saturated(entry->tf[FIELD_BODY]);
	}
	if (length > 0) {
		values[SIGNAL_TITLES] = both / sqrt(length);
		values[SIGNAL_BODY_TITLE] = body / sqrt(length);
	}
}

/* --- other signals --- */

static void compare_times(const struct asking *a, const struct topic *t, double *values)
{
	double apart = 0;

	if (a->created == 0 || t->created == 0)
		return;
	apart = fabs((double)a->created - (double)t->created) / DAY;
	values[SIGNAL_CLOSENESS] = 1 / (1 + apart / 30);
	values[SIGNAL_DISTANCE] = log(1 + apart) / 8;
}

/* Comments up to a time. */
static uint32_t posts_until(const struct topic *t, uint32_t until)
{
	struct part part = {0};
	uint32_t posts = 0;

	while (record_next(&t->record, &part)) {
		struct record_comment comment;

		if (part.kind != PART_COMMENT)
			continue;
		record_comment_head(&part, &comment);
		posts += !comment.removed && comment.created <= until;
	}
	return posts;
}

static void compare_posts(const struct asking *a, uint32_t topic, double *values)
{
	const struct topic *t = &a->corpus->topics[topic];
	uint32_t posts = a->until == UINT32_MAX ? t->comments : posts_until(t, a->until);

	values[SIGNAL_POSTS] = log(2 + (double)posts) / 4;
}

/* As everybody can see: an opinion is its giver's business, and takes no part here. */
static void compare_author(const struct asking *a, uint32_t topic, double *values)
{
	if (a->author != NOBODY && idset_has(&a->author_topics, topic) &&
	    person_seen(&a->corpus->topics[topic], a->author, a->until))
		values[SIGNAL_AUTHOR] = fmin(person_idf(a->corpus, a->author) / 8, 1.5);
}

/* Links are few: the candidates are looked up only where there are some. */
static const struct ranked *candidate(struct ranker *r, uint32_t topic)
{
	uint32_t at = 0;

	for (uint32_t i = r->nearby.count; i < r->n_ranked; i++)
		(void)idset_add(&r->nearby, r->ranked[i].topic);
	at = idset_find(&r->nearby, topic);
	return at < r->n_ranked ? &r->ranked[at] : NULL;
}

static double text_of(struct ranker *r, uint32_t topic)
{
	const struct ranked *near = candidate(r, topic);
	struct query_score score;

	if (near != NULL)
		return near->text;
	query_score(&r->asking.query, &r->asking.corpus->topics[topic], r->asking.until, &score);
	return score.total;
}

static bool cites(const struct asking *a, uint32_t from)
{
	const struct topic *t = &a->corpus->topics[from];

	return from != a->self && t->live && (t->visible_to & a->audience) != 0 &&
	       (a->until == UINT32_MAX || t->created <= a->until);
}

static void compare_links(struct ranker *r, struct ranked *ranked, double *values)
{
	const struct links_in *in = corpus_links_in(r->asking.corpus, ranked->topic);

	for (uint32_t i = 0; i < in->count; i++) {
		if (!cites(&r->asking, in->from[i]))
			continue;
		if (ranked->citing++ < LINKS_LOOKED_AT)
			values[SIGNAL_CITED_NEARBY] =
				fmax(values[SIGNAL_CITED_NEARBY], text_of(r, in->from[i]));
	}
	values[SIGNAL_CITED] = log(1 + (double)ranked->citing);
}

static void compare_people(struct ranker *r, struct ranked *ranked, double *values)
{
	const struct asking *a = &r->asking;

	if (a->followed && !idset_has(&a->met, ranked->topic))
		return;
	crowd_clear(&r->other);
	crowd_read(&r->other, &a->corpus->topics[ranked->topic].record, a->until);
	values[SIGNAL_TOGETHER] = crowd_likeness(a->corpus, &a->crowd, &r->other, &ranked->shared);
}

static void compare(struct ranker *r, struct ranked *ranked)
{
	const struct asking *a = &r->asking;
	const struct topic *t = &a->corpus->topics[ranked->topic];
	double *values = ranked->parts;

	ranked->id = t->id;
	values[SIGNAL_TEXT] = ranked->text;
	compare_title(a, t, values);
	if (a->text_only)
		return;
	compare_times(a, t, values);
	compare_posts(a, ranked->topic, values);
	compare_author(a, ranked->topic, values);
	compare_links(r, ranked, values);
	compare_people(r, ranked, values);
	values[SIGNAL_LANGUAGE] = a->language != 0 && a->language == t->language;
}

/*
 * Topics, records and words lie anywhere in memory. Each is sent for as soon as the one that leads
 * to it has arrived, so that four stages are under way at once, for different candidates.
 */
static const struct topic *topic_at(const struct ranker *r, uint32_t at)
{
	return at < r->n_ranked ? &r->asking.corpus->topics[r->ranked[at].topic] : NULL;
}

static void prefetch_topic(const struct topic *t)
{
	__builtin_prefetch(t);
	__builtin_prefetch((const char *)(t + 1) - 1);
}

static void prefetch_words(const struct asking *a, const struct topic *t)
{
	struct list list;

	if (!open_title(t, &list))
		return;
	while (list_next(&list))
		__builtin_prefetch(&a->corpus->dictionary.terms[list.term]);
}

/* Before the first and after the last there is none: at has wrapped around, or is too large. */
static void compare_all(struct ranker *r)
{
	for (uint32_t at = 0; at < r->n_ranked + COMPARED_AFTER; at++) {
		const struct topic *topic = topic_at(r, at);
		const struct topic *record = topic_at(r, at - RECORD_AFTER);
		const struct topic *words = topic_at(r, at - WORDS_AFTER);

		if (topic != NULL)
			prefetch_topic(topic);
		if (record != NULL)
			__builtin_prefetch(record->record.bytes);
		if (words != NULL)
			prefetch_words(&r->asking, words);
		if (at >= COMPARED_AFTER)
			compare(r, &r->ranked[at - COMPARED_AFTER]);
	}
}

/* --- from signals to a score --- */

static void weigh(struct ranker *r)
{
	double most[SIGNALS] = {0};

	for (uint32_t i = 0; i < r->n_ranked; i++)
		for (int s = 0; s < SIGNALS; s++)
			most[s] = r->ranked[i].parts[s] > most[s] ? r->ranked[i].parts[s] : most[s];
	for (uint32_t i = 0; i < r->n_ranked; i++) {
		struct ranked *ranked = &r->ranked[i];

		for (int s = 0; s < SIGNALS; s++) {
			if (signals[s].relative && most[s] > 0)
				ranked->parts[s] /= most[s];
			ranked->parts[s] *= signals[s].weight;
			ranked->score += ranked->parts[s];
		}
	}
}

static int by_text(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->text != b->text)
		return a->text > b->text ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static void take_found(struct ranker *r)
{
	const struct search *found = &r->search;

	r->n_ranked = found->n_found;
	for (uint32_t i = 0; i < found->n_found; i++)
		r->ranked[i] = (struct ranked){.topic = found->found[i].topic,
					       .text = found->found[i].text};
}

/*
 * The sums of the search are of today, and rounded down term by term. For an earlier time
 * everything is counted again, not only what grew since: the exact ones would stand before the
 * rounded. What only later words would find is left out.
 */
static void order_past(struct ranker *r)
{
	const struct asking *a = &r->asking;

	for (uint32_t i = 0; i < r->n_ranked; i++) {
		struct ranked *ranked = &r->ranked[i];
		const struct topic *t = &a->corpus->topics[ranked->topic];
		struct query_score score;

		query_score(&a->query, t, a->until, &score);
		ranked->id = t->id;
		ranked->text = score.total;
	}
	qsort(r->ranked, r->n_ranked, sizeof *r->ranked, by_text);
	while (!r->search.only_included && r->n_ranked > 0 && r->ranked[r->n_ranked - 1].text <= 0)
		r->n_ranked--;
}

void rank_candidates(struct ranker *r, uint32_t most)
{
	take_found(r);
	if (r->asking.until != UINT32_MAX)
		order_past(r);
	if (r->n_ranked > most)
		r->n_ranked = most;
	idset_clear(&r->nearby);
	idset_clear(&r->asking.met);
	r->asking.followed = crowd_meets(r->asking.corpus, &r->asking.crowd, &r->asking.met);
	compare_all(r);
	weigh(r);
}

/* --- the order --- */

static bool better(const struct ranker *r, uint32_t one, uint32_t other)
{
	const struct ranked *a = &r->ranked[one], *b = &r->ranked[other];

	return a->score != b->score ? a->score > b->score : a->id < b->id;
}

/* Lets what stands at a place sink below those that are better. */
static void sink(struct ranker *r, uint32_t at)
{
	uint16_t sinking = r->heap[at];

	for (uint32_t child; (child = 2 * at + 1) < r->n_heap; at = child) {
		if (child + 1 < r->n_heap && better(r, r->heap[child + 1], r->heap[child]))
			child++;
		if (!better(r, r->heap[child], sinking))
			break;
		r->heap[at] = r->heap[child];
	}
	r->heap[at] = sinking;
}

void rank_order(struct ranker *r)
{
	r->n_heap = r->n_ranked;
	for (uint32_t i = 0; i < r->n_heap; i++)
		r->heap[i] = (uint16_t)i;
	for (uint32_t i = r->n_heap / 2; i-- > 0;)
		sink(r, i);
}

const struct ranked *rank_next(struct ranker *r)
{
	uint16_t best = r->heap[0];

	if (r->n_heap == 0)
		return NULL;
	r->heap[0] = r->heap[--r->n_heap];
	sink(r, 0);
	return &r->ranked[best];
}
