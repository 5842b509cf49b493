/*
 * sign_up.c - /inscription: an account is asked for, the rest is in a mail.
 *
 *   show
 *   read --> answered: look into your mail, whatever the address
 */
#include "gateway/pages/check_mail.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"

struct sign_up {
	struct visit visit;
	const char *email, *name, *next;
	struct form form;
	RPC_SLOT(Causerie__Empty) written;
};

static task_step show, read_form, answered;

const struct handler sign_up_page = HANDLER(struct sign_up, show);
const struct handler sign_up = HANDLER(struct sign_up, read_form);

static struct step draw(struct sign_up *s, int status)
{
	struct html_out out = page_out(&s->visit);
	struct sign_up_view view = {
		.form = s->form,
		.email = s->email,
		.name = s->name,
		.next = safe_next(s->next, NULL),
		.language = s->visit.locale,
	};

	locale_parse(form_field(&s->visit, "language"), &view.language);
	page_begin(&s->visit, &view.page);
	page_with_forms(&s->visit, &view.page);
	view.page.title = tr(s->visit.locale, "Inscription");
	view.page.hide_sign_in = true;
	render_sign_up_page(&out, &view);
	return visit_page(&s->visit, status, &out);
}

static struct step show(struct task *task)
{
	struct sign_up *s = (struct sign_up *)task;

	s->next = http_query_value(s->visit.http, "next");
	if (visit_signed_in(&s->visit))
		return visit_redirect(&s->visit, 303, safe_next(s->next, "/"));
	return draw(s, 200);
}

static struct step read_form(struct task *task)
{
	struct sign_up *s = (struct sign_up *)task;
	struct arena *arena = &task->arena;
	Causerie__SignUpRequest ask = CAUSERIE__SIGN_UP_REQUEST__INIT;

	s->next = form_field(&s->visit, "next");
	s->email = form_line(&s->visit, "email");
	s->name = form_line(&s->visit, "name");
	ask.email = arena_strdup(arena, s->email);
	ask.display_name = arena_strdup(arena, form_field(&s->visit, "name"));
	ask.password = arena_strdup(arena, form_field(&s->visit, "password"));
	ask.language = arena_strdup(arena, form_field(&s->visit, "language"));
	if (*ask.language == '\0')
		ask.language = arena_strdup(arena, locale_tag(s->visit.locale));
	RPC_CALL(task, &s->written, causerie__accounts__sign_up, site.accounts, &ask);
	return task_then(answered);
}

static struct step answered(struct task *task)
{
	struct sign_up *s = (struct sign_up *)task;

	if (s->written.code == CAUSERIE__CODE__OK)
		return draw_check_mail(&s->visit, CHECK_VERIFY, s->email);
	s->form = form_refused(&s->visit, &s->written.answer,
			       (const struct form_name[]){{"display_name", "name"}, {NULL, NULL}});
	return draw(s, form_status(&s->written.answer));
}
