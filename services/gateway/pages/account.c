/*
 * account.c - /compte: what the site knows of a member, and what they may change of it.
 *
 *   look --> draw
 *   save_profile --> saved --> back, or look --> draw with what was typed
 *   change_password …, close …
 */
#include <string.h>

#include "gateway/pages/expertises.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"

struct account {
	struct visit visit;
	int status;
	RPC_SLOT(Causerie__Account) known;
	RPC_SLOT(Causerie__ListSessionsReply) sessions;
	RPC_SLOT(Causerie__Account) changed;
	RPC_SLOT(Causerie__Empty) done;
	struct terms terms;
	bool profile_typed;
	struct form profile, password;
};

static task_step look, draw, save_profile, send_profile, saved, change_password, password_changed;
static task_step close_session, close_others, closed;

const struct handler account_page = HANDLER(struct account, look);
const struct handler save_account = HANDLER(struct account, save_profile);
const struct handler change_own_password = HANDLER(struct account, change_password);
const struct handler close_one_session = HANDLER(struct account, close_session);
const struct handler close_other_sessions = HANDLER(struct account, close_others);

static ProtobufCBinaryData own_token(struct account *a)
{
	return (ProtobufCBinaryData){sizeof a->visit.token_hash, a->visit.token_hash};
}

/* --- the page ----------------------------------------------------------------------- */

static struct step look(struct task *task)
{
	struct account *a = (struct account *)task;
	static const Causerie__GetAccountRequest ask = CAUSERIE__GET_ACCOUNT_REQUEST__INIT;
	Causerie__ListSessionsRequest list = CAUSERIE__LIST_SESSIONS_REQUEST__INIT;

	list.token_hash = own_token(a);
	RPC_CALL(task, &a->known, causerie__accounts__get_account, site.accounts, &ask);
	RPC_CALL(task, &a->sessions, causerie__accounts__list_sessions, site.accounts, &list);
	terms_load(task, &a->terms);
	return task_then(draw);
}

static void show_profile(struct account *a, struct account_view *view)
{
	const Causerie__Account *known = a->known.reply;

	view->email = known->email;
	view->name = known->display_name;
	view->organisation = known->organisation;
	view->bio = known->bio;
	view->language = fill_locale(known->language, a->visit.locale);
	view->time_zone = known->time_zone;
	view->expertises_text =
		expertises_as_text(&a->visit.task.arena, terms_take(&a->terms), known->expertises,
				   known->n_expertises, a->visit.locale);
	if (!a->profile_typed)
		return;
	view->name = form_line(&a->visit, "name");
	view->organisation = form_line(&a->visit, "organisation");
	view->bio = form_line(&a->visit, "bio");
	view->time_zone = form_line(&a->visit, "time_zone");
	view->expertises_text = form_line(&a->visit, "expertises");
	locale_parse(form_field(&a->visit, "language"), &view->language);
}

static void show_sessions(struct account *a, struct account_view *view)
{
	const Causerie__ListSessionsReply *list = a->sessions.reply;
	struct session_row *rows;

	if (list == NULL)
		return;
	rows = ARENA_ARRAY(&a->visit.task.arena, struct session_row, list->n_sessions);
	for (size_t i = 0; i < list->n_sessions; i++) {
		const Causerie__Session *session = list->sessions[i];

		rows[i] = (struct session_row){
			.id = session->id,
			.device = *session->label ? session->label
						  : tr(a->visit.locale, "Appareil inconnu"),
			.is_current = session->current,
			.is_token = session->api,
			.started = {session->created_at},
			.seen = {session->seen_at},
		};
	}
	view->sessions = rows;
	view->n_sessions = list->n_sessions;
}

static struct step draw(struct task *task)
{
	struct account *a = (struct account *)task;
	struct html_out out = page_out(&a->visit);
	struct account_view view = {.profile = a->profile, .password = a->password};

	if (a->known.code != CAUSERIE__CODE__OK)
		return visit_failed(&a->visit, &a->known.answer);
	page_begin(&a->visit, &view.page);
	page_say_done(&a->visit, &view.page);
	view.page.title = tr(a->visit.locale, "Mon compte");
	view.page.section = SECTION_ACCOUNT;
	show_profile(a, &view);
	show_sessions(a, &view);
	render_account_page(&out, &view);
	return visit_page(&a->visit, a->status ? a->status : 200, &out);
}

/* --- the profile ---------------------------------------------------------------------- */

static struct step save_profile(struct task *task)
{
	terms_load(task, &((struct account *)task)->terms);
	return task_then(send_profile);
}

static char *copy(struct account *a, const char *field)
{
	return arena_strdup(&a->visit.task.arena, form_line(&a->visit, field));
}

static struct step send_profile(struct task *task)
{
	char *changes[] = {(char[]){"display_name"}, (char[]){"language"}, (char[]){"time_zone"},
			   (char[]){"organisation"}, (char[]){"bio"},      (char[]){"expertises"}};
	struct account *a = (struct account *)task;
	Causerie__ChangeAccountRequest ask = CAUSERIE__CHANGE_ACCOUNT_REQUEST__INIT;

	ask.set = changes;
	ask.n_set = sizeof changes / sizeof *changes;
	ask.display_name = arena_strdup(&task->arena, form_field(&a->visit, "name"));
	ask.language = copy(a, "language");
	ask.time_zone = copy(a, "time_zone");
	ask.organisation = copy(a, "organisation");
	ask.bio = copy(a, "bio");
	ask.expertises = expertises_typed(&task->arena, form_line(&a->visit, "expertises"),
					  &ask.n_expertises);
	expertises_as_slugs(&task->arena, terms_take(&a->terms), ask.expertises, ask.n_expertises);
	RPC_CALL(task, &a->changed, causerie__accounts__change_account, site.accounts, &ask);
	return task_then(saved);
}

static struct step saved(struct task *task)
{
	struct account *a = (struct account *)task;

	if (a->changed.code == CAUSERIE__CODE__OK)
		return visit_redirect(&a->visit, 303, "/compte?fait=profil");
	if (!form_comes_again(&a->changed.answer))
		return visit_failed(&a->visit, &a->changed.answer);
	a->profile_typed = true;
	a->profile =
		form_refused(&a->visit, &a->changed.answer,
			     (const struct form_name[]){{"display_name", "name"}, {NULL, NULL}});
	a->status = form_status(&a->changed.answer);
	return look(task);
}

/* --- the password ------------------------------------------------------------------------ */

static struct step change_password(struct task *task)
{
	struct account *a = (struct account *)task;
	Causerie__ChangePasswordRequest ask = CAUSERIE__CHANGE_PASSWORD_REQUEST__INIT;

	ask.current = arena_strdup(&task->arena, form_field(&a->visit, "current"));
	ask.password = arena_strdup(&task->arena, form_field(&a->visit, "password"));
	ask.token_hash = own_token(a);
	RPC_CALL(task, &a->done, causerie__accounts__change_password, site.accounts, &ask);
	return task_then(password_changed);
}

static bool wrong_current(const struct rpc_answer *answer)
{
	return answer->code == CAUSERIE__CODE__INVALID && answer->n_errors > 0 &&
	       strcmp(answer->errors[0]->field, "current") == 0;
}

static struct step password_changed(struct task *task)
{
	struct account *a = (struct account *)task;

	if (a->done.code == CAUSERIE__CODE__OK)
		return visit_redirect(&a->visit, 303, "/compte?fait=mot-de-passe");
	if (!form_comes_again(&a->done.answer))
		return visit_failed(&a->visit, &a->done.answer);
	a->password =
		wrong_current(&a->done.answer)
			? form_wrong(&a->visit, "current",
				     tr(a->visit.locale, "Ce n’est pas votre mot de passe actuel."))
			: form_refused(&a->visit, &a->done.answer, NULL);
	a->status = form_status(&a->done.answer);
	return look(task);
}

/* --- sessions ------------------------------------------------------------------------------ */

static struct step close_session(struct task *task)
{
	struct account *a = (struct account *)task;
	Causerie__EndSessionRequest ask = CAUSERIE__END_SESSION_REQUEST__INIT;

	ask.session_id = visit_id(&a->visit, "session_id");
	RPC_CALL(task, &a->done, causerie__accounts__end_session, site.accounts, &ask);
	return task_then(closed);
}

static struct step close_others(struct task *task)
{
	struct account *a = (struct account *)task;
	Causerie__EndSessionRequest ask = CAUSERIE__END_SESSION_REQUEST__INIT;

	ask.all_others = true;
	ask.token_hash = own_token(a);
	RPC_CALL(task, &a->done, causerie__accounts__end_session, site.accounts, &ask);
	return task_then(closed);
}

static struct step closed(struct task *task)
{
	struct account *a = (struct account *)task;

	if (a->done.code != CAUSERIE__CODE__OK)
		return visit_failed(&a->visit, &a->done.answer);
	return visit_redirect(&a->visit, 303, "/compte?fait=session#sessions");
}
