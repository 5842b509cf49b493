/*
 * test_csrf.c - no other site acts in a visitor's name, and nobody is sent to another site.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/gateway.h"

static const struct route form_route = {.method = HTTP_POST, .pattern = "/x"};
static const struct route open_route = {
	.method = HTTP_POST, .pattern = "/connexion", .flags = ROUTE_OPEN_FORM};

static const struct route draft_route = {.method = HTTP_POST,
					 .pattern = "/sujets/{topic_id}/commentaires",
					 .flags = ROUTE_OPEN_FORM | ROUTE_DRAFT};

static struct http_field fields[4], form_fields[1], cookies[1];
static struct http_request http;
static struct visit visit;

static int fresh(void **state)
{
	(void)state;
	site.public_url = "https://causerie.example";
	site.https = true;
	memset(site.csrf_key, 7, sizeof site.csrf_key);
	arena_free(&visit.task.arena);
	http = (struct http_request){.host = "causerie.example", .fields = fields};
	visit = (struct visit){.http = &http, .route = &form_route};
	return 0;
}

static int clear(void **state)
{
	(void)state;
	arena_free(&visit.task.arena);
	return 0;
}

static void with_field(const char *name, const char *value)
{
	fields[http.n_fields++] = (struct http_field){name, value};
}

static void with_form_token(const char *token)
{
	form_fields[0] = (struct http_field){"csrf", token};
	visit.form = (struct http_form){form_fields, 1};
}

static void sign_in(struct visit *v)
{
	static Causerie__Session session = CAUSERIE__SESSION__INIT;

	v->session = &session;
	v->token = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
}

static bool same_origin(void)
{
	return csrf_same_origin(&http, site.public_url);
}

static void our_own_pages_are_recognised(void **state)
{
	static const char *const ours[] = {"https://causerie.example", "https://CAUSERIE.example"};

	(void)state;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		http.n_fields = 0;
		with_field("origin", ours[i]);
		with_field("sec-fetch-site", "same-origin");
		assert_true(same_origin());
	}
	http.n_fields = 0;
	with_field("referer", "https://causerie.example/sujets/12");
	assert_true(same_origin());
}

static void everybody_else_is_foreign(void **state)
{
	static const char *const others[] = {
		"null",
		"https://evil.example",
		"https://causerie.example.evil.example",
		"https://causerie.example@evil.example",
		"http://causerie.example",
		"https://causerie.example:444",
		"",
	};

	(void)state;
	assert_false(same_origin()); /* nothing said */
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		http.n_fields = 0;
		with_field("origin", others[i]);
		assert_false(same_origin());
		http.n_fields = 0;
		with_field("referer", others[i]);
		assert_false(same_origin());
	}
	http.n_fields = 0;
	with_field("origin", "https://causerie.example");
	with_field("sec-fetch-site", "cross-site");
	assert_false(same_origin());
}

static void a_token_of_the_session_is_accepted(void **state)
{
	(void)state;
	sign_in(&visit);
	with_field("origin", "https://causerie.example");
	with_form_token(csrf_token(&visit));
	assert_int_equal(csrf_check(&visit), CSRF_FINE);
}

static void each_token_is_another(void **state)
{
	(void)state;
	sign_in(&visit);
	assert_string_not_equal(csrf_token(&visit), csrf_token(&visit));
}

static void a_token_of_another_session_is_refused(void **state)
{
	(void)state;
	sign_in(&visit);
	with_field("origin", "https://causerie.example");
	with_form_token(csrf_token(&visit));
	visit.token = "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	assert_int_equal(csrf_check(&visit), CSRF_BAD_TOKEN);
}

static void a_changed_token_is_refused(void **state)
{
	char *token;

	(void)state;
	sign_in(&visit);
	with_field("origin", "https://causerie.example");
	token = arena_strdup(&visit.task.arena, csrf_token(&visit));
	token[30] = token[30] == 'A' ? 'B' : 'A';
	with_form_token(token);
	assert_int_equal(csrf_check(&visit), CSRF_BAD_TOKEN);
	with_form_token("x");
	assert_int_equal(csrf_check(&visit), CSRF_BAD_TOKEN);
	visit.form.n_fields = 0;
	assert_int_equal(csrf_check(&visit), CSRF_NO_TOKEN);
}

static void the_right_token_from_a_foreign_page_is_refused(void **state)
{
	(void)state;
	sign_in(&visit);
	with_field("origin", "https://evil.example");
	with_form_token(csrf_token(&visit));
	assert_int_equal(csrf_check(&visit), CSRF_FOREIGN);
}

static void signed_out_the_token_is_bound_to_a_cookie_of_its_own(void **state)
{
	const char *token = csrf_token(&visit);

	(void)state;
	assert_non_null(visit.pre_session);
	assert_int_equal(visit.response.n_fields, 1);
	assert_string_equal(visit.response.fields[0].name, "Set-Cookie");
	assert_non_null(strstr(visit.response.fields[0].value, "__Host-form="));
	assert_non_null(strstr(visit.response.fields[0].value, "; Secure"));

	cookies[0] = (struct http_field){"__Host-form", visit.pre_session};
	http.cookies = (struct http_form){cookies, 1};
	visit.pre_session = NULL;
	with_field("origin", "https://causerie.example");
	with_form_token(token);
	assert_int_equal(csrf_check(&visit), CSRF_FINE);
	http.cookies.n_fields = 0;
	assert_int_equal(csrf_check(&visit), CSRF_BAD_TOKEN);
}

static void only_an_open_form_comes_without_token_and_only_signed_out(void **state)
{
	(void)state;
	with_field("origin", "https://causerie.example");
	assert_int_equal(csrf_check(&visit), CSRF_NO_TOKEN);
	visit.route = &open_route;
	assert_int_equal(csrf_check(&visit), CSRF_FINE);
	sign_in(&visit);
	assert_int_equal(csrf_check(&visit), CSRF_NO_TOKEN);
	visit.session = NULL;
	http.n_fields = 0;
	assert_int_equal(csrf_check(&visit), CSRF_FOREIGN);
}

static void where_a_text_is_kept_the_token_of_an_ended_session_is_none(void **state)
{
	(void)state;
	sign_in(&visit);
	with_field("origin", "https://causerie.example");
	with_form_token(csrf_token(&visit));
	visit.session = NULL;
	visit.token = NULL;
	visit.route = &open_route;
	assert_int_equal(csrf_check(&visit), CSRF_BAD_TOKEN);
	visit.route = &draft_route;
	assert_int_equal(csrf_check(&visit), CSRF_FINE);
	visit.token = "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	visit.session_unknown = true; /* it may be somebody's: then it must be right */
	assert_int_equal(csrf_check(&visit), CSRF_BAD_TOKEN);
	sign_in(&visit);
	with_form_token("x");
	assert_int_equal(csrf_check(&visit), CSRF_BAD_TOKEN);
	http.n_fields = 0;
	visit.session = NULL;
	visit.session_unknown = false;
	assert_int_equal(csrf_check(&visit), CSRF_FOREIGN);
}

static void while_nobody_knows_the_session_its_token_stays_good(void **state)
{
	(void)state;
	sign_in(&visit);
	with_field("origin", "https://causerie.example");
	with_form_token(csrf_token(&visit));
	visit.session = NULL;
	visit.session_unknown = true;
	assert_int_equal(csrf_check(&visit), CSRF_FINE);
}

static void next_stays_on_this_site(void **state)
{
	static const char *const fine[] = {"/", "/sujets/12-a?b=c#d", "/connexion?next=%2Fsujets"};
	static const char *const evil[] = {
		"//evil",
		"/\\evil",
		"https:evil",
		"https://evil",
		"",
		"evil",
		"/%2Fevil",
		"/%2fevil",
		"/%5Cevil",
		"/\tevil",
		"/ \nevil",
		"javascript:alert(1)",
		"/a\r\nSet-Cookie: x",
		"/a\\b",
		"/\xC3\xA9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		assert_string_equal(safe_next(fine[i], "/home"), fine[i]);
	for (size_t i = 0; i < sizeof evil / sizeof *evil; i++)
		assert_string_equal(safe_next(evil[i], "/home"), "/home");
	assert_string_equal(safe_next(NULL, "/home"), "/home");
}

static void session_tokens_have_one_form(void **state)
{
	(void)state;
	assert_true(session_is_token(random_token(&visit.task.arena)));
	assert_false(session_is_token(""));
	assert_false(session_is_token("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	assert_false(session_is_token("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
	assert_string_equal(session_cookie_name(), "__Host-session");
	site.https = false;
	assert_string_equal(session_cookie_name(), "session");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fresh, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(our_own_pages_are_recognised),
		TEST(everybody_else_is_foreign),
		TEST(a_token_of_the_session_is_accepted),
		TEST(each_token_is_another),
		TEST(a_token_of_another_session_is_refused),
		TEST(a_changed_token_is_refused),
		TEST(the_right_token_from_a_foreign_page_is_refused),
		TEST(signed_out_the_token_is_bound_to_a_cookie_of_its_own),
		TEST(only_an_open_form_comes_without_token_and_only_signed_out),
		TEST(where_a_text_is_kept_the_token_of_an_ended_session_is_none),
		TEST(while_nobody_knows_the_session_its_token_stays_good),
		TEST(next_stays_on_this_site),
		TEST(session_tokens_have_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
