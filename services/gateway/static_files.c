/*
 * static_files.c - hands out the compiled files without copying them.
 *
 * A name with our hash never changes its content and is kept for a year; one with another
 * version's hash (during an upgrade both run) gets our file, briefly.
 */
#include "gateway/static_files.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "gateway/coding.h"
#include "gateway/http/http.h"
#include "gateway_static.h"

static void add_bytes(struct http_response *response, const unsigned char *bytes, size_t size)
{
	if (evbuffer_add_reference(http_response_body(response), bytes, size, NULL, NULL) != 0)
		abort();
}

static void fill(struct http_response *response, const struct static_file *file,
		 const struct http_request *http)
{
	http_response_field(response, "Content-Type", file->type);
	if (file->gzip != NULL && accepts_gzip(http)) {
		http_response_field(response, "Content-Encoding", "gzip");
		add_bytes(response, file->gzip, file->gzip_size);
	} else {
		add_bytes(response, file->bytes, file->size);
	}
}

bool static_answer(struct http_request *http)
{
	struct http_response response = {.status = 200};
	const struct static_file *file;
	bool current;

	if (strncmp(http->path, "/static/", 8) != 0)
		return false;
	file = static_find(http->path, &current);
	if (file == NULL)
		return false;
	http_response_field(&response, "ETag", file->etag);
	http_response_field(&response, "Vary", "Accept-Encoding");
	http_response_field(&response, "Cache-Control",
			    current ? "public, max-age=31536000, immutable" : "public, max-age=60");
	if (http_etag_matches(http, file->etag))
		response.status = 304;
	else
		fill(&response, file, http);
	http_respond(http, &response);
	return true;
}
