/*
 * request.c - from a parsed head to the struct that handlers see.
 *
 * The head is copied once into the request's arena, and its names and values are
 * ended in place: where a NUL is written there stood a separator.
 */
#include <string.h>
#include <strings.h>

#include "gateway/http/form.h"
#include "gateway/http/front.h"
#include "lib/arena.h"

static const char *end_here(char *head, struct http_span span)
{
	head[span.start + span.length] = '\0';
	return head + span.start;
}

static char *lower(char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
	return name;
}

static void take_fields(struct http_request *request, const struct http_parser *parser, char *head)
{
	request->n_fields = parser->n_fields;
	request->fields = ARENA_ARRAY(&request->arena, struct http_field, parser->n_fields);
	for (size_t i = 0; i < parser->n_fields; i++) {
		struct http_field *field = &request->fields[i];

		lower(head + parser->names[i].start, parser->names[i].length);
		field->name = end_here(head, parser->names[i]);
		field->value = end_here(head, parser->values[i]);
		if (strcmp(field->name, "cookie") == 0)
			http_cookies_read(&request->arena, field->value, &request->cookies);
	}
}

/* Behind "http://host" nothing may follow, or a query: then the path is "/". */
static const char *take_target(struct http_request *request, const struct http_parser *parser,
			       char *head)
{
	const char *target = end_here(head, parser->target);

	if (*target == '/' || *target == '*')
		return target;
	return arena_printf(&request->arena, "/%s", target);
}

static enum http_refusal take_path(struct http_request *request)
{
	size_t length = strcspn(request->target, "?");

	if (request->target[0] == '*')
		request->path = request->target;
	else
		request->path = http_path_decode(&request->arena, request->target, length);
	if (request->path == NULL)
		return HTTP_BAD_PATH;

	request->query = request->target + length + (request->target[length] == '?');
	if (http_form_decode(&request->arena, request->query, strlen(request->query),
			     &request->query_form) != 0)
		return HTTP_BAD_QUERY;
	return HTTP_ACCEPTED;
}

/* --- whose request it is ------------------------------------------------------ */

/* Cuts the last item off a comma-separated list of the given length. */
static const char *last_item(const char *list, size_t *list_length, size_t *length)
{
	size_t end = *list_length, start;

	while (end > 0 && strchr(" \t", list[end - 1]) != NULL)
		end--;
	for (start = end; start > 0 && list[start - 1] != ','; start--)
		;
	*list_length = start > 0 ? start - 1 : 0;
	while (start < end && strchr(" \t", list[start]) != NULL)
		start++;
	*length = end - start;
	return list + start;
}

/*
 * Walks X-Forwarded-For from its end: each proxy of ours appended whom it saw, so
 * the first address that is not ours is the client; what stands before it anyone
 * may have written.
 */
static struct address find_client(const struct http_request *request,
				  const struct http_connection *connection)
{
	struct address client = connection->address, next;

	for (size_t i = request->n_fields; i-- > 0;) {
		const char *list = request->fields[i].value;
		size_t list_length = strlen(list), length;

		if (strcmp(request->fields[i].name, "x-forwarded-for") != 0)
			continue;
		while (list_length > 0) {
			const char *item = last_item(list, &list_length, &length);

			if (!address_parse(item, length, &next))
				return client;
			client = next;
			if (!networks_hold(connection->server->trusted, &client))
				return client;
		}
	}
	return client;
}

static const char *name_client(struct http_request *request,
			       const struct http_connection *connection)
{
	char *text = arena_alloc(&request->arena, ADDRESS_TEXT_SIZE);
	struct address client;

	if (!connection->trusted)
		return memcpy(text, connection->peer, ADDRESS_TEXT_SIZE);
	client = find_client(request, connection);
	address_print(&client, text);
	return text;
}

/* --- its beginning and its end ------------------------------------------------ */

/* The arena goes: if nobody has answered, nobody will. */
static void on_gone(void *gone)
{
	struct http_request *request = gone;
	struct http_response response = {.status = 500, .refused = true};

	if (request->alive != NULL)
		*request->alive = false;
	request->alive = NULL;
	if (request->connection != NULL)
		http_respond(request, &response);
}

struct http_request *request_new(struct http_connection *connection, const char *bytes,
				 enum http_refusal *why_not)
{
	const struct http_parser *parser = &connection->parser;
	struct arena arena = {0};
	struct http_request *request = ARENA_NEW(&arena, struct http_request);
	char *head = arena_copy(&arena, bytes, parser->head_length);

	request->arena = arena;
	request->method = parser->method;
	request->minor_version = parser->minor_version;
	request->target = take_target(request, parser, head);
	take_fields(request, parser, head);
	request->host = end_here(head, parser->host);
	request->peer = name_client(request, connection);
	request->body = "";
	*why_not = take_path(request);
	if (*why_not != HTTP_ACCEPTED) {
		arena_free(&request->arena);
		return NULL;
	}
	request->connection = connection;
	arena_defer(&request->arena, on_gone, request);
	return request;
}

/* --- what handlers ask of it -------------------------------------------------- */

const char *http_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_fields; i++)
		if (strcmp(request->fields[i].name, name) == 0)
			return request->fields[i].value;
	return NULL;
}

void http_on_abandon(struct http_request *request, void (*on_abandon)(void *), void *argument)
{
	request->on_abandon = on_abandon;
	request->on_abandon_argument = argument;
}

/* The opaque part of a tag and its length, quotes included; weak or not does not matter. */
static const char *opaque(const char *tag, size_t *length)
{
	const char *end;

	if (strncmp(tag, "W/", 2) == 0)
		tag += 2;
	end = *tag == '"' ? strchr(tag + 1, '"') : NULL;
	*length = end != NULL ? (size_t)(end + 1 - tag) : 0;
	return tag;
}

static bool list_names(const char *list, const char *wanted, size_t wanted_length)
{
	while (*(list += strspn(list, ", \t")) != '\0') {
		size_t length;

		list = opaque(list, &length);
		if (length == 0)
			return false;
		if (length == wanted_length && memcmp(list, wanted, length) == 0)
			return true;
		list += length;
	}
	return false;
}

bool http_etag_matches(const struct http_request *request, const char *etag)
{
	size_t length;
	const char *wanted = opaque(etag, &length);

	for (size_t i = 0; i < request->n_fields; i++) {
		const struct http_field *field = &request->fields[i];

		if (strcmp(field->name, "if-none-match") != 0)
			continue;
		if (strcmp(field->value, "*") == 0 || list_names(field->value, wanted, length))
			return true;
	}
	return false;
}
