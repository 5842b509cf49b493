/*
 * views.h - what the mails' templates show; plain data, filled by write_mail.c.
 */
#ifndef NOTIFICATIONS_VIEWS_H
#define NOTIFICATIONS_VIEWS_H

#include "lib/template.h"

extern const struct html mail_style; /* stands in the head of every mail */

/* What every mail ends with. */
struct mail_foot {
	const char *site, *site_url;
	const char *why;      /* "Vous recevez ce message parce que …", translated */
	const char *stop_url; /* NULL: there is nothing to stop */
};

struct comment_mail {
	const char *title; /* of the topic */
	enum locale title_language;
	const char *author;
	const char *did; /* "a répondu à votre réaction", translated */
	struct html body_html;
	const char *body_text;
	enum locale body_language;
	const char *url; /* of the comment */
	struct mail_foot foot;
};

struct state_mail {
	const char *title, *lead;
	enum locale title_language;
	const char *news; /* "Votre sujet est ouvert à la discussion.", translated */
	const char *url;
	struct mail_foot foot;
};

struct account_mail {
	const char *name;
	const char *heading, *message; /* translated */
	const char *button, *url;      /* NULL: no link */
	struct moment until;           /* all zero: it says nothing of a time */
	const char *note;              /* what if it was not you, translated */
	struct mail_foot foot;
};

#endif
