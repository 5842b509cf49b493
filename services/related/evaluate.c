/*
 * evaluate.c - reads corpus and queries line by line, and writes the run.
 */
#include "related/evaluate.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "related/engine.h"
#include "related/instant.h"
#include "related/memory.h"
#include "related/names.h"
#include "related/slice.h"

enum { RUN_LINES = 20 };

/* What an unseen topic is called while it asks; numbers of names never come so far. */
#define ASKING_ID ((uint64_t)1 << 62)

struct evaluation {
	struct engine *engine;
	struct names topics, people, seen; /* seen: topics that the corpus has */
	FILE *run, *errors;
	const char *path; /* of the file being read */
	size_t line;
	const char *wrong; /* with the present line; NULL: nothing */
	uint64_t documents, comments;
	uint32_t asking; /* version of the unseen topic that asked last */
	int64_t build_us;
	int64_t *took; /* microseconds of each query */
	size_t n_took, took_room;
};

static bool is_given(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value != NULL && !json_is_null(value);
}

/* --- fields; each notes what is wrong and gives something harmless --- */

static const char *text_field(struct evaluation *ev, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value == NULL || json_is_null(value))
		return NULL;
	if (!json_is_string(value))
		ev->wrong = key;
	return json_string_value(value);
}

/* Ids may be numbers or text; in a run they may hold no blank. */
static const char *id_text(struct evaluation *ev, const json_t *value, const char *key,
			   struct arena *arena)
{
	const char *text = NULL;

	if (value == NULL || json_is_null(value))
		return NULL;
	if (json_is_integer(value))
		return arena_printf(arena, "%lld", (long long)json_integer_value(value));
	text = json_string_value(value);
	if (text == NULL || *text == '\0' || strpbrk(text, " \t\r\n") != NULL) {
		ev->wrong = key;
		return NULL;
	}
	return text;
}

static const char *id_field(struct evaluation *ev, const json_t *object, const char *key,
			    struct arena *arena)
{
	return id_text(ev, json_object_get(object, key), key, arena);
}

static uint64_t person_field(struct evaluation *ev, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	char number[32];

	if (value == NULL || json_is_null(value))
		return 0;
	if (json_is_integer(value)) {
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
		return names_add(&ev->people, number);
	}
	if (!json_is_string(value)) {
		ev->wrong = key;
		return 0;
	}
	return *json_string_value(value) == '\0' ? 0
						 : names_add(&ev->people, json_string_value(value));
}

static int64_t time_field(struct evaluation *ev, const json_t *object, const char *key,
			  int64_t fallback)
{
	const json_t *value = json_object_get(object, key);
	int64_t us = fallback;

	if (value == NULL || json_is_null(value))
		return fallback;
	if (json_is_number(value) && json_number_value(value) >= 0 &&
	    json_number_value(value) < 4e9)
		return (int64_t)(json_number_value(value) * 1e6);
	if (json_is_string(value) && *json_string_value(value) == '\0')
		return fallback;
	if (!json_is_string(value) || !instant_read(json_string_value(value), &us))
		ev->wrong = key;
	return us;
}

static bool flag_field(struct evaluation *ev, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_null(value) && !json_is_boolean(value))
		ev->wrong = key;
	return json_is_true(value);
}

static const json_t *list_field(struct evaluation *ev, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_null(value) && !json_is_array(value))
		ev->wrong = key;
	return json_is_array(value) ? value : NULL;
}

static const char *const *read_labels(struct evaluation *ev, const json_t *object, size_t *count,
				      struct arena *arena)
{
	const json_t *list = list_field(ev, object, "expertises");
	const char **labels = ARENA_ARRAY(arena, const char *, json_array_size(list));

	*count = json_array_size(list);
	for (size_t i = 0; i < *count; i++) {
		labels[i] = json_string_value(json_array_get(list, i));
		if (labels[i] == NULL)
			ev->wrong = "expertises";
	}
	return labels;
}

static const uint64_t *read_links(struct evaluation *ev, const json_t *object, size_t *count,
				  struct arena *arena)
{
	const json_t *list = list_field(ev, object, "links");
	uint64_t *links = ARENA_ARRAY(arena, uint64_t, json_array_size(list));

	*count = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *id = id_text(ev, json_array_get(list, i), "links", arena);

		if (id != NULL)
			links[(*count)++] = names_add(&ev->topics, id);
	}
	return links;
}

static void read_topic(struct evaluation *ev, const json_t *object, struct engine_topic *topic,
		       struct arena *arena)
{
	topic->version = 1;
	topic->visible_to = AUDIENCE_PUBLIC;
	topic->title = text_field(ev, object, "title");
	topic->lead = text_field(ev, object, "lead");
	topic->article = text_field(ev, object, "article");
	topic->language = text_field(ev, object, "language");
	topic->author = person_field(ev, object, "author");
	topic->created_at = time_field(ev, object, "created_at", 0);
	topic->expertises = read_labels(ev, object, &topic->n_expertises, arena);
	topic->links = read_links(ev, object, &topic->n_links, arena);
}

/* --- corpus --- */

/* What is beyond the engine's limits it refuses and counts, as in the daemon: no line is broken by
 * it. */
static void read_comments(struct evaluation *ev, const json_t *object,
			  const struct engine_topic *topic)
{
	const json_t *list = list_field(ev, object, "comments");

	for (size_t i = 0; i < json_array_size(list) && ev->wrong == NULL; i++) {
		const json_t *item = json_array_get(list, i);
		struct engine_comment comment = {
			.topic_id = topic->id,
			.id = ++ev->comments,
			.version = 1,
			.author = person_field(ev, item, "author"),
			.created_at = time_field(ev, item, "created_at", topic->created_at),
			.body = text_field(ev, item, "body"),
		};

		if (!json_is_object(item))
			ev->wrong = "comments";
		else if (ev->wrong == NULL)
			(void)engine_put_comment(ev->engine, &comment);
	}
}

static void read_opinions(struct evaluation *ev, const json_t *object,
			  const struct engine_topic *topic)
{
	const json_t *list = list_field(ev, object, "opinions");

	for (size_t i = 0; i < json_array_size(list) && ev->wrong == NULL; i++) {
		const json_t *item = json_array_get(list, i);
		uint64_t person = person_field(ev, item, "author");

		if (!json_is_object(item))
			ev->wrong = "opinions";
		else if (ev->wrong == NULL)
			(void)engine_put_opinion(ev->engine, topic->id, person, true);
	}
}

static void read_document(struct evaluation *ev, const json_t *object)
{
	struct arena arena = {0};
	struct engine_topic topic = {0};
	const char *id = id_field(ev, object, "id", &arena);
	int64_t began = 0;

	if (id == NULL || names_find(&ev->seen, id) != 0)
		ev->wrong = id == NULL ? "id" : "id: it was there before";
	read_topic(ev, object, &topic, &arena);
	if (ev->wrong == NULL) {
		(void)names_add(&ev->seen, id);
		topic.id = names_add(&ev->topics, id);
		began = slice_clock_us();
		(void)engine_put_topic(ev->engine, &topic);
		read_comments(ev, object, &topic);
		read_opinions(ev, object, &topic);
		ev->build_us += slice_clock_us() - began;
		ev->documents++;
	}
	arena_free(&arena);
}

static void settle(struct evaluation *ev)
{
	int64_t began = slice_clock_us();

	engine_bulk(ev->engine, false);
	engine_settle(ev->engine);
	ev->build_us += slice_clock_us() - began;
}

/* --- queries --- */

static const uint64_t *read_candidates(struct evaluation *ev, const json_t *object, size_t *count,
				       struct arena *arena)
{
	const json_t *list = list_field(ev, object, "candidates");
	uint64_t *only = ARENA_ARRAY(arena, uint64_t, json_array_size(list) + 1);

	*count = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *id = id_text(ev, json_array_get(list, i), "candidates", arena);
		uint64_t number = id == NULL ? 0 : names_find(&ev->topics, id);

		if (number != 0)
			only[(*count)++] = number;
	}
	return list == NULL ? NULL : only;
}

static void answer(struct evaluation *ev, const char *qid, const struct engine_question *question,
		   struct arena *arena)
{
	struct related_list *list = ARENA_NEW(arena, struct related_list);
	int64_t began = slice_clock_us();

	if (engine_related(ev->engine, question, arena, list) < 0) {
		ev->wrong = "id: the corpus does not have it";
		return;
	}
	MEMORY_GROW(ev->took, ev->took_room, ev->n_took + 1);
	ev->took[ev->n_took++] = slice_clock_us() - began;
	for (uint32_t i = 0; i < list->count; i++)
		fprintf(ev->run, "%s Q0 %s %u %.6f causerie\n", qid,
			names_text(&ev->topics, list->items[i].topic_id), i + 1,
			list->items[i].rank);
}

/* Has the line a text of its own? */
static bool has_text(const json_t *object)
{
	static const char *const fields[] = {"title", "lead", "article", "expertises"};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (is_given(object, fields[i]))
			return true;
	return false;
}

/*
 * An unseen topic that was discussed asks as a topic of the corpus would, and leaves again. In
 * bulk it gets no place, so that nothing finds it and the index stays as it is.
 */
static void answer_discussed(struct evaluation *ev, const json_t *object, const char *qid,
			     struct engine_question *question, struct arena *arena)
{
	struct engine_topic topic = *question->text;

	topic.id = question->topic_id = ASKING_ID;
	topic.version = ++ev->asking;
	engine_bulk(ev->engine, true);
	(void)engine_put_topic(ev->engine, &topic);
	read_comments(ev, object, &topic);
	read_opinions(ev, object, &topic);
	if (ev->wrong == NULL)
		answer(ev, qid, question, arena);
	engine_remove_topic(ev->engine, topic.id, ++ev->asking);
}

static bool was_discussed(const json_t *object)
{
	return is_given(object, "comments") || is_given(object, "opinions");
}

static void read_query(struct evaluation *ev, const json_t *object)
{
	struct arena arena = {0};
	struct engine_topic text = {0};
	struct engine_question question = {.limit = RUN_LINES, .audience = AUDIENCE_PUBLIC};
	const char *qid = id_field(ev, object, "qid", &arena);
	const char *id = id_field(ev, object, "id", &arena);
	bool known = id != NULL && names_find(&ev->seen, id) != 0;

	if (qid == NULL)
		ev->wrong = "qid";
	else if (!known && !has_text(object))
		ev->wrong = id == NULL ? "id" : "id: the corpus does not have it";
	question.as_new = flag_field(ev, object, "as_new");
	question.text_only = flag_field(ev, object, "text_only");
	question.only = read_candidates(ev, object, &question.n_only, &arena);
	if (known) {
		question.topic_id = names_find(&ev->topics, id);
	} else {
		read_topic(ev, object, &text, &arena);
		question.text = &text;
	}
	if (ev->wrong == NULL && !known && !question.as_new && was_discussed(object))
		answer_discussed(ev, object, qid, &question, &arena);
	else if (ev->wrong == NULL)
		answer(ev, qid, &question, &arena);
	arena_free(&arena);
}

/* --- files --- */

static int complain(const struct evaluation *ev, const char *wrong)
{
	fprintf(ev->errors, "%s:%zu: %s\n", ev->path, ev->line, wrong);
	return -1;
}

static int read_line(struct evaluation *ev, const char *line, size_t size,
		     void (*read)(struct evaluation *, const json_t *))
{
	json_error_t error;
	json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);

	ev->wrong = NULL;
	if (object == NULL)
		return complain(ev, error.text);
	if (json_is_object(object))
		read(ev, object);
	else
		ev->wrong = "a line is one JSON object";
	json_decref(object);
	return ev->wrong == NULL ? 0 : complain(ev, ev->wrong);
}

static int read_file(struct evaluation *ev, const char *path,
		     void (*read)(struct evaluation *, const json_t *))
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t size = 0;
	int status = 0;

	ev->path = path;
	ev->line = 0;
	if (file == NULL)
		return complain(ev, strerror(errno));
	while (status == 0 && (size = getline(&line, &room, file)) >= 0) {
		ev->line++;
		status = read_line(ev, line, (size_t)size, read);
	}
	if (status == 0 && ferror(file))
		status = complain(ev, strerror(errno));
	free(line);
	fclose(file);
	return status;
}

/* --- figures --- */

static int compare_times(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

static int64_t percentile(const struct evaluation *ev, size_t percent)
{
	return ev->n_took == 0 ? 0 : ev->took[(ev->n_took - 1) * percent / 100];
}

static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long long pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*u %llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void print_figures(struct evaluation *ev)
{
	double seconds = (double)ev->build_us / 1e6;
	struct engine_stats stats;

	engine_stats(ev->engine, &stats);
	if (ev->n_took > 0)
		qsort(ev->took, ev->n_took, sizeof *ev->took, compare_times);
	fprintf(ev->errors,
		"{\"documents\": %llu, \"build_seconds\": %.3f, \"documents_per_second\": %.0f, "
		"\"resident_bytes\": %llu, \"refused\": %llu, \"queries\": %zu, "
		"\"query_p50_us\": %lld, \"query_p99_us\": %lld}\n",
		(unsigned long long)ev->documents, seconds,
		seconds > 0 ? (double)ev->documents / seconds : 0,
		(unsigned long long)resident_bytes(), (unsigned long long)stats.refused, ev->n_took,
		(long long)percentile(ev, 50), (long long)percentile(ev, 99));
}

/* A full disk would leave half a run that looks like a whole one. */
static int finish_run(const struct evaluation *ev)
{
	if (fflush(ev->run) == 0 && !ferror(ev->run))
		return 0;
	fprintf(ev->errors, "the run cannot be written: %s\n", strerror(errno));
	return -1;
}

int evaluate(const char *corpus, const char *queries, FILE *run, FILE *errors)
{
	struct evaluation ev = {
		.engine = engine_new(&(struct engine_settings){0}), .run = run, .errors = errors};
	int status = 0;

	engine_bulk(ev.engine, true);
	status = read_file(&ev, corpus, read_document);
	if (status == 0) {
		settle(&ev);
		status = read_file(&ev, queries, read_query);
	}
	if (status == 0)
		status = finish_run(&ev);
	if (status == 0)
		print_figures(&ev);
	engine_free(ev.engine);
	names_free(&ev.topics);
	names_free(&ev.people);
	names_free(&ev.seen);
	free(ev.took);
	return status == 0 ? 0 : 1;
}
