/*
 * topic.c - /sujets/{id}-{slug}: one topic with all that belongs to it.
 *
 *   fetch ------------------------------------------> name -----> draw
 *   topics, comments, related, notifications, history  accounts
 *
 *   (a form that was wrong) topic_draw_again --> name_people_again --> draw_again
 *
 * Without the topic there is no page, unless one was kept; everything else may be
 * missing, and the page says so. An address with another slug, or none, leads to
 * the right one; a merged topic leads to where it went.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/drafts.h"
#include "gateway/page_cache.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/pages/related_lists.h"
#include "gateway/pages/show_topic.h"
#include "gateway_templates.h"
#include "lib/markdown.h"
#include "lib/zone.h"
#include "notifications.pb-c.h"
#include "related.pb-c.h"

#define COMMENTS_PAGE 200  /* most threads are one page, so that permalinks need no search */
#define OPTIONAL_MS   1500 /* a part that takes longer is missing from the page */

static task_step fetch, name_people, draw, name_people_again, draw_again;

const struct handler show_topic = HANDLER(struct topic_visit, fetch);

/* "12-une-conversation": the number in front. */
static uint64_t id_of(const char *parameter)
{
	char *end;
	const unsigned long long id = strtoull(parameter, &end, 10);

	return end != parameter && (*end == '\0' || *end == '-') && id <= INT64_MAX ? id : 0;
}

static uint64_t number_in_query(const struct visit *v, const char *name)
{
	const char *value = http_query_value(v->http, name);

	return value != NULL ? id_of(value) : 0;
}

enum opinion topic_opinion(uint64_t value)
{
	return value < OPINION_VALUES ? (enum opinion)value : OPINION_NONE;
}

static void fetch_parts(struct topic_visit *t, uint64_t id)
{
	struct task *task = &t->visit.task;
	Causerie__GetTopicRequest topic = CAUSERIE__GET_TOPIC_REQUEST__INIT;
	Causerie__ListCommentsRequest thread = CAUSERIE__LIST_COMMENTS_REQUEST__INIT;
	Causerie__ListRelatedRequest related = CAUSERIE__LIST_RELATED_REQUEST__INIT;
	Causerie__GetFollowRequest follow = CAUSERIE__GET_FOLLOW_REQUEST__INIT;

	t->id = topic.id = thread.topic_id = related.topic_id = follow.topic_id = id;
	thread.limit = COMMENTS_PAGE;
	thread.around_id = t->around;
	if (t->cursor != NULL)
		thread.cursor = arena_strdup(&task->arena, t->cursor);

	RPC_CALL(task, &t->topic, causerie__topics__get_topic, site.topics, &topic);
	RPC_CALL_WITHIN(OPTIONAL_MS, task, &t->history, causerie__topics__get_topic_history,
			site.topics, &topic);
	RPC_CALL_WITHIN(OPTIONAL_MS, task, &t->comments, causerie__comments__list_comments,
			site.comments, &thread);
	RPC_CALL_WITHIN(OPTIONAL_MS, task, &t->related, causerie__related__list_related,
			site.related, &related);
	RPC_CALL_WITHIN(OPTIONAL_MS, task, &t->follow, causerie__notifications__get_follow,
			site.notifications, &follow);
	terms_load(task, &t->terms);
}

/* Who reads here needs no mail about it. */
static void mark_read(struct topic_visit *t)
{
	Causerie__MarkReadRequest ask = CAUSERIE__MARK_READ_REQUEST__INIT;

	if (!visit_signed_in(&t->visit))
		return;
	ask.topic_id = t->id;
	RPC_CALL_WITHIN(OPTIONAL_MS, &t->visit.task, &t->read, causerie__notifications__mark_read,
			site.notifications, &ask);
}

/* The number alone leads to the address with the slug: nothing else is needed for that. */
static struct step look_up_slug(struct topic_visit *t, uint64_t id)
{
	Causerie__GetTopicRequest ask = CAUSERIE__GET_TOPIC_REQUEST__INIT;

	ask.id = id;
	RPC_CALL(&t->visit.task, &t->topic, causerie__topics__get_topic, site.topics, &ask);
	return task_then(name_people);
}

static struct step fetch(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;
	const char *parameter = visit_parameter(&t->visit, "topic");
	const uint64_t id = id_of(parameter);

	if (id == 0)
		return visit_fail(&t->visit, 404, "no such topic");
	if (strchr(parameter, '-') == NULL)
		return look_up_slug(t, id);
	t->cursor = http_query_value(t->visit.http, "suite");
	t->around = number_in_query(&t->visit, "autour");
	t->reply_to = number_in_query(&t->visit, "repondre");
	t->chosen = topic_opinion(number_in_query(&t->visit, "avis"));
	fetch_parts(t, id);
	mark_read(t);
	return task_then(name_people);
}

static bool away(Causerie__Code code)
{
	return code != CAUSERIE__CODE__OK && code != CAUSERIE__CODE__NOT_FOUND;
}

static void note_missing(struct topic_visit *t)
{
	struct visit *v = &t->visit;

	if (away(t->comments.code))
		v->missing |= MISSING_COMMENTS;
	if (away(t->related.code))
		v->missing |= MISSING_RELATED;
	if (away(t->follow.code))
		v->missing |= MISSING_NOTIFICATIONS;
}

static void want_people(struct topic_visit *t)
{
	struct task *task = &t->visit.task;

	people_want(task, &t->people, t->topic.reply->summary->proposer_id);
	if (t->comments.reply != NULL)
		fill_thread_people(task, &t->people, t->comments.reply->comments,
				   t->comments.reply->n_comments);
	if (t->history.reply != NULL)
		fill_history_people(task, &t->people, t->history.reply);
	people_load(task, &t->people);
	note_missing(t);
}

/* The one address of a topic, with what was asked of it. */
static struct step go_to_canonical(struct topic_visit *t)
{
	const Causerie__TopicSummary *topic = t->topic.reply->summary;
	const char *url = fill_topic_url(&t->visit.task.arena, topic->id, topic->slug);
	const char *query = t->visit.http->query;

	return visit_redirect(&t->visit, 301,
			      *query ? arena_printf(&t->visit.task.arena, "%s?%s", url, query)
				     : url);
}

static struct step name_people(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;
	struct visit *v = &t->visit;
	const Causerie__TopicSummary *topic;
	struct step reply;

	if (away(t->topic.code) && t->topic.code != CAUSERIE__CODE__GONE &&
	    visit_last_good(v, MISSING_TOPICS, &reply))
		return reply;
	if (t->topic.code != CAUSERIE__CODE__OK)
		return visit_failed(v, &t->topic.answer);

	topic = t->topic.reply->summary;
	if (topic->state == CAUSERIE__TOPIC_STATE__MERGED && topic->target_id != 0)
		return visit_redirect(v, 301,
				      arena_printf(&task->arena, "/sujets/%llu",
						   (unsigned long long)topic->target_id));
	if (strcmp(v->http->path + strlen("/sujets/"),
		   fill_topic_url(&task->arena, topic->id, topic->slug) + strlen("/sujets/")) != 0)
		return go_to_canonical(t);

	want_people(t);
	draft_take(v);
	return task_then(draw);
}

/* --- the parts of the view ------------------------------------------------------- */

static struct opinions_view opinions(struct topic_visit *t)
{
	struct opinions_view view = fill_opinions(t->topic.reply);
	view.form = t->opinion_form;
	if (view.form.key == NULL)
		view.form.key = t->key;
	if (!view.is_closed && visit_signed_in(&t->visit))
		view.chosen = t->chosen;
	if (t->chosen_because != NULL)
		view.reason = t->chosen_because;
	return view;
}

static const char *name_of_parent(const struct thread_view *thread, uint64_t id)
{
	for (size_t i = 0; i < thread->n_comments; i++)
		if (thread->comments[i].id == id)
			return thread->comments[i].author.name;
	return NULL;
}

static struct comment_form comment_form(struct topic_visit *t, const struct thread_view *thread,
					const struct page *page)
{
	struct comment_form form = {
		.topic_id = t->id,
		.parent_id = t->reply_to,
		.parent_name = name_of_parent(thread, t->reply_to),
		.text = t->typed,
		.language = t->typed_language,
		.csrf = page->csrf,
		.asks_sign_in = !visit_signed_in(&t->visit),
		.form = t->comment_form,
	};

	if (t->wants_preview && t->typed != NULL)
		form.preview = markdown_html(&t->visit.task.arena, t->typed, MARKDOWN_COMMENT);
	form.form.key = t->key;
	return form;
}

static const char *thread_page_url(struct topic_visit *t, const char *url, const char *cursor)
{
	return arena_printf(&t->visit.task.arena, "%s?suite=%s#reagir", url, cursor);
}

static struct thread_view thread(struct topic_visit *t, const char *url, const struct page *page)
{
	const Causerie__TopicSummary *topic = t->topic.reply->summary;
	struct thread_view thread = {
		.topic_id = t->id,
		.topic_url = url,
		.topic_language = fill_locale(topic->language, site.locale),
		.is_missing = t->comments.reply == NULL,
		.is_closed = !t->topic.reply->accepts_comments,
		.opens_later = topic->state == CAUSERIE__TOPIC_STATE__DRAFT ||
			       topic->state == CAUSERIE__TOPIC_STATE__PROPOSED,
		.reply_to = t->reply_to,
	};

	if (t->comments.reply != NULL) {
		fill_thread(&t->visit, t->comments.reply, &t->people, topic->proposer_id, &thread);
		if (*t->comments.reply->next_cursor != '\0')
			thread.later_url = thread_page_url(t, url, t->comments.reply->next_cursor);
		if (!t->comments.reply->begins)
			thread.earlier_url = arena_printf(&t->visit.task.arena, "%s#reagir", url);
	}
	if (!thread.is_missing && name_of_parent(&thread, thread.reply_to) == NULL)
		thread.reply_to = 0;
	thread.form = comment_form(t, &thread, page);
	return thread;
}

static struct audience_view audience(struct topic_visit *t)
{
	struct audience_view audience = {
		.topic_id = t->id,
		.is_missing = t->follow.reply == NULL,
		.form = {.key = t->key},
	};

	if (t->follow.reply != NULL) {
		audience.followers = t->follow.reply->followers;
		audience.follow = (enum follow_level)t->follow.reply->level;
	}
	return audience;
}

#define SAME_PERIOD_DAYS 60

const char *related_words(struct visit *v, const Causerie__RelatedReason *reason,
			  const Causerie__Taxonomies *known)
{
	struct arena *arena = &v->task.arena;
	const bool slugs = reason->kind == CAUSERIE__RELATED_REASON_KIND__COMMON_EXPERTISES;
	const char *list = NULL;

	for (size_t i = 0; i < reason->n_words; i++) {
		const char *word = slugs ? term_label(known->expertises, known->n_expertises,
						      reason->words[i], v->locale)
					 : reason->words[i];

		list = arena_printf(arena, "%s%s%s", list ? list : "", list ? ", " : "", word);
	}
	return list;
}

static const char *with_words(struct visit *v, const Causerie__RelatedReason *reason,
			      const Causerie__Taxonomies *known, const char *label)
{
	const char *words = related_words(v, reason, known);

	return words ? arena_printf(&v->task.arena, "%s %s", label, words) : NULL;
}

/* Closeness in time is part of every score; a reader is told where it is one. */
static const char *period_text(struct visit *v, const Causerie__RelatedReason *reason)
{
	return reason->count <= SAME_PERIOD_DAYS ? tr(v->locale, "même période") : NULL;
}

static const char *reason_text(struct visit *v, const Causerie__RelatedReason *reason,
			       const Causerie__Taxonomies *known)
{
	struct arena *arena = &v->task.arena;

	switch (reason->kind) {
	case CAUSERIE__RELATED_REASON_KIND__COMMON_EXPERTISES:
		return arena_printf(arena, "%s %s",
				    tr_plural(v->locale, "Expertise commune :",
					      "Expertises communes :", (int64_t)reason->n_words),
				    related_words(v, reason, known));
	case CAUSERIE__RELATED_REASON_KIND__COMMON_WORDS:
		return with_words(v, reason, known,
				  tr_plural(v->locale, "mot commun :", "mots communs :",
					    (int64_t)reason->n_words));
	case CAUSERIE__RELATED_REASON_KIND__CITED:
		return arena_printf(arena, "%s %u %s", tr(v->locale, "cité par"), reason->count,
				    tr_plural(v->locale, "sujet", "sujets", reason->count));
	case CAUSERIE__RELATED_REASON_KIND__COMMON_PARTICIPANTS:
		return arena_printf(arena, "%u %s", reason->count,
				    tr(v->locale, "participants communs"));
	case CAUSERIE__RELATED_REASON_KIND__SAME_PERIOD:
		return period_text(v, reason);
	case CAUSERIE__RELATED_REASON_KIND__SAME_AUTHOR:
		return tr(v->locale, "l’auteur de ce sujet y a pris part");
	case CAUSERIE__RELATED_REASON_KIND__RECENT_IN_EXPERTISE:
		return tr(v->locale, "récent dans la même expertise");
	case CAUSERIE__RELATED_REASON_KIND__PINNED:
		return tr(v->locale, "choisi par les organisateurs");
	default:
		return NULL;
	}
}

#define REASONS_SHOWN 3

/* What people said of both comes first, then what the texts have in common, strongest first. */
static struct related_row related_row(struct visit *v, const Causerie__RelatedTopic *topic,
				      const Causerie__Taxonomies *known)
{
	const char **reasons = ARENA_ARRAY(&v->task.arena, const char *, REASONS_SHOWN);
	struct related_row row = {
		.url = fill_topic_url(&v->task.arena, topic->topic_id, topic->slug),
		.title = topic->title,
		.language = fill_locale(topic->language, site.locale),
		.reasons = reasons,
	};

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < topic->n_reasons && row.n_reasons < REASONS_SHOWN; i++) {
			const bool expertises = topic->reasons[i]->kind ==
						CAUSERIE__RELATED_REASON_KIND__COMMON_EXPERTISES;
			const char *text = expertises == (round == 0)
						   ? reason_text(v, topic->reasons[i], known)
						   : NULL;

			if (text != NULL)
				reasons[row.n_reasons++] = text;
		}
	return row;
}

struct related_row *fill_related(struct visit *v, const Causerie__ListRelatedReply *list,
				 const Causerie__Taxonomies *known, size_t *n)
{
	struct related_row *rows = ARENA_ARRAY(&v->task.arena, struct related_row, list->n_topics);

	*n = list->n_topics;
	for (size_t i = 0; i < list->n_topics; i++)
		rows[i] = related_row(v, list->topics[i], known);
	return rows;
}

static void related(struct topic_visit *t, const Causerie__Taxonomies *known,
		    struct topic_view *view)
{
	const Causerie__ListRelatedReply *list = t->related.reply;

	if (list != NULL) {
		related_lists_keep(t->id, list);
	} else if (away(t->related.code)) {
		list = related_lists_find(&t->visit.task.arena, t->id);
		view->related_is_stale = list != NULL;
		if (list != NULL) /* said beside it */
			view->page.missing &= ~(unsigned)MISSING_RELATED;
		view->related_is_missing = list == NULL;
	}
	if (list != NULL)
		view->related = fill_related(&t->visit, list, known, &view->n_related);
}

static const char *clock_of(struct arena *arena, unsigned seconds)
{
	if (seconds >= 3600)
		return arena_printf(arena, "%u:%02u:%02u", seconds / 3600, seconds / 60 % 60,
				    seconds % 60);
	return arena_printf(arena, "%u:%02u", seconds / 60, seconds % 60);
}

static void video(struct topic_visit *t, struct topic_view *view)
{
	const Causerie__Video *video = t->topic.reply->video;
	struct arena *arena = &t->visit.task.arena;
	struct chapter *chapters;

	if (video == NULL || *video->url == '\0')
		return;
	view->video_url = video->url;
	view->video_is_ours = video->url[0] == '/';
	view->duration = arena_printf(arena, "%u min", (video->duration_seconds + 59) / 60);
	chapters = ARENA_ARRAY(arena, struct chapter, video->n_chapters);
	for (size_t i = 0; i < video->n_chapters; i++)
		chapters[i] = (struct chapter){video->chapters[i]->at_seconds,
					       clock_of(arena, video->chapters[i]->at_seconds),
					       video->chapters[i]->title};
	view->chapters = chapters;
	view->n_chapters = video->n_chapters;
}

static void recording(struct topic_visit *t, struct topic_view *view)
{
	const Causerie__Recording *recording = t->topic.reply->recording;

	view->place = fill_text(t->topic.reply->place);
	if (recording == NULL)
		return;
	view->place = fill_text(recording->place_name);
	view->address = fill_text(recording->address);
	view->access = fill_text(recording->access);
	view->starts = fill_moment(recording->starts_at);
	view->ends = fill_moment(recording->ends_at);
	view->zone = zone_find(recording->time_zone);
	view->online_url = fill_text(recording->online_url);
}

static void heading(struct topic_visit *t, const Causerie__Taxonomies *known,
		    struct topic_view *view)
{
	const Causerie__TopicSummary *topic = t->topic.reply->summary;
	struct arena *arena = &t->visit.task.arena;
	const enum locale locale = t->visit.locale;

	view->id = topic->id;
	view->url = fill_topic_url(arena, topic->id, topic->slug);
	view->short_url =
		arena_printf(arena, "%s/s/%llu", site.public_url, (unsigned long long)topic->id);
	view->title = topic->title;
	view->lead = topic->lead;
	view->article = markdown_html(arena, t->topic.reply->article, MARKDOWN_ARTICLE);
	view->language = fill_locale(topic->language, site.locale);
	view->state = fill_state(topic->state);
	view->state_reason = fill_text(t->topic.reply->public_reason);
	view->proposer = people_person(&t->people, topic->proposer_id);
	view->proposed = fill_moment(t->topic.reply->proposed_at ? t->topic.reply->proposed_at
								 : topic->created_at);
	view->format = arena_strdup(
		arena, term_label(known->formats, known->n_formats, topic->format, locale));
	view->treatment = arena_strdup(arena, term_label(known->treatments, known->n_treatments,
							 topic->treatment, locale));
	view->expertises =
		fill_expertises(arena, known, topic->expertises, topic->n_expertises, locale);
	view->sponsor = fill_text(t->topic.reply->sponsor);
}

static bool may_become(const Causerie__Topic *topic, Causerie__TopicState state)
{
	for (size_t i = 0; i < topic->n_may_become; i++)
		if (topic->may_become[i] == state)
			return true;
	return false;
}

static void page(struct topic_visit *t, struct topic_view *view)
{
	const bool listed = view->state >= TOPIC_OPEN && view->state <= TOPIC_PUBLISHED;

	page_begin(&t->visit, &view->page);
	view->page.section = SECTION_TOPICS;
	view->page.title = view->title;
	view->page.description = view->lead;
	view->page.here = view->url;
	view->page.notices = t->notices;
	view->page.n_notices = t->n_notices;
	page_say_done(&t->visit, &view->page);
	if (listed)
		view->page.canonical =
			arena_printf(&t->visit.task.arena, "%s%s", site.public_url, view->url);
}

static void tag(const struct topic_visit *t, struct page_tags *tags)
{
	page_tag(tags, TAG_TOPIC, t->id);
	page_tag(tags, TAG_RELATED, 0);
	for (size_t i = 0; t->related.reply != NULL && i < t->related.reply->n_topics; i++)
		page_tag(tags, TAG_NAMED, t->related.reply->topics[i]->topic_id);
	for (size_t i = 0; i < t->people.n; i++)
		page_tag(tags, TAG_PERSON, t->people.list[i].id);
	tags->feeds = FEED_TOPICS | FEED_COMMENTS | FEED_ACCOUNTS;
}

static struct step draw_page(struct topic_visit *t, int status)
{
	struct visit *v = &t->visit;
	const Causerie__Taxonomies *known = terms_take(&t->terms);
	struct html_out out;
	struct page_tags tags = {0};
	struct topic_view *view = ARENA_NEW(&v->task.arena, struct topic_view);

	if (t->people.missing)
		v->missing |= MISSING_ACCOUNTS;
	t->key = visit_signed_in(v) ? random_token(&v->task.arena) : NULL;
	heading(t, known, view);
	recording(t, view);
	video(t, view);
	page(t, view);
	view->opinions = opinions(t);
	view->thread = thread(t, view->url, &view->page);
	view->audience = audience(t);
	related(t, known, view);
	if (t->history.reply != NULL)
		view->history = fill_history(v, t->history.reply, &t->people, view->language,
					     &view->n_history);
	view->may_edit = t->topic.reply->may_edit;
	view->may_withdraw = may_become(t->topic.reply, CAUSERIE__TOPIC_STATE__WITHDRAWN);

	out = page_out(v);
	render_topic_page(&out, view);
	tag(t, &tags);
	if (status != 200)
		return visit_page(v, status, &out);
	return visit_page_kept(v, status, &out, &tags);
}

/* The reason of an opinion, or a comment. */
static void show_draft(struct topic_visit *t)
{
	struct visit *v = &t->visit;

	if (http_query_value(v->http, "mot") != NULL) {
		if (t->chosen != OPINION_NONE)
			t->chosen_because = form_line(v, "reason");
		return;
	}
	t->typed = form_body(v, "text");
	t->typed_language = form_language(v);
	t->reply_to = form_id(v, "parent");
}

static struct step draw(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;

	if (draft_read(&t->visit))
		show_draft(t);
	return draw_page(t, 200);
}

/* --- after a form that was wrong --------------------------------------------------------- */

struct step topic_draw_again(struct topic_visit *t, int status)
{
	t->status = status;
	t->around = t->reply_to;
	fetch_parts(t, t->id);
	return task_then(name_people_again);
}

static struct step name_people_again(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;

	if (t->topic.code != CAUSERIE__CODE__OK)
		return visit_failed(&t->visit, &t->topic.answer);
	want_people(t);
	return task_then(draw_again);
}

static struct step draw_again(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;

	return draw_page(t, t->status);
}
