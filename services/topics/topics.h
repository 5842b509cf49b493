/*
 * topics.h - what the files of this daemon share: the rules of a topic's life and its message.
 */
#ifndef TOPICS_H
#define TOPICS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/rpc_server.h"
#include "lib/service.h"
#include "lib/sql.h"
#include "lib/task.h"
#include "queries.h"
#include "topics.pb-c.h"

/* What organizers may say of one topic and others. */
enum {
	MOST_PINNED = 5,   /* a topic's page has as many places: one more would not be seen */
	MOST_BANNED = 100, /* a topic that fits to so little wants another text */
};

/* lifecycle.c: who may see what, and what may follow. */

bool is_organizer(const struct viewer *);

/* By seen_by and proposer_id, which the statement must have filled in. */
bool is_public(const Causerie__TopicSummary *);
bool may_see(const Causerie__TopicSummary *, const struct viewer *);

/* The values of seen_by that this viewer finds in a list of many people, or of their own topics. */
struct sql_param seen_in_lists(struct arena *, const struct viewer *, bool own);

bool may_edit(Causerie__TopicState, uint64_t proposer_id, const struct viewer *);
bool may_transition(Causerie__TopicState from, Causerie__TopicState to, uint64_t proposer_id,
		    const struct viewer *);
bool accepts_opinions(Causerie__TopicState);
bool accepts_comments(Causerie__TopicState);

/* "open": as the database and events spell it. */
const char *state_name(Causerie__TopicState);

/* The states everybody finds in lists, as parameter for a statement. */
struct sql_param listed_states(struct arena *);
struct sql_param state_names(struct arena *, const Causerie__TopicState *, size_t);

/* topic_message.c: rows into messages. */

/* A topic as the database has it: one row, and its chapters. */
struct topic_rows {
	struct sql_slot topic, chapters;
};

/* As this viewer may see it, in the task's arena. NULL: there is none, or not for this viewer. */
Causerie__Topic *topic_from_rows(struct task *, const struct topic_rows *);

/* Fewer than five opinions are a total without a distribution: four members could be told apart. */
Causerie__OpinionCounts *opinion_counts(struct arena *, const struct sql_slot *);
bool opinions_visible(uint32_t total);

/*
 * get_topic.c: the last two steps of whoever changed a topic. fetch_topic() starts
 * the statement; reply_topic() answers with the topic as it now is, or NOT_FOUND.
 */
void fetch_topic(struct task *, struct topic_rows *, uint64_t id);
struct step reply_topic(struct task *, const struct topic_rows *);

/* expertises.c: what a member typed, as slugs of the site's list. */
struct expertises {
	struct sql_slot found;
	char **slugs;
	size_t n_slugs;
	const char *words;   /* their labels and synonyms, for the search */
	const char *unknown; /* the first word that is none; NULL when all are known */
};
void resolve_expertises(struct task *, struct expertises *, char *const *words, size_t n);
bool expertises_resolved(struct task *, struct expertises *); /* false: the statement failed */

/* The service's handlers, one file each. */
#define HANDLER(name, Ask, Reply)                                                                  \
	void topics_##name(Causerie__Topics_Service *, const Causerie__##Ask *,                    \
			   Causerie__##Reply##_Closure, void *call)
HANDLER(list_taxonomies, ListTaxonomiesRequest, Taxonomies);
HANDLER(list_topics, ListTopicsRequest, ListTopicsReply);
HANDLER(get_topic, GetTopicRequest, Topic);
HANDLER(get_topic_summaries, GetTopicSummariesRequest, TopicSummaries);
HANDLER(create_topic, CreateTopicRequest, Topic);
HANDLER(edit_topic, EditTopicRequest, Topic);
HANDLER(transition_topic, TransitionTopicRequest, Topic);
HANDLER(get_topic_history, GetTopicRequest, GetTopicHistoryReply);
HANDLER(put_opinion, PutOpinionRequest, OpinionReply);
HANDLER(delete_opinion, DeleteOpinionRequest, OpinionReply);
HANDLER(get_opinions, GetTopicRequest, OpinionReply);
HANDLER(pair_topics, PairTopicsRequest, RelatedPair);
HANDLER(unpair_topics, UnpairTopicsRequest, Empty);
HANDLER(list_pairs, GetTopicRequest, ListPairsReply);
HANDLER(list_topic_documents, ListTopicDocumentsRequest, ListTopicDocumentsReply);
#undef HANDLER

#endif
