/*
 * limits.c - how often somebody may do something, counted in Redis for all gateways.
 *
 * Rates are fixed windows: a counter that expires. Signing in is stricter: tries
 * are counted before the password is looked at, in three places, and one that is over
 * closes its door, for twice as long with every further try, up to a quarter of an hour:
 *
 *   the account from this network    5 tries: whoever guesses is stopped where they are
 *   the network, whatever account   30 tries: many accounts from one network
 *   the account, from everywhere   100 tries: many networks against one account
 *
 * During a pause nothing is looked at, a right password neither, and the answer is the same
 * for addresses that do not exist. A stranger's failures so close the stranger's own door, not the
 * owner's. Only whoever has twenty networks closes the third; it stays open to a network
 * from which the account was signed in to within three months. What is left to a stranger is to
 * share the owner's network, or to spend many networks while the owner is at a new one; a
 * session that is open is never ended.
 *
 * Addresses stand in Redis only as MACs. Redis away: what sends mail or tries
 * passwords waits, everything else goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "gateway/gateway.h"
#include "lib/text.h"

#define PAIR_TRIES    5   /* before the first pause */
#define NETWORK_TRIES 30  /* a school or an office shares one address */
#define ACCOUNT_TRIES 100 /* more than a stranger's few networks have */
#define KNOWN_S       (90 * 86400)
#define FIRST_PAUSE   30 /* seconds; doubles */
#define LONGEST_PAUSE 900
#define REMEMBERED    3600 /* since the last try */
#define MAILS_AN_HOUR 3    /* to one address */
#define CLOSED_WAIT   30   /* seconds to wait when Redis is away */

static const struct {
	const char *name;
	unsigned most, seconds;
	bool by_network;   /* even when signed in */
	bool fails_closed; /* without Redis */
} rates[RATES] = {
	[RATE_NONE] = {"none", 0, 0, false, false},
	[RATE_WRITE] = {"write", 60, 60, false, false},
	[RATE_SIGN_UP] = {"sign_up", 20, 3600, true, true},
	[RATE_MAIL] = {"mail", 20, 3600, true, true},
};

/* Returns what was counted in this window and how many milliseconds it still lasts. */
static const char count_script[] = "local n = redis.call('INCR', KEYS[1]) "
				   "if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end "
				   "return {n, redis.call('PTTL', KEYS[1])}";

/*
 * Returns the seconds to wait, 0 for a try that was let in (and counted). Keys: the account from
 * this network, the network, the account, and whether the network is known to it.
 */
static const char try_script[] =
	"local now, wait = tonumber(redis.call('TIME')[1]), 0 "
	"local doors = redis.call('EXISTS', KEYS[4]) == 1 and 2 or 3 "
	"for i = 1, doors do "
	" local till = tonumber(redis.call('HGET', KEYS[i], 'till') or '0') "
	" if till - now > wait then wait = till - now end "
	"end "
	"if wait > 0 then return wait end "
	"for i = 1, doors do "
	" local over = redis.call('HINCRBY', KEYS[i], 'tries', 1) - tonumber(ARGV[i]) "
	" if over >= 0 then "
	"  local pause = math.min(tonumber(ARGV[4]) * 2 ^ math.min(over, 20), tonumber(ARGV[5])) "
	"  redis.call('HSET', KEYS[i], 'till', now + pause) "
	" end "
	" redis.call('EXPIRE', KEYS[i], ARGV[6]) "
	"end "
	"return 0";

/*
 * A right password: the tries of the account from this network are forgotten, and the network is
 * known to it. The other two lose this one try, if it was counted there: others go on guessing.
 */
static const char success_script[] =
	"local doors = redis.call('EXISTS', KEYS[4]) == 1 and 2 or 3 "
	"redis.call('DEL', KEYS[1]) "
	"for i = 2, doors do "
	" if redis.call('EXISTS', KEYS[i]) == 1 "
	"   and redis.call('HINCRBY', KEYS[i], 'tries', -1) < tonumber(ARGV[i]) then "
	"  redis.call('HDEL', KEYS[i], 'till') "
	" end "
	"end "
	"redis.call('SET', KEYS[4], 1, 'EX', ARGV[7]) "
	"return 0";

/* --- rates --------------------------------------------------------------------------- */

static unsigned most_of(enum rate rate)
{
	return rates[rate].most * (unsigned)site.limit_factor;
}

static const char *subject_of(struct visit *v, enum rate rate)
{
	if (v->session != NULL && !rates[rate].by_network)
		return arena_printf(&v->task.arena, "a%llu",
				    (unsigned long long)v->session->account_id);
	return arena_printf(&v->task.arena, "n%s", visit_network(v));
}

void limit_ask(struct visit *v, enum rate rate)
{
	if (rate == RATE_NONE)
		return;
	cache_command(
		&v->task, &v->limit_slot, site.redis, "EVAL %s 1 %s %u", count_script,
		arena_printf(&v->task.arena, "limit:%s:%s", rates[rate].name, subject_of(v, rate)),
		rates[rate].seconds * 1000);
}

static bool is_count(const struct cache_slot *slot)
{
	return slot->kind == CACHE_LIST && slot->n_items == 2 &&
	       slot->items[0].kind == CACHE_INTEGER && slot->items[1].kind == CACHE_INTEGER;
}

static const char *number(struct visit *v, long long value)
{
	return arena_printf(&v->task.arena, "%lld", value);
}

unsigned limit_verdict(struct visit *v, enum rate rate)
{
	const struct cache_slot *slot = &v->limit_slot;
	const long long most = most_of(rate);
	long long left, seconds;

	if (rate == RATE_NONE)
		return 0;
	if (!is_count(slot)) {
		v->missing |= MISSING_SESSIONS;
		return rates[rate].fails_closed ? CLOSED_WAIT : 0;
	}
	left = most - slot->items[0].integer;
	seconds = (slot->items[1].integer + 999) / 1000;
	if (seconds < 1)
		seconds = 1;
	visit_field(v, "RateLimit-Limit", number(v, most));
	visit_field(v, "RateLimit-Remaining", number(v, left > 0 ? left : 0));
	visit_field(v, "RateLimit-Reset", number(v, seconds));
	return left >= 0 ? 0 : (unsigned)seconds;
}

struct step limit_refuse(struct visit *v, unsigned seconds)
{
	visit_field(v, "Retry-After", number(v, seconds));
	return visit_fail(v, 429, "Wait before you try again.");
}

struct step limit_refuse_unknown(struct visit *v)
{
	visit_field(v, "Retry-After", number(v, CLOSED_WAIT));
	return visit_fail(v, 503, "Limits cannot be looked up at the moment, so this has to wait.");
}

/* --- signing in, and mail to an address -------------------------------------------------- */

/* What Redis does not learn, as a part of a key. */
static const char *hidden(struct arena *arena, const char *text)
{
	unsigned char mac[16];
	char hex[2 * sizeof mac + 1];

	crypto_generichash(mac, sizeof mac, (const unsigned char *)text, strlen(text),
			   site.limit_key, sizeof site.limit_key);
	sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
	return arena_strdup(arena, hex);
}

/* Case does not make an address another. */
static const char *folded(struct visit *v, const char *email)
{
	const char *text = text_fold(&v->task.arena, email);

	return text != NULL ? text : "";
}

static const char *address_key(struct visit *v, const char *kind, const char *email)
{
	struct arena *arena = &v->task.arena;

	return arena_printf(arena, "limit:%s:e%s", kind, hidden(arena, folded(v, email)));
}

/* Both scripts take the same keys and arguments. */
static void ask_doors(struct visit *v, struct cache_slot *slot, const char *script,
		      const char *email)
{
	struct arena *arena = &v->task.arena;
	const char *network = visit_network(v);
	const char *pair = hidden(arena, arena_printf(arena, "%s %s", network, folded(v, email)));

	cache_command(&v->task, slot, site.redis, "EVAL %s 4 %s %s %s %s %d %lld %d %d %d %d %d",
		      script, arena_printf(arena, "limit:sign_in:p%s", pair),
		      arena_printf(arena, "limit:sign_in:n%s", network),
		      address_key(v, "sign_in", email),
		      arena_printf(arena, "limit:known:p%s", pair), PAIR_TRIES,
		      (long long)(NETWORK_TRIES * site.limit_factor), ACCOUNT_TRIES, FIRST_PAUSE,
		      LONGEST_PAUSE, REMEMBERED, KNOWN_S);
}

void limit_sign_in(struct visit *v, struct sign_in_limit *limit, const char *email)
{
	ask_doors(v, &limit->slot, try_script, email);
}

bool limit_is_unknown(const struct sign_in_limit *limit)
{
	return limit->slot.kind != CACHE_INTEGER && !is_count(&limit->slot);
}

unsigned limit_sign_in_verdict(const struct sign_in_limit *limit)
{
	if (limit->slot.kind != CACHE_INTEGER)
		return CLOSED_WAIT;
	return limit->slot.integer > 0 ? (unsigned)limit->slot.integer : 0;
}

void limit_sign_in_succeeded(struct visit *v, const char *email)
{
	ask_doors(v, NULL, success_script, email);
}

void limit_mail(struct visit *v, struct sign_in_limit *limit, const char *email)
{
	cache_command(&v->task, &limit->slot, site.redis, "EVAL %s 1 %s %u", count_script,
		      address_key(v, "mail", email), 3600 * 1000);
}

bool limit_mail_allows(const struct sign_in_limit *limit)
{
	return is_count(&limit->slot) &&
	       limit->slot.items[0].integer <= MAILS_AN_HOUR * site.limit_factor;
}
