/*
 * test_config.c - what a setting may be, and in which words it is refused.
 *
 * The names known to the house are those of the real daemons; the tables here use some of them.
 */
#include "lib/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static const char *url;
static int64_t number, duration;
static const char *secret;
static struct config_problem problem;

static const char *check_anything(const char *value)
{
	return strcmp(value, "bad") == 0 ? "is bad" : NULL;
}

static const struct setting first_table[] = {
	SETTING_TEXT("CAUSERIE_PUBLIC_URL", "http://127.0.0.1:8080", &url, "where", check_url),
	SETTING_INTEGER("CAUSERIE_RPC_LIMIT", "256", &number, 1, 1000, "how many"),
	{.name = NULL},
};

static const struct setting second_table[] = {
	SETTING_DURATION("CAUSERIE_DRAIN_TIME", "10s", &duration, 0, 3600000, "how long"),
	SETTING_SECRET("CAUSERIE_RPC_KEY_FILE", NULL, &secret, "a secret", check_anything),
	{.name = NULL},
};

static const struct setting *const tables[] = {first_table, second_table, NULL};

static int fresh(void **state)
{
	(void)state;
	clearenv();
	url = secret = NULL;
	number = duration = -1;
	problem.text[0] = '\0';
	return 0;
}

static int read_with(const char *name, const char *value)
{
	clearenv();
	setenv(name, value, 1);
	return config_read(tables, &problem);
}

static void assert_refused(const char *name, const char *value, const char *words)
{
	problem.text[0] = '\0';
	assert_int_equal(read_with(name, value), -EINVAL);
	if (strstr(problem.text, words) == NULL || strstr(problem.text, name) != problem.text)
		fail_msg("%s=%s: %s", name, value, problem.text);
}

static void without_settings_the_defaults_hold(void **state)
{
	(void)state;
	assert_int_equal(config_read(tables, &problem), 0);
	assert_string_equal(url, "http://127.0.0.1:8080");
	assert_int_equal(number, 256);
	assert_int_equal(duration, 10000);
	assert_null(secret);
}

static void a_variable_wins_over_its_default(void **state)
{
	(void)state;
	assert_int_equal(read_with("CAUSERIE_PUBLIC_URL", "https://causerie.example"), 0);
	assert_string_equal(url, "https://causerie.example");
}

static void an_empty_variable_counts_as_not_set(void **state)
{
	(void)state;
	assert_int_equal(read_with("CAUSERIE_RPC_LIMIT", ""), 0);
	assert_int_equal(number, 256);
}

static void other_programs_variables_are_no_concern(void **state)
{
	(void)state;
	assert_int_equal(read_with("CAUSERIES", "x"), 0);
	assert_int_equal(read_with("PATH", "/bin"), 0);
}

static void another_daemons_setting_is_known(void **state)
{
	(void)state;
	assert_int_equal(read_with("CAUSERIE_TOPICS_LISTEN", "ipc:///tmp/x"), 0);
}

static void a_misspelt_name_is_refused_with_the_nearest(void **state)
{
	(void)state;
	assert_refused("CAUSERIE_PUBLIC_ULR", "x", "did you mean CAUSERIE_PUBLIC_URL?");
	assert_refused("CAUSERIE_RPCLIMIT", "x", "did you mean CAUSERIE_RPC_LIMIT?");
}

static void a_name_like_no_other_is_refused_without_a_guess(void **state)
{
	(void)state;
	assert_refused("CAUSERIE_XYZZY_QUUX_PLUGH", "x", "there is no such setting");
	assert_null(strstr(problem.text, "did you mean"));
}

static void a_hostile_name_is_refused_in_bounds(void **state)
{
	char name[5000] = "CAUSERIE_";

	(void)state;
	memset(name + 9, 'A', sizeof name - 10);
	name[sizeof name - 1] = '\0';
	assert_int_equal(read_with(name, "x"), -EINVAL);
	assert_true(strlen(problem.text) < 200);
}

static void numbers_are_digits_within_their_range(void **state)
{
	static const char *const bad[] = {"0",  "1001", "1e2", "1x", "x",
					  "+5", " 5",   "5 ",  "-5", "99999999999999999999"};

	(void)state;
	assert_int_equal(read_with("CAUSERIE_RPC_LIMIT", "1000"), 0);
	assert_int_equal(number, 1000);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused("CAUSERIE_RPC_LIMIT", bad[i], bad[i]);
}

static void durations_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"250ms", 250}, {"90s", 90000}, {"10m", 600000}, {"1h", 3600000}, {"0", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(read_with("CAUSERIE_DRAIN_TIME", good[i].text), 0);
		assert_int_equal(duration, good[i].ms);
	}
	assert_refused("CAUSERIE_DRAIN_TIME", "10", "unit");
	assert_refused("CAUSERIE_DRAIN_TIME", "10sec", "unit");
	assert_refused("CAUSERIE_DRAIN_TIME", "soon", "duration");
	assert_refused("CAUSERIE_DRAIN_TIME", "2h", "between");
	assert_refused("CAUSERIE_DRAIN_TIME", "9223372036854775807d", "between");
}

static void a_flag_is_0_or_1(void **state)
{
	bool flag = false;
	const struct setting table[] = {
		SETTING_BOOLEAN("CAUSERIE_RPC_WINDOW", "0", &flag, "a flag"),
		{.name = NULL},
	};
	const struct setting *const only[] = {table, NULL};

	(void)state;
	setenv("CAUSERIE_RPC_WINDOW", "1", 1);
	assert_int_equal(config_read(only, &problem), 0);
	assert_true(flag);
	setenv("CAUSERIE_RPC_WINDOW", "yes", 1);
	assert_int_equal(config_read(only, &problem), -EINVAL);
}

static void a_secret_is_not_shown_when_it_is_refused(void **state)
{
	(void)state;
	assert_refused("CAUSERIE_RPC_KEY_FILE", "bad", "is bad");
	assert_null(strstr(problem.text, "\"bad\""));
}

static void listen_addresses_are_literal_with_a_port(void **state)
{
	static const char *const good[] = {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:8080",
					   "[::]:65535"};
	static const char *const bad[] = {"8080",
					  ":8080",
					  "127.0.0.1",
					  "127.0.0.1:",
					  "127.0.0.1:x",
					  "127.0.0.1:65536",
					  "localhost:8080",
					  "::1:8080",
					  "[::1]",
					  "[::1]8080",
					  "",
					  "1.2.3.4:80 "};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_null(check_listen(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (check_listen(bad[i]) == NULL)
			fail_msg("%s", bad[i]);
}

static void endpoints_are_ipc_or_tcp(void **state)
{
	static const char *const good[] = {"ipc:///run/causerie/topics.*.rpc",
					   "ipc:///run/x.%d.rpc", "tcp://10.0.0.2:7101",
					   "tcp://topics:7101,tcp://10.0.0.3:7101"};
	static const char *const bad[] = {
		"",           "topics",         "http://x:1",         "ipc://relative",
		"tcp://x",    "tcp://:1",       "tcp://x:0",          "tcp://x:65535",
		"tcp://x:1,", "ipc:///a.*.b/c", "ipc:///run/*.*.rpc", "tcp://x:1 "};
	char longest[700] = "ipc:///";

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_null(check_endpoint(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (check_endpoint(bad[i]) == NULL)
			fail_msg("%s", bad[i]);
	memset(longest + 7, 'a', 120);
	assert_non_null(check_endpoint(longest));
	memset(longest + 7, 'a', sizeof longest - 8);
	assert_non_null(check_endpoint(longest));
}

static void urls_end_behind_their_host(void **state)
{
	static const char *const good[] = {"http://127.0.0.1:8080", "https://causerie.example",
					   "http://[::1]:80"};
	static const char *const bad[] = {"causerie.example", "ftp://x",           "http://",
					  "http://x/",        "http://x/y",        "http://a b",
					  "http://x?q",       "http://x\"onload=", ""};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_null(check_url(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (check_url(bad[i]) == NULL)
			fail_msg("%s", bad[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fresh)
	const struct CMUnitTest tests[] = {
		TEST(without_settings_the_defaults_hold),
		TEST(a_variable_wins_over_its_default),
		TEST(an_empty_variable_counts_as_not_set),
		TEST(other_programs_variables_are_no_concern),
		TEST(another_daemons_setting_is_known),
		TEST(a_misspelt_name_is_refused_with_the_nearest),
		TEST(a_name_like_no_other_is_refused_without_a_guess),
		TEST(a_hostile_name_is_refused_in_bounds),
		TEST(numbers_are_digits_within_their_range),
		TEST(durations_have_units),
		TEST(a_flag_is_0_or_1),
		TEST(a_secret_is_not_shown_when_it_is_refused),
		TEST(listen_addresses_are_literal_with_a_port),
		TEST(endpoints_are_ipc_or_tcp),
		TEST(urls_end_behind_their_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
