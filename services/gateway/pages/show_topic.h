/*
 * show_topic.h - a visit that ends in a topic's page: reading it, or a form on it that was wrong.
 *
 * Who draws the page again after a form sets what was typed and the errors, then
 * follows the same steps: topic_fetch(), topic_want_people(), topic_draw().
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
	const char *chosen_because;

	/* a form that was not accepted */
	const char *typed;
	bool wants_preview;
	struct form comment_form;
	const struct notice *notices;
	size_t n_notices;

	const char *key; /* for the forms of this page */

	/* for those who post: see post_comment.c */
	RPC_SLOT(Causerie__Comment) posted;
};

/* Starts all the page needs; after it topic.code says whether there is a topic. */
void topic_fetch(struct topic_visit *, uint64_t id);

/* Starts naming people; the next step may draw. topic.reply is set. */
void topic_want_people(struct topic_visit *);

struct step topic_draw(struct topic_visit *, int status);

/* Related topics as rows; also for the proposing form's look-alikes. */
struct related_row *fill_related(struct visit *, const Causerie__ListRelatedReply *,
				 const Causerie__Taxonomies *, size_t *n);

/* The words of a reason, expertises by their labels: "confiance, modération"; NULL for none that
 * tell. */
const char *related_words(struct visit *, const Causerie__RelatedReason *,
			  const Causerie__Taxonomies *);

#endif
