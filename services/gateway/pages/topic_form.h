/*
 * topic_form.h - what proposing a topic and editing one have in common: the form.
 */
#ifndef GATEWAY_PAGES_TOPIC_FORM_H
#define GATEWAY_PAGES_TOPIC_FORM_H

#include "gateway/gateway.h"
#include "gateway/pages/fill.h"
#include "topics.pb-c.h"

/* What stands in the form: typed, or as it is saved. Never NULL once read. */
struct topic_text {
	const char *title, *lead, *article, *format, *treatment, *place, *expertises, *reason;
	enum locale language;
};

enum topic_form_action { FORM_SUBMIT, FORM_PREVIEW, FORM_DRAFT };

struct topic_text topic_text_typed(struct visit *);
struct topic_text topic_text_saved(struct visit *, const Causerie__Topic *,
				   const Causerie__Taxonomies *);
enum topic_form_action topic_form_action(const struct visit *);

/* The words of the expertises, for a request; slugs where they are known by name. */
char **topic_text_expertises(struct visit *, const struct topic_text *,
			     const Causerie__Taxonomies *, size_t *n);

/* As the view shows it, with the site's choices. */
void topic_text_show(struct visit *, const struct topic_text *, const Causerie__Taxonomies *,
		     struct topic_form_view *);

/* Why it was not saved. */
struct form topic_form_refused(struct visit *, const struct rpc_answer *);

/* Ends the visit with the form. Its title, token and preview are filled in here. */
struct step topic_form_draw(struct visit *, struct topic_form_view *, const char *title,
			    bool previews, int status);

#endif
