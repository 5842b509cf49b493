/*
 * expertises.h - expertises as people type them: "confiance, community management".
 */
#ifndef GATEWAY_PAGES_EXPERTISES_H
#define GATEWAY_PAGES_EXPERTISES_H

#include "lib/locale.h"
#include "topics.pb-c.h"

struct arena;

#define EXPERTISES_TYPED_MAX 20 /* what follows is not read; services allow fewer */

/* The words between commas, in the arena; empty ones are left out. */
char **expertises_typed(struct arena *, const char *text, size_t *n);

/* A word that is the name of a known expertise, in either language, becomes its slug. */
void expertises_as_slugs(struct arena *, const Causerie__Taxonomies *, char **words, size_t n);

/* As one would type them. */
const char *expertises_as_text(struct arena *, const Causerie__Taxonomies *, char *const *slugs,
			       size_t n, enum locale);

#endif
