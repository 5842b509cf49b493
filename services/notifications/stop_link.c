/*
 * stop_link.c - the token in /u/{token}: who, which topic, which kind; signed.
 *
 * It has no expiry (old mails must still work), can do nothing but stop mails, and
 * dies with the key it was signed under.
 */
#include "notifications.h"

#include <string.h>

#include <sodium.h>

#define VARIANT   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MAC_BYTES crypto_generichash_BYTES_MIN

struct sealed {
	unsigned char account[8], topic[8], kind;
	unsigned char mac[MAC_BYTES];
};

static void put(unsigned char to[8], uint64_t number)
{
	for (size_t i = 0; i < 8; i++)
		to[i] = (unsigned char)(number >> (56 - 8 * i));
}

static uint64_t get(const unsigned char from[8])
{
	uint64_t number = 0;

	for (size_t i = 0; i < 8; i++)
		number = number << 8 | from[i];
	return number;
}

static void sign(const struct sealed *sealed, unsigned char mac[MAC_BYTES])
{
	unsigned char key[32];

	service_derive_key(key, "unsubscribe link");
	crypto_generichash(mac, MAC_BYTES, (const unsigned char *)sealed,
			   offsetof(struct sealed, mac), key, sizeof key);
}

char *stop_token(struct arena *arena, const struct stop *stop)
{
	const size_t size = sodium_base64_encoded_len(sizeof(struct sealed), VARIANT);
	struct sealed sealed;

	put(sealed.account, stop->account_id);
	put(sealed.topic, stop->topic_id);
	sealed.kind = (unsigned char)stop->kind;
	sign(&sealed, sealed.mac);
	return sodium_bin2base64(arena_alloc(arena, size), size, (const unsigned char *)&sealed,
				 sizeof sealed, VARIANT);
}

bool stop_read(const char *token, struct stop *stop)
{
	struct sealed sealed;
	unsigned char mac[MAC_BYTES];
	size_t length = 0;

	if (sodium_base642bin((unsigned char *)&sealed, sizeof sealed, token, strlen(token), NULL,
			      &length, NULL, VARIANT) != 0 ||
	    length != sizeof sealed)
		return false;
	sign(&sealed, mac);
	if (sodium_memcmp(mac, sealed.mac, MAC_BYTES) != 0)
		return false;
	stop->account_id = get(sealed.account);
	stop->topic_id = get(sealed.topic);
	stop->kind = (Causerie__Reason)sealed.kind;
	return true;
}
