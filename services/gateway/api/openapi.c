/*
 * openapi.c - the OpenAPI 3.1 document, made of the same tables that answer.
 *
 * Made once, at the first request. What the routes demand, the calls allow and the
 * messages hold is all there is to say, so the document cannot lag behind.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "common.pb-c.h"
#include "gateway/api/api.h"

struct document {
	struct arena arena;
	json_t *schemas;
};

static char *kept_text;

/* --- schemas --------------------------------------------------------------------------- */

static json_t *type_of(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *type_or_null(const char *type)
{
	return json_pack("{s:[s,s]}", "type", type, "null");
}

static json_t *reference(const char *name)
{
	char text[128];

	snprintf(text, sizeof text, "#/components/schemas/%s", name);
	return json_pack("{s:s}", "$ref", text);
}

static json_t *reference_or_null(const char *name)
{
	return json_pack("{s:[o,o]}", "anyOf", reference(name), type_of("null"));
}

static json_t *words_of(struct document *d, const ProtobufCEnumDescriptor *type)
{
	json_t *schema = type_or_null("string"), *words = json_array();

	for (unsigned i = 0; i < type->n_values; i++)
		if (type->values[i].value != 0)
			json_array_append_new(words, json_string(json_word(&d->arena, type,
									   type->values[i].value)));
	json_array_append_new(words, json_null());
	json_object_set_new(schema, "enum", words);
	return schema;
}

static const char *schema_of_message(struct document *, const ProtobufCMessageDescriptor *);

static json_t *schema_of_value(struct document *d, const ProtobufCFieldDescriptor *field)
{
	json_t *schema;

	switch (json_kind(field)) {
	case JSON_KIND_ID:
		schema = type_or_null("string");
		json_object_set_new(schema, "pattern", json_string("^[1-9][0-9]*$"));
		return schema;
	case JSON_KIND_PERSON:
		return reference_or_null("Person");
	case JSON_KIND_TIME:
		schema = type_or_null("string");
		json_object_set_new(schema, "format", json_string("date-time"));
		return schema;
	case JSON_KIND_WORD:
		return words_of(d, field->descriptor);
	case JSON_KIND_ROLES:
		return json_pack("{s:s, s:{s:[s,s,s]}}", "type", "array", "items", "enum",
				 "moderator", "organizer", "trusted");
	case JSON_KIND_CURSOR:
		return type_or_null("string");
	case JSON_KIND_NUMBER:
		return type_of("integer");
	case JSON_KIND_REAL:
		return type_of("number");
	case JSON_KIND_FLAG:
		return type_of("boolean");
	case JSON_KIND_OBJECT:
		return reference_or_null(schema_of_message(d, field->descriptor));
	default:
		return type_of("string");
	}
}

static json_t *schema_of_field(struct document *d, const ProtobufCFieldDescriptor *field)
{
	json_t *schema = schema_of_value(d, field);

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return json_pack("{s:s, s:o}", "type", "array", "items", schema);
	return schema;
}

/* What shapes add has no field; their names are few. */
static json_t *schema_of_added(const char *name)
{
	if (strcmp(name, "counts") == 0)
		return json_pack("{s:s, s:{s:{s:s}, s:{s:s}}, s:[s,s]}", "type", "object",
				 "properties", "opinions", "type", "integer", "comments", "type",
				 "integer", "required", "opinions", "comments");
	if (strcmp(name, "topic") == 0)
		return json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}, s:[s,s,s]}", "type",
				 "object", "properties", "id", "type", "string", "title", "type",
				 "string", "url", "type", "string", "language", "type", "string",
				 "required", "id", "title", "url");
	return type_of("string");
}

static void add_property(json_t *schema, const char *name, json_t *property, bool required)
{
	json_object_set_new(json_object_get(schema, "properties"), name, property);
	if (required)
		json_array_append_new(json_object_get(schema, "required"), json_string(name));
}

static void add_properties(struct document *d, json_t *schema,
			   const ProtobufCMessageDescriptor *type)
{
	const struct json_shape *shape = json_find_shape(api_shapes, type);
	const char *list = shape != NULL ? shape->added : NULL;
	struct json_allowed added;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (shape != NULL && json_lists(shape->hidden, field->name))
			continue;
		if (json_kind(field) == JSON_KIND_FLATTENED)
			add_properties(d, schema, field->descriptor);
		else if (json_kind(field) != JSON_KIND_HIDDEN)
			add_property(schema, json_name(&d->arena, field), schema_of_field(d, field),
				     shape == NULL || !json_lists(shape->maybe, field->name));
	}
	while ((list = json_next_allowed(list, &added)) != NULL) {
		const char *name = arena_strndup(&d->arena, added.name, added.name_length);

		add_property(schema, name, schema_of_added(name), true);
	}
}

static json_t *empty_object_schema(void)
{
	return json_pack("{s:s, s:{}, s:[], s:b}", "type", "object", "properties", "required",
			 "additionalProperties", 0);
}

static const char *schema_of_message(struct document *d, const ProtobufCMessageDescriptor *type)
{
	json_t *schema;

	if (json_object_get(d->schemas, type->short_name) == NULL) {
		schema = empty_object_schema();
		json_object_set_new(d->schemas, type->short_name, schema);
		add_properties(d, schema, type);
	}
	return type->short_name;
}

static void add_common_schemas(struct document *d)
{
	json_object_set_new(d->schemas, "Person",
			    json_pack("{s:s, s:{s:{s:s}, s:{s:[s,s]}}, s:[s,s]}", "type", "object",
				      "properties", "id", "type", "string", "display_name", "type",
				      "string", "null", "required", "id", "display_name"));
	json_object_set_new(
		d->schemas, "Problem",
		json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:{s:s, "
			  "s:{s:{s:s}, s:{s:s}}}}}, s:[s,s,s]}",
			  "type", "object", "properties", "type", "type", "string", "title", "type",
			  "string", "status", "type", "integer", "detail", "type", "string",
			  "current", "type", "object", "errors", "type", "array", "items", "type",
			  "object", "properties", "field", "type", "string", "reason", "type",
			  "string", "required", "type", "title", "status"));
}

/* --- operations -------------------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *field_named(struct document *d,
						   const ProtobufCMessageDescriptor *type,
						   const char *name, size_t length)
{
	return protobuf_c_message_descriptor_get_field_by_name(
		type, arena_strndup(&d->arena, name, length));
}

static json_t *parameter(const char *name, const char *in, bool required, json_t *schema)
{
	return json_pack("{s:s, s:s, s:b, s:o}", "name", name, "in", in, "required", (int)required,
			 "schema", schema);
}

static json_t *id_schema(void)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", "^[0-9]+$");
}

static json_t *limit_schema(void)
{
	return json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 1, "maximum", 100);
}

static void add_path_parameters(struct document *d, const char *pattern, json_t *list)
{
	const char *brace = pattern;

	while ((brace = strchr(brace, '{')) != NULL) {
		const size_t length = strcspn(++brace, "}");

		json_array_append_new(list, parameter(arena_strndup(&d->arena, brace, length),
						      "path", true, id_schema()));
	}
}

static void add_query_parameters(struct document *d, const struct api_call *call,
				 const ProtobufCMessageDescriptor *input, json_t *list)
{
	const char *names = call->query;
	struct json_allowed next;

	while ((names = json_next_allowed(names, &next)) != NULL) {
		const char *name = arena_strndup(&d->arena, next.name, next.name_length);
		const ProtobufCFieldDescriptor *field =
			field_named(d, input, next.field, next.field_length);
		json_t *schema =
			strcmp(name, "limit") == 0 ? limit_schema() : schema_of_field(d, field);
		json_t *object = parameter(name, "query", false, schema);

		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			json_object_set_new(object, "explode", json_false());
		json_array_append_new(list, object);
	}
}

static json_t *parameters_of(struct document *d, const struct route *route,
			     const ProtobufCMessageDescriptor *input)
{
	json_t *list = json_array();

	add_path_parameters(d, route->pattern, list);
	if (input != NULL)
		add_query_parameters(d, route->call, input, list);
	if (route->method != HTTP_GET)
		json_array_append_new(list, parameter("Idempotency-Key", "header", false,
						      json_pack("{s:s, s:i}", "type", "string",
								"maxLength", 100)));
	return list;
}

static json_t *body_of(struct document *d, const struct api_call *call,
		       const ProtobufCMessageDescriptor *input)
{
	json_t *schema = empty_object_schema();
	const char *names = call->body;
	struct json_allowed next;

	json_object_del(schema, "required");
	while ((names = json_next_allowed(names, &next)) != NULL)
		json_object_set_new(
			json_object_get(schema, "properties"),
			arena_strndup(&d->arena, next.name, next.name_length),
			schema_of_field(d, field_named(d, input, next.field, next.field_length)));
	return json_pack("{s:{s:{s:o}}}", "content", "application/json", "schema", schema);
}

/* A reply whose list is shown as "items", beside what else it says. */
static json_t *list_schema(struct document *d, const struct api_call *call,
			   const ProtobufCMessageDescriptor *output)
{
	json_t *schema = empty_object_schema(), *properties, *required;

	add_properties(d, schema, output);
	properties = json_object_get(schema, "properties");
	json_object_set(properties, "items", json_object_get(properties, call->items));
	json_object_del(properties, call->items);
	if (json_object_get(properties, "next_cursor") == NULL)
		json_object_set_new(properties, "next_cursor", type_or_null("string"));
	required = json_pack("[s,s]", "items", "next_cursor");
	json_object_set_new(schema, "required", required);
	return schema;
}

static json_t *responses_of(struct document *d, const struct api_call *call,
			    const ProtobufCMessageDescriptor *output)
{
	json_t *responses = json_object(), *good = json_object();
	char status[16];

	json_object_set_new(good, "description", json_string("It is done."));
	if (call->status != 204 && output != &causerie__empty__descriptor)
		json_object_set_new(good, "content",
				    json_pack("{s:{s:o}}", "application/json", "schema",
					      call->items != NULL
						      ? list_schema(d, call, output)
						      : reference(schema_of_message(d, output))));
	snprintf(status, sizeof status, "%d", call->status);
	json_object_set_new(responses, status, good);
	json_object_set_new(responses, "default",
			    json_pack("{s:s, s:{s:{s:o}}}", "description", "What went wrong.",
				      "content", "application/problem+json", "schema",
				      reference("Problem")));
	return responses;
}

static json_t *security_of(const struct route *route)
{
	if (route->flags & (ROUTE_SIGNED_IN | ROUTE_VERIFIED))
		return json_pack("[{s:[]}]", "bearer");
	return json_pack("[{}, {s:[]}]", "bearer");
}

static json_t *describe_call(struct document *d, const struct route *route)
{
	const ProtobufCMethodDescriptor *method = api_method(route->call, route->call->rpc);
	json_t *operation = json_object();

	json_object_set_new(operation, "operationId", json_string(route->call->name));
	json_object_set_new(operation, "summary", json_string(route->call->summary));
	json_object_set_new(operation, "security", security_of(route));
	json_object_set_new(operation, "parameters", parameters_of(d, route, method->input));
	if (route->call->body != NULL)
		json_object_set_new(operation, "requestBody",
				    body_of(d, route->call, method->input));
	json_object_set_new(operation, "responses", responses_of(d, route->call, method->output));
	return operation;
}

/* The few routes that are no call: streams, and this document. */
static json_t *describe_other(struct document *d, const struct route *route)
{
	const bool stream = strstr(route->pattern, "/stream") != NULL;

	return json_pack("{s:s, s:o, s:{s:{s:s, s:{s:{}}}}}", "operationId",
			 stream ? "topic_stream" : "openapi", "parameters",
			 parameters_of(d, route, NULL), "responses", "200", "description",
			 stream ? "Server-Sent Events: comment, opinion, state." : "This document.",
			 "content", stream ? "text/event-stream" : "application/json");
}

static void add_operation(struct document *d, json_t *paths, const struct route *route)
{
	char method[16];
	json_t *path = json_object_get(paths, route->pattern);

	snprintf(method, sizeof method, "%s", http_method_name(route->method));
	for (char *at = method; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	if (path == NULL) {
		path = json_object();
		json_object_set_new(paths, route->pattern, path);
	}
	json_object_set_new(path, method,
			    route->call != NULL ? describe_call(d, route)
						: describe_other(d, route));
}

char *openapi_text(const struct route *table)
{
	struct document d = {.schemas = json_object()};
	json_t *paths = json_object(), *document;
	char *text;

	add_common_schemas(&d);
	for (; table->pattern != NULL; table++)
		if (table->flags & ROUTE_API)
			add_operation(&d, paths, table);
	document = json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:o, s:{s:o, s:{s:{s:s, s:s}}}}",
			     "openapi", "3.1.0", "info", "title", "Causerie", "version", "1",
			     "servers", "url", site.public_url != NULL ? site.public_url : "/",
			     "paths", paths, "components", "schemas", d.schemas, "securitySchemes",
			     "bearer", "type", "http", "scheme", "bearer");
	text = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	arena_free(&d.arena);
	return text;
}

/* --- serving it ------------------------------------------------------------------------------ */

static task_step serve;

const struct handler api_openapi = HANDLER(struct visit, serve);

static struct step serve(struct task *task)
{
	struct visit *v = (struct visit *)task;

	if (kept_text == NULL)
		kept_text = openapi_text(routes);
	evbuffer_add(http_response_body(&v->response), kept_text, strlen(kept_text));
	visit_field(v, "Content-Type", "application/json");
	visit_field(v, "Cache-Control", "public, max-age=300");
	return visit_reply(v, 200);
}

void openapi_stop(void)
{
	free(kept_text);
	kept_text = NULL;
}
