/*
 * samples.h - every page of the site filled with made-up, lifelike content.
 *
 * The page tests render them to look for what must and must not be there; the
 * gallery (tests/browser/gallery.c) writes them to disk to be looked at.
 */
#ifndef TESTS_GATEWAY_SAMPLES_H
#define TESTS_GATEWAY_SAMPLES_H

#include "gateway/views.h"

struct sample {
	const char *name; /* of the file: "topic-member" */
	void (*render)(struct html_out *out);
};

extern const struct sample samples[];
extern const size_t n_samples;

/* An output as a reader in Paris gets it, on 1 March 2027 at 14:30. */
struct html_out sample_out(enum locale);

/* The topic page of a visitor with n comments, for tests of weight. The caller frees nothing. */
void sample_topic_with_comments(struct html_out *out, size_t n_comments);

/* A topic whose every text is an attack; nothing of it may come out as markup. */
void sample_hostile_topic(struct html_out *out, const char *attack);

#endif
