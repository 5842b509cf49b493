/* test_http_form.c - decoding of paths, queries, forms, cookies; tags, addresses, crowds. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/http/address.h"
#include "gateway/http/crowd.h"
#include "gateway/http/form.h"
#include "gateway/http/http.h"
#include "lib/arena.h"

static struct arena arena;

static int release(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const char *path(const char *text)
{
	return http_path_decode(&arena, text, strlen(text));
}

static void a_path_is_decoded(void **state)
{
	(void)state;
	assert_string_equal(path("/"), "/");
	assert_string_equal(path("/sujets/7-v%C3%A9lo/"), "/sujets/7-v\303\251lo/");
	assert_string_equal(path("/a+b"), "/a+b");
	assert_string_equal(path("/a%2fb%2F"), "/a%2Fb%2F");
	assert_string_equal(path("/..a/.b/..."), "/..a/.b/...");
}

static void a_path_that_could_mislead_is_refused(void **state)
{
	static const char *const bad[] = {"/..",  "/../", "/a/./b", "/%2e%2e/a", "//a",
					  "/a//", "/%00", "/%0a",   "/%7f",      "/%",
					  "/%4",  "/%g0", "/%C3/",  "/%C0%80",   "/%ED%A0%80",
					  "a",    ""};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad - 1; i++)
		if (path(bad[i]) != NULL)
			fail_msg("%s passed", bad[i]);
}

static int decode(const char *text, struct http_form *form)
{
	return http_form_decode(&arena, text, strlen(text), form);
}

static void a_form_is_decoded_in_order(void **state)
{
	struct http_form form;

	(void)state;
	assert_int_equal(decode("q=v%C3%A9lo+bleu&a=1&&a=2&empty=&flag&=x&e%3D=%26", &form), 0);
	assert_int_equal(form.n_fields, 7);
	assert_string_equal(http_form_value(&form, "q"), "v\303\251lo bleu");
	assert_string_equal(http_form_value(&form, "a"), "1");
	assert_string_equal(http_form_nth(&form, "a", 1), "2");
	assert_null(http_form_nth(&form, "a", 2));
	assert_string_equal(http_form_value(&form, "empty"), "");
	assert_string_equal(http_form_value(&form, "flag"), "");
	assert_string_equal(http_form_value(&form, ""), "x");
	assert_string_equal(http_form_value(&form, "e="), "&");
	assert_null(http_form_value(&form, "absent"));
}

static void a_form_that_is_no_text_is_refused(void **state)
{
	static const char *const bad[] = {"a=%00", "a=%", "a=%4", "a=%zz", "%ff=a", "a=\303", "a%"};
	struct http_form form;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(decode(bad[i], &form), -EILSEQ);
	assert_int_equal(http_form_decode(&arena, "a=\0b", 4, &form), -EILSEQ);
}

static void a_form_has_a_bounded_number_of_fields(void **state)
{
	char text[4 * HTTP_FORM_FIELDS_MAX + 4] = "";
	struct http_form form;

	(void)state;
	for (int i = 0; i < HTTP_FORM_FIELDS_MAX; i++)
		memcpy(text + 4 * i, "a=b&", 4);
	text[4 * HTTP_FORM_FIELDS_MAX - 1] = '\0';
	assert_int_equal(decode(text, &form), 0);
	assert_int_equal(form.n_fields, HTTP_FORM_FIELDS_MAX);
	strcat(text, "&a=b");
	assert_int_equal(decode(text, &form), -E2BIG);
}

static struct http_request request_with(const char *name, const char *value)
{
	struct http_request request = {.n_fields = 1, .body = ""};

	request.fields = ARENA_NEW(&arena, struct http_field);
	request.fields[0] = (struct http_field){name, value};
	return request;
}

static void a_body_is_a_form_only_when_it_says_so(void **state)
{
	struct http_request request =
		request_with("content-type", "application/x-www-form-urlencoded ; charset=UTF-8");
	struct http_form form;

	(void)state;
	request.body = "a=b";
	request.body_length = 3;
	assert_int_equal(http_form_read(&request, &arena, &form), 0);
	assert_string_equal(http_form_value(&form, "a"), "b");

	request.body = "a=%";
	assert_int_equal(http_form_read(&request, &arena, &form), 400);
	request.fields[0].value = "application/x-www-form-urlencodedx";
	assert_int_equal(http_form_read(&request, &arena, &form), 415);
	request.fields[0].value = "text/plain";
	assert_int_equal(http_form_read(&request, &arena, &form), 415);
	request.n_fields = 0;
	assert_int_equal(http_form_read(&request, &arena, &form), 415);
}

static void cookies_are_found_by_their_whole_name(void **state)
{
	struct http_request request = {0};

	(void)state;
	http_cookies_read(&arena, "xsession=1; session=a=b; nonsense;session=2;;  last=\"q\"",
			  &request.cookies);
	http_cookies_read(&arena, "more=3", &request.cookies);
	assert_string_equal(http_cookie(&request, "session"), "a=b");
	assert_string_equal(http_cookie(&request, "xsession"), "1");
	assert_string_equal(http_cookie(&request, "last"), "\"q\"");
	assert_string_equal(http_cookie(&request, "more"), "3");
	assert_null(http_cookie(&request, "nonsense"));
	assert_null(http_cookie(&request, "ession"));
}

static void cookies_are_bounded(void **state)
{
	struct http_request request = {0};
	char text[3 * 100 + 1] = "";

	(void)state;
	for (int i = 0; i < 100; i++)
		memcpy(text + 3 * i, "a=;", 3);
	http_cookies_read(&arena, text, &request.cookies);
	assert_int_equal(request.cookies.n_fields, HTTP_COOKIES_MAX);
}

static bool matches(const char *if_none_match, const char *etag)
{
	struct http_request request = request_with("if-none-match", if_none_match);

	return http_etag_matches(&request, etag);
}

static void tags_are_compared_weakly(void **state)
{
	struct http_request without = request_with("accept", "*");

	(void)state;
	assert_true(matches("\"a\"", "\"a\""));
	assert_true(matches("W/\"a\"", "\"a\""));
	assert_true(matches("\"a\"", "W/\"a\""));
	assert_true(matches("\"b\", W/\"a,b\" ,\"c\"", "\"a,b\""));
	assert_true(matches("*", "\"a\""));
	assert_false(matches("\"b\"", "\"a\""));
	assert_false(matches("a", "\"a\""));
	assert_false(matches("\"a", "\"a\""));
	assert_false(matches("", "\"a\""));
	assert_false(http_etag_matches(&without, "\"a\""));
}

static struct address address(const char *text)
{
	struct address parsed;

	assert_true(address_parse(text, strlen(text), &parsed));
	return parsed;
}

static bool held(const char *list, const char *text)
{
	struct networks *networks = networks_new(list);
	struct address client = address(text);
	bool result;

	assert_non_null(networks);
	result = networks_hold(networks, &client);
	networks_free(networks);
	return result;
}

static void networks_hold_their_addresses(void **state)
{
	(void)state;
	assert_true(held("10.0.0.0/8", "10.255.0.1"));
	assert_false(held("10.0.0.0/8", "11.0.0.1"));
	assert_true(held("192.168.4.0/22,127.0.0.1", "192.168.7.255"));
	assert_false(held("192.168.4.0/22,127.0.0.1", "192.168.8.0"));
	assert_true(held("192.168.4.0/22 , 127.0.0.1", "::ffff:127.0.0.1"));
	assert_true(held("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(held("2001:db8::/33", "2001:db8:8000::1"));
	assert_false(held("", "127.0.0.1"));
	assert_false(held("unix", "::"));
}

static void malformed_networks_are_refused(void **state)
{
	static const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/0", "10.0.0/8", "::1/129",
					  "10.0.0.0/",   "10.0.0.0/a", "host",     "127.0.0.1;::1",
					  "/8",          "1.2.3.4/08x"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (networks_new(bad[i]) != NULL)
			fail_msg("%s passed", bad[i]);
}

static void a_subscriber_is_an_ipv4_address_or_an_ipv6_64(void **state)
{
	struct address a = address("2001:db8:0:1::1"), b = address("2001:db8:0:1:ffff::2");
	struct address c = address("2001:db8:0:2::1"), d = address("192.0.2.1");
	struct address e = address("192.0.2.2"), f = address("::ffff:192.0.2.1");

	(void)state;
	assert_true(address_network(&a) == address_network(&b));
	assert_true(address_network(&a) != address_network(&c));
	assert_true(address_network(&d) != address_network(&e));
	assert_true(address_network(&d) == address_network(&f));
}

static void a_crowd_lets_in_so_many_of_a_network(void **state)
{
	struct crowd *crowd = crowd_new();

	(void)state;
	for (uint64_t network = 0; network < 10000; network++)
		for (int i = 0; i < 3; i++)
			assert_true(crowd_enter(crowd, network, 3));
	assert_false(crowd_enter(crowd, 7, 3));
	crowd_leave(crowd, 7);
	assert_true(crowd_enter(crowd, 7, 3));
	for (uint64_t network = 0; network < 10000; network += 2)
		for (int i = 0; i < 3; i++)
			crowd_leave(crowd, network);
	assert_true(crowd_enter(crowd, 8, 3));
	crowd_free(crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_path_is_decoded, release),
		cmocka_unit_test_teardown(a_path_that_could_mislead_is_refused, release),
		cmocka_unit_test_teardown(a_form_is_decoded_in_order, release),
		cmocka_unit_test_teardown(a_form_that_is_no_text_is_refused, release),
		cmocka_unit_test_teardown(a_form_has_a_bounded_number_of_fields, release),
		cmocka_unit_test_teardown(a_body_is_a_form_only_when_it_says_so, release),
		cmocka_unit_test_teardown(cookies_are_found_by_their_whole_name, release),
		cmocka_unit_test_teardown(cookies_are_bounded, release),
		cmocka_unit_test_teardown(tags_are_compared_weakly, release),
		cmocka_unit_test(networks_hold_their_addresses),
		cmocka_unit_test(malformed_networks_are_refused),
		cmocka_unit_test(a_subscriber_is_an_ipv4_address_or_an_ipv6_64),
		cmocka_unit_test(a_crowd_lets_in_so_many_of_a_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
