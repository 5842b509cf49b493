/*
 * fill.c - messages of the services as what views show.
 *
 * Comments arrive in the order (root, id); readers want each reply behind what it
 * answers. The tree is made from parent_id, by sibling links, without recursion:
 * replies may be as deep as people like.
 */
#include "gateway/pages/fill.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/words.h"
#include "lib/clock.h"
#include "lib/markdown.h"

#define TERMS_AGE_MS  30000
#define LEVELS        3
#define HISTORY_SHOWN 50 /* the latest ones */

static const enum topic_state states[] = {
	[CAUSERIE__TOPIC_STATE__TOPIC_STATE_UNSPECIFIED] = TOPIC_STATES,
	[CAUSERIE__TOPIC_STATE__DRAFT] = TOPIC_DRAFT,
	[CAUSERIE__TOPIC_STATE__PROPOSED] = TOPIC_PROPOSED,
	[CAUSERIE__TOPIC_STATE__OPEN] = TOPIC_OPEN,
	[CAUSERIE__TOPIC_STATE__SHORTLISTED] = TOPIC_SHORTLISTED,
	[CAUSERIE__TOPIC_STATE__SCHEDULED] = TOPIC_SCHEDULED,
	[CAUSERIE__TOPIC_STATE__RECORDED] = TOPIC_RECORDED,
	[CAUSERIE__TOPIC_STATE__PUBLISHED] = TOPIC_PUBLISHED,
	[CAUSERIE__TOPIC_STATE__WITHDRAWN] = TOPIC_WITHDRAWN,
	[CAUSERIE__TOPIC_STATE__DECLINED] = TOPIC_DECLINED,
	[CAUSERIE__TOPIC_STATE__MERGED] = TOPIC_MERGED,
	[CAUSERIE__TOPIC_STATE__CANCELLED] = TOPIC_CANCELLED,
	[CAUSERIE__TOPIC_STATE__NOT_AIRED] = TOPIC_NOT_AIRED,
	[CAUSERIE__TOPIC_STATE__ARCHIVED] = TOPIC_ARCHIVED,
};

enum topic_state fill_state(Causerie__TopicState state)
{
	return (size_t)state < sizeof states / sizeof *states ? states[state] : TOPIC_STATES;
}

Causerie__TopicState fill_state_back(enum topic_state wanted)
{
	for (size_t state = 1; state < sizeof states / sizeof *states; state++)
		if (states[state] == wanted)
			return (Causerie__TopicState)state;
	return CAUSERIE__TOPIC_STATE__TOPIC_STATE_UNSPECIFIED;
}

bool fill_state_named(const char *name, enum topic_state *found)
{
	for (int state = 0; state < TOPIC_STATES; state++)
		if (strcmp(topic_state_class((enum topic_state)state), name) == 0) {
			*found = (enum topic_state)state;
			return true;
		}
	return false;
}

enum locale fill_locale(const char *tag, enum locale otherwise)
{
	locale_parse(tag, &otherwise);
	return otherwise;
}

struct moment fill_moment(int64_t us)
{
	return (struct moment){us};
}

const char *fill_text(const char *text)
{
	return *text != '\0' ? text : NULL;
}

const char *fill_topic_url(struct arena *arena, uint64_t id, const char *slug)
{
	return arena_printf(arena, "/sujets/%llu-%s", (unsigned long long)id, slug);
}

/* --- taxonomies ----------------------------------------------------------------- */

static struct {
	Causerie__Taxonomies *known;
	int64_t asked_ms;
} kept;

void terms_load(struct task *task, struct terms *terms)
{
	static const Causerie__ListTaxonomiesRequest ask = CAUSERIE__LIST_TAXONOMIES_REQUEST__INIT;

	if (kept.known != NULL && clock_ms() - kept.asked_ms < TERMS_AGE_MS)
		return;
	RPC_CALL(task, &terms->answer, causerie__topics__list_taxonomies, site.topics, &ask);
}

static Causerie__Taxonomies *copy(const Causerie__Taxonomies *answer)
{
	const size_t size = causerie__taxonomies__get_packed_size(answer);
	uint8_t *packed = malloc(size + 1);
	Causerie__Taxonomies *made;

	if (packed == NULL)
		abort();
	causerie__taxonomies__pack(answer, packed);
	made = causerie__taxonomies__unpack(NULL, size, packed);
	free(packed);
	return made;
}

const Causerie__Taxonomies *terms_take(const struct terms *terms)
{
	static const Causerie__Taxonomies none = CAUSERIE__TAXONOMIES__INIT;

	if (terms->answer.reply != NULL) {
		Causerie__Taxonomies *fresh = copy(terms->answer.reply);

		if (fresh != NULL) {
			if (kept.known != NULL)
				causerie__taxonomies__free_unpacked(kept.known, NULL);
			kept.known = fresh;
			kept.asked_ms = clock_ms();
		}
	}
	return kept.known != NULL ? kept.known : &none;
}

const char *term_label(Causerie__Term *const *terms, size_t n, const char *slug, enum locale locale)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(terms[i]->slug, slug) == 0)
			return locale == LOCALE_FR ? terms[i]->label_fr : terms[i]->label_en;
	return slug;
}

struct labels fill_expertises(struct arena *arena, const Causerie__Taxonomies *known,
			      char *const *slugs, size_t n, enum locale locale)
{
	struct label *labels = ARENA_ARRAY(arena, struct label, n);

	for (size_t i = 0; i < n; i++)
		labels[i] = (struct label){
			.value = slugs[i],
			.text = arena_strdup(arena,
					     term_label(known->expertises, known->n_expertises,
							slugs[i], locale)),
			.url = arena_printf(arena, "/sujets?expertise=%s", slugs[i]),
		};
	return (struct labels){labels, n};
}

/* --- topics ----------------------------------------------------------------------- */

#define COMPARED 20 /* characters that tell whether an excerpt begins where the text does */

static bool begins_like(const char *excerpt, const char *text)
{
	for (int i = 0; i < COMPARED && *text != '\0'; i++, excerpt++, text++) {
		while (*excerpt == MATCH_START || *excerpt == MATCH_END)
			excerpt++;
		if (*excerpt != *text)
			return false;
	}
	return true;
}

static bool ends_a_sentence(const char *excerpt)
{
	const size_t length = strlen(excerpt);

	return length > 0 && strchr(".!?", excerpt[length - 1]) != NULL;
}

/* Around the words that were found, with dots where it is cut; NULL when the topic was found by
   other words than its text's. */
static const char *excerpt_of(struct arena *arena, const Causerie__TopicSummary *topic)
{
	const char *excerpt = topic->excerpt;

	if (strchr(excerpt, MATCH_START) == NULL)
		return NULL;
	return arena_printf(arena, "%s%s%s", begins_like(excerpt, topic->lead) ? "" : "… ", excerpt,
			    ends_a_sentence(excerpt) ? "" : " …");
}

void fill_topic_row(struct visit *v, const Causerie__TopicSummary *topic,
		    const Causerie__Taxonomies *known, const struct people *people,
		    struct topic_row *row)
{
	struct arena *arena = &v->task.arena;

	*row = (struct topic_row){
		.id = topic->id,
		.url = fill_topic_url(arena, topic->id, topic->slug),
		.title = *topic->headline ? topic->headline : topic->title,
		.lead = topic->lead,
		.excerpt = excerpt_of(arena, topic),
		.language = fill_locale(topic->language, site.locale),
		.state = fill_state(topic->state),
		.proposer = people_person(people, topic->proposer_id),
		.expertises = fill_expertises(arena, known, topic->expertises, topic->n_expertises,
					      v->locale),
		.format = arena_strdup(arena, term_label(known->formats, known->n_formats,
							 topic->format, v->locale)),
		.at = {topic->starts_at   ? topic->starts_at
		       : topic->opened_at ? topic->opened_at
					  : topic->created_at},
		.comments = topic->comments,
		.opinions = topic->opinions,
	};
}

struct opinions_view fill_opinions(const Causerie__Topic *topic)
{
	const Causerie__OpinionCounts *counts = topic->opinions;

	return (struct opinions_view){
		.topic_id = topic->summary->id,
		.counts = {[OPINION_EXCITING] = counts->passionnant,
			   [OPINION_INTERESTING] = counts->interessant,
			   [OPINION_AVERAGE] = counts->moyen,
			   [OPINION_BORING] = counts->sans_interet},
		.total = counts->total,
		.is_public = !counts->hidden,
		.is_closed = !topic->accepts_opinions,
		.mine = (enum opinion)topic->own_opinion,
		.reason = fill_text(topic->own_reason),
	};
}

void fill_history_people(struct task *task, struct people *people,
			 const Causerie__GetTopicHistoryReply *history)
{
	for (size_t i = 0; i < history->n_entries; i++)
		people_want(task, people, history->entries[i]->actor_id);
}

struct history_row *fill_history(struct visit *v, const Causerie__GetTopicHistoryReply *history,
				 const struct people *people, enum locale language, size_t *n)
{
	const size_t skipped =
		history->n_entries > HISTORY_SHOWN ? history->n_entries - HISTORY_SHOWN : 0;
	struct history_row *rows;

	*n = history->n_entries - skipped;
	rows = ARENA_ARRAY(&v->task.arena, struct history_row, *n);
	for (size_t i = 0; i < *n; i++) {
		const Causerie__HistoryEntry *entry = history->entries[skipped + i];

		rows[i] = (struct history_row){
			.at = {entry->at},
			.to = fill_state(entry->to),
			.what = entry->to == 0 ? tr(v->locale, "texte modifié") : NULL,
			.by = people_person(people, entry->actor_id),
			.reason = fill_text(entry->reason),
			.language = language,
		};
	}
	return rows;
}

/* --- comments ---------------------------------------------------------------------- */

#define NONE SIZE_MAX

/* Positions in the page's list. */
struct branch {
	size_t parent, first_reply, last_reply, next;
	unsigned level;
};

static int by_place(const Causerie__Comment *a, uint64_t root, uint64_t id)
{
	if (a->root_id != root)
		return a->root_id < root ? -1 : 1;
	return a->id < id ? -1 : a->id > id;
}

/* A parent stands before its replies, in the same root's part of the list. */
static size_t find_parent(Causerie__Comment *const *list, size_t before)
{
	const Causerie__Comment *reply = list[before];
	size_t low = 0, high = before;

	if (reply->parent_id == 0)
		return NONE;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = by_place(list[middle], reply->root_id, reply->parent_id);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NONE;
}

static void grow(struct branch *tree, Causerie__Comment *const *list, size_t n, size_t *first,
		 size_t *last)
{
	*first = *last = NONE;
	for (size_t i = 0; i < n; i++) {
		const size_t parent = find_parent(list, i);
		size_t *head = parent == NONE ? first : &tree[parent].first_reply;
		size_t *tail = parent == NONE ? last : &tree[parent].last_reply;

		tree[i] = (struct branch){parent, NONE, NONE, NONE, 0};
		if (parent != NONE)
			tree[i].level = tree[parent].level + 1 < LEVELS ? tree[parent].level + 1
									: LEVELS - 1;
		if (*head == NONE)
			*head = i;
		else
			tree[*tail].next = i;
		*tail = i;
	}
}

/* The one that is read after this: its first reply, else its next sibling, else an ancestor's. */
static size_t following(const struct branch *tree, size_t at)
{
	if (tree[at].first_reply != NONE)
		return tree[at].first_reply;
	while (at != NONE && tree[at].next == NONE)
		at = tree[at].parent;
	return at == NONE ? NONE : tree[at].next;
}

void fill_thread_people(struct task *task, struct people *people, Causerie__Comment *const *list,
			size_t n)
{
	for (size_t i = 0; i < n; i++) {
		people_want(task, people, list[i]->author_id);
		people_want(task, people, list[i]->parent_author_id);
	}
}

struct html fill_comment_body(struct arena *arena, const Causerie__Comment *comment)
{
	if (*comment->body == '\0')
		return (struct html){0};
	return markdown_html(arena, comment->body, MARKDOWN_COMMENT);
}

static enum comment_state comment_state(Causerie__CommentState state)
{
	return state >= CAUSERIE__COMMENT_STATE__VISIBLE ? (enum comment_state)(state - 1)
							 : COMMENT_HIDDEN;
}

static bool is_mine(const struct visit *v, const Causerie__Comment *comment)
{
	return visit_signed_in(v) && comment->author_id == v->session->account_id;
}

static struct comment_view view_of(struct visit *v, const Causerie__Comment *comment,
				   const struct people *people, uint64_t proposer_id, bool open)
{
	const struct known_person *author = people_find(people, comment->author_id);
	const bool whole = *comment->body != '\0';
	const bool mine = is_mine(v, comment);
	const bool visible = comment->state == CAUSERIE__COMMENT_STATE__VISIBLE;

	return (struct comment_view){
		.id = comment->id,
		.topic_id = comment->topic_id,
		.parent_id = comment->parent_id,
		.parent_name = people_person(people, comment->parent_author_id).name,
		.depth = comment->depth,
		.state = comment_state(comment->state),
		.author = people_person(people, comment->author_id),
		.is_mine = mine,
		.is_proposer = comment->author_id != 0 && comment->author_id == proposer_id,
		.is_organizer = author && (author->roles & CAUSERIE__ROLE__ROLE_ORGANIZER),
		.body = fill_comment_body(&v->task.arena, comment),
		.language = fill_locale(comment->language, site.locale),
		.posted = {comment->created_at},
		.edited = {comment->edited_at},
		.may_reply = visible && whole && open,
		.may_edit = comment->may_edit && mine,
		.may_delete = comment->may_delete,
		.may_report = visible && whole && visit_signed_in(v) && !mine,
		.may_moderate = visit_has_role(v, CAUSERIE__ROLE__ROLE_MODERATOR) && whole,
		.hidden_reason = fill_text(comment->moderation_reason),
	};
}

void fill_comment(struct visit *v, const Causerie__Comment *comment, const struct people *people,
		  struct comment_view *view)
{
	*view = (struct comment_view){
		.id = comment->id,
		.topic_id = comment->topic_id,
		.state = comment_state(comment->state),
		.author = people_person(people, comment->author_id),
		.is_mine = is_mine(v, comment),
		.body = fill_comment_body(&v->task.arena, comment),
		.language = fill_locale(comment->language, site.locale),
		.posted = {comment->created_at},
		.edited = {comment->edited_at},
		.hidden_reason = fill_text(comment->moderation_reason),
	};
}

void fill_thread(struct visit *v, const Causerie__ListCommentsReply *reply,
		 const struct people *people, uint64_t proposer_id, struct thread_view *thread)
{
	const size_t n = reply->n_comments;
	struct comment_view *views = ARENA_ARRAY(&v->task.arena, struct comment_view, n);
	struct branch *tree = ARENA_ARRAY(&v->task.arena, struct branch, n);
	size_t first, last, shown = 0;

	grow(tree, reply->comments, n, &first, &last);
	for (size_t at = first; at != NONE; at = following(tree, at)) {
		views[shown] = view_of(v, reply->comments[at], people, proposer_id,
				       reply->open && !thread->is_closed);
		views[shown].level = tree[at].level;
		if (reply->comments[at]->id > thread->last_id)
			thread->last_id = reply->comments[at]->id;
		shown++;
	}
	thread->comments = views;
	thread->n_comments = shown;
	thread->total = reply->total;
	thread->is_closed |= !reply->open;
}
