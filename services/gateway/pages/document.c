/*
 * document.c - feeds and lists for machines; an ETag is the hash of what it names.
 */
#include "gateway/pages/document.h"

#include <string.h>

#include <sodium.h>

#define HASH_BYTES crypto_generichash_BYTES_MIN

static const char *etag_of(struct arena *arena, struct html written)
{
	unsigned char hash[HASH_BYTES];
	char hex[2 * HASH_BYTES + 1];

	crypto_generichash(hash, sizeof hash, (const unsigned char *)written.bytes, written.size,
			   NULL, 0);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	return arena_printf(arena, "W/\"%s\"", hex); /* weak: it may travel compressed */
}

struct step document_send(struct visit *v, const char *type, struct html_out *out)
{
	const char *etag = etag_of(&v->task.arena, html_written(out));

	visit_field(v, "ETag", etag);
	visit_field(v, "Cache-Control", "public, max-age=60");
	if (http_etag_matches(v->http, etag)) {
		html_out_free(out);
		return visit_reply(v, 304);
	}
	return visit_document(v, type, out);
}

void document_element(struct html_out *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	html_markup(out, HTML("<"));
	html_raw(out, name, strlen(name));
	html_markup(out, HTML(">"));
	html_text(out, text);
	html_markup(out, HTML("</"));
	html_raw(out, name, strlen(name));
	html_markup(out, HTML(">\n"));
}
