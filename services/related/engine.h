/*
 * engine.h - the recommender: topics in, related topics with their reasons out.
 *
 * A library without global state and without I/O of its own, so that the daemon,
 * --evaluate, the tests and the bench run the same code. Not thread-safe.
 *
 * Changes are idempotent: what is older than what is known is ignored, so a
 * stream of events may be replayed from any earlier position. Strings are UTF-8
 * ending in NUL, NULL is empty; broken UTF-8 separates words. Times are
 * microseconds since 1970 UTC. Ids are not 0; account 0 is nobody.
 *
 * Writers return 0, or -ENOSPC when the memory limit is reached: then the change
 * was not made, and engine_stats.refused counts it. What it would have replaced is gone
 * all the same, because its author does not say it any more; all else stands. What takes
 * something away is done at the limit too.
 */
#ifndef RELATED_ENGINE_H
#define RELATED_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct engine;

/* Bits of who may see a topic, and of who is asking. */
enum audience {
	AUDIENCE_PUBLIC = 1,
	AUDIENCE_ORGANIZERS = 2,
};

enum {
	MOST_RELATED = 50,    /* answers to one question */
	MOST_EXPERTISES = 32, /* of one topic; later ones are not read */
};

struct engine_settings {
	size_t memory_limit; /* bytes; 0: none */
	bool portable;       /* use no special instructions */
	/* "https://causerie.example": absolute links to topics begin with it. NULL: only relative
	 * ones count. */
	const char *public_url;
};

struct engine *engine_new(const struct engine_settings *);
void engine_free(struct engine *);

/* --- changes --- */

struct engine_topic {
	uint64_t id;
	uint32_t version; /* 1, 2, 3 …; an older one than known is ignored */
	uint8_t visible_to;
	int64_t created_at;
	uint64_t author;
	const char *title, *lead, *article;
	const char *const *expertises;
	size_t n_expertises;
	const char *language; /* "fr" */
	/* Topics it links to, besides those in lead and article (/sujets/7, /s/7). */
	const uint64_t *links;
	size_t n_links;
	/* Given back with answers, for whoever shows them; not searched; at most 1 KiB. */
	const char *display;
};

struct engine_comment {
	uint64_t topic_id, id;
	uint32_t version;
	uint64_t author;
	int64_t created_at;
	const char *body;
};

int engine_put_topic(struct engine *, const struct engine_topic *);
/* 0 for a topic that is not known, too. */
uint8_t engine_visibility(const struct engine *, uint64_t topic_id);
int engine_set_visibility(struct engine *, uint64_t topic_id, uint8_t visible_to);

/* Its text, discussion and opinions are forgotten; a later version brings it back empty. */
void engine_remove_topic(struct engine *, uint64_t topic_id, uint32_t version);

int engine_put_comment(struct engine *, const struct engine_comment *);
int engine_remove_comment(struct engine *, uint64_t topic_id, uint64_t comment_id,
			  uint32_t version);

/* These accounts, and no others, have an opinion of the topic. */
int engine_set_opinions(struct engine *, uint64_t topic_id, const uint64_t *accounts, size_t count);

/* given: has any opinion of it; else it was withdrawn. */
int engine_put_opinion(struct engine *, uint64_t topic_id, uint64_t account, bool given);

/* Nothing that this account did counts from now on; texts go by their own events. */
void engine_erase_account(struct engine *, uint64_t account);

/* An organizer's word on two topics, in both directions. */
enum pairing { PAIR_FREE, PAIR_PINNED, PAIR_BANNED };
int engine_pair(struct engine *, uint64_t topic_id, uint64_t other_id, enum pairing);

/* These pairs, and no others, are the organizers' word on the topic. */
struct engine_pair {
	uint64_t other_id;
	enum pairing word;
};
int engine_set_pairs(struct engine *, uint64_t topic_id, const struct engine_pair *, size_t count);

/* While on (a rebuild), texts are taken in without being found at once. */
void engine_bulk(struct engine *, bool on);

/* Background work for about budget_us; true while there is more. Call it whenever idle. */
bool engine_work(struct engine *, int64_t budget_us);

/* Works until an index built afresh from the same topics would answer the same. */
void engine_settle(struct engine *);

/* --- questions --- */

enum reason_kind {
	REASON_WORDS,        /* words: up to 3, as written most often; no numbers or letters */
	REASON_EXPERTISES,   /* words: up to 3 */
	REASON_CITED,        /* count: topics that link to it */
	REASON_PARTICIPANTS, /* count: people in both, at least 3 */
	REASON_AUTHOR,       /* who asks has taken part in it, as everybody can see */
	REASON_PERIOD,       /* close in time; count: days apart */
	REASON_ACTIVITY,     /* much discussed, also by people of whom nothing is said */
	REASON_LANGUAGE,     /* the same */
	REASON_PINNED,       /* by an organizer */
	REASON_RECENT,       /* too little to compare: recent, with a shared expertise */
	REASON_KINDS,
};

enum { REASON_WORDS_MOST = 3 };

struct reason {
	enum reason_kind kind;
	double part; /* of the score; a few may be below 0 */
	const char *words[REASON_WORDS_MOST];
	uint32_t n_words, count;
};

struct related {
	uint64_t topic_id;
	const char *display; /* never NULL */
	char language[3];    /* "" unknown */
	double score;        /* as ranked; the parts of its reasons add up to it */
	double confidence;   /* text score relative to the question's own, 0..1 */
	double needed;       /* the confidence below which the question's list leaves it out */
	bool unsure;         /* it leaves it out, for that or as nothing may be told of it */
	double rank;         /* what the list is sorted by: score less repetition */
	struct reason reasons[REASON_KINDS]; /* largest part first */
	uint32_t n_reasons;
};

struct related_list {
	struct related items[MOST_RELATED];
	uint32_t count;
};

struct engine_question {
	/* A topic that is known … */
	uint64_t topic_id;
	bool as_new; /* as on its first day: without its comments, opinions, links, and nothing
			younger */
	/* … or, where topic_id is 0, a text that is not saved (id and version are not read). */
	const struct engine_topic *text;

	uint32_t limit; /* at most MOST_RELATED */
	uint8_t audience;
	bool text_only; /* no time, people or links */
	/* Weaker ones are unsure; 0: none are. So are related topics without a reason to tell. */
	double min_confidence;
	bool keeps_unsure;       /* they stay, for whoever wants to know why they are left out */
	uint32_t most_by_author; /* 0: any number */
	const uint64_t *muted;   /* topics that the reader does not want */
	size_t n_muted;
	const uint64_t *only; /* rank these and no others; NULL: all */
	size_t n_only;
};

/* What the page asks: five, sure enough, at most two by one author. */
#define ENGINE_PAGE_CONFIDENCE 0.15
#define ENGINE_PAGE_BY_AUTHOR  2

/* 0, or -ENOENT when the topic is not known. Words live in the arena. */
int engine_related(struct engine *, const struct engine_question *, struct arena *,
		   struct related_list *);

/* --- state --- */

struct engine_stats {
	uint64_t topics; /* live */
	uint64_t comments, accounts, terms, surfaces;
	uint64_t bytes; /* of everything, as counted */
	uint64_t refused;
	uint64_t epoch; /* rises with every change that an answer could show */
};

/* However many topics there are, it takes no time to speak of. */
void engine_stats(const struct engine *, struct engine_stats *);

#endif
