/*
 * related.c - /api/v1/topics/{id}/related: what may have to do with a topic, and why; and what
 * organizers say to it.
 */
#include "gateway/api/api.h"
#include "related.pb-c.h"

/* Only organizers are told; the recommender looks who asks. */
static void ask_for_parts(struct api_visit *a)
{
	((Causerie__ListRelatedRequest *)a->ask)->explain = true;
}

const struct api_call api_list_related = {
	.name = "list_related",
	.summary =
		"Related topics, best first, each with its reasons; maybe none. Organizers get the "
		"parts of each score, and with everything also what the page leaves out.",
	.service = "related",
	.rpc = "ListRelated",
	.query = "limit everything",
	.items = "topics",
	.status = 200,
	.guard = API_TOPIC,
	.prepare = ask_for_parts,
};

const struct api_call api_pair_topics = {
	.name = "pair_topics",
	.summary =
		"Pins a topic first among another's related ones, or bans it from them; both ways. "
		"For organizers.",
	.service = "topics",
	.rpc = "PairTopics",
	.body = "pairing",
	.status = 200,
};

const struct api_call api_unpair_topics = {
	.name = "unpair_topics",
	.summary = "Takes back what was said about two topics; for organizers.",
	.service = "topics",
	.rpc = "UnpairTopics",
	.status = 204,
};

const struct api_call api_list_pairs = {
	.name = "list_pairs",
	.summary = "What is pinned and banned, by whom and since when; for organizers.",
	.service = "topics",
	.rpc = "ListPairs",
	.items = "pairs",
	.status = 200,
};
