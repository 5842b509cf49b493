/* sql_enum.c - enums between messages and the database, see sql_enum.h. */
#include "lib/sql_enum.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/arena.h"

/* The value's name behind its type's prefix: in TopicState, TOPIC_STATE_OPEN and OPEN give OPEN. */
static const char *bare_name(const ProtobufCEnumDescriptor *type, const char *name)
{
	const char *at = name;

	for (const char *letter = type->short_name; *letter != '\0'; letter++) {
		if (letter != type->short_name && isupper((unsigned char)*letter) && *at++ != '_')
			return name;
		if (*at++ != toupper((unsigned char)*letter))
			return name;
	}
	return *at == '_' && at[1] != '\0' ? at + 1 : name;
}

char *sql_enum_name(struct arena *arena, const ProtobufCEnumDescriptor *type, int32_t value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);
	char *name;

	assert(found != NULL); /* unknown values are refused where they enter */
	if (value == 0)
		return NULL;
	name = arena_strdup(arena, bare_name(type, found->name));
	for (char *letter = name; *letter != '\0'; letter++)
		*letter = (char)tolower((unsigned char)*letter);
	return name;
}

bool sql_enum_value(const ProtobufCEnumDescriptor *type, const char *text, int32_t *value)
{
	if (isdigit((unsigned char)*text)) {
		*value = atoi(text);
		return protobuf_c_enum_descriptor_get_value(type, *value) != NULL;
	}
	for (unsigned i = 0; i < type->n_values; i++) {
		if (strcasecmp(text, bare_name(type, type->values[i].name)) != 0 &&
		    strcasecmp(text, type->values[i].name) != 0)
			continue;
		*value = type->values[i].value;
		return true;
	}
	return false;
}
