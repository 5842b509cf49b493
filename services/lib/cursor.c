/*
 * cursor.c - 32 bytes of position and 16 of keyed BLAKE2b over it and its list, in base64url.
 */
#include "lib/cursor.h"

#include <string.h>

#include <sodium.h>

#include "lib/arena.h"
#include "lib/service.h"

#define MAC_BYTES crypto_generichash_BYTES_MIN

struct sealed {
	unsigned char numbers[CURSOR_NUMBERS * 8];
	unsigned char mac[MAC_BYTES];
};

static void sign(unsigned char mac[MAC_BYTES], const struct sealed *sealed, const char *list)
{
	static unsigned char key[32];
	static bool derived;
	crypto_generichash_state state;

	if (!derived) {
		service_derive_key(key, "cursor");
		derived = true;
	}
	crypto_generichash_init(&state, key, sizeof key, MAC_BYTES);
	crypto_generichash_update(&state, sealed->numbers, sizeof sealed->numbers);
	crypto_generichash_update(&state, (const unsigned char *)list, strlen(list));
	crypto_generichash_final(&state, mac, MAC_BYTES);
}

const char *cursor_write(struct arena *arena, const char *list, const struct cursor *cursor)
{
	const size_t size = sodium_base64_encoded_len(sizeof(struct sealed),
						      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	struct sealed sealed;
	char *text = arena_alloc(arena, size);

	for (size_t i = 0; i < sizeof sealed.numbers; i++)
		sealed.numbers[i] =
			(unsigned char)((uint64_t)cursor->at[i / 8] >> (56 - i % 8 * 8));
	sign(sealed.mac, &sealed, list);
	sodium_bin2base64(text, size, (const unsigned char *)&sealed, sizeof sealed,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return text;
}

bool cursor_read(const char *text, const char *list, struct cursor *cursor, bool *given)
{
	struct sealed sealed;
	unsigned char mac[MAC_BYTES];
	size_t length = 0;

	*cursor = (struct cursor){0};
	*given = *text != '\0';
	if (!*given)
		return true;

	if (sodium_base642bin((unsigned char *)&sealed, sizeof sealed, text, strlen(text), NULL,
			      &length, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    length != sizeof sealed)
		return false;
	sign(mac, &sealed, list);
	if (sodium_memcmp(mac, sealed.mac, MAC_BYTES) != 0)
		return false;

	for (size_t i = 0; i < sizeof sealed.numbers; i++)
		cursor->at[i / 8] = (int64_t)((uint64_t)cursor->at[i / 8] << 8 | sealed.numbers[i]);
	return true;
}
