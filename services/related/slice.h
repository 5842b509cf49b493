/*
 * slice.h - how long a piece of background work may hold the loop.
 */
#ifndef RELATED_SLICE_H
#define RELATED_SLICE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct slice {
	int64_t until_us; /* on CLOCK_MONOTONIC */
};

static inline int64_t slice_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline struct slice slice_begin(int64_t budget_us)
{
	return (struct slice){slice_clock_us() + budget_us};
}

static inline bool slice_over(const struct slice *slice)
{
	return slice_clock_us() >= slice->until_us;
}

#endif
