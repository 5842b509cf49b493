/*
 * cache_url.h - where a Redis is, and how to greet it. Private to cache.c.
 */
#ifndef LIB_CACHE_URL_H
#define LIB_CACHE_URL_H

#define CACHE_URL_TEXT 256

struct cache_url {
	char path[CACHE_URL_TEXT]; /* of a unix socket; "": tcp */
	char host[CACHE_URL_TEXT];
	int port;
	char user[CACHE_URL_TEXT], password[CACHE_URL_TEXT];
	int database;
};

/* Returns what is wrong, or NULL. */
const char *cache_url_parse(struct cache_url *, const char *text);

#endif
