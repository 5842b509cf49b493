/*
 * error.c - says what went wrong in the words of the site, with the request's id to tell us.
 *
 * A form that failed comes along with what was written in it, under a fresh token, and with the
 * key it had: sent again it is still one comment, one topic. Forms with passwords do not.
 */
#include "gateway/pages/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/gateway.h"
#include "gateway/pages/page.h"
#include "gateway/words.h"
#include "gateway_templates.h"

static const char *field_of(const struct http_response *response, const char *name)
{
	for (size_t i = 0; i < response->n_fields; i++)
		if (strcasecmp(response->fields[i].name, name) == 0)
			return response->fields[i].value;
	return NULL;
}

/* What people write with care; all else of a form goes along unseen. */
static bool is_text(const struct http_field *field)
{
	static const char *const texts[] = {
		"text",   "title",   "lead", "article",      "place",      "expertises",
		"reason", "details", "bio",  "organisation", "transcript", NULL,
	};

	for (size_t i = 0; texts[i] != NULL; i++)
		if (strcmp(texts[i], field->name) == 0)
			return *field->value != '\0';
	return false;
}

static bool has_text(const struct http_form *form)
{
	for (size_t i = 0; i < form->n_fields; i++)
		if (is_text(&form->fields[i]))
			return true;
	return false;
}

/* The same may be well in a moment, or with the token that this page has. */
static bool may_pass_later(int status)
{
	return status == 403 || status == 429 || status >= 500;
}

static void show_sent(struct visit *v, struct error_view *view)
{
	const struct http_form *form = &v->form;
	struct sent_field *sent = ARENA_ARRAY(&v->task.arena, struct sent_field, form->n_fields);

	for (size_t i = 0; i < form->n_fields; i++) {
		const struct http_field *field = &form->fields[i];

		if (strcmp(field->name, "csrf") != 0)
			sent[view->n_sent++] = (struct sent_field){
				field->name, field->value,
				is_text(field) ? input_word(field->name) : NULL};
	}
	view->sent = sent;
	view->action = v->http->path;
	view->may_send_again = may_pass_later(view->status);
	page_with_forms(v, &view->page);
}

static bool is_form(const struct visit *v)
{
	return v->http->method == HTTP_POST &&
	       !(v->route->flags & (ROUTE_SLOW | ROUTE_ONE_CLICK)) && has_text(&v->form);
}

void draw_error(struct visit *v, int status, const char *detail, struct evbuffer *to)
{
	struct error_view view = {.status = status, .request_id = v->task.context.trace};
	struct html_out out = page_out(v);
	const char *wait = field_of(&v->response, "Retry-After");

	(void)detail;
	page_begin(v, &view.page);
	if (is_form(v))
		show_sent(v, &view);
	view.page.title = tr(v->locale, error_title(status));
	view.allow = field_of(&v->response, "Allow");
	view.retry_seconds = wait != NULL ? (unsigned)strtoul(wait, NULL, 10) : 0;
	render_error_page(&out, &view);
	html_out_send(&out, to);
}
