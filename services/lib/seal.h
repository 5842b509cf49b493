/*
 * seal.h - small things that we hand out and must know again: cursors, links in mails.
 *
 * A seal is some bytes and 16 of keyed BLAKE2b (RFC 7693) over them and their purpose, in
 * base64url without padding (RFC 4648 5). Whoever holds it can read the bytes, and
 * change nothing: what is secret does not belong in it. The key follows from the shared
 * one and the purpose, so a seal of one purpose is none of another.
 */
#ifndef LIB_SEAL_H
#define LIB_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define SEAL_BYTES_MAX 64

/* purpose: what it is for ("cursor"); scope: what it is bound to besides ("topics|recent"), or "".
 */
char *seal_write(struct arena *, const char *purpose, const char *scope, const void *bytes,
		 size_t length);

/* Fills bytes and returns true only for a seal of exactly this length, purpose and scope. */
bool seal_read(const char *text, const char *purpose, const char *scope, void *bytes,
	       size_t length);

/* Numbers in a seal: big-endian, so that they read the same on every machine. */
void seal_put_number(unsigned char to[8], uint64_t number);
uint64_t seal_get_number(const unsigned char from[8]);

#endif
