/*
 * test_routes.c - paths find their rows, and every row of the API fits its messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "gateway/api/api.h"
#include "gateway/gateway.h"

static struct arena arena;

static const struct route table[] = {
	{HTTP_GET, "/", NULL, 0, RATE_NONE, NULL},
	{HTTP_GET, "/sujets/nouveau", NULL, 0, RATE_NONE, NULL},
	{HTTP_GET, "/sujets/{topic}", NULL, 0, RATE_NONE, NULL},
	{HTTP_POST, "/sujets/{topic}/reactions", NULL, 0, RATE_NONE, NULL},
	{HTTP_GET, "/api/{id}/x/{other_id}", NULL, 0, RATE_NONE, NULL},
	{HTTP_GET, NULL, NULL, 0, RATE_NONE, NULL},
};

static int clear(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct route_match find(enum http_method method, const char *path)
{
	return route_find(table, &arena, method, path);
}

static void a_path_finds_its_row(void **state)
{
	struct route_match match = find(HTTP_GET, "/sujets/12-une-conversation");

	(void)state;
	assert_ptr_equal(match.route, &table[2]);
	assert_int_equal(match.n_parameters, 1);
	assert_string_equal(match.parameters[0].value, "12-une-conversation");
	assert_memory_equal(match.parameters[0].name, "topic", match.parameters[0].name_length);
	assert_ptr_equal(find(HTTP_GET, "/").route, &table[0]);
}

static void a_fixed_segment_comes_before_a_name(void **state)
{
	(void)state;
	assert_ptr_equal(find(HTTP_GET, "/sujets/nouveau").route, &table[1]);
}

static void names_of_ids_take_digits_alone(void **state)
{
	struct route_match match = find(HTTP_GET, "/api/12/x/34");

	(void)state;
	assert_ptr_equal(match.route, &table[4]);
	assert_string_equal(match.parameters[1].value, "34");
	assert_null(find(HTTP_GET, "/api/12a/x/34").route);
	assert_null(find(HTTP_GET, "/api/12/x/-1").route);
}

static void another_path_finds_nothing(void **state)
{
	static const char *const paths[] = {"/sujets",     "/sujets/", "/sujets/1/", "//sujets/1",
					    "/sujets/1/x", "",         "*"};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_null(find(HTTP_GET, paths[i]).route);
		assert_int_equal(find(HTTP_GET, paths[i]).allowed, 0);
	}
}

static void head_is_get_and_other_methods_are_told(void **state)
{
	struct route_match match = find(HTTP_DELETE, "/sujets/1/reactions");

	(void)state;
	assert_ptr_equal(find(HTTP_HEAD, "/sujets/nouveau").route, &table[1]);
	assert_null(match.route);
	assert_string_equal(route_allow(&arena, match.allowed), "POST, OPTIONS");
	assert_string_equal(route_allow(&arena, find(HTTP_POST, "/").allowed),
			    "GET, HEAD, OPTIONS");
}

/* --- the real table -------------------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *field(const ProtobufCMessageDescriptor *type,
					     const char *name, size_t length)
{
	return protobuf_c_message_descriptor_get_field_by_name(type,
							       arena_strndup(&arena, name, length));
}

static void assert_fields(const ProtobufCMessageDescriptor *type, const char *list)
{
	struct json_allowed next;

	while ((list = json_next_allowed(list, &next)) != NULL)
		assert_non_null(field(type, next.field, next.field_length));
}

static void every_row_of_the_api_fits_its_messages(void **state)
{
	(void)state;
	for (const struct route *route = routes; route->pattern != NULL; route++) {
		const struct api_call *call = route->call;
		const ProtobufCMethodDescriptor *method;
		const char *brace = route->pattern;

		if (call == NULL)
			continue;
		method = api_method(call, call->rpc);
		assert_true(route->flags & ROUTE_API);
		assert_fields(method->input, call->query);
		assert_fields(method->input, call->body);
		if (call->names_set)
			assert_non_null(field(method->input, "set", 3));
		if (call->items != NULL)
			assert_non_null(field(method->output, call->items, strlen(call->items)));
		if (call->fresh != NULL)
			assert_non_null(field(api_method(call, call->fresh)->input, "id", 2));
		if (call->guard == API_TOPIC)
			assert_non_null(field(method->input, "topic_id", 8));
		else if (call->guard != API_UNGUARDED)
			assert_non_null(field(method->input, "email", 5));
		while ((brace = strchr(brace, '{')) != NULL) {
			const size_t length = strcspn(++brace, "}");

			assert_non_null(field(method->input, brace, length));
		}
	}
}

static void what_changes_something_needs_more_than_get(void **state)
{
	(void)state;
	for (const struct route *route = routes; route->pattern != NULL; route++)
		if (route->call != NULL && strncmp(route->call->rpc, "Get", 3) != 0 &&
		    strncmp(route->call->rpc, "List", 4) != 0)
			assert_int_not_equal(route->method, HTTP_GET);
}

static void the_document_is_json_and_has_every_route(void **state)
{
	char *text = openapi_text(routes);
	json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *paths;

	(void)state;
	assert_non_null(document);
	paths = json_object_get(document, "paths");
	for (const struct route *route = routes; route->pattern != NULL; route++)
		if (route->flags & ROUTE_API)
			assert_non_null(json_object_get(paths, route->pattern));
	json_decref(document);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_finds_its_row),
		cmocka_unit_test(a_fixed_segment_comes_before_a_name),
		cmocka_unit_test(names_of_ids_take_digits_alone),
		cmocka_unit_test(another_path_finds_nothing),
		cmocka_unit_test(head_is_get_and_other_methods_are_told),
		cmocka_unit_test(every_row_of_the_api_fits_its_messages),
		cmocka_unit_test(what_changes_something_needs_more_than_get),
		cmocka_unit_test(the_document_is_json_and_has_every_route),
	};

	return cmocka_run_group_tests(tests, NULL, clear);
}
