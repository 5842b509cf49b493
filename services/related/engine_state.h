/*
 * engine_state.h - what an engine consists of; private to engine*.c and snapshot.c.
 */
#ifndef RELATED_ENGINE_STATE_H
#define RELATED_ENGINE_STATE_H

#include "related/corpus.h"
#include "related/engine.h"
#include "related/index.h"
#include "related/pairs.h"
#include "related/people.h"
#include "related/record.h"
#include "related/search.h"

struct ranker;

/* A snapshot that records and blocks still lie in. */
struct mapping {
	void *bytes;
	size_t size;
};

struct engine {
	struct corpus corpus;
	struct index *index;
	struct searcher *searcher;
	struct ranker *ranker;
	struct pairs pairs;
	struct terms terms; /* scratch */
	struct bytes bytes; /* scratch */
	struct crowd crowd; /* scratch */
	size_t memory_limit;
	uint64_t comments, refused, changes;
	char *public_url;
	struct mapping mapping; /* or nothing */
};

/* What one topic says, as parts at the end of bytes; labels and words are learnt or looked up. */
void engine_pack_text(struct engine *, const struct engine_topic *, enum learning, struct bytes *);

/* Two letters in one number; 0 unknown. */
uint16_t engine_language(const char *tag);

#endif
