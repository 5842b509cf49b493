/*
 * edit_topic.c - /sujets/{id}/modifier and /sujets/{id}/retirer: by its proposer, or an organizer.
 *
 *   find --> draw, with the draft that was kept
 *   read --> preview: find --> draw
 *     +----> save --> saved --> its page, or a draft's proposal: submitted --> its page
 *                       +--> refused, or somebody was faster: find --> draw both texts
 *
 *   ask_withdrawal --> draw;  withdraw --> withdrawn
 */
#include <stdlib.h>

#include "gateway/drafts.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/pages/topic_form.h"
#include "gateway_templates.h"

struct edit_topic {
	struct visit visit;
	uint64_t id;
	int status;
	bool typed;
	struct topic_text text;
	enum topic_form_action action;
	struct terms terms;
	struct form form;
	RPC_SLOT(Causerie__Topic) topic;
	RPC_SLOT(Causerie__Topic) saved;
	RPC_SLOT(Causerie__Topic) moved;
};

static task_step find, draw, read_form, save, was_saved, was_submitted;
static task_step find_withdrawal, draw_withdrawal, withdraw, was_withdrawn;

const struct handler edit_topic_page = HANDLER(struct edit_topic, find);
const struct handler edit_topic = HANDLER(struct edit_topic, read_form);
const struct handler withdraw_topic_page = HANDLER(struct edit_topic, find_withdrawal);
const struct handler withdraw_topic = HANDLER(struct edit_topic, withdraw);

static void ask_topic(struct edit_topic *e)
{
	Causerie__GetTopicRequest ask = CAUSERIE__GET_TOPIC_REQUEST__INIT;

	e->id = ask.id = visit_id(&e->visit, "id");
	RPC_CALL(&e->visit.task, &e->topic, causerie__topics__get_topic, site.topics, &ask);
	terms_load(&e->visit.task, &e->terms);
}

static struct step back_to_topic(struct edit_topic *e, const char *done)
{
	return visit_redirect(&e->visit, 303,
			      arena_printf(&e->visit.task.arena, "/sujets/%llu?fait=%s",
					   (unsigned long long)e->id, done));
}

/* --- the form ----------------------------------------------------------------------- */

static struct step find(struct task *task)
{
	ask_topic((struct edit_topic *)task);
	draft_take((struct visit *)task);
	return task_then(draw);
}

static void take_typed(struct edit_topic *e)
{
	e->text = topic_text_typed(&e->visit);
	e->typed = true;
}

static struct step draw(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;
	const Causerie__Taxonomies *known = terms_take(&e->terms);
	struct topic_form_view theirs = {0}, view = {.form = e->form, .id = e->id};
	struct topic_text saved;

	if (e->topic.code != CAUSERIE__CODE__OK)
		return visit_failed(&e->visit, &e->topic.answer);
	if (!e->topic.reply->may_edit)
		return visit_fail(&e->visit, 403, "not this viewer's to edit now");
	if (draft_read(&e->visit))
		take_typed(e);
	saved = topic_text_saved(&e->visit, e->topic.reply, known);
	view.version = (int64_t)e->topic.reply->summary->version;
	view.is_draft = e->topic.reply->summary->state == CAUSERIE__TOPIC_STATE__DRAFT;
	topic_text_show(&e->visit, e->typed ? &e->text : &saved, known, &view);
	if (e->saved.code == CAUSERIE__CODE__CONFLICT) {
		topic_text_show(&e->visit, &saved, known, &theirs);
		view.theirs = &theirs;
	} else if (e->typed) {
		view.version = strtoll(form_field(&e->visit, "version"), NULL, 10);
	}
	return topic_form_draw(&e->visit, &view, tr(e->visit.locale, "Modifier le sujet"),
			       e->action == FORM_PREVIEW, e->status ? e->status : 200);
}

static struct step read_form(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;

	take_typed(e);
	e->action = topic_form_action(&e->visit);
	if (e->action == FORM_PREVIEW)
		return find(task);
	terms_load(task, &e->terms);
	return task_then(save);
}

/* --- saving it ------------------------------------------------------------------------ */

static struct step save(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;
	struct arena *arena = &task->arena;
	Causerie__EditTopicRequest ask = CAUSERIE__EDIT_TOPIC_REQUEST__INIT;
	char title[] = "title", lead[] = "lead", article[] = "article", format[] = "format",
	     treatment[] = "treatment", expertises[] = "expertises", language[] = "language",
	     place[] = "place";
	char *set[] = {title, lead, article, format, treatment, expertises, language, place};

	e->id = ask.id = visit_id(&e->visit, "id");
	ask.version = strtoull(form_field(&e->visit, "version"), NULL, 10);
	ask.set = set;
	ask.n_set = sizeof set / sizeof *set;
	ask.title = arena_strdup(arena, e->text.title);
	ask.lead = arena_strdup(arena, e->text.lead);
	ask.article = arena_strdup(arena, e->text.article);
	ask.format = arena_strdup(arena, e->text.format);
	ask.treatment = arena_strdup(arena, e->text.treatment);
	ask.place = arena_strdup(arena, e->text.place);
	ask.reason = arena_strdup(arena, e->text.reason);
	ask.language = arena_strdup(arena, locale_tag(e->text.language));
	ask.expertises = topic_text_expertises(&e->visit, &e->text, terms_take(&e->terms),
					       &ask.n_expertises);
	RPC_CALL(task, &e->saved, causerie__topics__edit_topic, site.topics, &ask);
	return task_then(was_saved);
}

static void move(struct edit_topic *e, uint64_t version, Causerie__TopicState to)
{
	Causerie__TransitionTopicRequest ask = CAUSERIE__TRANSITION_TOPIC_REQUEST__INIT;

	ask.id = e->id;
	ask.version = version;
	ask.to = to;
	RPC_CALL(&e->visit.task, &e->moved, causerie__topics__transition_topic, site.topics, &ask);
}

static struct step was_saved(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;

	if (e->saved.code == CAUSERIE__CODE__OK) {
		const Causerie__TopicSummary *saved = e->saved.reply->summary;

		if (saved->state != CAUSERIE__TOPIC_STATE__DRAFT)
			return back_to_topic(e, "enregistre");
		if (e->action == FORM_DRAFT)
			return back_to_topic(e, "brouillon");
		move(e, saved->version, CAUSERIE__TOPIC_STATE__PROPOSED);
		return task_then(was_submitted);
	}
	if (!form_comes_again(&e->saved.answer))
		return visit_failed(&e->visit, &e->saved.answer);
	e->form = topic_form_refused(&e->visit, &e->saved.answer);
	e->status = form_status(&e->saved.answer);
	return find(task);
}

static struct step was_submitted(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;

	if (e->moved.code != CAUSERIE__CODE__OK)
		return visit_failed(&e->visit, &e->moved.answer);
	return back_to_topic(e, "propose");
}

/* --- withdrawing it --------------------------------------------------------------------- */

static bool may_withdraw(const Causerie__Topic *topic)
{
	for (size_t i = 0; i < topic->n_may_become; i++)
		if (topic->may_become[i] == CAUSERIE__TOPIC_STATE__WITHDRAWN)
			return true;
	return false;
}

static struct step find_withdrawal(struct task *task)
{
	ask_topic((struct edit_topic *)task);
	return task_then(draw_withdrawal);
}

static struct step draw_withdrawal(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;
	const Causerie__TopicSummary *topic;
	struct html_out out = page_out(&e->visit);
	struct withdraw_view view = {.form = e->form, .id = e->id};

	if (e->topic.code != CAUSERIE__CODE__OK)
		return visit_failed(&e->visit, &e->topic.answer);
	if (!may_withdraw(e->topic.reply))
		return visit_fail(&e->visit, 403, "not this viewer's to withdraw now");
	topic = e->topic.reply->summary;
	page_begin(&e->visit, &view.page);
	view.page.title = tr(e->visit.locale, "Retirer le sujet");
	view.version = (int64_t)topic->version;
	view.title = topic->title;
	view.url = fill_topic_url(&task->arena, topic->id, topic->slug);
	view.language = fill_locale(topic->language, site.locale);
	if (view.form.key == NULL)
		view.form.key = random_token(&task->arena);
	render_withdraw_page(&out, &view);
	return visit_page(&e->visit, e->status ? e->status : 200, &out);
}

static struct step withdraw(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;

	e->id = visit_id(&e->visit, "id");
	move(e, strtoull(form_field(&e->visit, "version"), NULL, 10),
	     CAUSERIE__TOPIC_STATE__WITHDRAWN);
	return task_then(was_withdrawn);
}

static struct step was_withdrawn(struct task *task)
{
	struct edit_topic *e = (struct edit_topic *)task;

	if (e->moved.code == CAUSERIE__CODE__OK)
		return back_to_topic(e, "retire");
	if (!form_comes_again(&e->moved.answer))
		return visit_failed(&e->visit, &e->moved.answer);
	e->form = form_refused(&e->visit, &e->moved.answer, NULL);
	e->status = form_status(&e->moved.answer);
	return find_withdrawal(task);
}
