/*
 * sql_url.c - a connection URL, taken apart so that its hosts can be rotated.
 *
 * host, hostaddr and port are lists of the same length (one port may serve all).
 */
#include "lib/sql_url.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

#define KEYWORDS 64 /* libpq 15 knows 45 */

static size_t count_items(const char *list)
{
	size_t n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* "a,b,c" by 1 is "b,c,a". */
static const char *rotate(struct arena *arena, const char *list, size_t by)
{
	const char *from = list;

	for (by %= count_items(list); by > 0; by--)
		from = strchr(from, ',') + 1;
	if (from == list)
		return list;
	return arena_printf(arena, "%s,%.*s", from, (int)(from - list - 1), list);
}

static const char *value_of(struct arena *arena, const PQconninfoOption *option, unsigned attempt)
{
	if (strcmp(option->keyword, "host") == 0 || strcmp(option->keyword, "hostaddr") == 0 ||
	    strcmp(option->keyword, "port") == 0)
		return rotate(arena, option->val, attempt);
	return option->val;
}

PGconn *sql_url_connect(const char *url, const char *name, unsigned attempt)
{
	const char *keywords[KEYWORDS], *values[KEYWORDS];
	struct arena arena = {0};
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	PGconn *pg;
	size_t n = 0;

	if (options == NULL) /* malformed: libpq says so in the connection's error */
		return PQconnectStart(url);
	keywords[n] = "fallback_application_name";
	values[n++] = arena_printf(&arena, "causerie-%s", name);
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	for (PQconninfoOption *option = options; option->keyword != NULL && n < KEYWORDS - 1;
	     option++)
		if (option->val != NULL && strcmp(option->keyword, "client_encoding") != 0) {
			keywords[n] = option->keyword;
			values[n++] = value_of(&arena, option, attempt);
		}
	keywords[n] = values[n] = NULL;
	pg = PQconnectStartParams(keywords, values, 0);
	PQconninfoFree(options);
	arena_free(&arena);
	return pg;
}
