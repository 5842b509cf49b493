/*
 * samples.c - the content behind samples.h.
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway_templates.h"
#include "lib/zone.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LABELS(array)                                                                              \
	{                                                                                          \
		array, COUNT(array)                                                                \
	}

#define BODY(literal)                                                                              \
	{                                                                                          \
		"" literal, sizeof("" literal) - 1                                                 \
	}

#define NOW    INT64_C(1803907800000000) /* 2027-03-01 13:30 UTC */
#define MINUTE INT64_C(60000000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define AGO(us)                                                                                    \
	{                                                                                          \
		NOW - (us)                                                                         \
	}

struct html_out sample_out(enum locale locale)
{
	return (struct html_out){.locale = locale, .zone = zone_find("Europe/Paris"), .now = {NOW}};
}

/* --- people --- */

static const struct reader member = {
	.id = 7, .name = "Camille Renard", .verified = true, .unread = 3};
static const struct reader organizer = {
	.id = 2, .name = "Nadia Benali", .verified = true, .is_organizer = true, .unread = 12};

#define HELENE                                                                                     \
	{                                                                                          \
		.id = 11, .name = "Hélène Vasseur", .organisation = "Atelier Vasseur",             \
		.bio = "Anime des communautés depuis 2004"                                        \
	}
#define KARIM                                                                                      \
	{                                                                                          \
		.id = 12, .name = "Karim Ould"                                                     \
	}
#define JULIE                                                                                      \
	{                                                                                          \
		.id = 13, .name = "Julie Maréchal"                                                \
	}
#define TOM                                                                                        \
	{                                                                                          \
		.id = 14, .name = "Tom Whitfield"                                                  \
	}

static struct page page_of(const char *title, enum section section, const struct reader *viewer)
{
	return (struct page){
		.site_name = "Causerie",
		.title = title,
		.section = section,
		.viewer = viewer,
		.here = "/sujets/12-une-conversation-n-est-pas-un-marche",
		.csrf = viewer != NULL ? "c5rf0000000000000000000000000000" : NULL,
		.feed = "/feeds/sujets.atom",
	};
}

/* --- topics --- */

static const struct label expertises[] = {
	{.value = "marketing",
	 .text = "marketing",
	 .url = "/sujets?expertise=marketing",
	 .count = 14},
	{.value = "trust",
	 .text = "trust management",
	 .url = "/sujets?expertise=trust",
	 .count = 6},
	{.value = "community",
	 .text = "community management",
	 .url = "/sujets?expertise=community",
	 .count = 9,
	 .selected = true},
};

static const struct label more_expertises[] = {
	{.value = "urbanisme",
	 .text = "urbanisme",
	 .url = "/sujets?expertise=urbanisme",
	 .count = 8},
	{.value = "education",
	 .text = "éducation",
	 .url = "/sujets?expertise=education",
	 .count = 11},
};

static const struct topic_row rows[] = {
	{.id = 12,
	 .url = "/sujets/12-une-conversation-n-est-pas-un-marche",
	 .title = "Une conversation n’est pas forcément un marché",
	 .lead = "À force de répéter que les marchés sont des conversations, on a fini par croire "
		 "l’inverse. Pourtant, dès qu’une marque entre dans la pièce avec un enthousiasme "
		 "de commande, chacun sent que quelque chose sonne faux. Et si l’on apprenait à "
		 "laisser du vide ?",
	 .state = TOPIC_OPEN,
	 .proposer = HELENE,
	 .expertises = LABELS(expertises),
	 .format = "Talkshow",
	 .at = AGO(6 * DAY),
	 .comments = 12,
	 .opinions = 37,
	 .followers = 24},
	{.id = 31,
	 .url = "/sujets/31-rues-aux-ecoles",
	 .title = "Fermer la rue devant l’école : et après ?",
	 .lead = "Trois villes ont rendu la chaussée aux enfants. Les commerçants racontent, les "
		 "parents comptent les minutes, et les enseignants ont un avis : que reste-t-il "
		 "quand la nouveauté est passée ?",
	 .state = TOPIC_SCHEDULED,
	 .proposer = KARIM,
	 .expertises = LABELS(more_expertises),
	 .format = "Débat",
	 .at = {NOW + 17 * DAY},
	 .comments = 28,
	 .opinions = 64},
	{.id = 8,
	 .url = "/sujets/8-reparer-un-velo",
	 .title = "Réparer son vélo soi-même, l’atelier filmé",
	 .lead = "Un pied d’atelier, deux démonte-pneus et une heure devant soi. Nous avons suivi "
		 "l’équipe d’un garage associatif, chambre à air comprise.",
	 .state = TOPIC_PUBLISHED,
	 .proposer = JULIE,
	 .expertises = LABELS(more_expertises),
	 .format = "Tutoriel",
	 .at = AGO(21 * DAY),
	 .comments = 41,
	 .opinions = 122,
	 .duration = "42 min"},
	{.id = 44,
	 .url = "/sujets/44-open-source-maintainers",
	 .title = "Who looks after the people who look after open source?",
	 .lead = "Half the internet leans on a few dozen volunteers. We ask three of them what a "
		 "sustainable week looks like, and what companies could do besides saying thanks.",
	 .language = LOCALE_EN,
	 .state = TOPIC_SHORTLISTED,
	 .proposer = TOM,
	 .expertises = LABELS(expertises),
	 .format = "Interview",
	 .at = AGO(13 * DAY),
	 .comments = 17,
	 .opinions = 45},
	{.id = 52,
	 .url = "/sujets/52-lire-a-voix-haute",
	 .title = "Lire à voix haute, un métier qui revient",
	 .lead = "Des bibliothèques aux podcasts, la lecture à voix haute trouve un nouveau "
		 "public. "
		 "Qui sont celles et ceux qui en vivent ?",
	 .state = TOPIC_PROPOSED,
	 .proposer = {.name = NULL},
	 .expertises = LABELS(more_expertises),
	 .format = "Reportage",
	 .at = AGO(5 * HOUR),
	 .comments = 0,
	 .opinions = 1},
};

static const struct label states[] = {
	{.text = "Tous", .url = "/sujets", .count = 43, .selected = true},
	{.text = "Ouverts", .url = "/sujets?state=open", .count = 18},
	{.text = "Présélectionnés", .url = "/sujets?state=shortlisted", .count = 6},
	{.text = "Programmés", .url = "/sujets?state=scheduled", .count = 3},
	{.text = "Publiés", .url = "/sujets?state=published", .count = 11},
};
static const struct label formats[] = {
	{.value = "talkshow",
	 .text = "Talkshow",
	 .url = "/sujets?format=talkshow",
	 .count = 19,
	 .selected = true},
	{.value = "tutoriel", .text = "Tutoriel", .url = "/sujets?format=tutoriel", .count = 7},
	{.value = "interview", .text = "Interview", .url = "/sujets?format=interview", .count = 5},
	{.value = "debat", .text = "Débat", .url = "/sujets?format=debat", .count = 8},
};
static const struct label treatments[] = {
	{.value = "debat", .text = "Débat"},
	{.value = "methodologie", .text = "Méthodologie et bonnes pratiques", .selected = true},
};
static const struct label orders[] = {
	{.text = "Les plus récents", .url = "/sujets", .selected = true},
	{.text = "Les plus discutés", .url = "/sujets?order=comments"},
	{.text = "Les plus attendus", .url = "/sujets?order=opinion"},
};

static struct topics_view list_view(const struct reader *viewer)
{
	return (struct topics_view){
		.page = page_of("Les sujets", SECTION_TOPICS, viewer),
		.lead = &rows[0],
		.rows = rows + 1,
		.n_rows = COUNT(rows) - 1,
		.total = 43,
		.states = LABELS(states),
		.formats = LABELS(formats),
		.expertises = LABELS(expertises),
		.orders = LABELS(orders),
		.next_url = "/sujets?cursor=b3BhcXVl",
	};
}

static void home(struct html_out *out)
{
	struct topics_view view = list_view(NULL);

	view.page.title = NULL;
	view.page.section = SECTION_NONE;
	view.page.canonical = "https://causerie.example/";
	view.page.description = "La web-TV qui se prépare ensemble.";
	view.is_home = true;
	view.next_url = NULL;
	view.upcoming = &rows[1];
	view.n_upcoming = 1;
	view.published = &rows[2];
	view.n_published = 1;
	render_topics_page(out, &view);
}

static void list(struct html_out *out)
{
	struct topics_view view = list_view(&member);

	render_topics_page(out, &view);
}

static void list_empty_site(struct html_out *out)
{
	struct topics_view view = {.page = page_of("Les sujets", SECTION_TOPICS, NULL)};

	render_topics_page(out, &view);
}

static void search(struct html_out *out)
{
	struct topic_row found = rows[2];
	struct topics_view view = list_view(NULL);

	found.title = "Réparer son \x02vélo\x03 soi-même, l’atelier filmé";
	found.excerpt = "… deux démonte-pneus et une heure devant soi : votre \x02vélo\x03 vous "
			"attend. Nous avons suivi l’équipe d’un garage associatif…";
	view.lead = NULL;
	view.query = "velo";
	view.rows = &found;
	view.n_rows = 1;
	view.total = 1;
	view.next_url = NULL;
	view.clear_url = "/sujets";
	render_topics_page(out, &view);
}

static void search_empty(struct html_out *out)
{
	struct topics_view view = list_view(NULL);

	view.lead = NULL;
	view.query = "xylophone <baryton>";
	view.n_rows = 0;
	view.total = 0;
	view.next_url = NULL;
	view.clear_url = "/sujets";
	render_topics_page(out, &view);
}

/* --- the topic page --- */

static const char article[] =
	"<p>« Les marchés sont des conversations » : la phrase a presque trente ans et elle a fait "
	"le "
	"tour du monde. Elle disait une chose juste, que les gens se parlent entre eux et que les "
	"entreprises feraient bien d’écouter. On l’a lue à l’envers : puisque les marchés sont des "
	"conversations, toute conversation serait un marché, où il suffirait de prendre la parole "
	"pour vendre.</p>\n"
	"<h2>La vallée dérangeante</h2>\n"
	"<p>Depuis, des équipes entières s’invitent dans nos échanges avec un ton enjoué, des "
	"points d’exclamation et un prénom. Quelque chose cloche ! Ce n’est ni une machine ni tout "
	"à fait une personne : on reconnaît le malaise que donnent les visages presque "
	"humains.</p>\n"
	"<blockquote><p>Ce n’est pas la présence d’une marque qui gêne, c’est l’enthousiasme de "
	"commande.</p></blockquote>\n"
	"<p>Alors on s’en va. Vers des groupes fermés, des forums d’habitués, des listes où l’on "
	"se "
	"connaît. Ce que ces lieux ont en commun :</p>\n"
	"<ul>\n<li>on y entre par ce que l’on fait, pas par ce que l’on vend ;</li>\n"
	"<li>le silence y est permis ;</li>\n<li>les règles y sont "
	"<em>discutées</em>.</li>\n</ul>\n"
	"<h2>Apprendre à laisser du vide</h2>\n"
	"<p>Je propose d’en parler avec celles et ceux qui animent ces espaces : comment être là "
	"sans "
	"occuper la place ? Quels gestes, quels mots, quels silences ? Voir aussi "
	"<a href=\"https://example.org/manifeste?lang=fr\" rel=\"ugc nofollow noopener\">le "
	"manifeste</a>, et la commande <code>wall -n 'bonjour !'</code> pour les "
	"nostalgiques.</p>\n";

static const struct comment_view comments[] = {
	{.id = 345,
	 .topic_id = 12,
	 .author = KARIM,
	 .body = BODY(
		 "<p>Ce que j’aime ici, c’est l’idée de lâcher prise : laisser un espace vide "
		 "plutôt "
		 "que de l’occuper parce qu’on le peut. J’ai vu un forum de randonneurs mourir le "
		 "jour où l’équipementier a commencé à remercier chaque message.</p>"),
	 .posted = AGO(5 * DAY),
	 .may_reply = true,
	 .may_report = true},
	{.id = 348,
	 .topic_id = 12,
	 .parent_id = 345,
	 .level = 1,
	 .depth = 1,
	 .author = HELENE,
	 .is_proposer = true,
	 .body = BODY("<p>C’est exactement l’histoire que je voudrais entendre sur le plateau. "
		      "Accepteriez-vous de venir la raconter ?</p>"),
	 .posted = AGO(4 * DAY + 3 * HOUR),
	 .edited = AGO(4 * DAY),
	 .may_reply = true,
	 .may_report = true},
	{.id = 351,
	 .topic_id = 12,
	 .parent_id = 348,
	 .level = 2,
	 .depth = 2,
	 .author = KARIM,
	 .is_panelist = true,
	 .body = BODY("<p>Avec plaisir ! Je retrouve les archives.</p>"),
	 .posted = AGO(4 * DAY),
	 .may_reply = true,
	 .may_report = true},
	{.id = 352,
	 .topic_id = 12,
	 .parent_id = 351,
	 .parent_name = "Karim Ould",
	 .level = 2,
	 .depth = 3,
	 .author = JULIE,
	 .body = BODY("<p>Je veux bien les lire aussi : nous avons vécu la même chose avec notre "
		      "atelier.</p>"),
	 .posted = AGO(3 * DAY),
	 .may_reply = true,
	 .may_report = true},
	{.id = 349, .topic_id = 12, .state = COMMENT_DELETED, .posted = AGO(3 * DAY)},
	{.id = 353,
	 .topic_id = 12,
	 .parent_id = 349,
	 .level = 1,
	 .depth = 1,
	 .author = {.name = NULL},
	 .body = BODY("<p>Je ne suis pas d’accord, mais la question mérite mieux qu’un oui ou un "
		      "non.</p>"),
	 .posted = AGO(2 * DAY),
	 .may_reply = true,
	 .may_report = true},
	{.id = 360,
	 .topic_id = 12,
	 .author = TOM,
	 .language = LOCALE_EN,
	 .body = BODY("<p>From across the Channel: we had the same on a gardening forum. The "
		      "moment a seed "
		      "company got a badge next to its name, people stopped asking <em>stupid</em> "
		      "questions, and those were the best part.</p>\n<blockquote><p>laisser du "
		      "vide</p></blockquote>\n<p>Is there an English word for that?</p>"),
	 .posted = AGO(2 * HOUR),
	 .tag = "question pour le plateau",
	 .may_reply = true,
	 .may_report = true},
	{.id = 361,
	 .topic_id = 12,
	 .author = {.id = 7, .name = "Camille Renard"},
	 .body = BODY(
		 "<p>Et côté associations, c’est pareil : trop de bienveillance affichée finit par "
		 "faire fuir.</p>"),
	 .posted = AGO(3 * MINUTE),
	 .may_reply = true,
	 .may_edit = true,
	 .may_delete = true},
};

static const char *const reasons_1[] = {"2 expertises communes", "mots : confiance, conversation"};
static const char *const reasons_2[] = {"cité par cet article"};
static const struct related_row related[] = {
	{.url = "/sujets/44-open-source-maintainers",
	 .title = "Who looks after the people who look after open source?",
	 .language = LOCALE_EN,
	 .reasons = reasons_1,
	 .n_reasons = 2},
	{.url = "/sujets/9-moderer",
	 .title = "Modérer sans éteindre : trois forums racontent",
	 .reasons = reasons_2,
	 .n_reasons = 1},
};

static const struct history_row history[] = {
	{.at = AGO(12 * DAY), .to = TOPIC_PROPOSED, .by = HELENE},
	{.at = AGO(6 * DAY),
	 .to = TOPIC_OPEN,
	 .by = {.id = 2, .name = "Nadia Benali"},
	 .reason = "Une question qui revient souvent : parlons-en !"},
};

static struct topic_view topic_view(const struct reader *viewer)
{
	return (struct topic_view){
		.page = page_of(rows[0].title, SECTION_TOPICS, viewer),
		.id = 12,
		.url = rows[0].url,
		.short_url = "https://causerie.example/s/12",
		.title = rows[0].title,
		.lead = rows[0].lead,
		.article = {article, sizeof(article) - 1},
		.state = TOPIC_OPEN,
		.proposer = HELENE,
		.proposed = AGO(12 * DAY),
		.format = "Talkshow",
		.treatment = "Méthodologie et bonnes pratiques",
		.expertises = LABELS(expertises),
		.place = "Studios de Webcastory",
		.opinions = {.topic_id = 12,
			     .counts = {0, 2, 5, 16, 14},
			     .total = 37,
			     .is_public = true,
			     .form = {.key = viewer != NULL ? "k-avis" : NULL}},
		.takes_candidacies = true,
		.takes_offers = true,
		.thread = {.topic_id = 12,
			   .topic_url = rows[0].url,
			   .comments = comments,
			   .n_comments = COUNT(comments),
			   .total = 12,
			   .last_id = 361,
			   .form = {.topic_id = 12,
				    .csrf = viewer != NULL ? "c5rf" : NULL,
				    .asks_sign_in = viewer == NULL,
				    .form = {.key = "k-reaction"}}},
		.audience = {.topic_id = 12, .followers = 24, .form = {.key = "k-suivi"}},
		.related = related,
		.n_related = COUNT(related),
		.history = history,
		.n_history = COUNT(history),
	};
}

static void topic(struct html_out *out)
{
	struct topic_view view = topic_view(NULL);

	view.page.canonical = "https://causerie.example/sujets/12-une-conversation";
	view.page.description = view.lead;
	render_topic_page(out, &view);
}

static void topic_member(struct html_out *out)
{
	struct topic_view view = topic_view(&member);
	struct form_error error = {"text",
				   "Votre réaction est vide : écrivez au moins deux caractères."};

	view.opinions.mine = OPINION_EXCITING;
	view.opinions.reason = "On en parle chaque semaine à l’association.";
	view.candidacy = CANDIDACY_RESERVE;
	view.audience.follow = FOLLOW_REPLIES;
	view.may_edit = true;
	view.thread.reply_to = 360;
	view.thread.form.parent_id = 360;
	view.thread.form.parent_name = "Tom Whitfield";
	view.thread.form.form.errors = &error;
	view.thread.form.form.n_errors = 1;
	view.thread.form.text = "x";
	render_topic_page(out, &view);
}

static void topic_scheduled(struct html_out *out)
{
	static const struct panelist panel[] = {
		{.person = HELENE, .role = "animation"},
		{.person = {.name = "Karim Ould", .bio = "Garde la mémoire de trois forums"}},
	};
	struct topic_view view = topic_view(&member);

	view.state = TOPIC_SCHEDULED;
	view.address = "12, rue des Lilas, Lyon";
	view.access = "De plain-pied, boucle magnétique.";
	view.starts = (struct moment){NOW + 17 * DAY + 4 * HOUR};
	view.ends = (struct moment){NOW + 17 * DAY + 6 * HOUR};
	view.zone = zone_find("Europe/Paris");
	view.panel = panel;
	view.n_panel = COUNT(panel);
	view.sponsor = "Librairie du Canal";
	view.sponsor_url = "https://librairie.example/";
	view.audience.capacity = 50;
	view.audience.seats_taken = 38;
	view.audience.waiting = 4;
	view.audience.seats_open = true;
	view.audience.follow = FOLLOW_ALL;
	render_topic_page(out, &view);
}

static void topic_published(struct html_out *out)
{
	static const struct chapter chapters[] = {
		{0, "0:00", "De quoi parle-t-on ?"},
		{432, "7:12", "La vallée dérangeante"},
		{1264, "21:04", "Le forum des randonneurs"},
		{2130, "35:30", "Vos questions"},
	};
	struct topic_view view = topic_view(NULL);

	view.state = TOPIC_PUBLISHED;
	view.video_url = "https://video.example/12";
	view.duration = "42 min";
	view.published = (struct moment){NOW - 2 * DAY};
	view.chapters = chapters;
	view.n_chapters = COUNT(chapters);
	view.transcript_url = "/sujets/12/transcription";
	view.opinions.is_closed = true;
	view.thread.is_closed = true;
	view.thread.closed_at = (struct moment){NOW - DAY};
	render_topic_page(out, &view);
}

static void topic_degraded(struct html_out *out)
{
	struct topic_view view = topic_view(NULL);

	view.page.missing = MISSING_COMMENTS | MISSING_SESSIONS;
	view.thread.is_missing = true;
	view.thread.n_comments = 0;
	view.thread.total = 0;
	view.related_is_stale = true;
	view.state = TOPIC_DECLINED;
	view.state_reason = "Nous avons traité la question en janvier ; l’émission reste en ligne.";
	view.opinions.total = 3;
	view.opinions.is_public = false;
	render_topic_page(out, &view);
}

/* --- forms --- */

static void topic_form(struct html_out *out)
{
	struct form_error errors[] = {
		{"title", "Le titre est trop court : dix caractères au moins."},
		{"expertises", "Indiquez au moins une expertise."},
	};
	struct topic_form_view view = {
		.page = page_of("Proposer un sujet", SECTION_PROPOSE, &member),
		.form = {.key = "k", .errors = errors, .n_errors = 2},
		.title = "Les silences",
		.lead = "Ce que les animateurs de communautés gagnent à se taire, et comment ils "
			"l’apprennent.",
		.article = "On parle beaucoup de *prise de parole*.\n\n## Et le silence ?\n\n…",
		.formats = LABELS(formats),
		.treatments = LABELS(treatments),
		.expertises = LABELS(expertises),
		.duplicates = related,
		.n_duplicates = 1,
	};

	render_topic_form_page(out, &view);
}

static void withdraw(struct html_out *out)
{
	struct withdraw_view view = {
		.page = page_of("Retirer le sujet", SECTION_TOPICS, &member),
		.form = {.key = "k"},
		.id = 12,
		.version = 3,
		.title = "Une conversation n’est pas (forcément) un marché",
		.url = "/sujets/12-une-conversation-n-est-pas-forcement-un-marche",
	};

	render_withdraw_page(out, &view);
}

static void candidacy(struct html_out *out)
{
	struct candidacy_form_view view = {
		.page = page_of("Participer à l’émission", SECTION_TOPICS, &member),
		.form = {.key = "k"},
		.topic = &rows[0],
	};

	render_candidacy_page(out, &view);
}

static void candidacy_invited(struct html_out *out)
{
	struct candidacy_form_view view = {
		.page = page_of("Participer à l’émission", SECTION_TOPICS, &member),
		.form = {.key = "k"},
		.topic = &rows[0],
		.state = CANDIDACY_INVITED,
		.answer_by = {NOW + 6 * DAY},
		.licence = HTML("<p>J’autorise la diffusion de mon image et de ma voix dans "
				"l’émission, sur le site et ses relais, pour dix ans.</p>"),
		.licence_version = "2027-01",
	};

	render_candidacy_page(out, &view);
}

static void offer(struct html_out *out)
{
	static const struct offer_item items[] = {
		{.id = 1, .name = "Captation, trois caméras", .unit_cents = 120000, .quantity = 1},
		{.id = 2,
		 .name = "Sous-titrage",
		 .unit_cents = 35050,
		 .requires = "Captation, trois caméras"},
		{.id = 3, .name = "Traduction en langue des signes", .unit_cents = 48000},
	};
	struct offer_form_view view = {
		.page = page_of("Sponsoriser ce sujet", SECTION_TOPICS, &member),
		.form = {.key = "k"},
		.topic = &rows[0],
		.items = items,
		.n_items = COUNT(items),
		.total_cents = 120000,
		.vat_cents = 24000,
	};

	render_offer_page(out, &view);
}

static void comment_edit(struct html_out *out)
{
	struct comment_edit_view view = {
		.page = page_of("Modifier ma réaction", SECTION_TOPICS, &member),
		.form = {.key = "k"},
		.id = 361,
		.version = 2,
		.topic_title = rows[0].title,
		.topic_url = rows[0].url,
		.text = "Et côté associations, c’est pareil : trop de bienveillance.",
		.theirs = "Et côté associations, c’est la même chose !",
	};

	render_comment_edit_page(out, &view);
}

static void comment_history(struct html_out *out)
{
	static const struct diff_part parts[] = {
		{DIFF_SAME, "C’est exactement l’histoire que "},
		{DIFF_REMOVED, "j’attendais"},
		{DIFF_ADDED, "je voudrais entendre sur le plateau"},
		{DIFF_SAME, ". Accepteriez-vous de venir la raconter ?"},
	};
	static const struct diff_part first[] = {
		{DIFF_SAME,
		 "C’est exactement l’histoire que j’attendais. Accepteriez-vous de venir "
		 "la raconter ?"},
	};
	static const struct revision revisions[] = {
		{.at = AGO(4 * DAY), .by = HELENE, .parts = parts, .n_parts = COUNT(parts)},
		{.at = AGO(4 * DAY + 3 * HOUR), .by = HELENE, .parts = first, .n_parts = 1},
	};
	struct comment_history_view view = {
		.page = page_of("Histoire d’une réaction", SECTION_TOPICS, NULL),
		.id = 348,
		.topic_title = rows[0].title,
		.topic_url = rows[0].url,
		.author = HELENE,
		.revisions = revisions,
		.n_revisions = COUNT(revisions),
	};

	render_comment_history_page(out, &view);
}

static void comment_report(struct html_out *out)
{
	struct comment_action_view view = {
		.page = page_of("Signaler une réaction", SECTION_TOPICS, &member),
		.form = {.key = "k"},
		.action = COMMENT_REPORT,
		.comment = &comments[0],
		.topic_title = rows[0].title,
		.topic_url = rows[0].url,
	};

	render_comment_action_page(out, &view);
}

/* --- accounts --- */

static void sign_in(struct html_out *out)
{
	struct form_error error = {NULL, "Adresse ou mot de passe inconnus."};
	struct sign_in_view view = {
		.page = page_of("Connexion", SECTION_NONE, NULL),
		.form = {.errors = &error, .n_errors = 1},
		.email = "camille@example.org",
		.next = "/sujets/12-une-conversation",
		.keeps_text = true,
	};

	view.page.hide_sign_in = true;
	render_sign_in_page(out, &view);
}

static void sign_up(struct html_out *out)
{
	struct sign_up_view view = {.page = page_of("Inscription", SECTION_NONE, NULL)};

	view.page.hide_sign_in = true;
	render_sign_up_page(out, &view);
}

static void check_mail(struct html_out *out)
{
	struct check_mail_view view = {
		.page = page_of("Regardez votre boîte aux lettres", SECTION_NONE, NULL),
		.email = "camille@example.org",
		.mailbox_url = "/dev/mailbox",
	};

	view.page.hide_sign_in = true;
	render_check_mail_page(out, &view);
}

static void verify(struct html_out *out)
{
	struct verify_view view = {.page = page_of("Confirmer votre adresse", SECTION_NONE, NULL),
				   .token = "t0ken"};

	view.page.hide_sign_in = true;
	render_verify_page(out, &view);
}

static void verify_resend(struct html_out *out)
{
	struct verify_view view = {
		.page = page_of("Confirmer votre adresse", SECTION_NONE, &member),
		.outcome = VERIFY_RESEND,
	};

	render_verify_page(out, &view);
}

static void forgot(struct html_out *out)
{
	struct forgot_view view = {.page = page_of("Mot de passe oublié", SECTION_NONE, NULL)};

	view.page.hide_sign_in = true;
	render_forgot_page(out, &view);
}

static void reset(struct html_out *out)
{
	struct reset_view view = {.page = page_of("Nouveau mot de passe", SECTION_NONE, NULL),
				  .token = "t0ken"};

	view.page.hide_sign_in = true;
	render_reset_page(out, &view);
}

static void account(struct html_out *out)
{
	static const struct session_row sessions[] = {
		{.id = 1,
		 .device = "Firefox, Linux",
		 .network = "192.0.2.0/24",
		 .is_current = true,
		 .started = AGO(9 * DAY),
		 .seen = AGO(MINUTE)},
		{.id = 2,
		 .device = "Safari, iPhone",
		 .network = "2001:db8::/64",
		 .started = AGO(40 * DAY),
		 .seen = AGO(2 * DAY)},
		{.id = 3,
		 .device = "script de sauvegarde",
		 .network = "198.51.100.0/24",
		 .is_token = true,
		 .started = AGO(3 * DAY),
		 .seen = AGO(3 * HOUR)},
	};
	struct notice notice = {NOTICE_DONE, "Profil enregistré.", NULL, NULL};
	struct account_view view = {
		.page = page_of("Mon compte", SECTION_ACCOUNT, &member),
		.name = "Camille Renard",
		.email = "camille@example.org",
		.bio = "Documentaliste, cycliste, bavarde.",
		.expertises_text = "documentation, vélo",
		.time_zone = "Europe/Paris",
		.sessions = sessions,
		.n_sessions = COUNT(sessions),
	};

	view.page.notices = &notice;
	view.page.n_notices = 1;
	render_account_page(out, &view);
}

static void erase(struct html_out *out)
{
	struct form_error error = {"password", "Ce n’est pas votre mot de passe."};
	struct erase_view view = {
		.page = page_of("Effacer mon compte", SECTION_ACCOUNT, &member),
		.form = {.errors = &error, .n_errors = 1},
	};

	render_erase_page(out, &view);
}

static void erase_closed(struct html_out *out)
{
	struct erase_view view = {
		.page = page_of("Effacer mon compte", SECTION_ACCOUNT, NULL),
		.outcome = ERASE_CLOSED,
		.erased_at = AGO(-7 * DAY),
	};

	render_erase_page(out, &view);
}

static void keep(struct html_out *out)
{
	struct keep_view view = {.page = page_of("Garder mon compte", SECTION_NONE, NULL),
				 .token = "t0ken"};

	view.page.hide_sign_in = true;
	render_keep_page(out, &view);
}

/* --- notifications --- */

static void notifications(struct html_out *out)
{
	static const struct notification_row inbox[] = {
		{.id = 9,
		 .text = "Hélène Vasseur a répondu à votre réaction",
		 .excerpt = "C’est exactement l’histoire que je voudrais entendre…",
		 .url = "/s/12",
		 .at = AGO(20 * MINUTE)},
		{.id = 8,
		 .text = "« Fermer la rue devant l’école : et après ? » est programmé",
		 .url = "/s/31",
		 .at = AGO(9 * HOUR)},
		{.id = 7,
		 .text = "Tom Whitfield vous appelle dans une réaction",
		 .excerpt = "@Camille, what do you think?",
		 .language = LOCALE_EN,
		 .url = "/s/44",
		 .at = AGO(3 * DAY),
		 .is_read = true},
	};
	struct notifications_view view = {
		.page = page_of("Notifications", SECTION_NOTIFICATIONS, &member),
		.form = {.key = "k"},
		.rows = inbox,
		.n_rows = COUNT(inbox),
	};

	render_notifications_page(out, &view);
}

static void preferences(struct html_out *out)
{
	static const enum follow_level levels[] = {FOLLOW_ALL, FOLLOW_MILESTONES};
	struct preferences_view view = {
		.page = page_of("Régler les notifications", SECTION_NOTIFICATIONS, &member),
		.form = {.key = "k"},
		.rhythm = RHYTHM_DAILY,
		.daily_hour = 8,
		.mail_replies = true,
		.mail_milestones = true,
		.followed = rows,
		.levels = levels,
		.n_followed = 2,
	};

	render_preferences_page(out, &view);
}

static struct unsubscribe_view unsubscribe_view(void)
{
	return (struct unsubscribe_view){
		.page = page_of("Moins d’e-mails ?", SECTION_NONE, NULL),
		.token = "abc_DEF-123",
		.topic_title = rows[0].title,
		.topic_url = rows[0].url,
		.kind = "réponses à vos réactions",
	};
}

static void unsubscribe(struct html_out *out)
{
	struct unsubscribe_view view = unsubscribe_view();

	render_unsubscribe_page(out, &view);
}

static void unsubscribe_done(struct html_out *out)
{
	struct unsubscribe_view view = unsubscribe_view();

	view.outcome = UNSUBSCRIBE_DONE;
	render_unsubscribe_page(out, &view);
}

/* --- organizers --- */

static void desk(struct html_out *out)
{
	static const struct desk_card proposed[] = {
		{.topic = &rows[4], .days = 0},
		{.topic = &rows[3], .candidates = 1, .days = 3, .reports = 1},
	};
	static const struct desk_card open[] = {
		{.topic = &rows[0], .candidates = 3, .offers = 1, .days = 6},
		{.topic = &rows[2], .days = 11},
	};
	static const struct desk_card scheduled[] = {
		{.topic = &rows[1], .candidates = 5, .days = 2}};
	static const struct desk_column columns[] = {
		{.state = TOPIC_PROPOSED, .cards = proposed, .n_cards = 2},
		{.state = TOPIC_OPEN, .cards = open, .n_cards = 2, .all_url = "/sujets?state=open"},
		{.state = TOPIC_SHORTLISTED},
		{.state = TOPIC_SCHEDULED, .cards = scheduled, .n_cards = 1},
		{.state = TOPIC_RECORDED},
	};
	struct desk_view view = {
		.page = page_of("Bureau", SECTION_DESK, &organizer),
		.columns = columns,
		.n_columns = COUNT(columns),
	};

	render_desk_page(out, &view);
}

static void desk_topic(struct html_out *out)
{
	static const struct desk_transition transitions[] = {
		{.to = TOPIC_SHORTLISTED, .value = "shortlisted"},
		{.to = TOPIC_SCHEDULED, .value = "scheduled", .needs_recording = true},
		{.to = TOPIC_DECLINED, .value = "declined", .needs_reason = true},
		{.to = TOPIC_MERGED, .value = "merged", .needs_target = true},
	};
	static const struct candidate_row candidates[] = {
		{.id = 71,
		 .person = {.id = 12, .name = "Karim Ould", .organisation = "Sentiers ouverts"},
		 .state = CANDIDACY_SUBMITTED,
		 .motivation = "J’ai animé pendant huit ans un forum de randonnée et je l’ai vu "
			       "changer de nature en un été : je voudrais raconter comment.",
		 .availability = "les jeudis et vendredis",
		 .expertises = LABELS(expertises),
		 .on_site = true,
		 .at = AGO(2 * DAY)},
	};
	static const struct offer_row offers[] = {
		{.id = 5,
		 .organisation = "Librairie du Canal",
		 .contact = "Inès Morel, ines@librairie.example",
		 .message = "Nous aimerions offrir le sous-titrage de l’émission.",
		 .state = OFFER_SUBMITTED,
		 .total_cents = 155050,
		 .at = AGO(DAY)},
	};
	struct desk_topic_view view = {
		.page = page_of(rows[0].title, SECTION_DESK, &organizer),
		.form = {.key = "k"},
		.topic = &rows[0],
		.version = 4,
		.transitions = transitions,
		.n_transitions = COUNT(transitions),
		.chosen = "scheduled",
		.candidates = candidates,
		.n_candidates = 1,
		.offers = offers,
		.n_offers = 1,
		.opinions = {.topic_id = 12, .counts = {0, 2, 5, 16, 14}},
		.audience = {.followers = 24, .capacity = 50, .seats_taken = 38},
		.history = history,
		.n_history = COUNT(history),
		.time_zone = "Europe/Paris",
		.place = "Studios de Webcastory",
	};

	render_desk_topic_page(out, &view);
}

static void desk_related(struct html_out *out)
{
	static const struct pair_row pairs[] = {
		{.id = 31,
		 .url = "/sujets/31-chanter-ensemble",
		 .title = "Chanter dans une chorale quand on ne sait pas lire la musique",
		 .is_pinned = true,
		 .by = {.id = 2, .name = "Camille"},
		 .at = AGO(2 * DAY),
		 .free_key = "k1"},
		{.id = 32,
		 .url = "/sujets/32-le-marche",
		 .title = "Le marché du samedi",
		 .is_hidden = true,
		 .by = {.id = 9},
		 .at = AGO(9 * DAY),
		 .free_key = "k2"},
	};
	static const struct score_part parts[] = {
		{"Mots communs", "confiance, conversation, communauté", "0,94", 100},
		{"Proximité dans le temps", NULL, "0,31", 33},
		{"Expertises communes", "Animation de communautés", "0,22", 23},
		{"Participants communs", "4 personnes", "0,12", 13},
		{"Activité de la discussion", NULL, "−0,02", 0},
	};
	static const struct relation_row relations[] = {
		{.id = 31,
		 .url = "/sujets/31-chanter-ensemble",
		 .title = "Chanter dans une chorale quand on ne sait pas lire la musique",
		 .is_pinned = true,
		 .is_on_page = true,
		 .score = "11,57",
		 .parts = parts,
		 .n_parts = COUNT(parts),
		 .pin_key = "k3",
		 .ban_key = "k4"},
		{.id = 14,
		 .url = "/sujets/14-ce-que-moderer-veut-dire",
		 .title = "Ce que modérer veut dire",
		 .is_on_page = true,
		 .score = "1,57",
		 .parts = parts,
		 .n_parts = COUNT(parts),
		 .pin_key = "k5",
		 .ban_key = "k6"},
		{.id = 15,
		 .url = "/sujets/15-un-budget-participatif",
		 .title = "Un budget participatif, et après ?",
		 .is_unsure = true,
		 .confidence = 8,
		 .needed = 15,
		 .score = "0,41",
		 .parts = parts + 1,
		 .n_parts = 2,
		 .pin_key = "k7",
		 .ban_key = "k8"},
	};
	struct desk_related_view view = {
		.page = page_of("Sujets connexes", SECTION_DESK, &organizer),
		.form = {.key = "k"},
		.topic = &rows[0],
		.pairs = pairs,
		.n_pairs = COUNT(pairs),
		.relations = relations,
		.n_relations = COUNT(relations),
	};

	render_desk_related_page(out, &view);
}

static void moderation(struct html_out *out)
{
	static const char *const reasons[] = {"elle attaque quelqu’un", "c’est de la publicité"};
	static const struct report_row reports[] = {
		{.id = 345,
		 .comment = &comments[0],
		 .topic_title = "Une conversation n’est pas forcément un marché",
		 .topic_url = "/sujets/12-une-conversation-n-est-pas-un-marche",
		 .reports = 2,
		 .reasons = reasons,
		 .n_reasons = 2,
		 .first = AGO(3 * HOUR),
		 .version = 1},
	};
	struct moderation_view view = {
		.page = page_of("Modération", SECTION_MODERATION, &organizer),
		.form = {.key = "k"},
		.rows = reports,
		.n_rows = 1,
	};

	render_moderation_page(out, &view);
}

/* --- the rest --- */

static void help(struct html_out *out)
{
	struct help_view view = {.page = page_of("Web-TV, mode d’emploi", SECTION_HELP, NULL)};

	render_help_page(out, &view);
}

static void error_of(struct html_out *out, int status, unsigned retry_seconds)
{
	struct error_view view = {
		.page = page_of("Page introuvable", SECTION_NONE, NULL),
		.status = status,
		.retry_seconds = retry_seconds,
		.request_id = "4f1c09ab77",
	};

	render_error_page(out, &view);
}

static void error_404(struct html_out *out)
{
	error_of(out, 404, 0);
}

static void error_429(struct html_out *out)
{
	error_of(out, 429, 40);
}

static const struct mailbox_row mails[] = {
	{"1", "camille@example.org", "Causerie <notifications@example>", "Confirmez votre adresse",
	 AGO(MINUTE)},
	{"2", "karim@example.org", "Hélène Vasseur via Causerie <notifications@example>",
	 "Re: [Causerie] Une conversation n’est pas forcément un marché", AGO(HOUR)},
};

static void mailbox(struct html_out *out)
{
	struct mailbox_view view = {.page = page_of("Boîte de développement", SECTION_NONE, NULL),
				    .rows = mails,
				    .n_rows = COUNT(mails)};

	render_mailbox_page(out, &view);
}

static void mailbox_message(struct html_out *out)
{
	struct message_view view = {
		.page = page_of(mails[1].subject, SECTION_NONE, NULL),
		.message = &mails[1],
		.text = "Hélène Vasseur a répondu à votre réaction :\n\n> C’est exactement "
			"l’histoire…\n\nhttps://causerie.example/s/12\n",
		.eml_url = "/dev/mailbox/messages/2.eml",
		.headers = "Subject: Re: [Causerie] …\nList-Unsubscribe: <https://…>\n",
	};

	render_message_page(out, &view);
}

const struct sample samples[] = {
	{"home", home},
	{"list", list},
	{"list-empty", list_empty_site},
	{"search", search},
	{"search-empty", search_empty},
	{"topic", topic},
	{"topic-member", topic_member},
	{"topic-scheduled", topic_scheduled},
	{"topic-published", topic_published},
	{"topic-degraded", topic_degraded},
	{"topic-form", topic_form},
	{"withdraw", withdraw},
	{"candidacy", candidacy},
	{"candidacy-invited", candidacy_invited},
	{"offer", offer},
	{"comment-edit", comment_edit},
	{"comment-history", comment_history},
	{"comment-report", comment_report},
	{"sign-in", sign_in},
	{"sign-up", sign_up},
	{"check-mail", check_mail},
	{"verify", verify},
	{"verify-resend", verify_resend},
	{"forgot", forgot},
	{"reset", reset},
	{"account", account},
	{"erase", erase},
	{"erase-closed", erase_closed},
	{"keep", keep},
	{"notifications", notifications},
	{"preferences", preferences},
	{"unsubscribe", unsubscribe},
	{"unsubscribe-done", unsubscribe_done},
	{"desk", desk},
	{"desk-topic", desk_topic},
	{"desk-related", desk_related},
	{"moderation", moderation},
	{"help", help},
	{"error-404", error_404},
	{"error-429", error_429},
	{"mailbox", mailbox},
	{"mailbox-message", mailbox_message},
};

const size_t n_samples = COUNT(samples);

/* --- for the tests --- */

static const char *const openings[] = {"Je crois",        "On oublie",      "Il faudrait",
				       "Personne ne dit", "Souvenons-nous", "Disons-le",
				       "Chez nous",       "À mon sens"};
static const char *const middles[] = {"que la confiance se gagne lentement",
				      "combien le silence compte dans un échange",
				      "parler de ceux qui lisent sans écrire",
				      "ce que coûte une modération bien faite",
				      "des forums où l’on prenait son temps",
				      "une marque n’est jamais une voix parmi d’autres",
				      "les nouveaux venus posent les bonnes questions",
				      "l’habitude finit par tenir lieu de règle"};
static const char *const endings[] = {"et cela change tout.",   "mais qui s’en soucie ?",
				      "alors parlons-en !",     "sans même s’en apercevoir.",
				      "comme au premier jour.", "du moins je l’espère.",
				      "et tant mieux.",         "voilà pourquoi je viendrai."};

static char *made_up_body(unsigned seed)
{
	char *body = NULL;
	int size = asprintf(&body, "<p>%s %s %s %s %s %s %s %s, %u.</p>", openings[seed % 8],
			    middles[seed / 3 % 8], endings[seed / 5 % 8], openings[seed / 7 % 8],
			    middles[seed / 11 % 8], endings[seed / 13 % 8], openings[seed / 17 % 8],
			    middles[seed / 19 % 8], seed);

	return size < 0 ? NULL : body;
}

void sample_topic_with_comments(struct html_out *out, size_t n_comments)
{
	struct topic_view view = topic_view(NULL);
	struct comment_view *made_up = calloc(n_comments, sizeof(*made_up));
	char *body;
	size_t i;

	for (i = 0; i < n_comments; i++) {
		body = made_up_body((unsigned)i * 2654435761U >> 8);
		made_up[i] = comments[i % 4];
		made_up[i].id = 1000 + i * 7;
		made_up[i].body = (struct html){body, strlen(body)};
		made_up[i].posted.us = NOW - (int64_t)i * 37 * MINUTE;
	}
	view.thread.comments = made_up;
	view.thread.n_comments = n_comments;
	render_topic_page(out, &view);
	for (i = 0; i < n_comments; i++)
		free((void *)(uintptr_t)made_up[i].body.bytes);
	free(made_up);
}

void sample_hostile_topic(struct html_out *out, const char *attack)
{
	struct label label = {.value = attack, .text = attack, .url = attack};
	struct comment_view comment = comments[0];
	struct topic_view view = topic_view(NULL);
	struct form_error error = {attack, attack};
	struct related_row row = {
		.url = attack, .title = attack, .reasons = &attack, .n_reasons = 1};

	comment.author.name = attack;
	comment.tag = attack;
	comment.parent_name = attack;
	comment.depth = 3;
	comment.level = 2;
	view.page.title = attack;
	view.page.description = attack;
	view.page.canonical = attack;
	view.page.here = attack;
	view.url = attack;
	view.short_url = attack;
	view.title = attack;
	view.lead = attack;
	view.proposer.name = attack;
	view.proposer.organisation = attack;
	view.format = attack;
	view.place = attack;
	view.sponsor = attack;
	view.sponsor_url = attack;
	view.video_url = attack;
	view.transcript_url = attack;
	view.state = TOPIC_PUBLISHED;
	view.expertises = (struct labels){&label, 1};
	view.opinions.reason = attack;
	view.opinions.form = (struct form){.key = attack, .errors = &error, .n_errors = 1};
	view.thread.topic_url = attack;
	view.thread.comments = &comment;
	view.thread.n_comments = 1;
	view.thread.form.text = attack;
	view.related = &row;
	view.n_related = 1;
	render_topic_page(out, &view);
}
