/* clock.c - the machine's clocks, plus what a test added to them. */
#include "lib/clock.h"

#include <time.h>

static int64_t advanced_ms;

static int64_t read_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000 + advanced_ms;
}

int64_t clock_now(void)
{
	return read_us(CLOCK_REALTIME) + advanced_ms * 1000;
}

void clock_advance(int64_t ms)
{
	advanced_ms += ms;
}
