/*
 * show_topic.h - a visit that ends in a topic's page: reading it, or a form on it that was wrong.
 *
 * Who draws the page again after a form sets what was typed and the errors, and returns
 * topic_draw_again().
 */
#ifndef GATEWAY_PAGES_SHOW_TOPIC_H
#define GATEWAY_PAGES_SHOW_TOPIC_H

#include "comments.pb-c.h"
#include "gateway/gateway.h"
#include "gateway/pages/fill.h"
#include "gateway/people.h"
#include "notifications.pb-c.h"
#include "related.pb-c.h"
#include "topics.pb-c.h"

struct topic_visit {
	struct visit visit;
	uint64_t id, around, reply_to;
	const char *cursor;
	RPC_SLOT(Causerie__Topic) topic;
	RPC_SLOT(Causerie__GetTopicHistoryReply) history;
	RPC_SLOT(Causerie__ListCommentsReply) comments;
	RPC_SLOT(Causerie__ListRelatedReply) related;
	RPC_SLOT(Causerie__Follow) follow;
	RPC_SLOT(Causerie__Empty) read;
	struct terms terms;
	struct people people;
	enum opinion chosen; /* and not given yet */
	const char *chosen_because;

	/* a form that was not accepted */
	const char *typed;
	enum locale typed_language;
	bool wants_preview;
	struct form comment_form, opinion_form;
	int status; /* of the page with such a form */
	const struct notice *notices;
	size_t n_notices;

	const char *key; /* for the forms of this page */

	/* for those who write: see post_comment.c, feedback.c */
	RPC_SLOT(Causerie__Comment) posted;
	RPC_SLOT(Causerie__OpinionReply) given;
	RPC_SLOT(Causerie__Follow) followed;
};

/* The page of topic id once more, with this status: `return topic_draw_again(t, 422);` */
struct step topic_draw_again(struct topic_visit *, int status);

/* A value of the form or the address as an opinion; OPINION_NONE for any other number. */
enum opinion topic_opinion(uint64_t value);

/* Related topics as rows; also for the proposing form's look-alikes. */
struct related_row *fill_related(struct visit *, const Causerie__ListRelatedReply *,
				 const Causerie__Taxonomies *, size_t *n);

/* The words of a reason, expertises by their labels: "confiance, modération"; NULL for none that
 * tell. */
const char *related_words(struct visit *, const Causerie__RelatedReason *,
			  const Causerie__Taxonomies *);

#endif
