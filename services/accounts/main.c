/*
 * main.c - causerie-accounts: people, passwords, sessions, roles.
 */
#include "accounts.h"

#include "lib/config.h"
#include "lib/outbox.h"
#include "migrations.h"

#define HASH_QUEUE 32

struct cache *redis;
struct workers *hashers;
int64_t erase_after_ms;

static const char *redis_url;
static int64_t hash_threads;

static const struct setting table[] = {
	SETTING_SECRET("CAUSERIE_REDIS_URL", "redis://127.0.0.1:6379", &redis_url,
		       "where sessions are cached", cache_check_url),
	SETTING_INTEGER("CAUSERIE_ACCOUNTS_HASH_THREADS", "1", &hash_threads, 1, 64,
			"threads that check passwords; each takes 19 MiB while it does"),
	SETTING_DURATION("CAUSERIE_ACCOUNTS_ERASE_AFTER", "7d", &erase_after_ms, 0,
			 INT64_C(90) * 86400 * 1000,
			 "to take the erasure of an account back, by the link in a mail"),
	{0},
};

static Causerie__Accounts_Service accounts = CAUSERIE__ACCOUNTS__INIT(accounts_);
static ProtobufCService *const services[] = {&accounts.base, NULL};

static const char *start(const struct service_context *here)
{
	if (!password_start())
		return "argon2id has no memory: it takes 19 MiB for each hash";
	redis = cache_new(here->loop, redis_url, 1000);
	hashers = workers_new(here->loop, (unsigned)hash_threads, HASH_QUEUE);
	outbox_also_forget(here->outbox, &forget_sessions_sql);
	outbox_also_forget(here->outbox, &forget_mails_sql);
	erase_due_start(here->loop);
	return redis && hashers ? NULL : "cannot start the Redis client or the hashing threads";
}

static void stop(void)
{
	erase_due_stop();
	workers_free(hashers);
	cache_free(redis);
}

struct service accounts_service = {
	.name = "accounts",
	.description = "people, passwords, sessions, roles",
	.settings = table,
	.queries = accounts_queries,
	.migrations = accounts_migrations,
	.rpc = services,
	.announces = true,
	.command = accounts_command,
	.start = start,
	.stop = stop,
};

int main(int argc, char **argv)
{
	accounts_service.n_migrations = accounts_n_migrations;
	return service_main(argc, argv, &accounts_service);
}
