/*
 * new_topic.c - /sujets/nouveau: proposing a topic.
 *
 *   show --> draw, with the draft that was kept
 *   read --> preview: draw
 *     |---> compare --> look_alikes found: draw, once
 *     |                 none, or related away --+
 *     +---> (draft, or they were seen) ---------+--> create --> created --> its page
 *                                                                 +--> refused: draw
 *
 * The form's key makes a repeated request one topic.
 */
#include "gateway/drafts.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/pages.h"
#include "gateway/pages/show_topic.h"
#include "gateway/pages/topic_form.h"
#include "lib/text.h"
#include "related.pb-c.h"

#define OPTIONAL_MS 1500
#define LOOK_ALIKES 3

struct new_topic {
	struct visit visit;
	struct topic_text text;
	struct terms terms;
	enum topic_form_action action;
	struct form form;
	RPC_SLOT(Causerie__ListRelatedReply) similar;
	RPC_SLOT(Causerie__Topic) created;
};

static task_step show, draw_first, read_form, draw_preview, compare, compared, create, was_created;

const struct handler new_topic_page = HANDLER(struct new_topic, show);
const struct handler new_topic = HANDLER(struct new_topic, read_form);

static bool look_alikes_seen(const struct new_topic *n)
{
	return *form_field(&n->visit, "duplicates_seen") != '\0';
}

static struct step draw(struct new_topic *n, int status)
{
	const Causerie__Taxonomies *known = terms_take(&n->terms);
	struct topic_form_view view = {.form = n->form};

	topic_text_show(&n->visit, &n->text, known, &view);
	if (n->similar.reply != NULL)
		view.duplicates =
			fill_related(&n->visit, n->similar.reply, known, &view.n_duplicates);
	view.duplicates_seen = view.n_duplicates > 0 || look_alikes_seen(n);
	return topic_form_draw(&n->visit, &view, tr(n->visit.locale, "Proposer un sujet"),
			       n->action == FORM_PREVIEW, status);
}

static struct step show(struct task *task)
{
	struct new_topic *n = (struct new_topic *)task;

	terms_load(task, &n->terms);
	draft_take(&n->visit);
	return task_then(draw_first);
}

static struct step draw_first(struct task *task)
{
	struct new_topic *n = (struct new_topic *)task;

	draft_read(&n->visit);
	n->text = topic_text_typed(&n->visit);
	return draw(n, 200);
}

static struct step read_form(struct task *task)
{
	struct new_topic *n = (struct new_topic *)task;

	n->text = topic_text_typed(&n->visit);
	n->action = topic_form_action(&n->visit);
	terms_load(task, &n->terms);
	if (n->action == FORM_PREVIEW)
		return task_then(draw_preview);
	if (n->action == FORM_DRAFT || look_alikes_seen(n))
		return task_then(create);
	return task_then(compare);
}

static struct step draw_preview(struct task *task)
{
	return draw((struct new_topic *)task, 200);
}

/* --- what is there already ------------------------------------------------------------ */

/* Shorter ones are refused anyway; that is said first. */
static bool is_long_enough(const struct topic_text *text)
{
	return text_length(text->title) >= 10 && text_length(text->lead) >= 60 &&
	       text_length(text->article) >= 200 && *text->expertises != '\0';
}

static struct step compare(struct task *task)
{
	struct new_topic *n = (struct new_topic *)task;
	Causerie__FindSimilarRequest ask = CAUSERIE__FIND_SIMILAR_REQUEST__INIT;

	if (!is_long_enough(&n->text))
		return create(task);
	ask.title = arena_strdup(&task->arena, n->text.title);
	ask.lead = arena_strdup(&task->arena, n->text.lead);
	ask.article = arena_strdup(&task->arena, n->text.article);
	ask.expertises = topic_text_expertises(&n->visit, &n->text, terms_take(&n->terms),
					       &ask.n_expertises);
	ask.limit = LOOK_ALIKES;
	RPC_CALL_WITHIN(OPTIONAL_MS, task, &n->similar, causerie__related__find_similar,
			site.related, &ask);
	return task_then(compared);
}

static struct step compared(struct task *task)
{
	struct new_topic *n = (struct new_topic *)task;

	if (n->similar.reply != NULL && n->similar.reply->n_topics > 0)
		return draw(n, 200);
	return create(task);
}

/* --- the topic --------------------------------------------------------------------------- */

static struct step create(struct task *task)
{
	struct new_topic *n = (struct new_topic *)task;
	struct arena *arena = &task->arena;
	Causerie__CreateTopicRequest ask = CAUSERIE__CREATE_TOPIC_REQUEST__INIT;

	ask.title = arena_strdup(arena, n->text.title);
	ask.lead = arena_strdup(arena, n->text.lead);
	ask.article = arena_strdup(arena, n->text.article);
	ask.format = arena_strdup(arena, n->text.format);
	ask.treatment = arena_strdup(arena, n->text.treatment);
	ask.place = arena_strdup(arena, n->text.place);
	ask.language = arena_strdup(arena, locale_tag(n->text.language));
	ask.expertises = topic_text_expertises(&n->visit, &n->text, terms_take(&n->terms),
					       &ask.n_expertises);
	ask.submit = n->action == FORM_SUBMIT;
	RPC_CALL(task, &n->created, causerie__topics__create_topic, site.topics, &ask);
	return task_then(was_created);
}

static struct step was_created(struct task *task)
{
	struct new_topic *n = (struct new_topic *)task;

	if (n->created.code == CAUSERIE__CODE__OK)
		return visit_redirect(
			&n->visit, 303,
			arena_printf(&task->arena, "/sujets/%llu?fait=%s",
				     (unsigned long long)n->created.reply->summary->id,
				     n->action == FORM_DRAFT ? "brouillon" : "propose"));
	if (!form_comes_again(&n->created.answer))
		return visit_failed(&n->visit, &n->created.answer);
	n->form = topic_form_refused(&n->visit, &n->created.answer);
	return draw(n, form_status(&n->created.answer));
}
