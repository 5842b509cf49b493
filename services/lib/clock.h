/*
 * clock.h - what time it is, in one place, so that tests can move it.
 *
 * clock_ms() measures durations and never jumps (CLOCK_MONOTONIC); clock_now()
 * is the time people read, in microseconds since 1970 UTC.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);
int64_t clock_now(void);

/* For tests: both clocks stand this much later than the machine's. */
void clock_advance(int64_t ms);

#endif
