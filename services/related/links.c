/*
 * links.c - finds paths of topics in running text.
 */
#include "related/links.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "related/analyser.h"

static const char *const paths[] = {"/sujets/", "/s/"};

void links_add(uint64_t id, uint64_t links[MOST_LINKS], uint32_t *count)
{
	if (id == 0 || *count == MOST_LINKS)
		return;
	for (uint32_t i = 0; i < *count; i++)
		if (links[i] == id)
			return;
	links[(*count)++] = id;
}

/* 0 unless digits below 2^63 follow, and then the end of the word or a slug. */
static uint64_t read_id(const char *digits, const char *end)
{
	uint64_t id = 0;

	while (digits < end && isdigit((unsigned char)*digits)) {
		if (id > INT64_MAX / 10 - 1)
			return 0;
		id = id * 10 + (uint64_t)(*digits++ - '0');
	}
	return digits < end && (isalpha((unsigned char)*digits) || *digits == '_') ? 0 : id;
}

static bool in_slug(char byte)
{
	return isalnum((unsigned char)byte) || byte == '-' || byte == '_' || byte == '%';
}

size_t links_path(const char *at, size_t left)
{
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		size_t length = strlen(paths[i]);

		if (left <= length || memcmp(at, paths[i], length) != 0 ||
		    read_id(at + length, at + left) == 0)
			continue;
		while (length < left && in_slug(at[length]))
			length++;
		return length;
	}
	return 0;
}

/* Does what stands before the path leave it on this site? */
static bool ours(const char *text, const char *path, const char *site)
{
	size_t before = (size_t)(path - text), length = site == NULL ? 0 : strlen(site);

	if (before == 0 || strchr(" \t\r\n\"'(<[=", path[-1]) != NULL)
		return true;
	return length > 0 && before >= length && memcmp(path - length, site, length) == 0;
}

static void read_at(const char *text, const char *slash, const char *end, const char *site,
		    uint64_t links[MOST_LINKS], uint32_t *count)
{
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		size_t length = strlen(paths[i]);

		if ((size_t)(end - slash) > length && memcmp(slash, paths[i], length) == 0 &&
		    ours(text, slash, site))
			links_add(read_id(slash + length, end), links, count);
	}
}

void links_read(const char *text, const char *site, uint64_t links[MOST_LINKS], uint32_t *count)
{
	const char *end = text == NULL ? NULL : text + strnlen(text, TEXT_BYTES);
	const char *slash = text;

	while (slash != NULL && slash < end &&
	       (slash = memchr(slash, '/', (size_t)(end - slash))) != NULL) {
		read_at(text, slash, end, site, links, count);
		slash++;
	}
}
