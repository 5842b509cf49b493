/*
 * lifecycle.c - the states of a topic as tables: what they allow, who may move them where.
 *
 *   draft -> proposed -> open -> shortlisted -> scheduled -> recorded -> published
 *
 * with side exits. A transition that is not in the table does not exist; what a
 * transition needs besides (a reason, a date) is checked where it is made.
 *
 * Who sees a topic is not a matter of its state alone: the road widens it, a side exit never does.
 *
 *   draft                  its author
 *   proposed               and organizers
 *   open ... published     everybody
 *   withdrawn              those who saw it, the public no longer: a draft stays its author's alone
 *   declined               those who saw it: the public only if it had been open
 *   archived and the rest  those who saw it
 *
 * The database keeps that beside the state (topics.seen_by, migration 0008), and everything that
 * shows, lists or announces a topic goes by it.
 */
#include "topics.h"

#define STATES 14

#define DRAFT       CAUSERIE__TOPIC_STATE__DRAFT
#define PROPOSED    CAUSERIE__TOPIC_STATE__PROPOSED
#define OPEN        CAUSERIE__TOPIC_STATE__OPEN
#define SHORTLISTED CAUSERIE__TOPIC_STATE__SHORTLISTED
#define SCHEDULED   CAUSERIE__TOPIC_STATE__SCHEDULED
#define RECORDED    CAUSERIE__TOPIC_STATE__RECORDED
#define PUBLISHED   CAUSERIE__TOPIC_STATE__PUBLISHED
#define WITHDRAWN   CAUSERIE__TOPIC_STATE__WITHDRAWN
#define DECLINED    CAUSERIE__TOPIC_STATE__DECLINED
#define MERGED      CAUSERIE__TOPIC_STATE__MERGED
#define CANCELLED   CAUSERIE__TOPIC_STATE__CANCELLED
#define NOT_AIRED   CAUSERIE__TOPIC_STATE__NOT_AIRED
#define ARCHIVED    CAUSERIE__TOPIC_STATE__ARCHIVED

static const struct state {
	const char *name;
	bool listed, opinions, comments;
	bool proposer_edits; /* while it is theirs; organizers may edit wherever it is alive */
	bool organizer_edits;
} states[STATES] = {
	[DRAFT] = {"draft", .proposer_edits = true},
	[PROPOSED] = {"proposed", .proposer_edits = true, .organizer_edits = true},
	[OPEN] = {"open", true, true, true, true, true},
	[SHORTLISTED] = {"shortlisted", true, true, true, false, true},
	[SCHEDULED] = {"scheduled", true, true, true, false, true},
	[RECORDED] = {"recorded", true, true, true, false, true},
	[PUBLISHED] = {"published", true, true, true, false, true},
	[WITHDRAWN] = {"withdrawn"},
	[DECLINED] = {"declined"},
	[MERGED] = {"merged"},
	[CANCELLED] = {"cancelled", false, true, true},
	[NOT_AIRED] = {"not_aired", false, true, true},
	[ARCHIVED] = {"archived"},
};

enum moved_by { THE_PROPOSER = 1, AN_ORGANIZER = 2 };

static const struct transition {
	Causerie__TopicState from, to;
	enum moved_by by;
} transitions[] = {
	{DRAFT, PROPOSED, THE_PROPOSER},        {PROPOSED, OPEN, AN_ORGANIZER},
	{PROPOSED, DECLINED, AN_ORGANIZER},     {OPEN, SHORTLISTED, AN_ORGANIZER},
	{OPEN, DECLINED, AN_ORGANIZER},         {OPEN, MERGED, AN_ORGANIZER},
	{SHORTLISTED, SCHEDULED, AN_ORGANIZER}, {SHORTLISTED, DECLINED, AN_ORGANIZER},
	{SCHEDULED, RECORDED, AN_ORGANIZER},    {SCHEDULED, SHORTLISTED, AN_ORGANIZER},
	{SCHEDULED, CANCELLED, AN_ORGANIZER},   {RECORDED, PUBLISHED, AN_ORGANIZER},
	{RECORDED, NOT_AIRED, AN_ORGANIZER},    {DRAFT, WITHDRAWN, THE_PROPOSER},
	{PROPOSED, WITHDRAWN, THE_PROPOSER},    {OPEN, WITHDRAWN, THE_PROPOSER},
	{SHORTLISTED, WITHDRAWN, THE_PROPOSER}, {PUBLISHED, ARCHIVED, AN_ORGANIZER},
	{WITHDRAWN, ARCHIVED, AN_ORGANIZER},    {DECLINED, ARCHIVED, AN_ORGANIZER},
	{CANCELLED, ARCHIVED, AN_ORGANIZER},    {NOT_AIRED, ARCHIVED, AN_ORGANIZER},
};

bool is_organizer(const struct viewer *viewer)
{
	return (viewer->roles & CAUSERIE__ROLE__ROLE_ORGANIZER) != 0;
}

static bool is_proposer(uint64_t proposer_id, const struct viewer *viewer)
{
	return viewer->account_id != 0 && viewer->account_id == proposer_id;
}

bool is_public(const Causerie__TopicSummary *topic)
{
	return topic->seen_by == CAUSERIE__SEEN_BY__SEEN_BY_EVERYBODY;
}

bool may_see(const Causerie__TopicSummary *topic, const struct viewer *viewer)
{
	return is_public(topic) || is_proposer(topic->proposer_id, viewer) ||
	       (topic->seen_by == CAUSERIE__SEEN_BY__SEEN_BY_ORGANIZERS && is_organizer(viewer));
}

struct sql_param seen_in_lists(struct arena *arena, const struct viewer *viewer, bool own)
{
	char *seen[] = {"everybody", "organizers", "proposer"};

	return sql_texts(arena, seen, own ? 3 : is_organizer(viewer) ? 2 : 1);
}

bool may_edit(Causerie__TopicState state, uint64_t proposer_id, const struct viewer *viewer)
{
	return (states[state].proposer_edits && is_proposer(proposer_id, viewer)) ||
	       (states[state].organizer_edits && is_organizer(viewer));
}

bool may_transition(Causerie__TopicState from, Causerie__TopicState to, uint64_t proposer_id,
		    const struct viewer *viewer)
{
	for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
		if (transitions[i].from == from && transitions[i].to == to)
			return transitions[i].by == THE_PROPOSER ? is_proposer(proposer_id, viewer)
								 : is_organizer(viewer);
	return false;
}

bool accepts_opinions(Causerie__TopicState state)
{
	return states[state].opinions;
}

bool accepts_comments(Causerie__TopicState state)
{
	return states[state].comments;
}

const char *state_name(Causerie__TopicState state)
{
	return states[state].name;
}

struct sql_param state_names(struct arena *arena, const Causerie__TopicState *wanted, size_t n)
{
	char **names = ARENA_ARRAY(arena, char *, n);

	for (size_t i = 0; i < n; i++)
		names[i] = arena_strdup(arena, states[wanted[i]].name);
	return sql_texts(arena, names, n);
}

struct sql_param listed_states(struct arena *arena)
{
	Causerie__TopicState listed[STATES];
	size_t n = 0;

	for (size_t state = 1; state < STATES; state++)
		if (states[state].listed)
			listed[n++] = (Causerie__TopicState)state;
	return state_names(arena, listed, n);
}
