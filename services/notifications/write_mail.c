/*
 * write_mail.c - what a mail says, in its reader's language.
 *
 * Who, what, the text quoted, one button, why you got it and how to stop it. The
 * plain text says the same as the HTML. Addresses lead to our own site only.
 */
#include "write_mail.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/locale.h"
#include "lib/markdown.h"
#include "lib/template.h"
#include "lib/zone.h"
#include "notifications_templates.h"
#include "views.h"

struct writing {
	struct arena *arena;
	enum locale locale;
	struct letter *letter;
};

static const char *site(void)
{
	return service_here()->public_url;
}

static enum locale locale_of(const char *tag)
{
	enum locale locale = LOCALE_FR;

	locale_parse(tag, &locale);
	return locale;
}

static struct html_out page(const struct writing *w)
{
	return (struct html_out){.locale = w->locale, .now = {clock_now()}};
}

static const char *keep(const struct writing *w, struct html_out *out)
{
	const struct html written = html_written(out);
	const char *text = arena_strndup(w->arena, written.bytes, written.size);

	html_out_free(out);
	return text;
}

static void address(struct writing *w, const Causerie__Recipient *to)
{
	w->locale = locale_of(to->language);
	w->letter->to_address = arena_strdup(w->arena, to->email);
	w->letter->to_name = arena_strdup(w->arena, to->display_name);
	w->letter->language = locale_tag(w->locale);
}

static const char *did(enum locale locale, Causerie__Reason reason)
{
	switch (reason) {
	case CAUSERIE__REASON__REPLY:
		return tr(locale, "a répondu à votre réaction");
	case CAUSERIE__REASON__MENTION:
		return tr(locale, "vous a mentionné");
	case CAUSERIE__REASON__PROPOSER:
		return tr(locale, "a réagi à votre sujet");
	default:
		return tr(locale, "a réagi");
	}
}

static const char *why(enum locale locale, Causerie__Reason reason)
{
	switch (reason) {
	case CAUSERIE__REASON__REPLY:
		return tr(locale, "Vous recevez ce message parce qu’on vous a répondu.");
	case CAUSERIE__REASON__MENTION:
		return tr(locale, "Vous recevez ce message parce qu’on vous a mentionné.");
	case CAUSERIE__REASON__PROPOSER:
		return tr(locale, "Vous recevez ce message parce que vous avez proposé ce sujet.");
	default:
		return tr(locale, "Vous recevez ce message parce que vous suivez ce sujet.");
	}
}

/* What a state means for whoever reads of it. */
static const struct {
	const char *state, *news;
} news_of[] = {
	{"open", TR("Le sujet est ouvert : chacun peut le lire et y réagir.")},
	{"shortlisted", TR("Le sujet est présélectionné par les organisateurs.")},
	{"scheduled", TR("L’enregistrement est programmé.")},
	{"published", TR("La vidéo est en ligne.")},
	{"declined", TR("Le sujet n’a pas été retenu ; la raison est sur sa page.")},
	{"cancelled", TR("L’enregistrement est annulé ; la raison est sur la page du sujet.")},
	{"merged", TR("Le sujet a été réuni avec un autre.")},
};

static const char *news(enum locale locale, const char *state)
{
	for (size_t i = 0; i < sizeof news_of / sizeof *news_of; i++)
		if (strcmp(news_of[i].state, state) == 0)
			return tr(locale, news_of[i].news);
	return tr(locale, "Le sujet a changé d’étape.");
}

/* On whichever page of a long discussion it stands. */
static const char *place_of_comment(const struct writing *w, uint64_t id)
{
	return arena_printf(w->arena, "%s?autour=%llu#c%llu", w->letter->archive,
			    (unsigned long long)id, (unsigned long long)id);
}

/* The same list for every recipient (RFC 2919), the same thread for everything about a topic. */
static void set_list(struct writing *w, const struct claimed *mail,
		     const Causerie__TopicSummary *topic)
{
	struct letter *letter = w->letter;
	const struct stop stop = {mail->account_id, topic->id, mail->reason};

	letter->list_name = topic->title;
	letter->list_id = arena_printf(w->arena, "t%llu.%s", (unsigned long long)topic->id,
				       strchr(settings.from, '@') + 1);
	letter->archive = arena_printf(w->arena, "%s/sujets/%llu-%s", site(),
				       (unsigned long long)topic->id, topic->slug);
	letter->archived_at =
		mail->comment_id ? place_of_comment(w, mail->comment_id) : letter->archive;
	letter->unsubscribe =
		arena_printf(w->arena, "%s/u/%s", site(), stop_token(w->arena, &stop));
	letter->thread = message_id(w->arena, 't', topic->id, mail->account_id);
	if (mail->parent_id != 0)
		letter->in_reply_to = message_id(w->arena, 'c', mail->parent_id, mail->account_id);
	letter->reason = reason_name(mail->reason);
}

static struct mail_foot foot(const struct writing *w, const char *because)
{
	return (struct mail_foot){
		.site = settings.site_name,
		.site_url = site(),
		.why = because,
		.stop_url = w->letter->unsubscribe,
	};
}

static void write_comment(struct writing *w, const struct claimed *mail,
			  const Causerie__TopicSummary *topic, const Causerie__Comment *comment,
			  const char *author)
{
	struct html_out text = page(w), html = page(w);
	const struct comment_mail view = {
		.title = topic->title,
		.title_language = locale_of(topic->language),
		.author = author,
		.did = did(w->locale, mail->reason),
		.body_html = markdown_html(w->arena, comment->body, MARKDOWN_MAIL),
		.body_text = markdown_plain(w->arena, comment->body),
		.body_language = locale_of(comment->language),
		.url = w->letter->archived_at,
		.foot = foot(w, why(w->locale, mail->reason)),
	};

	w->letter->from_name = author;
	w->letter->message_id = message_id(w->arena, 'c', comment->id, mail->account_id);
	w->letter->subject =
		arena_printf(w->arena, "Re: [%s] %s", settings.site_name, topic->title);
	render_comment_mail_text(&text, &view);
	render_comment_mail(&html, &view);
	w->letter->text = keep(w, &text);
	w->letter->html = keep(w, &html);
}

static void write_state(struct writing *w, const struct claimed *mail,
			const Causerie__TopicSummary *topic)
{
	struct html_out text = page(w), html = page(w);
	const struct state_mail view = {
		.title = topic->title,
		.lead = topic->lead,
		.title_language = locale_of(topic->language),
		.news = news(w->locale, mail->to_state),
		.url = w->letter->archive,
		.foot = foot(w, tr(w->locale, "Vous recevez ce message parce que vous avez proposé "
					      "ou suivez ce sujet.")),
	};

	w->letter->message_id = message_id(w->arena, 's', mail->seq, mail->account_id);
	w->letter->subject = arena_printf(w->arena, "[%s] %s", settings.site_name, topic->title);
	render_state_mail_text(&text, &view);
	render_state_mail(&html, &view);
	w->letter->text = keep(w, &text);
	w->letter->html = keep(w, &html);
}

void write_activity_mail(struct arena *arena, const struct claimed *mail,
			 const Causerie__Recipient *to, const Causerie__TopicSummary *topic,
			 const Causerie__Comment *comment, const Causerie__Person *actor,
			 struct letter *letter)
{
	struct writing w = {.arena = arena, .letter = letter};
	const char *author;

	address(&w, to);
	author = actor && *actor->display_name ? actor->display_name
					       : tr(w.locale, "Membre supprimé");
	set_list(&w, mail, topic);
	if (comment != NULL)
		write_comment(&w, mail, topic, comment, author);
	else
		write_state(&w, mail, topic);
}

/* Per purpose: subject, message, what the button says, where it leads, what if it was not you. */
static const struct account_words {
	const char *subject, *message, *button, *path, *note;
} account_words[] = {
	[CAUSERIE__MAIL_PURPOSE__VERIFY_ADDRESS] =
		{TR("Confirmez votre adresse"),
		 TR("Il ne reste qu’à confirmer votre adresse pour réagir, donner votre avis et "
		    "proposer des sujets."),
		 TR("Confirmer mon adresse"), "/verification/",
		 TR("Vous n’avez pas ouvert de compte ? Ne faites rien : sans confirmation, il ne "
		    "servira pas.")},
	[CAUSERIE__MAIL_PURPOSE__RESET_PASSWORD] =
		{TR("Choisir un nouveau mot de passe"),
		 TR("Vous avez demandé à changer de mot de passe. Le lien sert une fois, pendant "
		    "une heure."),
		 TR("Choisir un mot de passe"), "/mot-de-passe/",
		 TR("Vous n’avez rien demandé ? Ne faites rien : votre mot de passe reste le "
		    "même.")},
	[CAUSERIE__MAIL_PURPOSE__ALREADY_REGISTERED] =
		{TR("Vous avez déjà un compte"),
		 TR("Quelqu’un, peut-être vous, a voulu ouvrir un compte avec cette adresse. Elle "
		    "en a déjà un : connectez-vous, ou choisissez un nouveau mot de passe."),
		 TR("Se connecter"), "/connexion",
		 TR("Ce n’était pas vous ? Il n’y a rien à faire.")},
	[CAUSERIE__MAIL_PURPOSE__PASSWORD_CHANGED] =
		{TR("Votre mot de passe a changé"),
		 TR("Le mot de passe de votre compte vient d’être changé, et les autres sessions "
		    "ont été fermées."),
		 TR("Choisir un autre mot de passe"), "/mot-de-passe",
		 TR("Ce n’était pas vous ? Choisissez tout de suite un autre mot de passe.")},
	[CAUSERIE__MAIL_PURPOSE__ACCOUNT_CLOSING] =
		{TR("Votre compte va être effacé"),
		 TR("Vous avez demandé que votre compte soit effacé. Il est déjà fermé ; vos "
		    "textes et votre nom restent en place jusque-là, et un geste suffit pour "
		    "tout garder."),
		 TR("Garder mon compte"), "/compte/garder/",
		 TR("C’est bien ce que vous voulez ? Il n’y a rien à faire. Ce n’était pas vous ? "
		    "Gardez votre compte, puis choisissez un autre mot de passe.")},
};

/* Whatever waits for somebody to change their mind says until when. */
static struct moment until(const Causerie__ComposeMailReply *secret)
{
	return (struct moment){secret->purpose == CAUSERIE__MAIL_PURPOSE__ACCOUNT_CLOSING
				       ? secret->expires_at
				       : 0};
}

void write_account_mail(struct arena *arena, const struct claimed *mail,
			const Causerie__ComposeMailReply *secret, struct letter *letter)
{
	const struct account_words *words = &account_words[secret->purpose];
	struct writing w = {.arena = arena, .letter = letter};
	struct html_out text, html;
	struct account_mail view;

	address(&w, secret->recipient);
	text = html = page(&w);
	text.zone = html.zone = zone_find(secret->recipient->time_zone);
	view = (struct account_mail){
		.name = secret->recipient->display_name,
		.heading = tr(w.locale, words->subject),
		.message = tr(w.locale, words->message),
		.button = tr(w.locale, words->button),
		.url = arena_printf(arena, "%s%s%s", site(), words->path, secret->token),
		.until = until(secret),
		.note = tr(w.locale, words->note),
		.foot = foot(&w, NULL),
	};
	letter->message_id = message_id(arena, 'a', mail->mail_id, mail->account_id);
	letter->subject = arena_printf(arena, "[%s] %s", settings.site_name, view.heading);
	letter->reason = reason_name(mail->reason);
	render_account_mail_text(&text, &view);
	render_account_mail(&html, &view);
	letter->text = keep(&w, &text);
	letter->html = keep(&w, &html);
}
