/*
 * views.h - what each page shows, as plain data.
 *
 * A page handler fills one of these from the answers it got and calls the
 * template of the same name (templates/<group>.html, compiled to
 * gateway_templates.h: `struct topic_view` is drawn by render_topic_page()).
 * Templates decide every word and every mark; handlers decide every fact.
 *
 * Conventions: strings are UTF-8, borrowed, and may be NULL where that is said
 * or where nothing is to be shown. Texts of people come with their language.
 * Times are struct moment, 0 for "not known". Ids are numbers. What is markup
 * already (struct html) must come from Markdown rendered in safe mode. Everything
 * here is to be all zero where nothing is known: that is always a page.
 *
 * Forms post urlencoded. Each carries `csrf`; each that writes carries `key`, the
 * idempotency key made when the form was drawn. On an error the handler draws the
 * same view again with `errors` and what was typed.
 */
#ifndef GATEWAY_VIEWS_H
#define GATEWAY_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/template.h"

/* --- every page --- */

enum theme { THEME_AUTO, THEME_LIGHT, THEME_DARK }; /* cookie `theme`: absent, light, dark */

enum section {
	SECTION_NONE,
	SECTION_TOPICS,
	SECTION_PROPOSE,
	SECTION_HELP,
	SECTION_DESK,
	SECTION_MODERATION,
	SECTION_NOTIFICATIONS,
	SECTION_ACCOUNT
};

/* Parts that did not answer: the page says so in one plain sentence each. */
enum missing {
	MISSING_TOPICS = 1 << 0,
	MISSING_COMMENTS = 1 << 1,
	MISSING_RELATED = 1 << 2,
	MISSING_ACCOUNTS = 1 << 3,      /* names and sign-in */
	MISSING_NOTIFICATIONS = 1 << 4, /* follows and inbox */
	MISSING_SESSIONS = 1 << 5,      /* Redis: nobody can be recognised */
};

struct notice {
	enum { NOTICE_INFO, NOTICE_DONE, NOTICE_WARNING } kind;
	const char *text; /* translated */
	const char *link; /* NULL, or where link_text leads */
	const char *link_text;
};

struct reader {
	uint64_t id;
	const char *name;
	bool verified;
	bool is_moderator;
	bool is_organizer;
	unsigned unread; /* notifications */
};

struct page {
	const char *site_name;   /* "Causerie" */
	const char *title;       /* without the site's name; NULL on the home page */
	const char *description; /* for search engines and share cards, or NULL */
	const char *canonical;   /* absolute address; NULL keeps the page out of indexes */
	const char *here; /* path and query to come back to after sign-in, theme or language */
	const char *feed; /* Atom feed of this page, or NULL */
	enum theme theme;
	enum section section;
	const struct reader *viewer; /* NULL when signed out */
	const char *csrf;            /* NULL leaves the field out */
	unsigned missing;            /* enum missing */
	const struct notice *notices;
	size_t n_notices;
	bool hide_sign_in;    /* on the sign-in pages themselves */
	bool address_bounces; /* "votre adresse ne répond plus" */
};

/* One wrong field. The reason is translated; the field is the name of its input. */
struct form_error {
	const char *field; /* NULL when it concerns the whole form */
	const char *reason;
};

struct form {
	const char *key; /* idempotency key */
	const struct form_error *errors;
	size_t n_errors;
};

/* The reason to show at a field, or NULL. */
static inline const char *form_reason(const struct form *form, const char *field)
{
	size_t i;

	for (i = 0; i < form->n_errors; i++)
		if (form->errors[i].field != NULL && strcmp(form->errors[i].field, field) == 0)
			return form->errors[i].reason;
	return NULL;
}

/* A value of a taxonomy, an expertise, a filter: a label and where it leads. */
struct label {
	const char *value; /* as a form posts it */
	const char *text;  /* as people read it, in the page's language */
	const char *url;   /* NULL where it is no link */
	unsigned count;    /* 0 where unknown */
	bool selected;
};

struct labels {
	const struct label *items;
	size_t n;
};

/* Someone named on a page. A NULL name is an erased account: "Membre supprimé". */
struct person {
	uint64_t id;
	const char *name;
	const char *organisation; /* NULL */
	const char *bio;          /* NULL */
};

/* --- topics --- */

enum topic_state {
	TOPIC_DRAFT,
	TOPIC_PROPOSED,
	TOPIC_OPEN,
	TOPIC_SHORTLISTED,
	TOPIC_SCHEDULED,
	TOPIC_RECORDED,
	TOPIC_PUBLISHED,
	TOPIC_NOT_AIRED,
	TOPIC_DECLINED,
	TOPIC_WITHDRAWN,
	TOPIC_MERGED,
	TOPIC_CANCELLED,
	TOPIC_ARCHIVED,
	TOPIC_STATES,
};

/* One topic in a list. */
struct topic_row {
	uint64_t id;
	const char *url;
	const char *title; /* may hold MATCH_START and MATCH_END, as excerpt and lead may */
	const char *lead;
	const char *excerpt; /* around the matches of a search, or NULL */
	enum locale language;
	enum topic_state state;
	struct person proposer;
	struct labels expertises;
	const char *format; /* "Talkshow" */
	struct moment at;   /* proposed; scheduled for; published */
	unsigned comments;
	unsigned opinions;
	unsigned followers;
	const char *duration; /* of the video, "42 min", or NULL */
};

/* `/` and `/sujets`. */
struct topics_view {
	struct page page;
	bool is_home;
	bool is_mine;                 /* the viewer's own, drafts included */
	const char *query;            /* what was searched, or NULL */
	const struct topic_row *lead; /* the first, large; NULL on later pages and in searches */
	const struct topic_row *rows;
	size_t n_rows;
	uint64_t total; /* 0 where unknown */
	struct labels states;
	struct labels formats;
	struct labels expertises;
	struct labels orders;
	bool is_filtered;
	const char *clear_url; /* the list without filters */
	const char *next_url;  /* NULL on the last page */
	const char *first_url; /* NULL on the first page */
	/* on the home page, what is next on air and lately published; may be empty */
	const struct topic_row *upcoming;
	size_t n_upcoming;
	const struct topic_row *published;
	size_t n_published;
};

enum opinion {
	OPINION_NONE,
	OPINION_BORING,
	OPINION_AVERAGE,
	OPINION_INTERESTING,
	OPINION_EXCITING,
	OPINION_VALUES
};

struct opinions_view {
	uint64_t topic_id;
	unsigned counts[OPINION_VALUES]; /* by value; [0] unused */
	unsigned total;
	bool is_public; /* from 5 opinions on */
	bool is_closed;
	enum opinion mine;
	enum opinion chosen; /* before signing in, to be confirmed */
	const char *reason;  /* mine, or NULL */
	struct form form;
};

enum comment_state {
	COMMENT_VISIBLE,
	COMMENT_PENDING,
	COMMENT_HIDDEN,
	COMMENT_DELETED,
	COMMENT_SPAM,
	COMMENT_ERASED
};

/* In the order of reading; replies follow their parent. */
struct comment_view {
	uint64_t id;
	uint64_t topic_id;
	uint64_t parent_id;      /* 0 for the first level */
	const char *parent_name; /* whom a reply deeper than level 2 answers */
	unsigned level;          /* 0, 1, 2: how far it is indented; deeper ones are 2 */
	unsigned depth;          /* the true one */
	enum comment_state state;
	struct person author;
	bool is_mine;
	bool is_proposer; /* of the topic */
	bool is_organizer;
	bool is_panelist;
	struct html body;
	enum locale language;
	struct moment posted;
	struct moment edited; /* 0 when never, or within the silent quarter of an hour */
	const char *tag;      /* "question pour le plateau", translated, or NULL */
	bool may_reply;
	bool may_edit;
	bool may_delete;
	bool may_report;
	bool may_moderate;
	bool may_invite;           /* the organizer may invite its author on the panel */
	const char *hidden_reason; /* for its author and moderators, or NULL */
};

/* The form under the thread, and under one comment when ?repondre=<id>. */
struct comment_form {
	uint64_t topic_id;
	uint64_t parent_id; /* 0, or the comment replied to */
	const char *parent_name;
	const char *text;    /* typed so far, or NULL */
	struct html preview; /* size 0 when none was asked for */
	enum locale language;
	const char *csrf;  /* as the page's: the thread is drawn without the page */
	bool asks_sign_in; /* a visitor: writes first, signs in after */
	struct form form;
};

struct thread_view {
	uint64_t topic_id;
	const char *topic_url;
	enum locale topic_language; /* of the topic, for a new comment */
	const struct comment_view *comments;
	size_t n_comments;
	unsigned total;          /* visible ones */
	const char *earlier_url; /* NULL when all are shown */
	const char *later_url;
	bool is_missing; /* the comments service does not answer */
	bool is_closed;
	bool opens_later; /* closed, because the topic is not open yet */
	struct moment closed_at;
	uint64_t reply_to; /* the comment under which the form stands; 0: under the thread */
	struct comment_form form;
	uint64_t last_id; /* the newest comment known, for the live stream */
};

enum follow_level { FOLLOW_NONE, FOLLOW_ALL, FOLLOW_REPLIES, FOLLOW_MILESTONES, FOLLOW_MUTE };
enum seat_state {
	SEAT_NONE,
	SEAT_REQUESTED,
	SEAT_CONFIRMED,
	SEAT_WAITING,
	SEAT_CANCELLED,
	SEAT_ATTENDED
};

struct audience_view {
	uint64_t topic_id;
	unsigned followers;
	unsigned seats_taken;
	unsigned capacity; /* 0 when no audience is planned yet */
	unsigned waiting;
	const struct person *shown; /* members of the audience who opted in */
	size_t n_shown;
	enum follow_level follow;
	enum seat_state seat;
	unsigned seats;    /* mine, 1-4 */
	unsigned position; /* in the waiting list */
	bool shows_name;
	bool seats_open;
	bool is_missing; /* follows are not known */
	struct form form;
};

struct related_row {
	const char *url;
	const char *title;
	enum locale language;
	enum topic_state state;
	const char *const *reasons; /* translated: "2 expertises communes" */
	size_t n_reasons;
};

struct history_row {
	struct moment at;
	enum topic_state to;
	const char *what; /* translated, or NULL: "passe à « ouvert »" is said from `to` */
	struct person by;
	const char *reason; /* public one, or NULL */
	enum locale language;
};

struct chapter {
	unsigned seconds;
	const char *at; /* "12:34" */
	const char *title;
};

struct panelist {
	struct person person;
	const char *role; /* "animation", or NULL */
};

enum candidacy_state {
	CANDIDACY_NONE,
	CANDIDACY_SUBMITTED,
	CANDIDACY_IN_REVIEW,
	CANDIDACY_RESERVE,
	CANDIDACY_INVITED,
	CANDIDACY_CONFIRMED,
	CANDIDACY_TOOK_PART,
	CANDIDACY_REJECTED,
	CANDIDACY_DECLINED,
	CANDIDACY_WITHDRAWN,
	CANDIDACY_CANCELLED,
	CANDIDACY_EXPIRED,
	CANDIDACY_NO_SHOW,
	CANDIDACY_STATES
};

enum offer_state {
	OFFER_NONE,
	OFFER_DRAFT,
	OFFER_SUBMITTED,
	OFFER_IN_DISCUSSION,
	OFFER_ACCEPTED,
	OFFER_DELIVERED,
	OFFER_DECLINED,
	OFFER_WITHDRAWN,
	OFFER_EXPIRED,
	OFFER_STATES
};

struct topic_view {
	struct page page;
	uint64_t id;
	const char *url;       /* path */
	const char *short_url; /* absolute, "https://…/s/12" */
	const char *title;
	const char *lead;
	struct html article;
	enum locale language;
	enum topic_state state;
	const char *state_reason; /* why declined, cancelled; or NULL */
	struct person proposer;
	struct moment proposed;
	struct moment edited;
	const char *format;
	const char *treatment;
	struct labels expertises;
	const char *sponsor; /* public sentence's name, or NULL */
	const char *sponsor_url;

	/* recording */
	const char *place;   /* "Studios de Webcastory", envisaged until scheduled */
	const char *address; /* NULL where private or unknown */
	const char *access;  /* for disabled persons, or NULL */
	struct moment starts;
	struct moment ends;
	const struct zone *zone; /* of the place */
	const char *online_url;
	const struct panelist *panel;
	size_t n_panel;

	/* video, once published */
	const char *video_url;
	bool video_is_ours; /* a file of this site, played here; else a link */
	const char *video_poster;
	const char *duration;
	struct moment published;
	const struct chapter *chapters;
	size_t n_chapters;
	const char *transcript_url;

	struct opinions_view opinions;
	enum candidacy_state candidacy; /* mine */
	enum offer_state offer;         /* mine */
	bool takes_candidacies;
	bool takes_offers;
	struct thread_view thread;
	struct audience_view audience;
	const struct related_row *related;
	size_t n_related;
	bool related_is_missing;
	bool related_is_stale; /* the last list known */
	const struct history_row *history;
	size_t n_history;
	bool may_edit;
	bool may_withdraw;
	bool is_hidden; /* visible to its author, with a notice */
};

/* `/sujets/nouveau` and `/sujets/{id}/modifier`. */
struct topic_form_view {
	struct page page;
	struct form form;
	uint64_t id; /* 0 when new */
	int64_t version;
	bool is_draft; /* saved, but not proposed yet */
	const char *title;
	const char *lead;
	const char *article;
	const char *place;
	const char *expertises_text; /* comma separated, as typed */
	const char *reason;          /* of an edit */
	enum locale language;
	struct labels formats;
	struct labels treatments;
	struct labels expertises;             /* suggestions */
	struct html preview;                  /* size 0 when none was asked for */
	const struct related_row *duplicates; /* to be looked at first; posted as duplicates_seen */
	size_t n_duplicates;
	bool duplicates_seen;                 /* now or before: they are not looked for again */
	const struct topic_form_view *theirs; /* on a conflict: what was saved meanwhile */
};

/* `/sujets/{id}/retirer`. */
struct withdraw_view {
	struct page page;
	struct form form;
	uint64_t id;
	int64_t version;
	const char *title;
	const char *url;
	enum locale language;
};

/* `/sujets/{id}/participation`. */
struct candidacy_form_view {
	struct page page;
	struct form form;
	const struct topic_row *topic;
	enum candidacy_state state; /* mine so far */
	const char *motivation;
	const char *expertises_text;
	const char *availability;
	const char *links;
	const char *phone;
	bool on_site;
	const char *licence_version; /* shown when invited, to confirm */
	struct html licence;
	const char *word;
	struct moment answer_by;
	int64_t version;
};

struct offer_item {
	uint64_t id;
	const char *name;
	const char *requires; /* name of another item, or NULL */
	int64_t unit_cents;
	unsigned vat_permille;
	unsigned quantity;
};

/* `/sujets/{id}/sponsor`. */
struct offer_form_view {
	struct page page;
	struct form form;
	const struct topic_row *topic;
	enum offer_state state;
	const char *organisation;
	const char *contact;
	const char *website;
	const char *message;
	const char *conditions;
	const char *amount_min; /* as typed, euros */
	const char *amount_max;
	const struct offer_item *items;
	size_t n_items;
	int64_t total_cents; /* 0 until computed */
	int64_t vat_cents;
	int64_t version;
};

/* --- comments --- */

/* `/commentaires/{id}/modifier`. */
struct comment_edit_view {
	struct page page;
	struct form form;
	uint64_t id;
	int64_t version;
	const char *topic_title;
	const char *topic_url;
	enum locale topic_language;
	enum locale language;
	const char *text;
	struct html preview;
	const char *theirs; /* on a conflict: the text saved meanwhile */
	bool is_silent;     /* within the quarter of an hour: leaves no mark */
};

struct diff_part {
	enum { DIFF_SAME, DIFF_ADDED, DIFF_REMOVED } kind;
	const char *text;
};

struct revision {
	struct moment at;
	struct person by;
	bool by_moderator;
	const char *reason;
	const struct diff_part *parts;
	size_t n_parts;
};

/* `/commentaires/{id}/historique`, newest first. */
struct comment_history_view {
	struct page page;
	uint64_t id;
	const char *topic_title;
	const char *topic_url;
	enum locale topic_language;
	enum locale language;
	struct person author;
	const struct revision *revisions;
	size_t n_revisions;
};

/* `/commentaires/{id}/signaler` and `/commentaires/{id}/supprimer`. */
struct comment_action_view {
	struct page page;
	struct form form;
	enum { COMMENT_REPORT, COMMENT_DELETE } action;
	const struct comment_view *comment;
	const char *topic_title;
	const char *topic_url;
	enum locale topic_language;
	const char *reason;
	const char *details;
};

/* --- accounts --- */

struct sign_in_view {
	struct page page;
	struct form form;
	const char *email;
	const char *next;       /* local path, or NULL */
	unsigned retry_seconds; /* > 0: throttled, the same words for everyone */
	bool keeps_text;        /* a text waits to be posted after signing in */
};

struct sign_up_view {
	struct page page;
	struct form form;
	const char *email;
	const char *name;
	const char *next;
	enum locale language;
};

enum check_mail_reason { CHECK_VERIFY, CHECK_RESET, CHECK_EXPORT };

/* After sign-up, forgotten password, change of address: the same for every address. */
struct check_mail_view {
	struct page page;
	enum check_mail_reason why;
	const char *email;       /* as typed */
	const char *mailbox_url; /* the development mailbox, or NULL */
};

/* `/verification?token=`: GET shows a button, POST verifies. */
struct verify_view {
	struct page page;
	struct form form;
	enum { VERIFY_ASK, VERIFY_DONE, VERIFY_REFUSED, VERIFY_RESEND } outcome;
	const char *token;
};

struct forgot_view {
	struct page page;
	struct form form;
	const char *email;
};

/* `/mot-de-passe/nouveau?token=`. */
struct reset_view {
	struct page page;
	struct form form;
	const char *token;
	bool is_refused; /* used, expired or forged */
};

struct session_row {
	uint64_t id;
	const char *device;  /* "Firefox, Linux" or a token's label */
	const char *network; /* "192.0.2.0/24", or NULL */
	bool is_current;
	bool is_token;
	struct moment started;
	struct moment seen;
};

/* `/compte`. */
struct account_view {
	struct page page;
	struct form profile;
	struct form password;
	const char *name;
	const char *email;
	const char *organisation;
	const char *bio;
	const char *expertises_text;
	enum locale language;
	const char *time_zone; /* "Europe/Paris" */
	const struct session_row *sessions;
	size_t n_sessions;
	bool offers_data; /* an export can be asked for */
};

/* `/compte/effacer`. */
struct erase_view {
	struct page page;
	struct form form;
	enum {
		ERASE_ASK,
		ERASE_CLOSED,
		ERASE_GONE
	} outcome; /* closed: a link in a mail keeps it */
	bool removes_comments;
	struct moment erased_at;
};

/* `/compte/garder/{token}`: GET shows a button, POST keeps. */
struct keep_view {
	struct page page;
	struct form form;
	enum { KEEP_ASK, KEEP_DONE, KEEP_REFUSED } outcome;
	const char *token;
};

/* --- notifications --- */

struct notification_row {
	uint64_t id;
	const char *reason; /* reply, mention, follow, state, invitation: an icon and a word */
	const char *text;   /* translated sentence */
	const char *excerpt;
	enum locale language;
	const char *url;
	struct moment at;
	bool is_read;
};

struct notifications_view {
	struct page page;
	struct form form;
	const struct notification_row *rows;
	size_t n_rows;
	const char *next_url;
};

enum rhythm { RHYTHM_NOW, RHYTHM_HOURLY, RHYTHM_DAILY, RHYTHM_WEEKLY, RHYTHM_NEVER };

struct preferences_view {
	struct page page;
	struct form form;
	enum rhythm rhythm;
	bool has_digests; /* the rhythms between at once and never are offered */
	unsigned daily_hour;
	bool mail_replies;
	bool mail_follows;
	bool mail_milestones;
	const struct topic_row *followed;
	const enum follow_level *levels; /* of followed[i] */
	size_t n_followed;
};

enum unsubscribe_scope { UNSUBSCRIBE_TOPIC, UNSUBSCRIBE_KIND, UNSUBSCRIBE_ALL };

/* `/u/{token}`: GET asks and changes nothing, POST does it. */
struct unsubscribe_view {
	struct page page;
	struct form form;
	const char *token;
	enum { UNSUBSCRIBE_ASK, UNSUBSCRIBE_DONE, UNSUBSCRIBE_REFUSED } outcome;
	enum unsubscribe_scope scope; /* chosen, or proposed */
	const char *topic_title;      /* NULL when the mail was about no topic */
	const char *topic_url;
	enum locale topic_language;
	const char *kind; /* translated: "réponses à vos commentaires" */
};

/* --- organizers --- */

struct desk_card {
	const struct topic_row *topic;
	unsigned candidates;
	unsigned offers;
	unsigned reports;
	unsigned days; /* in this state */
};

struct desk_column {
	enum topic_state state;
	const struct desk_card *cards;
	size_t n_cards;
	const char *all_url; /* NULL when these are all */
};

/* `/bureau`. */
struct desk_view {
	struct page page;
	const struct desk_column *columns;
	size_t n_columns;
};

struct candidate_row {
	uint64_t id;
	struct person person;
	enum candidacy_state state;
	const char *motivation;
	enum locale language;
	const char *availability;
	struct labels expertises;
	bool on_site;
	struct moment at;
	int64_t version;
};

struct offer_row {
	uint64_t id;
	const char *organisation;
	const char *contact;
	const char *message;
	enum locale language;
	enum offer_state state;
	int64_t total_cents;
	struct moment at;
	int64_t version;
};

/* What an organizer may do next; posted to /bureau/sujets/{id}/transition as `to`. */
struct desk_transition {
	enum topic_state to;
	const char *value;    /* as posted: "open" */
	bool needs_reason;    /* public one */
	bool needs_recording; /* place, start, end, zone */
	bool needs_video;
	bool needs_target; /* merged into */
};

/* `/bureau/sujets/{id}`. */
struct desk_topic_view {
	struct page page;
	struct form form;
	const struct topic_row *topic;
	int64_t version;
	const struct desk_transition *transitions;
	size_t n_transitions;
	const char *chosen; /* transition whose form had errors, or NULL */
	bool may_edit;
	bool takes_candidacies;
	const struct candidate_row *candidates;
	size_t n_candidates;
	const struct offer_row *offers;
	size_t n_offers;
	struct opinions_view opinions;
	struct audience_view audience;
	const struct history_row *history;
	size_t n_history;
	/* typed, or as they stand */
	const char *place;
	const char *address;
	bool address_private;
	const char *access;
	const char *online_url;
	const char *starts; /* "2027-03-01T14:30", local to the zone */
	const char *ends;
	const char *time_zone;
	const char *capacity;
	const char *video_url;
	const char *duration;
	const char *captions_url;
	const char *transcript;
	const char *no_captions_reason;
	const char *target;
	const char *reason;
};

/* Two topics that organizers pinned together or keep apart. */
struct pair_row {
	uint64_t id; /* of the other one */
	const char *url;
	const char *title;
	enum locale language;
	bool is_pinned; /* else banned */
	bool is_hidden; /* not everybody may see the other one: it is in no list */
	struct person by;
	struct moment at;
	const char *free_key; /* idempotency key of its form; as below */
};

/* One line of what a score consists of. */
struct score_part {
	const char *word;   /* translated: "Mots communs" */
	const char *detail; /* "confiance, conversation", or NULL */
	const char *value;  /* "0,62" */
	unsigned percent;   /* of the largest part; 0 for one that takes away */
};

/* A topic that the recommender finds near, and why. */
struct relation_row {
	uint64_t id;
	const char *url;
	const char *title;
	enum locale language;
	bool is_pinned;
	bool is_on_page;
	bool is_unsure;              /* the page leaves it out … */
	bool is_untold;              /* … for want of a reason to tell, or else for these: */
	unsigned confidence, needed; /* percent */
	const char *score;
	const struct score_part *parts;
	size_t n_parts;
	const char *pin_key, *ban_key;
};

/* `/bureau/sujets/{id}/connexes`. */
struct desk_related_view {
	struct page page;
	struct form form;  /* of the one topic that is named by its number */
	const char *other; /* its number as typed, or NULL */
	const struct topic_row *topic;
	const struct pair_row *pairs;
	size_t n_pairs;
	const struct relation_row *relations;
	size_t n_relations;
	bool is_missing;    /* the recommender does not answer */
	bool is_rebuilding; /* it does not know all topics yet */
};

struct report_row {
	uint64_t id; /* of the comment */
	const struct comment_view *comment;
	const char *topic_title;
	const char *topic_url;
	enum locale topic_language;
	unsigned reports;
	const char *const *reasons; /* translated */
	size_t n_reasons;
	struct moment first;
	int64_t version;
};

/* `/moderation`. */
struct moderation_view {
	struct page page;
	struct form form;
	const struct report_row *rows;
	size_t n_rows;
	const char *next_url;
};

/* --- the rest --- */

/* `/aide`. */
struct help_view {
	struct page page;
	struct html text; /* the organizers' page; size 0 shows ours */
	enum locale language;
	struct moment edited;
	bool may_edit;
};

/* A field of a form that failed; label NULL: it goes along unseen. */
struct sent_field {
	const char *name, *value, *label;
};

struct error_view {
	struct page page;
	int status;
	const char *detail; /* translated sentence, or NULL for the usual one */
	const char *request_id;
	unsigned retry_seconds; /* 429, 503 */
	const char *allow;      /* 405 */
	const char *action;     /* where the form went that failed; NULL: no text was sent */
	const struct sent_field *sent;
	size_t n_sent;
	bool may_send_again;
};

struct mailbox_row {
	const char *id;
	const char *to;
	const char *from;
	const char *subject;
	struct moment at;
};

/* `/dev/mailbox`, development only. */
struct mailbox_view {
	struct page page;
	const struct mailbox_row *rows;
	size_t n_rows;
};

/* `/dev/mailbox/messages/{id}`. */
struct message_view {
	struct page page;
	const struct mailbox_row *message;
	const char *text;      /* plain part */
	struct html text_html; /* the same with its links to follow, or size 0 */
	const char *html_url;  /* the HTML part on its own, sandboxed; NULL when none */
	const char *eml_url;
	const char *headers;
};

#endif
