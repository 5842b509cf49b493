/*
 * page_cache.h - visitors' whole pages, kept while nothing they show has changed.
 *
 * What signed-out visitors see is the same for all who share language and theme.
 * Such a page is kept as two ready bodies (identity and gzip), reference-counted,
 * and given out without a task, a session or a template.
 *
 * A page is right as long as none of its tags was dropped since the visit that
 * made it began. A tag is a topic, a person, or one of the lists; an event drops a
 * tag by noting the position at which it happened, so that a page which was being
 * made meanwhile is not kept by mistake. Different tags may share a place in the
 * table: then a page is made anew once too often, never once too seldom.
 *
 * Pages are also made anew after PAGE_CACHE_AGE, and whenever a feed they depend
 * on has not been heard of for PAGE_CACHE_SILENCE: what was not announced is not known.
 * A page that is no longer right stays, as long as there is room, as the last good
 * one: page_cache_last_good() gives it out when its makers are away. What was taken
 * back (hidden, deleted, withdrawn, erased) is not to be seen again: page_cache_discard()
 * removes its pages, the last good ones too. And because nobody can say what was taken
 * back by an owner that is not heard of, no page outlives LAST_GOOD_SILENCE of one of
 * its feeds: that bounds what a gateway that is cut off may still show, while a site whose
 * database restarts stays readable.
 */
#ifndef GATEWAY_PAGE_CACHE_H
#define GATEWAY_PAGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/locale.h"
#include "lib/task.h"

struct http_request;
struct http_response;
struct html_out;
struct page_cache;
struct visit;

#define PAGE_CACHE_AGE_MS     60000
#define PAGE_CACHE_SILENCE_MS 2000
#define LAST_GOOD_SILENCE_MS  600000
#define PAGE_TAGS_MAX         128

/* TAG_NAMED: a topic that another one's page names; it is discarded, and never dropped. */
enum page_tag_kind { TAG_TOPIC, TAG_PERSON, TAG_LISTS, TAG_RELATED, TAG_NAMED };

struct page_tag {
	enum page_tag_kind kind;
	uint64_t id; /* 0 for TAG_LISTS and TAG_RELATED */
};

/* The feeds a page depends on: bits. */
enum page_feed { FEED_TOPICS = 1 << 0, FEED_COMMENTS = 1 << 1, FEED_ACCOUNTS = 1 << 2 };

struct page_tags {
	struct page_tag tags[PAGE_TAGS_MAX];
	size_t n;       /* beyond the maximum the page is not kept */
	unsigned feeds; /* enum page_feed */
};

/* Notes one more tag; the same one twice is one. */
void page_tag(struct page_tags *, enum page_tag_kind, uint64_t id);

struct page_key {
	const char *target; /* path and query as they came */
	enum locale locale;
	int theme;
};

/* bytes: of all bodies and what they cost; silence_ms(feeds): since the quietest of them was heard
 * of.
 */
struct page_cache *page_cache_new(size_t bytes, int64_t (*silence_ms)(unsigned feeds));
void page_cache_free(struct page_cache *);

/* Where the stream of changes is now: noted when a visit begins, given back when its page is kept.
 */
uint64_t page_cache_position(const struct page_cache *);

/* Something a tag stands for has changed. */
void page_cache_drop(struct page_cache *, enum page_tag_kind, uint64_t id);

/* It was taken back: its pages are gone for good, and no last good one. */
void page_cache_discard(struct page_cache *, enum page_tag_kind, uint64_t id);
void page_cache_discard_all(struct page_cache *);

/*
 * For ms from now pages with this tag are kept for no longer: what they show is still on its way
 * through other services (a new topic to the recommender, a count to the lists).
 */
void page_cache_unsettle(struct page_cache *, enum page_tag_kind, uint64_t id, int64_t ms);

/*
 * Keeps a page: html is copied, gzip is made. status 200 or 404 and 410 (their makers' choice).
 * Returns the entry's ETag, or NULL when it was not kept.
 */
struct kept_page;
const struct kept_page *page_cache_put(struct page_cache *, const struct page_key *, int status,
				       const char *type, const void *html, size_t size,
				       const struct page_tags *, uint64_t since);

/* The page, when it is right now; else NULL. Borrowed until the next call. */
const struct kept_page *page_cache_find(struct page_cache *, const struct page_key *);

/* The page as it was last, right or not, and if need be in another theme or language; NULL when
 * there is none, or a feed is silent for too long.
 */
const struct kept_page *page_cache_last_good(struct page_cache *, const struct page_key *);

const char *kept_page_etag(const struct kept_page *);
int kept_page_status(const struct kept_page *);

enum locale kept_page_locale(const struct kept_page *);

/* The plain body, borrowed; for last good pages that get a notice. */
const char *kept_page_body(const struct kept_page *, size_t *size);

/* Fills in status, body (shared, not copied), type, tag and coding, or 304. Then http_respond(). */
void kept_page_answer(const struct kept_page *, const struct http_request *,
		      struct http_response *);

/* The bytes in use, and how often a page was there or not; for metrics and tests. */
struct page_cache_counters {
	uint64_t hits, misses, kept, evicted;
	size_t bytes, pages;
};
const struct page_cache_counters *page_cache_counters(const struct page_cache *);

/* --- in a visit ------------------------------------------------------------------ */

/*
 * Ends the visit with a page that was drawn. For a signed-out visitor of a ROUTE_KEPT route to whom
 * nothing was missing it is kept under these tags, and has an ETag; anybody else's is private.
 */
struct step visit_page_kept(struct visit *, int status, struct html_out *,
			    const struct page_tags *);

/*
 * When this address was kept for visitors once, ends the visit with that page and what is
 * missing now (one bit of enum missing) at its top: false when there is none. For handlers whose
 * service is away. Where it was kept for readers of another language alone, it says so.
 */
#define NOTICE_PLACE "<main id=\"contenu\" tabindex=\"-1\">"
bool visit_last_good(struct visit *, unsigned missing, struct step *reply);

#endif
