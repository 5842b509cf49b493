/*
 * recommender.h - what the files of this daemon share: one engine, kept in step with its owners.
 *
 *   start --> (snapshot | rebuild.c: list everything) --> follow.c: events
 *                                                            |
 *                       refresh.c: ask the owner again <-----+
 *
 * Events are thin: what changed is fetched from its owner, and what the owner
 * says now is what counts. So an event that is seen twice, late or early does no harm.
 */
#ifndef RELATED_RECOMMENDER_H
#define RELATED_RECOMMENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "comments.pb-c.h"
#include "lib/service.h"
#include "lib/task.h"
#include "related.pb-c.h"
#include "related/engine.h"
#include "topics.pb-c.h"

struct rpc_client;

struct recommender_settings {
	int64_t memory;       /* MiB that the engine may take */
	const char *snapshot; /* path of the file */
	int64_t snapshot_ms;  /* between two snapshots; 0: none is kept */
};

/* A place in an owner's stream. */
struct stream_place {
	uint64_t epoch, seq;
};

enum { STREAM_TOPICS, STREAM_COMMENTS, STREAMS };

struct recommender {
	struct engine *engine;
	struct rpc_client *topics, *comments;
	bool rebuilding;
};

extern struct recommender_settings settings;
extern struct recommender recommender;

/* recommender.c: a new, empty engine; or one from a snapshot, see snapshot_load(). */
struct engine *new_engine(void);
int load_engine(const char *path, struct stream_place places[STREAMS], struct engine **);

/* forgotten.c: an account that does not exist any more is nobody, whoever still names it. */
void forget_account(uint64_t account);
uint64_t account_or_nobody(uint64_t account);
void forgotten_free(void);

/* documents.c: what an owner says, into the engine. */
void take_topic(struct engine *, const Causerie__TopicDocument *);
void take_comment(struct engine *, const Causerie__CommentDocument *);

/* rebuild.c: lists everything into a new engine; calls done with the places to go on from. */
void rebuild_start(void (*done)(const struct stream_place places[STREAMS]));
void rebuild_stop(void);

/* refresh.c: asks the owner for these, soon, several at a time. */
void refresh_topic(uint64_t topic_id);
void refresh_comment(uint64_t comment_id);
void refresh_thread(uint64_t topic_id); /* all comments of a topic */
bool refresh_pending(void);
void refresh_start(void);
void refresh_stop(void);

/* follow.c: the streams of events. */
void follow_start(const struct stream_place places[STREAMS]);
bool follow_started(void);
/* refresh.c says so: all that was named so far has been fetched. */
void follow_fetched(void);
/* Where to go on from with the engine as it is: nothing before that is missing in it. */
void follow_places(struct stream_place places[STREAMS]);
void follow_stop(void);

/* upkeep.c: the engine's background work, in turns of the loop. */
void upkeep_start(void);
void upkeep_stop(void);

/* keep.c: the snapshot. keep_load(): false when there is none to be used. */
bool keep_load(struct stream_place places[STREAMS]);
void keep_start(void);
void keep_stop(void);

/* related_message.c: the last step of both questions. explained: for an organizer. */
struct step reply_related(struct task *, const struct related_list *, bool explained);

void related_list_related(Causerie__Related_Service *, const Causerie__ListRelatedRequest *,
			  Causerie__ListRelatedReply_Closure, void *call);
void related_find_similar(Causerie__Related_Service *, const Causerie__FindSimilarRequest *,
			  Causerie__ListRelatedReply_Closure, void *call);

#endif
