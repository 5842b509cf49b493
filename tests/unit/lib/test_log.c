/*
 * test_log.c - every line is JSON, whatever is in it, and no reader can make us wait.
 *
 * Standard error is replaced by a pipe (or a file, or a socket), and each line read from it
 * is parsed by jansson, strictly.
 */
#include "lib/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "check.h"
#include "lib/clock.h"

#define TRACE "4f1c"

static int real_stderr = -1, reader = -1;

static void replace_stderr(int end)
{
	fflush(stderr);
	dup2(end, STDERR_FILENO);
	close(end);
}

static int with_pipe(void **state)
{
	int ends[2];

	(void)state;
	if (pipe(ends) < 0)
		return -1;
	reader = ends[0];
	replace_stderr(ends[1]);
	log_start("test", LOG_INFO);
	return 0;
}

static int restore(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(reader);
	return 0;
}

/* The next line, which must be the only one there is, as JSON. */
static json_t *read_line(void)
{
	char line[8192];
	const ssize_t length = read(reader, line, sizeof line);
	json_error_t error;
	json_t *json;

	assert_true(length > 0 && length <= 4096);
	assert_int_equal(line[length - 1], '\n');
	assert_null(memchr(line, '\n', (size_t)length - 1));
	json = json_loadb(line, (size_t)length, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		fail_msg("%s in %.*s", error.text, (int)length, line);
	return json;
}

static const char *text(const json_t *line, const char *name)
{
	return json_string_value(json_object_get(line, name));
}

static void a_line_carries_what_happened_with_names_and_types(void **state)
{
	const uint64_t large = UINT64_C(9007199254740993);
	json_t *line;

	(void)state;
	log_info(TRACE, "comment.posted",
		 "comment=%" PRIu64 " author=%d title=%s share=%f size=%zu offset=%lld", large, -3,
		 "Les vélos", 0.25, sizeof line, -5000000000LL);
	line = read_line();
	assert_string_equal(text(line, "level"), "info");
	assert_string_equal(text(line, "service"), "test");
	assert_string_equal(text(line, "trace"), TRACE);
	assert_string_equal(text(line, "event"), "comment.posted");
	assert_int_equal(json_integer_value(json_object_get(line, "comment")), large);
	assert_int_equal(json_integer_value(json_object_get(line, "author")), -3);
	assert_string_equal(text(line, "title"), "Les vélos");
	assert_true(json_real_value(json_object_get(line, "share")) == 0.25);
	assert_int_equal(json_integer_value(json_object_get(line, "offset")), -5000000000LL);
	assert_int_equal(strlen(text(line, "time")), strlen("2026-11-23T01:28:09.123456Z"));
	json_decref(line);
}

static void a_line_without_request_and_fields_has_neither(void **state)
{
	json_t *line;

	(void)state;
	log_warn(NULL, "cache.up", "");
	line = read_line();
	assert_null(json_object_get(line, "trace"));
	assert_int_equal(json_object_size(line), 4);
	json_decref(line);
}

static void lines_below_the_level_are_not_written(void **state)
{
	json_t *line;

	(void)state;
	log_debug(NULL, "quiet", "");
	log_error(NULL, "loud", "");
	line = read_line();
	assert_string_equal(text(line, "event"), "loud");
	json_decref(line);
}

static void no_text_breaks_the_line(void **state)
{
	static const char *const hostile[] = {
		"\"},{\"level\":\"error",
		"a\\",
		"line\nbreak\r\n",
		"\x01\x1b[31m\x7f",
		("\xc2\x9b"
		 "31m"),
		"tab\t",
		"\xe2\x80\xa8",
		"🎬",
	};
	json_t *line;

	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		log_info(hostile[i], "event", "value=%s", hostile[i]);
		line = read_line();
		assert_string_equal(text(line, "value"), hostile[i]);
		assert_string_equal(text(line, "trace"), hostile[i]);
		json_decref(line);
	}
}

static void control_characters_do_not_reach_a_terminal(void **state)
{
	char bytes[4096];
	ssize_t length;

	(void)state;
	log_info(NULL, "event", "value=%s", "\x1b[2J\x07\x7f\xc2\x9b");
	length = read(reader, bytes, sizeof bytes);
	for (ssize_t i = 0; i < length - 1; i++)
		assert_true((unsigned char)bytes[i] >= 0x20 && (unsigned char)bytes[i] < 0x7f);
}

static void invalid_utf8_is_replaced(void **state)
{
	json_t *line;

	(void)state;
	log_info(NULL, "event", "value=%s other=%s",
		 "a\xff"
		 "b\xc3",
		 "\xed\xa0\x80\xf8");
	line = read_line();
	assert_non_null(strstr(text(line, "value"), "a\xef\xbf\xbd"
						    "b\xef\xbf\xbd"));
	assert_non_null(strstr(text(line, "other"), "\xef\xbf\xbd"));
	json_decref(line);
}

static void nothing_and_no_number_are_null(void **state)
{
	const char *volatile none = NULL;
	json_t *line;

	(void)state;
	log_info(NULL, "event", "text=%s nan=%f inf=%.2f", none, (double)NAN, (double)INFINITY);
	line = read_line();
	assert_true(json_is_null(json_object_get(line, "text")));
	assert_true(json_is_null(json_object_get(line, "nan")));
	assert_true(json_is_null(json_object_get(line, "inf")));
	json_decref(line);
}

static void a_long_text_is_cut_between_characters_and_marked(void **state)
{
	char hostile[100001];
	json_t *line;
	const char *value;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof hostile; i += 2)
		memcpy(hostile + i, "é", 2);
	hostile[sizeof hostile - 1] = '\0';
	log_info(NULL, "event", "value=%s after=%d", hostile, 1);
	line = read_line();
	value = text(line, "value");
	assert_in_range(strlen(value), 1000, 1100);
	assert_string_equal(value + strlen(value) - 3, "…");
	assert_int_equal(json_integer_value(json_object_get(line, "after")), 1);
	json_decref(line);
}

static void a_full_line_leaves_fields_out_and_says_so(void **state)
{
	char hostile[3000];
	json_t *line;

	(void)state;
	memset(hostile, '\x01', sizeof hostile - 1);
	hostile[sizeof hostile - 1] = '\0';
	log_info(hostile, "event", "a=%s b=%s c=%s d=%s e=%s last=%d", hostile, hostile, hostile,
		 hostile, hostile, 1);
	line = read_line();
	assert_true(json_is_true(json_object_get(line, "truncated")));
	assert_null(json_object_get(line, "last"));
	json_decref(line);
}

static void a_reader_that_stops_costs_lines_and_no_time(void **state)
{
	const uint64_t before = log_dropped();
	int64_t start = clock_ms();
	char bytes[4096];
	size_t lines = 0;
	ssize_t length;

	(void)state;
	for (int i = 0; i < 20000; i++)
		log_info(NULL, "event", "number=%d text=%s", i, "some text to fill the pipe with");
	assert_true(clock_ms() - start < 5000);
	assert_true(log_dropped() > before);
	fcntl(reader, F_SETFL, O_NONBLOCK);
	while ((length = read(reader, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < length; i++)
			lines += bytes[i] == '\n';
	assert_int_equal(lines + (log_dropped() - before), 20000);
}

static void others_on_the_same_pipe_are_not_made_non_blocking(void **state)
{
	(void)state;
	log_info(NULL, "event", "");
	assert_false(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
}

static void a_reader_that_left_costs_lines_only(void **state)
{
	const uint64_t before = log_dropped();

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	close(reader);
	reader = dup(real_stderr);
	log_info(NULL, "event", "");
	assert_int_equal(log_dropped(), before + 1);
}

static int with_socket(void **state)
{
	int ends[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return -1;
	reader = ends[0];
	replace_stderr(ends[1]);
	log_start("test", LOG_INFO);
	return 0;
}

static int with_full_disk(void **state)
{
	const int full = open("/dev/full", O_WRONLY);

	(void)state;
	reader = dup(real_stderr);
	replace_stderr(full);
	log_start("test", LOG_INFO);
	return full < 0;
}

static void a_full_disk_costs_lines_only(void **state)
{
	const uint64_t before = log_dropped();

	(void)state;
	log_info(NULL, "event", "");
	assert_int_equal(log_dropped(), before + 1);
}

/* --- bugs in a format end the process --- */

static void word_without_value(void)
{
	log_info(NULL, "event", "%s", "hello");
}

static void text_between_fields(void)
{
	log_info(NULL, "event", "a=%d and", 1);
}

static void conversion_we_do_not_have(void)
{
	log_info(NULL, "event", "a=%x", 1U);
}

static void a_format_that_is_no_list_of_fields_is_a_bug(void **state)
{
	(void)state;
	assert_true(check_aborts(word_without_value));
	assert_true(check_aborts(text_between_fields));
	assert_true(check_aborts(conversion_we_do_not_have));
}

static void the_end_is_one_plain_line_and_exit_1(void **state)
{
	char bytes[256];
	ssize_t length;
	int status;
	const pid_t child = fork();

	(void)state;
	if (child == 0)
		log_fatal("port %d is taken", 8080);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	length = read(reader, bytes, sizeof bytes - 1);
	bytes[length > 0 ? length : 0] = '\0';
	assert_string_equal(bytes, "causerie-test: port 8080 is taken\n");
}

int main(void)
{
#define WITH(set_up, name) cmocka_unit_test_setup_teardown(name, set_up, restore)
	const struct CMUnitTest tests[] = {
		WITH(with_pipe, a_line_carries_what_happened_with_names_and_types),
		WITH(with_pipe, a_line_without_request_and_fields_has_neither),
		WITH(with_pipe, lines_below_the_level_are_not_written),
		WITH(with_pipe, no_text_breaks_the_line),
		WITH(with_pipe, control_characters_do_not_reach_a_terminal),
		WITH(with_pipe, invalid_utf8_is_replaced),
		WITH(with_pipe, nothing_and_no_number_are_null),
		WITH(with_pipe, a_long_text_is_cut_between_characters_and_marked),
		WITH(with_pipe, a_full_line_leaves_fields_out_and_says_so),
		WITH(with_pipe, a_reader_that_stops_costs_lines_and_no_time),
		WITH(with_pipe, others_on_the_same_pipe_are_not_made_non_blocking),
		WITH(with_pipe, a_reader_that_left_costs_lines_only),
		WITH(with_socket, a_line_carries_what_happened_with_names_and_types),
		WITH(with_socket, a_reader_that_stops_costs_lines_and_no_time),
		WITH(with_full_disk, a_full_disk_costs_lines_only),
		WITH(with_pipe, a_format_that_is_no_list_of_fields_is_a_bug),
		WITH(with_pipe, the_end_is_one_plain_line_and_exit_1),
	};

	real_stderr = dup(STDERR_FILENO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
