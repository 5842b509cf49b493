/*
 * test_snapshot.c - what is saved comes back, and nothing else is believed.
 */
#include "sentences.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dice.h"
#include "related/block.h"
#include "related/engine_state.h"
#include "related/snapshot.h"
#include "related/snapshot_format.h"

enum {
	TOPICS = 400,
	VOCABULARY = 800,
	DAMAGES = 600,
	EVENTS = 20000, /* some ten thousand places in hot blocks, so three merges */
	KILLS = 40,
	WRITES = 40,
	HEADER = sizeof(struct snapshot_header) + sizeof(uint64_t[2]), /* and the place */
};

struct place {
	uint64_t epoch, seq;
};

static char folder[] = "/tmp/snapshot.XXXXXX", path[64];

static int open_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/related.snapshot", folder);
	return 0;
}

static int close_folder(void **state)
{
	(void)state;
	snapshot_sweep(path);
	unlink(path);
	return rmdir(folder);
}

static void put_topic(struct engine *engine, uint64_t id, uint32_t version, uint64_t *seed)
{
	static const char *const labels[] = {"Énergie", "Jardin"};
	uint64_t link = 1 + dice(seed, TOPICS * 2); /* half of them lead nowhere yet */
	char title[128], body[512];

	dice_words(seed, title, sizeof title, 5, VOCABULARY);
	dice_words(seed, body, sizeof body, 30, VOCABULARY);
	engine_put_topic(engine, TOPIC_AT(version, id, .title = title, .article = body,
					  .author = 1 + dice(seed, 50), .links = &link,
					  .n_links = 1, .expertises = labels + dice(seed, 2),
					  .n_expertises = 1, .language = "fr", .display = title));
	engine_put_comment(engine, &(struct engine_comment){.topic_id = id,
							    .id = id,
							    .version = version,
							    .author = 1 + dice(seed, 50),
							    .created_at = 1001 * DAY_US,
							    .body = body});
	engine_put_opinion(engine, id, 1 + dice(seed, 50), true);
}

/* Every tenth topic is put once more: those are in the hot block, the others in packed ones. */
static struct engine *small_site(uint64_t seed)
{
	struct engine *engine = new_engine();

	for (uint64_t id = 1; id <= TOPICS; id++)
		put_topic(engine, id, 1, &seed);
	for (uint64_t id = 1001; id <= 1020; id++)
		engine_put_comment(engine,
				   COMMENT(20, id, .body = "w1 w2")); /* a long discussion */
	engine_settle(engine);
	for (uint64_t id = 1; id <= TOPICS; id += 10)
		put_topic(engine, id, 2, &seed);
	engine_remove_topic(engine, 7, 2);
	engine_remove_comment(engine, 8, 8, 2);
	engine_set_visibility(engine, 9, 0);
	engine_pair(engine, 10, 11, PAIR_PINNED);
	engine_pair(engine, 12, 13, PAIR_BANNED);
	return engine;
}

static uint32_t mapped_blocks(const struct engine *engine)
{
	uint32_t count = 0, mapped = 0;
	struct block *const *blocks = index_blocks(engine->index, &count);

	for (uint32_t i = 0; i < count; i++)
		mapped += blocks[i] != NULL && blocks[i]->mapped;
	return mapped;
}

static uint32_t mapped_records(const struct engine *engine)
{
	const struct corpus *c = &engine->corpus;
	uint32_t mapped = 0;

	for (uint32_t i = 0; i < c->n_topics; i++)
		mapped += c->topics[i].record.bytes >= c->mapped &&
			  c->topics[i].record.bytes < c->mapped_end;
	return mapped;
}

static void save(const struct engine *engine)
{
	const struct place place = {3, 99};

	assert_int_equal(snapshot_save(engine, path, &place, sizeof place), 0);
}

static int load(struct engine **engine)
{
	struct place place = {0};
	int status =
		snapshot_load(&(struct engine_settings){.public_url = "https://causerie.example"},
			      path, &place, sizeof place, engine);

	if (status == 0) {
		assert_int_equal(place.epoch, 3);
		assert_int_equal(place.seq, 99);
		engine_settle(*engine);
	}
	return status;
}

/* Where people are not seen is read off the records. */
static void assert_same_people(const struct engine *one, const struct engine *other)
{
	const struct corpus *a = &one->corpus, *b = &other->corpus;
	uint32_t unseen = 0;

	for (uint64_t account = 1; account <= 50; account++) {
		const struct user *user = &a->users[corpus_find_user(a, account)];
		const struct user *same = &b->users[corpus_find_user(b, account)];

		assert_int_equal(user->n_topics, same->n_topics);
		assert_int_equal(user->n_unseen, same->n_unseen);
		unseen += user->n_unseen;
	}
	assert_true(unseen > 0);
}

static void assert_same_answers(struct engine *one, struct engine *other)
{
	static struct related_list a, b;

	for (uint64_t id = 1; id <= TOPICS; id++) {
		struct engine_question question = about(id);
		struct arena arena = {0};

		assert_int_equal(engine_related(one, &question, &arena, &a),
				 engine_related(other, &question, &arena, &b));
		assert_int_equal(a.count, b.count);
		for (uint32_t i = 0; i < a.count; i++) {
			assert_int_equal(a.items[i].topic_id, b.items[i].topic_id);
			assert_true(fabs(a.items[i].score - b.items[i].score) < 1e-9);
			assert_string_equal(a.items[i].display, b.items[i].display);
		}
		arena_free(&arena);
	}
}

static void what_was_saved_answers_alike(void **state)
{
	struct engine *engine = small_site(1), *loaded = NULL;
	struct engine_stats one, other;

	(void)state;
	engine_put_topic(engine, TOPIC_AT(3, 30, .title = "zèbres"));
	engine_settle(engine);
	engine_put_comment(engine, COMMENT(20, 1021, .body = "les zèbres"));
	save(engine); /* the last comment is not in the index yet */
	engine_settle(engine);
	assert_int_equal(load(&loaded), 0);
	assert_same_answers(engine, loaded);
	assert_same_people(engine, loaded);
	engine_stats(engine, &one);
	engine_stats(loaded, &other);
	assert_int_equal(one.topics, other.topics);
	assert_int_equal(one.comments, other.comments);
	assert_int_equal(links_noted(engine), links_noted(loaded));

	/* It goes on as the other does, and remembers what was removed. */
	engine_put_topic(engine, TOPIC_AT(2, 20, .title = "w1 w2 w3"));
	engine_put_topic(loaded, TOPIC_AT(2, 20, .title = "w1 w2 w3"));
	engine_put_topic(loaded, TOPIC(7, .title = "w1 w2 w3"));
	engine_settle(engine);
	engine_settle(loaded);
	assert_same_answers(engine, loaded);
	engine_free(engine);
	engine_free(loaded);
}

static void what_is_mapped_answers_at_once_and_goes_when_it_changes(void **state)
{
	struct engine *engine = small_site(6), *loaded = NULL, *again = NULL;
	const struct place place = {3, 99};
	uint64_t seed = 60, same = 60;

	(void)state;
	save(engine);
	assert_int_equal(
		snapshot_load(&(struct engine_settings){.public_url = "https://causerie.example"},
			      path, (struct place[1]){{0, 0}}, sizeof place, &loaded),
		0);
	assert_true(mapped_blocks(loaded) > 0);
	assert_true(mapped_records(loaded) > TOPICS / 2);
	assert_same_answers(engine, loaded);

	/* The file that it answers from is replaced, and then all of what it mapped. */
	save(loaded);
	for (uint64_t id = 1; id <= TOPICS; id++) {
		put_topic(engine, id, 3, &seed);
		put_topic(loaded, id, 3, &same);
	}
	engine_settle(engine);
	engine_settle(loaded);
	assert_int_equal(mapped_blocks(loaded), 0);
	assert_true(mapped_records(loaded) <= 1); /* of the one that was removed */
	assert_same_answers(engine, loaded);
	save(loaded);
	assert_int_equal(load(&again), 0);
	assert_same_answers(engine, again);
	engine_free(engine);
	engine_free(loaded);
	engine_free(again);
}

static size_t read_snapshot(unsigned char **bytes)
{
	struct stat about;
	int fd = open(path, O_RDONLY);

	assert_int_equal(fstat(fd, &about), 0);
	*bytes = malloc((size_t)about.st_size);
	assert_int_equal(read(fd, *bytes, (size_t)about.st_size), about.st_size);
	close(fd);
	return (size_t)about.st_size;
}

static bool is_in_the_file(const char *word)
{
	unsigned char *bytes = NULL;
	size_t size = read_snapshot(&bytes);
	bool found = memmem(bytes, size, word, strlen(word)) != NULL;

	free(bytes);
	return found;
}

/* A name that was taken back is in no file; when somebody writes it again, it is found again. */
static void a_word_that_stands_in_no_text_any_more_is_not_saved(void **state)
{
	struct engine *engine = new_engine(), *loaded = NULL, *again = NULL;
	static struct related_list list;
	struct engine_question question = about(1);
	struct arena arena = {0};

	(void)state;
	engine_put_topic(engine, TOPIC(1, .title = "Le vélo de Quetzalcoatl"));
	engine_put_comment(engine, COMMENT(1, 1, .body = "Appelez Popocatepetl"));
	engine_settle(engine);
	save(engine);
	assert_true(is_in_the_file("Quetzalcoatl") && is_in_the_file("popocatepetl"));

	engine_put_topic(engine, TOPIC_AT(2, 1, .title = "Le vélo"));
	engine_remove_comment(engine, 1, 1, 2);
	save(engine);
	assert_false(is_in_the_file("Quetzalcoatl") || is_in_the_file("quetzalcoatl"));
	assert_false(is_in_the_file("Popocatepetl") || is_in_the_file("popocatepetl"));
	assert_true(is_in_the_file("vélo"));

	assert_int_equal(load(&loaded), 0);
	save(loaded);
	assert_int_equal(load(&again), 0);
	engine_put_topic(again, TOPIC_AT(3, 1, .title = "Quetzalcoatl"));
	engine_put_topic(again, TOPIC(2, .title = "Quetzalcoatl"));
	assert_int_equal(engine_related(again, &question, &arena, &list), 0);
	assert_string_equal(reason_of(answer_about(&list, 2), REASON_WORDS)->words[0],
			    "Quetzalcoatl");
	arena_free(&arena);
	engine_free(engine);
	engine_free(loaded);
	engine_free(again);
}

/* Of a topic that has not arrived yet, the words are not counted yet. */
static void words_of_a_comment_before_its_topic_are_saved(void **state)
{
	struct engine *engine = new_engine(), *loaded = NULL;
	static struct related_list list;
	struct engine_question question = about(1);
	struct arena arena = {0};

	(void)state;
	engine_put_topic(engine, TOPIC(1, .title = "Zèbres"));
	engine_put_comment(engine, COMMENT(2, 1, .body = "Popocatepetl"));
	save(engine);
	assert_int_equal(load(&loaded), 0);
	engine_put_topic(loaded, TOPIC(2, .title = "Volcans"));
	engine_put_topic(loaded, TOPIC_AT(2, 1, .title = "Popocatepetl"));
	assert_int_equal(engine_related(loaded, &question, &arena, &list), 0);
	assert_non_null(answer_about(&list, 2));
	arena_free(&arena);
	engine_free(engine);
	engine_free(loaded);
}

static void an_empty_engine_can_be_saved(void **state)
{
	struct engine *engine = new_engine(), *loaded = NULL;

	(void)state;
	save(engine);
	assert_int_equal(load(&loaded), 0);
	engine_free(engine);
	engine_free(loaded);
}

static void where_there_is_none_it_says_so(void **state)
{
	struct engine *loaded = NULL;

	(void)state;
	unlink(path);
	assert_int_equal(load(&loaded), -ENOENT);
	assert_null(loaded);
}

/* Beside and renamed, as the real one: what is mapped may not change under anybody. */
static void write_snapshot(const unsigned char *bytes, size_t size)
{
	int fd = -1;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static void a_damaged_or_shortened_file_is_refused(void **state)
{
	struct engine *engine = small_site(2), *loaded = NULL;
	unsigned char *bytes = NULL;
	size_t size = 0;
	uint64_t seed = 9;

	(void)state;
	save(engine);
	size = read_snapshot(&bytes);
	for (uint32_t i = 0; i < DAMAGES; i++) {
		size_t at = i < HEADER ? i : i * size / DAMAGES;
		unsigned char bit = (unsigned char)(1 << dice(&seed, 8));

		bytes[at] ^= bit;
		write_snapshot(bytes, size);
		assert_int_equal(load(&loaded), -EBADMSG);
		bytes[at] ^= bit;
		write_snapshot(bytes, dice(&seed, (uint32_t)size));
		assert_int_equal(load(&loaded), -EBADMSG);
	}
	free(bytes);
	engine_free(engine);
}

static void set_sum(unsigned char *bytes, size_t size)
{
	struct snapshot_sum sum = {0};
	uint64_t all = 0;
	size_t content = size - sizeof all;

	for (size_t at = 0; at < content; at += SNAPSHOT_PIECE)
		snapshot_sum_add(&sum, bytes + at,
				 content - at < SNAPSHOT_PIECE ? content - at
							       : (size_t)SNAPSHOT_PIECE);
	all = snapshot_sum_end(&sum);
	memcpy(bytes + content, &all, sizeof all);
}

/* The checksum fits, what it covers does not: still no read or write beyond any end. */
static void a_wrong_file_with_a_right_checksum_does_no_harm(void **state)
{
	struct engine *engine = small_site(3);
	unsigned char *bytes = NULL;
	size_t size = 0;
	uint64_t seed = 10;

	(void)state;
	save(engine);
	size = read_snapshot(&bytes);
	for (uint32_t i = 0; i < DAMAGES; i++) {
		size_t at = i < HEADER * 2 ? i / 2 : dice(&seed, (uint32_t)size - 8);
		unsigned char kept = bytes[at];
		struct engine *loaded = NULL;

		bytes[at] = (unsigned char)dice(&seed, 256);
		set_sum(bytes, size);
		write_snapshot(bytes, size);
		struct place place;
		int status = snapshot_load(&(struct engine_settings){0}, path, &place, sizeof place,
					   &loaded);

		assert_true(status == 0 || status == -EBADMSG);
		if (loaded != NULL) {
			static struct related_list list;
			struct engine_question question = about(1 + dice(&seed, TOPICS));
			struct arena arena = {0};

			(void)engine_related(loaded, &question, &arena, &list);
			arena_free(&arena);
			for (uint64_t id = 1; id <= TOPICS; id += 7)
				put_topic(loaded, id, 3, &seed);
			engine_remove_topic(loaded, 5, 9);
			engine_erase_account(loaded, 9);
			engine_settle(loaded);
		}
		engine_free(loaded);
		bytes[at] = kept;
	}
	free(bytes);
	engine_free(engine);
}

/* As it loads with the letter è of that text cut in two; afterwards the bytes are as they were. */
static int load_with_broken(unsigned char *bytes, size_t size, const char *text)
{
	unsigned char *letter = memmem(bytes, size, text, strlen(text));
	struct engine *loaded = NULL;
	int status = 0;

	assert_non_null(letter);
	letter = memchr(letter, 0xc3, strlen(text));
	letter[1] = '(';
	set_sum(bytes, size);
	write_snapshot(bytes, size);
	status = load(&loaded);
	engine_free(loaded);
	letter[1] = 0xa8;
	return status;
}

/* Words are named in reasons, titles in lists: broken ones would go to every page. */
static void broken_utf8_under_a_right_checksum_is_refused(void **state)
{
	struct engine *engine = new_engine();
	unsigned char *bytes = NULL;
	size_t size = 0;

	(void)state;
	engine_put_topic(engine, TOPIC(1, .title = "zèbre", .display = "un-titre\nVoilà un grèbe"));
	save(engine);
	size = read_snapshot(&bytes);
	assert_int_equal(load_with_broken(bytes, size, "zèbre"), -EBADMSG);
	assert_int_equal(load_with_broken(bytes, size, "grèbe"), -EBADMSG);
	free(bytes);
	engine_free(engine);
}

/* kill -9 at any moment leaves the former file or the new one. */
static void a_writer_that_is_killed_leaves_a_whole_file(void **state)
{
	struct engine *engine = small_site(4);
	uint64_t seed = 12;

	(void)state;
	save(engine);
	for (int i = 0; i < 30; i++) {
		struct engine *loaded = NULL;
		pid_t child = fork();

		if (child == 0) {
			const struct place place = {3, 99};

			for (;;)
				(void)snapshot_save(engine, path, &place, sizeof place);
		}
		usleep(dice(&seed, 8000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_int_equal(load(&loaded), 0);
		engine_free(loaded);
	}
	engine_free(engine);
}

/* --- killed at any moment --- */

/* One of many events, always the same by its number. */
static void apply(struct engine *engine, uint32_t number)
{
	uint64_t seed = number * 1000003ULL, topic = 1 + dice(&seed, TOPICS);

	switch (dice(&seed, 8)) {
	case 0:
		(void)engine_set_visibility(engine, topic, (uint8_t)dice(&seed, 2));
		break;
	case 1:
		(void)engine_put_opinion(engine, topic, 1 + dice(&seed, 50), number % 3 != 0);
		break;
	case 2:
		(void)engine_remove_comment(engine, topic, topic, number);
		break;
	default:
		put_topic(engine, topic, number, &seed);
		break;
	}
}

/* From where the snapshot ends; place.seq is the last event it holds. */
static struct engine *resume(struct place *place)
{
	struct engine *engine = NULL;

	*place = (struct place){3, 0};
	if (snapshot_load(&(struct engine_settings){.public_url = "https://causerie.example"}, path,
			  place, sizeof *place, &engine) < 0)
		engine = new_engine();
	return engine;
}

/* What the daemon does: events, slices of background work, now and then a snapshot. */
static void live(uint32_t most)
{
	struct place place;
	struct engine *engine = resume(&place);

	while (place.seq < most) {
		apply(engine, (uint32_t)++place.seq);
		(void)engine_work(engine, 20);
		if (place.seq % 200 == 0)
			(void)snapshot_save(engine, path, &place, sizeof place);
	}
	(void)snapshot_save(engine, path, &place, sizeof place);
	engine_free(engine);
}

static void kill_after(uint32_t us, uint32_t most)
{
	pid_t child = fork();

	if (child == 0) {
		live(most);
		_exit(0);
	}
	usleep(us);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void killed_at_any_moment_it_goes_on_from_disk_and_answers_as_if_built_afresh(void **state)
{
	struct engine *resumed = NULL, *fresh = new_engine();
	struct place place;
	uint64_t seed = 14;

	(void)state;
	unlink(path);
	for (int i = 0; i < KILLS; i++)
		kill_after(dice(&seed, 40000), EVENTS);
	live(EVENTS);
	resumed = resume(&place);
	assert_int_equal(place.seq, EVENTS);
	engine_bulk(fresh, true);
	for (uint32_t number = 1; number <= EVENTS; number++)
		apply(fresh, number);
	engine_bulk(fresh, false);
	engine_settle(fresh);
	engine_settle(resumed);
	assert_same_answers(fresh, resumed);
	engine_free(fresh);
	engine_free(resumed);
}

/* As after a kill: the former daemon's child still writes when the next one's begins. */
static void of_two_who_write_at_once_each_leaves_a_whole_file(void **state)
{
	struct engine *engines[] = {small_site(6), small_site(7)}, *loaded = NULL;
	pid_t writers[2];

	(void)state;
	unlink(path);
	for (int i = 0; i < 2; i++) {
		writers[i] = fork();
		if (writers[i] == 0) {
			int failed = 0;

			for (int n = 0; n < WRITES && failed == 0; n++)
				failed = snapshot_save(engines[i], path, "", 0);
			_exit(failed != 0);
		}
	}
	for (int ended = 0; ended < 2;) {
		int status = snapshot_load(&(struct engine_settings){0}, path, NULL, 0, &loaded);

		assert_true(status == 0 || status == -ENOENT);
		if (status == 0)
			engine_free(loaded);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			assert_int_equal(status, 0);
			ended++;
		}
	}
	for (int i = 0; i < 2; i++)
		engine_free(engines[i]);
}

static void what_was_left_beside_is_swept_and_nothing_else(void **state)
{
	static const char *const endings[] = {".new", ".new-aB3xyz", ".old", "-2"};
	char beside[96];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(beside, sizeof beside, "%s%s", path, endings[i]);
		close(open(beside, O_CREAT | O_WRONLY, 0600));
	}
	snapshot_sweep(path);
	for (size_t i = 0; i < 4; i++) {
		snprintf(beside, sizeof beside, "%s%s", path, endings[i]);
		assert_int_equal(unlink(beside), i < 2 ? -1 : 0);
	}
}

static void a_folder_that_is_not_there_is_an_error_and_harms_nothing(void **state)
{
	struct engine *engine = small_site(5);

	(void)state;
	assert_int_equal(snapshot_save(engine, "/nowhere/related.snapshot", "", 0), -ENOENT);
	engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_answers_alike),
		cmocka_unit_test(what_is_mapped_answers_at_once_and_goes_when_it_changes),
		cmocka_unit_test(a_word_that_stands_in_no_text_any_more_is_not_saved),
		cmocka_unit_test(words_of_a_comment_before_its_topic_are_saved),
		cmocka_unit_test(an_empty_engine_can_be_saved),
		cmocka_unit_test(where_there_is_none_it_says_so),
		cmocka_unit_test(a_damaged_or_shortened_file_is_refused),
		cmocka_unit_test(a_wrong_file_with_a_right_checksum_does_no_harm),
		cmocka_unit_test(broken_utf8_under_a_right_checksum_is_refused),
		cmocka_unit_test(a_writer_that_is_killed_leaves_a_whole_file),
		cmocka_unit_test(
			killed_at_any_moment_it_goes_on_from_disk_and_answers_as_if_built_afresh),
		cmocka_unit_test(of_two_who_write_at_once_each_leaves_a_whole_file),
		cmocka_unit_test(what_was_left_beside_is_swept_and_nothing_else),
		cmocka_unit_test(a_folder_that_is_not_there_is_an_error_and_harms_nothing),
	};

	return cmocka_run_group_tests(tests, open_folder, close_folder);
}
