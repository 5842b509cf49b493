/*
 * sql_enum.h - enums as the database spells them: TOPIC_STATE_OPEN or OPEN is "open".
 *
 * Private to sql_param.c and sql_result.c.
 */
#ifndef LIB_SQL_ENUM_H
#define LIB_SQL_ENUM_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct arena;

/* NULL for 0 (unspecified); an unknown number is a bug. */
char *sql_enum_name(struct arena *, const ProtobufCEnumDescriptor *, int32_t value);

/* A number, or a name with or without the type's prefix. False: it is none of them. */
bool sql_enum_value(const ProtobufCEnumDescriptor *, const char *text, int32_t *value);

#endif
