/*
 * test_bus.c - hints reach every listener, few and genuine.
 */
#include "lib/bus.h"

#include <string.h>

#include <event2/event.h>
#include <nanomsg/pubsub.h>

#include "check.h"
#include "lib/clock.h"
#include "lib/nano.h"

static const unsigned char key[32] = "a key that all daemons may share";
static struct event_base *loop;
static char folder[64], address[96];

static unsigned hints;
static uint64_t last_epoch, last_head;

static void on_hint(void *argument, uint64_t epoch, uint64_t head)
{
	assert_string_equal(argument, "listener");
	hints++;
	last_epoch = epoch;
	last_head = head;
}

static void turn(int ms)
{
	const struct timeval pause = {ms / 1000, ms % 1000 * 1000};

	event_base_loopexit(loop, &pause);
	event_base_dispatch(loop);
}

static int setup(void **state)
{
	(void)state;
	loop = event_base_new();
	hints = 0;
	last_head = 0;
	snprintf(folder, sizeof folder, "/tmp/causerie-bus-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(address, sizeof address, "ipc://%s/topics.1.rpc", folder);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	event_base_free(loop);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static struct bus_listener *listen_to(const char *peers)
{
	static char name[] = "listener";
	struct bus_listener *listener = bus_listener_new(loop, peers, key, on_hint, name);

	assert_non_null(listener);
	return listener;
}

/* Until the two have met: what is published before is lost, as it may be. */
static void meet(struct bus_publisher *publisher)
{
	for (int i = 0; i < 500 && hints == 0; i++) {
		bus_publish(publisher, 1, 1);
		turn(10);
	}
	turn(30);
	hints = 0;
}

static void turn_until_heard(uint64_t head)
{
	for (int i = 0; i < 500 && last_head != head; i++)
		turn(10);
}

static void a_hint_says_where_to_look(void **state)
{
	struct bus_publisher *publisher = bus_publisher_new(loop, address, key);
	struct bus_listener *listener = listen_to(address);

	(void)state;
	meet(publisher);
	bus_publish(publisher, 3, UINT64_MAX - 1);
	turn_until_heard(UINT64_MAX - 1);
	assert_int_equal(hints, 1);
	assert_true(last_epoch == 3 && last_head == UINT64_MAX - 1);
	bus_listener_free(listener);
	bus_publisher_free(publisher);
}

static void a_thousand_announcements_are_few_hints_and_the_last_one_counts(void **state)
{
	struct bus_publisher *publisher = bus_publisher_new(loop, address, key);
	struct bus_listener *listener = listen_to(address);

	(void)state;
	meet(publisher);
	for (uint64_t head = 1; head <= 1000; head++)
		bus_publish(publisher, 1, head);
	turn_until_heard(1000);
	assert_in_range(hints, 1, 3);
	assert_int_equal(last_head, 1000);
	bus_listener_free(listener);
	bus_publisher_free(publisher);
}

static void a_publisher_that_starts_later_is_heard(void **state)
{
	struct bus_listener *listener = listen_to(address);
	struct bus_publisher *publisher;

	(void)state;
	turn(100);
	publisher = bus_publisher_new(loop, address, key);
	for (uint64_t head = 1; head < 200 && hints == 0; head++) {
		bus_publish(publisher, 1, head);
		turn(10);
	}
	assert_int_not_equal(hints, 0);
	bus_listener_free(listener);
	bus_publisher_free(publisher);
}

static void hints_that_are_forged_are_dropped(void **state)
{
	struct bus_listener *listener = listen_to(address);
	unsigned char forged[52] = {[32] = 1, [33] = 'H'};
	char bus[128];
	int s = nano_socket(NN_PUB);

	(void)state;
	snprintf(bus, sizeof bus, "%s.bus", address);
	assert_int_equal(nano_bind(s, bus), 0);
	turn(1200);
	for (size_t size = 0; size <= sizeof forged; size++)
		nano_send(s, forged, size, NULL, 0);
	turn(50);
	assert_int_equal(hints, 0);
	bus_listener_free(listener);
	nano_close(&s);
}

static void another_keys_hints_are_dropped(void **state)
{
	const unsigned char other[32] = "somebody else's key";
	struct bus_publisher *publisher = bus_publisher_new(loop, address, other);
	struct bus_listener *listener = listen_to(address);

	(void)state;
	turn(150);
	bus_publish(publisher, 1, 1);
	turn(50);
	assert_int_equal(hints, 0);
	bus_listener_free(listener);
	bus_publisher_free(publisher);
}

static void a_bad_address_is_an_error(void **state)
{
	(void)state;
	assert_null(bus_publisher_new(loop, "nonsense", key));
	assert_null(bus_listener_new(loop, "nonsense", key, on_hint, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hint_says_where_to_look),
		TEST(a_thousand_announcements_are_few_hints_and_the_last_one_counts),
		TEST(a_publisher_that_starts_later_is_heard),
		TEST(hints_that_are_forged_are_dropped),
		TEST(another_keys_hints_are_dropped),
		TEST(a_bad_address_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
