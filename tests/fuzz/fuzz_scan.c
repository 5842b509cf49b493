/*
 * fuzz_scan.c - libFuzzer on what another daemon sends: frames, envelopes, messages.
 *
 * The first byte chooses what the rest is read as. Whatever the scan lets through
 * must unpack within its memory, be walked by the limits without harm, and pack
 * to something that is let through again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.pb-c.h"
#include "comments.pb-c.h"
#include "common.pb-c.h"
#include "events.pb-c.h"
#include "lib/arena.h"
#include "lib/frame.h"
#include "lib/limits.h"
#include "lib/scan.h"
#include "topics.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = {
	&causerie__request__descriptor,
	&causerie__response__descriptor,
	&causerie__fetch_events_request__descriptor,
	&causerie__fetch_events_reply__descriptor,
	&causerie__topic__descriptor,
	&causerie__comment__descriptor,
	&causerie__account__descriptor,
};

#define N_TYPES (sizeof types / sizeof types[0])

static void read_message(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size)
{
	struct arena arena = {0};
	struct limits_error wrong[4];
	ProtobufCMessage *message;
	size_t packed;
	uint8_t *again;

	if (scan_unpack(&arena, type, bytes, size, &message) == 0) {
		assert(arena.bytes < SCAN_MEMORY + (1 << 20));
		assert(limits_check(message, wrong, 4) <= 4);
		packed = protobuf_c_message_get_packed_size(message);
		again = arena_alloc(&arena, packed);
		assert(protobuf_c_message_pack(message, again) == packed);
		assert(scan_check(type, again, packed) == 0);
	}
	arena_free(&arena);
}

/* With a right HMAC, as from a daemon that was taken over. */
static void read_frame(const uint8_t *bytes, size_t size)
{
	static const unsigned char secret[32] = "fuzz";
	struct frame_entry entry;
	struct frame_cursor cursor;
	struct frame_head head;
	struct frame_key key;
	uint8_t *frame = malloc(size + FRAME_MAC);

	frame_key_init(&key, secret);
	if (size > 0)
		memcpy(frame + FRAME_MAC, bytes, size);
	frame_mac(&key, frame, frame + FRAME_MAC, size);
	if (frame_read(&key, frame, size + FRAME_MAC, &head, &cursor) == 0)
		while (frame_next(&cursor, &entry) == 1)
			read_message(&causerie__request__descriptor, entry.bytes, entry.size);
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact;

	if (size == 0)
		return 0;
	exact = malloc(size - 1 ? size - 1 : 1); /* so that a read beyond its end is seen */
	memcpy(exact, data + 1, size - 1);
	if (data[0] % (N_TYPES + 1) == N_TYPES)
		read_frame(exact, size - 1);
	else
		read_message(types[data[0] % (N_TYPES + 1)], exact, size - 1);
	free(exact);
	return 0;
}
