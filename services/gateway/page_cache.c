/*
 * page_cache.c - a table of kept pages, a table of what changed when, and a list by last use.
 *
 * A page found costs one hash, one comparison of its key, one look at each of its
 * tags' places and a shared body: nothing is copied. A body lives as long as an
 * answer still sends it, even when its page is long gone.
 */
#include "gateway/page_cache.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <sodium.h>
#include <zlib.h>

#include "gateway/coding.h"
#include "gateway/http/http.h"
#include "lib/clock.h"

#define PLACES     16384 /* of tags; a power of two */
#define BUCKETS    4096  /* of pages; 64 MB hold about 3000 of usual size */
#define ETAG_SIZE  32
#define GZIP_LEVEL 6

struct body {
	unsigned references;
	size_t size;
	unsigned char bytes[];
};

struct kept_page {
	LIST_ENTRY(kept_page) chain;
	TAILQ_ENTRY(kept_page) use;
	uint64_t hash;
	char *target;
	enum locale locale;
	int theme;

	int status;
	char type[48];
	char etag[ETAG_SIZE];
	struct body *plain, *gzip; /* gzip NULL where it is not smaller */
	size_t cost;

	uint64_t since;
	int64_t expires_ms;
	unsigned feeds;
	size_t n_places;
	uint16_t places[];
};

LIST_HEAD(chain, kept_page);
TAILQ_HEAD(by_use, kept_page);

struct page_cache {
	unsigned char seed[crypto_shorthash_KEYBYTES];
	size_t limit;
	int64_t (*silence_ms)(unsigned);
	uint64_t position, all_discarded;
	uint64_t dropped[PLACES];
	int64_t unsettled_until[PLACES];
	struct chain buckets[BUCKETS];
	struct by_use by_use; /* the latest first */
	struct page_cache_counters counters;
};

/* --- bodies --------------------------------------------------------------------- */

static struct body *body_new(size_t size)
{
	struct body *body = malloc(sizeof *body + size);

	if (body == NULL)
		abort();
	body->references = 1;
	body->size = size;
	return body;
}

static void body_leave(struct body *body)
{
	if (body != NULL && --body->references == 0)
		free(body);
}

static void on_sent(const void *bytes, size_t size, void *body)
{
	(void)bytes;
	(void)size;
	body_leave(body);
}

static struct body *compress_body(const void *bytes, size_t size)
{
	z_stream z = {0};
	struct body *body;

	if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	body = body_new(deflateBound(&z, size));
	memcpy(&z.next_in, &bytes,
	       sizeof z.next_in); /* zlib's pointer is not const, and only read */
	z.avail_in = (uInt)size;
	z.next_out = body->bytes;
	z.avail_out = (uInt)body->size;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	body->size = z.total_out;
	deflateEnd(&z);
	if (body->size >= size) {
		body_leave(body);
		return NULL;
	}
	return realloc(body, sizeof *body + body->size);
}

/* --- tags and positions ------------------------------------------------------------ */

void page_tag(struct page_tags *tags, enum page_tag_kind kind, uint64_t id)
{
	for (size_t i = 0; i < tags->n && i < PAGE_TAGS_MAX; i++)
		if (tags->tags[i].kind == kind && tags->tags[i].id == id)
			return;
	if (tags->n < PAGE_TAGS_MAX)
		tags->tags[tags->n] = (struct page_tag){kind, id};
	tags->n++;
}

static uint64_t hash(const struct page_cache *cache, const void *bytes, size_t size)
{
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t number;

	crypto_shorthash(out, bytes, size, cache->seed);
	memcpy(&number, out, sizeof number);
	return number;
}

static uint16_t place_of(const struct page_cache *cache, enum page_tag_kind kind, uint64_t id)
{
	const uint64_t tag[2] = {kind, id};

	return (uint16_t)(hash(cache, tag, sizeof tag) & (PLACES - 1));
}

uint64_t page_cache_position(const struct page_cache *cache)
{
	return cache->position;
}

void page_cache_drop(struct page_cache *cache, enum page_tag_kind kind, uint64_t id)
{
	cache->dropped[place_of(cache, kind, id)] = ++cache->position;
}

void page_cache_unsettle(struct page_cache *cache, enum page_tag_kind kind, uint64_t id, int64_t ms)
{
	cache->unsettled_until[place_of(cache, kind, id)] = clock_ms() + ms;
}

static bool is_right(const struct page_cache *cache, const struct kept_page *page)
{
	if (cache->all_discarded > page->since || clock_ms() >= page->expires_ms)
		return false;
	for (size_t i = 0; i < page->n_places; i++)
		if (cache->dropped[page->places[i]] > page->since)
			return false;
	return true;
}

/* --- pages ------------------------------------------------------------------------- */

struct page_cache *page_cache_new(size_t bytes, int64_t (*silence_ms)(unsigned))
{
	struct page_cache *cache = calloc(1, sizeof *cache);

	if (cache == NULL)
		abort();
	crypto_shorthash_keygen(cache->seed);
	cache->limit = bytes;
	cache->silence_ms = silence_ms;
	TAILQ_INIT(&cache->by_use);
	return cache;
}

static void remove_page(struct page_cache *cache, struct kept_page *page)
{
	LIST_REMOVE(page, chain);
	TAILQ_REMOVE(&cache->by_use, page, use);
	cache->counters.bytes -= page->cost;
	cache->counters.pages--;
	body_leave(page->plain);
	body_leave(page->gzip);
	free(page->target);
	free(page);
}

static void remove_all(struct page_cache *cache)
{
	while (!TAILQ_EMPTY(&cache->by_use))
		remove_page(cache, TAILQ_FIRST(&cache->by_use));
}

void page_cache_free(struct page_cache *cache)
{
	if (cache == NULL)
		return;
	remove_all(cache);
	free(cache);
}

/* --- what was taken back -------------------------------------------------------------- */

static bool is_tagged(const struct kept_page *page, uint16_t place)
{
	for (size_t i = 0; i < page->n_places; i++)
		if (page->places[i] == place)
			return true;
	return false;
}

/* A walk over all pages: a few thousand, and it seldom happens. */
void page_cache_discard(struct page_cache *cache, enum page_tag_kind kind, uint64_t id)
{
	const uint16_t place = place_of(cache, kind, id);
	struct kept_page *page, *next;

	page_cache_drop(cache, kind, id); /* one that is being made now is not kept either */
	for (page = TAILQ_FIRST(&cache->by_use); page != NULL; page = next) {
		next = TAILQ_NEXT(page, use);
		if (is_tagged(page, place))
			remove_page(cache, page);
	}
}

void page_cache_discard_all(struct page_cache *cache)
{
	cache->all_discarded = ++cache->position;
	remove_all(cache);
}

/* --- keeping ---------------------------------------------------------------------------- */

static struct kept_page *look_up(struct page_cache *cache, const struct page_key *key,
				 uint64_t *hashed)
{
	struct kept_page *page;

	*hashed = hash(cache, key->target, strlen(key->target));
	LIST_FOREACH(page, &cache->buckets[*hashed % BUCKETS], chain)
	if (page->hash == *hashed && page->locale == key->locale && page->theme == key->theme &&
	    strcmp(page->target, key->target) == 0)
		return page;
	return NULL;
}

/* New pages evict the ones that nobody asked for longest. */
static bool make_room(struct page_cache *cache, size_t cost)
{
	if (cost > cache->limit / 8)
		return false;
	while (cache->counters.bytes + cost > cache->limit) {
		/* The analyser does not see that a removed page is not the last any more. */
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		remove_page(cache, TAILQ_LAST(&cache->by_use, by_use));
		cache->counters.evicted++;
	}
	return true;
}

static bool note_places(const struct page_cache *cache, struct kept_page *page,
			const struct page_tags *tags)
{
	const int64_t now = clock_ms();

	page->expires_ms = now + PAGE_CACHE_AGE_MS;
	for (size_t i = 0; i < tags->n; i++) {
		const uint16_t place = place_of(cache, tags->tags[i].kind, tags->tags[i].id);

		page->places[page->n_places++] = place;
		if (cache->unsettled_until[place] > now &&
		    cache->unsettled_until[place] < page->expires_ms)
			page->expires_ms = cache->unsettled_until[place];
	}
	return is_right(cache, page);
}

static void write_etag(char etag[ETAG_SIZE], const void *bytes, size_t size)
{
	unsigned char hashed[crypto_generichash_BYTES_MIN];
	char hex[2 * sizeof hashed + 1];

	crypto_generichash(hashed, sizeof hashed, bytes, size, NULL, 0);
	sodium_bin2hex(hex, sizeof hex, hashed, sizeof hashed);
	snprintf(etag, ETAG_SIZE, "W/\"%.20s\"", hex); /* weak: the same for both codings */
}

static void fill(struct kept_page *page, const char *type, const void *html, size_t size)
{
	snprintf(page->type, sizeof page->type, "%s", type);
	write_etag(page->etag, html, size);
	page->plain = body_new(size);
	memcpy(page->plain->bytes, html, size);
	page->gzip = compress_body(html, size);
}

static void insert(struct page_cache *cache, struct kept_page *page)
{
	LIST_INSERT_HEAD(&cache->buckets[page->hash % BUCKETS], page, chain);
	TAILQ_INSERT_HEAD(&cache->by_use, page, use);
	cache->counters.bytes += page->cost;
	cache->counters.pages++;
	cache->counters.kept++;
}

const struct kept_page *page_cache_put(struct page_cache *cache, const struct page_key *key,
				       int status, const char *type, const void *html, size_t size,
				       const struct page_tags *tags, uint64_t since)
{
	struct kept_page *old, *page;
	uint64_t hashed;

	if (tags->n > PAGE_TAGS_MAX)
		return NULL;
	old = look_up(cache, key, &hashed);
	page = calloc(1, sizeof *page + tags->n * sizeof *page->places);
	if (page == NULL)
		abort();
	page->since = since;
	if (!note_places(cache, page, tags)) {
		free(page);
		return NULL;
	}
	fill(page, type, html, size);
	page->hash = hashed;
	page->target = strdup(key->target);
	page->locale = key->locale;
	page->theme = key->theme;
	page->status = status;
	page->feeds = tags->feeds;
	page->cost = sizeof *page + tags->n * sizeof *page->places + strlen(key->target) + size +
		     (page->gzip != NULL ? page->gzip->size : 0);
	if (old != NULL)
		remove_page(cache, old);
	if (page->target == NULL)
		abort();
	if (!make_room(cache, page->cost)) {
		body_leave(page->plain);
		body_leave(page->gzip);
		free(page->target);
		free(page);
		return NULL;
	}
	insert(cache, page);
	return page;
}

const struct kept_page *page_cache_find(struct page_cache *cache, const struct page_key *key)
{
	uint64_t hashed;
	struct kept_page *page = look_up(cache, key, &hashed);

	if (page == NULL || !is_right(cache, page) ||
	    cache->silence_ms(page->feeds) > PAGE_CACHE_SILENCE_MS) {
		cache->counters.misses++;
		return NULL;
	}
	cache->counters.hits++;
	TAILQ_REMOVE(&cache->by_use, page, use);
	TAILQ_INSERT_HEAD(&cache->by_use, page, use);
	return page;
}

/* Words matter more than colours. */
static int likeness(const struct kept_page *page, const struct page_key *key)
{
	return 2 * (page->locale == key->locale) + (page->theme == key->theme);
}

const struct kept_page *page_cache_last_good(struct page_cache *cache, const struct page_key *key)
{
	const uint64_t hashed = hash(cache, key->target, strlen(key->target));
	const struct kept_page *page, *best = NULL;

	LIST_FOREACH(page, &cache->buckets[hashed % BUCKETS], chain)
	if (page->hash == hashed && strcmp(page->target, key->target) == 0 &&
	    cache->silence_ms(page->feeds) <= LAST_GOOD_SILENCE_MS &&
	    (best == NULL || likeness(page, key) > likeness(best, key)))
		best = page;
	return best;
}

/* --- answers -------------------------------------------------------------------------- */

const char *kept_page_etag(const struct kept_page *page)
{
	return page->etag;
}

int kept_page_status(const struct kept_page *page)
{
	return page->status;
}

enum locale kept_page_locale(const struct kept_page *page)
{
	return page->locale;
}

const char *kept_page_body(const struct kept_page *page, size_t *size)
{
	*size = page->plain->size;
	return (const char *)page->plain->bytes;
}

static void share(struct body *body, struct http_response *response)
{
	body->references++;
	if (evbuffer_add_reference(http_response_body(response), body->bytes, body->size, on_sent,
				   body) != 0)
		abort();
}

void kept_page_answer(const struct kept_page *page, const struct http_request *request,
		      struct http_response *response)
{
	const bool known = page->status == 200 && http_etag_matches(request, page->etag);

	response->status = known ? 304 : page->status;
	http_response_field(response, "ETag", page->etag);
	http_response_field(response, "Cache-Control", "no-cache");
	http_response_field(response, "Vary", "Accept-Encoding, Accept-Language, Cookie");
	if (known)
		return;
	http_response_field(response, "Content-Type", page->type);
	if (page->gzip != NULL && accepts_gzip(request)) {
		http_response_field(response, "Content-Encoding", "gzip");
		share(page->gzip, response);
	} else {
		share(page->plain, response);
	}
}

const struct page_cache_counters *page_cache_counters(const struct page_cache *cache)
{
	return &cache->counters;
}
