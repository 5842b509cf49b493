/*
 * forms.h - what was wrong with a form, in the reader's words.
 */
#ifndef GATEWAY_PAGES_FORMS_H
#define GATEWAY_PAGES_FORMS_H

#include "gateway/gateway.h"

/* A field of the form, "" when it did not come. */
const char *form_field(const struct visit *, const char *name);

/* The same as the id of something; 0 when it is none. */
uint64_t form_id(const struct visit *, const char *name);

/* The language that was chosen in it, or the reader's own. */
enum locale form_language(const struct visit *);

/* NFC, one line or several, in the arena; never NULL. */
const char *form_line(struct visit *, const char *name);
const char *form_body(struct visit *, const char *name);

/* Field names of a message as the form calls them; ends with NULLs. Others keep their names. */
struct form_name {
	const char *field, *input;
};

/*
 * Why a call was refused, as errors of a form: INVALID field by field, anything else as
 * one sentence for the whole form. key is a new idempotency key.
 */
struct form form_refused(struct visit *, const struct rpc_answer *, const struct form_name *);

/* One error found here; field NULL: of the whole form. The reason is translated already. */
struct form form_wrong(struct visit *, const char *field, const char *reason);

/* Whether the form comes again with this answer, rather than an error page. */
bool form_comes_again(const struct rpc_answer *);
int form_status(const struct rpc_answer *);

#endif
