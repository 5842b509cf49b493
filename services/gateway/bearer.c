/*
 * bearer.c - the Authorization field of the JSON API (RFC 6750 2.1), and nothing else.
 *
 * Cookies are never looked at there: a request that another site makes a browser
 * send has no Authorization, so the API needs no tokens against forgery.
 */
#include <string.h>
#include <strings.h>

#include "gateway/gateway.h"

bool bearer_take(struct visit *v)
{
	const char *field = http_header(v->http, "authorization");

	if (field == NULL)
		return true;
	if (strncasecmp(field, "Bearer ", 7) != 0)
		return false;
	field += 7;
	field += strspn(field, " ");
	if (!session_is_token(field))
		return false;
	session_take_bearer(v, field);
	return true;
}

struct step bearer_refuse(struct visit *v, const char *detail)
{
	const bool had_token = http_header(v->http, "authorization") != NULL;

	visit_field(v, "WWW-Authenticate",
		    had_token ? "Bearer realm=\"api\", error=\"invalid_token\""
			      : "Bearer realm=\"api\"");
	return visit_fail(v, 401, detail);
}
