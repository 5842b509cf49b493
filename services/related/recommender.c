/*
 * recommender.c - the one engine of this process.
 */
#include "related/recommender.h"

#include "related/snapshot.h"

struct recommender_settings settings;
struct recommender recommender;

static struct engine_settings engine_limits(void)
{
	return (struct engine_settings){
		.memory_limit = (size_t)settings.memory << 20,
		.public_url = service_here()->public_url,
	};
}

struct engine *new_engine(void)
{
	const struct engine_settings limits = engine_limits();

	return engine_new(&limits);
}

int load_engine(const char *path, struct stream_place places[STREAMS], struct engine **engine)
{
	const struct engine_settings limits = engine_limits();

	return snapshot_load(&limits, path, places, STREAMS * sizeof *places, engine);
}
