/*
 * main.c - causerie-related: topics that may have to do with one another, and why.
 *
 * Its index lives in memory and follows topics and comments. At start it
 * comes from a snapshot, or else from its owners, and answers meanwhile with what is there.
 * With --evaluate CORPUS QUERIES the same engine answers from files, see evaluate.h.
 */
#include <stdio.h>
#include <string.h>

#include "comments.pb-c.h"
#include "lib/config.h"
#include "related/evaluate.h"
#include "related/recommender.h"
#include "topics.pb-c.h"

static const struct setting table[] = {
	SETTING_INTEGER("CAUSERIE_RELATED_MEMORY", "2048", &settings.memory, 1, 1 << 20,
			"MiB that the index may take; beyond it changes are refused"),
	SETTING_TEXT("CAUSERIE_RELATED_SNAPSHOT", "var/related.snapshot", &settings.snapshot,
		     "file in which the index outlives a restart", NULL),
	SETTING_DURATION(
		"CAUSERIE_RELATED_SNAPSHOT_EVERY", "60s", &settings.snapshot_ms, 0, 86400000,
		"how often it is written when something changed, a large one less often; 0: never"),
	{0},
};

static Causerie__Related_Service related = CAUSERIE__RELATED__INIT(related_);
static ProtobufCService *const services[] = {&related.base, NULL};

static const char *start(const struct service_context *here)
{
	struct stream_place places[STREAMS];

	(void)here;
	recommender.topics = service_client("topics", &causerie__topics__descriptor);
	recommender.comments = service_client("comments", &causerie__comments__descriptor);
	upkeep_start();
	keep_start();
	if (keep_load(places))
		follow_start(places);
	else
		rebuild_start(follow_start);
	return NULL;
}

static const char *ready(void)
{
	return recommender.engine == NULL || recommender.rebuilding ? "the index is being rebuilt"
								    : NULL;
}

static void stop(void)
{
	keep_stop();
	follow_stop();
	refresh_stop();
	rebuild_stop();
	upkeep_stop();
	engine_free(recommender.engine);
	forgotten_free();
}

/* An evaluation is no daemon: it has no settings, no key and no peers. */
static int judge(int argc, char **argv)
{
	if (argc == 4)
		return evaluate(argv[2], argv[3], stdout, stderr);
	fputs("causerie-related: --evaluate CORPUS.jsonl QUERIES.jsonl > RUN\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const struct service service = {
		.name = "related",
		.description = "topics that may have to do with one another, and why",
		.settings = table,
		.rpc = services,
		.start = start,
		.ready = ready,
		.stop = stop,
	};

	if (argc > 1 && strcmp(argv[1], "--evaluate") == 0)
		return judge(argc, argv);
	return service_main(argc, argv, &service);
}
