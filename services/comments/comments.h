/*
 * comments.h - what the files of this daemon share: a comment as a viewer may see it.
 */
#ifndef COMMENTS_H
#define COMMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "comments.pb-c.h"
#include "lib/rpc_server.h"
#include "lib/service.h"
#include "lib/sql.h"
#include "lib/task.h"
#include "queries.h"

struct rpc_client;
struct sql_group;

struct comments_settings {
	int64_t rate; /* comments a member may post in a minute */
};

extern struct comments_settings settings;
extern struct rpc_client *topics; /* asked about a topic whose event has not come yet */
extern struct sql_group *posts;   /* new comments, committed together */

/* comment_message.c: rows into messages. */

bool is_moderator(const struct viewer *);

/* Sets what this viewer may do, and empties what they must not read (a tombstone has no text and no
 * author). */
void show_comment(const struct viewer *, Causerie__Comment *);

/* Row 0 of get_comment for this viewer; NULL: there is none, or it is not to be seen. */
Causerie__Comment *comment_from_row(struct task *, const struct sql_slot *);

/* get_comment.c: the last two steps of whoever changed a comment. */
void fetch_comment(struct task *, struct sql_slot *, uint64_t id);
struct step reply_comment(struct task *, const struct sql_slot *);

/* Why this viewer may not write at all, as a reply already sent; false: they may. */
bool refuse_writer(struct task *, struct step *);

#define HANDLER(name, Ask, Reply)                                                                  \
	void comments_##name(Causerie__Comments_Service *, const Causerie__##Ask *,                \
			     Causerie__##Reply##_Closure, void *call)
HANDLER(list_comments, ListCommentsRequest, ListCommentsReply);
HANDLER(get_comment, GetCommentRequest, Comment);
HANDLER(post_comment, PostCommentRequest, Comment);
HANDLER(edit_comment, EditCommentRequest, Comment);
HANDLER(delete_comment, DeleteCommentRequest, Empty);
HANDLER(list_revisions, GetCommentRequest, ListRevisionsReply);
HANDLER(report_comment, ReportCommentRequest, Empty);
HANDLER(moderate_comment, ModerateCommentRequest, Comment);
HANDLER(list_moderation, ListModerationRequest, ListModerationReply);
HANDLER(list_comment_documents, ListCommentDocumentsRequest, ListCommentDocumentsReply);
#undef HANDLER

#endif
