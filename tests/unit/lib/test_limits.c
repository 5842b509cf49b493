/*
 * test_limits.c - a message that breaks a limit of its .proto file is named for it.
 *
 * The limits used are those of common.proto, events.proto and comments.proto;
 * tests/integration/test_compile_limits.py has the grammar.
 */
#include "lib/limits.h"

#include <string.h>

#include "check.h"
#include "comments.pb-c.h"
#include "common.pb-c.h"
#include "events.pb-c.h"

static struct limits_error wrong[8];

static void assert_wrong(const ProtobufCMessage *message, const char *field, const char *reason)
{
	assert_int_equal(limits_check(message, wrong, 1), 1);
	assert_string_equal(wrong[0].field, field);
	assert_string_equal(wrong[0].reason, reason);
}

static void assert_fine(const ProtobufCMessage *message)
{
	assert_int_equal(limits_check(message, wrong, 1), 0);
}

static char *letters(char *text, const char *letter, size_t count)
{
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		strcpy(text + i * strlen(letter), letter);
	return text;
}

static Causerie__Event event_of_type(char *type)
{
	Causerie__Event event;

	causerie__event__init(&event);
	event.type = type;
	return event;
}

static void characters_are_counted_not_bytes(void **state)
{
	char text[200];
	Causerie__Event event = event_of_type(letters(text, "é", 40)); /* [1..40 chars; line] */

	(void)state;
	assert_fine(&event.base);
	letters(text, "é", 41);
	assert_wrong(&event.base, "type", "too_long");
	letters(text, "👩", 40);
	assert_fine(&event.base);
	text[0] = '\0';
	assert_wrong(&event.base, "type", "missing");
}

static void bytes_are_counted_where_the_limit_says_so(void **state)
{
	char type[] = "x", text[200];
	Causerie__Event event = event_of_type(type);

	(void)state;
	event.trace = letters(text, "é", 32); /* [..64 bytes; line] */
	assert_fine(&event.base);
	letters(text, "é", 33);
	assert_wrong(&event.base, "trace", "too_long");
}

static void a_string_without_a_limit_has_one(void **state)
{
	Causerie__Response response;
	static char text[2000];

	(void)state;
	causerie__response__init(&response);
	response.detail = letters(text, "a", 512);
	assert_fine(&response.base);
	letters(text, "a", 513);
	assert_wrong(&response.base, "detail", "too_long");
}

static void invalid_utf8_is_malformed(void **state)
{
	static const char *const bad[] = {
		"\xff",         "\xc3",     "a\xc0\xaf",   "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"12345678\x80", "\xe2\x82", "1234567\xc3",
	};
	char text[32];
	Causerie__Event event = event_of_type(text);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		strcpy(text, bad[i]);
		assert_wrong(&event.base, "type", "malformed");
	}
}

static void a_line_has_no_control_characters(void **state)
{
	static const char *const bad[] = {"a\nb",          "a\rb",      "\t",
					  "a\x7f",         "a\xc2\x85", "\xe2\x80\xa8",
					  "\xe2\x80\xa9x", "\x1b[0m"};
	static const char *const good[] = {"a\xc2\xa0 b", "\xe2\x80\xaf!", "\xc3\x85",
					   "\xe2\x80\x99"};
	char text[32];
	Causerie__Event event = event_of_type(text);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		strcpy(text, bad[i]);
		assert_wrong(&event.base, "type", "malformed");
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		strcpy(text, good[i]);
		assert_fine(&event.base);
	}
}

static void a_number_stays_in_its_range(void **state)
{
	Causerie__FetchEventsRequest ask;
	char consumer[] = "x";

	(void)state;
	causerie__fetch_events_request__init(&ask);
	ask.consumer = consumer;
	ask.limit = 500; /* [1..500] */
	assert_fine(&ask.base);
	ask.limit = 501;
	assert_wrong(&ask.base, "limit", "out_of_range");
	ask.limit = UINT32_MAX;
	assert_wrong(&ask.base, "limit", "out_of_range");
	ask.limit = 0;
	assert_wrong(&ask.base, "limit", "missing");
}

static void an_id_is_positive_and_below_two_to_the_63(void **state)
{
	Causerie__ModerateCommentRequest ask;

	(void)state;
	causerie__moderate_comment_request__init(&ask);
	ask.action = CAUSERIE__MODERATION_ACTION__HIDE;
	ask.id = INT64_MAX;
	assert_fine(&ask.base);
	ask.id = (uint64_t)INT64_MAX + 1;
	assert_wrong(&ask.base, "id", "out_of_range");
	ask.id = 0;
	assert_wrong(&ask.base, "id", "missing");
}

static void an_enum_has_known_values(void **state)
{
	Causerie__ModerateCommentRequest ask;
	Causerie__Response response;

	(void)state;
	causerie__moderate_comment_request__init(&ask);
	ask.id = 1;
	assert_wrong(&ask.base, "action", "missing"); /* [required] */
	memset(&ask.action, 99, sizeof ask.action);
	assert_wrong(&ask.base, "action", "not_allowed");
	causerie__response__init(&response);
	assert_fine(&response.base); /* not required: zero will do */
	memset(&response.code, 99, sizeof response.code);
	assert_wrong(&response.base, "code", "not_allowed");
}

static void a_list_has_its_length(void **state)
{
	char type[] = "x";
	Causerie__Event event = event_of_type(type);
	uint64_t ids[11] = {0};

	(void)state;
	event.mentioned_ids = ids; /* [..10 items] */
	event.n_mentioned_ids = 10;
	assert_fine(&event.base);
	event.n_mentioned_ids = 11;
	assert_wrong(&event.base, "mentioned_ids", "too_long");
}

static void messages_within_are_checked_and_named(void **state)
{
	char type[] = "x", none[] = "";
	Causerie__Event good = event_of_type(type), bad = event_of_type(none);
	Causerie__Event *events[] = {&good, &bad, &bad};
	Causerie__FetchEventsReply reply;
	Causerie__Request request;
	Causerie__Viewer viewer;
	char method[] = "x";

	(void)state;
	causerie__fetch_events_reply__init(&reply);
	reply.events = events;
	reply.n_events = 3;
	assert_wrong(&reply.base, "events.type", "missing");
	assert_int_equal(limits_check(&reply.base, wrong, 8), 1); /* one per list */
	causerie__request__init(&request);
	causerie__viewer__init(&viewer);
	request.method = method;
	assert_fine(&request.base); /* no viewer is a visitor */
	request.viewer = &viewer;
	viewer.roles = 8; /* [0..7] */
	assert_wrong(&request.base, "viewer.roles", "out_of_range");
}

static void every_wrong_field_is_told(void **state)
{
	char none[] = "", line[] = "a\nb";
	Causerie__Event event = event_of_type(none);

	(void)state;
	event.from_state = line;
	event.to_state = line;
	assert_int_equal(limits_check(&event.base, wrong, 8), 3);
	assert_string_equal(wrong[0].field, "type");
	assert_string_equal(wrong[1].field, "from_state");
	assert_string_equal(wrong[2].field, "to_state");
	assert_int_equal(limits_check(&event.base, wrong, 2), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(bytes_are_counted_where_the_limit_says_so),
		cmocka_unit_test(a_string_without_a_limit_has_one),
		cmocka_unit_test(invalid_utf8_is_malformed),
		cmocka_unit_test(a_line_has_no_control_characters),
		cmocka_unit_test(a_number_stays_in_its_range),
		cmocka_unit_test(an_id_is_positive_and_below_two_to_the_63),
		cmocka_unit_test(an_enum_has_known_values),
		cmocka_unit_test(a_list_has_its_length),
		cmocka_unit_test(messages_within_are_checked_and_named),
		cmocka_unit_test(every_wrong_field_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
