/*
 * frame.h - what travels between daemons: authenticated frames of calls and answers.
 *
 * One nanomsg message is one frame: HMAC-SHA-256 under the shared key, a head,
 * and any number of entries (calls or answers that were ready in the same turn
 * of the loop, so that a busy connection pays for one message and one HMAC).
 *
 *      offset  bytes
 *       0      32  HMAC-SHA-256 of all that follows
 *      32       1  version: 1
 *      33       1  kind
 *      34       1  flags
 *      35       1  0
 *      36       4  connection  the server's name for this connection
 *      40       8  position    rises with every frame sent on it; a repeated frame is seen
 *      48       8  seen        the highest position received from the other side
 *      56       8  time        on the server's clock, in milliseconds
 *      64          entries: 4 size, 8 id, then the packed Request or Response
 *
 * All numbers are little-endian. A frame is bound to its connection by the
 * server's name for it, which PING and PONG establish, and to its place in it by
 * position: none can be replayed. Since the time of a call is the server's own
 * (the client adds what passed on its clock since it heard it), the server knows
 * how long a call was under way, whatever held it up, and on whatever machine.
 */
#ifndef LIB_FRAME_H
#define LIB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#define FRAME_MAC   32
#define FRAME_HEAD  64
#define FRAME_ENTRY 12
#define FRAME_NONCE 8
#define FRAME_FULL  ((size_t)64 << 10)  /* a frame this large is sent before more is added */
#define FRAME_BODY  ((size_t)512 << 10) /* the largest request or reply message, packed */

/* What a frame costs its receiver's buffers: its bytes and the kernel's bookkeeping. */
#define FRAME_COST(size) ((uint64_t)(size) + 1280)
/* Answers under way at most when another frame of them is sent; see rpc_server.c. */
#define FRAME_CREDIT ((uint64_t)192 << 10)

enum frame_kind {
	FRAME_PING = 1, /* one entry: 8 random bytes */
	FRAME_PONG,     /* the same entry: this connection's name and the time */
	FRAME_CALLS,    /* entries are Requests; none: only says what was seen */
	FRAME_ANSWERS,  /* entries are Responses */
};

#define FRAME_DRAINING 1u /* flag of the server: ask another */

struct frame_head {
	enum frame_kind kind;
	unsigned flags;
	uint32_t connection;
	uint64_t position, seen;
	int64_t time;
};

struct frame_key {
	crypto_auth_hmacsha256_state fresh;
};

void frame_key_init(struct frame_key *, const unsigned char bytes[32]);
void frame_mac(const struct frame_key *, unsigned char mac[FRAME_MAC], const void *, size_t);
bool frame_mac_matches(const struct frame_key *, const unsigned char mac[FRAME_MAC], const void *,
		       size_t);

/* --- writing: all zero is an empty frame --- */

struct frame_buffer {
	unsigned char *bytes;
	size_t size, capacity;
	unsigned entries;
};

/* Makes room for the head of an empty frame, so that size is true before frame_seal(). */
void frame_start(struct frame_buffer *);

/* Adds an entry; the caller fills the size bytes returned. */
unsigned char *frame_add(struct frame_buffer *, uint64_t id, size_t size);

/* Writes head and HMAC; afterwards bytes and size are the message. */
void frame_seal(struct frame_buffer *, const struct frame_key *, const struct frame_head *);

/* Empties it for the next frame, giving back what an unusually large one took. */
void frame_clear(struct frame_buffer *);
void frame_free(struct frame_buffer *);

/* --- reading --- */

struct frame_entry {
	uint64_t id;
	const unsigned char *bytes; /* borrowed from the message */
	size_t size;
};

struct frame_cursor {
	const unsigned char *at;
	size_t left;
};

/* 0 with head and cursor; -EBADMSG when it is not a frame, -EPERM when its HMAC is wrong. */
int frame_read(const struct frame_key *, const unsigned char *bytes, size_t size,
	       struct frame_head *, struct frame_cursor *);

/* 1 with an entry, 0 at the end, -EBADMSG when the sizes do not add up. */
int frame_next(struct frame_cursor *, struct frame_entry *);

#endif
