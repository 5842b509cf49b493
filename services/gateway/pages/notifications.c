/*
 * notifications.c - /notifications: what happened to a member since, newest first.
 *
 *   ask --> name (people, topics) --> draw
 *   mark --> marked --> back
 */
#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/words.h"
#include "gateway_templates.h"
#include "notifications.pb-c.h"

#define ROWS 30

struct inbox {
	struct visit visit;
	RPC_SLOT(Causerie__ListNotificationsReply) list;
	RPC_SLOT(Causerie__TopicSummaries) topics;
	RPC_SLOT(Causerie__Empty) marked;
	struct people people;
};

static task_step ask, name_people, draw, mark, was_marked;

const struct handler notifications_page = HANDLER(struct inbox, ask);
const struct handler mark_all_read = HANDLER(struct inbox, mark);

static struct step ask(struct task *task)
{
	struct inbox *i = (struct inbox *)task;
	Causerie__ListNotificationsRequest wanted = CAUSERIE__LIST_NOTIFICATIONS_REQUEST__INIT;
	const char *cursor = http_query_value(i->visit.http, "suite");

	wanted.limit = ROWS;
	if (cursor != NULL)
		wanted.cursor = arena_strdup(&task->arena, cursor);
	RPC_CALL(task, &i->list, causerie__notifications__list_notifications, site.notifications,
		 &wanted);
	return task_then(name_people);
}

static struct step name_people(struct task *task)
{
	struct inbox *i = (struct inbox *)task;
	const Causerie__ListNotificationsReply *list = i->list.reply;
	Causerie__GetTopicSummariesRequest wanted = CAUSERIE__GET_TOPIC_SUMMARIES_REQUEST__INIT;

	if (i->list.code != CAUSERIE__CODE__OK)
		return visit_failed(&i->visit, &i->list.answer);
	wanted.ids = ARENA_ARRAY(&task->arena, uint64_t, list->n_notifications);
	for (size_t n = 0; n < list->n_notifications; n++) {
		people_want(task, &i->people, list->notifications[n]->actor_id);
		if (list->notifications[n]->topic_id != 0)
			wanted.ids[wanted.n_ids++] = list->notifications[n]->topic_id;
	}
	people_load(task, &i->people);
	if (wanted.n_ids > 0)
		RPC_CALL(task, &i->topics, causerie__topics__get_topic_summaries, site.topics,
			 &wanted);
	return task_then(draw);
}

static const Causerie__TopicSummary *topic_of(const struct inbox *i, uint64_t id)
{
	const Causerie__TopicSummaries *topics = i->topics.reply;

	for (size_t n = 0; topics != NULL && n < topics->n_topics; n++)
		if (topics->topics[n]->id == id)
			return topics->topics[n];
	return NULL;
}

static const char *sentence(const Causerie__Notification *notification)
{
	switch (notification->reason) {
	case CAUSERIE__REASON__REPLY:
		return TR("%1$s a répondu à votre réaction");
	case CAUSERIE__REASON__MENTION:
		return TR("%1$s vous a mentionné");
	case CAUSERIE__REASON__PROPOSER:
		return TR("%1$s a réagi à votre sujet");
	default:
		return notification->comment_id != 0 ? TR("%1$s a réagi")
						     : TR("Le sujet est maintenant « %2$s »");
	}
}

static const char *say(struct inbox *i, const Causerie__Notification *notification)
{
	const char *actor = people_person(&i->people, notification->actor_id).name;
	struct html_value values[2];
	struct html_out out = {.locale = i->visit.locale};
	enum topic_state state = TOPIC_STATES;
	struct html written;
	const char *text;

	fill_state_named(notification->to_state, &state);
	values[0] = html_value_text(actor ? actor : tr(i->visit.locale, "Membre supprimé"));
	values[1] = html_value_text(tr(i->visit.locale, topic_state_word(state)));
	html_format(&out, HTML_IN_PLAIN, tr(i->visit.locale, sentence(notification)), values, 2);
	written = html_written(&out);
	text = arena_strndup(&i->visit.task.arena, written.bytes, written.size);
	html_out_free(&out);
	return text;
}

static struct notification_row row_of(struct inbox *i, const Causerie__Notification *notification)
{
	struct arena *arena = &i->visit.task.arena;
	const Causerie__TopicSummary *topic = topic_of(i, notification->topic_id);

	return (struct notification_row){
		.id = notification->id,
		.text = say(i, notification),
		.excerpt = topic != NULL ? topic->title : NULL,
		.language =
			topic != NULL ? fill_locale(topic->language, site.locale) : i->visit.locale,
		.url = notification->comment_id != 0
			       ? arena_printf(arena, "/commentaires/%llu",
					      (unsigned long long)notification->comment_id)
			       : arena_printf(arena, "/sujets/%llu",
					      (unsigned long long)notification->topic_id),
		.at = {notification->at},
		.is_read = notification->read,
	};
}

static struct step draw(struct task *task)
{
	struct inbox *i = (struct inbox *)task;
	const Causerie__ListNotificationsReply *list = i->list.reply;
	struct notification_row *rows =
		ARENA_ARRAY(&task->arena, struct notification_row, list->n_notifications);
	struct notifications_view view = {.rows = rows, .n_rows = list->n_notifications};
	struct html_out out = page_out(&i->visit);

	if (i->people.missing)
		i->visit.missing |= MISSING_ACCOUNTS;
	for (size_t n = 0; n < list->n_notifications; n++)
		rows[n] = row_of(i, list->notifications[n]);
	page_begin(&i->visit, &view.page);
	page_say_done(&i->visit, &view.page);
	view.page.title = tr(i->visit.locale, "Notifications");
	view.page.section = SECTION_NOTIFICATIONS;
	view.form.key = random_token(&task->arena);
	if (*list->next_cursor != '\0')
		view.next_url =
			arena_printf(&task->arena, "/notifications?suite=%s", list->next_cursor);
	render_notifications_page(&out, &view);
	return visit_page(&i->visit, 200, &out);
}

/* --- all read -------------------------------------------------------------------------- */

static struct step mark(struct task *task)
{
	struct inbox *i = (struct inbox *)task;
	Causerie__MarkReadRequest wanted = CAUSERIE__MARK_READ_REQUEST__INIT;

	wanted.all = true;
	RPC_CALL(task, &i->marked, causerie__notifications__mark_read, site.notifications, &wanted);
	return task_then(was_marked);
}

static struct step was_marked(struct task *task)
{
	struct inbox *i = (struct inbox *)task;

	if (i->marked.code != CAUSERIE__CODE__OK)
		return visit_failed(&i->visit, &i->marked.answer);
	return visit_redirect(&i->visit, 303, "/notifications?fait=lues");
}
