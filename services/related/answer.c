/*
 * answer.c - from a question to its list.
 *
 *   ask -> search -> rank -> take the best that are sure -> diversify -> explain
 *
 * Whether a reason may be told shows only when a topic is explained, and nearly always it is so:
 * where one is not, all that the list may be chosen from are looked at, and it is chosen again.
 *
 * A topic asks with its record, an unsaved text with one packed for the moment.
 * Pinned topics come first whatever they score; where a site is too small to
 * compare texts, recent topics with a shared expertise fill what is left, and say so.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/arena.h"
#include "related/compose.h"
#include "related/diversity.h"
#include "related/engine.h"
#include "related/engine_state.h"
#include "related/explain.h"
#include "related/rank.h"

enum {
	CANDIDATES = 200, /* reranked, by text alone; 100 lose .1 point of nDCG, 30 lose 1.5 */
	PAST_CANDIDATES = 1000, /* for an earlier time, where the sums are only a first guess */
	SMALL_SITE = 30,        /* topics; below it texts say too little */
};

static uint32_t seconds(int64_t us)
{
	return us <= 0 ? 0 : (uint32_t)(us / 1000000);
}

/* --- ask --- */

static void note_author(struct asking *a, uint32_t author)
{
	idset_clear(&a->author_topics);
	a->author = author;
	for (uint32_t i = 0; i < a->corpus->users[author].n_topics; i++)
		(void)idset_add(&a->author_topics, a->corpus->users[author].topics[i]);
}

static void ask_topic(struct asking *a, uint32_t topic, bool as_new)
{
	const struct topic *t = &a->corpus->topics[topic];

	a->self = topic;
	a->created = t->created;
	a->language = t->language;
	a->until = as_new && t->created > 0 ? t->created : UINT32_MAX;
	note_author(a, t->author);
	bag_read_text(&a->query.bag, &t->record);
	if (as_new)
		return;
	bag_read_replies(&a->query.bag, &t->record, UINT32_MAX);
	crowd_read(&a->crowd, &t->record, UINT32_MAX);
	crowd_measure(&a->crowd, a->corpus);
}

static void ask_text(struct engine *e, struct asking *a, const struct engine_question *question)
{
	const struct engine_topic *text = question->text;
	struct record record;

	a->self = NOWHERE;
	a->created = seconds(text->created_at);
	a->language = engine_language(text->language);
	a->until = question->as_new && a->created > 0 ? a->created : UINT32_MAX;
	note_author(a, corpus_find_user(&e->corpus, text->author));
	e->bytes.used = 0;
	engine_pack_text(e, text, LEARN_NOTHING, &e->bytes);
	record = (struct record){e->bytes.at, (uint32_t)e->bytes.used};
	bag_read_text(&a->query.bag, &record);
}

static int ask(struct engine *e, const struct engine_question *question)
{
	struct asking *a = &e->ranker->asking;
	uint32_t topic = NOWHERE;

	a->corpus = &e->corpus;
	a->audience = question->audience;
	a->text_only = question->text_only;
	bag_clear(&a->query.bag);
	crowd_clear(&a->crowd);
	if (question->topic_id != 0) {
		topic = corpus_find(&e->corpus, question->topic_id);
		if (topic == SLOTS_NONE || !e->corpus.topics[topic].live)
			return -ENOENT;
		ask_topic(a, topic, question->as_new);
	} else {
		ask_text(e, a, question);
	}
	if (a->text_only)
		crowd_clear(&a->crowd);
	query_weigh(&a->query, &e->corpus);
	return 0;
}

/* --- search --- */

static void exclude_banned(void *argument, uint64_t other_id, enum pairing word)
{
	struct engine *e = argument;
	uint32_t topic = corpus_find(&e->corpus, other_id);

	if (word == PAIR_BANNED && topic != SLOTS_NONE)
		(void)idset_add(&e->ranker->excluded, topic);
}

static void include_pinned(void *argument, uint64_t other_id, enum pairing word)
{
	struct engine *e = argument;
	uint32_t topic = corpus_find(&e->corpus, other_id);

	if (word == PAIR_PINNED && topic != SLOTS_NONE)
		(void)idset_add(&e->ranker->included, topic);
}

static void exclude(struct engine *e, const struct engine_question *question)
{
	struct idset *excluded = &e->ranker->excluded;

	idset_clear(excluded);
	if (e->ranker->asking.self != NOWHERE)
		(void)idset_add(excluded, e->ranker->asking.self);
	for (size_t i = 0; i < question->n_muted; i++) {
		uint32_t topic = corpus_find(&e->corpus, question->muted[i]);

		if (topic != SLOTS_NONE)
			(void)idset_add(excluded, topic);
	}
	pairs_of(&e->pairs, question->topic_id, exclude_banned, e);
}

static void include(struct engine *e, const struct engine_question *question)
{
	struct idset *included = &e->ranker->included;

	idset_clear(included);
	for (size_t i = 0; i < question->n_only; i++) {
		uint32_t topic = corpus_find(&e->corpus, question->only[i]);

		if (topic != SLOTS_NONE)
			(void)idset_add(included, topic);
	}
	if (question->only != NULL)
		return;
	crowd_fellows(&e->corpus, &e->ranker->asking.crowd, included);
	pairs_of(&e->pairs, question->topic_id, include_pinned, e);
}

static void search(struct engine *e, const struct engine_question *question)
{
	struct ranker *r = e->ranker;
	bool past = r->asking.until != UINT32_MAX;

	exclude(e, question);
	include(e, question);
	r->search.terms = r->asking.query.terms;
	r->search.n_terms = r->asking.query.n_terms;
	r->search.audience = question->audience;
	r->search.excluded = &r->excluded;
	r->search.included = r->included.count > 0 ? &r->included : NULL;
	r->search.only_included = question->only != NULL;
	r->search.limit = past ? PAST_CANDIDATES : CANDIDATES;
	search_run(e->searcher, &e->corpus, e->index, &r->search);
	rank_candidates(r, past && question->only == NULL ? CANDIDATES : MOST_CANDIDATES);
}

/* --- choose --- */

static bool pinned(const struct engine *e, const struct engine_question *question, uint64_t id)
{
	return question->topic_id != 0 && question->only == NULL &&
	       pairs_word(&e->pairs, question->topic_id, id) == PAIR_PINNED;
}

/* Pinned ones get a part of their own that lifts them over all others. */
static void lift_pinned(struct engine *e, const struct engine_question *question)
{
	struct ranker *r = e->ranker;

	for (uint32_t i = 0; i < r->n_ranked; i++) {
		struct ranked *ranked = &r->ranked[i];

		if (!pinned(e, question, ranked->id))
			continue;
		ranked->parts[SIGNAL_PINNED] = RANK_PINNED;
		ranked->score += RANK_PINNED;
	}
}

/* A label of the question that this topic has too, or TERM_NONE. */
static uint32_t shared_label(const struct asking *a, const struct topic *t)
{
	struct part part = {0};

	if (a->query.bag.length[FIELD_TAGS] == 0)
		return TERM_NONE;
	while (record_next(&t->record, &part)) {
		struct list list;

		if (part.kind != PART_TAGS)
			continue;
		list_open(&list, part.at, part.end);
		while (list_next(&list))
			if (bag_find(&a->query.bag, list.term) != NULL)
				return list.term;
	}
	return TERM_NONE;
}

/* Of what is asked of topics without a common expertise. */
static const double labelled_confidence = 0.2;

/*
 * A topic with too little in common is not shown. An expertise that people gave to both is a
 * relation of its own: then less text has to agree, which matters most on a small site, where
 * two articles on one matter share few words.
 */
static double needed_confidence(const struct ranker *r, const struct ranked *ranked,
				double min_confidence)
{
	const struct topic *topic = &r->asking.corpus->topics[ranked->topic];

	if (ranked->parts[SIGNAL_PINNED] > 0)
		return 0;
	return shared_label(&r->asking, topic) != TERM_NONE ? min_confidence * labelled_confidence
							    : min_confidence;
}

static bool is_sure(const struct ranker *r, const struct ranked *ranked, double min_confidence)
{
	double confidence = r->asking.query.self > 0 ? ranked->text / r->asking.query.self : 0;

	return confidence >= min_confidence ||
	       confidence >= needed_confidence(r, ranked, min_confidence);
}

static uint32_t places(const struct engine_question *question)
{
	return question->limit < MOST_RELATED ? question->limit : MOST_RELATED;
}

/* As many as the list may be chosen from; the unsure are hidden. */
static void take_best(struct ranker *r, const struct engine_question *question)
{
	const struct ranked *next = NULL;

	rank_order(r);
	r->n_best = 0;
	while (r->n_best < POOL * places(question) && (next = rank_next(r)) != NULL)
		if (question->keeps_unsure || is_sure(r, next, question->min_confidence))
			r->best[r->n_best++] = *next;
}

/* A reason is what relates topics; somebody who writes the same text is told in any case. */
static bool needs_reason(const struct engine_question *question)
{
	return question->min_confidence > 0 && question->text == NULL;
}

static void explain_best(const struct ranker *r, const struct engine_question *question,
			 const struct ranked *ranked, struct arena *arena, struct related *related)
{
	explain(r, ranked, arena, related);
	related->needed = needed_confidence(r, ranked, question->min_confidence);
	related->unsure = related->confidence < related->needed ||
			  (needs_reason(question) && !explain_may_be_told(related));
}

static bool is_told(const struct ranker *r, const struct engine_question *question,
		    const struct ranked *ranked, struct arena *arena)
{
	struct related related = {0};

	explain_best(r, question, ranked, arena, &related);
	return !related.unsure;
}

/* Drops the untold from the best, and lets others follow; each candidate is looked at once. */
static void keep_told(struct ranker *r, const struct engine_question *question, struct arena *arena)
{
	const struct ranked *next = NULL;
	uint32_t taken = r->n_best;

	r->n_best = 0;
	for (uint32_t i = 0; i < taken; i++)
		if (is_told(r, question, &r->best[i], arena))
			r->best[r->n_best++] = r->best[i];
	while (r->n_best < POOL * places(question) && (next = rank_next(r)) != NULL)
		if (is_sure(r, next, question->min_confidence) && is_told(r, question, next, arena))
			r->best[r->n_best++] = *next;
}

/* Given candidates are all listed, so there is nothing to choose: they stand by their scores. */
static uint32_t choose(struct engine *e, const struct engine_question *question,
		       struct arena *arena, struct chosen *chosen)
{
	const struct ranker *r = e->ranker;
	uint32_t limit = places(question), count = r->n_best < limit ? r->n_best : limit;

	if (question->only == NULL)
		return diversity_choose(&e->corpus, r->best, r->n_best, limit,
					question->most_by_author, arena, chosen);
	for (uint32_t i = 0; i < count; i++)
		chosen[i] = (struct chosen){i, r->best[i].score};
	return count;
}

/* False when something in the list is unsure. */
static bool fill_list(struct engine *e, const struct engine_question *question, struct arena *arena,
		      struct related_list *list)
{
	const struct ranker *r = e->ranker;
	struct chosen chosen[MOST_RELATED];
	bool sure = true;

	list->count = choose(e, question, arena, chosen);
	for (uint32_t i = 0; i < list->count; i++) {
		explain_best(r, question, &r->best[chosen[i].at], arena, &list->items[i]);
		list->items[i].rank = chosen[i].value;
		sure = sure && !list->items[i].unsure;
	}
	return sure;
}

/* --- small sites --- */

static bool listed(const struct related_list *list, uint64_t id)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].topic_id == id)
			return true;
	return false;
}

static bool later(const struct topic *a, const struct topic *b)
{
	return a->created != b->created ? a->created > b->created : a->id > b->id;
}

/* The most recent topic that may be listed and shares an expertise, or NOWHERE. */
static uint32_t recent_topic(const struct engine *e, const struct related_list *list)
{
	const struct ranker *r = e->ranker;
	uint32_t best = NOWHERE;

	for (uint32_t i = 0; i < e->corpus.n_topics; i++) {
		const struct topic *t = &e->corpus.topics[i];

		if (!t->live || (t->visible_to & r->asking.audience) == 0 ||
		    idset_has(&r->excluded, i) || listed(list, t->id) ||
		    shared_label(&r->asking, t) == TERM_NONE)
			continue;
		if (best == NOWHERE || later(t, &e->corpus.topics[best]))
			best = i;
	}
	return best;
}

static void fill_with_recent(struct engine *e, const struct engine_question *question,
			     struct arena *arena, struct related_list *list)
{
	uint32_t topic = NOWHERE;

	if (e->corpus.live >= SMALL_SITE || e->corpus.n_topics > 4 * SMALL_SITE ||
	    question->only != NULL)
		return;
	while (list->count < places(question) && (topic = recent_topic(e, list)) != NOWHERE) {
		uint32_t label = shared_label(&e->ranker->asking, &e->corpus.topics[topic]);
		struct related *related = &list->items[list->count++];

		*related = (struct related){.n_reasons = 1};
		explain_topic(&e->corpus.topics[topic], arena, related);
		related->reasons[0] = (struct reason){.kind = REASON_RECENT, .n_words = 1};
		related->reasons[0].words[0] =
			arena_strdup(arena, dictionary_written(&e->corpus.dictionary, label) + 1);
	}
}

int engine_related(struct engine *e, const struct engine_question *question, struct arena *arena,
		   struct related_list *list)
{
	int failed = ask(e, question);

	list->count = 0;
	if (failed < 0)
		return failed;
	search(e, question);
	lift_pinned(e, question);
	take_best(e->ranker, question);
	if (!fill_list(e, question, arena, list) && !question->keeps_unsure) {
		keep_told(e->ranker, question, arena);
		(void)fill_list(e, question, arena, list);
	}
	fill_with_recent(e, question, arena, list);
	return 0;
}
