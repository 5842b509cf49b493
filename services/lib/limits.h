/*
 * limits.h - the limits written in the comments of proto/, enforced.
 *
 * tools/compile_limits.py turns the brackets of every field's comment into a
 * table (its grammar stands in proto/common.proto); a message is walked along it
 * before a handler, or a caller, sees it. Every string is valid UTF-8 after that,
 * every number in its range, every list as long as it may be.
 */
#ifndef LIB_LIMITS_H
#define LIB_LIMITS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits_error {
	char field[65];     /* "title"; of a message within: "topic.title" */
	const char *reason; /* too_short too_long missing malformed not_allowed out_of_range */
};

/*
 * Returns how many fields break their limits, the first of them described in
 * errors (room for at most that many); 0 means the message may be used. Stops
 * counting when errors is full.
 */
size_t limits_check(const ProtobufCMessage *, struct limits_error *errors, size_t room);

/* --- the compiled table --- */

#define LIMITS_NONE UINT32_MAX

struct limits_field {
	const char *name;
	uint32_t chars_min, chars_max; /* LIMITS_NONE: not limited in characters */
	uint32_t bytes_min, bytes_max;
	uint32_t items_min, items_max;
	bool ranged; /* minimum and maximum hold */
	bool required, line;
	int64_t minimum;
	uint64_t maximum;
};

/* Rows as the descriptor's fields: by number. */
struct limits_message {
	const char *name;
	const struct limits_field *fields;
	unsigned n_fields;
};

extern const struct limits_message limits_messages[]; /* sorted by name */
extern const size_t limits_messages_count;

#endif
