/*
 * choices.c - POST /theme and /langue: how a browser wants the site, and in which language.
 *
 * Both are kept in cookies; a member's language is also the account's, which mails
 * are written in and which comes before the cookie.
 */
#include <string.h>

#include "gateway/pages/forms.h"
#include "gateway/pages/pages.h"

struct choice {
	struct visit visit;
	RPC_SLOT(Causerie__Account) changed;
};

static task_step choose_theme, choose_language, chosen;

const struct handler set_theme = HANDLER(struct choice, choose_theme);
const struct handler set_language = HANDLER(struct choice, choose_language);

#define A_YEAR "; Max-Age=31536000"

/* value: one of ours, never as it came; NULL removes the cookie. */
static void set_cookie(struct visit *v, const char *name, const char *value)
{
	visit_field(v, "Set-Cookie",
		    arena_printf(&v->task.arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", name,
				 value != NULL ? value : "", value != NULL ? A_YEAR : "; Max-Age=0",
				 site.https ? "; Secure" : ""));
}

static struct step back(struct visit *v)
{
	return visit_redirect(v, 303, safe_next(form_field(v, "next"), "/"));
}

static struct step choose_theme(struct task *task)
{
	struct visit *v = (struct visit *)task;
	const char *theme = form_field(v, "theme");

	set_cookie(v, "theme",
		   strcmp(theme, "light") == 0  ? "light"
		   : strcmp(theme, "dark") == 0 ? "dark"
						: NULL);
	return back(v);
}

static struct step choose_language(struct task *task)
{
	struct choice *c = (struct choice *)task;
	struct visit *v = &c->visit;
	Causerie__ChangeAccountRequest ask = CAUSERIE__CHANGE_ACCOUNT_REQUEST__INIT;
	char language[] = "language", *set[] = {language};
	enum locale locale;

	if (!locale_parse(form_field(v, "language"), &locale))
		return back(v);
	set_cookie(v, "language", locale_tag(locale));
	if (!visit_signed_in(v))
		return back(v);
	ask.set = set;
	ask.n_set = 1;
	ask.language = arena_strdup(&task->arena, locale_tag(locale));
	RPC_CALL(task, &c->changed, causerie__accounts__change_account, site.accounts, &ask);
	return task_then(chosen);
}

static struct step chosen(struct task *task)
{
	struct choice *c = (struct choice *)task;

	if (c->changed.code != CAUSERIE__CODE__OK)
		return visit_failed(&c->visit, &c->changed.answer);
	return back(&c->visit);
}
