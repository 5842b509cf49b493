/*
 * feedback.c - POST /sujets/{topic_id}/opinion and /suivi: an opinion given, changed or withdrawn;
 * a level of following.
 *
 *   change --> given, followed --> back to the page
 *     |          +-----> (refused) the page again, with what was chosen and why
 *     +--> (signed out) kept --> sign in first; the choice and its reason follow
 */
#include <string.h>

#include "gateway/drafts.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/pages.h"
#include "gateway/pages/show_topic.h"
#include "gateway/words.h"
#include "lib/text.h"

#define REASON_MAX 280

static task_step change_opinion, kept, given, change_follow, followed;

const struct handler give_opinion = HANDLER(struct topic_visit, change_opinion);
const struct handler follow_topic = HANDLER(struct topic_visit, change_follow);

static struct step back_to(struct topic_visit *t, const char *anchor)
{
	return visit_redirect(&t->visit, 303,
			      arena_printf(&t->visit.task.arena, "/sujets/%llu#%s",
					   (unsigned long long)t->id, anchor));
}

/* What was chosen comes along: "/sujets/12?avis=3#avis" once signed in. */
static struct step sign_in_first(struct topic_visit *t, const char *query, const char *anchor)
{
	return visit_redirect(&t->visit, 303,
			      arena_printf(&t->visit.task.arena,
					   "/connexion?next=%%2Fsujets%%2F%llu%s%%23%s",
					   (unsigned long long)t->id, query, anchor));
}

/* --- an opinion ------------------------------------------------------------------------- */

/* Its reason, which is no number, is kept like any text that was written before. */
static struct step keep_opinion(struct topic_visit *t)
{
	if (*t->chosen_because == '\0')
		return sign_in_first(
			t, arena_printf(&t->visit.task.arena, "%%3Favis%%3D%d", t->chosen), "avis");
	draft_keep(&t->visit);
	return task_then(kept);
}

static struct step kept(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;

	if (!draft_is_kept(&t->visit))
		return visit_fail(&t->visit, 503, "The reason cannot be kept at the moment.");
	return sign_in_first(t, arena_printf(&task->arena, "%%3Favis%%3D%d%%26mot%%3D1", t->chosen),
			     "avis");
}

static void withdraw(struct topic_visit *t)
{
	Causerie__DeleteOpinionRequest ask = CAUSERIE__DELETE_OPINION_REQUEST__INIT;

	ask.topic_id = t->id;
	RPC_CALL(&t->visit.task, &t->given, causerie__topics__delete_opinion, site.topics, &ask);
}

static void give(struct topic_visit *t)
{
	Causerie__PutOpinionRequest ask = CAUSERIE__PUT_OPINION_REQUEST__INIT;

	ask.topic_id = t->id;
	ask.value = (uint32_t)t->chosen;
	ask.reason = arena_strdup(&t->visit.task.arena, t->chosen_because);
	RPC_CALL(&t->visit.task, &t->given, causerie__topics__put_opinion, site.topics, &ask);
}

static struct step refuse_opinion(struct topic_visit *t, const char *field, const char *sentence)
{
	t->opinion_form = form_wrong(&t->visit, field, tr(t->visit.locale, sentence));
	return topic_draw_again(t, 422);
}

static struct step change_opinion(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;
	struct visit *v = &t->visit;
	const bool stays = *form_field(v, "withdraw") == '\0';

	t->id = visit_id(v, "topic_id");
	t->chosen = topic_opinion(form_id(v, "value"));
	t->chosen_because = form_line(v, "reason");
	if (stays && t->chosen == OPINION_NONE)
		return refuse_opinion(t, "value", TR("Choisissez l’un des quatre avis."));
	if (stays && text_length(t->chosen_because) > REASON_MAX)
		return refuse_opinion(t, "reason", TR("C’est trop long : 280 signes au plus."));
	if (!visit_signed_in(v))
		return keep_opinion(t);
	if (stays)
		give(t);
	else
		withdraw(t);
	return task_then(given);
}

static struct step given(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;

	if (t->given.code == CAUSERIE__CODE__OK)
		return back_to(t, "avis");
	if (!form_comes_again(&t->given.answer))
		return visit_failed(&t->visit, &t->given.answer);
	t->opinion_form = form_refused(&t->visit, &t->given.answer, NULL);
	return topic_draw_again(t, form_status(&t->given.answer));
}

/* --- following ---------------------------------------------------------------------------- */

static bool find_level(const char *name, Causerie__FollowLevel *found)
{
	for (int level = FOLLOW_ALL; level <= FOLLOW_MUTE; level++) {
		if (strcmp(follow_level_value((enum follow_level)level), name) != 0)
			continue;
		*found = (Causerie__FollowLevel)level;
		return true;
	}
	return false;
}

/* The button beside the levels means silence, whichever of them is chosen. */
static bool wanted_level(const struct visit *v, Causerie__FollowLevel *level)
{
	*level = CAUSERIE__FOLLOW_LEVEL__MUTE;
	return *form_field(v, "stop") != '\0' || find_level(form_field(v, "level"), level);
}

static struct step change_follow(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;
	Causerie__PutFollowRequest ask = CAUSERIE__PUT_FOLLOW_REQUEST__INIT;

	t->id = ask.topic_id = visit_id(&t->visit, "topic_id");
	if (!wanted_level(&t->visit, &ask.level))
		return visit_fail(&t->visit, 422, "level is none of those on offer.");
	if (!visit_signed_in(&t->visit))
		return sign_in_first(t, "", "audience");
	RPC_CALL(task, &t->followed, causerie__notifications__put_follow, site.notifications, &ask);
	return task_then(followed);
}

static struct step followed(struct task *task)
{
	struct topic_visit *t = (struct topic_visit *)task;

	if (t->followed.code != CAUSERIE__CODE__OK)
		return visit_failed(&t->visit, &t->followed.answer);
	return back_to(t, "audience");
}
