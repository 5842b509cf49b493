/*
 * token.c - session tokens, and the links in mails.
 *
 * A session token is 256 random bits; its SHA-256 is stored. A mail's link is the
 * mail's number and a keyed BLAKE2b over number and purpose: made when the mail
 * is written, made again on a retry, stored nowhere.
 */
#include "accounts.h"

#include <string.h>

#include <sodium.h>

#define VARIANT   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MAC_BYTES 24

struct mail_link {
	unsigned char id[8];
	unsigned char mac[MAC_BYTES];
};

static char *encode(struct arena *arena, const void *bytes, size_t length)
{
	const size_t size = sodium_base64_encoded_len(length, VARIANT);

	return sodium_bin2base64(arena_alloc(arena, size), size, bytes, length, VARIANT);
}

char *token_new(struct arena *arena, unsigned char hash[32])
{
	unsigned char random[TOKEN_BYTES];
	char *token;

	randombytes_buf(random, sizeof random);
	token = encode(arena, random, sizeof random);
	crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
	sodium_memzero(random, sizeof random);
	return token;
}

static void sign(struct mail_link *link, const char *purpose)
{
	unsigned char key[32];
	crypto_generichash_state state;

	service_derive_key(key, "mail link");
	crypto_generichash_init(&state, key, sizeof key, MAC_BYTES);
	crypto_generichash_update(&state, link->id, sizeof link->id);
	crypto_generichash_update(&state, (const unsigned char *)purpose, strlen(purpose));
	crypto_generichash_final(&state, link->mac, MAC_BYTES);
}

char *mail_token(struct arena *arena, uint64_t mail_id, const char *purpose)
{
	struct mail_link link;

	for (size_t i = 0; i < sizeof link.id; i++)
		link.id[i] = (unsigned char)(mail_id >> (56 - 8 * i));
	sign(&link, purpose);
	return encode(arena, &link, sizeof link);
}

uint64_t mail_token_read(const char *token, const char *purpose)
{
	struct mail_link link, ours;
	size_t length = 0;
	uint64_t id = 0;

	if (sodium_base642bin((unsigned char *)&link, sizeof link, token, strlen(token), NULL,
			      &length, NULL, VARIANT) != 0 ||
	    length != sizeof link)
		return 0;
	ours = link;
	sign(&ours, purpose);
	if (sodium_memcmp(ours.mac, link.mac, MAC_BYTES) != 0)
		return 0;
	for (size_t i = 0; i < sizeof link.id; i++)
		id = id << 8 | link.id[i];
	return id;
}
