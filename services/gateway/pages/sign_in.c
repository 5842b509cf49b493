/*
 * sign_in.c - /connexion and /deconnexion: a session begins, a session ends.
 *
 *   show
 *   read --> limited --> signed in --> where one came from
 *      +-------+-----------+--> the form again, the same words for every address
 *
 * Every sign-in makes a new token; one that a browser brought along is never taken over.
 */
#include <string.h>

#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/words.h"
#include "gateway_templates.h"

struct sign_in {
	struct visit visit;
	const char *email, *next;
	unsigned wait;
	struct form form;
	struct sign_in_limit limit;
	RPC_SLOT(Causerie__SignInReply) opened;
	RPC_SLOT(Causerie__Empty) ended;
};

static task_step show, read_form, limited, signed_in, end, ended;

const struct handler sign_in_page = HANDLER(struct sign_in, show);
const struct handler sign_in = HANDLER(struct sign_in, read_form);
const struct handler sign_out = HANDLER(struct sign_in, end);

static struct step draw(struct sign_in *s, int status)
{
	struct html_out out = page_out(&s->visit);
	struct sign_in_view view = {
		.form = s->form,
		.email = s->email,
		.next = safe_next(s->next, NULL),
		.retry_seconds = s->wait,
	};

	view.keeps_text = view.next != NULL && (strstr(view.next, "brouillon=1") != NULL ||
						strstr(view.next, "mot=1") != NULL);
	page_begin(&s->visit, &view.page);
	page_with_forms(&s->visit, &view.page);
	page_say_done(&s->visit, &view.page);
	view.page.title = tr(s->visit.locale, "Connexion");
	view.page.hide_sign_in = true;
	render_sign_in_page(&out, &view);
	return visit_page(&s->visit, status, &out);
}

static struct step show(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;

	s->next = http_query_value(s->visit.http, "next");
	if (visit_signed_in(&s->visit))
		return visit_redirect(&s->visit, 303, safe_next(s->next, "/"));
	return draw(s, 200);
}

static struct step refuse_pair(struct sign_in *s)
{
	s->form = form_wrong(
		&s->visit, NULL,
		tr(s->visit.locale, "Cette adresse et ce mot de passe ne vont pas ensemble."));
	return draw(s, 422);
}

/* Only who knows the password is told. */
static struct step refuse_closing(struct sign_in *s)
{
	s->form = form_wrong(&s->visit, NULL,
			     tr(s->visit.locale,
				"Ce compte va être effacé. Le lien du message que vous avez reçu "
				"permet de le garder ; « Mot de passe oublié » le renvoie."));
	return draw(s, 403);
}

static struct step read_form(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;

	s->next = form_field(&s->visit, "next");
	s->email = form_line(&s->visit, "email");
	if (*s->email == '\0' || *form_field(&s->visit, "password") == '\0')
		return refuse_pair(s);
	limit_sign_in(&s->visit, &s->limit, s->email);
	return task_then(limited);
}

/* Nobody tried too often: without Redis nobody can tell. */
static struct step refuse_uncounted(struct sign_in *s)
{
	s->form = form_wrong(&s->visit, NULL,
			     tr(s->visit.locale, missing_sentence(MISSING_SESSIONS)));
	visit_field(&s->visit, "Retry-After",
		    arena_printf(&s->visit.task.arena, "%u", limit_sign_in_verdict(&s->limit)));
	return draw(s, 503);
}

static struct step limited(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;
	struct arena *arena = &task->arena;
	Causerie__SignInRequest ask = CAUSERIE__SIGN_IN_REQUEST__INIT;

	if (limit_is_unknown(&s->limit))
		return refuse_uncounted(s);
	s->wait = limit_sign_in_verdict(&s->limit);
	if (s->wait > 0) {
		visit_field(&s->visit, "Retry-After", arena_printf(arena, "%u", s->wait));
		return draw(s, 429);
	}
	ask.email = arena_strdup(arena, s->email);
	ask.password = arena_strdup(arena, form_field(&s->visit, "password"));
	ask.label = arena_strdup(arena, visit_device(&s->visit));
	ask.network = arena_strdup(arena, visit_network(&s->visit));
	RPC_CALL(task, &s->opened, causerie__accounts__sign_in, site.accounts, &ask);
	return task_then(signed_in);
}

static struct step signed_in(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;

	switch (s->opened.code) {
	case CAUSERIE__CODE__OK:
		limit_sign_in_succeeded(&s->visit, s->email);
		session_set_cookie(&s->visit, s->opened.reply->token);
		return visit_redirect(&s->visit, 303, safe_next(s->next, "/"));
	case CAUSERIE__CODE__UNAUTHENTICATED:
	case CAUSERIE__CODE__INVALID: /* a field beyond its limits is no pair either */
		return refuse_pair(s);
	case CAUSERIE__CODE__FORBIDDEN:
		return refuse_closing(s);
	default:
		s->form = form_refused(&s->visit, &s->opened.answer, NULL);
		return draw(s, form_status(&s->opened.answer));
	}
}

/* --- and out ------------------------------------------------------------------------ */

static struct step end(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;
	Causerie__EndSessionRequest ask = CAUSERIE__END_SESSION_REQUEST__INIT;

	if (s->visit.session_unknown)
		return visit_fail(&s->visit, 503, "Sessions cannot be ended at the moment.");
	if (!visit_signed_in(&s->visit))
		return visit_redirect(&s->visit, 303, "/");
	ask.token_hash = (ProtobufCBinaryData){sizeof s->visit.token_hash, s->visit.token_hash};
	RPC_CALL(task, &s->ended, causerie__accounts__end_session, site.accounts, &ask);
	return task_then(ended);
}

static struct step ended(struct task *task)
{
	struct sign_in *s = (struct sign_in *)task;

	if (s->ended.code != CAUSERIE__CODE__OK)
		return visit_failed(&s->visit, &s->ended.answer);
	session_set_cookie(&s->visit, NULL);
	return visit_redirect(&s->visit, 303, "/");
}
