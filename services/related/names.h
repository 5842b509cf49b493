/*
 * names.h - numbers for the ids of an evaluation's files, which may be any text.
 */
#ifndef RELATED_NAMES_H
#define RELATED_NAMES_H

#include <stdint.h>

#include "related/slots.h"

/* All zero is empty. */
struct names {
	char **at; /* by number - 1 */
	uint32_t count, room;
	struct slots slots;
};

/* The number of a name, from 1; 0 when it is not known. */
uint64_t names_find(const struct names *, const char *name);
uint64_t names_add(struct names *, const char *name);
const char *names_text(const struct names *, uint64_t number);
void names_free(struct names *);

#endif
