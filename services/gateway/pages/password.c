/*
 * password.c - /mot-de-passe: a forgotten password is replaced by the link in a mail.
 *
 *   show_forgot;  ask --> allowed --> asked: look into your mail, whatever the address
 *   show_reset;   reset --> done: sign in anew
 */
#include "gateway/pages/check_mail.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"

struct password {
	struct visit visit;
	const char *email, *token;
	struct form form;
	struct sign_in_limit limit;
	RPC_SLOT(Causerie__Empty) done;
};

static task_step show_forgot, ask_mail, allowed, asked, show_link, show_reset, reset, was_reset;

const struct handler forgot_page = HANDLER(struct password, show_forgot);
const struct handler forgot_password = HANDLER(struct password, ask_mail);
const struct handler reset_link = HANDLER(struct password, show_link);
const struct handler reset_page = HANDLER(struct password, show_reset);
const struct handler reset_password = HANDLER(struct password, reset);

/* --- asking for the link ---------------------------------------------------------- */

static struct step draw_forgot(struct password *p, int status)
{
	struct html_out out = page_out(&p->visit);
	struct forgot_view view = {.form = p->form, .email = p->email};

	page_begin(&p->visit, &view.page);
	page_with_forms(&p->visit, &view.page);
	view.page.title = tr(p->visit.locale, "Mot de passe oublié");
	view.page.hide_sign_in = true;
	render_forgot_page(&out, &view);
	return visit_page(&p->visit, status, &out);
}

static struct step show_forgot(struct task *task)
{
	return draw_forgot((struct password *)task, 200);
}

static struct step ask_mail(struct task *task)
{
	struct password *p = (struct password *)task;

	p->email = form_line(&p->visit, "email");
	if (*p->email == '\0') {
		p->form = form_wrong(&p->visit, "email",
				     tr(p->visit.locale, "Ce champ est nécessaire."));
		return draw_forgot(p, 422);
	}
	limit_mail(&p->visit, &p->limit, p->email);
	return task_then(allowed);
}

static struct step allowed(struct task *task)
{
	struct password *p = (struct password *)task;
	Causerie__ForgotPasswordRequest ask = CAUSERIE__FORGOT_PASSWORD_REQUEST__INIT;

	if (!limit_mail_allows(&p->limit))
		return draw_check_mail(&p->visit, CHECK_RESET, p->email);
	ask.email = arena_strdup(&task->arena, p->email);
	RPC_CALL(task, &p->done, causerie__accounts__forgot_password, site.accounts, &ask);
	return task_then(asked);
}

static struct step asked(struct task *task)
{
	struct password *p = (struct password *)task;

	if (p->done.code == CAUSERIE__CODE__OK)
		return draw_check_mail(&p->visit, CHECK_RESET, p->email);
	p->form = form_refused(&p->visit, &p->done.answer, NULL);
	return draw_forgot(p, form_status(&p->done.answer));
}

/* --- using it ------------------------------------------------------------------------ */

static struct step draw_reset(struct password *p, bool refused, int status)
{
	struct html_out out = page_out(&p->visit);
	struct reset_view view = {.form = p->form, .token = p->token, .is_refused = refused};

	page_begin(&p->visit, &view.page);
	page_with_forms(&p->visit, &view.page);
	view.page.title = tr(p->visit.locale, "Nouveau mot de passe");
	view.page.here = NULL; /* the token is for this page alone */
	view.page.hide_sign_in = true;
	render_reset_page(&out, &view);
	return visit_page(&p->visit, status, &out);
}

static struct step show_link(struct task *task)
{
	struct password *p = (struct password *)task;

	p->token = visit_parameter(&p->visit, "token");
	return draw_reset(p, false, 200);
}

static struct step show_reset(struct task *task)
{
	struct password *p = (struct password *)task;

	p->token = http_query_value(p->visit.http, "token");
	return draw_reset(p, p->token == NULL, 200);
}

static struct step reset(struct task *task)
{
	struct password *p = (struct password *)task;
	Causerie__ResetPasswordRequest ask = CAUSERIE__RESET_PASSWORD_REQUEST__INIT;

	p->token = form_field(&p->visit, "token");
	ask.token = arena_strdup(&task->arena, p->token);
	ask.password = arena_strdup(&task->arena, form_field(&p->visit, "password"));
	RPC_CALL(task, &p->done, causerie__accounts__reset_password, site.accounts, &ask);
	return task_then(was_reset);
}

static struct step was_reset(struct task *task)
{
	struct password *p = (struct password *)task;

	switch (p->done.code) {
	case CAUSERIE__CODE__OK:
		session_set_cookie(&p->visit, NULL); /* every session has ended */
		return visit_redirect(&p->visit, 303, "/connexion?fait=mot-de-passe");
	case CAUSERIE__CODE__NOT_FOUND:
	case CAUSERIE__CODE__GONE:
		return draw_reset(p, true, 410);
	default:
		p->form = form_refused(&p->visit, &p->done.answer, NULL);
		return draw_reset(p, false, form_status(&p->done.answer));
	}
}
