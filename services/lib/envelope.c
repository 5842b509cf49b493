/*
 * envelope.c - puts a Request or Response and the message it carries into a frame.
 */
#include "lib/envelope.h"

#include <assert.h>

#define WIRE_BYTES 2

static size_t varint_size(size_t value)
{
	size_t size = 1;

	for (; value > 0x7f; value >>= 7)
		size++;
	return size;
}

size_t envelope_size(const ProtobufCMessage *envelope, size_t body_size)
{
	const size_t size = protobuf_c_message_get_packed_size(envelope);

	return body_size == 0 ? size : size + 1 + varint_size(body_size) + body_size;
}

unsigned char *envelope_write(unsigned char *to, const ProtobufCMessage *envelope, unsigned field,
			      size_t body_size)
{
	assert(field < 16); /* its tag is one byte */
	to += protobuf_c_message_pack(envelope, to);
	if (body_size == 0)
		return to;
	*to++ = (unsigned char)(field << 3 | WIRE_BYTES);
	for (; body_size > 0x7f; body_size >>= 7)
		*to++ = (unsigned char)(body_size | 0x80);
	*to++ = (unsigned char)body_size;
	return to;
}
