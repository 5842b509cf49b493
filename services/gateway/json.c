/*
 * json.c - decides how a field reads, and writes and reads messages by that.
 *
 * Reading is strict: jansson refuses duplicates, NUL and invalid UTF-8; depth is
 * counted before it sees the text, because its own limit is far above ours.
 */
#include "gateway/json.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common.pb-c.h"
#include "gateway/people.h"
#include "lib/arena.h"

#define MICROSECONDS INT64_C(1000000)

/* --- how a field reads ------------------------------------------------------------ */

static bool ends_with(const char *text, const char *end)
{
	const size_t length = strlen(text), wanted = strlen(end);

	return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

bool json_is_person(const ProtobufCFieldDescriptor *field)
{
	static const char *const names[] = {"proposer_id", "author_id", "parent_author_id",
					    "actor_id", "editor_id"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(field->name, names[i]) == 0)
			return true;
	return false;
}

static bool is_id(const char *name)
{
	return strcmp(name, "id") == 0 || strcmp(name, "ids") == 0 || ends_with(name, "_id") ||
	       ends_with(name, "_ids");
}

static enum json_kind kind_of_uint64(const ProtobufCFieldDescriptor *field)
{
	if (json_is_person(field))
		return JSON_KIND_PERSON;
	return is_id(field->name) ? JSON_KIND_ID : JSON_KIND_NUMBER;
}

enum json_kind json_kind(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT64:
		return kind_of_uint64(field);
	case PROTOBUF_C_TYPE_INT64:
		return strcmp(field->name, "at") == 0 || ends_with(field->name, "_at")
			       ? JSON_KIND_TIME
			       : JSON_KIND_NUMBER;
	case PROTOBUF_C_TYPE_UINT32:
		return strcmp(field->name, "roles") == 0 ? JSON_KIND_ROLES : JSON_KIND_NUMBER;
	case PROTOBUF_C_TYPE_INT32:
		return JSON_KIND_NUMBER;
	case PROTOBUF_C_TYPE_DOUBLE:
		return JSON_KIND_REAL;
	case PROTOBUF_C_TYPE_BOOL:
		return JSON_KIND_FLAG;
	case PROTOBUF_C_TYPE_ENUM:
		return JSON_KIND_WORD;
	case PROTOBUF_C_TYPE_STRING:
		return ends_with(field->name, "_cursor") ? JSON_KIND_CURSOR : JSON_KIND_TEXT;
	case PROTOBUF_C_TYPE_MESSAGE:
		return strcmp(field->name, "summary") == 0 ? JSON_KIND_FLATTENED : JSON_KIND_OBJECT;
	default:
		return JSON_KIND_HIDDEN;
	}
}

const char *json_name(struct arena *arena, const ProtobufCFieldDescriptor *field)
{
	if (json_kind(field) != JSON_KIND_PERSON)
		return field->name;
	return arena_strndup(arena, field->name, strlen(field->name) - strlen("_id"));
}

/* "COMMENT_" of CommentState, where a value's name begins with it. */
static const char *without_prefix(const ProtobufCEnumDescriptor *type, const char *value)
{
	size_t length = 1;

	while (type->short_name[length] != '\0' &&
	       !isupper((unsigned char)type->short_name[length]))
		length++;
	if (strncasecmp(value, type->short_name, length) == 0 && value[length] == '_')
		return value + length + 1;
	return value;
}

const char *json_word(struct arena *arena, const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);
	char *word;

	if (found == NULL || value == 0)
		return NULL;
	word = arena_strdup(arena, without_prefix(type, found->name));
	for (char *at = word; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return word;
}

bool json_word_value(const ProtobufCEnumDescriptor *type, const char *word, int *value)
{
	for (const char *at = word; *at != '\0'; at++)
		if (!islower((unsigned char)*at) && *at != '_')
			return false;
	for (unsigned i = 0; i < type->n_values; i++)
		if (type->values[i].value != 0 &&
		    strcasecmp(without_prefix(type, type->values[i].name), word) == 0) {
			*value = type->values[i].value;
			return true;
		}
	return false;
}

void json_time(int64_t us, char text[static 32])
{
	int64_t fraction = us % MICROSECONDS;
	time_t seconds = (time_t)(us / MICROSECONDS);
	struct tm tm;
	size_t length;

	if (fraction < 0) {
		fraction += MICROSECONDS;
		seconds--;
	}
	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099 || tm.tm_year < -1900) {
		text[0] = '\0'; /* RFC 3339 has four digits for a year */
		return;
	}
	length = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + length, 32 - length, fraction != 0 ? ".%06uZ" : "Z", (unsigned)fraction);
}

static bool read_digits(const char **text, unsigned count, int *number)
{
	*number = 0;
	for (; count > 0; count--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		*number = *number * 10 + (**text - '0');
	}
	return true;
}

static bool read_mark(const char **text, const char *marks)
{
	if (**text == '\0' || strchr(marks, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static bool read_fraction(const char **text, int64_t *us)
{
	int64_t unit = MICROSECONDS / 10;

	*us = 0;
	if (**text != '.')
		return true;
	(*text)++;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++, unit /= 10)
		*us += (**text - '0') * unit;
	return true;
}

static bool read_offset(const char **text, int *seconds)
{
	const int sign = **text == '-' ? -1 : 1;
	int hours, minutes;

	*seconds = 0;
	if (read_mark(text, "Zz"))
		return **text == '\0';
	if (!read_mark(text, "+-") || !read_digits(text, 2, &hours) || !read_mark(text, ":") ||
	    !read_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return **text == '\0';
}

bool json_time_read(const char *text, int64_t *us)
{
	struct tm tm = {0}, given;
	int64_t fraction;
	int offset;

	if (!read_digits(&text, 4, &tm.tm_year) || !read_mark(&text, "-") ||
	    !read_digits(&text, 2, &tm.tm_mon) || !read_mark(&text, "-") ||
	    !read_digits(&text, 2, &tm.tm_mday) || !read_mark(&text, "Tt ") ||
	    !read_digits(&text, 2, &tm.tm_hour) || !read_mark(&text, ":") ||
	    !read_digits(&text, 2, &tm.tm_min) || !read_mark(&text, ":") ||
	    !read_digits(&text, 2, &tm.tm_sec) || !read_fraction(&text, &fraction) ||
	    !read_offset(&text, &offset))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	given = tm;
	*us = (int64_t)timegm(
		&tm); /* and brings 30 February to March, which shows that it was none */
	if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday || given.tm_hour > 23 ||
	    given.tm_min > 59 || given.tm_sec > 59)
		return false;
	*us = (*us - offset) * MICROSECONDS + fraction;
	return true;
}

bool json_id_read(const char *text, uint64_t *id)
{
	const size_t length = strspn(text, "0123456789");
	unsigned long long number;

	if (length == 0 || length > 19 || text[length] != '\0' || text[0] == '0')
		return false;
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno != 0 || number > INT64_MAX)
		return false;
	*id = number;
	return true;
}

/* --- reaching into messages -------------------------------------------------------------- */

static const void *member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (const char *)message + field->offset;
}

static void *member_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (char *)message + field->offset;
}

static size_t count_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_INT32:
		return 4;
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	default:
		assert(false && "a type that no message of ours has");
		return 0;
	}
}

/* --- writing ---------------------------------------------------------------------------- */

static json_t *write_id(uint64_t id)
{
	char digits[24];

	if (id == 0)
		return json_null();
	snprintf(digits, sizeof digits, "%llu", (unsigned long long)id);
	return json_string(digits);
}

static json_t *write_person(const struct json_writer *writer, uint64_t id)
{
	const struct known_person *person =
		writer->people != NULL ? people_find(writer->people, id) : NULL;
	json_t *object;

	if (id == 0 || (person != NULL && person->erased))
		return json_null();
	object = json_object();
	json_object_set_new(object, "id", write_id(id));
	json_object_set_new(object, "display_name",
			    person != NULL && person->name != NULL ? json_string(person->name)
								   : json_null());
	return object;
}

static json_t *write_roles(uint32_t roles)
{
	json_t *list = json_array();

	if (roles & CAUSERIE__ROLE__ROLE_MODERATOR)
		json_array_append_new(list, json_string("moderator"));
	if (roles & CAUSERIE__ROLE__ROLE_ORGANIZER)
		json_array_append_new(list, json_string("organizer"));
	if (roles & CAUSERIE__ROLE__ROLE_TRUSTED)
		json_array_append_new(list, json_string("trusted"));
	return list;
}

static json_t *write_time(int64_t us)
{
	char text[32];

	if (us == 0)
		return json_null();
	json_time(us, text);
	return json_string(text);
}

static json_t *write_number(const ProtobufCFieldDescriptor *field, const void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT64:
		return json_integer((json_int_t) * (const uint64_t *)value);
	case PROTOBUF_C_TYPE_INT64:
		return json_integer(*(const int64_t *)value);
	case PROTOBUF_C_TYPE_UINT32:
		return json_integer(*(const uint32_t *)value);
	default:
		return json_integer(*(const int32_t *)value);
	}
}

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *write_object(const struct json_writer *writer, const ProtobufCMessage *message)
{
	return message != NULL ? json_write(writer, message) : json_null();
}

static json_t *write_value(const struct json_writer *writer, const ProtobufCFieldDescriptor *field,
			   const void *value)
{
	switch (json_kind(field)) {
	case JSON_KIND_ID:
		return write_id(*(const uint64_t *)value);
	case JSON_KIND_PERSON:
		return write_person(writer, *(const uint64_t *)value);
	case JSON_KIND_TIME:
		return write_time(*(const int64_t *)value);
	case JSON_KIND_WORD:
		return text_or_null(
			json_word(writer->arena, field->descriptor, *(const int *)value));
	case JSON_KIND_ROLES:
		return write_roles(*(const uint32_t *)value);
	case JSON_KIND_NUMBER:
		return write_number(field, value);
	case JSON_KIND_REAL:
		return json_real(*(const double *)value);
	case JSON_KIND_FLAG:
		return json_boolean(*(const protobuf_c_boolean *)value);
	case JSON_KIND_CURSOR: {
		const char *text = *(const char *const *)value;

		return text_or_null(text != NULL && *text != '\0' ? text : NULL);
	}
	case JSON_KIND_TEXT:
		return json_string(*(const char *const *)value);
	case JSON_KIND_OBJECT:
		return write_object(writer, *(const ProtobufCMessage *const *)value);
	case JSON_KIND_HIDDEN:
	case JSON_KIND_FLATTENED:
		break;
	}
	return json_null();
}

static json_t *write_list(const struct json_writer *writer, const ProtobufCFieldDescriptor *field,
			  const ProtobufCMessage *message)
{
	const char *elements = *(const char *const *)member(message, field);
	json_t *list = json_array();

	for (size_t i = 0; i < count_of(message, field); i++)
		json_array_append_new(
			list, write_value(writer, field, elements + i * element_size(field)));
	return list;
}

const struct json_shape *json_find_shape(const struct json_shape *shape,
					 const ProtobufCMessageDescriptor *descriptor)
{
	for (; shape != NULL && shape->descriptor != NULL; shape++)
		if (shape->descriptor == descriptor)
			return shape;
	return NULL;
}

static void write_fields(const struct json_writer *, const ProtobufCMessage *, json_t *object);

static void write_field(const struct json_writer *writer, const ProtobufCMessage *message,
			const ProtobufCFieldDescriptor *field, json_t *object)
{
	const char *name = json_name(writer->arena, field);

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		json_object_set_new(object, name, write_list(writer, field, message));
	} else if (json_kind(field) == JSON_KIND_FLATTENED) {
		const ProtobufCMessage *part =
			*(const ProtobufCMessage *const *)member(message, field);

		if (part != NULL)
			write_fields(writer, part, object);
	} else if (json_kind(field) != JSON_KIND_HIDDEN) {
		json_object_set_new(object, name,
				    write_value(writer, field, member(message, field)));
	}
}

static void write_fields(const struct json_writer *writer, const ProtobufCMessage *message,
			 json_t *object)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	const struct json_shape *shape = json_find_shape(writer->shapes, type);

	for (unsigned i = 0; i < type->n_fields; i++)
		if (shape == NULL || !json_lists(shape->hidden, type->fields[i].name))
			write_field(writer, message, &type->fields[i], object);
	if (shape != NULL && shape->add != NULL)
		shape->add(object, message, writer->arena);
}

json_t *json_write(const struct json_writer *writer, const ProtobufCMessage *message)
{
	json_t *object = json_object();

	write_fields(writer, message, object);
	return object;
}

static void each_person_in(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
			   void (*found)(void *, uint64_t), void *argument)
{
	const bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
	const size_t n = repeated ? count_of(message, field) : 1;
	const void *first =
		repeated ? *(const void *const *)member(message, field) : member(message, field);

	if (json_kind(field) == JSON_KIND_PERSON) {
		const uint64_t *ids = first;

		for (size_t i = 0; i < n; i++)
			found(argument, ids[i]);
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessage *const *parts = first;

		for (size_t i = 0; i < n; i++)
			if (parts[i] != NULL)
				json_each_person(parts[i], found, argument);
	}
}

void json_each_person(const ProtobufCMessage *message, void (*found)(void *, uint64_t),
		      void *argument)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++)
		each_person_in(message, &message->descriptor->fields[i], found, argument);
}

/* --- reading ------------------------------------------------------------------------------ */

void json_add_error(struct json_errors *errors, const char *field, const char *reason)
{
	if (errors->n < JSON_ERRORS_MAX)
		errors->list[errors->n++] = (struct json_error){field, reason};
}

const char *json_next_allowed(const char *list, struct json_allowed *allowed)
{
	const char *equals;

	if (list == NULL)
		return NULL;
	list += strspn(list, " ");
	if (*list == '\0')
		return NULL;
	allowed->name = allowed->field = list;
	allowed->name_length = allowed->field_length = strcspn(list, " ");
	list += allowed->name_length;
	equals = memchr(allowed->name, '=', allowed->name_length);
	if (equals != NULL) {
		allowed->field = equals + 1;
		allowed->field_length -= (size_t)(allowed->field - allowed->name);
		allowed->name_length = (size_t)(equals - allowed->name);
	}
	return list;
}

bool json_lists(const char *list, const char *name)
{
	struct json_allowed allowed;

	while ((list = json_next_allowed(list, &allowed)) != NULL)
		if (strlen(name) == allowed.name_length &&
		    strncmp(name, allowed.name, allowed.name_length) == 0)
			return true;
	return false;
}

static bool is_too_deep(const char *text, size_t length)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < length; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!in_string && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > JSON_DEPTH_LIMIT)
			return true;
	}
	return false;
}

static void release(void *json)
{
	json_decref(json);
}

json_t *json_body(struct arena *arena, const char *text, size_t length, const char **why)
{
	json_error_t error;
	json_t *object;

	if (is_too_deep(text, length)) {
		*why = "The JSON is nested too deeply.";
		return NULL;
	}
	object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL) {
		*why = arena_printf(arena,
				    "This is no JSON that can be read: line %d, column %d: %s.",
				    error.line, error.column, error.text);
		return NULL;
	}
	arena_defer(arena, release, object);
	if (!json_is_object(object)) {
		*why = "A JSON object is expected.";
		return NULL;
	}
	return object;
}

struct reading {
	struct arena *arena;
	struct json_errors *errors;
};

static const char *read_number(const ProtobufCFieldDescriptor *field, int64_t number, void *to)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT64:
		if (number < 0)
			return "out_of_range";
		*(uint64_t *)to = (uint64_t)number;
		return NULL;
	case PROTOBUF_C_TYPE_INT64:
		*(int64_t *)to = number;
		return NULL;
	case PROTOBUF_C_TYPE_UINT32:
		if (number < 0 || number > UINT32_MAX)
			return "out_of_range";
		*(uint32_t *)to = (uint32_t)number;
		return NULL;
	default:
		if (number < INT32_MIN || number > INT32_MAX)
			return "out_of_range";
		*(int32_t *)to = (int32_t)number;
		return NULL;
	}
}

static void read_fields(const struct reading *, const json_t *, const char *allowed,
			const char *inside, ProtobufCMessage *);

static ProtobufCMessage *new_message(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);

	type->message_init(message);
	return message;
}

static const char *read_string(const struct reading *reading, const ProtobufCFieldDescriptor *field,
			       const char *text, void *to)
{
	bool fine;

	switch (json_kind(field)) {
	case JSON_KIND_ID:
	case JSON_KIND_PERSON:
		fine = json_id_read(text, to);
		return fine ? NULL : "malformed";
	case JSON_KIND_TIME:
		fine = json_time_read(text, to);
		return fine ? NULL : "malformed";
	case JSON_KIND_WORD:
		fine = json_word_value(field->descriptor, text, to);
		return fine ? NULL : "not_allowed";
	case JSON_KIND_TEXT:
	case JSON_KIND_CURSOR:
		*(char **)to = arena_strdup(reading->arena, text);
		return NULL;
	default:
		return "malformed";
	}
}

/* What is wrong with the value, or NULL. name: where it stands, for the errors inside an object. */
static const char *read_value(const struct reading *reading, const ProtobufCFieldDescriptor *field,
			      const char *name, const json_t *value, void *to)
{
	ProtobufCMessage *part;

	if (json_is_string(value))
		return read_string(reading, field, json_string_value(value), to);
	switch (json_kind(field)) {
	case JSON_KIND_NUMBER:
		return json_is_integer(value) ? read_number(field, json_integer_value(value), to)
					      : "malformed";
	case JSON_KIND_FLAG:
		*(protobuf_c_boolean *)to = json_is_true(value);
		return json_is_boolean(value) ? NULL : "malformed";
	case JSON_KIND_OBJECT:
		if (!json_is_object(value))
			return "malformed";
		part = new_message(reading->arena, field->descriptor);
		read_fields(reading, value, NULL, name, part);
		*(ProtobufCMessage **)to = part;
		return NULL;
	default:
		return "malformed";
	}
}

static const char *read_list(const struct reading *reading, const ProtobufCFieldDescriptor *field,
			     const char *name, const json_t *list, ProtobufCMessage *message)
{
	const size_t n = json_array_size(list);
	char *elements;

	if (!json_is_array(list))
		return "malformed";
	if (n > JSON_LIST_LIMIT)
		return "too_long";
	elements = arena_array(reading->arena, n, element_size(field));
	for (size_t i = 0; i < n; i++) {
		const char *reason =
			read_value(reading, field, arena_printf(reading->arena, "%s[%zu]", name, i),
				   json_array_get(list, i), elements + i * element_size(field));

		if (reason != NULL)
			return reason;
	}
	*(void **)member_of(message, field) = elements;
	*(size_t *)(void *)((char *)message + field->quantifier_offset) = n;
	return NULL;
}

/* The field that a name of the object stands for, or NULL when it may not occur. */
static const ProtobufCFieldDescriptor *allowed_field(const char *allowed, const char *name,
						     const ProtobufCMessageDescriptor *type)
{
	const ProtobufCFieldDescriptor *field;
	struct json_allowed next;
	char field_name[64];

	if (allowed == NULL) {
		field = protobuf_c_message_descriptor_get_field_by_name(type, name);
		return field != NULL && json_kind(field) != JSON_KIND_HIDDEN ? field : NULL;
	}
	while ((allowed = json_next_allowed(allowed, &next)) != NULL)
		if (strlen(name) == next.name_length &&
		    strncmp(name, next.name, next.name_length) == 0) {
			snprintf(field_name, sizeof field_name, "%.*s", (int)next.field_length,
				 next.field);
			field = protobuf_c_message_descriptor_get_field_by_name(type, field_name);
			assert(field != NULL);
			return field;
		}
	return NULL;
}

/* Names of members come from outside; an error repeats at most this much of them. */
static const char *member_name(struct arena *arena, const char *inside, const char *name)
{
	return inside != NULL ? arena_printf(arena, "%s.%.60s", inside, name)
			      : arena_strndup(arena, name, 60);
}

static void read_fields(const struct reading *reading, const json_t *object, const char *allowed,
			const char *inside, ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field;
	const char *key, *name, *reason;
	json_t *value, *members;

	memcpy(&members, &object,
	       sizeof members); /* json_object_foreach wants it so, and only reads */
	json_object_foreach(members, key, value)
	{
		name = member_name(reading->arena, inside, key);
		field = allowed_field(allowed, key, message->descriptor);
		if (field == NULL)
			reason = "unknown";
		else if (json_is_null(value))
			reason = NULL;
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
			reason = read_list(reading, field, name, value, message);
		else
			reason = read_value(reading, field, name, value, member_of(message, field));
		if (reason != NULL)
			json_add_error(reading->errors, name, reason);
	}
}

void json_read(struct arena *arena, const json_t *object, const char *allowed,
	       ProtobufCMessage *message, struct json_errors *errors)
{
	const struct reading reading = {arena, errors};

	read_fields(&reading, object, allowed, NULL, message);
}

static bool read_text(struct arena *arena, const ProtobufCFieldDescriptor *field, const char *text,
		      void *to)
{
	const struct reading reading = {arena, NULL};
	char *end;
	long long number;

	if (json_kind(field) == JSON_KIND_NUMBER) {
		if (strspn(text, "0123456789") != strlen(text) || *text == '\0' ||
		    strlen(text) > 18)
			return false;
		number = strtoll(text, &end, 10);
		return read_number(field, number, to) == NULL;
	}
	if (json_kind(field) == JSON_KIND_FLAG) {
		*(protobuf_c_boolean *)to = strcmp(text, "true") == 0;
		return *(protobuf_c_boolean *)to || strcmp(text, "false") == 0;
	}
	return read_string(&reading, field, text, to) == NULL;
}

static bool read_text_list(struct arena *arena, const ProtobufCFieldDescriptor *field,
			   const char *text, ProtobufCMessage *message)
{
	char *elements = arena_array(arena, JSON_LIST_LIMIT, element_size(field));
	size_t n = 0;

	for (;;) {
		const size_t length = strcspn(text, ",");

		if (n == JSON_LIST_LIMIT ||
		    !read_text(arena, field, arena_strndup(arena, text, length),
			       elements + n++ * element_size(field)))
			return false;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*(void **)member_of(message, field) = elements;
	*(size_t *)(void *)((char *)message + field->quantifier_offset) = n;
	return true;
}

bool json_read_text(struct arena *arena, const ProtobufCFieldDescriptor *field, const char *text,
		    ProtobufCMessage *message)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return read_text_list(arena, field, text, message);
	return read_text(arena, field, text, member_of(message, field));
}
