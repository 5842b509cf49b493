/*
 * transition_topic.c - TransitionTopic: one step of a topic's life, made once.
 *
 *   fetch --> check --> move --> moved --> answer
 *
 * The table in lifecycle.c says who may; here stands what each step needs besides. A merge is one
 * transaction of three statements: what is said of the topic while it goes is carried over with the
 * rest, or refused, but never left behind.
 */
#include "topics.h"

#include "lib/outbox.h"
#include "lib/text.h"
#include "lib/zone.h"

#define REASON_AT_LEAST 30 /* characters; a public reason must say something */

struct transition_topic {
	struct task task;
	const Causerie__TransitionTopicRequest *ask;
	struct topic_rows before, target, after;
	struct sql_slot locked, moved, carried;
};

static task_step fetch, check, moved, answer;

void topics_transition_topic(Causerie__Topics_Service *service,
			     const Causerie__TransitionTopicRequest *ask,
			     Causerie__Topic_Closure closure, void *call)
{
	struct transition_topic *t = rpc_task(call, sizeof *t, task_then(fetch));

	(void)service;
	(void)closure;
	t->ask = ask;
}

static struct step fetch(struct task *task)
{
	struct transition_topic *t = (struct transition_topic *)task;

	fetch_topic(task, &t->before, t->ask->id);
	if (t->ask->target_id != 0)
		fetch_topic(task, &t->target, t->ask->target_id);
	return task_then(check);
}

/* A public reason is owed to whoever took part. */
static const char *reason_wrong(const struct transition_topic *t)
{
	if (t->ask->to != CAUSERIE__TOPIC_STATE__DECLINED &&
	    t->ask->to != CAUSERIE__TOPIC_STATE__CANCELLED)
		return NULL;
	if (t->ask->reason_private)
		return "not_allowed";
	return text_length(t->ask->reason) < REASON_AT_LEAST ? "too_short" : NULL;
}

static const char *recording_wrong(const struct transition_topic *t)
{
	const Causerie__Recording *recording = t->ask->recording;

	if (t->ask->to != CAUSERIE__TOPIC_STATE__SCHEDULED)
		return NULL;
	if (recording == NULL || *recording->place_name == '\0' || recording->starts_at == 0)
		return "missing";
	if (recording->ends_at <= recording->starts_at)
		return "out_of_range";
	return zone_find(recording->time_zone) ? NULL : "not_allowed";
}

static const char *video_wrong(const struct transition_topic *t)
{
	const Causerie__Video *video = t->ask->video;

	if (t->ask->to != CAUSERIE__TOPIC_STATE__PUBLISHED)
		return NULL;
	if (video == NULL || *video->url == '\0' || video->duration_seconds == 0)
		return "missing";
	if (*video->captions_url == '\0' && *video->transcript == '\0' &&
	    *video->no_captions_reason == '\0')
		return "missing";
	return NULL;
}

static const char *target_wrong(struct transition_topic *t)
{
	Causerie__Topic *target;

	if (t->ask->to != CAUSERIE__TOPIC_STATE__MERGED)
		return t->ask->target_id != 0 ? "not_allowed" : NULL;
	if (t->ask->target_id == 0 || t->ask->target_id == t->ask->id)
		return "missing";
	target = t->target.topic.state == SQL_DONE ? topic_from_rows(&t->task, &t->target) : NULL;
	return target != NULL && is_public(target->summary) &&
			       target->summary->state != CAUSERIE__TOPIC_STATE__MERGED
		       ? NULL
		       : "not_allowed";
}

/* The transition, within a merge. */
static void merge(struct transition_topic *t, const struct sql_named *with, size_t n)
{
	struct task *task = &t->task;
	const ProtobufCMessage *ask = &t->ask->base;
	const struct sql_named most[] = {{"most_pinned", sql_integer(MOST_PINNED)},
					 {"most_banned", sql_integer(MOST_BANNED)}};
	const struct sql_statement statements[] = {
		{&lock_merge_sql, sql_bind(task, &lock_merge_sql, ask, NULL, 0), &t->locked},
		{&transition_topic_sql, sql_bind(task, &transition_topic_sql, ask, with, n),
		 &t->moved},
		{&carry_over_sql, sql_bind(task, &carry_over_sql, ask, most, 2), &t->carried},
	};

	sql_run_together(task, service_here()->sql, statements,
			 sizeof statements / sizeof *statements);
}

static void move(struct transition_topic *t)
{
	static const Causerie__Recording no_recording = CAUSERIE__RECORDING__INIT;
	static const Causerie__Video no_video = CAUSERIE__VIDEO__INIT;
	const Causerie__Recording *r = t->ask->recording ? t->ask->recording : &no_recording;
	const Causerie__Video *v = t->ask->video ? t->ask->video : &no_video;
	struct task *task = &t->task;
	const struct sql_named with[] = {
		{"to", sql_text(state_name(t->ask->to))},
		{"reason", sql_text(text_body(&task->arena, t->ask->reason))},
		{"place_name", sql_text(r->place_name)},
		{"address", sql_text(r->address)},
		{"address_private", sql_flag(r->address_private)},
		{"access", sql_text(r->access)},
		{"online_url", sql_text(r->online_url)},
		{"starts_at", sql_integer(r->starts_at)},
		{"ends_at", sql_integer(r->ends_at)},
		{"time_zone", sql_text(r->time_zone)},
		{"set_capacity", sql_integer(r->set_capacity)},
		{"audience_capacity", sql_integer(r->audience_capacity)},
		{"url", sql_text(v->url)},
		{"duration_seconds", sql_integer(v->duration_seconds)},
		{"transcript", sql_text(v->transcript)},
		{"captions_url", sql_text(v->captions_url)},
		{"no_captions_reason", sql_text(v->no_captions_reason)}};
	const size_t n = sizeof with / sizeof *with;

	if (t->ask->to == CAUSERIE__TOPIC_STATE__MERGED)
		merge(t, with, n);
	else
		sql_run_message(task, &t->moved, service_here()->sql, &transition_topic_sql,
				&t->ask->base, with, n);
}

static struct step check(struct task *task)
{
	struct transition_topic *t = (struct transition_topic *)task;
	const struct {
		const char *field, *wrong;
	} needs[] = {{"reason", reason_wrong(t)},
		     {"recording", recording_wrong(t)},
		     {"video", video_wrong(t)},
		     {"target_id", target_wrong(t)}};
	Causerie__Topic *topic;

	if (t->before.topic.state != SQL_DONE)
		return rpc_sql_failed(task, &t->before.topic);
	topic = topic_from_rows(task, &t->before);
	if (topic == NULL)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such topic for this viewer");
	if (topic->summary->version != t->ask->version)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "another version is there");
	if (!may_transition(topic->summary->state, t->ask->to, topic->summary->proposer_id,
			    &task->context.viewer))
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN,
				"not from this state, or not by this viewer");
	if (!task->context.viewer.verified)
		return rpc_fail(task, CAUSERIE__CODE__FORBIDDEN, "the address is not verified");
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		if (needs[i].wrong != NULL)
			return rpc_invalid(task, needs[i].field, needs[i].wrong);

	move(t);
	return task_then(moved);
}

static struct step moved(struct task *task)
{
	struct transition_topic *t = (struct transition_topic *)task;

	if (t->moved.state != SQL_DONE)
		return rpc_sql_failed(task, &t->moved);
	if (t->moved.rows == 0)
		return rpc_fail(task, CAUSERIE__CODE__CONFLICT, "another version came first");

	outbox_wake(service_here()->outbox);
	fetch_topic(task, &t->after, t->ask->id);
	return task_then(answer);
}

static struct step answer(struct task *task)
{
	return reply_topic(task, &((struct transition_topic *)task)->after);
}
