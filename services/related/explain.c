/*
 * explain.c - gathers the signals of one topic into reasons.
 *
 * The text's part is divided between words and expertises in proportion to what
 * each common term contributes. Who took part is never said, and how many only
 * from three on. Parts are exact, so nothing in them may depend on who gave an opinion:
 * people.h sees to that.
 */
#include "related/explain.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/text.h"
#include "related/corpus.h"
#include "related/rank.h"

enum { DAY = 86400 };

static bool is_label(const struct ranker *r, uint32_t term)
{
	return analyser_is_label(r->asking.corpus->analyser, r->asking.query.terms[term].term);
}

/* A number or a single letter in common tells a reader nothing. */
static bool says_something(const char *word)
{
	return strspn(word, "0123456789") < strlen(word) && text_length(word) > 1;
}

/* The heaviest common terms of one kind, as written. */
static void name_terms(const struct ranker *r, const struct query_score *score, bool labels,
		       struct arena *arena, struct reason *reason)
{
	const struct query *q = &r->asking.query;
	bool named[QUERY_TERMS] = {false};

	while (reason->n_words < REASON_WORDS_MOST) {
		uint32_t best = QUERY_TERMS;
		const char *written = NULL;

		for (uint32_t i = 0; i < q->n_terms; i++)
			if (!named[i] && score->terms[i] > 0 && is_label(r, i) == labels &&
			    (best == QUERY_TERMS || score->terms[i] > score->terms[best]))
				best = i;
		if (best == QUERY_TERMS)
			return;
		named[best] = true;
		written = dictionary_written(&r->asking.corpus->dictionary, q->terms[best].term);
		if (labels || says_something(written))
			reason->words[reason->n_words++] = arena_strdup(arena, written + labels);
	}
}

/* Of the text's part, the share that expertises contribute. */
static double label_share(const struct ranker *r, const struct query_score *score)
{
	double labels = 0;

	for (uint32_t i = 0; i < r->asking.query.n_terms; i++)
		labels += is_label(r, i) ? score->terms[i] : 0;
	return score->total > 0 ? labels / score->total : 0;
}

static int by_part(const void *left, const void *right)
{
	const struct reason *a = left, *b = right;

	if (a->part != b->part)
		return a->part > b->part ? -1 : 1;
	return (a->kind > b->kind) - (a->kind < b->kind);
}

/* One or two people could be guessed. They spoke, so their part may count, as activity. */
static void hide_few_people(struct reason reasons[REASON_KINDS])
{
	struct reason *people = &reasons[REASON_PARTICIPANTS];

	if (people->count >= FEWEST_PEOPLE)
		return;
	reasons[REASON_ACTIVITY].part += people->part;
	people->part = 0;
}

static uint32_t days_apart(const struct asking *asking, const struct topic *topic)
{
	return (asking->created > topic->created ? asking->created - topic->created
						 : topic->created - asking->created) /
	       DAY;
}

/* Keeps the reasons that have a part, largest first. */
static void keep_reasons(struct related *related, struct reason reasons[REASON_KINDS])
{
	related->n_reasons = 0;
	for (int kind = 0; kind < REASON_KINDS; kind++)
		if (reasons[kind].part != 0)
			related->reasons[related->n_reasons++] = reasons[kind];
	qsort(related->reasons, related->n_reasons, sizeof *related->reasons, by_part);
}

void explain_topic(const struct topic *t, struct arena *arena, struct related *related)
{
	struct part part = {0};

	related->topic_id = t->id;
	related->language[0] = (char)(t->language >> 8);
	related->language[1] = (char)(t->language & 0xff);
	related->language[2] = '\0';
	related->display = "";
	while (record_next(&t->record, &part))
		if (part.kind == PART_DISPLAY)
			related->display = arena_strndup(arena, (const char *)part.at,
							 (size_t)(part.end - part.at));
}

void explain(const struct ranker *r, const struct ranked *ranked, struct arena *arena,
	     struct related *related)
{
	const struct topic *topic = &r->asking.corpus->topics[ranked->topic];
	struct reason reasons[REASON_KINDS] = {0};
	struct query_score score;
	double labels = 0;

	query_score(&r->asking.query, topic, r->asking.until, &score);
	for (int kind = 0; kind < REASON_KINDS; kind++)
		reasons[kind].kind = (enum reason_kind)kind;
	for (int s = 0; s < SIGNALS; s++)
		reasons[rank_reason((enum signal)s)].part += ranked->parts[s];
	labels = ranked->parts[SIGNAL_TEXT] * label_share(r, &score);
	reasons[REASON_WORDS].part -= labels;
	reasons[REASON_EXPERTISES].part += labels;

	name_terms(r, &score, false, arena, &reasons[REASON_WORDS]);
	name_terms(r, &score, true, arena, &reasons[REASON_EXPERTISES]);
	reasons[REASON_CITED].count = ranked->citing;
	reasons[REASON_PARTICIPANTS].count = ranked->shared;
	reasons[REASON_PERIOD].count = days_apart(&r->asking, topic);
	hide_few_people(reasons);
	keep_reasons(related, reasons);
	related->score = ranked->score;
	explain_topic(topic, arena, related);
	related->confidence = r->asking.query.self > 0 ? ranked->text / r->asking.query.self : 0;
}

bool explain_may_be_told(const struct related *related)
{
	for (uint32_t i = 0; i < related->n_reasons; i++) {
		const struct reason *reason = &related->reasons[i];

		switch (reason->kind) {
		case REASON_WORDS:
		case REASON_EXPERTISES:
			if (reason->n_words > 0)
				return true;
			break;
		case REASON_CITED:
		case REASON_PARTICIPANTS:
		case REASON_AUTHOR:
		case REASON_PINNED:
		case REASON_RECENT:
			return true;
		default:
			break;
		}
	}
	return false;
}
