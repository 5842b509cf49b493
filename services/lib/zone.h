/*
 * zone.h - local time of a named place, for any number of places at once.
 *
 * The C library knows one zone per process, and changing it races with every
 * other thread; a show in Paris seen from Montréal needs two. This reads the
 * system's zone files (TZif, RFC 9636) once each and keeps them: there are some
 * six hundred, a few kilobytes each, so keeping is bounded by what exists.
 */
#ifndef LIB_ZONE_H
#define LIB_ZONE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct zone;

/* "Europe/Paris"; NULL when there is no such zone. Lives as long as the process. Main thread. */
const struct zone *zone_find(const char *name);

/* NULL is "UTC". */
const char *zone_name(const struct zone *);

/* Broken-down local time of seconds since 1970 UTC; tm_gmtoff is set, tm_zone is not kept. */
void zone_local(const struct zone *, int64_t seconds, struct tm *);

/*
 * The instant at which clocks there show this year, month, day, hour, minute and second. Where
 * they are put back it is the first of the two; false where they skip it, and for 31 February.
 */
bool zone_instant(const struct zone *, const struct tm *, int64_t *seconds);

#endif
