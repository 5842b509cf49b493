/*
 * corpus.h - all topics, the people in them, and the links between them.
 *
 * A topic's record is the truth; document frequencies, average lengths, the
 * topics of each person and the links into each topic are kept in step with it
 * by one function, corpus_replace(), which compares what a record said with what
 * it says now, from the first part that differs. So every change, of whatever kind, can be taken
 * back exactly.
 *
 * A topic that is only known from a comment or a link stands there without being
 * live: it counts nowhere and appears nowhere until its own text arrives.
 */
#ifndef RELATED_CORPUS_H
#define RELATED_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "related/analyser.h"
#include "related/bag.h"
#include "related/dictionary.h"
#include "related/idset.h"
#include "related/record.h"
#include "related/slots.h"

#define NOWHERE UINT32_MAX /* a topic that is in no block */

enum { FEW_DOCUMENTS = 1024 };

enum { NOBODY = 0 }; /* the user of whom nothing may be known */

struct topic {
	uint64_t id;
	struct record record;
	uint32_t version;
	uint32_t created;   /* seconds since 1970 */
	uint32_t author;    /* user */
	uint32_t place;     /* block << 16 | slot, or NOWHERE */
	uint32_t comments;  /* not removed */
	uint32_t unindexed; /* comments that the index has not seen yet */
	uint32_t in;        /* position in links_in + 1 */
	uint16_t language;  /* two letters, 0 unknown */
	uint8_t visible_to; /* bits of audiences */
	bool live : 1;      /* has its text and was not removed */
	bool awaited : 1;   /* its text was taken away for a later one that was refused */
	bool queued : 1;    /* waits in one of the index's queues */
	bool outdated : 1;  /* its place in the index still has its former text */
	bool building : 1;  /* read by a builder and not changed since */
};

struct user {
	uint64_t id;
	uint32_t *topics; /* wrote, commented or gave an opinion; in no order */
	uint32_t n_topics, room;
	uint32_t n_unseen; /* of its topics, with no more than an opinion; kept by people.h */
};

struct links_in {
	uint32_t *from; /* topics */
	uint32_t count, room;
};

/* Where something is mentioned when one record takes the place of another. */
enum side {
	GONE, /* in parts that go, */
	COME, /* that come, */
	KEPT, /* that stay */
	SIDES,
};

struct mentions {
	uint32_t length[FIELDS]; /* tokens */
	struct idset users, targets;
};

struct corpus {
	struct dictionary dictionary;
	struct analyser *analyser;
	struct topic *topics;
	struct user *users;
	struct links_in *in;
	uint32_t n_topics, topic_room, n_users, user_room, n_in, in_room;
	struct slots topic_slots, user_slots;
	uint64_t key;
	uint64_t tokens[FIELDS]; /* of live topics */
	uint32_t filled[FIELDS]; /* live topics that have any */
	uint32_t live;
	double log_live; /* ln(live + 1) */
	size_t record_bytes, list_bytes;
	double log_few[FEW_DOCUMENTS];   /* ln(n + .5) */
	struct mentions mentions[SIDES]; /* scratch, like the next */
	struct bag changed;              /* terms that go or come: tf[side] is 1 where they are */
	/* A snapshot in memory, borrowed: records that lie in it are not freed. */
	const uint8_t *mapped, *mapped_end;
};

void corpus_open(struct corpus *);
void corpus_close(struct corpus *);
size_t corpus_bytes(const struct corpus *);

/* Position of a topic, or SLOTS_NONE. */
uint32_t corpus_find(const struct corpus *, uint64_t topic_id);
/* Adds it, not live, when it is new. */
uint32_t corpus_topic(struct corpus *, uint64_t topic_id);

/* Position of a user; 0 and unknown ones are NOBODY. corpus_user() adds it. */
uint32_t corpus_find_user(const struct corpus *, uint64_t user_id);
uint32_t corpus_user(struct corpus *, uint64_t user_id);

/*
 * What a topic becomes: takes over the record's bytes (malloc), the author and whether it is
 * live, and brings everything derived in step.
 */
void corpus_replace(struct corpus *, uint32_t topic, struct record, uint32_t author, bool live);

/*
 * From a snapshot: a topic's record, already counted in frequencies and lengths; people and links
 * are noted. Every topic that it links to is there.
 */
void corpus_take(struct corpus *, uint32_t topic, struct record, uint32_t author, bool live);

/* Live topics that link to this one. */
const struct links_in *corpus_links_in(const struct corpus *, uint32_t topic);

/*
 * ln(1 + (N - n + .5) / (n + .5)) = ln(N + 1) - ln(n + .5), Robertson & Zaragoza 2009,
 * eq. 3.3; never negative.
 */
double corpus_idf(const struct corpus *, uint32_t documents);

#endif
