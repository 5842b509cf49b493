/*
 * comment_message.c - rows of comments as messages, tombstones and rights included.
 */
#include "comments.h"

#include "lib/arena.h"

bool is_moderator(const struct viewer *viewer)
{
	return (viewer->roles &
		(CAUSERIE__ROLE__ROLE_MODERATOR | CAUSERIE__ROLE__ROLE_ORGANIZER)) != 0;
}

static bool is_author(const struct viewer *viewer, const Causerie__Comment *comment)
{
	return viewer->account_id != 0 && viewer->account_id == comment->author_id;
}

/* Hidden and waiting comments are shown to their author, with the reason, and to moderators; spam
 * to moderators alone. */
static bool may_read(const struct viewer *viewer, const Causerie__Comment *comment)
{
	switch (comment->state) {
	case CAUSERIE__COMMENT_STATE__VISIBLE:
		return true;
	case CAUSERIE__COMMENT_STATE__PENDING:
	case CAUSERIE__COMMENT_STATE__HIDDEN:
		return is_author(viewer, comment) || is_moderator(viewer);
	case CAUSERIE__COMMENT_STATE__SPAM:
		return is_moderator(viewer);
	default:
		return false;
	}
}

void show_comment(const struct viewer *viewer, Causerie__Comment *comment)
{
	static char nothing[] = "";
	const bool alive = comment->state == CAUSERIE__COMMENT_STATE__VISIBLE ||
			   comment->state == CAUSERIE__COMMENT_STATE__PENDING;

	comment->may_edit = alive && (is_author(viewer, comment) || is_moderator(viewer));
	comment->may_delete = alive && is_author(viewer, comment);
	if (!is_author(viewer, comment) && !is_moderator(viewer))
		comment->moderation_reason = nothing;
	if (!may_read(viewer, comment)) {
		comment->body = nothing;
		comment->author_id = 0;
	}
}

Causerie__Comment *comment_from_row(struct task *task, const struct sql_slot *row)
{
	Causerie__Comment *comment;

	if (row->rows == 0)
		return NULL;
	comment = ARENA_NEW(&task->arena, Causerie__Comment);
	causerie__comment__init(comment);
	sql_fill(&task->arena, &comment->base, row, 0);
	if (!may_read(&task->context.viewer, comment) && comment->replies == 0)
		return NULL;
	show_comment(&task->context.viewer, comment);
	return comment;
}

bool refuse_writer(struct task *task, struct step *refused)
{
	const struct viewer *viewer = &task->context.viewer;

	if (viewer->account_id == 0)
		*refused =
			rpc_fail(task, CAUSERIE__CODE__UNAUTHENTICATED, "a comment is somebody's");
	else if (!viewer->verified)
		*refused = rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "the address is not verified");
	else
		return false;
	return true;
}
