/*
 * comments.c - one comment: its address, its other text, its history, reporting and deleting it.
 *
 *   GET  /commentaires/{id}             to its place on its topic's page
 *   GET  /commentaires/{id}/modifier    and POST
 *   GET  /commentaires/{id}/historique
 *   GET  /commentaires/{id}/signaler    and POST; …/supprimer and POST
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/drafts.h"
#include "gateway/pages/diff.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"
#include "lib/clock.h"
#include "lib/markdown.h"

#define GRACE_US (INT64_C(15) * 60 * 1000000)

struct comment_visit {
	struct visit visit;
	uint64_t id;
	RPC_SLOT(Causerie__Comment) comment;
	RPC_SLOT(Causerie__ListRevisionsReply) revisions;
	RPC_SLOT(Causerie__TopicSummaries) topics;
	RPC_SLOT(Causerie__Comment) edited;
	RPC_SLOT(Causerie__Empty) done;
	struct people people;
	struct form form;
	const char *typed;
	int status;
	bool wants_preview, deletes;
};

static task_step find, go, find_edit, read_edit, edited, find_around, draw_edit;
static task_step find_history, name_editors, draw_history;
static task_step find_report, find_delete, do_report, do_delete, acted, name_author, draw_action;

const struct handler go_to_comment = HANDLER(struct comment_visit, find);
const struct handler edit_comment_page = HANDLER(struct comment_visit, find_edit);
const struct handler save_comment = HANDLER(struct comment_visit, read_edit);
const struct handler comment_history = HANDLER(struct comment_visit, find_history);
const struct handler report_comment_page = HANDLER(struct comment_visit, find_report);
const struct handler report_comment = HANDLER(struct comment_visit, do_report);
const struct handler delete_comment_page = HANDLER(struct comment_visit, find_delete);
const struct handler delete_comment = HANDLER(struct comment_visit, do_delete);

static void ask_comment(struct comment_visit *c)
{
	Causerie__GetCommentRequest ask = CAUSERIE__GET_COMMENT_REQUEST__INIT;

	c->id = ask.id = visit_id(&c->visit, "id");
	RPC_CALL(&c->visit.task, &c->comment, causerie__comments__get_comment, site.comments, &ask);
}

static void ask_topic(struct comment_visit *c, uint64_t id)
{
	Causerie__GetTopicSummariesRequest ask = CAUSERIE__GET_TOPIC_SUMMARIES_REQUEST__INIT;

	ask.ids = &id;
	ask.n_ids = 1;
	RPC_CALL(&c->visit.task, &c->topics, causerie__topics__get_topic_summaries, site.topics,
		 &ask);
}

static const char *place_of(struct comment_visit *c, uint64_t topic_id, uint64_t id)
{
	return arena_printf(&c->visit.task.arena, "/sujets/%llu?autour=%llu#c%llu",
			    (unsigned long long)topic_id, (unsigned long long)id,
			    (unsigned long long)id);
}

/* --- its address --------------------------------------------------------------- */

static struct step find(struct task *task)
{
	ask_comment((struct comment_visit *)task);
	return task_then(go);
}

static struct step go(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;

	if (c->comment.code != CAUSERIE__CODE__OK)
		return visit_failed(&c->visit, &c->comment.answer);
	return visit_redirect(&c->visit, 303, place_of(c, c->comment.reply->topic_id, c->id));
}

/* --- another text ---------------------------------------------------------------- */

static struct step find_edit(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;

	c->status = 200;
	ask_comment(c);
	draft_take(&c->visit);
	return task_then(find_around);
}

static struct step read_edit(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;
	Causerie__EditCommentRequest ask = CAUSERIE__EDIT_COMMENT_REQUEST__INIT;

	c->id = visit_id(&c->visit, "id");
	c->typed = form_body(&c->visit, "text");
	if (strcmp(form_field(&c->visit, "action"), "preview") == 0) {
		c->wants_preview = true;
		return find_edit(task);
	}
	ask.id = c->id;
	ask.version = strtoull(form_field(&c->visit, "version"), NULL, 10);
	ask.body = arena_strdup(&task->arena, c->typed);
	RPC_CALL(task, &c->edited, causerie__comments__edit_comment, site.comments, &ask);
	return task_then(edited);
}

static struct step edited(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;

	if (c->edited.code == CAUSERIE__CODE__OK)
		return visit_redirect(&c->visit, 303,
				      place_of(c, c->edited.reply->topic_id, c->id));
	if (!form_comes_again(&c->edited.answer))
		return visit_failed(&c->visit, &c->edited.answer);
	c->form = form_refused(&c->visit, &c->edited.answer,
			       (const struct form_name[]){{"body", "text"}, {NULL, NULL}});
	ask_comment(c);
	c->status = form_status(&c->edited.answer);
	return task_then(find_around);
}

static struct step find_around(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;

	if (c->comment.code != CAUSERIE__CODE__OK)
		return visit_failed(&c->visit, &c->comment.answer);
	if (!c->comment.reply->may_edit)
		return visit_fail(&c->visit, 403, "not this viewer's to edit");
	if (draft_read(&c->visit))
		c->typed = form_body(&c->visit, "text");
	ask_topic(c, c->comment.reply->topic_id);
	return task_then(draw_edit);
}

static void set_topic(const struct comment_visit *c, const char **title, const char **url,
		      enum locale *language)
{
	const Causerie__TopicSummaries *found = c->topics.reply;
	struct arena *arena = &((struct comment_visit *)(uintptr_t)c)->visit.task.arena;

	if (found == NULL || found->n_topics == 0)
		return;
	*title = found->topics[0]->title;
	*url = fill_topic_url(arena, found->topics[0]->id, found->topics[0]->slug);
	*language = fill_locale(found->topics[0]->language, site.locale);
}

static struct step draw_edit(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;
	const Causerie__Comment *comment = c->comment.reply;
	struct html_out out = page_out(&c->visit);
	struct comment_edit_view view = {
		.form = c->form,
		.id = c->id,
		.version = (int64_t)comment->version,
		.language = fill_locale(comment->language, site.locale),
		.text = c->typed ? c->typed : comment->body,
		.theirs = c->edited.code == CAUSERIE__CODE__CONFLICT ? comment->body : NULL,
		.is_silent = clock_now() - comment->created_at < GRACE_US,
	};

	page_begin(&c->visit, &view.page);
	view.page.title = tr(c->visit.locale, "Modifier ma réaction");
	set_topic(c, &view.topic_title, &view.topic_url, &view.topic_language);
	if (view.form.key == NULL)
		view.form.key = random_token(&task->arena);
	if (c->wants_preview)
		view.preview = markdown_html(&task->arena, c->typed, MARKDOWN_COMMENT);
	render_comment_edit_page(&out, &view);
	return visit_page(&c->visit, c->status, &out);
}

/* --- history ------------------------------------------------------------------------ */

static struct step find_history(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;
	Causerie__GetCommentRequest ask = CAUSERIE__GET_COMMENT_REQUEST__INIT;

	c->id = ask.id = visit_id(&c->visit, "id");
	RPC_CALL(task, &c->revisions, causerie__comments__list_revisions, site.comments, &ask);
	return task_then(name_editors);
}

static struct step name_editors(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;

	if (c->revisions.code != CAUSERIE__CODE__OK)
		return visit_failed(&c->visit, &c->revisions.answer);
	ask_topic(c, c->revisions.reply->comment->topic_id);
	people_want(task, &c->people, c->revisions.reply->comment->author_id);
	for (size_t i = 0; i < c->revisions.reply->n_revisions; i++)
		people_want(task, &c->people, c->revisions.reply->revisions[i]->editor_id);
	people_load(task, &c->people);
	return task_then(draw_history);
}

static struct step draw_history(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;
	const Causerie__ListRevisionsReply *reply = c->revisions.reply;
	const size_t n = reply->n_revisions;
	struct revision *revisions = ARENA_ARRAY(&task->arena, struct revision, n);
	struct html_out out = page_out(&c->visit);
	struct comment_history_view view = {
		.id = c->id,
		.language = fill_locale(reply->comment->language, site.locale),
		.author = people_person(&c->people, reply->comment->author_id),
		.revisions = revisions,
		.n_revisions = n,
	};

	for (size_t i = 0; i < n; i++) {
		const Causerie__Revision *of = reply->revisions[n - 1 - i];
		const char *before = i + 1 < n ? reply->revisions[n - 2 - i]->body : "";

		revisions[i] = (struct revision){
			.at = {of->at},
			.by = people_person(&c->people, of->editor_id),
			.by_moderator = of->editor_id != reply->comment->author_id,
		};
		revisions[i].parts =
			diff_words(&task->arena, before, of->body, &revisions[i].n_parts);
	}
	page_begin(&c->visit, &view.page);
	view.page.title = tr(c->visit.locale, "Historique d’une réaction");
	set_topic(c, &view.topic_title, &view.topic_url, &view.topic_language);
	render_comment_history_page(&out, &view);
	return visit_page(&c->visit, 200, &out);
}

/* --- reporting and deleting ------------------------------------------------------------ */

static struct step find_report(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;

	c->status = 200;
	ask_comment(c);
	draft_take(&c->visit);
	return task_then(name_author);
}

static struct step find_delete(struct task *task)
{
	((struct comment_visit *)task)->deletes = true;
	return find_report(task);
}

static struct step do_report(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;
	Causerie__ReportCommentRequest ask = CAUSERIE__REPORT_COMMENT_REQUEST__INIT;
	const char *details = form_line(&c->visit, "details");

	c->id = ask.id = visit_id(&c->visit, "id");
	ask.reason = *details ? arena_printf(&task->arena, "%s: %s", form_line(&c->visit, "reason"),
					     details)
			      : arena_strdup(&task->arena, form_line(&c->visit, "reason"));
	RPC_CALL(task, &c->done, causerie__comments__report_comment, site.comments, &ask);
	return task_then(acted);
}

static struct step do_delete(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;
	Causerie__DeleteCommentRequest ask = CAUSERIE__DELETE_COMMENT_REQUEST__INIT;

	c->deletes = true;
	ask_comment(c); /* for the topic to go back to */
	ask.id = c->id;
	RPC_CALL(task, &c->done, causerie__comments__delete_comment, site.comments, &ask);
	return task_then(acted);
}

static struct step acted(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;

	if (c->done.code == CAUSERIE__CODE__OK)
		return visit_redirect(
			&c->visit, 303,
			c->comment.reply && c->deletes
				? arena_printf(&task->arena, "/sujets/%llu#reagir",
					       (unsigned long long)c->comment.reply->topic_id)
				: arena_printf(&task->arena, "/commentaires/%llu",
					       (unsigned long long)c->id));
	if (!form_comes_again(&c->done.answer))
		return visit_failed(&c->visit, &c->done.answer);
	c->form = form_refused(&c->visit, &c->done.answer, NULL);
	c->comment.code = CAUSERIE__CODE__CODE_UNSPECIFIED;
	ask_comment(c);
	c->status = form_status(&c->done.answer);
	return task_then(name_author);
}

static struct step name_author(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;

	if (c->comment.code != CAUSERIE__CODE__OK)
		return visit_failed(&c->visit, &c->comment.answer);
	draft_read(&c->visit);
	if (c->deletes && !c->comment.reply->may_delete)
		return visit_fail(&c->visit, 403, "not this viewer's to delete");
	ask_topic(c, c->comment.reply->topic_id);
	people_want(task, &c->people, c->comment.reply->author_id);
	people_load(task, &c->people);
	return task_then(draw_action);
}

static struct step draw_action(struct task *task)
{
	struct comment_visit *c = (struct comment_visit *)task;
	struct html_out out = page_out(&c->visit);
	struct comment_view shown;
	struct comment_action_view view = {
		.form = c->form,
		.action = c->deletes ? COMMENT_DELETE : COMMENT_REPORT,
		.comment = &shown,
		.reason = form_field(&c->visit, "reason"),
		.details = form_field(&c->visit, "details"),
	};

	fill_comment(&c->visit, c->comment.reply, &c->people, &shown);
	page_begin(&c->visit, &view.page);
	view.page.title = c->deletes ? tr(c->visit.locale, "Supprimer une réaction")
				     : tr(c->visit.locale, "Signaler une réaction");
	set_topic(c, &view.topic_title, &view.topic_url, &view.topic_language);
	if (view.form.key == NULL)
		view.form.key = random_token(&task->arena);
	render_comment_action_page(&out, &view);
	return visit_page(&c->visit, c->status, &out);
}
