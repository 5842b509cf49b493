/*
 * sql_result.c - reading rows: one column, or a whole message by its fields' names.
 *
 * A missing column, a number that does not fit its field, or a name that an enum
 * does not have means that the statement and the message disagree: a bug.
 */
#include "lib/sql.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/sql_enum.h"

/* Types by their numbers in pg_type, which never change. */
enum { BOOL_TYPE = 16, DATE_TYPE = 1082, TIMESTAMP_TYPE = 1114, TIMESTAMPTZ_TYPE = 1184 };

#define US_PER_SECOND 1000000

static int column_of(const struct sql_slot *slot, int row, const char *name)
{
	int column;

	assert(slot->state == SQL_DONE && row >= 0 && row < slot->rows);
	column = PQfnumber(slot->result, name);
	assert(column >= 0);
	return column;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant's days_from_civil). */
static int64_t days_since_1970(int64_t year, int month, int day)
{
	const int64_t shifted = month <= 2 ? year - 1 : year;
	const int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	const int64_t year_of_era = shifted - era * 400;
	const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	const int64_t day_of_era =
		year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

/* "2026-11-23 01:28:09.123456+00": sessions run in UTC, so the end is always +00. */
static int64_t parse_time(const char *text)
{
	int year, month, day, hour = 0, minute = 0, second = 0, at = 0;
	int64_t us = 0, unit = US_PER_SECOND;

	if (strcmp(text, "infinity") == 0)
		return INT64_MAX;
	if (strcmp(text, "-infinity") == 0)
		return INT64_MIN;
	if (sscanf(text, "%d-%d-%d%n %d:%d:%d%n", &year, &month, &day, &at, &hour, &minute, &second,
		   &at) < 3)
		assert(false && "a time is not in ISO form");
	if (text[at] == '.')
		for (at++; isdigit((unsigned char)text[at]); at++)
			us += (text[at] - '0') * (unit /= 10);
	assert(strstr(text, "BC") == NULL);
	return ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 *
		       US_PER_SECOND +
	       second * (int64_t)US_PER_SECOND + us;
}

static int64_t parse_integer(const char *text)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	assert(errno == 0 && end != text && *end == '\0');
	return number;
}

static int64_t integer_at(const PGresult *result, int row, int column)
{
	const char *text = PQgetvalue(result, row, column);

	switch (PQftype(result, column)) {
	case BOOL_TYPE:
		return *text == 't';
	case DATE_TYPE:
	case TIMESTAMP_TYPE:
	case TIMESTAMPTZ_TYPE:
		return parse_time(text);
	default:
		return parse_integer(text);
	}
}

bool sql_is_null(const struct sql_slot *slot, int row, const char *name)
{
	return PQgetisnull(slot->result, row, column_of(slot, row, name));
}

const char *sql_get_text(const struct sql_slot *slot, int row, const char *name)
{
	return PQgetvalue(slot->result, row, column_of(slot, row, name));
}

int64_t sql_get_integer(const struct sql_slot *slot, int row, const char *name)
{
	const int column = column_of(slot, row, name);

	return PQgetisnull(slot->result, row, column) ? 0 : integer_at(slot->result, row, column);
}

bool sql_get_flag(const struct sql_slot *slot, int row, const char *name)
{
	return *PQgetvalue(slot->result, row, column_of(slot, row, name)) == 't';
}

/* {3,1,4} as PostgreSQL writes an array of numbers; no more elements than separators and one. */
size_t sql_get_integers(struct arena *arena, const struct sql_slot *slot, int row, const char *name,
			int64_t **values)
{
	const int column = column_of(slot, row, name);
	const char *at = PQgetvalue(slot->result, row, column);
	size_t n = 0;

	*values = arena_array(arena, (size_t)PQgetlength(slot->result, row, column) / 2 + 1,
			      sizeof **values);
	for (; *at != '\0'; at++)
		if (*at != '{' && *at != '}' && *at != ',') {
			char *end;

			(*values)[n++] = strtoll(at, &end, 10);
			assert(end != at); /* a NULL in it, or another type */
			at = end - 1;
		}
	return n;
}

/* --- messages --- */

static ProtobufCBinaryData copy_bytes(struct arena *arena, const char *hex)
{
	const size_t length = strlen(hex) / 2;
	ProtobufCBinaryData data = {0};
	unsigned byte;

	assert(hex[0] == '\\' && hex[1] == 'x');
	data.data = arena_alloc(arena, length);
	for (hex += 2; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		data.data[data.len++] = (uint8_t)byte;
	return data;
}

static uint64_t unsigned_within(int64_t number, uint64_t largest)
{
	assert(number >= 0 && (uint64_t)number <= largest);
	return (uint64_t)number;
}

static int32_t signed_32(int64_t number)
{
	assert(number >= INT32_MIN && number <= INT32_MAX);
	return (int32_t)number;
}

static int32_t enum_of(const ProtobufCFieldDescriptor *field, const char *text)
{
	int32_t value = 0;

	if (!sql_enum_value(field->descriptor, text, &value))
		assert(false && "the database has a name that the enum does not have");
	return value;
}

/* Stores one value, given as text, and as the number it is where the field holds one. */
static void store(struct arena *arena, const ProtobufCFieldDescriptor *field, void *target,
		  const char *text, int64_t number)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		*(int32_t *)target = signed_32(number);
		return;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		*(int64_t *)target = number;
		return;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		*(uint32_t *)target = (uint32_t)unsigned_within(number, UINT32_MAX);
		return;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		*(uint64_t *)target = unsigned_within(number, INT64_MAX);
		return;
	case PROTOBUF_C_TYPE_FLOAT:
		*(float *)target = strtof(text, NULL);
		return;
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)target = strtod(text, NULL);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)target = *text == 't';
		return;
	case PROTOBUF_C_TYPE_ENUM:
		*(int32_t *)target = enum_of(field, text);
		return;
	case PROTOBUF_C_TYPE_STRING:
		*(char **)target = arena_strdup(arena, text);
		return;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)target = copy_bytes(arena, text);
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	assert(false && "a message within a message is not a column");
}

static bool holds_number(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return false;
	default:
		return true;
	}
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	default:
		return sizeof(uint32_t);
	}
}

/* Takes the next element of an array literal into text (which is large enough). */
static const char *next_element(const char *at, char *text)
{
	const bool quoted = *at == '"';

	if (quoted)
		at++;
	while (quoted ? *at != '"' : *at != ',' && *at != '}') {
		if (*at == '\\')
			at++;
		assert(*at != '\0' && (quoted || *at != '{')); /* one dimension only */
		*text++ = *at++;
	}
	*text = '\0';
	return quoted ? at + 1 : at;
}

/* {1,2,3} or {"a b",c,NULL}; a NULL in it is a bug. */
static void store_array(struct arena *arena, const ProtobufCFieldDescriptor *field, char *base,
			const char *literal)
{
	const size_t size = element_size(field);
	char *text = arena_alloc(arena, strlen(literal) + 1);
	size_t n = 1;
	char *elements;

	assert(*literal == '{');
	if (strcmp(literal, "{}") == 0)
		return;
	for (const char *at = literal; *at != '\0'; at++)
		n += *at == ','; /* at most so many */
	elements = arena_array(arena, n, size);
	for (n = 0; *literal != '}'; n++) {
		const bool bare = literal[1] != '"';

		literal = next_element(literal + 1, text);
		assert(!bare || strcmp(text, "NULL") != 0);
		store(arena, field, elements + n * size, text,
		      holds_number(field) ? parse_integer(text) : 0);
	}
	*(void **)(void *)(base + field->offset) = elements;
	*(size_t *)(void *)(base + field->quantifier_offset) = n;
}

/* An optional field, or a member of a oneof, says that it is there. */
static void mark_present(const ProtobufCFieldDescriptor *field, char *base)
{
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		*(uint32_t *)(void *)(base + field->quantifier_offset) = field->id;
	else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset != 0)
		*(protobuf_c_boolean *)(void *)(base + field->quantifier_offset) = true;
}

static void fill_field(struct arena *arena, const ProtobufCFieldDescriptor *field, char *base,
		       const PGresult *result, int row, int column)
{
	const char *text = PQgetvalue(result, row, column);

	if (PQgetisnull(result, row, column))
		return;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		store_array(arena, field, base, text);
		return;
	}
	mark_present(field, base);
	store(arena, field, base + field->offset, text,
	      holds_number(field) ? integer_at(result, row, column) : 0);
}

/* The field of each column, NULL where the message has none of that name. */
static const ProtobufCFieldDescriptor **fields_of(struct arena *arena, const PGresult *result,
						  const ProtobufCMessageDescriptor *type)
{
	const int columns = PQnfields(result);
	const ProtobufCFieldDescriptor **fields =
		ARENA_ARRAY(arena, const ProtobufCFieldDescriptor *, (size_t)columns);

	for (int column = 0; column < columns; column++) {
		fields[column] = protobuf_c_message_descriptor_get_field_by_name(
			type, PQfname(result, column));
		if (fields[column] != NULL && fields[column]->type == PROTOBUF_C_TYPE_MESSAGE)
			fields[column] =
				NULL; /* a number of the same name as a part of the message */
	}
	return fields;
}

static void fill_row(struct arena *arena, ProtobufCMessage *message, const struct sql_slot *slot,
		     int row, const ProtobufCFieldDescriptor *const *fields)
{
	for (int column = 0; column < PQnfields(slot->result); column++)
		if (fields[column] != NULL)
			fill_field(arena, fields[column], (char *)message, slot->result, row,
				   column);
}

void sql_fill(struct arena *arena, ProtobufCMessage *message, const struct sql_slot *slot, int row)
{
	assert(slot->state == SQL_DONE && row >= 0 && row < slot->rows);
	fill_row(arena, message, slot, row, fields_of(arena, slot->result, message->descriptor));
}

ProtobufCMessage **sql_fill_all(struct arena *arena, const ProtobufCMessageDescriptor *type,
				const struct sql_slot *slot, size_t *n)
{
	const ProtobufCFieldDescriptor **fields;
	ProtobufCMessage **messages;

	assert(slot->state == SQL_DONE);
	*n = (size_t)slot->rows;
	if (*n == 0)
		return NULL;
	fields = fields_of(arena, slot->result, type);
	messages = ARENA_ARRAY(arena, ProtobufCMessage *, *n);
	for (int row = 0; row < slot->rows; row++) {
		messages[row] = arena_alloc(arena, type->sizeof_message);
		protobuf_c_message_init(type, messages[row]);
		fill_row(arena, messages[row], slot, row, fields);
	}
	return messages;
}
