/*
 * upkeep.c - the engine's background work, half a millisecond at a time.
 *
 * While there is work, a slice and a pause take turns, so that questions and
 * events are never held up for longer than a slice.
 */
#include <event2/event.h>

#include "lib/metrics.h"
#include "related/recommender.h"

enum {
	SLICE_US = 500, /* as long as an answer takes: 1 in 100 may wait for it, and no longer */
	BUSY_MS = 1,    /* pause between slices while there is work */
	IDLE_MS = 250,
};

static struct event *timer;

static void arm(int ms)
{
	const struct timeval in = {0, ms * 1000};

	evtimer_add(timer, &in);
}

static void work(evutil_socket_t nothing, short events, void *argument)
{
	bool more = recommender.engine != NULL && engine_work(recommender.engine, SLICE_US);

	(void)nothing;
	(void)events;
	(void)argument;
	arm(more ? BUSY_MS : IDLE_MS);
}

static struct engine_stats figures(void)
{
	struct engine_stats stats = {0};

	if (recommender.engine != NULL)
		engine_stats(recommender.engine, &stats);
	return stats;
}

static double topics_known(void)
{
	return (double)figures().topics;
}

static double bytes_taken(void)
{
	return (double)figures().bytes;
}

static double changes_refused(void)
{
	return (double)figures().refused;
}

static struct metric gauges[] = {
	{.name = "causerie_related_topics",
	 .labels = "",
	 .help = "Topics in the index",
	 .kind = METRIC_IS_GAUGE,
	 .read = topics_known},
	{.name = "causerie_related_bytes",
	 .labels = "",
	 .help = "Memory of the index",
	 .kind = METRIC_IS_GAUGE,
	 .read = bytes_taken},
	{.name = "causerie_related_refused",
	 .labels = "",
	 .help = "Changes refused at the memory limit",
	 .kind = METRIC_IS_GAUGE,
	 .read = changes_refused},
};

void upkeep_start(void)
{
	for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
		metric_register(&gauges[i]);
	timer = evtimer_new(service_here()->loop, work, NULL);
	arm(IDLE_MS);
}

void upkeep_stop(void)
{
	if (timer != NULL)
		event_free(timer);
	timer = NULL;
}
