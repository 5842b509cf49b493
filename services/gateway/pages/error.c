/*
 * error.c - says what went wrong in the words of the site, with the request's id to tell us.
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

void draw_error(struct visit *v, int status, const char *detail, struct evbuffer *to)
{
	struct error_view view = {.status = status, .request_id = v->task.context.trace};
	struct html_out out = page_out(v);
	const char *wait = field_of(&v->response, "Retry-After");

	(void)detail;
	page_begin(v, &view.page);
	view.page.title = tr(v->locale, error_title(status));
	view.allow = field_of(&v->response, "Allow");
	view.retry_seconds = wait != NULL ? (unsigned)strtoul(wait, NULL, 10) : 0;
	render_error_page(&out, &view);
	html_out_send(&out, to);
}
