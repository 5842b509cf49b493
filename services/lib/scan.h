/*
 * scan.h - reading a protobuf message that nobody vouches for.
 *
 * protobuf-c recurses as deep as the message says and allocates what it says: 34
 * kB of nested messages end the process, 1 MiB becomes 40 MiB.
 * So the bytes are walked once beforehand, without allocating, guided by the
 * descriptor, and unpacking is given a bounded piece of an arena.
 */
#ifndef LIB_SCAN_H
#define LIB_SCAN_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct arena;

#define SCAN_FIELDS  20000             /* in the whole message, elements of packed lists included */
#define SCAN_DEPTH   8                 /* messages within messages, the outermost is 1 */
#define SCAN_UNKNOWN 64                /* fields of a newer version; more is somebody trying */
#define SCAN_MEMORY  ((size_t)8 << 20) /* taken from the arena by one message */

/*
 * 0, or -EBADMSG: malformed (truncated, a wire type that is not the field's, a group, a string
 * with NUL), -E2BIG: beyond the limits above.
 */
int scan_check(const ProtobufCMessageDescriptor *, const void *bytes, size_t size);

/* scan_check(), then unpacks; the message lies in the arena and is never freed by itself. */
int scan_unpack(struct arena *, const ProtobufCMessageDescriptor *, const void *bytes, size_t size,
		ProtobufCMessage **message);

#endif
