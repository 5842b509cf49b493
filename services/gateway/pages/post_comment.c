/*
 * post_comment.c - POST /sujets/{topic_id}/commentaires: a reaction, once.
 *
 *   read --> posted --> back to the page, at the new comment
 *     |         +-----> (refused) the page again, with what was typed
 *     +--> (preview) the page again
 *     +--> (signed out) kept --> sign in first; the text follows
 *
 * The language is the topic's, unless its reader has another and chooses that one.
 * The form's key makes a double click, the back button and a repeated request one
 * comment.
 */
#include "gateway/drafts.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/pages.h"
#include "gateway/pages/show_topic.h"
#include "lib/text.h"

#define TEXT_MIN 2
#define TEXT_MAX 5000

static task_step read_form, kept, posted;

const struct handler post_comment_page = HANDLER(struct topic_visit, read_form);

static void post(struct topic_visit *t)
{
	Causerie__PostCommentRequest ask = CAUSERIE__POST_COMMENT_REQUEST__INIT;
	struct task *task = &t->visit.task;

	ask.topic_id = t->id;
	ask.parent_id = t->reply_to;
	ask.body = arena_strdup(&task->arena, t->typed);
	ask.language = arena_strdup(&task->arena, locale_tag(t->typed_language));
	RPC_CALL(task, &t->posted, causerie__comments__post_comment, site.comments, &ask);
}

static struct step read_form(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;
	struct visit *v = &t->visit;
	size_t length;

	t->id = visit_id(v, "topic_id");
	t->typed = form_body(v, "text");
	t->typed_language = form_language(v);
	t->reply_to = form_id(v, "parent");
	length = text_length(t->typed);

	if (*form_field(v, "action") == 'p' && form_field(v, "action")[1] == 'r') {
		t->wants_preview = true;
		return topic_draw_again(t, 200);
	}
	if (length < TEXT_MIN || length > TEXT_MAX) {
		t->comment_form = form_wrong(v, "text",
					     length < TEXT_MIN ? tr(v->locale, "C’est trop court.")
							       : tr(v->locale, "C’est trop long."));
		return topic_draw_again(t, 422);
	}
	if (!visit_signed_in(v)) {
		draft_keep(v);
		return task_then(kept);
	}
	post(t);
	return task_then(posted);
}

static struct step kept(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;

	if (!draft_is_kept(&t->visit))
		return visit_fail(&t->visit, 503, "The text cannot be kept at the moment.");
	return visit_redirect(&t->visit, 303,
			      arena_printf(&task->arena,
					   "/connexion?texte=1&next=%%2Fsujets%%2F%llu%%"
					   "3Fbrouillon%%3D1%%26repondre%%3D%llu%%23reagir",
					   (unsigned long long)t->id,
					   (unsigned long long)t->reply_to));
}

static struct step posted(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;

	if (t->posted.code == CAUSERIE__CODE__OK)
		return visit_redirect(&t->visit, 303,
				      arena_printf(&task->arena, "/sujets/%llu?autour=%llu#c%llu",
						   (unsigned long long)t->id,
						   (unsigned long long)t->posted.reply->id,
						   (unsigned long long)t->posted.reply->id));
	if (!form_comes_again(&t->posted.answer))
		return visit_failed(&t->visit, &t->posted.answer);
	t->comment_form = form_refused(&t->visit, &t->posted.answer,
				       (const struct form_name[]){{"body", "text"}, {NULL, NULL}});
	return topic_draw_again(t, form_status(&t->posted.answer));
}
