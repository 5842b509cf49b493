/*
 * refusal.c - draws each status once, in the site's language, and keeps it; programs get a problem.
 *
 * Nobody is known here: what was sent could not be read, or may not be. A flood of
 * such requests costs a copy of bytes each.
 */
#include "gateway/pages/refusal.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <jansson.h>

#include "gateway/gateway.h"
#include "gateway/problem.h"
#include "gateway/words.h"
#include "gateway_templates.h"
#include "lib/clock.h"

static struct {
	char *bytes;
	size_t size;
} drawn[HTTP_REFUSALS];

static void draw(enum http_refusal refusal, int status)
{
	struct html_out out = {.locale = site.locale, .now = {clock_now()}};
	const struct error_view view = {
		.page = {.site_name = site.name,
			 .title = tr(site.locale, error_title(status)),
			 .hide_sign_in = true},
		.status = status,
	};

	render_error_page(&out, &view);
	drawn[refusal].bytes = html_out_take(&out, &drawn[refusal].size);
}

static void write_problem(enum http_refusal refusal, struct http_response *response)
{
	json_t *problem = problem_new(response->status, http_refusal_text(refusal));
	char *text = json_dumps(problem, JSON_COMPACT);

	http_response_field(response, "Content-Type", PROBLEM_TYPE);
	evbuffer_add_printf(http_response_body(response), "%s", text);
	free(text);
	json_decref(problem);
}

void refusal_page(void *nothing, enum http_refusal refusal, const char *target,
		  struct http_response *response)
{
	(void)nothing;
	http_response_field(response, "Cache-Control", "no-store");
	if (strncmp(target, "/api/", strlen("/api/")) == 0) {
		write_problem(refusal, response);
		return;
	}
	if (drawn[refusal].bytes == NULL)
		draw(refusal, response->status);
	http_response_field(response, "Content-Type", "text/html; charset=utf-8");
	evbuffer_add(http_response_body(response), drawn[refusal].bytes, drawn[refusal].size);
}

void refusal_pages_stop(void)
{
	for (size_t i = 0; i < HTTP_REFUSALS; i++) {
		free(drawn[i].bytes);
		drawn[i].bytes = NULL;
	}
}
