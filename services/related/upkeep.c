/*
 * upkeep.c - the engine's background work, half a millisecond at a time.
 *
 * While there is work, a slice and a pause take turns, so that questions and
 * events are never held up for longer than a slice. When there is none, it looks
 * whether the engine had to refuse something, and says so once.
 */
#include <event2/event.h>

#include "lib/log.h"
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

static struct engine_stats figures(void)
{
	struct engine_stats stats = {0};

	if (recommender.engine != NULL)
		engine_stats(recommender.engine, &stats);
	return stats;
}

/* Merges may have given some memory back since. */
static const char *advice(const struct engine_stats *stats)
{
	const uint64_t limit = (uint64_t)settings.memory << 20;

	if (stats->bytes >= limit / 4 * 3)
		return "raise CAUSERIE_RELATED_MEMORY and restart, then everything is read again; "
		       "until then what is new is missing from the lists of related topics";
	return "nothing: a topic has more comments than fit its record, the later ones do not "
	       "count";
}

/* Once; and once more after the index was built anew. */
static void report_refusals(void)
{
	static bool reported;
	const struct engine_stats stats = figures();

	if (stats.refused > 0 && !reported)
		log_error(NULL, "related.full", "refused=%llu topics=%llu bytes=%llu do=%s",
			  (unsigned long long)stats.refused, (unsigned long long)stats.topics,
			  (unsigned long long)stats.bytes, advice(&stats));
	reported = stats.refused > 0;
}

static void work(evutil_socket_t nothing, short events, void *argument)
{
	bool more = recommender.engine != NULL && engine_work(recommender.engine, SLICE_US);

	(void)nothing;
	(void)events;
	(void)argument;
	if (!more)
		report_refusals();
	arm(more ? BUSY_MS : IDLE_MS);
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
