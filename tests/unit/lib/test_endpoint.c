/*
 * test_endpoint.c - which addresses a list of peers means, as replicas and names come and go.
 */
#include "lib/endpoint.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <event2/event.h>

#include "check.h"
#include "lib/clock.h"

static struct event_base *loop;
static char folder[64];
static char latest[1024]; /* the last set, sorted as told, with spaces */
static unsigned changes;

static void on_changed(void *argument, char addresses[][ENDPOINT_SIZE], size_t count)
{
	(void)argument;
	changes++;
	latest[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		strcat(latest, addresses[i]);
		strcat(latest, " ");
	}
}

static void turn(int ms)
{
	const struct timeval pause = {ms / 1000, ms % 1000 * 1000};

	event_base_loopexit(loop, &pause);
	event_base_dispatch(loop);
}

static struct endpoints *watch(const char *peers)
{
	struct endpoints *endpoints = endpoints_new(loop, peers, on_changed, NULL);

	assert_non_null(endpoints);
	turn(20);
	return endpoints;
}

/* A socket that somebody listens to; closing it leaves the file. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
	unlink(address.sun_path);
	assert_int_equal(bind(s, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(s, 64), 0);
	return s;
}

static const char *in_folder(const char *format)
{
	static char text[1024];
	const char *at = format;
	size_t used = 0;

	for (; *at != '\0'; at++) { /* @ is the folder */
		if (*at == '@')
			used += (size_t)snprintf(text + used, sizeof text - used, "%s", folder);
		else
			text[used++] = *at;
	}
	text[used] = '\0';
	return text;
}

static int setup(void **state)
{
	(void)state;
	loop = event_base_new();
	changes = 0;
	latest[0] = '\0';
	snprintf(folder, sizeof folder, "/tmp/causerie-end-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	event_base_free(loop);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static void fixed_addresses_are_told_as_they_stand(void **state)
{
	struct endpoints *endpoints =
		watch("ipc:///run/a.rpc, tcp://10.0.0.2:7101,tcp://[fd00::2]:7101");

	(void)state;
	assert_string_equal(latest, "ipc:///run/a.rpc tcp://10.0.0.2:7101 tcp://[fd00::2]:7101 ");
	assert_int_equal(changes, 1);
	endpoints_free(endpoints);
}

static void a_malformed_list_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"http://a:1",
		"tcp://a",
		"tcp://a:",
		"tcp://:1",
		"tcp://a:0",
		"tcp://a:65536",
		"tcp://a:1x",
		"tcp://a: 1",
		"tcp://fd00::2:7101",
		"tcp://[10.0.0.1]:7101",
		"tcp://[]:1",
		"ipc://relative",
		"ipc:///a.*.*",
		"ipc:///a*/b",
		"ipc:///a,",
		"tcp://10.0.0.2:7101,,tcp://10.0.0.3:7101",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		errno = 0;
		if (endpoints_new(loop, bad[i], on_changed, NULL) != NULL)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(errno, EINVAL);
	}
}

static void a_pattern_means_the_sockets_that_are_listened_to(void **state)
{
	int first = listen_at("topics.1.rpc"), dead = listen_at("topics.2.rpc");
	int bus = listen_at("topics.1.rpc.bus"), other = listen_at("comments.1.rpc"), second;
	struct endpoints *endpoints;

	(void)state;
	close(dead);
	endpoints = watch(in_folder("ipc://@/topics.*.rpc"));
	assert_string_equal(latest, in_folder("ipc://@/topics.1.rpc "));
	second = listen_at("topics.3.rpc");
	turn(600);
	assert_int_equal(changes, 2);
	close(first); /* still in use for all we know, until somebody misses it */
	turn(600);
	assert_int_equal(changes, 2);
	endpoints_hurry(endpoints, true);
	turn(150);
	assert_string_equal(latest, in_folder("ipc://@/topics.3.rpc "));
	endpoints_free(endpoints);
	close(bus);
	close(other);
	close(second);
}

static void a_folder_that_is_not_there_yet_is_empty(void **state)
{
	struct endpoints *endpoints = watch(in_folder("ipc://@/later/topics.*.rpc"));

	(void)state;
	assert_int_equal(changes, 1);
	assert_string_equal(latest, "");
	endpoints_free(endpoints);
}

/* --- names --- */

static atomic_int answer; /* which of the answers below the resolver gives */
static atomic_uint asked;

static size_t resolve(const char *host, char literals[][ENDPOINT_SIZE], size_t room)
{
	static const char *const answers[][3] = {
		{"10.0.0.1", "10.0.0.2"}, {"10.0.0.2", "fd00::3"}, {NULL}};
	size_t count = 0;

	assert_string_equal(host, "topics");
	for (; count < room && answers[answer][count] != NULL; count++)
		strcpy(literals[count], answers[answer][count]);
	atomic_fetch_add(&asked, 1);
	return count;
}

static size_t resolve_slowly(const char *host, char literals[][ENDPOINT_SIZE], size_t room)
{
	usleep(2000000);
	return resolve(host, literals, room);
}

static void wait_for_change(unsigned count)
{
	for (int i = 0; i < 2000 && changes < count; i++)
		turn(10);
	assert_int_equal(changes, count);
}

/* Names are asked again every five seconds: these two tests take their time. */
static void a_name_means_all_its_addresses_and_loses_one_after_two_answers(void **state)
{
	struct endpoints *endpoints;
	int64_t changed;

	(void)state;
	endpoint_set_resolver(resolve);
	answer = 0;
	endpoints = watch("tcp://topics:7101");
	wait_for_change(changes ? changes : 1);
	if (latest[0] == '\0')
		wait_for_change(changes + 1);
	assert_string_equal(latest, "tcp://10.0.0.1:7101 tcp://10.0.0.2:7101 ");
	answer = 1;
	wait_for_change(changes + 1);
	assert_string_equal(latest,
			    "tcp://10.0.0.1:7101 tcp://10.0.0.2:7101 tcp://[fd00::3]:7101 ");
	changed = clock_ms();
	wait_for_change(changes + 1);
	assert_string_equal(latest, "tcp://10.0.0.2:7101 tcp://[fd00::3]:7101 ");
	assert_in_range(clock_ms() - changed, 4000, 9000); /* a third answer would come at 10000 */
	answer = 2;
	asked = 0;
	while (asked < 1)
		turn(50);
	turn(50);
	assert_string_equal(latest, "tcp://10.0.0.2:7101 tcp://[fd00::3]:7101 ");
	endpoints_free(endpoints);
}

static void a_slow_resolver_holds_neither_loop_nor_end(void **state)
{
	struct endpoints *endpoints;
	const int64_t start = clock_ms();

	(void)state;
	endpoint_set_resolver(resolve_slowly);
	answer = 0;
	asked = 0;
	endpoints = watch("tcp://topics:7101,tcp://10.9.9.9:1");
	assert_string_equal(latest, "tcp://10.9.9.9:1 ");
	endpoints_free(endpoints);
	assert_in_range(clock_ms() - start, 0, 1500);
	while (asked == 0)
		usleep(10000);
	usleep(100000); /* the thread leaves last and frees what it shared */
}

static void our_own_address_has_our_pid(void **state)
{
	char address[ENDPOINT_SIZE], expected[ENDPOINT_SIZE], too_long[200];

	(void)state;
	snprintf(expected, sizeof expected, "ipc:///run/a.%d.rpc", (int)getpid());
	assert_int_equal(endpoint_own("ipc:///run/a.%d.rpc", address), 0);
	assert_string_equal(address, expected);
	assert_int_equal(endpoint_own("tcp://0.0.0.0:7101", address), 0);
	assert_string_equal(address, "tcp://0.0.0.0:7101");
	memset(too_long, 'a', sizeof too_long);
	too_long[sizeof too_long - 1] = '\0';
	assert_int_equal(endpoint_own(too_long, address), -EINVAL);
}

static void the_bus_is_beside_the_rpc(void **state)
{
	char address[ENDPOINT_SIZE];

	(void)state;
	assert_int_equal(endpoint_bus("ipc:///run/a.7.rpc", address), 0);
	assert_string_equal(address, "ipc:///run/a.7.rpc.bus");
	assert_int_equal(endpoint_bus("tcp://[fd00::2]:7101", address), 0);
	assert_string_equal(address, "tcp://[fd00::2]:7102");
	assert_int_equal(endpoint_bus("inproc://a", address), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fixed_addresses_are_told_as_they_stand),
		TEST(a_malformed_list_is_refused),
		TEST(a_pattern_means_the_sockets_that_are_listened_to),
		TEST(a_folder_that_is_not_there_yet_is_empty),
		TEST(a_name_means_all_its_addresses_and_loses_one_after_two_answers),
		TEST(a_slow_resolver_holds_neither_loop_nor_end),
		TEST(our_own_address_has_our_pid),
		TEST(the_bus_is_beside_the_rpc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
