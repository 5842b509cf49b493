/*
 * address.h - where a connection comes from, and which networks are trusted.
 *
 * IPv4 addresses are kept as their IPv6-mapped form, so that ::ffff:10.0.0.1 on a
 * dual-stack socket and 10.0.0.1 are the same client.
 */
#ifndef GATEWAY_HTTP_ADDRESS_H
#define GATEWAY_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

struct address {
	unsigned char bytes[16];
	bool local; /* a Unix socket: no address at all */
};

#define ADDRESS_TEXT_SIZE 46

struct address address_of(const struct sockaddr *);

/* "192.0.2.1" or "2001:db8::1"; false for anything else. */
bool address_parse(const char *text, size_t length, struct address *);

/* "192.0.2.1", "2001:db8::1" or "unix", as nobody could write it otherwise. */
void address_print(const struct address *, char text[static ADDRESS_TEXT_SIZE]);

/* A number that is equal for one IPv4 address, or one IPv6 /64: what one subscriber has. */
uint64_t address_network(const struct address *);

/* --- a list of networks ------------------------------------------------------- */

struct networks;

/*
 * "127.0.0.1, 10.0.0.0/8 2001:db8::/32 unix": addresses, networks and the word
 * unix, separated by commas or blanks; "" or NULL is the empty list. NULL when
 * malformed.
 */
struct networks *networks_new(const char *list);
void networks_free(struct networks *);
bool networks_hold(const struct networks *, const struct address *);

#endif
