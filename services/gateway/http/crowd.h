/*
 * crowd.h - counts how many connections each network holds.
 *
 * One client must not take everybody's places: an IPv4 address or an IPv6 /64 may
 * hold so many connections and no more. The memory is bounded by the number of
 * connections; the table's seed is random, so nobody can aim at one bucket.
 */
#ifndef GATEWAY_HTTP_CROWD_H
#define GATEWAY_HTTP_CROWD_H

#include <stdbool.h>
#include <stdint.h>

struct crowd;

struct crowd *crowd_new(void);
void crowd_free(struct crowd *);

/* Counts one more of this network unless it has `most` already; then false. */
bool crowd_enter(struct crowd *, uint64_t network, unsigned most);

/* Takes back one successful crowd_enter(). */
void crowd_leave(struct crowd *, uint64_t network);

#endif
