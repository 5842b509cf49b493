/*
 * recommender.c - the one engine of this process.
 */
#include "related/recommender.h"

struct recommender_settings settings;
struct recommender recommender;

struct engine *new_engine(void)
{
	return engine_new(&(struct engine_settings){
		.memory_limit = (size_t)settings.memory << 20,
		.public_url = service_here()->public_url,
	});
}
