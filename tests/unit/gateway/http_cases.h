/* http_cases.h - the raw cases of http_cases.inc, as C sees them. */
#ifndef TESTS_HTTP_CASES_H
#define TESTS_HTTP_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define STAYS  false
#define CLOSES true

static const struct http_case {
	const char *name;
	int status; /* 200: accepted */
	bool closes;
	const char *text;
	size_t length;
} http_cases[] = {
#define CASE(name, status, closes, text) {name, status, closes, text, sizeof(text) - 1},
#include "http_cases.inc"
#undef CASE
};

#define HTTP_CASES (sizeof http_cases / sizeof *http_cases)

/* The end of a "{x*n}" that begins here, with x and n; NULL when it is just a brace. */
static inline const char *http_case_repetition(const char *at, const char *end, size_t *piece,
					       size_t *times)
{
	const char *star, *close;

	if (*at != '{' || (close = memchr(at, '}', (size_t)(end - at))) == NULL)
		return NULL;
	star = memchr(at, '*', (size_t)(close - at));
	if (star == NULL)
		return NULL;
	*piece = (size_t)(star - at - 1);
	*times = strtoul(star + 1, NULL, 10);
	return close + 1;
}

/* The bytes of a case, to be freed. */
static inline char *http_case_bytes(const struct http_case *c, size_t *length)
{
	const char *at = c->text, *end = at + c->length, *behind;
	char *bytes = malloc(128 * 1024), *out = bytes;
	size_t piece, times;

	while (at < end) {
		behind = http_case_repetition(at, end, &piece, &times);
		if (behind == NULL) {
			*out++ = *at++;
			continue;
		}
		for (; times > 0; times--, out += piece)
			memcpy(out, at + 1, piece);
		at = behind;
	}
	*length = (size_t)(out - bytes);
	return bytes;
}

#endif
