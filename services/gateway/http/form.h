/*
 * form.h - decodes what browsers encode: paths, queries, forms and cookies.
 *
 * Everything that comes out is valid UTF-8 without NUL; what cannot become that
 * is refused here, so that handlers trust their strings.
 */
#ifndef GATEWAY_HTTP_FORM_H
#define GATEWAY_HTTP_FORM_H

#include <stddef.h>

struct arena;
struct http_form;

/*
 * Decodes an origin-form path. NULL when an escape is broken or hides a control
 * byte, when it is not UTF-8, or has an empty or dot segment. An encoded slash
 * stays encoded, so that it never separates segments.
 */
char *http_path_decode(struct arena *, const char *path, size_t length);

/*
 * Decodes application/x-www-form-urlencoded text (WHATWG URL, 5.1). Returns 0,
 * -EILSEQ for a broken escape, NUL or invalid UTF-8, -E2BIG for more than
 * HTTP_FORM_FIELDS_MAX pairs.
 */
int http_form_decode(struct arena *, const char *text, size_t length, struct http_form *);

/* Appends the cookies of one Cookie field; those beyond HTTP_COOKIES_MAX are left out. */
#define HTTP_COOKIES_MAX 64
void http_cookies_read(struct arena *, const char *value, struct http_form *);

#endif
