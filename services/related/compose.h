/*
 * compose.h - a topic's next record from its present one and a change.
 *
 * Each function leaves the whole new record in bytes. Parts stand in this order:
 * text, links, opinions, comments.
 */
#ifndef RELATED_COMPOSE_H
#define RELATED_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "related/record.h"

struct terms;

/* Appends only: opinions and comments, behind a new text. */
void compose_behaviour(struct bytes *, const struct record *);

bool compose_find_comment(const struct record *, uint64_t comment_id, struct record_comment *);
bool compose_has_opinion(const struct record *, uint32_t user);

void compose_comment(struct bytes *, const struct record *, const struct record_comment *,
		     struct terms *);
void compose_opinion(struct bytes *, const struct record *, uint32_t user, bool given);

/* These users' opinions in place of all others. */
struct idset;
void compose_opinions(struct bytes *, const struct record *, const struct idset *users);

/* Without this user's opinion, and their comments as nobody's. */
void compose_without(struct bytes *, const struct record *, uint32_t user);

#endif
