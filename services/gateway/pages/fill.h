/*
 * fill.h - messages of the services as what views show.
 */
#ifndef GATEWAY_PAGES_FILL_H
#define GATEWAY_PAGES_FILL_H

#include "comments.pb-c.h"
#include "gateway/gateway.h"
#include "gateway/people.h"
#include "topics.pb-c.h"

enum topic_state fill_state(Causerie__TopicState);
Causerie__TopicState fill_state_back(enum topic_state);
bool fill_state_named(const char *name, enum topic_state *); /* "open" */

enum locale fill_locale(const char *tag, enum locale otherwise);
struct moment fill_moment(int64_t us);

/* Text, or NULL when empty: views show nothing for NULL. */
const char *fill_text(const char *);

/* "/sujets/12-une-conversation" */
const char *fill_topic_url(struct arena *, uint64_t id, const char *slug);

/* --- taxonomies, kept for half a minute: their words stand on every page --- */

struct terms {
	RPC_SLOT(Causerie__Taxonomies) answer;
};

/* An operation of the task, unless they are known well enough. */
void terms_load(struct task *, struct terms *);

/* After terms_load() answered: what is known now; empty lists when topics never answered. */
const Causerie__Taxonomies *terms_take(const struct terms *);

/* The label in this language; the slug itself when there is none. */
const char *term_label(Causerie__Term *const *, size_t n, const char *slug, enum locale);

/* Expertises of a topic as links to the list. */
struct labels fill_expertises(struct arena *, const Causerie__Taxonomies *, char *const *slugs,
			      size_t n, enum locale);

/* --- rows --- */

/* For people_want() before, and the row after they are loaded. */
void fill_topic_row(struct visit *, const Causerie__TopicSummary *, const Causerie__Taxonomies *,
		    const struct people *, struct topic_row *);

struct opinions_view fill_opinions(const Causerie__Topic *);

/* "Histoire du sujet": its people first, the rows once they are loaded. */
void fill_history_people(struct task *, struct people *, const Causerie__GetTopicHistoryReply *);
struct history_row *fill_history(struct visit *, const Causerie__GetTopicHistoryReply *,
				 const struct people *, enum locale language, size_t *n);

/* A thread in the order of reading, replies behind their parent; people are wanted by
 * fill_thread_people(). */
void fill_thread_people(struct task *, struct people *, Causerie__Comment *const *, size_t n);
void fill_thread(struct visit *, const Causerie__ListCommentsReply *, const struct people *,
		 uint64_t proposer_id, struct thread_view *);

/* One comment outside its thread: nothing is offered to be done with it. */
void fill_comment(struct visit *, const Causerie__Comment *, const struct people *,
		  struct comment_view *);

struct html fill_comment_body(struct arena *, const Causerie__Comment *);

#endif
