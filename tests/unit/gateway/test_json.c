/*
 * test_json.c - messages become JSON as the API promises, and hostile JSON does not become
 * messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accounts.pb-c.h"
#include "comments.pb-c.h"
#include "gateway/json.h"
#include "gateway/people.h"
#include "lib/arena.h"
#include "notifications.pb-c.h"
#include "topics.pb-c.h"

static struct arena arena;

static int clear(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void assert_writes(const ProtobufCMessage *message, const struct people *people,
			  const struct json_shape *shapes, const char *expected)
{
	const struct json_writer writer = {.arena = &arena, .people = people, .shapes = shapes};
	json_t *object = json_write(&writer, message);
	char *text = json_dumps(object, JSON_COMPACT);

	assert_string_equal(text, expected);
	free(text);
	json_decref(object);
}

/* --- writing -------------------------------------------------------------------------- */

static void ids_are_strings_and_times_are_rfc_3339(void **state)
{
	Causerie__Notification message = CAUSERIE__NOTIFICATION__INIT;
	char type[] = "comment.posted";

	(void)state;
	message.id = 9007199254740993; /* more than a double can hold */
	message.reason = CAUSERIE__REASON__REPLY;
	message.type = type;
	message.topic_id = 12;
	message.at = INT64_C(1700000000123456);
	message.read = true;
	assert_writes(
		&message.base, NULL, NULL,
		"{\"id\":\"9007199254740993\",\"reason\":\"reply\",\"type\":\"comment.posted\","
		"\"topic_id\":\"12\",\"comment_id\":null,\"actor\":null,"
		"\"at\":\"2023-11-14T22:13:20.123456Z\",\"read\":true,\"to_state\":\"\"}");
}

static void persons_have_names_and_the_erased_are_null(void **state)
{
	struct known_person known[] = {{.id = 3, .name = "Camille"}, {.id = 4, .erased = true}};
	const struct people people = {.list = known, .n = 2};
	Causerie__Revision message = CAUSERIE__REVISION__INIT;

	(void)state;
	message.version = 1;
	message.editor_id = 3;
	assert_writes(&message.base, &people, NULL,
		      "{\"version\":1,\"body\":\"\",\"editor\":{\"id\":\"3\",\"display_name\":"
		      "\"Camille\"},\"at\":null}");
	message.editor_id = 4;
	assert_writes(&message.base, &people, NULL,
		      "{\"version\":1,\"body\":\"\",\"editor\":null,\"at\":null}");
	message.editor_id = 5; /* accounts did not say */
	assert_writes(
		&message.base, &people, NULL,
		"{\"version\":1,\"body\":\"\",\"editor\":{\"id\":\"5\",\"display_name\":null},"
		"\"at\":null}");
}

static void add_hello(json_t *object, const ProtobufCMessage *message, struct arena *unused)
{
	(void)message;
	(void)unused;
	json_object_set_new(object, "hello", json_true());
}

static void a_shape_hides_and_adds(void **state)
{
	const struct json_shape shapes[] = {
		{&causerie__empty__descriptor, NULL, add_hello, "hello"},
		{&causerie__mark_read_request__descriptor, "ids topic_id", NULL, NULL},
		{NULL, NULL, NULL, NULL},
	};
	Causerie__MarkReadRequest request = CAUSERIE__MARK_READ_REQUEST__INIT;
	Causerie__Empty empty = CAUSERIE__EMPTY__INIT;

	(void)state;
	assert_writes(&request.base, NULL, shapes, "{\"all\":false}");
	assert_writes(&empty.base, NULL, shapes, "{\"hello\":true}");
}

static void a_summary_stands_in_its_topic(void **state)
{
	const ProtobufCMessageDescriptor *type = &causerie__topic__descriptor;
	Causerie__TopicSummary summary = CAUSERIE__TOPIC_SUMMARY__INIT;
	Causerie__Topic topic = CAUSERIE__TOPIC__INIT;
	const struct json_writer writer = {.arena = &arena};
	json_t *object;

	(void)state;
	summary.id = 7;
	summary.state = CAUSERIE__TOPIC_STATE__OPEN;
	topic.summary = &summary;
	object = json_write(&writer, &topic.base);
	assert_string_equal(json_string_value(json_object_get(object, "id")), "7");
	assert_string_equal(json_string_value(json_object_get(object, "state")), "open");
	assert_null(json_object_get(object, type->fields[0].name));
	assert_true(json_is_null(json_object_get(object, "recording")));
	json_decref(object);
}

static void bytes_are_never_shown(void **state)
{
	Causerie__FindSessionRequest request = CAUSERIE__FIND_SESSION_REQUEST__INIT;
	uint8_t secret[32] = "secret";

	(void)state;
	request.token_hash = (ProtobufCBinaryData){sizeof secret, secret};
	assert_writes(&request.base, NULL, NULL, "{}");
}

static void words_go_both_ways(void **state)
{
	int value = 0;

	(void)state;
	assert_string_equal(json_word(&arena, &causerie__comment_state__descriptor,
				      CAUSERIE__COMMENT_STATE__COMMENT_ERASED),
			    "erased");
	assert_string_equal(
		json_word(&arena, &causerie__rhythm__descriptor, CAUSERIE__RHYTHM__AT_ONCE),
		"at_once");
	assert_null(json_word(&arena, &causerie__rhythm__descriptor, 0));
	assert_null(json_word(&arena, &causerie__rhythm__descriptor, 99));
	assert_true(json_word_value(&causerie__topic_state__descriptor, "not_aired", &value));
	assert_int_equal(value, CAUSERIE__TOPIC_STATE__NOT_AIRED);
	assert_false(json_word_value(&causerie__topic_state__descriptor, "OPEN", &value));
	assert_false(json_word_value(&causerie__topic_state__descriptor, "unspecified", &value));
	assert_false(json_word_value(&causerie__topic_state__descriptor, "", &value));
}

static void add(void *sum, uint64_t id)
{
	*(uint64_t *)sum += id;
}

static void everybody_named_in_a_message_is_found(void **state)
{
	Causerie__Comment comment = CAUSERIE__COMMENT__INIT;
	Causerie__Comment *comments[] = {&comment};
	Causerie__ListCommentsReply reply = CAUSERIE__LIST_COMMENTS_REPLY__INIT;
	uint64_t sum = 0;

	(void)state;
	comment.author_id = 3;
	comment.parent_author_id = 40;
	reply.comments = comments;
	reply.n_comments = 1;
	json_each_person(&reply.base, add, &sum);
	assert_int_equal(sum, 43);
}

/* --- times and ids ------------------------------------------------------------------------ */

static void times_are_read_with_any_offset(void **state)
{
	int64_t us;

	(void)state;
	assert_true(json_time_read("2027-03-01T14:30:00+01:00", &us));
	assert_int_equal(us, INT64_C(1803907800000000));
	assert_true(json_time_read("2027-03-01T13:30:00.5Z", &us));
	assert_int_equal(us, INT64_C(1803907800500000));
	assert_true(json_time_read("1969-12-31T23:59:59Z", &us));
	assert_int_equal(us, -1000000);
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const wrong[] = {"",
					    "2027-03-01",
					    "2027-02-30T00:00:00Z",
					    "2027-13-01T00:00:00Z",
					    "2027-03-01T24:00:00Z",
					    "2027-03-01T00:60:00Z",
					    "2027-03-01T00:00:00",
					    "2027-03-01T00:00:00Zx",
					    "2027-03-01T00:00:00.Z",
					    "2027-03-01T00:00:00+25:00",
					    "27-03-01T00:00:00Z"};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(json_time_read(wrong[i], &us));
}

static void ids_are_digits_below_two_to_the_63(void **state)
{
	uint64_t id = 0;

	(void)state;
	assert_true(json_id_read("9223372036854775807", &id));
	assert_int_equal(id, INT64_MAX);
	assert_false(json_id_read("9223372036854775808", &id));
	assert_false(json_id_read("99999999999999999999", &id));
	assert_false(json_id_read("0", &id));
	assert_false(json_id_read("007", &id));
	assert_false(json_id_read("-1", &id));
	assert_false(json_id_read("1 ", &id));
	assert_false(json_id_read("", &id));
}

/* --- reading -------------------------------------------------------------------------------- */

static const char *const topic_members = "version title expertises to=format place";

static struct json_errors read_topic(const char *text, Causerie__EditTopicRequest *request)
{
	struct json_errors errors = {.n = 0};
	const char *why = NULL;
	const json_t *object = json_body(&arena, text, strlen(text), &why);

	assert_non_null(object);
	causerie__edit_topic_request__init(request);
	json_read(&arena, object, topic_members, &request->base, &errors);
	return errors;
}

static void allowed_members_are_read(void **state)
{
	Causerie__EditTopicRequest request;
	struct json_errors errors =
		read_topic("{\"version\":3,\"title\":\"L\\u2019\\u00e9t\\u00e9\","
			   "\"expertises\":[\"a\",\"b\"],\"to\":\"talk\",\"place\":null}",
			   &request);

	(void)state;
	assert_int_equal(errors.n, 0);
	assert_int_equal(request.version, 3);
	assert_string_equal(request.title, "L’été");
	assert_int_equal(request.n_expertises, 2);
	assert_string_equal(request.expertises[1], "b");
	assert_string_equal(request.format, "talk");
	assert_string_equal(request.place, "");
}

static void everything_wrong_is_told_at_once(void **state)
{
	Causerie__EditTopicRequest request;
	struct json_errors errors = read_topic(
		"{\"version\":\"3\",\"title\":7,\"expertises\":[1],\"format\":\"x\",\"id\":\"9\"}",
		&request);

	(void)state;
	assert_int_equal(errors.n, 5);
	assert_string_equal(errors.list[0].field, "version");
	assert_string_equal(errors.list[0].reason, "malformed");
	assert_string_equal(errors.list[1].field, "title");
	assert_string_equal(errors.list[2].field, "expertises");
	assert_string_equal(errors.list[3].field,
			    "format"); /* the field's name is not the member's */
	assert_string_equal(errors.list[3].reason, "unknown");
	assert_string_equal(errors.list[4].reason, "unknown");
	assert_int_equal(request.id, 0);
}

static void nested_objects_are_read_and_their_errors_named(void **state)
{
	Causerie__TransitionTopicRequest request = CAUSERIE__TRANSITION_TOPIC_REQUEST__INIT;
	struct json_errors errors = {.n = 0};
	const char *why;
	const char text[] = "{\"to\":\"scheduled\",\"recording\":{\"place_name\":\"Studio\","
			    "\"starts_at\":\"2027-03-01T13:30:00Z\",\"set_capacity\":-1,\"zzz\":1},"
			    "\"target_id\":\"12\"}";

	(void)state;
	json_read(&arena, json_body(&arena, text, strlen(text), &why), "to recording target_id",
		  &request.base, &errors);
	assert_int_equal(request.to, CAUSERIE__TOPIC_STATE__SCHEDULED);
	assert_int_equal(request.target_id, 12);
	assert_string_equal(request.recording->place_name, "Studio");
	assert_int_equal(request.recording->starts_at, INT64_C(1803907800000000));
	assert_int_equal(errors.n, 2);
	assert_string_equal(errors.list[0].field, "recording.set_capacity");
	assert_string_equal(errors.list[0].reason, "out_of_range");
	assert_string_equal(errors.list[1].field, "recording.zzz");
}

static void hostile_bodies_are_no_objects(void **state)
{
	static const char *const bodies[] = {
		"",
		"null",
		"[]",
		"\"x\"",
		"{",
		"{\"a\":1,\"a\":2}",
		"{\"a\":1}x",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\xFF\"}",
		"{a:1}",
		"{\"a\":1e999}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":99999999999999999999}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		const char *why = NULL;

		assert_null(json_body(&arena, bodies[i], strlen(bodies[i]), &why));
		assert_non_null(why);
	}
}

static void sixteen_levels_are_read_and_seventeen_are_not(void **state)
{
	char text[64] = "{\"a\":";
	const char *why;

	(void)state;
	memset(text + 5, '[', 15);
	memset(text + 20, ']', 15);
	strcpy(text + 35, "}");
	assert_non_null(json_body(&arena, text, strlen(text), &why));
	memset(text + 5, '[', 16);
	memset(text + 21, ']', 16);
	strcpy(text + 37, "}");
	assert_null(json_body(&arena, text, strlen(text), &why));
	strcpy(text, "{\"a\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[\"}"); /* text is no nesting */
	assert_non_null(json_body(&arena, text, strlen(text), &why));
}

static void a_long_list_is_refused(void **state)
{
	Causerie__EditTopicRequest request;
	char *text = arena_alloc(&arena, 8192),
	     *end = text + strlen(strcpy(text, "{\"expertises\":["));
	struct json_errors errors;

	(void)state;
	for (size_t i = 0; i <= JSON_LIST_LIMIT; i++)
		end += strlen(strcpy(end, i ? ",\"a\"" : "\"a\""));
	strcpy(end, "]}");
	errors = read_topic(text, &request);
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.list[0].reason, "too_long");
}

static void query_values_are_read_by_type(void **state)
{
	const ProtobufCMessageDescriptor *type = &causerie__list_topics_request__descriptor;
	Causerie__ListTopicsRequest request = CAUSERIE__LIST_TOPICS_REQUEST__INIT;

#define FIELD(name) protobuf_c_message_descriptor_get_field_by_name(type, name)
	(void)state;
	assert_true(json_read_text(&arena, FIELD("states"), "open,published", &request.base));
	assert_int_equal(request.n_states, 2);
	assert_int_equal(request.states[1], CAUSERIE__TOPIC_STATE__PUBLISHED);
	assert_true(json_read_text(&arena, FIELD("limit"), "20", &request.base));
	assert_int_equal(request.limit, 20);
	assert_true(json_read_text(&arena, FIELD("order"), "recent", &request.base));
	assert_false(json_read_text(&arena, FIELD("order"), "random", &request.base));
	assert_false(json_read_text(&arena, FIELD("limit"), "-1", &request.base));
	assert_false(json_read_text(&arena, FIELD("limit"), "99999999999999999999", &request.base));
	assert_false(json_read_text(&arena, FIELD("states"), "open,,published", &request.base));
	assert_false(json_read_text(&arena, FIELD("proposer_id"), "x", &request.base));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_strings_and_times_are_rfc_3339),
		cmocka_unit_test(persons_have_names_and_the_erased_are_null),
		cmocka_unit_test(a_shape_hides_and_adds),
		cmocka_unit_test(a_summary_stands_in_its_topic),
		cmocka_unit_test(bytes_are_never_shown),
		cmocka_unit_test(words_go_both_ways),
		cmocka_unit_test(everybody_named_in_a_message_is_found),
		cmocka_unit_test(times_are_read_with_any_offset),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(ids_are_digits_below_two_to_the_63),
		cmocka_unit_test(allowed_members_are_read),
		cmocka_unit_test(everything_wrong_is_told_at_once),
		cmocka_unit_test(nested_objects_are_read_and_their_errors_named),
		cmocka_unit_test(hostile_bodies_are_no_objects),
		cmocka_unit_test(sixteen_levels_are_read_and_seventeen_are_not),
		cmocka_unit_test(a_long_list_is_refused),
		cmocka_unit_test(query_values_are_read_by_type),
	};

	return cmocka_run_group_tests(tests, NULL, clear);
}
