/* form.c - percent decoding and the pairs it appears in. */
#include "gateway/http/form.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <unistr.h>

#include "gateway/http/http.h"
#include "lib/arena.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that %XX at text stands for, or -1. */
static int escaped_byte(const char *text, size_t length)
{
	int high, low;

	if (length < 3)
		return -1;
	high = hex_value(text[1]);
	low = hex_value(text[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_utf8(const char *text, size_t length)
{
	return u8_check((const uint8_t *)text, length) == NULL;
}

/* --- paths -------------------------------------------------------------------- */

/* "/a/b": no segment but the last is empty, none is "." or "..". */
static bool segments_are_plain(const char *path)
{
	while (*path == '/') {
		size_t length = strcspn(path + 1, "/");

		if (length == 0 && path[1] == '/')
			return false;
		if (length <= 2 && strncmp(path + 1, "..", length) == 0 && length > 0)
			return false;
		path += 1 + length;
	}
	return *path == '\0';
}

char *http_path_decode(struct arena *arena, const char *path, size_t length)
{
	char *decoded = arena_alloc(arena, length + 1), *out = decoded;

	for (size_t i = 0; i < length; i++) {
		int byte = (unsigned char)path[i];

		if (byte == '%') {
			byte = escaped_byte(path + i, length - i);
			if (byte < ' ' || byte == 0x7f)
				return NULL;
			i += 2;
		}
		if (byte == '/' && path[i] != '/') {
			memcpy(out, "%2F", 3);
			out += 3;
		} else {
			*out++ = (char)byte;
		}
	}
	*out = '\0';
	if (!is_utf8(decoded, (size_t)(out - decoded)) || !segments_are_plain(decoded))
		return NULL;
	return decoded;
}

/* --- pairs -------------------------------------------------------------------- */

/* Decodes in place and ends it in NUL; false when it holds what no text holds. */
static bool decode_in_place(char *text, size_t length)
{
	char *out = text;

	for (size_t i = 0; i < length; i++) {
		int byte = text[i] == '+' ? ' ' : (unsigned char)text[i];

		if (byte == '%') {
			byte = escaped_byte(text + i, length - i);
			i += 2;
		}
		if (byte <= 0)
			return false;
		*out++ = (char)byte;
	}
	*out = '\0';
	return is_utf8(text, (size_t)(out - text));
}

static size_t count_pairs(const char *text, const char *end)
{
	size_t n = 1;

	while ((text = memchr(text, '&', (size_t)(end - text))) != NULL) {
		n++;
		text++;
	}
	return n;
}

/* Decodes one pair in place; the byte behind it is ours to overwrite. */
static bool decode_pair(char *pair, size_t length, struct http_field *field)
{
	char *equals = memchr(pair, '=', length), *end = pair + length;
	char *name_end = equals != NULL ? equals : end;

	field->name = pair;
	field->value = equals != NULL ? equals + 1 : end;
	if (equals != NULL && !decode_in_place(equals + 1, (size_t)(end - equals - 1)))
		return false;
	if (!decode_in_place(pair, (size_t)(name_end - pair)))
		return false;
	*end = '\0';
	return true;
}

int http_form_decode(struct arena *arena, const char *text, size_t length, struct http_form *form)
{
	size_t most = count_pairs(text, text + length);
	char *at, *end;

	*form = (struct http_form){0};
	if (length == 0)
		return 0;
	if (most > HTTP_FORM_FIELDS_MAX)
		return -E2BIG;

	form->fields = ARENA_ARRAY(arena, struct http_field, most);
	at = arena_copy(arena, text, length);
	end = at + length;
	while (at < end) {
		char *ampersand = memchr(at, '&', (size_t)(end - at));
		char *pair_end = ampersand != NULL ? ampersand : end;

		if (pair_end > at &&
		    !decode_pair(at, (size_t)(pair_end - at), &form->fields[form->n_fields++]))
			return -EILSEQ;
		at = pair_end + 1;
	}
	return 0;
}

const char *http_form_nth(const struct http_form *form, const char *name, size_t index)
{
	for (size_t i = 0; i < form->n_fields; i++)
		if (strcmp(form->fields[i].name, name) == 0 && index-- == 0)
			return form->fields[i].value;
	return NULL;
}

const char *http_form_value(const struct http_form *form, const char *name)
{
	return http_form_nth(form, name, 0);
}

const char *http_query_value(const struct http_request *request, const char *name)
{
	return http_form_value(&request->query_form, name);
}

static bool is_form(const struct http_request *request)
{
	static const char wanted[] = "application/x-www-form-urlencoded";
	const char *type = http_header(request, "content-type");

	if (type == NULL || strncasecmp(type, wanted, sizeof wanted - 1) != 0)
		return false;
	type += sizeof wanted - 1;
	type += strspn(type, " \t");
	return *type == '\0' || *type == ';';
}

int http_form_read(const struct http_request *request, struct arena *arena, struct http_form *form)
{
	*form = (struct http_form){0};
	if (!is_form(request))
		return 415;

	switch (http_form_decode(arena, request->body, request->body_length, form)) {
	case 0:
		return 0;
	case -E2BIG:
		return 413;
	default:
		return 400;
	}
}

/* --- cookies ------------------------------------------------------------------ */

static void add_cookie(struct http_form *cookies, const char *name, char *equals)
{
	*equals = '\0';
	cookies->fields[cookies->n_fields++] = (struct http_field){name, equals + 1};
}

/* cookie-string, RFC 6265, 4.2.1; a piece without "=" is nobody's cookie. */
void http_cookies_read(struct arena *arena, const char *value, struct http_form *cookies)
{
	char *at = arena_strdup(arena, value);

	if (cookies->fields == NULL)
		cookies->fields = ARENA_ARRAY(arena, struct http_field, HTTP_COOKIES_MAX);

	while (*at != '\0' && cookies->n_fields < HTTP_COOKIES_MAX) {
		char *name = at + strspn(at, " \t;"), *end = name + strcspn(name, ";");
		char *equals = memchr(name, '=', (size_t)(end - name));

		at = *end == '\0' ? end : end + 1;
		*end = '\0';
		if (equals != NULL && is_utf8(name, strlen(name)))
			add_cookie(cookies, name, equals);
	}
}

const char *http_cookie(const struct http_request *request, const char *name)
{
	return http_form_value(&request->cookies, name);
}
