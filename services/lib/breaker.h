/*
 * breaker.h - when to stop asking a replica that does not answer.
 *
 * Five time-outs in a row, or more than half of at least twenty calls within ten
 * seconds, and it is left alone for 5 s, then 10, 20, 30; after that one call at
 * a time tries it, and the first answer makes it as good as new. Whether it may
 * be left alone at all (never more than half of them) is for the caller to say.
 */
#ifndef LIB_BREAKER_H
#define LIB_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_SECONDS 10

/* All zero is closed. Times are clock_ms(). */
struct breaker {
	unsigned in_a_row; /* time-outs */
	int64_t second;    /* of the newest bucket */
	unsigned calls[BREAKER_SECONDS], failed[BREAKER_SECONDS];
	int64_t open_until_ms; /* 0: closed */
	int pause_ms;          /* of the last opening */
};

void breaker_answered(struct breaker *, int64_t now);

/* True when it should be left alone now; then breaker_open() does. */
bool breaker_timed_out(struct breaker *, int64_t now);
void breaker_open(struct breaker *, int64_t now);

static inline bool breaker_is_open(const struct breaker *breaker)
{
	return breaker->open_until_ms != 0;
}

/* It is open, but one call may try. */
static inline bool breaker_may_try(const struct breaker *breaker, int64_t now)
{
	return breaker->open_until_ms != 0 && now >= breaker->open_until_ms;
}

#endif
