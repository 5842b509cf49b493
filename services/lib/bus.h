/*
 * bus.h - hints: "there is something new", over nanomsg PUB/SUB.
 *
 * PUB reports success for everything and loses much of it, so a hint carries
 * nothing but where to look (source, epoch, head) and nothing may depend on it:
 * whoever listens also asks by itself every second. Hints are at most one per
 * 5 ms, at most 64 bytes, and authenticated like every frame.
 *
 * A daemon's bus address follows from its rpc address: ipc path + ".bus", tcp port + 1.
 */
#ifndef LIB_BUS_H
#define LIB_BUS_H

#include <stdint.h>

struct event_base;
struct bus_publisher;
struct bus_listener;

struct bus_publisher *bus_publisher_new(struct event_base *, const char *rpc_address,
					const unsigned char *key);
void bus_publisher_free(struct bus_publisher *);
void bus_publish(struct bus_publisher *, uint64_t epoch, uint64_t head);

typedef void bus_hint(void *argument, uint64_t epoch, uint64_t head);

/* peers as in rpc.h; connects to every replica. */
struct bus_listener *bus_listener_new(struct event_base *, const char *peers,
				      const unsigned char *key, bus_hint *, void *argument);
void bus_listener_free(struct bus_listener *);

#endif
