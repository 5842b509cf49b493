/*
 * sql_url.c - a connection URL, taken apart so that each attempt goes to one of its hosts.
 *
 * host, hostaddr and port are lists of the same length (one port may serve all).
 */
#include "lib/sql_url.h"

#include <arpa/inet.h>
#include <stdbool.h>
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

/* "a,b,c" at 4 is "b". */
static const char *item(struct arena *arena, const char *list, unsigned at)
{
	for (size_t skip = at % count_items(list); skip > 0; skip--)
		list = strchr(list, ',') + 1;
	return arena_strndup(arena, list, strcspn(list, ","));
}

static bool is_list(const char *keyword)
{
	return strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0 ||
	       strcmp(keyword, "port") == 0;
}

static const char *find(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

static bool is_literal(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

const char *sql_url_host(struct arena *arena, const char *url, unsigned attempt)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	const char *host = NULL;

	if (options == NULL)
		return NULL;
	if (find(options, "host") != NULL && find(options, "hostaddr") == NULL)
		host = item(arena, find(options, "host"), attempt);
	PQconninfoFree(options);
	if (host == NULL || *host == '\0' || *host == '/' || *host == '@' || is_literal(host))
		return NULL;
	return host;
}

PGconn *sql_url_connect(const char *url, const char *name, unsigned attempt, const char *address)
{
	const char *keywords[KEYWORDS] = {"fallback_application_name", "client_encoding"};
	const char *values[KEYWORDS] = {NULL, "UTF8"};
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	struct arena arena = {0};
	PGconn *pg;
	size_t n = 2;

	if (options == NULL) /* malformed: libpq says so in the connection's error */
		return PQconnectStart(url);
	values[0] = arena_printf(&arena, "causerie-%s", name);
	if (address != NULL) {
		keywords[n] = "hostaddr";
		values[n++] = address;
	}
	for (const PQconninfoOption *option = options; option->keyword != NULL && n < KEYWORDS - 1;
	     option++) {
		if (option->val == NULL || strcmp(option->keyword, "client_encoding") == 0)
			continue;
		keywords[n] = option->keyword;
		values[n++] =
			is_list(option->keyword) ? item(&arena, option->val, attempt) : option->val;
	}
	pg = PQconnectStartParams(keywords, values, 0);
	PQconninfoFree(options);
	arena_free(&arena);
	return pg;
}
