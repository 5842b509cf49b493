/*
 * fields.h - what the field templates of layout.html are given.
 *
 * Labels and help are translated already. `prefix` keeps the ids of two forms on
 * one page apart; the name alone is what is posted.
 */
#ifndef GATEWAY_TEMPLATES_FIELDS_H
#define GATEWAY_TEMPLATES_FIELDS_H

#include "gateway/views.h"

struct field {
	const struct form *form;
	const char *prefix;
	const char *name;
	const char *label;
	const char *help; /* NULL */
	const char *value;
	const char *type; /* NULL: text */
	const char *autocomplete;
	const char *inputmode;
	unsigned min;
	unsigned max;
	unsigned rows; /* of a textarea */
	bool required;
	bool optional; /* says so */
	bool counted;  /* shows how much room is left */
	enum locale language;
	bool has_language; /* the text typed is in `language` */
};

#endif
