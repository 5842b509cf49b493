/*
 * verification.c - /verification: an address is confirmed by the link in a mail.
 *
 *   show (a button)     by GET nothing changes: mail programs open links by themselves
 *   verify --> verified        which ends the sessions there were: one signs in with what one
 * signed up with resend --> resent   a member whose address is not confirmed asks for another link
 */
#include <string.h>

#include "gateway/pages/check_mail.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"

struct verification {
	struct visit visit;
	const char *token;
	RPC_SLOT(Causerie__VerifyReply) verified;
	RPC_SLOT(Causerie__Empty) resent;
};

static task_step show_link, show, verify, verified, resend, resent;

const struct handler verify_link = HANDLER(struct verification, show_link);
const struct handler verify_page = HANDLER(struct verification, show);
const struct handler verify_address = HANDLER(struct verification, verify);
const struct handler resend_verification = HANDLER(struct verification, resend);

static struct step draw(struct verification *f, int outcome, int status)
{
	struct html_out out = page_out(&f->visit);
	struct verify_view view = {.outcome = (unsigned)outcome, .token = f->token};

	page_begin(&f->visit, &view.page);
	page_with_forms(&f->visit, &view.page);
	view.page.title = tr(f->visit.locale, "Confirmer votre adresse");
	view.page.here = NULL; /* the token is for this page alone */
	view.page.hide_sign_in = true;
	render_verify_page(&out, &view);
	return visit_page(&f->visit, status, &out);
}

static struct step show_link(struct task *task)
{
	struct verification *f = (struct verification *)task;

	f->token = visit_parameter(&f->visit, "token");
	return draw(f, VERIFY_ASK, 200);
}

static struct step show(struct task *task)
{
	struct verification *f = (struct verification *)task;

	f->token = http_query_value(f->visit.http, "token");
	if (f->token != NULL)
		return draw(f, VERIFY_ASK, 200);
	if (!visit_signed_in(&f->visit))
		return visit_redirect(&f->visit, 303, "/connexion?next=%2Fverification");
	return draw(f, f->visit.task.context.viewer.verified ? VERIFY_DONE : VERIFY_RESEND, 200);
}

static struct step verify(struct task *task)
{
	struct verification *f = (struct verification *)task;
	Causerie__VerifyRequest ask = CAUSERIE__VERIFY_REQUEST__INIT;

	ask.token = arena_strdup(&task->arena, form_field(&f->visit, "token"));
	RPC_CALL(task, &f->verified, causerie__accounts__verify, site.accounts, &ask);
	return task_then(verified);
}

static struct step verified(struct task *task)
{
	struct verification *f = (struct verification *)task;
	struct visit *v = &f->visit;

	switch (f->verified.code) {
	case CAUSERIE__CODE__OK:
		if (visit_signed_in(v) && !task->context.viewer.verified &&
		    v->session->account_id == f->verified.reply->account_id)
			session_leave(v);
		return draw(f, VERIFY_DONE, 200);
	case CAUSERIE__CODE__NOT_FOUND:
	case CAUSERIE__CODE__GONE:
	case CAUSERIE__CODE__INVALID:
		return draw(f, VERIFY_REFUSED, 410);
	default:
		return visit_failed(v, &f->verified.answer);
	}
}

static struct step resend(struct task *task)
{
	struct verification *f = (struct verification *)task;
	static const Causerie__ResendVerificationRequest ask =
		CAUSERIE__RESEND_VERIFICATION_REQUEST__INIT;

	RPC_CALL(task, &f->resent, causerie__accounts__resend_verification, site.accounts, &ask);
	return task_then(resent);
}

static struct step resent(struct task *task)
{
	struct verification *f = (struct verification *)task;

	if (f->resent.code != CAUSERIE__CODE__OK)
		return visit_failed(&f->visit, &f->resent.answer);
	return draw_check_mail(&f->visit, CHECK_VERIFY, NULL);
}
