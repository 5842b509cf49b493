/*
 * forms.c - what was wrong with a form, in the reader's words.
 *
 * A service names a field and a reason for programs; people read a sentence, at
 * the field and on top of the form.
 */
#include "gateway/pages/forms.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

const char *form_field(const struct visit *v, const char *name)
{
	const char *value = http_form_value(&v->form, name);

	return value != NULL ? value : "";
}

uint64_t form_id(const struct visit *v, const char *name)
{
	const unsigned long long id = strtoull(form_field(v, name), NULL, 10);

	return id <= INT64_MAX ? id : 0;
}

enum locale form_language(const struct visit *v)
{
	enum locale language = v->locale;

	locale_parse(form_field(v, "language"), &language);
	return language;
}

const char *form_line(struct visit *v, const char *name)
{
	return text_line(&v->task.arena, form_field(v, name));
}

const char *form_body(struct visit *v, const char *name)
{
	return text_body(&v->task.arena, form_field(v, name));
}

static const struct {
	const char *reason, *sentence;
} reasons[] = {
	{"missing", TR("Ce champ est nécessaire.")},
	{"too_short", TR("C’est trop court.")},
	{"too_long", TR("C’est trop long.")},
	{"taken", TR("C’est déjà pris, ou trop semblable à un autre.")},
	{"malformed", TR("Cela n’a pas la bonne forme.")},
	{"not_allowed", TR("Cette valeur ne convient pas.")},
	{"out_of_range", TR("Cette valeur est hors des limites.")},
};

static const char *sentence(enum locale locale, const char *reason)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			return tr(locale, reasons[i].sentence);
	return tr(locale, "Cette valeur ne convient pas.");
}

/* As the contract has them; a number helps where a length is wrong. */
static const struct {
	const char *field;
	unsigned least, most;
} lengths[] = {
	{"title", 10, 140},
	{"lead", 60, 600},
	{"article", 200, 20000},
	{"body", 2, 5000},
};

static const char *length_sentence(struct visit *v, size_t i, bool is_short)
{
	const char *begins = is_short ? tr(v->locale, "C’est trop court : au moins")
				      : tr(v->locale, "C’est trop long : au plus");

	return arena_printf(&v->task.arena, "%s %u %s.", begins,
			    is_short ? lengths[i].least : lengths[i].most, tr(v->locale, "signes"));
}

static const char *sentence_for(struct visit *v, const char *field, const char *reason)
{
	const bool is_short = strcmp(reason, "too_short") == 0;

	if (is_short || strcmp(reason, "too_long") == 0)
		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
			if (strcmp(lengths[i].field, field) == 0)
				return length_sentence(v, i, is_short);
	return sentence(v->locale, reason);
}

static const char *whole(enum locale locale, Causerie__Code code)
{
	switch (code) {
	case CAUSERIE__CODE__CONFLICT:
		return tr(
			locale,
			"Quelqu’un d’autre a changé cela entre-temps : relisez, puis recommencez.");
	case CAUSERIE__CODE__FORBIDDEN:
		return tr(locale, "Ce n’est pas possible, ou plus possible, ici.");
	case CAUSERIE__CODE__EXHAUSTED:
		return tr(locale, "C’est beaucoup en peu de temps : réessayez dans une minute.");
	case CAUSERIE__CODE__OVERLOADED:
		return tr(locale, "Le site est très sollicité : réessayez dans un instant.");
	default:
		return tr(locale, "Ce service ne répond pas en ce moment. Votre texte est gardé "
				  "ici : réessayez dans un instant.");
	}
}

static const char *input_of(const struct form_name *names, const char *field)
{
	for (; names != NULL && names->field != NULL; names++)
		if (strcmp(names->field, field) == 0)
			return names->input;
	return field;
}

struct form form_refused(struct visit *v, const struct rpc_answer *answer,
			 const struct form_name *names)
{
	const size_t n = answer->code == CAUSERIE__CODE__INVALID && answer->n_errors > 0
				 ? answer->n_errors
				 : 1;
	struct form_error *errors = ARENA_ARRAY(&v->task.arena, struct form_error, n);

	errors[0].reason = whole(v->locale, answer->code);
	for (size_t i = 0; i < answer->n_errors; i++) {
		errors[i].field = input_of(names, answer->errors[i]->field);
		errors[i].reason =
			sentence_for(v, answer->errors[i]->field, answer->errors[i]->reason);
	}
	return (struct form){random_token(&v->task.arena), errors, n};
}

struct form form_wrong(struct visit *v, const char *field, const char *reason)
{
	struct form_error *error = ARENA_NEW(&v->task.arena, struct form_error);

	error->field = field;
	error->reason = reason;
	return (struct form){random_token(&v->task.arena), error, 1};
}

bool form_comes_again(const struct rpc_answer *answer)
{
	return answer->code != CAUSERIE__CODE__NOT_FOUND && answer->code != CAUSERIE__CODE__GONE &&
	       answer->code != CAUSERIE__CODE__UNAUTHENTICATED &&
	       answer->code != CAUSERIE__CODE__INTERNAL;
}

int form_status(const struct rpc_answer *answer)
{
	switch (answer->code) {
	case CAUSERIE__CODE__INVALID:
		return 422;
	case CAUSERIE__CODE__CONFLICT:
		return 409;
	case CAUSERIE__CODE__FORBIDDEN:
		return 403;
	case CAUSERIE__CODE__EXHAUSTED:
		return 429;
	default:
		return 503;
	}
}
