/*
 * drafts.c - a form's body, as it came, under "draft:<cookie>".
 */
#include "gateway/drafts.h"

#include <string.h>

#include "gateway/gateway.h"
#include "gateway/http/form.h"

#define COOKIE     "brouillon"
#define COOKIE_MAX 64
#define SECONDS    3600

static const char *cookie(struct visit *v)
{
	const char *name = http_cookie(v->http, COOKIE);

	return name != NULL && strlen(name) < COOKIE_MAX && session_is_token(name) ? name : NULL;
}

void draft_keep(struct visit *v)
{
	struct arena *arena = &v->task.arena;
	const char *name = random_token(arena);

	cache_command(&v->task, &v->draft, site.redis, "SET draft:%s %b EX %d", name, v->http->body,
		      v->http->body_length, SECONDS);
	visit_field(v, "Set-Cookie",
		    arena_printf(arena, COOKIE "=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
				 name, SECONDS, site.https ? "; Secure" : ""));
}

bool draft_is_kept(const struct visit *v)
{
	return v->draft.kind == CACHE_TEXT && strcmp(v->draft.text, "OK") == 0;
}

static bool is_asked_for(const struct visit *v)
{
	return http_query_value(v->http, "brouillon") != NULL ||
	       http_query_value(v->http, "mot") != NULL;
}

void draft_take(struct visit *v)
{
	const char *name = cookie(v);

	if (name != NULL && visit_signed_in(v) && is_asked_for(v))
		cache_command(&v->task, &v->draft, site.redis, "GETDEL draft:%s", name);
}

bool draft_read(struct visit *v)
{
	return v->draft.kind == CACHE_TEXT &&
	       http_form_decode(&v->task.arena, v->draft.text, v->draft.length, &v->form) == 0;
}
