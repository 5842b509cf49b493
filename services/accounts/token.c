/*
 * token.c - session tokens, and the links in mails.
 *
 * A session token is 256 random bits; its SHA-256 is stored. A mail's link is the
 * mail's number, sealed for its purpose: made when the mail is written, made again on a
 * retry, stored nowhere.
 */
#include "accounts.h"

#include <string.h>

#include <sodium.h>

#include "lib/seal.h"

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

char *token_new(struct arena *arena, unsigned char hash[32])
{
	const size_t size = sodium_base64_encoded_len(TOKEN_BYTES, VARIANT);
	unsigned char random[TOKEN_BYTES];
	char *token = arena_alloc(arena, size);

	randombytes_buf(random, sizeof random);
	sodium_bin2base64(token, size, random, sizeof random, VARIANT);
	crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
	sodium_memzero(random, sizeof random);
	return token;
}

char *mail_token(struct arena *arena, uint64_t mail_id, const char *purpose)
{
	unsigned char id[8];

	seal_put_number(id, mail_id);
	return seal_write(arena, "mail link", purpose, id, sizeof id);
}

uint64_t mail_token_read(const char *token, const char *purpose)
{
	unsigned char id[8];

	return seal_read(token, "mail link", purpose, id, sizeof id) ? seal_get_number(id) : 0;
}
