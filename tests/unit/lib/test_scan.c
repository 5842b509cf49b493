/*
 * test_scan.c - hostile protobuf bytes are refused before protobuf-c sees them.
 */
#include "lib/scan.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "common.pb-c.h"
#include "events.pb-c.h"
#include "lib/arena.h"

#define REPLY (&causerie__fetch_events_reply__descriptor)
#define EVENT (&causerie__event__descriptor)

/* A message type that contains itself, as none of ours does. */
static const ProtobufCMessageDescriptor nest_type;
static const ProtobufCFieldDescriptor nest_fields[] = {
	{.name = "inner",
	 .id = 1,
	 .label = PROTOBUF_C_LABEL_NONE,
	 .type = PROTOBUF_C_TYPE_MESSAGE,
	 .descriptor = &nest_type},
};
static const ProtobufCIntRange nest_ranges[] = {{1, 0}, {0, 1}};
static const ProtobufCMessageDescriptor nest_type = {
	.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
	.name = "test.Nest",
	.n_fields = 1,
	.fields = nest_fields,
	.n_field_ranges = 1,
	.field_ranges = nest_ranges,
};

static int check(const ProtobufCMessageDescriptor *type, const char *bytes, size_t size)
{
	char *exact = calloc(1, size ? size : 1); /* so that a read beyond its end is seen */
	int rc;

	memcpy(exact, bytes, size);
	rc = scan_check(type, exact, size);
	free(exact);
	return rc;
}

#define CHECK(type, literal) check(type, "" literal, sizeof literal - 1)

static void what_protobuf_packs_is_accepted(void **state)
{
	Causerie__Event event = {0}, *events[2] = {&event, &event};
	Causerie__FetchEventsReply reply;
	uint64_t ids[3] = {1, 300, UINT64_MAX};
	char type[] = "topic.created", trace[] = "été";
	unsigned char bytes[512];
	struct arena arena = {0};
	ProtobufCMessage *message;
	size_t size;

	(void)state;
	causerie__event__init(&event);
	event.type = type;
	event.trace = trace;
	event.value = -1;
	event.mentioned_ids = ids;
	event.n_mentioned_ids = 3;
	causerie__fetch_events_reply__init(&reply);
	reply.n_events = 2;
	reply.events = events;
	size = protobuf_c_message_pack(&reply.base, bytes);
	assert_int_equal(scan_unpack(&arena, REPLY, bytes, size, &message), 0);
	assert_int_equal(((Causerie__FetchEventsReply *)message)->n_events, 2);
	assert_string_equal(((Causerie__FetchEventsReply *)message)->events[1]->trace, "été");
	assert_true(((Causerie__FetchEventsReply *)message)->events[1]->mentioned_ids[2] ==
		    UINT64_MAX);
	arena_free(&arena);
}

static void an_empty_message_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(CHECK(EVENT, ""), 0);
}

static void every_truncation_is_malformed(void **state)
{
	static const char whole[] = "\x08\x96\x01\x12\x05"
				    "hello\x82\x01\x03\x01\x02\x03";

	(void)state;
	assert_int_equal(check(EVENT, whole, sizeof whole - 1), 0);
	for (size_t size = 1; size < sizeof whole - 1; size++) {
		const bool between = size == 3 || size == 10;

		assert_int_equal(check(EVENT, whole, size), between ? 0 : -EBADMSG);
	}
}

static void a_length_beyond_the_end_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(CHECK(EVENT, "\x12\xff\xff\xff\xff\x0f"), -EBADMSG);
	assert_int_equal(CHECK(EVENT, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -EBADMSG);
	assert_int_equal(CHECK(REPLY, "\x1a\x02\x12\x05"
				      "hello"),
			 -EBADMSG); /* out of the inner message into the outer */
}

static void a_number_that_does_not_end_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(CHECK(EVENT, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
			 -EBADMSG);
	assert_int_equal(CHECK(EVENT, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -EBADMSG);
}

static void field_numbers_out_of_range_are_malformed(void **state)
{
	(void)state;
	assert_int_equal(CHECK(EVENT, "\x00\x01"), -EBADMSG);
	assert_int_equal(CHECK(EVENT, "\x80\x80\x80\x80\x10\x01"), -EBADMSG); /* 2^29 */
}

static void another_wire_type_than_the_fields_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(CHECK(EVENT, "\x10\x01"), -EBADMSG);     /* type as a number */
	assert_int_equal(CHECK(EVENT, "\x0a\x01\x01"), -EBADMSG); /* seq as bytes */
	assert_int_equal(CHECK(EVENT, "\x0d\x01\x01\x01\x01"), -EBADMSG);
}

static void groups_are_malformed(void **state)
{
	(void)state;
	assert_int_equal(CHECK(EVENT, "\x0b\x0c"), -EBADMSG);
	assert_int_equal(CHECK(EVENT, "\xa3\x06\xa4\x06"), -EBADMSG);
}

static void a_string_with_nul_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(CHECK(EVENT, "\x12\x03"
				      "a\0b"),
			 -EBADMSG);
}

static size_t nest(char *bytes, unsigned depth)
{
	size_t size = 0;

	/* From the inside: each level is a tag and the length of what is in it. */
	while (depth-- > 1) {
		memmove(bytes + 2, bytes, size);
		bytes[0] = 0x0a;
		bytes[1] = (char)size;
		size += 2;
	}
	return size;
}

static void depth_is_bounded(void **state)
{
	char bytes[64];

	(void)state;
	assert_int_equal(check(&nest_type, bytes, nest(bytes, SCAN_DEPTH)), 0);
	assert_int_equal(check(&nest_type, bytes, nest(bytes, SCAN_DEPTH + 1)), -E2BIG);
}

/* 10,000 levels in 34 kB end a process that just unpacks them. */
static void a_message_of_ten_thousand_levels_is_refused(void **state)
{
	static char bytes[40000];
	size_t at = sizeof bytes, size = 0;

	(void)state;
	for (unsigned level = 0; level < 10000; level++) {
		char head[4];
		size_t n = 0, left = size;

		head[n++] = 0x0a;
		for (; left > 0x7f; left >>= 7)
			head[n++] = (char)(left | 0x80);
		head[n++] = (char)left;
		at -= n;
		memcpy(bytes + at, head, n);
		size += n;
	}
	assert_int_equal(check(&nest_type, bytes + at, size), -E2BIG);
}

static void fields_are_bounded(void **state)
{
	static char bytes[4 * SCAN_FIELDS];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i += 2)
		memcpy(bytes + i, "\x08\x01", 2);
	assert_int_equal(check(EVENT, bytes, (size_t)2 * SCAN_FIELDS), 0);
	assert_int_equal(check(EVENT, bytes, (size_t)2 * SCAN_FIELDS + 2), -E2BIG);
}

static void elements_of_packed_lists_count_as_fields(void **state)
{
	static char bytes[5 + SCAN_FIELDS];

	(void)state;
	memset(bytes, 1, sizeof bytes);
	memcpy(bytes, "\x82\x01\x9f\x9c\x01", 5); /* field 16: 19,999 elements, and itself */
	assert_int_equal(check(EVENT, bytes, 5 + SCAN_FIELDS - 1), 0);
	memcpy(bytes, "\x82\x01\xa0\x9c\x01", 5); /* one more */
	assert_int_equal(check(EVENT, bytes, 5 + SCAN_FIELDS), -E2BIG);
}

static void unknown_fields_are_bounded(void **state)
{
	char bytes[3 * (SCAN_UNKNOWN + 1)];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i += 3)
		memcpy(bytes + i, "\xa0\x06\x01", 3); /* field 100 */
	assert_int_equal(check(EVENT, bytes, (size_t)3 * SCAN_UNKNOWN), 0);
	assert_int_equal(check(EVENT, bytes, sizeof bytes), -E2BIG);
}

/* A field given again and again is copied each time; only the last one stays. */
static void memory_is_bounded(void **state)
{
	static char bytes[16000 * 603];
	struct arena arena = {0};
	ProtobufCMessage *message;

	(void)state;
	memset(bytes, 'a', sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i += 603)
		memcpy(bytes + i, "\x12\xd8\x04", 3); /* 600 bytes of type */
	assert_int_equal(scan_check(EVENT, bytes, sizeof bytes), 0);
	assert_int_equal(scan_unpack(&arena, EVENT, bytes, sizeof bytes, &message), -E2BIG);
	assert_in_range(arena.bytes, 1, SCAN_MEMORY + (1 << 20));
	arena_free(&arena);
}

static void random_bytes_never_crash(void **state)
{
	unsigned seed = 20261123;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct arena arena = {0};
		ProtobufCMessage *message;
		unsigned char bytes[64];
		const size_t size = round % sizeof bytes;
		unsigned char *exact = malloc(size ? size : 1);

		for (size_t i = 0; i < size; i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (unsigned char)(seed >> 16) & (round & 1 ? 0x1f : 0xff);
		}
		memcpy(exact, bytes, size);
		scan_unpack(&arena, round & 2 ? REPLY : EVENT, exact, size, &message);
		arena_free(&arena);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_protobuf_packs_is_accepted),
		cmocka_unit_test(an_empty_message_is_accepted),
		cmocka_unit_test(every_truncation_is_malformed),
		cmocka_unit_test(a_length_beyond_the_end_is_malformed),
		cmocka_unit_test(a_number_that_does_not_end_is_malformed),
		cmocka_unit_test(field_numbers_out_of_range_are_malformed),
		cmocka_unit_test(another_wire_type_than_the_fields_is_malformed),
		cmocka_unit_test(groups_are_malformed),
		cmocka_unit_test(a_string_with_nul_is_malformed),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(a_message_of_ten_thousand_levels_is_refused),
		cmocka_unit_test(fields_are_bounded),
		cmocka_unit_test(elements_of_packed_lists_count_as_fields),
		cmocka_unit_test(unknown_fields_are_bounded),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(random_bytes_never_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
