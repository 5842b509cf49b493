/*
 * session.c - who a browser's cookie or a program's token stands for.
 *
 * PostgreSQL (accounts) has the record, Redis what was asked within the last
 * minute, under the hash of the token: whoever reads Redis or the database
 * cannot sign in with it. A session that ends leaves "revoked" there for two
 * minutes, and an answer of accounts is put in place only where nothing stands,
 * so a slow answer cannot bring a revoked session back. Redis away: accounts is
 * asked each time. Accounts away as well: nobody knows, and the visit goes on as
 * a visitor's who is told so.
 */
#include <string.h>

#include <sodium.h>

#include "gateway/gateway.h"
#include "lib/arena.h"
#include "lib/zone.h"

#define TOKEN_LENGTH 43 /* 32 bytes in base64url */

const char *session_cookie_name(void)
{
	return site.https ? "__Host-session" : "session";
}

bool session_is_token(const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	return strlen(text) == TOKEN_LENGTH && strspn(text, letters) == TOKEN_LENGTH;
}

void session_set_cookie(struct visit *v, const char *token)
{
	visit_field(v, "Set-Cookie",
		    arena_printf(&v->task.arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
				 session_cookie_name(), token != NULL ? token : "",
				 token != NULL ? "; Max-Age=31536000" : "; Max-Age=0",
				 site.https ? "; Secure" : ""));
}

void session_leave(struct visit *v)
{
	session_set_cookie(v, NULL);
	v->session = NULL;
	v->task.context.viewer = (struct viewer){0};
}

char *session_key(struct arena *arena, const unsigned char hash[32])
{
	char hex[65];

	sodium_bin2hex(hex, sizeof hex, hash, 32);
	return arena_printf(arena, "session:%s", hex);
}

static void take_token(struct visit *v, const char *token)
{
	v->token = token;
	crypto_hash_sha256(v->token_hash, (const unsigned char *)token, strlen(token));
}

void session_take_cookie(struct visit *v)
{
	const char *cookie = http_cookie(v->http, session_cookie_name());

	if (cookie != NULL && session_is_token(cookie))
		take_token(v, cookie);
}

void session_take_bearer(struct visit *v, const char *token)
{
	take_token(v, token);
}

/* --- what is known of it ------------------------------------------------------------- */

static bool is_live(const Causerie__Session *session)
{
	return session->account_id != 0 && (session->state == CAUSERIE__ACCOUNT_STATE__ACTIVE ||
					    session->state == CAUSERIE__ACCOUNT_STATE__UNVERIFIED);
}

/* Browser sessions are no API tokens, and the other way round. */
static bool is_for_this_door(const struct visit *v, const Causerie__Session *session)
{
	return (bool)session->api == ((v->route->flags & ROUTE_API) != 0);
}

static void recognise(struct visit *v, const Causerie__Session *session)
{
	if (!is_live(session) || !is_for_this_door(v, session))
		return;
	v->session = session;
	v->task.context.viewer = (struct viewer){
		.account_id = session->account_id,
		.roles = session->roles,
		.verified = session->state != CAUSERIE__ACCOUNT_STATE__UNVERIFIED,
	};
	locale_parse(session->language, &v->locale);
	v->zone = zone_find(session->time_zone);
}

static void *take_from_arena(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void leave_to_arena(void *arena, void *pointer)
{
	(void)arena;
	(void)pointer;
}

static Causerie__Session *unpack(struct arena *arena, const char *bytes, size_t size)
{
	ProtobufCAllocator allocator = {take_from_arena, leave_to_arena, arena};

	return causerie__session__unpack(&allocator, size, (const uint8_t *)bytes);
}

void session_ask_redis(struct visit *v)
{
	cache_command(&v->task, &v->cached_session, site.redis, "GET %s",
		      session_key(&v->task.arena, v->token_hash));
}

bool session_from_redis(struct visit *v)
{
	const struct cache_slot *slot = &v->cached_session;
	const Causerie__Session *session;

	if (slot->kind != CACHE_TEXT)
		return false;
	if (slot->length == strlen("revoked") && memcmp(slot->text, "revoked", slot->length) == 0)
		return true;
	session = unpack(&v->task.arena, slot->text, slot->length);
	if (session == NULL)
		return false;
	recognise(v, session);
	return true;
}

void session_ask_accounts(struct visit *v)
{
	Causerie__FindSessionRequest ask = CAUSERIE__FIND_SESSION_REQUEST__INIT;

	ask.token_hash = (ProtobufCBinaryData){sizeof v->token_hash, v->token_hash};
	RPC_CALL(&v->task, &v->found_session, causerie__accounts__find_session, site.accounts,
		 &ask);
}

static void keep_in_redis(struct visit *v, const Causerie__Session *session)
{
	const size_t size = causerie__session__get_packed_size(session);
	uint8_t *packed = arena_alloc(&v->task.arena, size);

	causerie__session__pack(session, packed);
	cache_command(&v->task, NULL, site.redis, "SET %s %b EX 60 NX",
		      session_key(&v->task.arena, v->token_hash), packed, size);
}

void session_from_accounts(struct visit *v)
{
	if (v->found_session.code == CAUSERIE__CODE__OK) {
		recognise(v, v->found_session.reply);
		keep_in_redis(v, v->found_session.reply);
	} else if (v->found_session.code != CAUSERIE__CODE__NOT_FOUND) {
		v->session_unknown = true;
		v->missing |= MISSING_ACCOUNTS;
	}
}
