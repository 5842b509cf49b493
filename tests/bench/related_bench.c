/*
 * related_bench.c - how fast the recommender is, how large, and how Xapian compares in the same
 * run.
 *
 *     related_bench TOPICS short|replies|demo [xapian] [portable]
 *
 * Topics are generated (related_site.h). Xapian gets the same stems with the same frequencies,
 * and is asked the same 40 terms for its ten best; the recommender's figure is its whole answer:
 * search, reranking, diversity, reasons. Both take turns with the same questions, and each
 * figure is that of the best of five rounds. Times are processor time: what else the machine is
 * doing does not count, for us or for the peer.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/arena.h"
#include "related/engine.h"
#include "related/engine_state.h"
#include "related/query.h"
#include "related/snapshot.h"
#include "related_site.h"
#include "related_xapian.h"

enum {
	ROUNDS = 5,
	QUESTIONS = 1000,       /* a round */
	XAPIAN_QUESTIONS = 200, /* the first of them */
	EVENTS_PER_SECOND = 1000,
	QUESTIONS_PER_SECOND = 100,
	SECONDS = 20,   /* of either load */
	SLICE_US = 500, /* as upkeep.c works */
	SLICE_EVERY_US = 1000,
	NEW_TOPICS = 500, /* looked for until they are found */
	REPLAYED = 20000,
};

struct times {
	double *us;
	size_t count, room;
};

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void note_us(struct times *times, double us)
{
	if (times->count == times->room) {
		times->room = times->room * 2 + 1024;
		times->us = reallocarray(times->us, times->room, sizeof *times->us);
		if (times->us == NULL)
			abort();
	}
	times->us[times->count++] = us;
}

static void note(struct times *times, int64_t began_ns)
{
	note_us(times, (double)(clock_ns() - began_ns) / 1000);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* In milliseconds. */
static double percentile(struct times *times, double share)
{
	if (times->count == 0)
		return 0;
	qsort(times->us, times->count, sizeof *times->us, compare);
	return times->us[(size_t)((double)(times->count - 1) * share)] / 1000;
}

/* Resident memory, from /proc/self/status: "RssAnon", "RssFile". */
static double resident_mb(const char *kind)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	double kb = 0;

	if (file == NULL)
		abort();
	while (fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, kind, strlen(kind)) == 0)
			kb = strtod(line + strlen(kind) + 1, NULL);
	fclose(file);
	return kb * 1024 / 1e6;
}

/* --- a site --- */

struct bench {
	const struct site_kind *kind;
	struct engine_settings settings;
	struct engine *engine;
	uint32_t topics;
	int64_t engine_ns; /* inside the engine, without the generator */
	uint64_t text_bytes, comments;
	double build_seconds, p50;
};

/* Its texts stay until the next one is drawn. */
static struct engine_topic draw_topic(struct bench *b, uint64_t id, uint32_t version)
{
	struct engine_topic topic = {.id = id,
				     .version = version,
				     .visible_to = AUDIENCE_PUBLIC,
				     .created_at = (int64_t)id * 600 * 1000000,
				     .title = site_title(b->kind),
				     .article = site_article(b->kind),
				     .language = "fr"};

	topic.author = site_person();
	b->text_bytes += strlen(topic.title) + strlen(topic.article);
	return topic;
}

static struct engine_comment draw_comment(struct bench *b, uint64_t topic_id)
{
	struct engine_comment comment = {.topic_id = topic_id,
					 .id = ++b->comments,
					 .version = 1,
					 .created_at = (int64_t)topic_id * 600 * 1000000,
					 .body = site_comment(b->kind)};

	comment.author = site_person();
	b->text_bytes += strlen(comment.body);
	return comment;
}

static void put_topic(struct bench *b, uint64_t id, uint32_t version)
{
	struct engine_topic topic = draw_topic(b, id, version);
	int64_t began = clock_ns();

	engine_put_topic(b->engine, &topic);
	b->engine_ns += clock_ns() - began;
}

static void put_comment(struct bench *b, uint64_t topic_id)
{
	struct engine_comment comment = draw_comment(b, topic_id);
	int64_t began = clock_ns();

	engine_put_comment(b->engine, &comment);
	b->engine_ns += clock_ns() - began;
}

/*
 * A topic with its comments is timed as one, as the peer's document is: else asking for the time,
 * a system call for each comment, would count as ours.
 */
static void build_topic(struct bench *b, uint64_t id)
{
	struct engine_topic topic = draw_topic(b, id, 1);
	uint32_t count = site_discussion(b->kind);
	struct engine_comment *comments = NULL;
	struct arena arena = {0};
	int64_t began = 0;

	comments = ARENA_ARRAY(&arena, struct engine_comment, count);
	for (uint32_t i = 0; i < count; i++) {
		comments[i] = draw_comment(b, id);
		comments[i].body = arena_strdup(&arena, comments[i].body);
	}
	began = clock_ns();
	engine_put_topic(b->engine, &topic);
	for (uint32_t i = 0; i < count; i++)
		engine_put_comment(b->engine, &comments[i]);
	b->engine_ns += clock_ns() - began;
	arena_free(&arena);
}

static void build(struct bench *b)
{
	int64_t began = 0;

	engine_bulk(b->engine, true);
	for (uint64_t id = 1; id <= b->topics; id++)
		build_topic(b, id);
	began = clock_ns();
	engine_bulk(b->engine, false);
	engine_settle(b->engine);
	b->engine_ns += clock_ns() - began;
	b->build_seconds = (double)b->engine_ns / 1e9;
}

static void measure_build(struct bench *b)
{
	struct engine_stats stats;
	double before = resident_mb("RssAnon"), mb = 0;

	build(b);
	malloc_trim(0);
	mb = resident_mb("RssAnon") - before;
	engine_stats(b->engine, &stats);
	printf("topics            %8u    comments %llu, terms %llu, text %.0f MB\n", b->topics,
	       (unsigned long long)stats.comments, (unsigned long long)stats.terms,
	       (double)b->text_bytes / 1e6);
	printf("build             %8.1f s  %8.0f topics/s   %.0f MB/s of text\n", b->build_seconds,
	       b->topics / b->build_seconds, (double)b->text_bytes / 1e6 / b->build_seconds);
	printf("memory            %8.0f MB %8.0f B/topic    (counted %.0f MB)\n", mb,
	       mb * 1e6 / b->topics, (double)stats.bytes / 1e6);
}

/* --- questions --- */

static uint64_t any_topic(const struct bench *b)
{
	return 1 + site_draw(b->topics);
}

static void ask_for(struct bench *b, uint64_t topic_id, uint32_t limit, struct related_list *list)
{
	struct arena arena = {0};

	if (engine_related(b->engine,
			   &(struct engine_question){.topic_id = topic_id,
						     .limit = limit,
						     .audience = AUDIENCE_PUBLIC,
						     .min_confidence = ENGINE_PAGE_CONFIDENCE,
						     .most_by_author = ENGINE_PAGE_BY_AUTHOR},
			   &arena, list) < 0)
		abort();
	arena_free(&arena);
}

static void ask(struct bench *b, uint64_t topic_id)
{
	static struct related_list list;

	ask_for(b, topic_id, 5, &list);
}

static const struct query *query_of(struct bench *b, uint64_t topic_id)
{
	static struct query query;
	const struct corpus *c = &b->engine->corpus;

	bag_clear(&query.bag);
	bag_read(&query.bag, &c->topics[corpus_find(c, topic_id)].record);
	query_weigh(&query, c);
	return &query;
}

/* Only the search: 40 terms, the ten best, as the other engine is asked. */
static void ask_search(struct bench *b, uint64_t topic_id)
{
	static struct search search;
	static struct idset nothing;
	const struct query *query = query_of(b, topic_id);

	search.terms = query->terms;
	search.n_terms = query->n_terms;
	search.audience = AUDIENCE_PUBLIC;
	search.excluded = &nothing;
	search.limit = 10;
	search_run(b->engine->searcher, &b->engine->corpus, b->engine->index, &search);
}

/* --- the peer --- */

static const char *stem(const struct bench *b, uint32_t term)
{
	const struct dictionary *d = &b->engine->corpus.dictionary;

	return d->pool + d->terms[term].stem + 1;
}

static unsigned frequency(const struct bag_entry *entry)
{
	return 3U * entry->tf[FIELD_TITLE] + entry->tf[FIELD_BODY] + entry->tf[FIELD_REPLIES];
}

static void build_xapian(struct bench *b)
{
	static struct bag bag;
	const struct corpus *c = &b->engine->corpus;
	int64_t took = 0;

	xapian_open();
	for (uint64_t id = 1; id <= b->topics; id++) {
		int64_t began = 0;

		bag_clear(&bag);
		bag_read(&bag, &c->topics[corpus_find(c, id)].record);
		began = clock_ns();
		xapian_begin();
		for (uint32_t i = 0; i < bag.count; i++)
			xapian_add(stem(b, bag.entries[i].term), frequency(&bag.entries[i]));
		xapian_end((unsigned)id);
		took += clock_ns() - began;
	}
	took -= clock_ns();
	xapian_commit();
	took += clock_ns();
	printf("xapian build      %8.1f s  %8.0f topics/s   ours is %.1f x as fast\n",
	       (double)took / 1e9, b->topics / ((double)took / 1e9),
	       (double)took / 1e9 / b->build_seconds);
}

static void ask_xapian(struct bench *b, uint64_t topic_id, struct times *times)
{
	const struct query *query = query_of(b, topic_id);
	const char *terms[QUERY_TERMS];
	int64_t began = 0;

	for (uint32_t i = 0; i < query->n_terms; i++)
		terms[i] = stem(b, query->terms[i].term);
	began = clock_ns();
	xapian_ask(terms, query->n_terms);
	note(times, began);
}

/* --- rounds --- */

struct best {
	double p50, p99;
};

static void keep_best(struct best *best, struct times *times)
{
	double p50 = percentile(times, .5), p99 = percentile(times, .99);

	best->p50 = best->p50 == 0 || p50 < best->p50 ? p50 : best->p50;
	best->p99 = best->p99 == 0 || p99 < best->p99 ? p99 : best->p99;
	times->count = 0;
}

static void ask_all(struct bench *b, const uint64_t questions[QUESTIONS],
		    void (*how)(struct bench *, uint64_t), struct best *best)
{
	struct times times = {0};

	for (int i = 0; i < QUESTIONS; i++) {
		int64_t began = clock_ns();

		how(b, questions[i]);
		note(&times, began);
	}
	keep_best(best, &times);
	free(times.us);
}

static void ask_xapian_all(struct bench *b, const uint64_t questions[QUESTIONS], struct best *best)
{
	struct times times = {0};

	for (int i = 0; i < XAPIAN_QUESTIONS; i++)
		ask_xapian(b, questions[i], &times);
	keep_best(best, &times);
	free(times.us);
}

static void measure_answers(struct bench *b, bool xapian)
{
	static uint64_t questions[QUESTIONS];
	struct best answers = {0}, searches = {0}, peer = {0};

	for (int i = 0; i < QUESTIONS; i++)
		questions[i] = any_topic(b);
	for (int round = 0; round < ROUNDS; round++) {
		if (xapian)
			ask_xapian_all(b, questions, &peer);
		ask_all(b, questions, ask, &answers);
		ask_all(b, questions, ask_search, &searches);
	}
	b->p50 = answers.p50;
	printf("answer p50 / p99  %8.3f ms %8.3f ms\n", answers.p50, answers.p99);
	printf("search p50 / p99  %8.3f ms %8.3f ms        (40 terms, ten best, nothing else)\n",
	       searches.p50, searches.p99);
	if (xapian)
		printf("xapian p50 / p99  %8.3f ms %8.3f ms        ours is %.0f x as fast\n",
		       peer.p50, peer.p99, peer.p50 / b->p50);
}

/* --- while events arrive --- */

/*
 * One loop, as the daemon's: events, questions and background work are due at their times, and
 * whoever is due waits until the loop is free.
 */
struct load {
	struct times answers, changes, slices;
	double event_due, question_due, slice_due; /* us */
	uint32_t version;
};

static void change(struct bench *b, struct load *load)
{
	int64_t before = b->engine_ns;

	if (b->kind->comments > 0 && load->version % 2 == 0)
		put_comment(b, any_topic(b));
	else
		put_topic(b, any_topic(b), load->version);
	load->version++;
	note_us(&load->changes, (double)(b->engine_ns - before) / 1000);
}

static void slice(struct bench *b, struct load *load)
{
	int64_t began = clock_ns();

	if (engine_work(b->engine, SLICE_US))
		note(&load->slices, began);
}

/* Time stands still while the generator writes. */
static void run_load(struct bench *b, struct load *load, bool events)
{
	double now = 0;

	while (now < SECONDS * 1e6) {
		int64_t began = clock_ns(), busy = b->engine_ns;

		if (events && load->event_due <= now) {
			change(b, load);
			now += (double)(b->engine_ns - busy) / 1000;
			load->event_due += 1e6 / EVENTS_PER_SECOND;
		} else if (load->question_due <= now) {
			ask(b, any_topic(b));
			now += (double)(clock_ns() - began) / 1000;
			note_us(&load->answers, now - load->question_due);
			load->question_due +=
				1e6 / QUESTIONS_PER_SECOND * (.5 + site_draw(1000) / 1000.0);
		} else if (load->slice_due <= now) {
			slice(b, load);
			now += (double)(clock_ns() - began) / 1000;
			load->slice_due = now + SLICE_EVERY_US;
		} else {
			now += 10;
		}
	}
}

static void measure_load(struct bench *b)
{
	struct load quiet = {0}, busy = {.version = 1000};

	run_load(b, &quiet, false);
	run_load(b, &busy, true);
	printf("quiet    p50 / p99 %7.3f ms %8.3f ms        waiting included\n",
	       percentile(&quiet.answers, .5), percentile(&quiet.answers, .99));
	printf("changing p50 / p99 %7.3f ms %8.3f ms        %d events/s applied meanwhile\n",
	       percentile(&busy.answers, .5), percentile(&busy.answers, .99), EVENTS_PER_SECOND);
	printf("change   p50 / p99 %7.3f ms %8.3f ms\n", percentile(&busy.changes, .5),
	       percentile(&busy.changes, .99));
	printf("slice    p99 / max %7.3f ms %8.3f ms\n", percentile(&busy.slices, .99),
	       percentile(&busy.slices, 1));
	free(quiet.answers.us);
	free(busy.answers.us);
	free(busy.changes.us);
	free(busy.slices.us);
}

static bool lists(const struct related_list *list, uint64_t id)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].topic_id == id)
			return true;
	return false;
}

static bool finds(struct bench *b, uint64_t id, uint64_t twin)
{
	static struct related_list list;

	ask_for(b, id, MOST_RELATED, &list);
	return lists(&list, twin);
}

/* Two new topics with the same words: from the second's event until the first finds it. */
static void measure_visible(struct bench *b)
{
	struct times times = {0};

	for (uint32_t i = 0; i < NEW_TOPICS; i++) {
		uint64_t id = b->topics + 1 + 2ULL * i;
		char title[512], article[16384];
		int64_t began = 0;

		snprintf(title, sizeof title, "%s", site_title(b->kind));
		snprintf(article, sizeof article, "%s", site_article(b->kind));
		for (uint64_t twin = id; twin <= id + 1; twin++) {
			began = clock_ns();
			engine_put_topic(b->engine,
					 &(struct engine_topic){.id = twin,
								.version = 1,
								.visible_to = AUDIENCE_PUBLIC,
								.created_at = 1,
								.title = title,
								.article = article});
		}
		while (!finds(b, id, id + 1))
			(void)engine_work(b->engine, SLICE_US);
		note(&times, began);
	}
	printf("visible  p50 / max %7.3f ms %8.3f ms        from a topic's event to its first "
	       "answer\n",
	       percentile(&times, .5), percentile(&times, 1));
	free(times.us);
}

/* How many changes a second can be taken in when nothing else is to be done. */
static void measure_replay(struct bench *b)
{
	struct times slices = {0};
	int64_t before = 0;

	engine_settle(b->engine);
	before = b->engine_ns;
	for (uint32_t i = 0; i < REPLAYED; i++) {
		put_topic(b, any_topic(b), 1000000 + i);
		for (bool more = i % 64 == 0; more;) {
			int64_t began = clock_ns();

			more = engine_work(b->engine, SLICE_US);
			b->engine_ns += clock_ns() - began;
			note(&slices, began);
		}
	}
	printf("replay            %8.0f topic events/s        slice max %.2f ms\n",
	       REPLAYED * 1e9 / (double)(b->engine_ns - before), percentile(&slices, 1));
	free(slices.us);
}

/* --- a restart --- */

static double wall_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double file_mb(const char *path)
{
	struct stat about;

	return stat(path, &about) < 0 ? 0 : (double)about.st_size / 1e6;
}

static void measure_restart(struct bench *b)
{
	char folder[] = "/tmp/related_bench.XXXXXX", path[64];
	double began = wall_seconds(), before = 0;
	int64_t began_ns = 0;
	char place[8] = "";

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/snapshot", folder);
	if (snapshot_save(b->engine, path, place, sizeof place) < 0)
		abort();
	printf("snapshot          %8.2f s to write %.0f MB\n", wall_seconds() - began,
	       file_mb(path));
	engine_free(b->engine);
	malloc_trim(0);
	before = resident_mb("RssAnon");
	began = wall_seconds();
	began_ns = clock_ns();
	if (snapshot_load(&b->settings, path, place, sizeof place, &b->engine) < 0)
		abort();
	ask(b, any_topic(b));
	printf("restart           %8.2f s of processor time to the first answer (%.2f s on the "
	       "clock), "
	       "%.0f MB of its own, %.0f MB mapped\n",
	       (double)(clock_ns() - began_ns) / 1e9, wall_seconds() - began,
	       resident_mb("RssAnon") - before, resident_mb("RssFile"));
	unlink(path);
	rmdir(folder);
}

int main(int argc, char **argv)
{
	struct bench b = {.topics = argc > 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0};
	bool xapian = false;

	if (b.topics == 0 || (b.kind = site_kind(argv[2])) == NULL) {
		fputs("usage: related_bench TOPICS short|replies|demo [xapian] [portable]\n",
		      stderr);
		return 1;
	}
	for (int i = 3; i < argc; i++) {
		xapian |= strcmp(argv[i], "xapian") == 0;
		b.settings.portable |= strcmp(argv[i], "portable") == 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	b.engine = engine_new(&b.settings);
	measure_build(&b);
	if (xapian)
		build_xapian(&b);
	measure_answers(&b, xapian);
	if (xapian)
		xapian_close();
	measure_restart(&b);
	measure_load(&b);
	measure_visible(&b);
	measure_replay(&b);
	engine_free(b.engine);
	return 0;
}
