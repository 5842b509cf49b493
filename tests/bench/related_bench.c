/*
 * related_bench.c - how fast the recommender is, how large, and how Xapian compares in the same
 * run.
 *
 *     related_bench TOPICS short|replies [xapian] [portable]
 *
 * Topics are generated. Half of the words are stop words; the others are drawn from a
 * Zipf-Mandelbrot distribution fitted to the demo site's texts: offset 20, exponent 1.3.
 * short: a title and some 60 words; replies: a title, 150 words, and on average 3 comments of 50.
 * Xapian gets the same stems with the same frequencies, and is asked the same 40 terms for its
 * ten best; the recommender's figure is its whole answer: search, reranking, diversity, reasons.
 */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "related/engine.h"
#include "related/engine_state.h"
#include "related/query.h"
#include "related/slice.h"
#include "related_xapian.h"

enum { VOCABULARY = 150000, PEOPLE = 50000, QUESTIONS = 2000, XAPIAN_QUESTIONS = 300 };

static const char *const stop_words[] = {"le",  "la",  "de",   "et",  "les",  "des",  "un",
					 "une", "the", "of",   "and", "to",   "dans", "est",
					 "que", "qui", "pour", "sur", "avec", "ne"};

static uint64_t seed = 1;

static double uniform(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(uniform() * limit);
}

/* Inverse of the distribution function of 1 / (rank + 20)^1.3. */
static uint32_t word_rank(void)
{
	const double offset = 20, power = 1 - 1.3;
	double low = pow(offset, power), high = pow(VOCABULARY + offset, power);
	double rank = pow(low + uniform() * (high - low), 1 / power) - offset;

	return rank < VOCABULARY ? (uint32_t)rank : VOCABULARY - 1;
}

/* A word of its own for each rank, in syllables that no stemmer knows as an ending. */
static char *write_word(char *to, uint32_t rank)
{
	static const char consonants[] = "bdfgklmnpvz", vowels[] = "aou";

	do {
		*to++ = consonants[rank % 11];
		rank /= 11;
		*to++ = vowels[rank % 3];
		rank /= 3;
	} while (rank > 0);
	*to++ = 'k';
	*to++ = ' ';
	return to;
}

static void write_text(char *to, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++) {
		if (below(2) == 0)
			to += sprintf(to, "%s ", stop_words[below(20)]);
		else
			to = write_word(to, word_rank());
	}
	*to = '\0';
}

static uint32_t about(uint32_t words)
{
	return words / 2 + below(words + 1);
}

static size_t resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	if (file == NULL || fscanf(file, "%*u %zu", &pages) != 1)
		abort();
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

struct times {
	double *us;
	size_t count;
};

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double percentile(struct times *times, double share)
{
	qsort(times->us, times->count, sizeof *times->us, compare);
	return times->us[(size_t)((double)(times->count - 1) * share)];
}

/* Processor time: what else the machine is doing does not count, for us or for the peer. */
static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void note(struct times *times, int64_t began_ns)
{
	times->us[times->count++] = (double)(clock_ns() - began_ns) / 1000;
}

static struct times new_times(size_t room)
{
	return (struct times){calloc(room, sizeof(double)), 0};
}

/* --- a site --- */

static int64_t engine_ns; /* inside the engine, without the generator */
static uint64_t text_bytes, comments;

static void put_topic(struct engine *engine, uint64_t id, uint32_t version, bool replies)
{
	static char title[256], article[8192];
	int64_t began = 0;

	write_text(title, about(9));
	write_text(article, about(replies ? 150 : 60));
	text_bytes += strlen(title) + strlen(article);
	began = clock_ns();
	engine_put_topic(engine, &(struct engine_topic){.id = id,
							.version = version,
							.visible_to = AUDIENCE_PUBLIC,
							.created_at = (int64_t)id * 600 * 1000000,
							.author = 1 + below(PEOPLE),
							.title = title,
							.article = article,
							.language = "fr"});
	engine_ns += clock_ns() - began;
}

static void put_comment(struct engine *engine, uint64_t topic_id)
{
	static char body[4096];
	int64_t began = 0;

	write_text(body, about(50));
	text_bytes += strlen(body);
	began = clock_ns();
	engine_put_comment(engine,
			   &(struct engine_comment){.topic_id = topic_id,
						    .id = ++comments,
						    .version = 1,
						    .author = 1 + below(PEOPLE),
						    .created_at = (int64_t)topic_id * 600 * 1000000,
						    .body = body});
	engine_ns += clock_ns() - began;
}

static double build(struct engine *engine, uint32_t topics, bool replies)
{
	int64_t began = 0;

	engine_bulk(engine, true);
	for (uint64_t id = 1; id <= topics; id++) {
		put_topic(engine, id, 1, replies);
		for (uint32_t n = replies ? below(7) : 0; n > 0; n--)
			put_comment(engine, id);
	}
	began = clock_ns();
	engine_bulk(engine, false);
	engine_settle(engine);
	engine_ns += clock_ns() - began;
	return (double)engine_ns / 1e9;
}

static void ask(struct engine *engine, uint64_t topic_id, struct times *times)
{
	static struct related_list list;
	struct arena arena = {0};
	int64_t began = clock_ns();

	if (engine_related(engine,
			   &(struct engine_question){.topic_id = topic_id,
						     .limit = 5,
						     .audience = AUDIENCE_PUBLIC,
						     .min_confidence = ENGINE_PAGE_CONFIDENCE,
						     .most_by_author = ENGINE_PAGE_BY_AUTHOR},
			   &arena, &list) < 0)
		abort();
	arena_free(&arena);
	note(times, began);
}

/* Only the search: 40 terms, the ten best, as the other engine is asked. */
static void ask_search(struct engine *engine, uint64_t topic_id, struct times *times)
{
	static struct query query;
	static struct search search;
	static struct idset nothing;
	int64_t began = clock_ns();

	bag_clear(&query.bag, engine->corpus.dictionary.n_terms);
	bag_read(&query.bag, &engine->corpus.topics[corpus_find(&engine->corpus, topic_id)].record);
	query_weigh(&query, &engine->corpus);
	search.terms = query.terms;
	search.n_terms = query.n_terms;
	search.audience = AUDIENCE_PUBLIC;
	search.excluded = &nothing;
	search.limit = 10;
	search_run(engine->searcher, &engine->corpus, engine->index, &search);
	note(times, began);
}

/* --- the peer --- */

static const char *stem(const struct engine *engine, uint32_t term)
{
	return engine->corpus.dictionary.pool + engine->corpus.dictionary.terms[term].stem + 1;
}

static unsigned frequency(const struct bag_entry *entry)
{
	return 3U * entry->tf[FIELD_TITLE] + entry->tf[FIELD_BODY] + entry->tf[FIELD_REPLIES];
}

static double build_xapian(struct engine *engine, uint32_t topics)
{
	static struct bag bag;
	int64_t took = 0;

	for (uint64_t id = 1; id <= topics; id++) {
		int64_t began = 0;

		bag_clear(&bag, engine->corpus.dictionary.n_terms);
		bag_read(&bag, &engine->corpus.topics[corpus_find(&engine->corpus, id)].record);
		began = clock_ns();
		xapian_begin();
		for (uint32_t i = 0; i < bag.count; i++)
			xapian_add(stem(engine, bag.entries[i].term), frequency(&bag.entries[i]));
		xapian_end((unsigned)id);
		took += clock_ns() - began;
	}
	took -= clock_ns();
	xapian_commit();
	took += clock_ns();
	return (double)took / 1e9;
}

static void ask_xapian(struct engine *engine, uint64_t topic_id, struct times *times)
{
	static struct query query;
	const char *terms[QUERY_TERMS];
	int64_t began = 0;

	bag_clear(&query.bag, engine->corpus.dictionary.n_terms);
	bag_read(&query.bag, &engine->corpus.topics[corpus_find(&engine->corpus, topic_id)].record);
	query_weigh(&query, &engine->corpus);
	for (uint32_t i = 0; i < query.n_terms; i++)
		terms[i] = stem(engine, query.terms[i].term);
	began = clock_ns();
	xapian_ask(terms, query.n_terms);
	note(times, began);
}

static void compare_xapian(struct engine *engine, uint32_t topics, double our_seconds,
			   double our_p50)
{
	struct times times = new_times(XAPIAN_QUESTIONS);
	double seconds = 0, p50 = 0;

	xapian_open();
	seconds = build_xapian(engine, topics);
	for (int i = 0; i < XAPIAN_QUESTIONS; i++)
		ask_xapian(engine, 1 + below(topics), &times);
	p50 = percentile(&times, .5);
	printf("xapian build      %8.1f s  %8.0f topics/s   ours is %.1f x as fast\n", seconds,
	       topics / seconds, seconds / our_seconds);
	printf("xapian p50 / p99  %8.3f ms %8.3f ms        ours is %.0f x as fast\n", p50 / 1000,
	       percentile(&times, .99) / 1000, p50 / our_p50);
	xapian_close();
	free(times.us);
}

/* --- while events arrive --- */

/* 1,000 changes a second, background work between, as the daemon's loop does it. */
static void answer_under_changes(struct engine *engine, uint32_t topics, bool replies)
{
	struct times answers = new_times(QUESTIONS * 4), changes = new_times(20000),
		     slices = new_times(200000);
	int64_t began = clock_ns(), next = began;
	uint64_t changed = 0;

	while (clock_ns() - began < 5000000000 && answers.count < QUESTIONS * 4) {
		if (clock_ns() >= next) {
			int64_t before = engine_ns;

			if (changed % 2 == 0 || !replies)
				put_topic(engine, 1 + below(topics), (uint32_t)changed + 2,
					  replies);
			else
				put_comment(engine, 1 + below(topics));
			changes.us[changes.count++] = (double)(engine_ns - before) / 1000;
			changed++;
			next += 1000000;
		}
		ask(engine, 1 + below(topics), &answers);
		int64_t slice = clock_ns();

		(void)engine_work(engine, 300);
		note(&slices, slice);
	}
	printf("under %4.0f changes/s: p50 %.3f ms p99 %.3f ms; change p50 %.0f us p99 %.0f us; "
	       "slice p99 "
	       "%.2f ms max %.2f ms\n",
	       (double)changed * 1e9 / (double)(clock_ns() - began),
	       percentile(&answers, .5) / 1000, percentile(&answers, .99) / 1000,
	       percentile(&changes, .5), percentile(&changes, .99), percentile(&slices, .99) / 1000,
	       percentile(&slices, 1) / 1000);
	free(answers.us);
	free(changes.us);
	free(slices.us);
}

/* How many changes a second can be taken in when nothing else is to be done (a replay). */
static void replay(struct engine *engine, uint32_t topics, bool replies)
{
	int64_t began = 0, before = 0;
	uint32_t count = 20000;

	engine_settle(engine);
	began = clock_ns();
	before = engine_ns;
	for (uint32_t i = 0; i < count; i++) {
		put_topic(engine, 1 + below(topics), 1000000 + i, replies);
		while (i % 64 == 0 && engine_work(engine, 3000))
			;
	}
	(void)before;
	printf("replay            %8.0f topic events/s (generator included)\n",
	       count * 1e9 / (double)(clock_ns() - began));
}

int main(int argc, char **argv)
{
	uint32_t topics = argc > 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	bool replies = argc > 2 && strcmp(argv[2], "replies") == 0, xapian = false;
	struct engine_settings settings = {0};
	struct engine *engine = NULL;
	struct engine_stats stats;
	struct times answers = new_times(QUESTIONS), searches = new_times(QUESTIONS);
	size_t before = 0;
	double seconds = 0, p50 = 0;

	if (topics == 0) {
		fputs("usage: related_bench TOPICS short|replies [xapian] [portable]\n", stderr);
		return 1;
	}
	for (int i = 3; i < argc; i++) {
		xapian |= strcmp(argv[i], "xapian") == 0;
		settings.portable |= strcmp(argv[i], "portable") == 0;
	}
	before = resident();
	engine = engine_new(&settings);
	seconds = build(engine, topics, replies);
	malloc_trim(0);
	engine_stats(engine, &stats);
	printf("topics            %8u    comments %llu, terms %llu, text %.0f MB\n", topics,
	       (unsigned long long)stats.comments, (unsigned long long)stats.terms,
	       (double)text_bytes / 1e6);
	printf("build             %8.1f s  %8.0f topics/s   %.0f MB/s of text\n", seconds,
	       topics / seconds, (double)text_bytes / 1e6 / seconds);
	printf("memory            %8.0f MB %8.0f B/topic    (counted %.0f MB)\n",
	       (double)(resident() - before) / 1e6, (double)(resident() - before) / topics,
	       (double)stats.bytes / 1e6);

	for (int i = 0; i < 100; i++)
		ask(engine, 1 + below(topics), &answers);
	answers.count = 0;
	for (int i = 0; i < QUESTIONS; i++)
		ask(engine, 1 + below(topics), &answers);
	for (int i = 0; i < QUESTIONS; i++)
		ask_search(engine, 1 + below(topics), &searches);
	p50 = percentile(&answers, .5);
	printf("answer p50 / p99  %8.3f ms %8.3f ms\n", p50 / 1000,
	       percentile(&answers, .99) / 1000);
	printf("search p50 / p99  %8.3f ms %8.3f ms        (40 terms, ten best, nothing else)\n",
	       percentile(&searches, .5) / 1000, percentile(&searches, .99) / 1000);
	if (xapian)
		compare_xapian(engine, topics, seconds, p50);
	answer_under_changes(engine, topics, replies);
	replay(engine, topics, replies);
	engine_free(engine);
	free(answers.us);
	free(searches.us);
	return 0;
}
