/*
 * envelope.h - puts a Request or Response and the message it carries into a frame.
 *
 * The body is the envelope's last field on the wire, so that a message is packed
 * straight to where it is sent from, once.
 */
#ifndef LIB_ENVELOPE_H
#define LIB_ENVELOPE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/* Fields of common.proto that carry the body. */
#define ENVELOPE_REQUEST_BODY  9
#define ENVELOPE_RESPONSE_BODY 5

/* Bytes of envelope (whose own body field is empty) with a body of that size. */
size_t envelope_size(const ProtobufCMessage *envelope, size_t body_size);

/* Writes all but the body's bytes, which the caller puts where the result points. */
unsigned char *envelope_write(unsigned char *to, const ProtobufCMessage *envelope, unsigned field,
			      size_t body_size);

#endif
