/*
 * frame.c - what travels between daemons: authenticated frames of calls and answers.
 */
#include "lib/frame.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERSION       1
#define KEPT_CAPACITY (2 * FRAME_FULL)

enum offset {
	AT_VERSION = 32,
	AT_KIND = 33,
	AT_FLAGS = 34,
	AT_ZERO = 35,
	AT_CONNECTION = 36,
	AT_POSITION = 40,
	AT_SEEN = 48,
	AT_TIME = 56,
};

static void put32(unsigned char *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof value);
}

static void put64(unsigned char *to, uint64_t value)
{
	value = htole64(value);
	memcpy(to, &value, sizeof value);
}

static uint32_t get32(const unsigned char *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof value);
	return le32toh(value);
}

static uint64_t get64(const unsigned char *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof value);
	return le64toh(value);
}

void frame_key_init(struct frame_key *key, const unsigned char bytes[32])
{
	crypto_auth_hmacsha256_init(&key->fresh, bytes, 32);
}

void frame_mac(const struct frame_key *key, unsigned char mac[FRAME_MAC], const void *bytes,
	       size_t size)
{
	crypto_auth_hmacsha256_state state = key->fresh; /* the key's own block is done already */

	crypto_auth_hmacsha256_update(&state, bytes, size);
	crypto_auth_hmacsha256_final(&state, mac);
}

bool frame_mac_matches(const struct frame_key *key, const unsigned char mac[FRAME_MAC],
		       const void *bytes, size_t size)
{
	unsigned char expected[FRAME_MAC];

	frame_mac(key, expected, bytes, size);
	return sodium_memcmp(mac, expected, sizeof expected) == 0;
}

static void reserve(struct frame_buffer *buffer, size_t size)
{
	size_t capacity = buffer->capacity ? buffer->capacity : 4096;

	while (capacity < size)
		capacity *= 2;
	if (capacity == buffer->capacity)
		return;
	buffer->bytes = realloc(buffer->bytes, capacity);
	if (buffer->bytes == NULL)
		abort();
	buffer->capacity = capacity;
}

void frame_start(struct frame_buffer *buffer)
{
	if (buffer->size > 0)
		return;
	reserve(buffer, FRAME_HEAD);
	buffer->size = FRAME_HEAD;
}

unsigned char *frame_add(struct frame_buffer *buffer, uint64_t id, size_t size)
{
	unsigned char *entry;

	assert(size <= UINT32_MAX);
	frame_start(buffer);
	reserve(buffer, buffer->size + FRAME_ENTRY + size);
	entry = buffer->bytes + buffer->size;
	put32(entry, (uint32_t)size);
	put64(entry + 4, id);
	buffer->size += FRAME_ENTRY + size;
	buffer->entries++;
	return entry + FRAME_ENTRY;
}

void frame_seal(struct frame_buffer *buffer, const struct frame_key *key,
		const struct frame_head *head)
{
	unsigned char *bytes;

	frame_start(buffer);
	bytes = buffer->bytes;
	bytes[AT_VERSION] = VERSION;
	bytes[AT_KIND] = (unsigned char)head->kind;
	bytes[AT_FLAGS] = (unsigned char)head->flags;
	bytes[AT_ZERO] = 0;
	put32(bytes + AT_CONNECTION, head->connection);
	put64(bytes + AT_POSITION, head->position);
	put64(bytes + AT_SEEN, head->seen);
	put64(bytes + AT_TIME, (uint64_t)head->time);
	frame_mac(key, bytes, bytes + FRAME_MAC, buffer->size - FRAME_MAC);
}

void frame_clear(struct frame_buffer *buffer)
{
	buffer->size = 0;
	buffer->entries = 0;
	if (buffer->capacity > KEPT_CAPACITY)
		frame_free(buffer);
}

void frame_free(struct frame_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct frame_buffer){0};
}

int frame_read(const struct frame_key *key, const unsigned char *bytes, size_t size,
	       struct frame_head *head, struct frame_cursor *cursor)
{
	if (size < FRAME_HEAD)
		return -EBADMSG;
	if (!frame_mac_matches(key, bytes, bytes + FRAME_MAC, size - FRAME_MAC))
		return -EPERM;
	if (bytes[AT_VERSION] != VERSION || bytes[AT_KIND] < FRAME_PING ||
	    bytes[AT_KIND] > FRAME_ANSWERS)
		return -EBADMSG;
	head->kind = (enum frame_kind)bytes[AT_KIND];
	head->flags = bytes[AT_FLAGS];
	head->connection = get32(bytes + AT_CONNECTION);
	head->position = get64(bytes + AT_POSITION);
	head->seen = get64(bytes + AT_SEEN);
	head->time = (int64_t)get64(bytes + AT_TIME);
	*cursor = (struct frame_cursor){bytes + FRAME_HEAD, size - FRAME_HEAD};
	return 0;
}

int frame_next(struct frame_cursor *cursor, struct frame_entry *entry)
{
	size_t size;

	if (cursor->left == 0)
		return 0;
	if (cursor->left < FRAME_ENTRY)
		return -EBADMSG;
	size = get32(cursor->at);
	if (size > cursor->left - FRAME_ENTRY)
		return -EBADMSG;
	entry->id = get64(cursor->at + 4);
	entry->bytes = cursor->at + FRAME_ENTRY;
	entry->size = size;
	cursor->at += FRAME_ENTRY + size;
	cursor->left -= FRAME_ENTRY + size;
	return 1;
}
