/*
 * sql_param.c - parameters of statements, by hand or from a message's fields by name.
 *
 * Everything but bytea travels as text, so that the statement's own casts decide
 * its type and an integer never has the wrong width. Arrays become array
 * literals in which every text is quoted, so nothing in it can end it.
 */
#include "lib/sql.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "lib/sql_enum.h"
#include "lib/task.h"

struct sql_param sql_null(void)
{
	return (struct sql_param){.kind = SQL_NULL_};
}

struct sql_param sql_text(const char *text)
{
	return text ? (struct sql_param){.kind = SQL_TEXT_, .text = text} : sql_null();
}

struct sql_param sql_integer(int64_t integer)
{
	return (struct sql_param){.kind = SQL_INTEGER_, .integer = integer};
}

/* A number from outside may be any; what is beyond bigint is as unknown as its largest. */
static int64_t clamp(uint64_t number)
{
	return number <= INT64_MAX ? (int64_t)number : INT64_MAX;
}

struct sql_param sql_id(uint64_t id)
{
	return id ? sql_integer(clamp(id)) : sql_null();
}

struct sql_param sql_flag(bool flag)
{
	return (struct sql_param){.kind = SQL_BOOL_, .integer = flag};
}

struct sql_param sql_bytes(const void *bytes, size_t length)
{
	/* An empty value has no address, but is not NULL. */
	return (struct sql_param){
		.kind = SQL_BYTES_, .bytes = length ? bytes : "", .length = length};
}

static struct sql_param array(const char *literal)
{
	return (struct sql_param){.kind = SQL_ARRAY_, .text = literal};
}

struct sql_param sql_ids(struct arena *arena, const uint64_t *ids, size_t n)
{
	char *literal = arena_array(arena, n + 1, sizeof "9223372036854775807,");
	char *end = literal;

	*end++ = '{';
	for (size_t i = 0; i < n; i++)
		end += sprintf(end, i ? ",%" PRId64 : "%" PRId64, clamp(ids[i]));
	*end++ = '}';
	return array(literal);
}

static char *quote(char *end, const char *text)
{
	if (text == NULL)
		return stpcpy(end, "NULL");
	*end++ = '"';
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			*end++ = '\\';
		*end++ = *text;
	}
	*end++ = '"';
	return end;
}

struct sql_param sql_texts(struct arena *arena, char *const *texts, size_t n)
{
	size_t size = sizeof "{}";
	char *literal, *end;

	for (size_t i = 0; i < n; i++)
		size += texts[i] != NULL ? 2 * strlen(texts[i]) + sizeof "\"\"," : sizeof "NULL,";
	literal = end = arena_alloc(arena, size);
	*end++ = '{';
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			*end++ = ',';
		end = quote(end, texts[i]);
	}
	*end++ = '}';
	return array(literal);
}

/* As an element of an array; PostgreSQL's own cast decides what it is. */
static char *element(struct arena *arena, const struct sql_param *param)
{
	char *hex;

	switch (param->kind) {
	case SQL_TEXT_:
		return arena_strdup(arena, param->text);
	case SQL_INTEGER_:
		return arena_printf(arena, "%" PRId64, param->integer);
	case SQL_BOOL_:
		return arena_strdup(arena, param->integer ? "t" : "f");
	case SQL_BYTES_:
		hex = arena_alloc(arena, 2 * param->length + sizeof "\\x");
		memcpy(hex, "\\x", 2);
		sodium_bin2hex(hex + 2, 2 * param->length + 1, param->bytes, param->length);
		return hex;
	case SQL_NULL_:
		break;
	case SQL_ARRAY_:
		assert(false && "an array of arrays");
	}
	return NULL;
}

struct sql_param sql_column(struct arena *arena, const struct sql_param *const *rows, size_t n,
			    size_t parameter)
{
	char **elements = ARENA_ARRAY(arena, char *, n);

	for (size_t i = 0; i < n; i++)
		elements[i] = element(arena, &rows[i][parameter]);
	return sql_texts(arena, elements, n);
}

/* --- from a message's field --- */

static bool is_id(const char *name)
{
	const size_t length = strlen(name);

	return strcmp(name, "id") == 0 || (length > 3 && strcmp(name + length - 3, "_id") == 0);
}

static struct sql_param from_number(const char *name, int64_t number)
{
	return number == 0 && is_id(name) ? sql_null() : sql_integer(number);
}

static struct sql_param from_double(struct arena *arena, double number)
{
	return sql_text(arena_printf(arena, "%.17g", number));
}

/* Whether an optional field, or a member of a oneof, is there. */
static bool is_present(const ProtobufCFieldDescriptor *field, const void *message)
{
	const char *base = message;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(const void *)(base + field->quantifier_offset) ==
		       field->id;
	if (field->label != PROTOBUF_C_LABEL_OPTIONAL)
		return true;
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return *(const char *const *)(const void *)(base + field->offset) != NULL;
	return *(const protobuf_c_boolean *)(const void *)(base + field->quantifier_offset);
}

static struct sql_param from_single(struct arena *arena, const ProtobufCFieldDescriptor *field,
				    const void *value)
{
	const ProtobufCBinaryData *bytes;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return from_number(field->name, *(const int32_t *)value);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return from_number(field->name, *(const int64_t *)value);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return from_number(field->name, *(const uint32_t *)value);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return from_number(field->name, clamp(*(const uint64_t *)value));
	case PROTOBUF_C_TYPE_FLOAT:
		return from_double(arena, (double)*(const float *)value);
	case PROTOBUF_C_TYPE_DOUBLE:
		return from_double(arena, *(const double *)value);
	case PROTOBUF_C_TYPE_BOOL:
		return sql_flag(*(const protobuf_c_boolean *)value);
	case PROTOBUF_C_TYPE_ENUM:
		return sql_text(sql_enum_name(arena, field->descriptor, *(const int32_t *)value));
	case PROTOBUF_C_TYPE_STRING:
		return sql_text(*(const char *const *)value);
	case PROTOBUF_C_TYPE_BYTES:
		bytes = value;
		return sql_bytes(bytes->data, bytes->len);
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	assert(false && "a message within a message is not a parameter");
	return sql_null();
}

static struct sql_param from_enums(struct arena *arena, const ProtobufCFieldDescriptor *field,
				   const int32_t *values, size_t n)
{
	char **names = ARENA_ARRAY(arena, char *, n);

	for (size_t i = 0; i < n; i++) {
		names[i] = sql_enum_name(arena, field->descriptor, values[i]);
		if (names[i] == NULL)
			names[i] = arena_strdup(arena, "");
	}
	return sql_texts(arena, names, n);
}

static struct sql_param from_repeated(struct arena *arena, const ProtobufCFieldDescriptor *field,
				      const void *values, size_t n)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return sql_ids(arena, values, n);
	case PROTOBUF_C_TYPE_STRING:
		return sql_texts(arena, values, n);
	case PROTOBUF_C_TYPE_ENUM:
		return from_enums(arena, field, values, n);
	default:
		assert(false && "a list is a parameter only when of ids, texts or enums");
		return sql_null();
	}
}

static struct sql_param from_field(struct arena *arena, const ProtobufCFieldDescriptor *field,
				   const ProtobufCMessage *message)
{
	const char *base = (const char *)message;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return from_repeated(
			arena, field, *(const void *const *)(const void *)(base + field->offset),
			*(const size_t *)(const void *)(base + field->quantifier_offset));
	if (!is_present(field, message))
		return sql_null();
	return from_single(arena, field, base + field->offset);
}

/* What the request itself has under a name; false when it is none of its names. */
static bool from_context(const struct request_context *context, const char *name,
			 struct sql_param *value)
{
	if (strcmp(name, "viewer_id") == 0)
		*value = sql_id(context->viewer.account_id);
	else if (strcmp(name, "idempotency_key") == 0)
		*value = sql_text(context->idempotency_key);
	else if (strcmp(name, "trace") == 0)
		*value = sql_text(context->trace);
	else
		return false;
	return true;
}

static struct sql_param find(struct task *task, const char *name, const ProtobufCMessage *message,
			     const struct sql_named *extra, size_t n_extra)
{
	const ProtobufCFieldDescriptor *field = NULL;
	struct sql_param value;

	for (size_t i = 0; i < n_extra; i++)
		if (strcmp(extra[i].name, name) == 0)
			return extra[i].value;
	if (from_context(&task->context, name, &value))
		return value;
	if (message != NULL)
		field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
	assert(field != NULL); /* the statement names what nobody gives */
	return from_field(&task->arena, field, message);
}

const struct sql_param *sql_bind(struct task *task, const struct sql_query *query,
				 const ProtobufCMessage *message, const struct sql_named *extra,
				 size_t n_extra)
{
	struct sql_param *params = ARENA_ARRAY(&task->arena, struct sql_param, query->n_parameters);

	for (size_t i = 0; i < query->n_parameters; i++)
		params[i] = find(task, query->parameters[i], message, extra, n_extra);
	return params;
}

void sql_run_message(struct task *task, struct sql_slot *slot, struct sql *sql,
		     const struct sql_query *query, const ProtobufCMessage *message,
		     const struct sql_named *extra, size_t n_extra)
{
	sql_run(task, slot, sql, query, sql_bind(task, query, message, extra, n_extra),
		query->n_parameters);
}
