/*
 * page.c - from a visit to the part of a view that all pages have.
 */
#include "gateway/pages/page.h"

#include <string.h>

#include "lib/clock.h"

static const struct reader *reader_of(struct visit *v)
{
	const Causerie__Session *session = v->session;
	struct reader *reader;

	if (session == NULL)
		return NULL;
	reader = ARENA_NEW(&v->task.arena, struct reader);
	reader->id = session->account_id;
	reader->name = session->display_name;
	reader->verified = v->task.context.viewer.verified;
	reader->is_moderator = visit_has_role(v, CAUSERIE__ROLE__ROLE_MODERATOR);
	reader->is_organizer = visit_has_role(v, CAUSERIE__ROLE__ROLE_ORGANIZER);
	reader->unread = v->inbox.reply != NULL ? v->inbox.reply->unread : 0;
	return reader;
}

void page_begin(struct visit *v, struct page *page)
{
	const bool here = v->http->method == HTTP_GET || v->http->method == HTTP_HEAD;

	page->site_name = site.name;
	page->here = here ? v->http->target : NULL;
	page->theme = v->theme;
	page->missing = v->missing;
	page->viewer = reader_of(v);
	page->address_bounces = v->session != NULL && v->session->bouncing;
	if (v->session != NULL)
		page_with_forms(v, page);
}

void page_with_forms(struct visit *v, struct page *page)
{
	page->csrf = csrf_token(v);
}

/* What was just done, by the value of `fait` that the form led to. */
static const struct {
	const char *value, *text;
} done[] = {
	{"profil", TR("Votre profil est enregistré.")},
	{"mot-de-passe", TR("Votre mot de passe est changé.")},
	{"session", TR("C’est fermé.")},
	{"preferences", TR("Vos préférences sont enregistrées.")},
	{"lues", TR("Tout est marqué comme lu.")},
	{"brouillon", TR("Votre brouillon est gardé ; vous seul le voyez.")},
	{"propose", TR("Votre sujet est envoyé : les organisateurs vont le lire.")},
	{"enregistre", TR("Vos changements sont enregistrés.")},
	{"retire", TR("Votre sujet est retiré.")},
	{"etape", TR("C’est fait, et dans l’histoire du sujet.")},
	{"connexe", TR("C’est noté : les pages des deux sujets suivent dans la seconde.")},
	{"moderation", TR("C’est noté.")},
};

void page_say_done(struct visit *v, struct page *page)
{
	const char *value = http_query_value(v->http, "fait");
	struct notice *notice;

	for (size_t i = 0; value != NULL && i < sizeof done / sizeof *done; i++) {
		if (strcmp(done[i].value, value) != 0)
			continue;
		notice = ARENA_NEW(&v->task.arena, struct notice);
		notice->kind = NOTICE_DONE;
		notice->text = tr(v->locale, done[i].text);
		page->notices = notice;
		page->n_notices = 1;
	}
}

struct html_out page_out(const struct visit *v)
{
	return (struct html_out){
		.locale = v->locale,
		.zone = v->zone,
		.now = {clock_now()},
	};
}
