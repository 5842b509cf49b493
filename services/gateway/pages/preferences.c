/*
 * preferences.c - /notifications/preferences: what is mailed to a member.
 *
 *   look --> draw
 *   read --> saved --> back, or draw with what was chosen
 *
 * Mails go at once or never: the rhythms between come with digests, and are not offered yet.
 */
#include <string.h>

#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/words.h"
#include "gateway_templates.h"
#include "notifications.pb-c.h"

struct preferences {
	struct visit visit;
	int status;
	struct form form;
	RPC_SLOT(Causerie__Preferences) known;
	RPC_SLOT(Causerie__Preferences) saved;
};

static task_step look, draw, read_known, save, was_saved;

const struct handler preferences_page = HANDLER(struct preferences, look);
const struct handler save_preferences = HANDLER(struct preferences, read_known);

static void ask_known(struct preferences *p)
{
	static const Causerie__GetPreferencesRequest ask = CAUSERIE__GET_PREFERENCES_REQUEST__INIT;

	RPC_CALL(&p->visit.task, &p->known, causerie__notifications__get_preferences,
		 site.notifications, &ask);
}

static struct step look(struct task *task)
{
	ask_known((struct preferences *)task);
	return task_then(draw);
}

static bool ticked(const struct preferences *p, const char *name)
{
	return *form_field(&p->visit, name) != '\0';
}

static enum rhythm rhythm_chosen(const struct preferences *p)
{
	return strcmp(form_field(&p->visit, "rhythm"), rhythm_value(RHYTHM_NEVER)) == 0
		       ? RHYTHM_NEVER
		       : RHYTHM_NOW;
}

static struct step draw(struct task *task)
{
	struct preferences *p = (struct preferences *)task;
	const Causerie__Preferences *known = p->known.reply;
	struct html_out out = page_out(&p->visit);
	struct preferences_view view = {.form = p->form};

	if (known == NULL)
		return visit_failed(&p->visit, &p->known.answer);
	view.rhythm = known->rhythm == CAUSERIE__RHYTHM__NEVER ? RHYTHM_NEVER : RHYTHM_NOW;
	view.mail_replies = known->replies;
	view.mail_follows = known->follows;
	view.mail_milestones = known->states;
	if (p->status != 0) {
		view.rhythm = rhythm_chosen(p);
		view.mail_replies = ticked(p, "mail_replies");
		view.mail_follows = ticked(p, "mail_follows");
		view.mail_milestones = ticked(p, "mail_milestones");
	}
	page_begin(&p->visit, &view.page);
	page_say_done(&p->visit, &view.page);
	view.page.title = tr(p->visit.locale, "Régler les notifications");
	view.page.section = SECTION_NOTIFICATIONS;
	if (view.form.key == NULL)
		view.form.key = random_token(&task->arena);
	render_preferences_page(&out, &view);
	return visit_page(&p->visit, p->status ? p->status : 200, &out);
}

/* What the form does not offer stays as it was. */
static struct step read_known(struct task *task)
{
	ask_known((struct preferences *)task);
	return task_then(save);
}

static struct step save(struct task *task)
{
	struct preferences *p = (struct preferences *)task;
	Causerie__Preferences ask = CAUSERIE__PREFERENCES__INIT;

	if (p->known.reply == NULL)
		return visit_failed(&p->visit, &p->known.answer);
	ask.rhythm = rhythm_chosen(p) == RHYTHM_NEVER ? CAUSERIE__RHYTHM__NEVER
						      : CAUSERIE__RHYTHM__AT_ONCE;
	ask.local_hour = p->known.reply->local_hour;
	ask.replies = ticked(p, "mail_replies");
	ask.follows = ticked(p, "mail_follows");
	ask.states = ticked(p, "mail_milestones");
	RPC_CALL(task, &p->saved, causerie__notifications__put_preferences, site.notifications,
		 &ask);
	return task_then(was_saved);
}

static struct step was_saved(struct task *task)
{
	struct preferences *p = (struct preferences *)task;

	if (p->saved.code == CAUSERIE__CODE__OK)
		return visit_redirect(&p->visit, 303,
				      "/notifications/preferences?fait=preferences");
	if (!form_comes_again(&p->saved.answer))
		return visit_failed(&p->visit, &p->saved.answer);
	p->form = form_refused(&p->visit, &p->saved.answer, NULL);
	p->status = form_status(&p->saved.answer);
	return draw(task);
}
