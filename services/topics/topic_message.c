/*
 * topic_message.c - rows of topics as messages, with what this viewer must not see left out.
 */
#include "topics.h"

#include "lib/arena.h"

#define OPINIONS_SHOWN_FROM 5

#define NEW(arena, type, message_init)                                                             \
	((type *)arena_copy((arena), &(type)message_init, sizeof(type)))

bool opinions_visible(uint32_t total)
{
	return total >= OPINIONS_SHOWN_FROM;
}

Causerie__OpinionCounts *opinion_counts(struct arena *arena, const struct sql_slot *slot)
{
	Causerie__OpinionCounts *counts =
		NEW(arena, Causerie__OpinionCounts, CAUSERIE__OPINION_COUNTS__INIT);

	counts->total = (uint32_t)sql_get_integer(slot, 0, "opinions");
	counts->hidden = !opinions_visible(counts->total);
	if (!counts->hidden)
		sql_fill(arena, &counts->base, slot, 0);
	return counts;
}

static Causerie__Recording *recording(struct task *task, const struct sql_slot *slot)
{
	Causerie__Recording *recording;
	const struct viewer *viewer = &task->context.viewer;

	if (sql_is_null(slot, 0, "place_name"))
		return NULL;
	recording = NEW(&task->arena, Causerie__Recording, CAUSERIE__RECORDING__INIT);
	sql_fill(&task->arena, &recording->base, slot, 0);
	if (recording->address_private && !is_organizer(viewer) &&
	    !sql_get_flag(slot, 0, "on_panel"))
		recording->address = arena_strdup(&task->arena, "");
	return recording;
}

static Causerie__Video *video(struct arena *arena, const struct topic_rows *rows)
{
	Causerie__Video *video;

	if (sql_is_null(&rows->topic, 0, "duration_seconds"))
		return NULL;
	video = NEW(arena, Causerie__Video, CAUSERIE__VIDEO__INIT);
	sql_fill(arena, &video->base, &rows->topic, 0);
	video->chapters = (Causerie__Chapter **)sql_fill_all(arena, &causerie__chapter__descriptor,
							     &rows->chapters, &video->n_chapters);
	return video;
}

static void set_rights(struct task *task, Causerie__Topic *topic)
{
	const struct viewer *viewer = &task->context.viewer;
	const Causerie__TopicState state = topic->summary->state;
	const uint64_t proposer = topic->summary->proposer_id;

	topic->may_edit = may_edit(state, proposer, viewer);
	topic->accepts_opinions = accepts_opinions(state);
	topic->accepts_comments = accepts_comments(state);
	topic->may_become = ARENA_ARRAY(&task->arena, Causerie__TopicState, 14);
	for (int to = CAUSERIE__TOPIC_STATE__DRAFT; to <= CAUSERIE__TOPIC_STATE__ARCHIVED; to++)
		if (may_transition(state, (Causerie__TopicState)to, proposer, viewer))
			topic->may_become[topic->n_may_become++] = (Causerie__TopicState)to;
}

Causerie__Topic *topic_from_rows(struct task *task, const struct topic_rows *rows)
{
	const struct sql_slot *slot = &rows->topic;
	struct arena *arena = &task->arena;
	Causerie__Topic *topic;

	if (slot->rows == 0)
		return NULL;
	topic = NEW(arena, Causerie__Topic, CAUSERIE__TOPIC__INIT);
	topic->summary = NEW(arena, Causerie__TopicSummary, CAUSERIE__TOPIC_SUMMARY__INIT);
	sql_fill(arena, &topic->summary->base, slot, 0);
	if (!may_see(topic->summary, &task->context.viewer))
		return NULL;

	sql_fill(arena, &topic->base, slot, 0);
	topic->opinions = opinion_counts(arena, slot);
	topic->recording = recording(task, slot);
	topic->video = video(arena, rows);
	set_rights(task, topic);
	return topic;
}
