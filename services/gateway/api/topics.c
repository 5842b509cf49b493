/*
 * topics.c - /api/v1/topics and /taxonomies.
 */
#include "gateway/api/api.h"
#include "topics.pb-c.h"

const struct api_call api_list_topics = {
	.name = "list_topics",
	.summary = "Topics that the viewer may see; with q a search.",
	.service = "topics",
	.rpc = "ListTopics",
	.query = "state=states format expertise q=query order cursor limit proposer_id language",
	.items = "topics",
	.status = 200,
};

static void say_where(struct api_visit *a)
{
	const Causerie__Topic *topic = (const Causerie__Topic *)a->answer.message;

	visit_field(&a->visit, "Location",
		    arena_printf(&a->visit.task.arena, "/api/v1/topics/%llu",
				 (unsigned long long)(topic->summary ? topic->summary->id : 0)));
}

const struct api_call api_create_topic = {
	.name = "create_topic",
	.summary = "A new topic: a draft, or with submit proposed at once.",
	.service = "topics",
	.rpc = "CreateTopic",
	.body = "title lead article format treatment expertises language place submit",
	.status = 201,
	.answered = say_where,
};

const struct api_call api_get_topic = {
	.name = "get_topic",
	.summary = "One topic, whole.",
	.service = "topics",
	.rpc = "GetTopic",
	.status = 200,
};

const struct api_call api_edit_topic = {
	.name = "edit_topic",
	.summary = "Changes what is given; version is the one that was read.",
	.service = "topics",
	.rpc = "EditTopic",
	.body = "version title lead article format treatment expertises language place reason",
	.names_set = true,
	.unset = "version reason",
	.status = 200,
	.fresh = "GetTopic",
};

const struct api_call api_transition_topic = {
	.name = "transition_topic",
	.summary = "Moves a topic to another state.",
	.service = "topics",
	.rpc = "TransitionTopic",
	.body = "to version reason reason_private recording video target_id",
	.status = 200,
	.fresh = "GetTopic",
};

const struct api_call api_topic_history = {
	.name = "topic_history",
	.summary = "Transitions and versions of a topic, oldest first.",
	.service = "topics",
	.rpc = "GetTopicHistory",
	.items = "entries",
	.status = 200,
};

const struct api_call api_taxonomies = {
	.name = "taxonomies",
	.summary = "Formats, treatments and expertises, with their labels.",
	.service = "topics",
	.rpc = "ListTaxonomies",
	.status = 200,
};
