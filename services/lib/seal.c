/* seal.c - bytes, their MAC, and base64url around both. */
#include "lib/seal.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "lib/arena.h"
#include "lib/service.h"

#define VARIANT   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MAC_BYTES crypto_generichash_BYTES_MIN

static void sign(unsigned char mac[MAC_BYTES], const char *purpose, const char *scope,
		 const void *bytes, size_t length)
{
	unsigned char key[32];
	crypto_generichash_state state;

	service_derive_key(key, purpose);
	crypto_generichash_init(&state, key, sizeof key, MAC_BYTES);
	crypto_generichash_update(&state, bytes, length);
	crypto_generichash_update(&state, (const unsigned char *)scope, strlen(scope));
	crypto_generichash_final(&state, mac, MAC_BYTES);
	sodium_memzero(key, sizeof key);
}

char *seal_write(struct arena *arena, const char *purpose, const char *scope, const void *bytes,
		 size_t length)
{
	unsigned char sealed[SEAL_BYTES_MAX + MAC_BYTES];
	const size_t size = sodium_base64_encoded_len(length + MAC_BYTES, VARIANT);

	assert(length <= SEAL_BYTES_MAX);
	memcpy(sealed, bytes, length);
	sign(sealed + length, purpose, scope, bytes, length);
	return sodium_bin2base64(arena_alloc(arena, size), size, sealed, length + MAC_BYTES,
				 VARIANT);
}

bool seal_read(const char *text, const char *purpose, const char *scope, void *bytes, size_t length)
{
	unsigned char sealed[SEAL_BYTES_MAX + MAC_BYTES], mac[MAC_BYTES];
	size_t found = 0;

	assert(length <= SEAL_BYTES_MAX);
	if (sodium_base642bin(sealed, length + MAC_BYTES, text, strlen(text), NULL, &found, NULL,
			      VARIANT) != 0 ||
	    found != length + MAC_BYTES)
		return false;
	sign(mac, purpose, scope, sealed, length);
	if (sodium_memcmp(mac, sealed + length, MAC_BYTES) != 0)
		return false;
	memcpy(bytes, sealed, length);
	return true;
}

void seal_put_number(unsigned char to[8], uint64_t number)
{
	for (size_t i = 0; i < 8; i++)
		to[i] = (unsigned char)(number >> (56 - 8 * i));
}

uint64_t seal_get_number(const unsigned char from[8])
{
	uint64_t number = 0;

	for (size_t i = 0; i < 8; i++)
		number = number << 8 | from[i];
	return number;
}
