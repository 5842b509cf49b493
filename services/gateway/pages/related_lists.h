/*
 * related_lists.h - the last related topics known of each topic, for when related is away.
 */
#ifndef GATEWAY_PAGES_RELATED_LISTS_H
#define GATEWAY_PAGES_RELATED_LISTS_H

#include <stdint.h>

#include "related.pb-c.h"

struct arena;

void related_lists_keep(uint64_t topic_id, const Causerie__ListRelatedReply *);

/* A topic that was taken back stands in no list, and has none. */
void related_lists_forget(uint64_t topic_id);
void related_lists_forget_all(void);

/* In the arena; NULL when none is known. */
const Causerie__ListRelatedReply *related_lists_find(struct arena *, uint64_t topic_id);

#endif
