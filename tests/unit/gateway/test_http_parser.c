/* test_http_parser.c - the head parser: what it takes, what it refuses, however bytes arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/http/form.h"
#include "gateway/http/http.h"
#include "gateway/http/parser.h"
#include "http_cases.h"
#include "lib/arena.h"

static const struct http_head_limits limits = {.head = 8192, .target = 4096, .fields = 64};

/* Feeds prefixes that grow by step bytes; each from a block of its own, which asan watches. */
static enum http_verdict parse(struct http_parser *parser, const char *bytes, size_t length,
			       size_t step)
{
	enum http_verdict verdict = HTTP_WANTS_MORE;

	memset(parser, 0xaa, sizeof *parser);
	http_parser_start(parser, &limits);
	for (size_t have = 0; verdict == HTTP_WANTS_MORE && have < length;) {
		char *copy;

		have = have + step < length ? have + step : length;
		copy = malloc(have);
		memcpy(copy, bytes, have);
		verdict = http_parser_feed(parser, copy, have);
		free(copy);
	}
	return verdict;
}

static enum http_verdict parse_text(struct http_parser *parser, const char *text)
{
	return parse(parser, text, strlen(text), SIZE_MAX / 2);
}

static void assert_same(const struct http_parser *a, const struct http_parser *b,
			enum http_verdict verdict)
{
	if (verdict == HTTP_REFUSED)
		assert_int_equal(a->refusal, b->refusal);
	if (verdict != HTTP_COMPLETE)
		return;
	assert_int_equal(a->method, b->method);
	assert_int_equal(a->minor_version, b->minor_version);
	assert_int_equal(a->head_length, b->head_length);
	assert_int_equal(a->content_length, b->content_length);
	assert_int_equal(a->keep_alive, b->keep_alive);
	assert_int_equal(a->expects_continue, b->expects_continue);
	assert_memory_equal(&a->target, &b->target, sizeof a->target);
	assert_memory_equal(&a->host, &b->host, sizeof a->host);
	assert_int_equal(a->n_fields, b->n_fields);
	assert_memory_equal(a->names, b->names, a->n_fields * sizeof *a->names);
	assert_memory_equal(a->values, b->values, a->n_fields * sizeof *a->values);
}

static void every_split_of_every_case_gives_the_same_verdict(void **state)
{
	struct http_parser whole, split;

	(void)state;
	for (size_t i = 0; i < HTTP_CASES; i++) {
		size_t length;
		char *bytes = http_case_bytes(&http_cases[i], &length);
		enum http_verdict verdict = parse(&whole, bytes, length, length);

		for (size_t step = 1; step < 40; step += length < 1000 ? 1 : 13) {
			assert_int_equal(parse(&split, bytes, length, step), verdict);
			assert_same(&whole, &split, verdict);
		}
		free(bytes);
	}
}

/* Whether a complete head is refused afterwards: for its path, its query or its body's size. */
static bool is_refused_later(const struct http_parser *parser, const char *bytes)
{
	const char *target = bytes + parser->target.start;
	size_t length = parser->target.length, path = 0;
	struct arena arena = {0};
	struct http_form query;
	bool refused = parser->content_length > 65536;

	while (path < length && target[path] != '?')
		path++;
	refused |= path > 0 && http_path_decode(&arena, target, path) == NULL;
	refused |= path < length &&
		   http_form_decode(&arena, target + path + 1, length - path - 1, &query) != 0;
	arena_free(&arena);
	return refused;
}

static void check_verdict(const struct http_case *c, const char *bytes, size_t length)
{
	struct http_parser parser;

	switch (parse(&parser, bytes, length, length)) {
	case HTTP_WANTS_MORE:
		fail_msg("%s: no verdict", c->name);
		break;
	case HTTP_COMPLETE:
		if (is_refused_later(&parser, bytes) != (c->status != 200))
			fail_msg("%s: accepted", c->name);
		break;
	case HTTP_REFUSED:
		if (http_refusal_status(parser.refusal) != c->status)
			fail_msg("%s: %s", c->name, http_refusal_name(parser.refusal));
		break;
	}
}

static void every_case_is_refused_with_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < HTTP_CASES; i++) {
		size_t length;
		char *bytes = http_case_bytes(&http_cases[i], &length);

		check_verdict(&http_cases[i], bytes, length);
		free(bytes);
	}
}

static void no_byte_but_a_field_byte_passes_in_a_value(void **state)
{
	struct http_parser parser;

	(void)state;
	for (int c = 0; c < 256; c++) {
		char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a?b\r\n\r\n";
		bool allowed = c == '\t' || (c >= ' ' && c != 0x7f);

		*strchr(head, '?') = (char)c;
		assert_int_equal(parse(&parser, head, sizeof head - 1, 7),
				 allowed ? HTTP_COMPLETE : HTTP_REFUSED);
	}
}

static void only_token_bytes_pass_in_a_name(void **state)
{
	static const char tchars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct http_parser parser;

	(void)state;
	for (int c = 1; c < 256; c++) {
		char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX?Y: a\r\n\r\n";
		bool allowed = strchr(tchars, c) != NULL || c == ':';

		*strchr(head, '?') = (char)c;
		assert_int_equal(parse(&parser, head, sizeof head - 1, 7),
				 allowed ? HTTP_COMPLETE : HTTP_REFUSED);
	}
}

static void bytes_behind_the_head_are_left_alone(void **state)
{
	static const char head[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
	struct http_parser parser;
	char bytes[sizeof head + 2];

	(void)state;
	snprintf(bytes, sizeof bytes, "%s\n\n", head);
	assert_int_equal(parse_text(&parser, bytes), HTTP_COMPLETE);
	assert_int_equal(parser.head_length, sizeof head - 1);
}

static void an_incomplete_head_wants_more(void **state)
{
	static const char head[] = "POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
	struct http_parser parser;

	(void)state;
	for (size_t length = 0; length < sizeof head - 1; length++)
		assert_int_equal(parse(&parser, head, length, 100), HTTP_WANTS_MORE);
	assert_int_equal(parse_text(&parser, head), HTTP_COMPLETE);
	assert_int_equal(parser.content_length, 3);
}

static void a_head_may_fill_its_limit_but_no_more(void **state)
{
	static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
	struct http_parser parser;
	char head[8193];

	(void)state;
	memset(head, 'x', sizeof head);
	memcpy(head, start, sizeof start - 1);
	memcpy(head + 8192 - 4, "\r\n\r\n", 4);
	assert_int_equal(parse(&parser, head, 8192, 100), HTTP_COMPLETE);

	memcpy(head + 8192 - 4, "x\r\n\r\n", 5);
	assert_int_equal(parse(&parser, head, 8193, 100), HTTP_REFUSED);
	assert_int_equal(parser.refusal, HTTP_LARGE_HEAD);
}

static void an_absolute_target_loses_its_authority(void **state)
{
	static const char head[] = "GET https://A.test:80/p?q HTTP/1.1\r\nHost: a.test:80\r\n\r\n";
	struct http_parser parser;

	(void)state;
	assert_int_equal(parse_text(&parser, head), HTTP_COMPLETE);
	assert_memory_equal(head + parser.target.start, "/p?q", 4);
	assert_int_equal(parser.target.length, 4);
}

static void a_star_is_the_target_of_options(void **state)
{
	struct http_parser parser;

	(void)state;
	assert_int_equal(parse_text(&parser, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
			 HTTP_COMPLETE);
}

static void an_expectation_counts_only_with_a_body_and_http_1_1(void **state)
{
	struct http_parser parser;

	(void)state;
	parse_text(&parser, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
			    "Content-Length: 1\r\n\r\n");
	assert_true(parser.expects_continue);
	parse_text(&parser, "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n"
			    "Content-Length: 1\r\n\r\n");
	assert_false(parser.expects_continue);
	parse_text(&parser, "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
	assert_false(parser.expects_continue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split_of_every_case_gives_the_same_verdict),
		cmocka_unit_test(every_case_is_refused_with_its_status),
		cmocka_unit_test(no_byte_but_a_field_byte_passes_in_a_value),
		cmocka_unit_test(only_token_bytes_pass_in_a_name),
		cmocka_unit_test(bytes_behind_the_head_are_left_alone),
		cmocka_unit_test(an_incomplete_head_wants_more),
		cmocka_unit_test(a_head_may_fill_its_limit_but_no_more),
		cmocka_unit_test(an_absolute_target_loses_its_authority),
		cmocka_unit_test(a_star_is_the_target_of_options),
		cmocka_unit_test(an_expectation_counts_only_with_a_body_and_http_1_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
