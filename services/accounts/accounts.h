/*
 * accounts.h - what the files of this daemon share: addresses, passwords, tokens, sessions in
 * Redis.
 */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accounts.pb-c.h"
#include "lib/cache.h"
#include "lib/rpc_server.h"
#include "lib/service.h"
#include "lib/sql.h"
#include "lib/task.h"
#include "lib/worker.h"
#include "queries.h"

struct event_base;

extern struct cache *redis;
extern struct workers *hashers;

/* address.c */

/*
 * An address we can write to: RFC 5321 without quoted local parts, comments and
 * address literals, ASCII only (our relay may not speak SMTPUTF8), at most 254 bytes.
 */
bool address_valid(const char *);

/* What makes two spellings the same account: lower case, plus-forms kept. */
char *address_fold(struct arena *, const char *);

/* password.c: argon2id (RFC 9106) on worker threads. */

#define PASSWORD_HASH_BYTES 128

struct password_work {
	const char *password;
	const char *hash; /* to check against; NULL: make one. */
	char made[PASSWORD_HASH_BYTES];
	bool matches, outdated, failed;
	struct worker_slot slot;
};

/* Before the first check: makes the hash that stands for an unknown account. False: no memory. */
bool password_start(void);

void password_hash(struct task *, struct password_work *, const char *password);
/* Takes as long for hash NULL (no such account) as for a real one. Makes a new hash when the old is
 * outdated. */
void password_check(struct task *, struct password_work *, const char *password, const char *hash);
/* Also for the command line; makes the hash in work->made. */
void password_make(struct password_work *);
/* What a worker's refusal means: OVERLOADED; false when it did its work. */
bool password_refused(struct task *, const struct password_work *, struct step *);

/* token.c */

#define TOKEN_BYTES 32

/* A new session token: 256 random bits in base64url, and the SHA-256 that is stored. */
char *token_new(struct arena *, unsigned char hash[32]);

/* The link in mail number id, and back: 0 when it is not one of ours. */
char *mail_token(struct arena *, uint64_t mail_id, const char *purpose);
uint64_t mail_token_read(const char *token, const char *purpose);

/*
 * session_cache.c: an ended session must not come back through Redis, not even by
 * a gateway that read PostgreSQL just before: a marker stays for longer than any
 * copy would live. A Redis that is down holds nothing that could be read.
 */
void session_cache_end(struct task *, const struct sql_slot *rows); /* column hash, a row each */
void session_cache_end_all(struct task *, const struct sql_slot *,
			   int row); /* column hashes, an array */
void session_cache_refresh(struct task *,
			   const struct sql_slot *rows); /* forget, to be read anew */

/* get_account.c: the last two steps of whoever changed an account. */
void fetch_account(struct task *, struct sql_slot *, uint64_t id);
struct step reply_account(struct task *, const struct sql_slot *);

/* erase_due.c */
void erase_due_start(struct event_base *);
void erase_due_stop(void);

/* main.c: its settings tell command.c where the database is. */
extern struct service accounts_service;
extern int64_t erase_after_ms;

/* command.c: --hash-password, --grant */
bool accounts_command(int argc, char **argv, int *status);

#define HANDLER(name, Ask, Reply)                                                                  \
	void accounts_##name(Causerie__Accounts_Service *, const Causerie__##Ask *,                \
			     Causerie__##Reply##_Closure, void *call)
HANDLER(sign_up, SignUpRequest, Empty);
HANDLER(verify, VerifyRequest, VerifyReply);
HANDLER(sign_in, SignInRequest, SignInReply);
HANDLER(find_session, FindSessionRequest, Session);
HANDLER(end_session, EndSessionRequest, Empty);
HANDLER(list_sessions, ListSessionsRequest, ListSessionsReply);
HANDLER(get_people, GetPeopleRequest, GetPeopleReply);
HANDLER(get_account, GetAccountRequest, Account);
HANDLER(change_account, ChangeAccountRequest, Account);
HANDLER(forgot_password, ForgotPasswordRequest, Empty);
HANDLER(reset_password, ResetPasswordRequest, Empty);
HANDLER(change_password, ChangePasswordRequest, Empty);
HANDLER(resend_verification, ResendVerificationRequest, Empty);
HANDLER(erase_account, EraseAccountRequest, EraseAccountReply);
HANDLER(keep_account, KeepAccountRequest, Empty);
HANDLER(get_recipients, GetRecipientsRequest, GetRecipientsReply);
HANDLER(compose_mail, ComposeMailRequest, ComposeMailReply);
#undef HANDLER

#endif
