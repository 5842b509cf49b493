/*
 * cache_url.c - reads redis:// and unix:// urls with libevent's parser; says what is wrong.
 */
#include "lib/cache_url.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>

#include "lib/cache.h"

#define DEFAULT_PORT 6379

static bool decode(char out[CACHE_URL_TEXT], const char *text, size_t length)
{
	char *encoded = strndup(text, length), *decoded;
	size_t size;
	bool fits;

	if (encoded == NULL)
		abort();
	decoded = evhttp_uridecode(encoded, 0, &size);
	free(encoded);
	if (decoded == NULL)
		abort();
	fits = size < CACHE_URL_TEXT && strlen(decoded) == size;
	if (fits)
		memcpy(out, decoded, size + 1);
	free(decoded);
	return fits;
}

/* "user:password", ":password"; a lone word is a password, as redis-cli has it. */
static bool parse_userinfo(struct cache_url *url, const char *info)
{
	const char *colon;

	if (info == NULL || info[0] == '\0')
		return true;
	colon = strchr(info, ':');
	if (colon == NULL)
		return decode(url->password, info, strlen(info));
	return decode(url->user, info, (size_t)(colon - info)) &&
	       decode(url->password, colon + 1, strlen(colon + 1));
}

static bool parse_database(struct cache_url *url, const char *digits)
{
	char *end;
	long number;

	if (digits[0] < '0' || digits[0] > '9')
		return false;
	number = strtol(digits, &end, 10);
	url->database = (int)number;
	return *end == '\0' && number <= 65535;
}

static const char *parse_tcp(struct cache_url *url, const struct evhttp_uri *uri)
{
	const char *host = evhttp_uri_get_host(uri), *path = evhttp_uri_get_path(uri);
	const int port = evhttp_uri_get_port(uri);
	size_t length;

	if (host == NULL || host[0] == '\0' || strlen(host) >= CACHE_URL_TEXT)
		return "needs a host, for example redis://127.0.0.1:6379";
	length = strlen(host);
	if (host[0] == '[') /* an IPv6 literal */
		snprintf(url->host, CACHE_URL_TEXT, "%.*s", (int)length - 2, host + 1);
	else
		snprintf(url->host, CACHE_URL_TEXT, "%s", host);
	url->port = port == -1 ? DEFAULT_PORT : port;
	if (url->port < 1 || url->port > 65535)
		return "has a port that does not exist";
	if (path[0] != '\0' && strcmp(path, "/") != 0 && !parse_database(url, path + 1))
		return "has a path that is not the number of a database";
	return NULL;
}

static const char *parse_unix(struct cache_url *url, const struct evhttp_uri *uri)
{
	const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
	const char *host = evhttp_uri_get_host(uri);

	if ((host != NULL && host[0] != '\0') || path[0] != '/')
		return "needs three slashes and an absolute path, for example "
		       "unix:///run/redis.sock";
	if (!decode(url->path, path, strlen(path)) || strlen(url->path) > 107)
		return "has too long a path for a socket";
	if (query != NULL && (strncmp(query, "db=", 3) != 0 || !parse_database(url, query + 3)))
		return "has a query that is not ?db= and a number";
	return NULL;
}

static const char *parse_uri(struct cache_url *url, const struct evhttp_uri *uri)
{
	const char *scheme = evhttp_uri_get_scheme(uri);

	if (!parse_userinfo(url, evhttp_uri_get_userinfo(uri)))
		return "has too long a user or password";
	if (scheme != NULL && strcmp(scheme, "redis") == 0)
		return parse_tcp(url, uri);
	if (scheme != NULL && strcmp(scheme, "unix") == 0)
		return parse_unix(url, uri);
	return "is neither redis://host:port nor unix:///path";
}

const char *cache_url_parse(struct cache_url *url, const char *text)
{
	struct evhttp_uri *uri = evhttp_uri_parse(text);
	const char *wrong;

	if (uri == NULL)
		return "is not a url, for example redis://127.0.0.1:6379";
	*url = (struct cache_url){0};
	wrong = parse_uri(url, uri);
	evhttp_uri_free(uri);
	return wrong;
}

const char *cache_check_url(const char *text)
{
	struct cache_url url;

	return cache_url_parse(&url, text);
}
