/*
 * limits.c - the limits written in the comments of proto/, enforced.
 *
 * The walk follows descriptor and table side by side. Depth is bounded because
 * no message type of this project contains itself, and by scan.c for what comes
 * from outside.
 */
#include "lib/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

struct place {
	const struct place *outer;
	const char *name;
};

struct check {
	struct limits_error *errors;
	size_t found, room;
};

static bool check_message(struct check *, const struct place *, const ProtobufCMessage *);

/* --- finding a message's rows: once by name, then by its descriptor's address --- */

#define KNOWN_PLACES 256 /* a power of two well above the number of message types */

static struct {
	const ProtobufCMessageDescriptor *type;
	const struct limits_message *limits;
} known[KNOWN_PLACES];

static int compare_name(const void *name, const void *message)
{
	return strcmp(name, ((const struct limits_message *)message)->name);
}

/* A message type that compile_limits.py never saw is a bug of the build. */
static const struct limits_message *find_by_name(const ProtobufCMessageDescriptor *type)
{
	const struct limits_message *limits = bsearch(
		type->name, limits_messages, limits_messages_count, sizeof *limits, compare_name);

	assert(limits != NULL && limits->n_fields == type->n_fields);
	for (unsigned i = 0; i < type->n_fields; i++)
		assert(strcmp(limits->fields[i].name, type->fields[i].name) == 0);
	return limits;
}

static const struct limits_message *find(const ProtobufCMessageDescriptor *type)
{
	size_t place = (uintptr_t)type / _Alignof(ProtobufCMessageDescriptor) % KNOWN_PLACES;

	for (unsigned tries = 0; tries < KNOWN_PLACES; tries++) {
		if (known[place].type == type)
			return known[place].limits;
		if (known[place].type == NULL) {
			known[place].limits = find_by_name(type);
			known[place].type = type;
			return known[place].limits;
		}
		place = (place + 1) % KNOWN_PLACES;
	}
	return find_by_name(type);
}

/* --- saying what is wrong --- */

static size_t write_name(char *to, size_t room, const struct place *place)
{
	size_t used = 0;

	if (place->outer != NULL) {
		used = write_name(to, room, place->outer);
		used += (size_t)snprintf(to + used, room - used, ".");
		used = used < room ? used : room - 1;
	}
	used += (size_t)snprintf(to + used, room - used, "%s", place->name);
	return used < room ? used : room - 1;
}

/* Returns whether to go on looking. */
static bool refuse(struct check *check, const struct place *place, const char *reason)
{
	struct limits_error *error;

	if (check->found == check->room)
		return false;
	error = &check->errors[check->found++];
	error->field[0] = '\0';
	write_name(error->field, sizeof error->field, place);
	error->reason = reason;
	return check->found < check->room;
}

/* --- values --- */

/* Plain ASCII is most of what comes; the rest is libunistring's to judge. */
static size_t ascii_prefix(const char *text, size_t size)
{
	size_t i = 0;

	for (uint64_t word; i + sizeof word <= size; i += sizeof word) {
		memcpy(&word, text + i, sizeof word);
		if (word & 0x8080808080808080u)
			break;
	}
	return i;
}

/* Controls are C0, DEL, C1; U+2028 and U+2029 break lines as well. */
static bool one_line(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
		if (*at < 0x20 || *at == 0x7f)
			return false;
		if (at[0] == 0xc2 && at[1] < 0xa0)
			return false;
		if (at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9))
			return false;
	}
	return true;
}

static const char *judge_text(const struct limits_field *limits, const char *text)
{
	const size_t size = strlen(text);
	const size_t plain = ascii_prefix(text, size);
	const uint8_t *rest = (const uint8_t *)text + plain;
	size_t chars;

	if (size > limits->bytes_max)
		return "too_long";
	if (u8_check(rest, size - plain) != NULL || (limits->line && !one_line(text)))
		return "malformed";
	if (size == 0 && (limits->bytes_min > 0 || limits->required ||
			  (limits->chars_min > 0 && limits->chars_min != LIMITS_NONE)))
		return "missing";
	if (size < limits->bytes_min)
		return "too_short";
	if (limits->chars_max == LIMITS_NONE && limits->chars_min == 0)
		return NULL;
	chars = plain + u8_mbsnlen(rest, size - plain);
	if (chars < limits->chars_min)
		return "too_short";
	return chars > limits->chars_max ? "too_long" : NULL;
}

static const char *judge_bytes(const struct limits_field *limits, const ProtobufCBinaryData *data)
{
	if (data->len == 0 && (limits->bytes_min > 0 || limits->required))
		return "missing";
	if (data->len < limits->bytes_min)
		return "too_short";
	return data->len > limits->bytes_max ? "too_long" : NULL;
}

static const char *judge_unsigned(const struct limits_field *limits, uint64_t value)
{
	if (limits->required && value == 0)
		return "missing";
	if (!limits->ranged)
		return NULL;
	if (value == 0 && limits->minimum > 0)
		return "missing";
	if (limits->minimum > 0 && value < (uint64_t)limits->minimum)
		return "out_of_range";
	return value > limits->maximum ? "out_of_range" : NULL;
}

static const char *judge_signed(const struct limits_field *limits, int64_t value)
{
	if (value >= 0)
		return judge_unsigned(limits, (uint64_t)value);
	return limits->ranged && value < limits->minimum ? "out_of_range" : NULL;
}

/* Not a number is in no range. */
static const char *judge_real(const struct limits_field *limits, double value)
{
	if (limits->required && value == 0)
		return "missing";
	if (!limits->ranged)
		return NULL;
	return value >= (double)limits->minimum && value <= (double)limits->maximum
		       ? NULL
		       : "out_of_range";
}

static const char *judge_enum(const struct limits_field *limits,
			      const ProtobufCEnumDescriptor *type, int value)
{
	if (protobuf_c_enum_descriptor_get_value(type, value) == NULL)
		return "not_allowed";
	return limits->required && value == 0 ? "missing" : NULL;
}

/* What is wrong with one value that is not a message; NULL when nothing is. */
static const char *judge(const struct limits_field *limits, const ProtobufCFieldDescriptor *field,
			 const void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return judge_text(limits, *(char *const *)value);
	case PROTOBUF_C_TYPE_BYTES:
		return judge_bytes(limits, value);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return judge_signed(limits, *(const int32_t *)value);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return judge_signed(limits, *(const int64_t *)value);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return judge_unsigned(limits, *(const uint32_t *)value);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return judge_unsigned(limits, *(const uint64_t *)value);
	case PROTOBUF_C_TYPE_FLOAT:
		return judge_real(limits, (double)*(const float *)value);
	case PROTOBUF_C_TYPE_DOUBLE:
		return judge_real(limits, *(const double *)value);
	case PROTOBUF_C_TYPE_ENUM:
		return judge_enum(limits, field->descriptor, *(const int *)value);
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	return NULL;
}

static size_t size_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return 4;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	}
	abort();
}

static bool check_value(struct check *check, const struct place *place,
			const struct limits_field *limits, const ProtobufCFieldDescriptor *field,
			const void *value)
{
	const char *wrong;

	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return check_message(check, place, *(ProtobufCMessage *const *)value);
	wrong = judge(limits, field, value);
	return wrong == NULL || refuse(check, place, wrong);
}

static bool check_list(struct check *check, const struct place *place,
		       const struct limits_field *limits, const ProtobufCFieldDescriptor *field,
		       size_t count, const char *values)
{
	if (count < limits->items_min)
		return refuse(check, place, count == 0 ? "missing" : "too_short");
	if (count > limits->items_max)
		return refuse(check, place, "too_long");
	for (size_t i = 0; i < count; i++) {
		const size_t before = check->found;

		if (!check_value(check, place, limits, field, values + i * size_of(field->type)))
			return false;
		if (check->found > before) /* one bad element tells enough */
			return true;
	}
	return true;
}

/* A field of a oneof, or an optional one, counts only where it is set. */
static bool is_set(const ProtobufCFieldDescriptor *field, const char *message)
{
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(const void *)(message + field->quantifier_offset) ==
		       field->id;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING)
		return *(void *const *)(const void *)(message + field->offset) != NULL;
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
		return *(const protobuf_c_boolean *)(const void *)(message +
								   field->quantifier_offset);
	return true;
}

static bool check_field(struct check *check, const struct place *place,
			const struct limits_field *limits, const ProtobufCFieldDescriptor *field,
			const char *message)
{
	const char *value = message + field->offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return check_list(
			check, place, limits, field,
			*(const size_t *)(const void *)(message + field->quantifier_offset),
			*(const char *const *)(const void *)value);
	if (is_set(field, message))
		return check_value(check, place, limits, field, value);
	return !limits->required || refuse(check, place, "missing");
}

static bool check_message(struct check *check, const struct place *outer,
			  const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	const struct limits_message *limits = find(type);

	for (unsigned i = 0; i < type->n_fields; i++) {
		const struct place place = {outer, type->fields[i].name};

		if (!check_field(check, &place, &limits->fields[i], &type->fields[i],
				 (const char *)message))
			return false;
	}
	return true;
}

size_t limits_check(const ProtobufCMessage *message, struct limits_error *errors, size_t room)
{
	struct check check = {errors, 0, room};

	assert(room > 0);
	check_message(&check, NULL, message);
	return check.found;
}
