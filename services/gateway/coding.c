/*
 * coding.c - reads Accept-Encoding, and compresses what is sent once.
 */
#include "gateway/coding.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>
#include <zlib.h>

#include "gateway/http/http.h"

#define QUICK 1

/* "q=0", "q=0.0": not wanted. parameters: what follows the coding's name up to the next comma. */
static bool is_refused(const char *parameters, size_t length)
{
	const char *q = memmem(parameters, length, "q=", 2);

	if (q == NULL)
		return false;
	q += 2;
	length -= (size_t)(q - parameters);
	for (; length > 0 && (*q == '0' || *q == '.'); q++)
		length--;
	return length == 0 || *q == ' ' || *q == ';';
}

bool accepts_gzip(const struct http_request *request)
{
	const char *list = http_header(request, "accept-encoding");

	for (; list != NULL && *list != '\0'; list += *list == ',') {
		size_t length, name;

		list += strspn(list, " \t");
		length = strcspn(list, ",");
		name = strcspn(list, ",; \t");
		if ((name == 4 && strncasecmp(list, "gzip", 4) == 0) || (name == 1 && *list == '*'))
			return !is_refused(list + name, length - name);
		list += length;
	}
	return false;
}

static void compress_into(struct evbuffer *to, unsigned char *bytes, size_t size)
{
	z_stream z = {0};
	struct evbuffer_iovec room;

	if (deflateInit2(&z, QUICK, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    evbuffer_reserve_space(to, (ev_ssize_t)deflateBound(&z, size), &room, 1) != 1)
		abort();
	z.next_in = bytes;
	z.avail_in = (uInt)size;
	z.next_out = room.iov_base;
	z.avail_out = (uInt)room.iov_len;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	room.iov_len = z.total_out;
	deflateEnd(&z);
	evbuffer_commit_space(to, &room, 1);
}

void gzip_buffer(struct evbuffer *buffer)
{
	const size_t size = evbuffer_get_length(buffer);
	struct evbuffer *compressed = evbuffer_new();

	if (compressed == NULL)
		abort();
	compress_into(compressed, evbuffer_pullup(buffer, -1), size);
	evbuffer_drain(buffer, size);
	evbuffer_add_buffer(buffer, compressed);
	evbuffer_free(compressed);
}
