/*
 * csrf.c - lets no other site act in a visitor's name.
 *
 * Two walls, each enough by itself. A request that changes something must say
 * that it comes from our own pages (Origin and Sec-Fetch-Site, which scripts cannot
 * forge; Referer for browsers that send neither). And it must carry a token that is
 * bound to the session, or before there is one to a random cookie: nonce and
 * MAC(key, nonce, secret). The nonce makes each copy different, so that
 * compressing a page beside a guess tells nothing about it.
 *
 * Forms on kept pages, the same for every visitor, cannot carry a token: the
 * sign-in strip, and the forms that lead to the sign-in page. There (ROUTE_OPEN_FORM,
 * signed out) the first wall stands alone. Of these, the ones whose text is kept (ROUTE_DRAFT)
 * take the token of a session that is over for none: what comes is a visitor's.
 */
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "gateway/gateway.h"
#include "lib/arena.h"

#define NONCE_BYTES 12
#define TOKEN_BYTES (NONCE_BYTES + crypto_auth_BYTES)
#define BASE64URL   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define NEXT_LIMIT  2000

static char *encode(struct arena *arena, const unsigned char *bytes, size_t size)
{
	const size_t length = sodium_base64_ENCODED_LEN(size, BASE64URL);

	return sodium_bin2base64(arena_alloc(arena, length), length, bytes, size, BASE64URL);
}

char *random_token(struct arena *arena)
{
	unsigned char bytes[32];

	randombytes_buf(bytes, sizeof bytes);
	return encode(arena, bytes, sizeof bytes);
}

/* --- the token --------------------------------------------------------------------- */

static const char *pre_session_name(void)
{
	return site.https ? "__Host-form" : "form";
}

/* What the token is bound to, also while nobody can say whose session it is; NULL when signed out
   without the cookie. */
static const char *secret_of(const struct visit *v)
{
	const char *cookie;

	if (v->session != NULL || v->session_unknown)
		return v->token;
	if (v->pre_session != NULL)
		return v->pre_session;
	cookie = http_cookie(v->http, pre_session_name());
	return cookie != NULL && session_is_token(cookie) ? cookie : NULL;
}

static void make_pre_session(struct visit *v)
{
	v->pre_session = random_token(&v->task.arena);
	visit_field(v, "Set-Cookie",
		    arena_printf(&v->task.arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s",
				 pre_session_name(), v->pre_session, site.https ? "; Secure" : ""));
}

static void sign(unsigned char token[TOKEN_BYTES], const char *secret)
{
	crypto_auth_hmacsha512256_state state;

	crypto_auth_hmacsha512256_init(&state, site.csrf_key, sizeof site.csrf_key);
	crypto_auth_hmacsha512256_update(&state, token, NONCE_BYTES);
	crypto_auth_hmacsha512256_update(&state, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha512256_final(&state, token + NONCE_BYTES);
}

const char *csrf_token(struct visit *v)
{
	unsigned char token[TOKEN_BYTES];

	if (secret_of(v) == NULL)
		make_pre_session(v);
	v->csrf_given = true;
	randombytes_buf(token, NONCE_BYTES);
	sign(token, secret_of(v));
	return encode(&v->task.arena, token, sizeof token);
}

static bool is_signed(const char *text, const char *secret)
{
	unsigned char given[TOKEN_BYTES], right[TOKEN_BYTES];
	size_t size;

	if (sodium_base642bin(given, sizeof given, text, strlen(text), NULL, &size, NULL,
			      BASE64URL) != 0 ||
	    size != sizeof given)
		return false;
	memcpy(right, given, NONCE_BYTES);
	sign(right, secret);
	return sodium_memcmp(given, right, sizeof given) == 0;
}

/* --- where a request comes from -------------------------------------------------------- */

/* Whether url begins with this site's origin: its public one, or the host it was asked at. */
static bool is_ours(const char *url, const struct http_request *http, const char *public_url)
{
	const size_t public_length = strlen(public_url);
	const bool secure = strncmp(public_url, "https://", 8) == 0;
	const size_t host_length = http->host != NULL ? strlen(http->host) : 0;

	if (strncasecmp(url, public_url, public_length) == 0 &&
	    (url[public_length] == '\0' || url[public_length] == '/'))
		return true;
	if (strncasecmp(url, "https://", 8) == 0)
		url += 8;
	else if (!secure && strncasecmp(url, "http://", 7) == 0)
		url += 7;
	else
		return false;
	return host_length > 0 && strncasecmp(url, http->host, host_length) == 0 &&
	       (url[host_length] == '\0' || url[host_length] == '/');
}

bool csrf_same_origin(const struct http_request *http, const char *public_url)
{
	const char *origin = http_header(http, "origin");
	const char *fetch = http_header(http, "sec-fetch-site");
	const char *referer = http_header(http, "referer");

	if (fetch != NULL && strcmp(fetch, "same-origin") != 0)
		return false;
	if (origin != NULL)
		return is_ours(origin, http, public_url);
	if (fetch != NULL)
		return true;
	return referer != NULL && is_ours(referer, http, public_url);
}

/* Nothing is done in anybody's name: what was written is kept, or the sign-in page comes. */
static bool is_visitors_form(const struct visit *v, bool has_token)
{
	return v->session == NULL && !v->session_unknown && (v->route->flags & ROUTE_OPEN_FORM) &&
	       (!has_token || (v->route->flags & ROUTE_DRAFT));
}

enum csrf_verdict csrf_check(struct visit *v)
{
	const char *token = http_form_value(&v->form, "csrf"), *secret = secret_of(v);
	const bool has_token = token != NULL && *token != '\0';

	if (!csrf_same_origin(v->http, site.public_url))
		return CSRF_FOREIGN;
	if (is_visitors_form(v, has_token))
		return CSRF_FINE;
	if (!has_token)
		return CSRF_NO_TOKEN;
	return secret != NULL && is_signed(token, secret) ? CSRF_FINE : CSRF_BAD_TOKEN;
}

/* --- where to go afterwards -------------------------------------------------------------- */

static bool begins_like_a_host(const char *path)
{
	return path[1] == '/' || strncasecmp(path + 1, "%2f", 3) == 0 ||
	       strncasecmp(path + 1, "%5c", 3) == 0;
}

const char *safe_next(const char *next, const char *fallback)
{
	if (next == NULL || next[0] != '/' || begins_like_a_host(next) || strlen(next) > NEXT_LIMIT)
		return fallback;
	for (const char *at = next; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7F || *at == '\\')
			return fallback;
	return next;
}
