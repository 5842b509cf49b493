/*
 * fuzz_http.c - libFuzzer on the bytes of a request, without sockets.
 *
 * The input is one request head, or text of a form. For a head, the verdict and
 * all it found must be the same for the whole input, for one byte at a time and
 * for a split that the input itself chooses; each prefix is given in a block of
 * its own, so that a read beyond it is seen. What was accepted must keep the
 * promises that handlers rely on.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/address.h"
#include "gateway/http/form.h"
#include "gateway/http/http.h"
#include "gateway/http/parser.h"
#include "lib/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_head_limits limits = {.head = 512, .target = 128, .fields = 8};

static enum http_verdict feed(struct http_parser *parser, const uint8_t *data, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);
	enum http_verdict verdict;

	memcpy(copy, data, length);
	verdict = http_parser_feed(parser, copy, length);
	free(copy);
	return verdict;
}

/* step 0: steps as long as the low bits of the bytes themselves say */
static enum http_verdict parse(struct http_parser *parser, const uint8_t *data, size_t size,
			       size_t step)
{
	enum http_verdict verdict = HTTP_WANTS_MORE;
	size_t have = 0;

	memset(parser, 0xaa, sizeof *parser);
	http_parser_start(parser, &limits);
	while (verdict == HTTP_WANTS_MORE && have < size) {
		size_t next = step > 0 ? step : 1 + (data[have] & 31u);

		have = size - have < next ? size : have + next;
		verdict = feed(parser, data, have);
	}
	return verdict;
}

static void compare(const struct http_parser *a, const struct http_parser *b,
		    enum http_verdict verdict)
{
	if (verdict == HTTP_REFUSED)
		assert(a->refusal == b->refusal);
	if (verdict != HTTP_COMPLETE)
		return;
	assert(a->method == b->method && a->minor_version == b->minor_version);
	assert(a->head_length == b->head_length && a->content_length == b->content_length);
	assert(a->keep_alive == b->keep_alive && a->expects_continue == b->expects_continue);
	assert(memcmp(&a->target, &b->target, sizeof a->target) == 0);
	assert(memcmp(&a->host, &b->host, sizeof a->host) == 0);
	assert(a->n_fields == b->n_fields);
	assert(memcmp(a->names, b->names, a->n_fields * sizeof *a->names) == 0);
	assert(memcmp(a->values, b->values, a->n_fields * sizeof *a->values) == 0);
}

static void check_span(const uint8_t *data, struct http_span span, size_t end)
{
	assert((size_t)span.start + span.length <= end);
	for (size_t i = 0; i < span.length; i++) {
		uint8_t byte = data[span.start + i];

		assert(byte == '\t' || (byte >= ' ' && byte != 0x7f));
	}
}

static void check_accepted(const struct http_parser *parser, const uint8_t *data, size_t size)
{
	size_t end = parser->head_length;

	assert(end <= size && end <= limits.head && parser->method < HTTP_METHODS);
	assert(memcmp(data + end - 4, "\r\n\r\n", 4) == 0);
	assert(parser->n_fields >= 1 && parser->n_fields <= limits.fields);
	assert(parser->target.length <= limits.target && parser->host.length > 0);
	check_span(data, parser->target, end);
	for (size_t i = 0; i < parser->n_fields; i++) {
		check_span(data, parser->names[i], end);
		check_span(data, parser->values[i], end);
		assert(parser->names[i].length > 0);
	}
	if (parser->content_length > 0)
		assert(parser->method != HTTP_GET && parser->method != HTTP_HEAD);
}

static void check_path(const struct http_parser *parser, const uint8_t *data)
{
	struct arena arena = {0};
	char *path = http_path_decode(&arena, (const char *)data + parser->target.start,
				      parser->target.length);

	if (path != NULL) {
		assert(path[0] == '/' || path[0] == '\0' || path[0] == '*');
		assert(strstr(path, "//") == NULL && strstr(path, "/../") == NULL);
		for (const char *at = path; *at != '\0'; at++)
			assert((uint8_t)*at >= ' ' && *at != 0x7f);
	}
	arena_free(&arena);
}

static void fuzz_head(const uint8_t *data, size_t size)
{
	struct http_parser whole, bytewise, split;
	enum http_verdict verdict = parse(&whole, data, size, size);

	assert(parse(&bytewise, data, size, 1) == verdict);
	compare(&whole, &bytewise, verdict);
	assert(parse(&split, data, size, 0) == verdict);
	compare(&whole, &split, verdict);
	if (verdict != HTTP_COMPLETE)
		return;
	check_accepted(&whole, data, size);
	check_path(&whole, data);
}

static void fuzz_form(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct http_form form, cookies = {0};
	struct address address;
	char *text = arena_copy(&arena, data, size);

	if (http_form_decode(&arena, text, size, &form) == 0) {
		assert(form.n_fields <= HTTP_FORM_FIELDS_MAX);
		for (size_t i = 0; i < form.n_fields; i++)
			assert(strlen(form.fields[i].name) + strlen(form.fields[i].value) <= size);
	}
	http_cookies_read(&arena, text, &cookies);
	assert(cookies.n_fields <= HTTP_COOKIES_MAX);
	networks_free(networks_new(text));
	(void)address_parse(text, size, &address);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 2048)
		return 0;
	fuzz_head(data, size);
	fuzz_form(data, size);
	return 0;
}
