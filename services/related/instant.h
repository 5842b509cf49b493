/*
 * instant.h - times as the files of an evaluation write them.
 */
#ifndef RELATED_INSTANT_H
#define RELATED_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads "2024-05-06", "2024-05-06T07:08:09Z", with a blank in place of T, with a fraction, with
 * +02:00 in place of Z (RFC 3339; without a zone it is UTC) as microseconds since 1970 UTC.
 */
bool instant_read(const char *text, int64_t *us);

#endif
