/*
 * keep.c - the snapshot on disk: read at start, written now and then by a child.
 *
 * With the index go the places in the streams from which to go on: those where last nothing that
 * events had named was missing (refresh.c). On a busy site something always is, and the index is
 * further than its places; then some events are heard again, which does no harm. The child is a
 * copy of this process at one moment; it writes and ends, and the loop goes on. The
 * larger the index, the longer until the next: events are replayed fast, and a disk
 * has other things to do.
 */
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "related/recommender.h"
#include "related/snapshot.h"

enum {
	LOOK_MS = 200,              /* at a child that writes */
	WRITTEN_BYTES_PER_MS = 4000 /* on average, 4 MB/s */
};

static struct event *timer;
static pid_t child;
static uint64_t saved_epoch; /* of the engine, when the last snapshot was taken */

static uint64_t epoch_now(void)
{
	struct engine_stats stats;

	engine_stats(recommender.engine, &stats);
	return stats.epoch;
}

bool keep_load(struct stream_place places[STREAMS])
{
	struct engine *engine = NULL;
	struct engine_stats stats = {0};
	int status = -ENOENT;

	if (settings.snapshot_ms > 0) {
		snapshot_sweep(settings.snapshot);
		status = load_engine(settings.snapshot, places, &engine);
	}
	if (status == 0)
		engine_stats(engine, &stats);
	if (status == 0 && stats.refused > 0) {
		/* Something was left out for want of memory: there may be more of it now. */
		engine_free(engine);
		return false;
	}
	if (status < 0) {
		if (status != -ENOENT)
			log_warn(NULL, "related.snapshot_refused", "path=%s why=%s",
				 settings.snapshot, strerror(-status));
		return false;
	}
	recommender.engine = engine;
	saved_epoch = stats.epoch;
	log_info(NULL, "related.loaded", "topics=%llu comments=%llu bytes=%llu",
		 (unsigned long long)stats.topics, (unsigned long long)stats.comments,
		 (unsigned long long)stats.bytes);
	return true;
}

/* Is there something new? */
static bool worth_saving(void)
{
	return recommender.engine != NULL && !recommender.rebuilding && follow_started() &&
	       epoch_now() != saved_epoch;
}

static int save(void)
{
	struct stream_place places[STREAMS];

	follow_places(places);
	return snapshot_save(recommender.engine, settings.snapshot, places, sizeof places);
}

static void arm(int64_t ms)
{
	const struct timeval in = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(timer, &in);
}

static void say_failed(const char *why)
{
	log_warn(NULL, "related.snapshot_failed", "path=%s why=%s do=%s", settings.snapshot, why,
		 "see that the folder of CAUSERIE_RELATED_SNAPSHOT is there, may be written to "
		 "and has room; until then a restart reads everything again");
}

static void start_child(void)
{
	uint64_t epoch = epoch_now();

	child = fork();
	if (child == 0)
		_exit(-save());
	if (child < 0)
		say_failed(strerror(errno));
	else
		saved_epoch = epoch;
}

/* A snapshot that failed is tried again at its next turn, changed or not. */
static void look_at_child(void)
{
	int status = 0;

	if (waitpid(child, &status, WNOHANG) != child)
		return;
	child = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	say_failed(WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : strsignal(WTERMSIG(status)));
	saved_epoch = UINT64_MAX;
}

/* Until the next snapshot. */
static int64_t pause_ms(void)
{
	struct engine_stats stats = {0};
	int64_t ms = 0;

	if (recommender.engine != NULL)
		engine_stats(recommender.engine, &stats);
	ms = (int64_t)(stats.bytes / WRITTEN_BYTES_PER_MS);
	return ms > settings.snapshot_ms ? ms : settings.snapshot_ms;
}

static void on_timer(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	(void)argument;
	if (child > 0)
		look_at_child();
	else if (worth_saving())
		start_child();
	arm(child > 0 ? LOOK_MS : pause_ms());
}

void keep_start(void)
{
	if (settings.snapshot_ms == 0)
		return;
	timer = evtimer_new(service_here()->loop, on_timer, NULL);
	arm(settings.snapshot_ms);
}

void keep_stop(void)
{
	int status = 0;

	if (timer == NULL)
		return;
	event_free(timer);
	timer = NULL;
	if (child > 0)
		(void)waitpid(child, NULL, 0);
	if (worth_saving())
		status = save();
	if (status < 0)
		say_failed(strerror(-status));
}
