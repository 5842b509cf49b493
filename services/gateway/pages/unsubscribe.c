/*
 * unsubscribe.c - /u/{token}: no more mail, by the link in one, signed out, years later.
 *
 *   describe --> name the topic --> ask         GET changes nothing: scanners follow links
 *   read --> stopped --> name the topic --> say so
 *      +---> stopped --> 200                    one click of a mail program (RFC 8058): no cookie,
 *                                               no token, no redirect, as often as it likes
 *
 * Whoever has the link may use it, so signed in or out makes no difference here.
 */
#include <string.h>

#include <event2/buffer.h>

#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/words.h"
#include "gateway_templates.h"
#include "notifications.pb-c.h"

struct unsubscribe {
	struct visit visit;
	const char *token;
	bool stops;
	enum unsubscribe_scope scope;
	RPC_SLOT(Causerie__UnsubscribeChoices) choices;
	RPC_SLOT(Causerie__TopicSummaries) topics;
};

static task_step describe, described, draw, read_form, stopped, stopped_by_program;

const struct handler unsubscribe_page = HANDLER(struct unsubscribe, describe);
const struct handler unsubscribe = HANDLER(struct unsubscribe, read_form);

static struct step describe(struct task *task)
{
	struct unsubscribe *u = (struct unsubscribe *)task;
	Causerie__DescribeUnsubscribeRequest ask = CAUSERIE__DESCRIBE_UNSUBSCRIBE_REQUEST__INIT;

	u->token = visit_parameter(&u->visit, "token");
	ask.token = arena_strdup(&task->arena, u->token);
	RPC_CALL(task, &u->choices, causerie__notifications__get_unsubscribe, site.notifications,
		 &ask);
	return task_then(described);
}

static bool is_no_link(Causerie__Code code)
{
	return code == CAUSERIE__CODE__NOT_FOUND || code == CAUSERIE__CODE__INVALID;
}

static struct step described(struct task *task)
{
	struct unsubscribe *u = (struct unsubscribe *)task;
	Causerie__GetTopicSummariesRequest ask = CAUSERIE__GET_TOPIC_SUMMARIES_REQUEST__INIT;
	uint64_t id;

	if (is_no_link(u->choices.code))
		return draw(task);
	if (u->choices.code != CAUSERIE__CODE__OK)
		return visit_failed(&u->visit, &u->choices.answer);
	locale_parse(u->choices.reply->language, &u->visit.locale);
	id = u->choices.reply->topic_id;
	if (id != 0) {
		ask.ids = &id;
		ask.n_ids = 1;
		RPC_CALL(task, &u->topics, causerie__topics__get_topic_summaries, site.topics,
			 &ask);
	}
	return task_then(draw);
}

static const char *kind_of(enum locale locale, Causerie__MailKind kind)
{
	switch (kind) {
	case CAUSERIE__MAIL_KIND__MAIL_KIND_REPLIES:
		return tr(locale, "les réponses à vos réactions");
	case CAUSERIE__MAIL_KIND__MAIL_KIND_FOLLOWS:
		return tr(locale, "les réactions aux sujets que vous suivez");
	case CAUSERIE__MAIL_KIND__MAIL_KIND_STATES:
		return tr(locale, "les étapes des sujets que vous suivez");
	default:
		return NULL;
	}
}

static struct step draw(struct task *task)
{
	struct unsubscribe *u = (struct unsubscribe *)task;
	const Causerie__TopicSummaries *topics = u->topics.reply;
	const bool refused = u->choices.reply == NULL;
	struct html_out out = page_out(&u->visit);
	struct unsubscribe_view view = {
		.token = u->token,
		.outcome = refused    ? UNSUBSCRIBE_REFUSED
			   : u->stops ? UNSUBSCRIBE_DONE
				      : UNSUBSCRIBE_ASK,
		.scope = u->scope,
	};

	page_begin(&u->visit, &view.page);
	page_with_forms(&u->visit, &view.page);
	view.page.here = NULL; /* the link is nobody else's to come back to */
	view.page.hide_sign_in = true;
	view.page.title = tr(u->visit.locale, "Moins d’e-mails ?");
	if (!refused)
		view.kind = kind_of(u->visit.locale, u->choices.reply->mail_kind);
	if (topics != NULL && topics->n_topics > 0) {
		view.topic_title = topics->topics[0]->title;
		view.topic_url = fill_topic_url(&task->arena, topics->topics[0]->id,
						topics->topics[0]->slug);
		view.topic_language = fill_locale(topics->topics[0]->language, site.locale);
	} else if (view.scope == UNSUBSCRIBE_TOPIC) {
		view.scope = UNSUBSCRIBE_ALL;
	}
	render_unsubscribe_page(&out, &view);
	return visit_page(&u->visit, refused ? 404 : 200, &out);
}

/* --- doing it ---------------------------------------------------------------------- */

/* urlencoded or multipart: the body says the same. */
static bool is_one_click(const struct http_request *http)
{
	const char *name = strstr(http->body, "List-Unsubscribe");

	return name != NULL && strstr(name, "One-Click") != NULL;
}

static enum unsubscribe_scope scope_named(const char *name)
{
	for (int scope = UNSUBSCRIBE_TOPIC; scope < UNSUBSCRIBE_ALL; scope++)
		if (strcmp(unsubscribe_scope_value((enum unsubscribe_scope)scope), name) == 0)
			return (enum unsubscribe_scope)scope;
	return UNSUBSCRIBE_ALL;
}

static Causerie__UnsubscribeScope scope_asked(enum unsubscribe_scope scope)
{
	switch (scope) {
	case UNSUBSCRIBE_TOPIC:
		return CAUSERIE__UNSUBSCRIBE_SCOPE__THIS_TOPIC;
	case UNSUBSCRIBE_KIND:
		return CAUSERIE__UNSUBSCRIBE_SCOPE__THIS_KIND;
	case UNSUBSCRIBE_ALL:
		break;
	}
	return CAUSERIE__UNSUBSCRIBE_SCOPE__EVERYTHING;
}

static struct step read_form(struct task *task)
{
	struct unsubscribe *u = (struct unsubscribe *)task;
	Causerie__UnsubscribeRequest ask = CAUSERIE__UNSUBSCRIBE_REQUEST__INIT;
	const bool one_click = is_one_click(u->visit.http);

	u->token = visit_parameter(&u->visit, "token");
	ask.token = arena_strdup(&task->arena, u->token);
	if (!one_click) {
		if (csrf_check(&u->visit) != CSRF_FINE)
			return visit_fail(&u->visit, 403, NULL);
		u->scope = scope_named(form_field(&u->visit, "scope"));
		ask.scope = scope_asked(u->scope);
	}
	u->stops = true;
	RPC_CALL(task, &u->choices, causerie__notifications__unsubscribe, site.notifications, &ask);
	return one_click ? task_then(stopped_by_program) : task_then(stopped);
}

static struct step stopped(struct task *task)
{
	return described(task);
}

static struct step stopped_by_program(struct task *task)
{
	struct unsubscribe *u = (struct unsubscribe *)task;

	if (u->choices.code != CAUSERIE__CODE__OK)
		return visit_failed(&u->visit, &u->choices.answer);
	visit_field(&u->visit, "Content-Type", "text/plain; charset=utf-8");
	evbuffer_add_printf(http_response_body(&u->visit.response), "OK\n");
	return visit_reply(&u->visit, 200);
}
