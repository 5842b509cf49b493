/*
 * test_page_cache.c - a kept page is given out exactly as long as it is right, within its bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <sodium.h>
#include <zlib.h>

#include "gateway/coding.h"
#include "gateway/http/http.h"
#include "gateway/page_cache.h"
#include "lib/clock.h"

#define PAGE_BYTES 4000

static struct page_cache *cache;
static unsigned stale_feeds;
static int64_t silence;
static const struct page_key key = {"/sujets/12-a", LOCALE_FR, 0};

static int64_t silence_ms(unsigned feeds)
{
	return stale_feeds & feeds ? silence : 0;
}

static int open_cache(void **state)
{
	(void)state;
	stale_feeds = 0;
	silence = PAGE_CACHE_SILENCE_MS + 1;
	cache = page_cache_new(100000, silence_ms);
	return 0;
}

static int close_cache(void **state)
{
	(void)state;
	page_cache_free(cache);
	return 0;
}

static const char *body(char letter)
{
	static char text[PAGE_BYTES];

	memset(text, letter, sizeof text);
	return text;
}

static struct page_tags tags_of_topic(void)
{
	struct page_tags tags = {.feeds = FEED_TOPICS | FEED_COMMENTS};

	page_tag(&tags, TAG_TOPIC, 12);
	page_tag(&tags, TAG_PERSON, 3);
	return tags;
}

static const struct kept_page *put(const struct page_key *at, char letter)
{
	const struct page_tags tags = tags_of_topic();

	return page_cache_put(cache, at, 200, "text/html; charset=utf-8", body(letter), PAGE_BYTES,
			      &tags, page_cache_position(cache));
}

static void a_page_is_found_under_its_key_alone(void **state)
{
	const struct page_key others[] = {{"/sujets/12-a?x", LOCALE_FR, 0},
					  {"/sujets/12-a", LOCALE_EN, 0},
					  {"/sujets/12-a", LOCALE_FR, 1}};

	(void)state;
	assert_null(page_cache_find(cache, &key));
	assert_non_null(put(&key, 'a'));
	assert_non_null(page_cache_find(cache, &key));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_null(page_cache_find(cache, &others[i]));
}

static void an_event_on_a_tag_drops_the_page(void **state)
{
	(void)state;
	put(&key, 'a');
	page_cache_drop(cache, TAG_TOPIC, 13);
	page_cache_drop(cache, TAG_LISTS, 0);
	assert_non_null(page_cache_find(cache, &key));
	page_cache_drop(cache, TAG_PERSON, 3);
	assert_null(page_cache_find(cache, &key));
	put(&key, 'a');
	assert_non_null(page_cache_find(cache, &key));
	page_cache_discard_all(cache);
	assert_null(page_cache_find(cache, &key));
}

static void a_page_made_while_it_changed_is_not_kept(void **state)
{
	const struct page_tags tags = tags_of_topic();
	const uint64_t began = page_cache_position(cache);

	(void)state;
	page_cache_drop(cache, TAG_TOPIC, 12);
	assert_null(
		page_cache_put(cache, &key, 200, "text/html", body('a'), PAGE_BYTES, &tags, began));
	assert_null(page_cache_find(cache, &key));
}

static void a_silent_feed_makes_pages_anew(void **state)
{
	(void)state;
	put(&key, 'a');
	stale_feeds = FEED_ACCOUNTS;
	assert_non_null(page_cache_find(cache, &key));
	stale_feeds = FEED_COMMENTS;
	assert_null(page_cache_find(cache, &key));
	stale_feeds = 0;
	assert_non_null(page_cache_find(cache, &key));
}

static void a_page_does_not_outlive_its_age(void **state)
{
	(void)state;
	put(&key, 'a');
	clock_advance(PAGE_CACHE_AGE_MS - 5000);
	assert_non_null(page_cache_find(cache, &key));
	clock_advance(5000);
	assert_null(page_cache_find(cache, &key));
}

static void what_is_unsettled_is_kept_briefly(void **state)
{
	(void)state;
	page_cache_drop(cache, TAG_TOPIC, 12);
	page_cache_unsettle(cache, TAG_TOPIC, 12, 2000);
	put(&key, 'a');
	assert_non_null(page_cache_find(cache, &key));
	clock_advance(2000);
	assert_null(page_cache_find(cache, &key));
	put(&key, 'a');
	clock_advance(2000);
	assert_non_null(page_cache_find(cache, &key));
}

static void the_last_good_page_stays_when_it_is_no_longer_right(void **state)
{
	size_t size;

	(void)state;
	assert_null(page_cache_last_good(cache, &key));
	put(&key, 'a');
	page_cache_drop(cache, TAG_TOPIC, 12);
	assert_non_null(page_cache_last_good(cache, &key));
	assert_memory_equal(kept_page_body(page_cache_last_good(cache, &key), &size), body('a'),
			    10);
	assert_int_equal(size, PAGE_BYTES);
}

static void what_was_taken_back_is_no_last_good_page(void **state)
{
	const struct page_key other = {"/sujets/13-b", LOCALE_FR, 0};

	(void)state;
	put(&key, 'a');
	page_cache_discard(cache, TAG_PERSON, 3);
	assert_null(page_cache_last_good(cache, &key));
	assert_int_equal(page_cache_counters(cache)->bytes, 0);
	put(&key, 'a');
	page_cache_discard(cache, TAG_PERSON, 4);
	assert_non_null(page_cache_last_good(cache, &key));
	put(&other, 'b');
	page_cache_discard_all(cache);
	assert_null(page_cache_last_good(cache, &key));
	assert_null(page_cache_last_good(cache, &other));
}

static void what_was_taken_back_while_a_page_was_made_is_not_kept(void **state)
{
	const struct page_tags tags = tags_of_topic();
	const uint64_t since = page_cache_position(cache);

	(void)state;
	page_cache_discard(cache, TAG_TOPIC, 12);
	page_cache_put(cache, &key, 200, "text/html", body('a'), PAGE_BYTES, &tags, since);
	assert_null(page_cache_last_good(cache, &key));
}

static void the_last_good_page_is_the_one_most_like_what_was_wanted(void **state)
{
	const struct page_key wanted = {key.target, LOCALE_EN, 1};
	const struct page_key dark = {key.target, LOCALE_FR, 1};
	const struct page_key english = {key.target, LOCALE_EN, 0};
	const struct page_key elsewhere = {"/sujets/13-b", LOCALE_EN, 1};
	size_t size;

	(void)state;
	put(&key, 'a');
	assert_memory_equal(kept_page_body(page_cache_last_good(cache, &wanted), &size), body('a'),
			    10);
	put(&dark, 'b');
	assert_memory_equal(kept_page_body(page_cache_last_good(cache, &wanted), &size), body('b'),
			    10);
	put(&english, 'c');
	assert_memory_equal(kept_page_body(page_cache_last_good(cache, &wanted), &size), body('c'),
			    10);
	assert_int_equal(kept_page_locale(page_cache_last_good(cache, &wanted)), LOCALE_EN);
	assert_null(page_cache_last_good(cache, &elsewhere));
	assert_null(page_cache_find(cache, &wanted));
}

static void a_feed_that_is_silent_for_long_leaves_no_last_good_page(void **state)
{
	(void)state;
	put(&key, 'a');
	stale_feeds = FEED_COMMENTS;
	silence = LAST_GOOD_SILENCE_MS;
	assert_null(page_cache_find(cache, &key));
	assert_non_null(page_cache_last_good(cache, &key));
	silence++;
	assert_null(page_cache_last_good(cache, &key));
}

static void a_new_page_replaces_the_old_one(void **state)
{
	size_t size;

	(void)state;
	put(&key, 'a');
	put(&key, 'b');
	assert_int_equal(page_cache_counters(cache)->pages, 1);
	assert_memory_equal(kept_page_body(page_cache_find(cache, &key), &size), body('b'), 10);
}

static void the_longest_unused_pages_make_room(void **state)
{
	char target[32];
	struct page_key at = key;

	(void)state;
	put(&key, 'a');
	for (int i = 0; i < 100; i++) {
		snprintf(target, sizeof target, "/sujets/%d", i);
		at.target = target;
		assert_non_null(put(&at, 'b'));
		assert_non_null(page_cache_find(cache, &key)); /* used all the time */
	}
	assert_true(page_cache_counters(cache)->bytes <= 100000);
	assert_true(page_cache_counters(cache)->evicted > 0);
	at.target = "/sujets/0";
	assert_null(page_cache_find(cache, &at));
	at.target = "/sujets/99";
	assert_non_null(page_cache_find(cache, &at));
}

static void a_page_with_too_many_tags_is_not_kept(void **state)
{
	struct page_tags tags = {.feeds = 0};

	(void)state;
	for (uint64_t id = 1; id <= PAGE_TAGS_MAX + 1; id++)
		page_tag(&tags, TAG_PERSON, id);
	page_tag(&tags, TAG_PERSON, 1);
	assert_null(page_cache_put(cache, &key, 200, "text/html", "a", 1, &tags, 0));
}

/* --- answers -----------------------------------------------------------------------------------
 */

static const char *field(const struct http_response *response, const char *name)
{
	for (size_t i = 0; i < response->n_fields; i++)
		if (strcmp(response->fields[i].name, name) == 0)
			return response->fields[i].value;
	return NULL;
}

static struct http_response answer(const char *name, const char *value)
{
	struct http_field fields[] = {{name, value}};
	struct http_request request = {.fields = fields, .n_fields = 1};
	struct http_response response = {0};

	kept_page_answer(page_cache_find(cache, &key), &request, &response);
	return response;
}

static void release(struct http_response *response)
{
	if (response->body != NULL)
		evbuffer_free(response->body);
}

static void a_page_travels_plain_or_compressed(void **state)
{
	struct http_response plain, packed;
	unsigned char inflated[PAGE_BYTES + 1];
	z_stream z = {0};

	(void)state;
	put(&key, 'a');
	plain = answer("accept", "text/html");
	assert_int_equal(plain.status, 200);
	assert_null(field(&plain, "Content-Encoding"));
	assert_int_equal(evbuffer_get_length(plain.body), PAGE_BYTES);

	packed = answer("accept-encoding", "br, gzip");
	assert_string_equal(field(&packed, "Content-Encoding"), "gzip");
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.avail_in = (uInt)evbuffer_get_length(packed.body);
	z.next_in = evbuffer_pullup(packed.body, -1);
	z.next_out = inflated;
	z.avail_out = sizeof inflated;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, PAGE_BYTES);
	assert_memory_equal(inflated, body('a'), PAGE_BYTES);
	inflateEnd(&z);
	release(&plain);
	release(&packed);
}

static void a_page_that_is_known_is_not_sent_again(void **state)
{
	struct http_response known, unknown;

	(void)state;
	put(&key, 'a');
	known = answer("if-none-match", kept_page_etag(page_cache_find(cache, &key)));
	assert_int_equal(known.status, 304);
	assert_null(known.body);
	unknown = answer("if-none-match", "\"other\"");
	assert_int_equal(unknown.status, 200);
	release(&unknown);
}

static void a_body_outlives_its_page(void **state)
{
	struct http_response response;

	(void)state;
	put(&key, 'a');
	response = answer("accept", "*");
	page_cache_free(cache);
	cache = NULL;
	assert_memory_equal(evbuffer_pullup(response.body, -1), body('a'), PAGE_BYTES);
	release(&response);
}

static void a_refused_coding_is_not_used(void **state)
{
	static const struct {
		const char *value;
		bool gzip;
	} cases[] = {
		{"gzip", true},       {"GZIP;q=0.5", true},
		{"*", true},          {"deflate, gzip", true},
		{"gzip;q=0", false},  {"gzip;q=0.0", false},
		{"identity", false},  {"", false},
		{"x-gzipped", false}, {"br;q=1.0, gzip;q=0.8", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_field fields[] = {{"accept-encoding", cases[i].value}};
		struct http_request request = {.fields = fields, .n_fields = 1};

		assert_int_equal(accepts_gzip(&request), cases[i].gzip);
	}
}

static const char *name_of_randomness(void)
{
	return "always the same";
}

static uint32_t no_random_number(void)
{
	return 4;
}

static void no_random_bytes(void *bytes, size_t size)
{
	memset(bytes, 4, size);
}

/* With one key of some thousands two tags share a place, and a stranger's page leaves, too. */
static struct randombytes_implementation no_randomness = {
	.implementation_name = name_of_randomness,
	.random = no_random_number,
	.buf = no_random_bytes,
};

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_cache, close_cache)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_page_is_found_under_its_key_alone),
		TEST(an_event_on_a_tag_drops_the_page),
		TEST(a_page_made_while_it_changed_is_not_kept),
		TEST(a_silent_feed_makes_pages_anew),
		TEST(a_page_does_not_outlive_its_age),
		TEST(what_is_unsettled_is_kept_briefly),
		TEST(the_last_good_page_stays_when_it_is_no_longer_right),
		TEST(what_was_taken_back_is_no_last_good_page),
		TEST(what_was_taken_back_while_a_page_was_made_is_not_kept),
		TEST(the_last_good_page_is_the_one_most_like_what_was_wanted),
		TEST(a_feed_that_is_silent_for_long_leaves_no_last_good_page),
		TEST(a_new_page_replaces_the_old_one),
		TEST(the_longest_unused_pages_make_room),
		TEST(a_page_with_too_many_tags_is_not_kept),
		TEST(a_page_travels_plain_or_compressed),
		TEST(a_page_that_is_known_is_not_sent_again),
		TEST(a_body_outlives_its_page),
		TEST(a_refused_coding_is_not_used),
	};

	randombytes_set_implementation(&no_randomness);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
