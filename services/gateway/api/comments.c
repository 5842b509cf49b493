/*
 * comments.c - /api/v1/topics/{id}/comments and /comments/{id}.
 */
#include "comments.pb-c.h"
#include "gateway/api/api.h"

const struct api_call api_list_comments = {
	.name = "list_comments",
	.summary = "A topic's comments in the order of the thread, tombstones included.",
	.service = "comments",
	.rpc = "ListComments",
	.query = "cursor limit around_id",
	.items = "comments",
	.status = 200,
};

static void say_where(struct api_visit *a)
{
	const Causerie__Comment *comment = (const Causerie__Comment *)a->answer.message;

	visit_field(&a->visit, "Location",
		    arena_printf(&a->visit.task.arena, "/api/v1/comments/%llu",
				 (unsigned long long)comment->id));
}

const struct api_call api_post_comment = {
	.name = "post_comment",
	.summary = "Comments a topic, or with parent_id answers a comment.",
	.service = "comments",
	.rpc = "PostComment",
	.body = "body parent_id language",
	.status = 201,
	.answered = say_where,
};

const struct api_call api_get_comment = {
	.name = "get_comment",
	.summary = "One comment.",
	.service = "comments",
	.rpc = "GetComment",
	.status = 200,
};

const struct api_call api_edit_comment = {
	.name = "edit_comment",
	.summary = "Changes a comment's text; version is the one that was read.",
	.service = "comments",
	.rpc = "EditComment",
	.body = "version body",
	.status = 200,
	.fresh = "GetComment",
};

const struct api_call api_delete_comment = {
	.name = "delete_comment",
	.summary = "Deletes the viewer's comment; a tombstone stays while something answers it.",
	.service = "comments",
	.rpc = "DeleteComment",
	.status = 204,
};

const struct api_call api_comment_history = {
	.name = "comment_history",
	.summary = "A comment's versions, oldest first.",
	.service = "comments",
	.rpc = "ListRevisions",
	.items = "revisions",
	.status = 200,
};

const struct api_call api_report_comment = {
	.name = "report_comment",
	.summary = "Tells the moderators about a comment.",
	.service = "comments",
	.rpc = "ReportComment",
	.body = "reason",
	.status = 201,
};

const struct api_call api_moderate_comment = {
	.name = "moderate_comment",
	.summary = "Hides, restores or approves a comment; for moderators.",
	.service = "comments",
	.rpc = "ModerateComment",
	.body = "action reason",
	.status = 200,
};
