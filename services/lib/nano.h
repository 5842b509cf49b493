/*
 * nano.h - nanomsg's raw sockets with their sharp edges covered.
 *
 * Everything that touches nanomsg goes through here: a wrong close() of one of
 * its descriptors, or closing a socket twice, ends the process,
 * names must never reach it, and its socket files are private to this user.
 * All sends and receives return at once.
 */
#ifndef LIB_NANO_H
#define LIB_NANO_H

#include <stddef.h>
#include <stdint.h>

/* No larger message is accepted, and none is sent. */
#define NANO_MESSAGE_LIMIT ((size_t)1 << 20)

/* Of a request as REP receives it: which connection, and the requester's own 4 bytes. */
#define NANO_ROUTE 8

struct nano_message {
	unsigned char *bytes;
	size_t size;
	unsigned char route[NANO_ROUTE]; /* all zero unless it came with exactly one hop */
	size_t route_size;
};

/* protocol: NN_REQ, NN_REP (raw), NN_PUB, NN_SUB. A socket, or a negative errno. */
int nano_socket(int protocol);

/* Literal addresses only. 0 or a negative errno; nano_connect() the connection's number, at least
 * 0. */
int nano_bind(int socket, const char *address);
int nano_connect(int socket, const char *address);
void nano_disconnect(int socket, int number);

/* Descriptors that are readable when the socket is; only for an event loop, never closed. -1: none.
 */
int nano_receive_fd(int socket);
int nano_send_fd(int socket);

/* 0; -EAGAIN when nothing can be taken now. route may be NULL with size 0. */
int nano_send(int socket, const void *bytes, size_t size, const void *route, size_t route_size);

/* 0 and a message to nano_free(); -EAGAIN when there is none. */
int nano_receive(int socket, struct nano_message *);
void nano_free(struct nano_message *);

/* Connections this socket has lost so far, and had. */
uint64_t nano_broken(int socket);
uint64_t nano_established(int socket);

/* Closes it and sets it to -1; -1 is fine. */
void nano_close(int *socket);

#endif
