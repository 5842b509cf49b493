/*
 * erase_account.c - /compte/effacer: a member leaves; /compte/garder: and changes their mind.
 *
 *   show;       erase --> erased: the account is closed, the page a visitor's
 *   show_link;  keep --> kept           by GET nothing changes: mail programs open links
 */
#include <string.h>

#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"
#include "lib/clock.h"

struct leaving {
	struct visit visit;
	const char *token;
	struct form form;
	RPC_SLOT(Causerie__EraseAccountReply) erased;
	RPC_SLOT(Causerie__Empty) kept;
};

static task_step show, erase, erased, show_link, keep, kept;

const struct handler erase_account_page = HANDLER(struct leaving, show);
const struct handler erase_account = HANDLER(struct leaving, erase);
const struct handler keep_account_link = HANDLER(struct leaving, show_link);
const struct handler keep_account = HANDLER(struct leaving, keep);

/* --- leaving ------------------------------------------------------------------------ */

static bool removes_comments(const struct leaving *l)
{
	return strcmp(form_field(&l->visit, "comments"), "remove") == 0;
}

static struct step draw_erase(struct leaving *l, int status)
{
	struct html_out out = page_out(&l->visit);
	struct erase_view view = {.form = l->form, .removes_comments = removes_comments(l)};

	if (l->erased.code == CAUSERIE__CODE__OK && l->erased.reply != NULL) {
		view.erased_at.us = l->erased.reply->erased_at;
		view.outcome = view.erased_at.us > clock_now() ? ERASE_CLOSED : ERASE_GONE;
	}
	page_begin(&l->visit, &view.page);
	view.page.title = tr(l->visit.locale, "Effacer mon compte");
	view.page.section = SECTION_ACCOUNT;
	render_erase_page(&out, &view);
	return visit_page(&l->visit, status, &out);
}

static struct step show(struct task *task)
{
	return draw_erase((struct leaving *)task, 200);
}

static struct step erase(struct task *task)
{
	struct leaving *l = (struct leaving *)task;
	Causerie__EraseAccountRequest ask = CAUSERIE__ERASE_ACCOUNT_REQUEST__INIT;

	ask.password = arena_strdup(&task->arena, form_field(&l->visit, "password"));
	ask.remove_comments = removes_comments(l);
	RPC_CALL(task, &l->erased, causerie__accounts__erase_account, site.accounts, &ask);
	return task_then(erased);
}

static struct form refused(struct leaving *l)
{
	struct visit *v = &l->visit;

	switch (l->erased.code) {
	case CAUSERIE__CODE__INVALID: /* too short or too long, it is not theirs either */
		return form_wrong(v, "password", tr(v->locale, "Ce n’est pas votre mot de passe."));
	case CAUSERIE__CODE__FORBIDDEN:
		return form_wrong(v, NULL,
				  tr(v->locale, "Sans vous, personne n’organiserait ce site : "
						"faites d’abord nommer quelqu’un d’autre."));
	default:
		return form_refused(v, &l->erased.answer, NULL);
	}
}

static struct step erased(struct task *task)
{
	struct leaving *l = (struct leaving *)task;

	if (l->erased.code == CAUSERIE__CODE__OK) {
		session_leave(&l->visit);
		return draw_erase(l, 200);
	}
	if (!form_comes_again(&l->erased.answer))
		return visit_failed(&l->visit, &l->erased.answer);
	l->form = refused(l);
	return draw_erase(l, form_status(&l->erased.answer));
}

/* --- and changing one's mind ------------------------------------------------------------ */

static struct step draw_keep(struct leaving *l, int outcome, int status)
{
	struct html_out out = page_out(&l->visit);
	struct keep_view view = {.outcome = (unsigned)outcome, .token = l->token};

	page_begin(&l->visit, &view.page);
	page_with_forms(&l->visit, &view.page);
	view.page.title = tr(l->visit.locale, "Garder mon compte");
	view.page.here = NULL; /* the token is for this page alone */
	view.page.hide_sign_in = true;
	render_keep_page(&out, &view);
	return visit_page(&l->visit, status, &out);
}

static struct step show_link(struct task *task)
{
	struct leaving *l = (struct leaving *)task;

	l->token = visit_parameter(&l->visit, "token");
	return draw_keep(l, KEEP_ASK, 200);
}

static struct step keep(struct task *task)
{
	struct leaving *l = (struct leaving *)task;
	Causerie__KeepAccountRequest ask = CAUSERIE__KEEP_ACCOUNT_REQUEST__INIT;

	ask.token = arena_strdup(&task->arena, form_field(&l->visit, "token"));
	RPC_CALL(task, &l->kept, causerie__accounts__keep_account, site.accounts, &ask);
	return task_then(kept);
}

static struct step kept(struct task *task)
{
	struct leaving *l = (struct leaving *)task;

	switch (l->kept.code) {
	case CAUSERIE__CODE__OK:
		return draw_keep(l, KEEP_DONE, 200);
	case CAUSERIE__CODE__NOT_FOUND:
	case CAUSERIE__CODE__GONE:
	case CAUSERIE__CODE__INVALID:
		return draw_keep(l, KEEP_REFUSED, 410);
	default:
		return visit_failed(&l->visit, &l->kept.answer);
	}
}
