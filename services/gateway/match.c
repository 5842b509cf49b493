/*
 * match.c - finds the row of a table of routes that a request belongs to.
 *
 * A pattern's segment is a text that must be the same or a name in braces that
 * takes one segment, digits alone where the name ends in "id". Rows are tried in
 * their order, so "/sujets/nouveau" stands before "/sujets/{topic}".
 */
#include <ctype.h>
#include <string.h>

#include "gateway/gateway.h"
#include "lib/arena.h"

static bool names_an_id(const char *name, size_t length)
{
	return length >= 2 && memcmp(name + length - 2, "id", 2) == 0;
}

static bool is_digits(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return length > 0;
}

static bool take_parameter(struct route_match *match, struct arena *arena, const char *name,
			   size_t name_length, const char *segment, size_t length)
{
	if (length == 0 || match->n_parameters == ROUTE_PARAMETERS ||
	    (names_an_id(name, name_length) && !is_digits(segment, length)))
		return false;
	match->parameters[match->n_parameters++] = (struct parameter){
		name, name_length, arena != NULL ? arena_strndup(arena, segment, length) : segment};
	return true;
}

static bool fits(const char *pattern, const char *path, struct arena *arena,
		 struct route_match *match)
{
	match->n_parameters = 0;
	while (*pattern == '/' && *path == '/') {
		const size_t wanted = strcspn(++pattern, "/"), length = strcspn(++path, "/");

		if (wanted > 0 && *pattern == '{') {
			if (!take_parameter(match, arena, pattern + 1, wanted - 2, path, length))
				return false;
		} else if (wanted != length || memcmp(pattern, path, length) != 0) {
			return false;
		}
		pattern += wanted;
		path += length;
	}
	return *pattern == '\0' && *path == '\0';
}

struct route_match route_find(const struct route *table, struct arena *arena,
			      enum http_method method, const char *path)
{
	struct route_match match = {0};

	for (; table->pattern != NULL; table++) {
		struct route_match try = {0};

		if (!fits(table->pattern, path, NULL, &try))
			continue;
		match.allowed |= 1U << table->method;
		if (table->method == HTTP_GET)
			match.allowed |= 1U << HTTP_HEAD;
		if (match.route == NULL && (method == table->method ||
					    (method == HTTP_HEAD && table->method == HTTP_GET))) {
			fits(table->pattern, path, arena, &match);
			match.route = table;
		}
	}
	return match;
}

const char *route_allow(struct arena *arena, unsigned allowed)
{
	const char *list = "OPTIONS";

	for (int method = HTTP_METHODS - 1; method >= 0; method--)
		if (method != HTTP_OPTIONS && (allowed & 1U << method))
			list = arena_printf(arena, "%s, %s",
					    http_method_name((enum http_method)method), list);
	return list;
}
