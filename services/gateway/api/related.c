/*
 * related.c - /api/v1/topics/{id}/related: what may have to do with a topic, and why.
 */
#include "gateway/api/api.h"

const struct api_call api_list_related = {
	.name = "list_related",
	.summary = "Related topics, best first, each with its reasons; maybe none.",
	.service = "related",
	.rpc = "ListRelated",
	.query = "limit",
	.items = "topics",
	.status = 200,
	.guard = API_TOPIC,
};
