/*
 * stop_link.c - the token in /u/{token}: who, which topic, which kind; sealed.
 *
 * It has no expiry (old mails must still work), can do nothing but stop mails, and
 * dies with the key it was sealed under.
 */
#include "notifications.h"

#include "lib/seal.h"

#define PURPOSE "unsubscribe link"

struct stop_bytes {
	unsigned char account[8], topic[8], kind;
};

char *stop_token(struct arena *arena, const struct stop *stop)
{
	struct stop_bytes bytes = {.kind = (unsigned char)stop->kind};

	seal_put_number(bytes.account, stop->account_id);
	seal_put_number(bytes.topic, stop->topic_id);
	return seal_write(arena, PURPOSE, "", &bytes, sizeof bytes);
}

bool stop_read(const char *token, struct stop *stop)
{
	struct stop_bytes bytes;

	if (!seal_read(token, PURPOSE, "", &bytes, sizeof bytes))
		return false;
	stop->account_id = seal_get_number(bytes.account);
	stop->topic_id = seal_get_number(bytes.topic);
	stop->kind = (Causerie__Reason)bytes.kind;
	return true;
}
