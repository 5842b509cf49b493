/*
 * feedback.c - POST /sujets/{topic_id}/opinion and /suivi: an opinion given, changed or withdrawn;
 * a level of following.
 *
 *   change --> back to the page
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/drafts.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/pages.h"
#include "gateway/words.h"
#include "notifications.pb-c.h"
#include "topics.pb-c.h"

struct feedback {
	struct visit visit;
	uint64_t topic_id;
	const char *anchor, *chosen;
	union {
		struct rpc_answer answer;
		RPC_SLOT(Causerie__OpinionReply) opinion;
		RPC_SLOT(Causerie__Follow) follow;
	};
};

static task_step change_opinion, kept, change_follow, back;

const struct handler give_opinion = HANDLER(struct feedback, change_opinion);
const struct handler follow_topic = HANDLER(struct feedback, change_follow);

/* What was chosen comes along: "/sujets/12?avis=3#avis" once signed in. */
static struct step sign_in_first(struct feedback *f, const char *query)
{
	return visit_redirect(&f->visit, 303,
			      arena_printf(&f->visit.task.arena,
					   "/connexion?next=%%2Fsujets%%2F%llu%s%%23%s",
					   (unsigned long long)f->topic_id, query, f->anchor));
}

/* Its reason, which is no number, is kept like any text that was written before. */
static struct step keep_opinion(struct feedback *f, unsigned value)
{
	const char *reason = form_line(&f->visit, "reason");
	const char *chosen = arena_printf(&f->visit.task.arena, "%%3Favis%%3D%u", value);

	if (*reason == '\0')
		return sign_in_first(f, chosen);
	f->chosen = arena_printf(&f->visit.task.arena, "%s%%26mot%%3D1", chosen);
	draft_keep(&f->visit);
	return task_then(kept);
}

static struct step kept(struct task *task)
{
	struct feedback *f = (struct feedback *)task;

	if (!draft_is_kept(&f->visit))
		return visit_fail(&f->visit, 503, "The reason cannot be kept at the moment.");
	return sign_in_first(f, f->chosen);
}

static struct step change_opinion(struct task *task)
{
	struct feedback *f = (struct feedback *)task;
	struct visit *v = &f->visit;
	const unsigned long value = strtoul(form_field(v, "value"), NULL, 10);

	f->topic_id = visit_id(v, "topic_id");
	f->anchor = "avis";
	if (!visit_signed_in(v))
		return keep_opinion(f, (unsigned)(value % 10));
	if (*form_field(v, "withdraw") != '\0') {
		Causerie__DeleteOpinionRequest ask = CAUSERIE__DELETE_OPINION_REQUEST__INIT;

		ask.topic_id = f->topic_id;
		RPC_CALL(task, &f->opinion, causerie__topics__delete_opinion, site.topics, &ask);
	} else {
		Causerie__PutOpinionRequest ask = CAUSERIE__PUT_OPINION_REQUEST__INIT;

		ask.topic_id = f->topic_id;
		ask.value = (uint32_t)value;
		ask.reason = arena_strdup(&task->arena, form_line(v, "reason"));
		RPC_CALL(task, &f->opinion, causerie__topics__put_opinion, site.topics, &ask);
	}
	return task_then(back);
}

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
	struct feedback *f = (struct feedback *)task;
	Causerie__PutFollowRequest ask = CAUSERIE__PUT_FOLLOW_REQUEST__INIT;

	f->topic_id = ask.topic_id = visit_id(&f->visit, "topic_id");
	f->anchor = "audience";
	if (!visit_signed_in(&f->visit))
		return sign_in_first(f, "");
	if (!wanted_level(&f->visit, &ask.level))
		return visit_fail(&f->visit, 422, "level is none of those on offer.");
	RPC_CALL(task, &f->follow, causerie__notifications__put_follow, site.notifications, &ask);
	return task_then(back);
}

static struct step back(struct task *task)
{
	struct feedback *f = (struct feedback *)task;

	if (f->answer.code != CAUSERIE__CODE__OK)
		return visit_failed(&f->visit, &f->answer);
	return visit_redirect(&f->visit, 303,
			      arena_printf(&task->arena, "/sujets/%llu#%s",
					   (unsigned long long)f->topic_id, f->anchor));
}
