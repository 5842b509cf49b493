/*
 * moderation.c - /moderation: what waits for a moderator, and what becomes of it.
 *
 *   ask the queue, or one comment --> name --> draw
 *   find --> act --> acted: the queue again
 *              +---> refused: one comment --> name --> draw
 */
#include <string.h>

#include "comments.pb-c.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"

#define ROWS 20

struct moderation {
	struct visit visit;
	int status;
	bool one; /* rather than the queue */
	const char *wanted;
	struct form form;
	RPC_SLOT(Causerie__ListModerationReply) queue;
	RPC_SLOT(Causerie__Comment) comment;
	RPC_SLOT(Causerie__TopicSummaries) topics;
	RPC_SLOT(Causerie__Comment) moderated;
	struct people people;
};

static task_step ask_queue, ask_one, name_people, draw, find, act, acted;

const struct handler moderation_page = HANDLER(struct moderation, ask_queue);
const struct handler moderate_page = HANDLER(struct moderation, ask_one);
const struct handler moderate = HANDLER(struct moderation, find);

/* --- the queue ----------------------------------------------------------------------- */

static struct step ask_queue(struct task *task)
{
	struct moderation *m = (struct moderation *)task;
	Causerie__ListModerationRequest ask = CAUSERIE__LIST_MODERATION_REQUEST__INIT;
	const char *cursor = http_query_value(m->visit.http, "suite");

	ask.limit = ROWS;
	if (cursor != NULL)
		ask.cursor = arena_strdup(&task->arena, cursor);
	RPC_CALL(task, &m->queue, causerie__comments__list_moderation, site.comments, &ask);
	return task_then(name_people);
}

static void ask_comment(struct moderation *m)
{
	Causerie__GetCommentRequest ask = CAUSERIE__GET_COMMENT_REQUEST__INIT;

	ask.id = visit_id(&m->visit, "id");
	RPC_CALL(&m->visit.task, &m->comment, causerie__comments__get_comment, site.comments, &ask);
}

static struct step ask_one(struct task *task)
{
	struct moderation *m = (struct moderation *)task;

	m->one = true;
	ask_comment(m);
	return task_then(name_people);
}

static size_t count(const struct moderation *m)
{
	return m->one ? 1 : m->queue.reply->n_items;
}

static const Causerie__Comment *comment_at(const struct moderation *m, size_t i)
{
	return m->one ? m->comment.reply : m->queue.reply->items[i]->comment;
}

static struct step name_people(struct task *task)
{
	struct moderation *m = (struct moderation *)task;
	const struct rpc_answer *answer = m->one ? &m->comment.answer : &m->queue.answer;
	Causerie__GetTopicSummariesRequest ask = CAUSERIE__GET_TOPIC_SUMMARIES_REQUEST__INIT;

	if (answer->code != CAUSERIE__CODE__OK)
		return visit_failed(&m->visit, answer);
	ask.ids = ARENA_ARRAY(&task->arena, uint64_t, count(m));
	for (size_t i = 0; i < count(m); i++) {
		people_want(task, &m->people, comment_at(m, i)->author_id);
		ask.ids[ask.n_ids++] = comment_at(m, i)->topic_id;
	}
	people_load(task, &m->people);
	if (ask.n_ids > 0)
		RPC_CALL(task, &m->topics, causerie__topics__get_topic_summaries, site.topics,
			 &ask);
	return task_then(draw);
}

static void set_topic(struct moderation *m, uint64_t id, struct report_row *row)
{
	const Causerie__TopicSummaries *topics = m->topics.reply;

	row->topic_url = arena_printf(&m->visit.task.arena, "/sujets/%llu", (unsigned long long)id);
	row->topic_title = tr(m->visit.locale, "Voir la page");
	row->topic_language = m->visit.locale;
	for (size_t i = 0; topics != NULL && i < topics->n_topics; i++)
		if (topics->topics[i]->id == id) {
			row->topic_title = topics->topics[i]->title;
			row->topic_url =
				fill_topic_url(&m->visit.task.arena, id, topics->topics[i]->slug);
			row->topic_language = fill_locale(topics->topics[i]->language, site.locale);
		}
}

/* What reports say: one of the form's choices, and maybe more behind a colon. */
static const struct {
	const char *value, *text;
} reasons[] = {
	{"spam", TR("c’est de la publicité")},
	{"hostile", TR("elle attaque quelqu’un")},
	{"illegal", TR("elle est contraire à la loi")},
	{"private", TR("elle révèle des données personnelles")},
	{"other", TR("autre chose")},
};

static const char *reason_text(struct moderation *m, const char *given)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		const size_t length = strlen(reasons[i].value);

		if (strncmp(given, reasons[i].value, length) == 0 &&
		    (given[length] == '\0' || given[length] == ':'))
			return arena_printf(&m->visit.task.arena, "%s%s",
					    tr(m->visit.locale, reasons[i].text), given + length);
	}
	return given;
}

static void fill_row(struct moderation *m, size_t i, struct report_row *row)
{
	const Causerie__Comment *comment = comment_at(m, i);
	struct comment_view *shown = ARENA_NEW(&m->visit.task.arena, struct comment_view);

	fill_comment(&m->visit, comment, &m->people, shown);
	*row = (struct report_row){
		.id = comment->id,
		.comment = shown,
		.first = {comment->created_at},
		.version = (int64_t)comment->version,
	};
	set_topic(m, comment->topic_id, row);
	if (!m->one) {
		const Causerie__ModerationItem *item = m->queue.reply->items[i];
		const char **texts =
			ARENA_ARRAY(&m->visit.task.arena, const char *, item->n_reasons);

		for (size_t j = 0; j < item->n_reasons; j++)
			texts[j] = reason_text(m, item->reasons[j]);
		row->reports = item->reports;
		row->reasons = texts;
		row->n_reasons = item->n_reasons;
	}
}

static struct step draw(struct task *task)
{
	struct moderation *m = (struct moderation *)task;
	struct report_row *rows = ARENA_ARRAY(&task->arena, struct report_row, count(m));
	struct moderation_view view = {.form = m->form, .rows = rows, .n_rows = count(m)};
	struct html_out out = page_out(&m->visit);

	if (m->people.missing)
		m->visit.missing |= MISSING_ACCOUNTS;
	for (size_t i = 0; i < count(m); i++)
		fill_row(m, i, &rows[i]);
	page_begin(&m->visit, &view.page);
	page_say_done(&m->visit, &view.page);
	view.page.title = tr(m->visit.locale, "Modération");
	view.page.section = SECTION_MODERATION;
	if (view.form.key == NULL)
		view.form.key = random_token(&task->arena);
	if (!m->one && *m->queue.reply->next_cursor != '\0')
		view.next_url = arena_printf(&task->arena, "/moderation?suite=%s",
					     m->queue.reply->next_cursor);
	render_moderation_page(&out, &view);
	return visit_page(&m->visit, m->status ? m->status : 200, &out);
}

/* --- what becomes of one ---------------------------------------------------------------- */

static struct step find(struct task *task)
{
	struct moderation *m = (struct moderation *)task;

	m->one = true;
	ask_comment(m);
	return task_then(act);
}

/* "approve" is said of what waits, of what was reported, and of what was hidden. */
static Causerie__ModerationAction action_on(const char *action, Causerie__CommentState state)
{
	if (strcmp(action, "hide") == 0)
		return CAUSERIE__MODERATION_ACTION__HIDE;
	if (strcmp(action, "spam") == 0)
		return CAUSERIE__MODERATION_ACTION__MARK_SPAM;
	if (state == CAUSERIE__COMMENT_STATE__PENDING)
		return CAUSERIE__MODERATION_ACTION__APPROVE;
	return state == CAUSERIE__COMMENT_STATE__VISIBLE
		       ? CAUSERIE__MODERATION_ACTION__DISMISS_REPORTS
		       : CAUSERIE__MODERATION_ACTION__RESTORE;
}

static struct step act(struct task *task)
{
	struct moderation *m = (struct moderation *)task;
	Causerie__ModerateCommentRequest ask = CAUSERIE__MODERATE_COMMENT_REQUEST__INIT;

	if (m->comment.code != CAUSERIE__CODE__OK)
		return visit_failed(&m->visit, &m->comment.answer);
	ask.id = m->comment.reply->id;
	ask.action = action_on(form_field(&m->visit, "action"), m->comment.reply->state);
	ask.reason = arena_strdup(&task->arena, form_line(&m->visit, "reason"));
	RPC_CALL(task, &m->moderated, causerie__comments__moderate_comment, site.comments, &ask);
	return task_then(acted);
}

static struct step acted(struct task *task)
{
	struct moderation *m = (struct moderation *)task;

	if (m->moderated.code == CAUSERIE__CODE__OK)
		return visit_redirect(&m->visit, 303, "/moderation?fait=moderation");
	if (!form_comes_again(&m->moderated.answer))
		return visit_failed(&m->visit, &m->moderated.answer);
	m->form = form_refused(&m->visit, &m->moderated.answer, NULL);
	m->status = form_status(&m->moderated.answer);
	return ask_one(task);
}
