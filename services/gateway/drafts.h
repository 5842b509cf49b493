/*
 * drafts.h - what somebody wrote without a session, kept in Redis for an hour.
 *
 * It is the form as it was sent, found again by a cookie of its own: a random name that is
 * nobody's session. The page of the form gives it back, once, to who signed in meanwhile and
 * comes with "brouillon" (or "mot", the reason of an opinion) in the address.
 */
#ifndef GATEWAY_DRAFTS_H
#define GATEWAY_DRAFTS_H

#include <stdbool.h>

struct visit;

/* Keeps the visit's form and sets the cookie on this answer; in the next step draft_is_kept(). */
void draft_keep(struct visit *);
bool draft_is_kept(const struct visit *);

/* Where the address asks for it: gives it back and forgets it. In the next step it is the visit's
   form, if draft_read() says so. */
void draft_take(struct visit *);
bool draft_read(struct visit *);

#endif
