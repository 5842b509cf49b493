/*
 * test_cache.c - a real Redis that is paused, killed, restarted, silent, or wants a password.
 *
 * Each test has a redis-server of its own on a socket in a temporary folder.
 */
#include "lib/cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <event2/event.h>

#include "check.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/task.h"
#include "ports.h"

#define TIMEOUT_MS 2000 /* far more than a busy machine takes for a turn */
#define SLOTS      8

static struct event_base *loop;
static struct cache *cache;
static char folder[64], path[96], url[128];
static pid_t redis;
static int port;
static const struct request_context visitor = {.trace = "test"};

/* --- a server --- */

static void start_redis(const char *password)
{
	char port_text[16];
	const pid_t parent = getpid();

	snprintf(port_text, sizeof port_text, "%d", port);
	redis = fork();
	if (redis != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	execlp("redis-server", "redis-server", "--port", port_text, "--bind", "127.0.0.1",
	       "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder,
	       "--loglevel", "warning", "--logfile", "/dev/null", "--requirepass", password,
	       (char *)NULL);
	_exit(1);
}

static void stop_redis(void)
{
	if (redis <= 0)
		return;
	kill(redis, SIGKILL);
	waitpid(redis, NULL, 0);
	redis = 0;
}

/* --- running the loop until something is true --- */

static void on_tick(evutil_socket_t nothing, short events, void *none)
{
	(void)nothing;
	(void)events;
	(void)none;
}

static bool is_up(void)
{
	return cache_up(cache);
}

static bool is_down(void)
{
	return !cache_up(cache);
}

static bool all_done(void)
{
	return tasks_alive() == 0;
}

/* Returns the milliseconds it took. */
static int run_until(bool (*condition)(void))
{
	const struct timeval often = {.tv_usec = 5000};
	struct event *tick = event_new(loop, -1, EV_PERSIST, on_tick, NULL);
	const int64_t start = clock_ms();

	event_add(tick, &often);
	while (!condition()) {
		if (clock_ms() - start > 10000)
			fail_msg("it did not happen within 10 s");
		event_base_loop(loop, EVLOOP_ONCE);
	}
	event_free(tick);
	return (int)(clock_ms() - start);
}

/* --- an errand that runs commands and keeps a copy of the answers --- */

static struct answer {
	enum cache_kind kind;
	char text[64];
	long long integer;
	size_t length, n_items;
	enum cache_kind item_kind;
	char item_text[64];
} answers[SLOTS];

struct errand {
	struct task task;
	struct cache_slot slots[SLOTS];
};

static struct step look(struct task *task)
{
	const struct errand *errand = (const struct errand *)task;

	for (int i = 0; i < SLOTS; i++) {
		const struct cache_slot *slot = &errand->slots[i];

		answers[i].kind = slot->kind;
		answers[i].integer = slot->integer;
		answers[i].length = slot->length;
		answers[i].n_items = slot->n_items;
		if (slot->text != NULL)
			snprintf(answers[i].text, sizeof answers[i].text, "%s", slot->text);
		if (slot->n_items > 1) {
			answers[i].item_kind = slot->items[1].kind;
			snprintf(answers[i].item_text, sizeof answers[i].item_text, "%s",
				 slot->items[1].text);
		}
	}
	return task_done();
}

static struct step ask_everything(struct task *task)
{
	struct errand *errand = (struct errand *)task;
	struct cache_slot *slots = errand->slots;

	cache_command(task, NULL, cache, "DEL list");
	cache_command(task, &slots[0], cache, "SET key %b", "a\0\r\nb", (size_t)5);
	cache_command(task, &slots[1], cache, "GET %s", "key");
	cache_command(task, &slots[2], cache, "GET %s", "absent key");
	cache_command(task, &slots[3], cache, "RPUSH list %s %s", "x", "y");
	cache_command(task, &slots[4], cache, "LRANGE list 0 -1");
	cache_command(task, &slots[5], cache, "INCR list");
	cache_command(task, &slots[6], cache, "EVAL %s 0", "return {{1,'in'},'out'}");
	return task_then(look);
}

static struct step ask_one(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	cache_command(task, &errand->slots[0], cache, "PING");
	return task_then(look);
}

static struct errand *new_errand(struct step first, int deadline_ms)
{
	struct arena arena = {0};

	memset(answers, 0, sizeof answers);
	return task_new(loop, &arena, sizeof(struct errand), first, task_done(), deadline_ms,
			&visitor);
}

static enum cache_kind ask(void)
{
	new_errand(task_then(ask_one), 5000);
	run_until(all_done);
	return answers[0].kind;
}

/* --- */

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_cache.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/redis.sock", folder);
	snprintf(url, sizeof url, "unix://%s", path);
	port = 0;
	loop = event_base_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cache_free(cache);
	cache = NULL;
	while (tasks_alive() > 0)
		event_base_loop(loop, EVLOOP_ONCE);
	event_base_free(loop);
	stop_redis();
	unlink(path);
	rmdir(folder);
	return 0;
}

static void connect_to_redis(void)
{
	start_redis("");
	cache = cache_new(loop, url, TIMEOUT_MS);
	run_until(is_up);
}

static void every_kind_of_answer_reaches_its_slot(void **state)
{
	(void)state;
	connect_to_redis();
	new_errand(task_then(ask_everything), 5000);
	run_until(all_done);
	assert_int_equal(answers[0].kind, CACHE_TEXT);
	assert_string_equal(answers[0].text, "OK");
	assert_int_equal(answers[1].kind, CACHE_TEXT);
	assert_int_equal(answers[1].length, 5);
	assert_int_equal(answers[2].kind, CACHE_NIL);
	assert_int_equal(answers[3].kind, CACHE_INTEGER);
	assert_int_equal(answers[3].integer, 2);
	assert_int_equal(answers[4].kind, CACHE_LIST);
	assert_int_equal(answers[4].n_items, 2);
	assert_string_equal(answers[4].item_text, "y");
	assert_int_equal(answers[5].kind, CACHE_REFUSED);
	assert_non_null(strstr(answers[5].text, "WRONGTYPE"));
	assert_int_equal(answers[6].kind, CACHE_LIST);
	assert_string_equal(answers[6].item_text, "out");
	assert_int_equal(answers[7].kind, CACHE_NOTHING);
}

static void while_redis_is_away_commands_fail_at_once(void **state)
{
	const int64_t start = clock_ms();

	(void)state;
	cache = cache_new(loop, url, TIMEOUT_MS);
	assert_false(cache_up(cache));
	assert_int_equal(ask(), CACHE_NOTHING);
	assert_true(clock_ms() - start < TIMEOUT_MS);
}

static void redis_may_start_later(void **state)
{
	(void)state;
	cache = cache_new(loop, url, TIMEOUT_MS);
	assert_int_equal(ask(), CACHE_NOTHING);
	start_redis("");
	run_until(is_up);
	assert_int_equal(ask(), CACHE_TEXT);
}

static void a_paused_redis_costs_the_time_out_and_comes_back(void **state)
{
	int took;

	(void)state;
	connect_to_redis();
	kill(redis, SIGSTOP);
	new_errand(task_then(ask_one), 5000);
	new_errand(task_then(ask_one), 5000);
	took = run_until(all_done);
	assert_int_equal(answers[0].kind, CACHE_NOTHING);
	assert_in_range(took, TIMEOUT_MS - 20, 4500); /* and not until their deadline */
	assert_false(cache_up(cache));
	assert_int_equal(ask(), CACHE_NOTHING);
	kill(redis, SIGCONT);
	run_until(is_up);
	assert_int_equal(ask(), CACHE_TEXT);
}

static void a_killed_redis_ends_what_waits_and_is_found_again(void **state)
{
	(void)state;
	connect_to_redis();
	kill(redis, SIGSTOP);
	new_errand(task_then(ask_one), 5000);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	stop_redis();
	assert_true(run_until(all_done) < TIMEOUT_MS);
	assert_int_equal(answers[0].kind, CACHE_NOTHING);
	run_until(is_down);
	start_redis("");
	run_until(is_up);
	assert_int_equal(ask(), CACHE_TEXT);
}

static void it_survives_being_killed_again_and_again(void **state)
{
	(void)state;
	connect_to_redis();
	for (int i = 0; i < 5; i++) {
		new_errand(task_then(ask_everything), 5000);
		event_base_loop(loop, EVLOOP_NONBLOCK);
		stop_redis();
		run_until(all_done);
		run_until(is_down);
		start_redis("");
		run_until(is_up);
	}
	assert_int_equal(ask(), CACHE_TEXT);
}

static void a_server_that_never_answers_is_never_up(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int silent = socket(AF_UNIX, SOCK_STREAM, 0);
	const int64_t start = clock_ms();

	(void)state;
	strcpy(address.sun_path, path);
	assert_int_equal(bind(silent, (struct sockaddr *)&address, sizeof address), 0);
	listen(silent, 10);
	cache = cache_new(loop, url, TIMEOUT_MS);
	while (clock_ms() - start < 2600) /* one connection is given up after 2 s */
		event_base_loop(loop, EVLOOP_ONCE);
	assert_false(cache_up(cache));
	close(silent);
	unlink(path);
	start_redis("");
	run_until(is_up);
}

static void a_server_that_talks_nonsense_is_left(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int server = socket(AF_UNIX, SOCK_STREAM, 0);
	int client;

	(void)state;
	strcpy(address.sun_path, path);
	assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof address), 0);
	listen(server, 10);
	cache = cache_new(loop, url, TIMEOUT_MS);
	event_base_loop(loop, EVLOOP_ONCE);
	client = accept(server, NULL, NULL);
	assert_int_equal(write(client, "HTTP/1.1 400\r\n\r\n", 16), 16);
	for (int i = 0; i < 5; i++)
		event_base_loop(loop, EVLOOP_NONBLOCK);
	assert_false(cache_up(cache));
	close(client);
	close(server);
	unlink(path);
	start_redis("");
	run_until(is_up);
}

static void a_password_is_given_where_the_url_has_one(void **state)
{
	(void)state;
	start_redis("p@ss/word");
	snprintf(url, sizeof url, "unix://:p%%40ss%%2Fword@%s?db=3", path);
	cache = cache_new(loop, url, TIMEOUT_MS);
	run_until(is_up);
	assert_int_equal(ask(), CACHE_TEXT);
	cache_free(cache);
	snprintf(url, sizeof url, "unix://default:p%%40ss%%2Fword@%s", path);
	cache = cache_new(loop, url, TIMEOUT_MS);
	run_until(is_up);
}

static void a_wrong_password_is_not_up(void **state)
{
	const int64_t start = clock_ms();

	(void)state;
	start_redis("secret");
	snprintf(url, sizeof url, "unix://:wrong@%s", path);
	cache = cache_new(loop, url, TIMEOUT_MS);
	while (clock_ms() - start < 800)
		event_base_loop(loop, EVLOOP_ONCE);
	assert_false(cache_up(cache));
	assert_int_equal(ask(), CACHE_NOTHING);
}

static struct step set_key(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	cache_command(task, &errand->slots[0], cache, "SET only here");
	return task_then(look);
}

static struct step get_key(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	cache_command(task, &errand->slots[0], cache, "GET only");
	return task_then(look);
}

static void a_database_is_chosen_by_the_url(void **state)
{
	char other[160];

	(void)state;
	connect_to_redis();
	new_errand(task_then(set_key), 5000);
	run_until(all_done);
	cache_free(cache);
	snprintf(other, sizeof other, "%s?db=2", url);
	cache = cache_new(loop, other, TIMEOUT_MS);
	run_until(is_up);
	new_errand(task_then(get_key), 5000);
	run_until(all_done);
	assert_int_equal(answers[0].kind, CACHE_NIL);
}

static void tcp_and_host_names_work(void **state)
{
	(void)state;
	port = free_port();
	start_redis("");
	snprintf(url, sizeof url, "redis://127.0.0.1:%d/1", port);
	cache = cache_new(loop, url, TIMEOUT_MS);
	run_until(is_up);
	cache_free(cache);
	snprintf(url, sizeof url, "redis://localhost:%d", port);
	cache = cache_new(loop, url, TIMEOUT_MS);
	run_until(is_up);
	assert_int_equal(ask(), CACHE_TEXT);
}

static void an_unknown_host_is_tried_again_and_can_be_freed(void **state)
{
	const int64_t start = clock_ms();

	(void)state;
	cache = cache_new(loop, "redis://no-such-host.invalid:6379", TIMEOUT_MS);
	while (clock_ms() - start < 400)
		event_base_loop(loop, EVLOOP_ONCE);
	assert_false(cache_up(cache));
}

static int refused;

static struct step count_refused(struct task *task)
{
	const struct errand *errand = (const struct errand *)task;

	for (int i = 0; i < SLOTS; i++)
		refused += errand->slots[i].kind == CACHE_NOTHING;
	return task_done();
}

static struct step ask_eight(struct task *task)
{
	struct errand *errand = (struct errand *)task;

	for (int i = 0; i < SLOTS; i++)
		cache_command(task, &errand->slots[i], cache, "PING");
	return task_then(count_refused);
}

static void commands_in_flight_are_bounded(void **state)
{
	(void)state;
	refused = 0;
	connect_to_redis();
	kill(redis, SIGSTOP);
	for (int i = 0; i < 130; i++) /* 1040 commands */
		new_errand(task_then(ask_eight), 5000);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	assert_int_equal(refused, 16);
	kill(redis, SIGCONT);
	run_until(all_done);
	assert_int_equal(refused, 16);
}

static void an_abandoned_task_keeps_its_arena_for_the_answer(void **state)
{
	struct errand *errand;

	(void)state;
	connect_to_redis();
	kill(redis, SIGSTOP);
	errand = new_errand(task_then(ask_one), 5000);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	task_abandon(&errand->task);
	assert_int_equal(tasks_alive(), 1);
	kill(redis, SIGCONT);
	run_until(all_done);
	assert_true(cache_up(cache));
}

static const struct errand *hasty; /* alive while its command waits */

static bool is_late(void)
{
	return hasty->task.done;
}

static void a_tasks_own_deadline_does_not_cost_the_connection(void **state)
{
	(void)state;
	connect_to_redis();
	kill(redis, SIGSTOP);
	hasty = new_errand(task_then(ask_one), 500);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	run_until(is_late);
	kill(redis, SIGCONT);
	run_until(all_done);
	assert_true(cache_up(cache));
}

static void freeing_ends_what_waits(void **state)
{
	(void)state;
	connect_to_redis();
	kill(redis, SIGSTOP);
	new_errand(task_then(ask_everything), 5000);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	cache_free(cache);
	cache = NULL;
	run_until(all_done);
	assert_int_equal(answers[0].kind, CACHE_NOTHING);
}

static void urls_are_checked(void **state)
{
	static const char *const good[] = {
		"redis://127.0.0.1:6379",       "redis://redis",
		"redis://:secret@redis:6379/2", "redis://user:secret@[::1]:6379",
		"unix:///run/redis.sock",       "unix:///run/redis.sock?db=1"};
	static const char *const bad[] = {"",
					  "redis",
					  "http://x",
					  "redis://",
					  "redis://x:0",
					  "redis://x:99999",
					  "redis://x/one",
					  "redis://x/1x",
					  "unix://relative",
					  "unix:relative",
					  "unix:///s?db=x",
					  "unix:///s?nothing",
					  "redis://x y"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (cache_check_url(good[i]) != NULL)
			fail_msg("%s %s", good[i], cache_check_url(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (cache_check_url(bad[i]) == NULL)
			fail_msg("%s", bad[i]);
	assert_null(cache_new(loop, "redis://", 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_kind_of_answer_reaches_its_slot),
		TEST(while_redis_is_away_commands_fail_at_once),
		TEST(redis_may_start_later),
		TEST(a_paused_redis_costs_the_time_out_and_comes_back),
		TEST(a_killed_redis_ends_what_waits_and_is_found_again),
		TEST(it_survives_being_killed_again_and_again),
		TEST(a_server_that_never_answers_is_never_up),
		TEST(a_server_that_talks_nonsense_is_left),
		TEST(a_password_is_given_where_the_url_has_one),
		TEST(a_wrong_password_is_not_up),
		TEST(a_database_is_chosen_by_the_url),
		TEST(tcp_and_host_names_work),
		TEST(an_unknown_host_is_tried_again_and_can_be_freed),
		TEST(commands_in_flight_are_bounded),
		TEST(an_abandoned_task_keeps_its_arena_for_the_answer),
		TEST(a_tasks_own_deadline_does_not_cost_the_connection),
		TEST(freeing_ends_what_waits),
		TEST(urls_are_checked),
	};

	log_start("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
