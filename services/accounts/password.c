/*
 * password.c - argon2id (RFC 9106) through libsodium, on worker threads.
 *
 * 19 MiB and two passes: some 30 ms of one core. The queue is bounded, so a
 * flood of sign-ins is refused instead of starving everything else. For an
 * unknown account a hash of nobody's password is checked, so that time tells nothing.
 */
#include "accounts.h"

#include <string.h>

#include <sodium.h>

#define PASSES 2
#define MEMORY ((size_t)19 * 1024 * 1024)

static char nobody[PASSWORD_HASH_BYTES]; /* made once, at start */

void password_make(struct password_work *work)
{
	work->failed = crypto_pwhash_str_alg(work->made, work->password, strlen(work->password),
					     PASSES, MEMORY, crypto_pwhash_ALG_ARGON2ID13) != 0;
}

bool password_start(void)
{
	struct password_work first = {.password = "nobody has this password"};

	password_make(&first);
	memcpy(nobody, first.made, sizeof nobody);
	return !first.failed;
}

static void make(void *argument)
{
	password_make(argument);
}

static bool verify(const char *hash, const char *password)
{
	return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}

static void check(void *argument)
{
	struct password_work *work = argument;

	work->matches = verify(work->hash, work->password) && work->hash != nobody;
	work->outdated =
		work->matches && crypto_pwhash_str_needs_rehash(work->hash, PASSES, MEMORY) != 0;
	if (work->outdated)
		password_make(work);
}

void password_hash(struct task *task, struct password_work *work, const char *password)
{
	work->password = password;
	worker_run(task, &work->slot, hashers, make, work);
}

void password_check(struct task *task, struct password_work *work, const char *password,
		    const char *hash)
{
	work->password = password;
	work->hash = hash ? hash : nobody;
	worker_run(task, &work->slot, hashers, check, work);
}

bool password_refused(struct task *task, const struct password_work *work, struct step *refused)
{
	if (work->slot.done && !work->failed)
		return false;
	*refused = work->failed ? rpc_fail(task, CAUSERIE__CODE__INTERNAL, "argon2id has no memory")
				: rpc_fail(task, CAUSERIE__CODE__OVERLOADED,
					   "too many passwords to check");
	return true;
}
