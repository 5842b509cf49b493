/*
 * endpoint.h - where the replicas of a daemon are, now.
 *
 * A list of endpoints, separated by commas:
 *
 *     ipc:///run/causerie/topics.*.rpc    every socket that matches and is listened to
 *     tcp://10.0.0.2:7101  tcp://[fd00::2]:7101
 *     tcp://topics:7101                   every address the name has
 *
 * nanomsg must never see a name: it would resolve it on our loop, connect to the
 * first address and stay with it. Names are looked up on a
 * thread every few seconds; an answer that is empty or fails changes nothing, and
 * an address goes only when two answers in a row lack it.
 */
#ifndef LIB_ENDPOINT_H
#define LIB_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

struct endpoints;
struct event_base;

#define ENDPOINT_SIZE  128 /* of an address with its NUL; nanomsg's limit */
#define ENDPOINT_LIMIT 64  /* replicas of one daemon */

/* Called from the loop, first when the first addresses are known, then when the set changed. */
typedef void endpoints_changed(void *argument, char addresses[][ENDPOINT_SIZE], size_t count);

/* NULL with errno EINVAL when the list is malformed. */
struct endpoints *endpoints_new(struct event_base *, const char *peers, endpoints_changed *,
				void *argument);
void endpoints_free(struct endpoints *);

/* While something is missing: look more often, and ask sockets whether anybody listens. */
void endpoints_hurry(struct endpoints *, bool);

/* Our own address: "%d" in an ipc path becomes the pid. 0, or -EINVAL. */
int endpoint_own(const char *listen, char address[ENDPOINT_SIZE]);

/* Where that address's hints are: ipc path + ".bus", tcp port + 1. 0, or -EINVAL. */
int endpoint_bus(const char *rpc_address, char address[ENDPOINT_SIZE]);

/* For tests: answers in place of the system's resolver, on the thread; returns how many. */
typedef size_t endpoint_resolver(const char *host, char literals[][ENDPOINT_SIZE], size_t room);
void endpoint_set_resolver(endpoint_resolver *);

#endif
