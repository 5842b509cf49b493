/*
 * drafts.c - a parent's id, a colon and the text under "draft:<cookie>".
 */
#include "gateway/drafts.h"

#include <stdlib.h>
#include <string.h>

#define COOKIE     "brouillon"
#define COOKIE_MAX 64
#define SECONDS    3600

static const char *cookie(struct visit *v)
{
	const char *name = http_cookie(v->http, COOKIE);

	return name != NULL && strlen(name) < COOKIE_MAX && session_is_token(name) ? name : NULL;
}

void draft_keep(struct visit *v, struct draft *draft, uint64_t parent_id, const char *text)
{
	struct arena *arena = &v->task.arena;
	const char *name = random_token(arena);

	cache_command(&v->task, &draft->kept, site.redis, "SET draft:%s %s EX %d", name,
		      arena_printf(arena, "%llu:%s", (unsigned long long)parent_id, text), SECONDS);
	visit_field(v, "Set-Cookie",
		    arena_printf(arena, COOKIE "=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
				 name, SECONDS, site.https ? "; Secure" : ""));
}

void draft_take(struct visit *v, struct draft *draft)
{
	const char *name = cookie(v);

	if (name != NULL)
		cache_command(&v->task, &draft->kept, site.redis, "GETDEL draft:%s", name);
}

void draft_read(struct visit *v, struct draft *draft)
{
	char *end;

	if (draft->kept.kind != CACHE_TEXT)
		return;
	draft->parent_id = strtoull(draft->kept.text, &end, 10);
	if (*end == ':')
		draft->text = arena_strdup(&v->task.arena, end + 1);
}
