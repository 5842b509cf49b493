/*
 * drafts.h - what somebody wrote before signing in, kept in Redis for an hour.
 *
 * It is found again by a cookie of its own, a random name that is nobody's
 * session, and given out once.
 */
#ifndef GATEWAY_DRAFTS_H
#define GATEWAY_DRAFTS_H

#include "gateway/gateway.h"

struct draft {
	struct cache_slot kept;
	uint64_t parent_id;
	const char *text; /* NULL: there is none */
};

/* Keeps it and sets the cookie on this answer. An operation of the visit's task. */
void draft_keep(struct visit *, struct draft *, uint64_t parent_id, const char *text);

/* Gives it back, and forgets it; draft_read() in the next step. */
void draft_take(struct visit *, struct draft *);
void draft_read(struct visit *, struct draft *);

#endif
