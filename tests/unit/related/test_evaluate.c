/*
 * test_evaluate.c - runs over small files whose outcome is known.
 */
#include "sentences.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "related/evaluate.h"
#include "related/instant.h"

struct outcome {
	int status;
	char run[4096], errors[1024];
};

static const char corpus[] =
	"{\"id\": \"a\", \"title\": \"Vélo en ville\", \"article\": \"pistes cyclables\", "
	"\"author\": \"u1\","
	" \"created_at\": \"2024-01-10T00:00:00Z\"}\n"
	"{\"id\": \"b\", \"title\": \"Pistes cyclables\", \"author\": \"u2\", \"created_at\": "
	"\"2024-01-11\","
	" \"links\": [\"c\"]}\n"
	"{\"id\": \"c\", \"title\": \"Tomates au jardin\", \"created_at\": \"2024-01-01\", "
	"\"comments\": ["
	"{\"author\": \"u1\", \"body\": \"à vélo\", \"created_at\": \"2024-01-05\"},"
	"{\"author\": \"u2\", \"body\": \"semis et récolte\", \"created_at\": \"2024-02-01\"}]}\n"
	"{\"id\": \"d\", \"title\": \"Récolte de miel\", \"created_at\": \"2024-01-10\"}\n";

static void write_file(char path[32], const char *text)
{
	FILE *file = NULL;

	strcpy(path, "/tmp/evaluate.XXXXXX");
	file = fdopen(mkstemp(path), "w");
	fputs(text, file);
	fclose(file);
}

static void read_all(FILE *file, char *text, size_t room)
{
	rewind(file);
	text[fread(text, 1, room - 1, file)] = '\0';
	fclose(file);
}

static struct outcome run(const char *corpus_text, const char *queries_text)
{
	struct outcome outcome;
	char corpus_path[32], queries_path[32];
	FILE *out = tmpfile(), *errors = tmpfile();

	write_file(corpus_path, corpus_text);
	write_file(queries_path, queries_text);
	outcome.status = evaluate(corpus_path, queries_path, out, errors);
	read_all(out, outcome.run, sizeof outcome.run);
	read_all(errors, outcome.errors, sizeof outcome.errors);
	unlink(corpus_path);
	unlink(queries_path);
	return outcome;
}

/* "qid docid" of a line of the run. */
static void assert_line(const struct outcome *outcome, unsigned number, const char *expected)
{
	const char *line = outcome->run;
	char qid[32], docid[32], found[80];
	unsigned rank = 0;
	double score = 0;

	for (; number > 0; number--)
		line = strchr(line, '\n') + 1;
	assert_int_equal(sscanf(line, "%31s Q0 %31s %u %lf causerie", qid, docid, &rank, &score),
			 4);
	snprintf(found, sizeof found, "%s %s %u", qid, docid, rank);
	assert_string_equal(found, expected);
}

static unsigned lines(const struct outcome *outcome)
{
	unsigned count = 0;

	for (const char *c = outcome->run; *c != '\0'; c++)
		count += *c == '\n';
	return count;
}

static void a_topic_of_the_corpus_is_answered_without_itself(void **state)
{
	struct outcome outcome = run(corpus, "{\"qid\": \"1\", \"id\": \"a\"}\n");

	(void)state;
	assert_int_equal(outcome.status, 0);
	assert_int_equal(lines(&outcome), 2);
	assert_line(&outcome, 0, "1 b 1");
	assert_line(&outcome, 1, "1 c 2");
	assert_null(strstr(outcome.run, " a "));
	assert_non_null(strstr(outcome.errors, "\"documents\": 4"));
	assert_non_null(strstr(outcome.errors, "\"query_p99_us\""));
}

/* On its first day c has no comment yet, and d's one link is younger than it. */
static void as_new_nothing_younger_is_used(void **state)
{
	struct outcome later = run(corpus, "{\"qid\": \"1\", \"id\": \"d\"}\n");
	struct outcome first = run(corpus, "{\"qid\": \"1\", \"id\": \"d\", \"as_new\": true}\n");
	struct outcome own = run(corpus, "{\"qid\": \"1\", \"id\": \"c\", \"as_new\": true}\n");

	(void)state;
	assert_line(&later, 0, "1 c 1");
	assert_int_equal(lines(&first), 0);
	assert_int_equal(lines(&own), 0);
}

static void a_whole_unseen_text_is_answered(void **state)
{
	struct outcome outcome = run(corpus, "{\"qid\": \"x\", \"title\": \"Le miel\"}\n");

	(void)state;
	assert_int_equal(lines(&outcome), 1);
	assert_line(&outcome, 0, "x d 1");
}

static void a_text_may_be_a_lead_or_expertises_alone(void **state)
{
	struct outcome lead = run(corpus, "{\"qid\": \"x\", \"lead\": \"Le miel\"}\n");
	struct outcome label = run("{\"id\": \"a\", \"expertises\": [\"Miel\"]}\n",
				   "{\"qid\": \"y\", \"expertises\": [\"miel\"]}\n");

	(void)state;
	assert_int_equal(lines(&lead), 1);
	assert_line(&lead, 0, "x d 1");
	assert_int_equal(lines(&label), 1);
	assert_line(&label, 0, "y a 1");
}

static const char twins[] = "{\"id\": \"a\", \"title\": \"Vélo\"}\n"
			    "{\"id\": \"b\", \"title\": \"Vélo\", \"comments\": [{\"author\": "
			    "\"u1\"}, {\"author\": \"u2\"}]}\n"
			    "{\"id\": \"c\", \"title\": \"Vélo\", \"comments\": [{\"author\": "
			    "\"u3\"}, {\"author\": \"u4\"}], \"opinions\": [{\"author\": \"u4\"}, "
			    "{\"author\": \"u5\"}, {\"author\": \"u6\"}]}\n"
			    "{\"id\": \"d\", \"title\": \"Tomates\"}\n";

/* Of what is alike, that with the people of the question comes first; three, of opinions. */
static void a_whole_unseen_topic_brings_its_comments_and_opinions(void **state)
{
	struct outcome plain = run(twins, "{\"qid\": \"x\", \"title\": \"Vélo\"}\n");
	struct outcome spoke = run(
		twins, "{\"qid\": \"x\", \"title\": \"Vélo\", \"comments\": [{\"author\": \"u3\", "
		       "\"body\": \"et des tomates\"}]}\n");
	struct outcome two = run(
		twins, "{\"qid\": \"x\", \"title\": \"Vélo\", \"opinions\": [{\"author\": \"u4\"}, "
		       "{\"author\": \"u5\"}]}\n");
	struct outcome three = run(
		twins, "{\"qid\": \"x\", \"title\": \"Vélo\", \"opinions\": [{\"author\": \"u4\"}, "
		       "{\"author\": \"u5\"}, {\"author\": \"u6\"}]}\n");

	(void)state;
	assert_int_equal(lines(&plain), 3);
	assert_line(&plain, 0, "x b 1");
	assert_int_equal(lines(&spoke), 4);
	assert_line(&spoke, 0, "x c 1");
	assert_line(&two, 0, "x b 1");
	assert_int_equal(lines(&three), 3);
	assert_line(&three, 0, "x c 1");
}

static void as_new_an_unseen_topic_was_not_discussed_and_text_only_by_nobody(void **state)
{
	static const char discussed[] = "{\"qid\": \"x\", \"title\": \"Vélo\", \"comments\": "
					"[{\"author\": \"u3\", \"body\": "
					"\"et des tomates\"}], \"%s\": true}\n";
	char query[256];
	struct outcome first, text;

	(void)state;
	snprintf(query, sizeof query, discussed, "as_new");
	first = run(twins, query);
	assert_int_equal(lines(&first), 3);
	assert_line(&first, 0, "x b 1");
	snprintf(query, sizeof query, discussed, "text_only");
	text = run(twins, query);
	assert_int_equal(lines(&text), 4);
	assert_true(strstr(text.run, " b ") < strstr(text.run, " c "));
}

/* Words as common as they were, people in as many topics: the next question is answered as before.
 */
static void an_unseen_topic_leaves_nothing_behind(void **state)
{
	static const char before[] = "{\"qid\": \"x\", \"id\": \"a\"}\n";
	char queries[2048] = "";
	struct outcome once = run(corpus, before), outcome;

	(void)state;
	for (int i = 0; i < 5; i++)
		strcat(queries,
		       "{\"qid\": \"q\", \"title\": \"Vélo\", \"candidates\": [], \"links\": "
		       "[\"b\"], \"comments\": [{\"author\": \"u1\", \"body\": \"vélo\"}]}\n");
	strcat(queries, before);
	outcome = run(corpus, queries);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.run, once.run);
}

/* Forty comments of some 200 kB: more than a topic may have. */
static void a_discussion_beyond_the_limit_is_counted_and_breaks_no_line(void **state)
{
	enum { COMMENTS = 40, WORDS = 30000 };
	static char text[COMMENTS * WORDS * 8 + 1024];
	size_t used = (size_t)sprintf(text, "{\"id\": \"a\", \"title\": \"Vélo\", \"comments\": [");
	struct outcome outcome;

	(void)state;
	for (int i = 0; i < COMMENTS; i++) {
		used += (size_t)sprintf(text + used, "%s{\"body\": \"", i == 0 ? "" : ", ");
		for (int word = 0; word < WORDS; word++)
			used += (size_t)sprintf(text + used, "w%d ", word);
		used += (size_t)sprintf(text + used, "\"}");
	}
	strcpy(text + used, "]}\n{\"id\": \"b\", \"title\": \"Vélo\"}\n");
	outcome = run(text, "{\"qid\": \"x\", \"id\": \"b\"}\n");
	assert_int_equal(outcome.status, 0);
	assert_line(&outcome, 0, "x a 1");
	assert_null(strstr(outcome.errors, "\"refused\": 0"));
}

/* Times, author, people and links would put c first; words know d alone. */
static void text_only_nothing_but_words_counts(void **state)
{
	static const char two[] =
		"{\"id\": \"a\", \"title\": \"Vélo\", \"author\": 7, \"created_at\": 86400}\n"
		"{\"id\": \"c\", \"title\": \"Vélo, pluie, hiver\", \"created_at\": 86400, "
		"\"comments\": [{\"author\": 7, \"body\": \"oui\"}]}\n"
		"{\"id\": \"d\", \"title\": \"Vélo\", \"created_at\": 864000000, \"links\": "
		"[\"c\"]}\n";
	struct outcome all = run(two, "{\"qid\": \"1\", \"id\": \"a\"}\n");
	struct outcome text = run(two, "{\"qid\": \"1\", \"id\": \"a\", \"text_only\": true}\n");

	(void)state;
	assert_line(&all, 0, "1 c 1");
	assert_line(&text, 0, "1 d 1");
}

/* c was linked to by what is younger than who asks, and by what is older. */
static void as_new_only_older_links_count(void **state)
{
	static const char linked[] =
		"{\"id\": \"a\", \"title\": \"Vélo\", \"created_at\": \"2024-01-10\"}\n"
		"{\"id\": \"b\", \"title\": \"Vélo\", \"created_at\": \"2024-01-09\"}\n"
		"{\"id\": \"c\", \"title\": \"Vélo\", \"created_at\": \"2024-01-09\"}\n"
		"{\"id\": \"d\", \"title\": \"Autre\", \"links\": [\"c\"], \"created_at\": ";
	static const char ask[] = "{\"qid\": \"1\", \"id\": \"a\", \"as_new\": true}\n";
	char younger[1024], older[1024];
	struct outcome outcome;

	(void)state;
	snprintf(younger, sizeof younger, "%s\"2024-01-11\"}\n", linked);
	snprintf(older, sizeof older, "%s\"2024-01-08\"}\n", linked);
	outcome = run(younger, ask);
	assert_line(&outcome, 0, "1 b 1");
	outcome = run(older, ask);
	assert_line(&outcome, 0, "1 c 1");
}

/* Who asks, or anybody, spoke twice in c: before that first day it counts, after it nobody knows.
 */
static void as_new_only_earlier_comments_count(void **state)
{
	static const char spoken[] = "{\"id\": \"a\", \"title\": \"Vélo\", \"author\": 1, "
				     "\"created_at\": \"2024-01-10\"}\n"
				     "{\"id\": \"b\", \"title\": \"Vélo\", \"created_at\": "
				     "\"2024-01-08\", \"comments\": "
				     "[{\"author\": 3, \"created_at\": \"2024-01-11\"}]}\n"
				     "{\"id\": \"c\", \"title\": \"Vélo\", \"created_at\": "
				     "\"2024-01-08\", \"comments\": "
				     "[{\"author\": %d, \"created_at\": \"%s\"}, {\"author\": %d, "
				     "\"created_at\": \"%s\"}]}\n";

	(void)state;
	for (int author = 1; author <= 2; author++)
		for (int later = 0; later <= 1; later++) {
			const char *when = later ? "2024-01-12" : "2024-01-09";
			char text[1024];
			struct outcome outcome;

			snprintf(text, sizeof text, spoken, author, when, author, when);
			outcome = run(text, "{\"qid\": \"1\", \"id\": \"a\", \"as_new\": true}\n");
			assert_line(&outcome, 0, later ? "1 b 1" : "1 c 1");
		}
}

/* b and c are alike on that day: the one that was named first leads, whichever grew since. */
static void as_new_what_grew_since_has_no_advantage(void **state)
{
	static const char texts[] = "{\"id\": \"a\", \"title\": \"Vélo, lampe et casque\", "
				    "\"created_at\": \"2024-01-10\"}\n"
				    "{\"id\": \"b\", \"title\": \"Vélo et lampe\", \"created_at\": "
				    "\"2024-01-08\", \"comments\": [%s]}\n"
				    "{\"id\": \"c\", \"title\": \"Vélo et lampe\", \"created_at\": "
				    "\"2024-01-08\", \"comments\": [%s]}\n"
				    "{\"id\": \"d\", \"title\": \"Tomates\"}\n";
	static const char later[] = "{\"author\": 2, \"created_at\": \"2024-01-12\"}";

	(void)state;
	for (int grown = 0; grown < 2; grown++) {
		char text[1024];
		struct outcome outcome;

		snprintf(text, sizeof text, texts, grown == 0 ? later : "",
			 grown == 1 ? later : "");
		outcome = run(text, "{\"qid\": \"1\", \"id\": \"a\", \"as_new\": true}\n");
		assert_line(&outcome, 0, "1 b 1");
		assert_line(&outcome, 1, "1 c 2");
	}
}

/* Titles alone, one word each: what is younger than who asks is a candidate all the same. */
static void as_new_younger_topics_are_candidates(void **state)
{
	struct outcome outcome =
		run("{\"id\": \"a\", \"title\": \"Vélo\", \"created_at\": \"2024-01-10\"}\n"
		    "{\"id\": \"b\", \"title\": \"Vélo\", \"created_at\": \"2024-02-10\"}\n",
		    "{\"qid\": \"1\", \"id\": \"a\", \"as_new\": true}\n");

	(void)state;
	assert_int_equal(lines(&outcome), 1);
	assert_line(&outcome, 0, "1 b 1");
}

/*
 * One other topic leads in every signal of text: 1 + .15 for the titles, and nothing else,
 * since neither has a body, a time, a language or people.
 */
static void a_score_is_that_worked_out_by_hand(void **state)
{
	struct outcome outcome = run("{\"id\": \"a\", \"title\": \"Vélo\"}\n"
				     "{\"id\": \"b\", \"title\": \"Vélo\"}\n",
				     "{\"qid\": \"1\", \"id\": \"a\", \"candidates\": [\"b\"], "
				     "\"text_only\": true}\n");

	(void)state;
	assert_string_equal(outcome.run, "1 Q0 b 1 1.150000 causerie\n");
}

static void a_query_gets_at_most_twenty_lines(void **state)
{
	char many[8192] = "";
	struct outcome outcome;

	(void)state;
	for (int i = 0; i < 30; i++)
		snprintf(many + strlen(many), sizeof many - strlen(many),
			 "{\"id\": %d, \"title\": \"Vélo\"}\n", i + 1);
	outcome = run(many, "{\"qid\": \"1\", \"id\": 1}\n");
	assert_int_equal(lines(&outcome), 20);
}

static void assert_figure(const struct outcome *outcome, const char *name)
{
	char key[64];

	snprintf(key, sizeof key, "\"%s\": ", name);
	if (strstr(outcome->errors, key) == NULL)
		fail_msg("%s not in: %s", key, outcome->errors);
}

static void figures_stand_on_one_line_of_their_own(void **state)
{
	struct outcome outcome = run(corpus, "{\"qid\": \"1\", \"id\": \"a\"}\n");

	(void)state;
	assert_int_equal(outcome.errors[0], '{');
	assert_ptr_equal(strchr(outcome.errors, '\n'), outcome.errors + strlen(outcome.errors) - 1);
	assert_figure(&outcome, "documents");
	assert_figure(&outcome, "build_seconds");
	assert_figure(&outcome, "documents_per_second");
	assert_figure(&outcome, "resident_bytes");
	assert_figure(&outcome, "query_p50_us");
	assert_figure(&outcome, "query_p99_us");
}

static void only_candidates_are_ranked_and_all_of_them(void **state)
{
	struct outcome outcome = run(corpus, "{\"qid\": 7, \"id\": \"a\", \"text_only\": true,"
					     " \"candidates\": [\"d\", \"c\", \"a\"]}\n");

	(void)state;
	assert_int_equal(lines(&outcome), 2);
	assert_line(&outcome, 0, "7 c 1");
	assert_line(&outcome, 1, "7 d 2");
}

/* c repeats b, so d stands before it, whose own score is less. */
static void scores_never_rise_down_the_list(void **state)
{
	struct outcome outcome =
		run("{\"id\": \"a\", \"title\": \"Vélo, lampe, antivol, casque, sonnette ; pluie, "
		    "garage\"}\n"
		    "{\"id\": \"b\", \"title\": \"Vélo, lampe, antivol, casque, sonnette\"}\n"
		    "{\"id\": \"c\", \"title\": \"Vélo, lampe, antivol, casque, sonnette\"}\n"
		    "{\"id\": \"d\", \"title\": \"Pluie, garage, tambour\"}\n",
		    "{\"qid\": \"1\", \"id\": \"a\"}\n");
	double scores[3] = {0};

	(void)state;
	assert_int_equal(sscanf(outcome.run,
				"1 Q0 b 1 %lf causerie\n1 Q0 d 2 %lf causerie\n1 Q0 c 3 %lf",
				&scores[0], &scores[1], &scores[2]),
			 3);
	assert_true(scores[0] >= scores[1]);
	assert_true(scores[1] >= scores[2]);
}

static void assert_broken(const char *corpus_text, const char *queries, const char *expected)
{
	struct outcome outcome = run(corpus_text, queries);

	assert_int_equal(outcome.status, 1);
	if (strstr(outcome.errors, expected) == NULL)
		fail_msg("%s not in: %s", expected, outcome.errors);
}

static void a_broken_line_is_named_by_its_number(void **state)
{
	(void)state;
	assert_broken("{\"id\": \"a\"}\n{\"id\": \n", "", ":2: ");
	assert_broken("{\"id\": \"a\", \"title\": 3}\n", "", ":1: title");
	assert_broken("{\"id\": \"a\"}\n{\"id\": \"a\"}\n", "", ":2: id: it was there before");
	assert_broken("{\"title\": \"a\"}\n", "", ":1: id");
	assert_broken("{\"id\": \"a b\"}\n", "", ":1: id");
	assert_broken("{\"id\": \"a\", \"created_at\": \"hier\"}\n", "", ":1: created_at");
	assert_broken("{\"id\": \"a\", \"comments\": [3]}\n", "", ":1: comments");
	assert_broken("[]\n", "", ":1: ");
	assert_broken(corpus, "{\"qid\": \"1\", \"id\": \"z\"}\n", ":1: id");
	assert_broken(corpus, "{\"qid\": \"1\", \"id\": \"z\", \"title\": null}\n", ":1: id");
	assert_broken(corpus, "{\"qid\": \"1\", \"title\": \"x\", \"comments\": [3]}\n",
		      ":1: comments");
	assert_broken(corpus, "{\"id\": \"a\"}\n", ":1: qid");
	assert_broken(corpus, "{\"qid\": \"1\", \"id\": \"a\"}\n\n", ":2: ");
}

static void a_run_that_cannot_be_written_is_an_error(void **state)
{
	char corpus_path[32], queries_path[32], said[256];
	FILE *full = fopen("/dev/full", "w"), *errors = tmpfile();

	(void)state;
	write_file(corpus_path, corpus);
	write_file(queries_path, "{\"qid\": \"1\", \"id\": \"a\"}\n");
	assert_int_equal(evaluate(corpus_path, queries_path, full, errors), 1);
	read_all(errors, said, sizeof said);
	assert_non_null(strstr(said, "cannot be written"));
	assert_null(strchr(said, '{'));
	fclose(full);
	unlink(corpus_path);
	unlink(queries_path);
}

static void times_are_read_in_every_usual_form(void **state)
{
	int64_t us = 0;

	(void)state;
	assert_true(instant_read("1970-01-02", &us));
	assert_int_equal(us, DAY_US);
	assert_true(instant_read("1970-01-01T01:00:01.5+01:00", &us));
	assert_int_equal(us, 1000000);
	assert_true(instant_read("1970-01-01 00:00:01", &us));
	assert_int_equal(us, 1000000);
	assert_true(instant_read("2024-05-06T07:08:09Z", &us));
	assert_int_equal(us / 1000000, 1714979289);
	assert_false(instant_read("2024-13-06", &us));
	assert_false(instant_read("2024-01-06T25:00:00Z", &us));
	assert_false(instant_read("2024-01-06T05:00:00Zulu", &us));
	assert_false(instant_read("", &us));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_topic_of_the_corpus_is_answered_without_itself),
		cmocka_unit_test(as_new_nothing_younger_is_used),
		cmocka_unit_test(a_whole_unseen_text_is_answered),
		cmocka_unit_test(a_text_may_be_a_lead_or_expertises_alone),
		cmocka_unit_test(a_whole_unseen_topic_brings_its_comments_and_opinions),
		cmocka_unit_test(as_new_an_unseen_topic_was_not_discussed_and_text_only_by_nobody),
		cmocka_unit_test(an_unseen_topic_leaves_nothing_behind),
		cmocka_unit_test(a_discussion_beyond_the_limit_is_counted_and_breaks_no_line),
		cmocka_unit_test(text_only_nothing_but_words_counts),
		cmocka_unit_test(as_new_only_older_links_count),
		cmocka_unit_test(as_new_only_earlier_comments_count),
		cmocka_unit_test(as_new_what_grew_since_has_no_advantage),
		cmocka_unit_test(as_new_younger_topics_are_candidates),
		cmocka_unit_test(a_score_is_that_worked_out_by_hand),
		cmocka_unit_test(a_query_gets_at_most_twenty_lines),
		cmocka_unit_test(figures_stand_on_one_line_of_their_own),
		cmocka_unit_test(only_candidates_are_ranked_and_all_of_them),
		cmocka_unit_test(scores_never_rise_down_the_list),
		cmocka_unit_test(a_broken_line_is_named_by_its_number),
		cmocka_unit_test(a_run_that_cannot_be_written_is_an_error),
		cmocka_unit_test(times_are_read_in_every_usual_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
