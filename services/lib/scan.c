/*
 * scan.c - reading a protobuf message that nobody vouches for.
 *
 * The walk keeps its own stack of enclosing messages, so its depth is bounded by
 * an array and not by the machine's stack.
 */
#include "lib/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/arena.h"

#define VARINT_BYTES 10
#define FIELD_MAX    536870911u

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct level {
	const ProtobufCMessageDescriptor *type;
	const unsigned char *end;
};

struct scan {
	const unsigned char *at;
	struct level levels[SCAN_DEPTH];
	unsigned depth; /* of levels in use */
	unsigned fields, unknown;
};

static const unsigned char *end_of(const struct scan *scan)
{
	return scan->levels[scan->depth - 1].end;
}

/* Reads a number that must end before end; false when it does not. */
static bool varint(const unsigned char **at, const unsigned char *end, uint64_t *value)
{
	unsigned shift = 0;

	*value = 0;
	for (unsigned i = 0; i < VARINT_BYTES && *at < end; i++, shift += 7) {
		const unsigned char byte = *(*at)++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return true;
	}
	return false;
}

static enum wire wire_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_BYTES;
	default:
		return WIRE_VARINT;
	}
}

/* Counts the elements of a packed list as fields: each becomes a place in an array. */
static int check_packed(struct scan *scan, ProtobufCType type, const unsigned char *at, size_t size)
{
	const enum wire wire = wire_of(type);
	const size_t width = wire == WIRE_32 ? 4 : 8;
	const unsigned char *end = at + size;

	if (wire != WIRE_VARINT) {
		scan->fields += (unsigned)(size / width);
		return size % width == 0 ? 0 : -EBADMSG;
	}
	while (at < end) {
		uint64_t ignored;

		if (!varint(&at, end, &ignored))
			return -EBADMSG;
		scan->fields++;
	}
	return 0;
}

static int enter(struct scan *scan, const ProtobufCMessageDescriptor *type, size_t size)
{
	if (scan->depth == SCAN_DEPTH)
		return -E2BIG;
	scan->levels[scan->depth++] = (struct level){type, scan->at + size};
	return 0;
}

/* A field with a length: text, bytes, a message, a packed list or something unknown. */
static int check_bytes(struct scan *scan, const ProtobufCFieldDescriptor *field)
{
	uint64_t size;
	int rc = 0;

	if (!varint(&scan->at, end_of(scan), &size) || size > (uint64_t)(end_of(scan) - scan->at))
		return -EBADMSG;
	if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE)
		return enter(scan, field->descriptor, (size_t)size);
	if (field != NULL && field->type == PROTOBUF_C_TYPE_STRING)
		rc = memchr(scan->at, 0, (size_t)size) == NULL ? 0 : -EBADMSG;
	else if (field != NULL && field->type != PROTOBUF_C_TYPE_BYTES)
		rc = check_packed(scan, field->type, scan->at, (size_t)size);
	scan->at += size;
	return rc;
}

static int skip(struct scan *scan, size_t width)
{
	if ((size_t)(end_of(scan) - scan->at) < width)
		return -EBADMSG;
	scan->at += width;
	return 0;
}

static int check_value(struct scan *scan, const ProtobufCFieldDescriptor *field, unsigned wire)
{
	uint64_t ignored;

	switch (wire) {
	case WIRE_VARINT:
		return varint(&scan->at, end_of(scan), &ignored) ? 0 : -EBADMSG;
	case WIRE_64:
		return skip(scan, 8);
	case WIRE_32:
		return skip(scan, 4);
	case WIRE_BYTES:
		return check_bytes(scan, field);
	default: /* groups went out of use before this project began */
		return -EBADMSG;
	}
}

static bool fits(const ProtobufCFieldDescriptor *field, unsigned wire)
{
	if (wire == wire_of(field->type))
		return true;
	return wire == WIRE_BYTES && field->label == PROTOBUF_C_LABEL_REPEATED; /* packed */
}

static int check_field(struct scan *scan)
{
	const struct level *level = &scan->levels[scan->depth - 1];
	const ProtobufCFieldDescriptor *field;
	uint64_t tag;

	if (!varint(&scan->at, level->end, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_MAX)
		return -EBADMSG;
	field = protobuf_c_message_descriptor_get_field(level->type, (unsigned)(tag >> 3));
	scan->fields++;
	if (field == NULL)
		scan->unknown++;
	else if (!fits(field, tag & 7))
		return -EBADMSG;
	return check_value(scan, field, tag & 7);
}

int scan_check(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size)
{
	struct scan scan = {.at = bytes, .levels = {{.type = type}}, .depth = 1};

	scan.levels[0].end = scan.at + size;
	while (scan.depth > 0) {
		int rc;

		if (scan.at == end_of(&scan)) {
			scan.depth--;
			continue;
		}
		rc = check_field(&scan);
		if (rc < 0)
			return rc;
		if (scan.fields > SCAN_FIELDS || scan.unknown > SCAN_UNKNOWN)
			return -E2BIG;
	}
	return 0;
}

struct allowance {
	struct arena *arena;
	size_t left;
};

static void *take(void *data, size_t size)
{
	struct allowance *allowance = data;

	if (size > allowance->left)
		return NULL;
	allowance->left -= size;
	return arena_alloc(allowance->arena, size);
}

static void keep(void *data, void *memory)
{
	(void)data;
	(void)memory; /* goes with the arena */
}

int scan_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type, const void *bytes,
		size_t size, ProtobufCMessage **message)
{
	struct allowance allowance = {arena, SCAN_MEMORY};
	ProtobufCAllocator allocator = {take, keep, &allowance};
	const int rc = scan_check(type, bytes, size);

	if (rc < 0)
		return rc;
	*message = protobuf_c_message_unpack(type, &allocator, size, bytes);
	if (*message != NULL)
		return 0;
	return allowance.left < size ? -E2BIG : -EBADMSG;
}
