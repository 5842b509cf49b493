/*
 * desk_topic.c - /bureau/sujets/{id}: one topic as organizers see it, and its next step.
 *
 *   find --> name --> draw
 *   read --> moved --> the sheet again
 *     +--------+-----> refused: find --> name --> draw with what was typed
 *
 * Dates are typed as the clocks of the place show them.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/words.h"
#include "gateway_templates.h"
#include "lib/zone.h"
#include "notifications.pb-c.h"

#define OPTIONAL_MS 1500
#define SECOND_US   1000000

struct desk_topic {
	struct visit visit;
	uint64_t id;
	int status;
	struct form form;
	RPC_SLOT(Causerie__Topic) topic;
	RPC_SLOT(Causerie__GetTopicHistoryReply) history;
	RPC_SLOT(Causerie__Follow) follow;
	RPC_SLOT(Causerie__Topic) moved;
	struct terms terms;
	struct people people;
};

static task_step find, name_people, draw, read_form, was_moved;

const struct handler desk_topic_page = HANDLER(struct desk_topic, find);
const struct handler desk_transition = HANDLER(struct desk_topic, read_form);

/* --- the sheet ----------------------------------------------------------------------- */

static struct step find(struct task *task)
{
	struct desk_topic *d = (struct desk_topic *)task;
	Causerie__GetTopicRequest topic = CAUSERIE__GET_TOPIC_REQUEST__INIT;
	Causerie__GetFollowRequest follow = CAUSERIE__GET_FOLLOW_REQUEST__INIT;

	d->id = topic.id = follow.topic_id = visit_id(&d->visit, "id");
	RPC_CALL(task, &d->topic, causerie__topics__get_topic, site.topics, &topic);
	RPC_CALL(task, &d->history, causerie__topics__get_topic_history, site.topics, &topic);
	RPC_CALL_WITHIN(OPTIONAL_MS, task, &d->follow, causerie__notifications__get_follow,
			site.notifications, &follow);
	terms_load(task, &d->terms);
	return task_then(name_people);
}

static struct step name_people(struct task *task)
{
	struct desk_topic *d = (struct desk_topic *)task;

	if (d->topic.code != CAUSERIE__CODE__OK)
		return visit_failed(&d->visit, &d->topic.answer);
	people_want(task, &d->people, d->topic.reply->summary->proposer_id);
	if (d->history.reply != NULL)
		fill_history_people(task, &d->people, d->history.reply);
	people_load(task, &d->people);
	return task_then(draw);
}

static const struct desk_transition *transitions(struct desk_topic *d, size_t *n)
{
	const Causerie__Topic *topic = d->topic.reply;
	struct desk_transition *list =
		ARENA_ARRAY(&d->visit.task.arena, struct desk_transition, topic->n_may_become);

	*n = 0;
	for (size_t i = 0; i < topic->n_may_become; i++) {
		const enum topic_state to = fill_state(topic->may_become[i]);

		if (to == TOPIC_WITHDRAWN || to == TOPIC_PROPOSED) /* by its proposer, elsewhere */
			continue;
		list[(*n)++] = (struct desk_transition){
			.to = to,
			.value = topic_state_class(to),
			.needs_reason = to == TOPIC_DECLINED || to == TOPIC_CANCELLED,
			.needs_recording = to == TOPIC_SCHEDULED,
			.needs_video = to == TOPIC_PUBLISHED,
			.needs_target = to == TOPIC_MERGED,
		};
	}
	return list;
}

static const char *local_time(struct desk_topic *d, const struct zone *zone, int64_t us)
{
	struct tm tm;

	if (us == 0)
		return "";
	zone_local(zone, us / SECOND_US, &tm);
	return arena_printf(&d->visit.task.arena, "%04d-%02d-%02dT%02d:%02d", tm.tm_year + 1900,
			    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
}

static void show_saved(struct desk_topic *d, struct desk_topic_view *view)
{
	const Causerie__Recording *recording = d->topic.reply->recording;
	const struct zone *zone;

	view->place = d->topic.reply->place;
	view->time_zone = "Europe/Paris";
	if (recording == NULL || recording->starts_at == 0)
		return;
	zone = zone_find(recording->time_zone);
	view->place = recording->place_name;
	view->address = recording->address;
	view->address_private = recording->address_private;
	view->access = recording->access;
	view->online_url = recording->online_url;
	view->time_zone = recording->time_zone;
	view->starts = local_time(d, zone, recording->starts_at);
	view->ends = local_time(d, zone, recording->ends_at);
	view->capacity = arena_printf(&d->visit.task.arena, "%u", recording->audience_capacity);
}

static void show_typed(struct desk_topic *d, struct desk_topic_view *view)
{
	struct visit *v = &d->visit;

	view->chosen = form_field(v, "to");
	view->place = form_line(v, "place");
	view->address = form_line(v, "address");
	view->address_private = *form_field(v, "address_private") != '\0';
	view->access = form_line(v, "access");
	view->online_url = form_line(v, "online_url");
	view->starts = form_line(v, "starts");
	view->ends = form_line(v, "ends");
	view->time_zone = form_line(v, "time_zone");
	view->capacity = form_line(v, "capacity");
	view->video_url = form_line(v, "video_url");
	view->duration = form_line(v, "duration");
	view->captions_url = form_line(v, "captions_url");
	view->transcript = form_body(v, "transcript");
	view->no_captions_reason = form_line(v, "no_captions_reason");
	view->target = form_line(v, "target");
	view->reason = form_body(v, "reason");
}

static void page(struct desk_topic *d, struct desk_topic_view *view)
{
	page_begin(&d->visit, &view->page);
	page_say_done(&d->visit, &view->page);
	view->page.title = d->topic.reply->summary->title;
	view->page.section = SECTION_DESK;
	if (view->form.key == NULL)
		view->form.key = random_token(&d->visit.task.arena);
}

static struct step draw(struct task *task)
{
	struct desk_topic *d = (struct desk_topic *)task;
	struct topic_row row;
	struct desk_topic_view *view = ARENA_NEW(&task->arena, struct desk_topic_view);
	struct html_out out = page_out(&d->visit);

	if (d->people.missing)
		d->visit.missing |= MISSING_ACCOUNTS;
	if (d->follow.reply == NULL)
		d->visit.missing |= MISSING_NOTIFICATIONS;
	else
		view->audience.followers = d->follow.reply->followers;
	fill_topic_row(&d->visit, d->topic.reply->summary, terms_take(&d->terms), &d->people, &row);
	view->topic = &row;
	view->form = d->form;
	view->version = (int64_t)d->topic.reply->summary->version;
	view->transitions = transitions(d, &view->n_transitions);
	view->opinions = fill_opinions(d->topic.reply);
	view->may_edit = d->topic.reply->may_edit;
	if (d->history.reply != NULL)
		view->history = fill_history(&d->visit, d->history.reply, &d->people, row.language,
					     &view->n_history);
	if (d->status == 0)
		show_saved(d, view);
	else
		show_typed(d, view);
	page(d, view);
	render_desk_topic_page(&out, view);
	return visit_page(&d->visit, d->status ? d->status : 200, &out);
}

/* --- the next step --------------------------------------------------------------------- */

static struct step refuse(struct desk_topic *d, const char *field, const char *reason)
{
	d->form = form_wrong(&d->visit, field, reason);
	d->status = 422;
	return find(&d->visit.task);
}

static char *line(struct desk_topic *d, const char *name)
{
	return arena_strdup(&d->visit.task.arena, form_line(&d->visit, name));
}

/* "2027-03-01T14:30", as clocks in that zone show it. */
static bool read_time(const char *text, const struct zone *zone, int64_t *us)
{
	struct tm tm;
	int64_t seconds;
	const char *end;

	memset(&tm, 0, sizeof tm);
	end = strptime(text, "%Y-%m-%dT%H:%M", &tm);
	if (end != NULL && *end == ':')
		end = strptime(end, ":%S", &tm);
	if (end == NULL || *end != '\0' || !zone_instant(zone, &tm, &seconds))
		return false;
	*us = seconds * SECOND_US;
	return true;
}

/* The name of the field that is wrong, or NULL. */
static const char *read_recording(struct desk_topic *d, Causerie__Recording *recording)
{
	const struct zone *zone;
	char *end;

	recording->place_name = line(d, "place");
	recording->address = line(d, "address");
	recording->address_private = *form_field(&d->visit, "address_private") != '\0';
	recording->access = line(d, "access");
	recording->online_url = line(d, "online_url");
	recording->time_zone = line(d, "time_zone");
	recording->audience_capacity =
		(uint32_t)strtoul(form_field(&d->visit, "capacity"), &end, 10);
	if (*recording->place_name == '\0')
		return "place";
	zone = zone_find(recording->time_zone);
	if (zone == NULL)
		return "time_zone";
	if (!read_time(form_line(&d->visit, "starts"), zone, &recording->starts_at))
		return "starts";
	if (!read_time(form_line(&d->visit, "ends"), zone, &recording->ends_at) ||
	    recording->ends_at <= recording->starts_at)
		return "ends";
	return *end != '\0' ? "capacity" : NULL;
}

/* "42:30" or "1:05:00"; 0 for anything else. */
static uint32_t read_duration(const char *text)
{
	unsigned long seconds = 0, parts = 0;

	for (const char *at = text; parts < 3; parts++) {
		char *end;
		const unsigned long part = strtoul(at, &end, 10);

		if (*at < '0' || *at > '9' || end - at > 3 || (parts > 0 && part > 59))
			return 0;
		seconds = seconds * 60 + part;
		if (*end == '\0')
			return parts > 0 ? (uint32_t)seconds : 0;
		if (*end != ':')
			return 0;
		at = end + 1;
	}
	return 0;
}

static const char *read_video(struct desk_topic *d, Causerie__Video *video)
{
	video->url = line(d, "video_url");
	video->duration_seconds = read_duration(form_line(&d->visit, "duration"));
	video->captions_url = line(d, "captions_url");
	video->no_captions_reason = line(d, "no_captions_reason");
	video->transcript = arena_strdup(&d->visit.task.arena, form_body(&d->visit, "transcript"));
	if (*video->url == '\0')
		return "video_url";
	if (video->duration_seconds == 0)
		return "duration";
	return *video->captions_url == '\0' && *video->transcript == '\0' &&
			       *video->no_captions_reason == '\0'
		       ? "captions_url"
		       : NULL;
}

static struct step read_form(struct task *task)
{
	struct desk_topic *d = (struct desk_topic *)task;
	struct visit *v = &d->visit;
	Causerie__TransitionTopicRequest ask = CAUSERIE__TRANSITION_TOPIC_REQUEST__INIT;
	Causerie__Recording recording = CAUSERIE__RECORDING__INIT;
	Causerie__Video video = CAUSERIE__VIDEO__INIT;
	const char *wrong = NULL;
	enum topic_state to;

	d->id = ask.id = visit_id(v, "id");
	if (!fill_state_named(form_field(v, "to"), &to))
		return visit_fail(v, 400, "no such state");
	ask.to = fill_state_back(to);
	ask.version = strtoull(form_field(v, "version"), NULL, 10);
	ask.reason = arena_strdup(&task->arena, form_body(v, "reason"));
	if (to == TOPIC_SCHEDULED) {
		ask.recording = &recording;
		wrong = read_recording(d, &recording);
	} else if (to == TOPIC_PUBLISHED) {
		ask.video = &video;
		wrong = read_video(d, &video);
	} else if (to == TOPIC_MERGED) {
		ask.target_id = strtoull(form_field(v, "target"), NULL, 10);
	}
	if (wrong != NULL)
		return refuse(d, wrong, tr(v->locale, "Cette valeur ne convient pas."));
	RPC_CALL(task, &d->moved, causerie__topics__transition_topic, site.topics, &ask);
	return task_then(was_moved);
}

static struct step was_moved(struct task *task)
{
	struct desk_topic *d = (struct desk_topic *)task;

	if (d->moved.code == CAUSERIE__CODE__OK)
		return visit_redirect(&d->visit, 303,
				      arena_printf(&task->arena, "/bureau/sujets/%llu?fait=etape",
						   (unsigned long long)d->id));
	if (!form_comes_again(&d->moved.answer))
		return visit_failed(&d->visit, &d->moved.answer);
	d->form = form_refused(&d->visit, &d->moved.answer,
			       (const struct form_name[]){{"recording", "place"},
							  {"video", "video_url"},
							  {"target_id", "target"},
							  {NULL, NULL}});
	d->status = form_status(&d->moved.answer);
	return find(task);
}
