/*
 * refusal.c - draws each status once, in the site's language, and keeps it.
 *
 * Nobody is known here: what was sent could not be read, or may not be. A flood of
 * such requests costs a copy of bytes each.
 */
#include "gateway/pages/refusal.h"

#include <stdlib.h>

#include <event2/buffer.h>

#include "gateway/gateway.h"
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

void refusal_page(void *nothing, enum http_refusal refusal, struct http_response *response)
{
	(void)nothing;
	if (drawn[refusal].bytes == NULL)
		draw(refusal, response->status);
	http_response_field(response, "Content-Type", "text/html; charset=utf-8");
	http_response_field(response, "Cache-Control", "no-store");
	evbuffer_add(http_response_body(response), drawn[refusal].bytes, drawn[refusal].size);
}

void refusal_pages_stop(void)
{
	for (size_t i = 0; i < HTTP_REFUSALS; i++) {
		free(drawn[i].bytes);
		drawn[i].bytes = NULL;
	}
}
