/*
 * words.c - the tables behind words.h.
 */
#include "gateway/words.h"

#define UNKNOWN TR("inconnu")

#define LOOK_UP(table, index)                                                                      \
	((size_t)(index) < sizeof(table) / sizeof(*(table)) && (table)[index] != NULL              \
		 ? (table)[index]                                                                  \
		 : UNKNOWN)

const char *topic_state_word(enum topic_state state)
{
	static const char *const words[TOPIC_STATES] = {
		[TOPIC_DRAFT] = TR("brouillon"),     [TOPIC_PROPOSED] = TR("proposé"),
		[TOPIC_OPEN] = TR("ouvert"),         [TOPIC_SHORTLISTED] = TR("présélectionné"),
		[TOPIC_SCHEDULED] = TR("programmé"), [TOPIC_RECORDED] = TR("enregistré"),
		[TOPIC_PUBLISHED] = TR("publié"),    [TOPIC_NOT_AIRED] = TR("non diffusé"),
		[TOPIC_DECLINED] = TR("décliné"),    [TOPIC_WITHDRAWN] = TR("retiré"),
		[TOPIC_MERGED] = TR("fusionné"),     [TOPIC_CANCELLED] = TR("annulé"),
		[TOPIC_ARCHIVED] = TR("archivé"),
	};

	return LOOK_UP(words, state);
}

const char *topic_state_class(enum topic_state state)
{
	static const char *const classes[TOPIC_STATES] = {
		[TOPIC_DRAFT] = "draft",         [TOPIC_PROPOSED] = "proposed",
		[TOPIC_OPEN] = "open",           [TOPIC_SHORTLISTED] = "shortlisted",
		[TOPIC_SCHEDULED] = "scheduled", [TOPIC_RECORDED] = "recorded",
		[TOPIC_PUBLISHED] = "published", [TOPIC_NOT_AIRED] = "not_aired",
		[TOPIC_DECLINED] = "declined",   [TOPIC_WITHDRAWN] = "withdrawn",
		[TOPIC_MERGED] = "merged",       [TOPIC_CANCELLED] = "cancelled",
		[TOPIC_ARCHIVED] = "archived",
	};

	return LOOK_UP(classes, state);
}

const char *topic_state_meaning(enum topic_state state)
{
	static const char *const sentences[TOPIC_STATES] = {
		[TOPIC_DRAFT] = TR("Vous seul voyez ce brouillon."),
		[TOPIC_PROPOSED] = TR("Proposé aux organisateurs, qui vont le lire."),
		[TOPIC_OPEN] = TR("Ouvert aux avis et aux réactions de tous."),
		[TOPIC_SHORTLISTED] = TR("Retenu par les organisateurs, qui composent le plateau."),
		[TOPIC_SCHEDULED] = TR("L’enregistrement a une date et un lieu."),
		[TOPIC_RECORDED] = TR("L’émission est enregistrée, le montage est en cours."),
		[TOPIC_PUBLISHED] = TR("L’émission est en ligne."),
		[TOPIC_NOT_AIRED] = TR("L’émission a été enregistrée mais ne sera pas diffusée."),
		[TOPIC_DECLINED] = TR("Les organisateurs n’ont pas retenu ce sujet."),
		[TOPIC_WITHDRAWN] = TR("La personne qui l’avait proposé a retiré ce sujet."),
		[TOPIC_MERGED] = TR("Ce sujet a rejoint un autre sujet."),
		[TOPIC_CANCELLED] = TR("L’enregistrement prévu a été annulé."),
		[TOPIC_ARCHIVED] = TR("Ce sujet est archivé, la discussion est close."),
	};

	return LOOK_UP(sentences, state);
}

const char *transition_verb(enum topic_state to)
{
	static const char *const verbs[TOPIC_STATES] = {
		[TOPIC_DRAFT] = TR("Rendre à son auteur"),
		[TOPIC_PROPOSED] = TR("Remettre à l’étude"),
		[TOPIC_OPEN] = TR("Ouvrir à la discussion"),
		[TOPIC_SHORTLISTED] = TR("Présélectionner"),
		[TOPIC_SCHEDULED] = TR("Programmer l’enregistrement"),
		[TOPIC_RECORDED] = TR("Marquer comme enregistré"),
		[TOPIC_PUBLISHED] = TR("Publier la vidéo"),
		[TOPIC_NOT_AIRED] = TR("Ne pas diffuser"),
		[TOPIC_DECLINED] = TR("Décliner"),
		[TOPIC_WITHDRAWN] = TR("Retirer"),
		[TOPIC_MERGED] = TR("Fusionner avec un autre sujet"),
		[TOPIC_CANCELLED] = TR("Annuler l’enregistrement"),
		[TOPIC_ARCHIVED] = TR("Archiver"),
	};

	return LOOK_UP(verbs, to);
}

const char *opinion_word(enum opinion opinion)
{
	static const char *const words[OPINION_VALUES] = {
		[OPINION_NONE] = TR("sans avis"),       [OPINION_BORING] = TR("sans intérêt"),
		[OPINION_AVERAGE] = TR("moyen"),        [OPINION_INTERESTING] = TR("intéressant"),
		[OPINION_EXCITING] = TR("passionnant"),
	};

	return LOOK_UP(words, opinion);
}

const char *candidacy_state_word(enum candidacy_state state)
{
	static const char *const words[CANDIDACY_STATES] = {
		[CANDIDACY_NONE] = TR("aucune"),
		[CANDIDACY_SUBMITTED] = TR("envoyée"),
		[CANDIDACY_IN_REVIEW] = TR("à l’étude"),
		[CANDIDACY_RESERVE] = TR("en réserve"),
		[CANDIDACY_INVITED] = TR("invitation à confirmer"),
		[CANDIDACY_CONFIRMED] = TR("confirmée"),
		[CANDIDACY_TOOK_PART] = TR("a participé"),
		[CANDIDACY_REJECTED] = TR("non retenue"),
		[CANDIDACY_DECLINED] = TR("invitation déclinée"),
		[CANDIDACY_WITHDRAWN] = TR("retirée"),
		[CANDIDACY_CANCELLED] = TR("annulée"),
		[CANDIDACY_EXPIRED] = TR("invitation expirée"),
		[CANDIDACY_NO_SHOW] = TR("ne s’est pas présenté"),
	};

	return LOOK_UP(words, state);
}

const char *candidacy_state_class(enum candidacy_state state)
{
	static const char *const classes[CANDIDACY_STATES] = {
		[CANDIDACY_NONE] = "none",
		[CANDIDACY_SUBMITTED] = "submitted",
		[CANDIDACY_IN_REVIEW] = "in_review",
		[CANDIDACY_RESERVE] = "reserve",
		[CANDIDACY_INVITED] = "invited",
		[CANDIDACY_CONFIRMED] = "confirmed",
		[CANDIDACY_TOOK_PART] = "took_part",
		[CANDIDACY_REJECTED] = "rejected",
		[CANDIDACY_DECLINED] = "declined_by_member",
		[CANDIDACY_WITHDRAWN] = "withdrawn",
		[CANDIDACY_CANCELLED] = "cancelled_by_organizer",
		[CANDIDACY_EXPIRED] = "expired",
		[CANDIDACY_NO_SHOW] = "no_show",
	};

	return LOOK_UP(classes, state);
}

const char *offer_state_word(enum offer_state state)
{
	static const char *const words[OFFER_STATES] = {
		[OFFER_NONE] = TR("aucune"),       [OFFER_DRAFT] = TR("brouillon"),
		[OFFER_SUBMITTED] = TR("envoyée"), [OFFER_IN_DISCUSSION] = TR("en discussion"),
		[OFFER_ACCEPTED] = TR("acceptée"), [OFFER_DELIVERED] = TR("honorée"),
		[OFFER_DECLINED] = TR("déclinée"), [OFFER_WITHDRAWN] = TR("retirée"),
		[OFFER_EXPIRED] = TR("expirée"),
	};

	return LOOK_UP(words, state);
}

const char *follow_level_word(enum follow_level level)
{
	static const char *const words[] = {
		[FOLLOW_NONE] = TR("Ne pas suivre"),
		[FOLLOW_ALL] = TR("Tout : chaque réaction"),
		[FOLLOW_REPLIES] = TR("Les réponses et les étapes"),
		[FOLLOW_MILESTONES] = TR("Les étapes seulement : dates, vidéo"),
		[FOLLOW_MUTE] = TR("Silence"),
	};

	return LOOK_UP(words, level);
}

const char *follow_level_value(enum follow_level level)
{
	static const char *const values[] = {
		[FOLLOW_NONE] = "none",       [FOLLOW_ALL] = "all",
		[FOLLOW_REPLIES] = "replies", [FOLLOW_MILESTONES] = "milestones",
		[FOLLOW_MUTE] = "mute",
	};

	return LOOK_UP(values, level);
}

const char *rhythm_word(enum rhythm rhythm)
{
	static const char *const words[] = {
		[RHYTHM_NOW] = TR("Au fil de l’eau"),
		[RHYTHM_HOURLY] = TR("Un résumé par heure"),
		[RHYTHM_DAILY] = TR("Un résumé par jour"),
		[RHYTHM_WEEKLY] = TR("Un résumé par semaine"),
		[RHYTHM_NEVER] = TR("Jamais par e-mail"),
	};

	return LOOK_UP(words, rhythm);
}

const char *rhythm_value(enum rhythm rhythm)
{
	static const char *const values[] = {
		[RHYTHM_NOW] = "now",       [RHYTHM_HOURLY] = "hourly", [RHYTHM_DAILY] = "daily",
		[RHYTHM_WEEKLY] = "weekly", [RHYTHM_NEVER] = "never",
	};

	return LOOK_UP(values, rhythm);
}

const char *section_name(enum section section)
{
	static const char *const names[] = {
		[SECTION_NONE] = TR("Accueil"),
		[SECTION_TOPICS] = TR("Les sujets"),
		[SECTION_PROPOSE] = TR("Proposer un sujet"),
		[SECTION_HELP] = TR("Mode d’emploi"),
		[SECTION_DESK] = TR("Bureau"),
		[SECTION_MODERATION] = TR("Modération"),
		[SECTION_NOTIFICATIONS] = TR("Notifications"),
		[SECTION_ACCOUNT] = TR("Mon compte"),
	};

	return LOOK_UP(names, section);
}

const char *theme_value(enum theme theme)
{
	static const char *const values[] = {
		[THEME_AUTO] = "auto",
		[THEME_LIGHT] = "light",
		[THEME_DARK] = "dark",
	};

	return LOOK_UP(values, theme);
}

const char *unsubscribe_scope_value(enum unsubscribe_scope scope)
{
	static const char *const values[] = {
		[UNSUBSCRIBE_TOPIC] = "topic",
		[UNSUBSCRIBE_KIND] = "kind",
		[UNSUBSCRIBE_ALL] = "all",
	};

	return LOOK_UP(values, scope);
}

/* --- inputs --- */

static const struct {
	const char *name, *word;
} inputs[] = {
	{"address", TR("Adresse")},
	{"access", TR("Accès des personnes handicapées")},
	{"article", TR("Article")},
	{"bio", TR("Vous, en une ligne")},
	{"capacity", TR("Places pour l’audience")},
	{"captions_url", TR("Adresse des sous-titres")},
	{"current", TR("Mot de passe actuel")},
	{"details", TR("Précisions")},
	{"duration", TR("Durée")},
	{"email", TR("Adresse e-mail")},
	{"ends", TR("Fin")},
	{"expertises", TR("Expertises")},
	{"format", TR("Format")},
	{"language", TR("Langue")},
	{"lead", TR("Chapô")},
	{"name", TR("Nom affiché")},
	{"online_url", TR("Adresse en ligne")},
	{"organisation", TR("Organisation")},
	{"other", TR("Numéro d’un autre sujet")},
	{"password", TR("Mot de passe")},
	{"place", TR("Lieu")},
	{"reason", TR("Raison")},
	{"starts", TR("Début")},
	{"target", TR("Numéro du sujet qui l’accueille")},
	{"text", TR("Votre réaction")},
	{"time_zone", TR("Fuseau horaire")},
	{"title", TR("Titre")},
	{"transcript", TR("Transcription")},
	{"treatment", TR("Traitement")},
	{"value", TR("Votre avis")},
	{"video_url", TR("Adresse de la vidéo")},
};

const char *input_word(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(inputs) / sizeof(*inputs); i++)
		if (strcmp(inputs[i].name, name) == 0)
			return inputs[i].word;
	return NULL;
}

/* --- errors --- */

struct error_words {
	int status;
	const char *title;
	const char *sentence;
};

static const struct error_words errors[] = {
	{400, TR("Demande incomprise"),
	 TR("Votre navigateur a envoyé quelque chose que nous n’avons pas su lire.")},
	{403, TR("Accès réservé"),
	 TR("Cette page demande des droits que vous n’avez pas, ou votre formulaire a expiré.")},
	{404, TR("Page introuvable"),
	 TR("Rien ne se trouve à cette adresse, ou rien que vous puissiez voir.")},
	{405, TR("Geste impossible ici"), TR("Cette adresse ne répond pas à ce type de demande.")},
	{409, TR("Modifié entre-temps"),
	 TR("Quelqu’un a modifié cet élément pendant que vous l’aviez sous les yeux.")},
	{410, TR("Page disparue"), TR("Ce qui se trouvait ici a été effacé, définitivement.")},
	{413, TR("Envoi trop volumineux"), TR("Ce que vous avez envoyé dépasse la taille admise.")},
	{429, TR("Un instant, s’il vous plaît"),
	 TR("Trop de demandes en peu de temps : réessayez un peu plus tard.")},
	{500, TR("L’erreur est de notre côté"),
	 TR("Quelque chose s’est cassé. Nous en sommes informés ; réessayez dans un moment.")},
	{503, TR("Momentanément indisponible"),
	 TR("Une partie du site est arrêtée et revient d’elle-même. Réessayez dans un moment.")},
};

static const struct error_words *error_words(int status)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].status == status)
			return &errors[i];
	return status >= 500 ? error_words(500) : error_words(400);
}

const char *error_title(int status)
{
	return error_words(status)->title;
}

const char *error_sentence(int status)
{
	return error_words(status)->sentence;
}

const char *missing_sentence(unsigned missing)
{
	switch (missing) {
	case MISSING_TOPICS:
		return TR("Les sujets ne répondent pas : ce que vous voyez peut dater de quelques "
			  "minutes.");
	case MISSING_COMMENTS:
		return TR("Les réactions ne répondent pas en ce moment ; elles reviennent dès que "
			  "possible.");
	case MISSING_RELATED:
		return TR("Les sujets connexes ne sont pas disponibles en ce moment.");
	case MISSING_ACCOUNTS:
		return TR("Les comptes ne répondent pas : des noms manquent et l’on ne peut pas se "
			  "connecter.");
	case MISSING_NOTIFICATIONS:
		return TR("Les notifications ne répondent pas ; vos e-mails partiront plus tard.");
	case MISSING_SESSIONS:
		return TR("Les sessions ne répondent pas : la lecture fonctionne, la connexion est "
			  "momentanément impossible.");
	default:
		return UNKNOWN;
	}
}

/* --- the road of a topic --- */

const enum topic_state topic_steps[STEPS] = {
	TOPIC_PROPOSED,  TOPIC_OPEN,     TOPIC_SHORTLISTED,
	TOPIC_SCHEDULED, TOPIC_RECORDED, TOPIC_PUBLISHED,
};

int topic_step(enum topic_state state)
{
	int i;

	for (i = 0; i < STEPS; i++)
		if (topic_steps[i] == state)
			return i;
	switch (state) {
	case TOPIC_DECLINED:
	case TOPIC_MERGED:
		return 1;
	case TOPIC_CANCELLED:
		return 3;
	case TOPIC_NOT_AIRED:
		return 4;
	case TOPIC_ARCHIVED:
		return STEPS - 1;
	case TOPIC_WITHDRAWN:
		return 0;
	default:
		return -1;
	}
}

bool topic_is_stopped(enum topic_state state)
{
	return state == TOPIC_DECLINED || state == TOPIC_WITHDRAWN || state == TOPIC_MERGED ||
	       state == TOPIC_CANCELLED || state == TOPIC_NOT_AIRED;
}
