/*
 * names.c - a table of names in the order in which they were first seen.
 */
#include "related/names.h"

#include <stdlib.h>
#include <string.h>

#include "related/hash.h"
#include "related/memory.h"

/* Files of an evaluation come from the one who runs it: no secret key is needed. */
#define NAMES_KEY 0x9e3779b97f4a7c15u

static bool same_name(const void *owner, uint32_t position, const void *key)
{
	return strcmp(((const struct names *)owner)->at[position], key) == 0;
}

static uint32_t hash_name(const char *name)
{
	return hash_bytes(name, strlen(name), NAMES_KEY);
}

uint64_t names_find(const struct names *names, const char *name)
{
	uint32_t found = slots_find(&names->slots, hash_name(name), same_name, names, name);

	return found == SLOTS_NONE ? 0 : (uint64_t)found + 1;
}

uint64_t names_add(struct names *names, const char *name)
{
	uint64_t found = names_find(names, name);
	size_t size = strlen(name) + 1;

	if (found != 0)
		return found;
	MEMORY_GROW(names->at, names->room, names->count + 1);
	names->at[names->count] = MEMORY_NEW(char, size);
	memcpy(names->at[names->count], name, size);
	slots_add(&names->slots, hash_name(name), names->count);
	return ++names->count;
}

const char *names_text(const struct names *names, uint64_t number)
{
	return names->at[number - 1];
}

void names_free(struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++)
		free(names->at[i]);
	free(names->at);
	slots_free(&names->slots);
	*names = (struct names){0};
}
