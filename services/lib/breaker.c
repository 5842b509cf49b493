/*
 * breaker.c - when to stop asking a replica that does not answer.
 */
#include "lib/breaker.h"

#include <string.h>

#define IN_A_ROW     5
#define ENOUGH       20
#define PAUSE_MS     5000
#define PAUSE_MAX_MS 30000

/* Empties the buckets of the seconds that passed since the last call. */
static unsigned bucket(struct breaker *breaker, int64_t now)
{
	const int64_t second = now / 1000;

	for (int passed = 0; breaker->second < second && passed < BREAKER_SECONDS; passed++) {
		breaker->second++;
		breaker->calls[breaker->second % BREAKER_SECONDS] = 0;
		breaker->failed[breaker->second % BREAKER_SECONDS] = 0;
	}
	if (breaker->second < second) {
		memset(breaker->calls, 0, sizeof breaker->calls);
		memset(breaker->failed, 0, sizeof breaker->failed);
		breaker->second = second;
	}
	return (unsigned)(breaker->second % BREAKER_SECONDS);
}

void breaker_answered(struct breaker *breaker, int64_t now)
{
	breaker->calls[bucket(breaker, now)]++;
	breaker->in_a_row = 0;
	if (!breaker_is_open(breaker))
		return;
	*breaker = (struct breaker){.second = breaker->second};
}

static bool mostly_fails(const struct breaker *breaker)
{
	unsigned calls = 0, failed = 0;

	for (unsigned i = 0; i < BREAKER_SECONDS; i++) {
		calls += breaker->calls[i];
		failed += breaker->failed[i];
	}
	return calls >= ENOUGH && failed * 2 > calls;
}

bool breaker_timed_out(struct breaker *breaker, int64_t now)
{
	const unsigned i = bucket(breaker, now);

	breaker->calls[i]++;
	breaker->failed[i]++;
	breaker->in_a_row++;
	if (breaker_is_open(breaker))
		return breaker_may_try(breaker, now); /* the try failed */
	return breaker->in_a_row >= IN_A_ROW || mostly_fails(breaker);
}

void breaker_open(struct breaker *breaker, int64_t now)
{
	breaker->pause_ms = breaker->pause_ms ? breaker->pause_ms * 2 : PAUSE_MS;
	if (breaker->pause_ms > PAUSE_MAX_MS)
		breaker->pause_ms = PAUSE_MAX_MS;
	breaker->open_until_ms = now + breaker->pause_ms;
}
