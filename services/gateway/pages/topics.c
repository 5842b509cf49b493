/*
 * topics.c - / and /sujets: the list one would want to read, its filters and its search.
 *
 *   ask --> name --> draw
 *   topics  accounts
 *
 * The home page is the first page of the list with what is next on air and what
 * was published lately.
 */
#include <string.h>

#include "gateway/page_cache.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/words.h"
#include "gateway_templates.h"
#include "lib/text.h"

#define ROWS        20
#define ROWS_ASIDE  3
#define OPTIONAL_MS 1500
#define QUERY_CHARS 200

struct topics_visit {
	struct visit visit;
	bool is_home, is_mine;
	const char *query, *format, *expertise, *state, *order, *cursor;
	RPC_SLOT(Causerie__ListTopicsReply) list;
	RPC_SLOT(Causerie__ListTopicsReply) upcoming;
	RPC_SLOT(Causerie__ListTopicsReply) published;
	struct terms terms;
	struct people people;
};

static task_step ask_home, ask_list, name_people, draw;

const struct handler show_home = HANDLER(struct topics_visit, ask_home);
const struct handler show_topics = HANDLER(struct topics_visit, ask_list);

static bool same(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

/* A parameter of the query as one line; NULL when absent or empty. */
static const char *parameter(struct topics_visit *t, const char *name)
{
	const char *value = http_query_value(t->visit.http, name);
	const char *line = value ? text_line(&t->visit.task.arena, value) : NULL;

	return line != NULL && *line != '\0' ? line : NULL;
}

static char *or_empty(struct topics_visit *t, const char *text)
{
	return arena_strdup(&t->visit.task.arena, text ? text : "");
}

static Causerie__TopicOrder order_of(const char *name)
{
	if (name != NULL && strcmp(name, "discutes") == 0)
		return CAUSERIE__TOPIC_ORDER__DISCUSSED;
	if (name != NULL && strcmp(name, "bientot") == 0)
		return CAUSERIE__TOPIC_ORDER__AWAITED;
	if (name != NULL && strcmp(name, "recents") == 0)
		return CAUSERIE__TOPIC_ORDER__RECENT;
	return CAUSERIE__TOPIC_ORDER__TOPIC_ORDER_UNSPECIFIED;
}

static void ask(struct topics_visit *t)
{
	Causerie__ListTopicsRequest wanted = CAUSERIE__LIST_TOPICS_REQUEST__INIT;
	Causerie__TopicState states[TOPIC_STATES];
	enum topic_state named;

	wanted.limit = ROWS;
	wanted.query = or_empty(t, t->query);
	wanted.format = or_empty(t, t->format);
	wanted.expertise = or_empty(t, t->expertise);
	wanted.cursor = or_empty(t, t->cursor);
	wanted.order = order_of(t->order);
	wanted.states = states;
	if (t->state != NULL && fill_state_named(t->state, &named)) {
		states[wanted.n_states++] = fill_state_back(named);
	} else if (t->is_mine) { /* of one's own in every state, of others in those that are listed
				  */
		while (wanted.n_states < TOPIC_STATES) {
			states[wanted.n_states] =
				fill_state_back((enum topic_state)wanted.n_states);
			wanted.n_states++;
		}
	}
	if (t->is_mine)
		wanted.proposer_id = t->visit.session->account_id;
	RPC_CALL(&t->visit.task, &t->list, causerie__topics__list_topics, site.topics, &wanted);
	terms_load(&t->visit.task, &t->terms);
}

static void ask_aside(struct topics_visit *t)
{
	Causerie__TopicState published = CAUSERIE__TOPIC_STATE__PUBLISHED;
	Causerie__ListTopicsRequest wanted = CAUSERIE__LIST_TOPICS_REQUEST__INIT;

	wanted.limit = ROWS_ASIDE;
	wanted.order = CAUSERIE__TOPIC_ORDER__AWAITED;
	RPC_CALL_WITHIN(OPTIONAL_MS, &t->visit.task, &t->upcoming, causerie__topics__list_topics,
			site.topics, &wanted);
	wanted.order = CAUSERIE__TOPIC_ORDER__RECENT;
	wanted.states = &published;
	wanted.n_states = 1;
	RPC_CALL_WITHIN(OPTIONAL_MS, &t->visit.task, &t->published, causerie__topics__list_topics,
			site.topics, &wanted);
}

static struct step ask_home(struct task *task)
{
	struct topics_visit *t = (struct topics_visit *)task;

	t->is_home = true;
	ask(t);
	ask_aside(t);
	return task_then(name_people);
}

static struct step ask_list(struct task *task)
{
	struct topics_visit *t = (struct topics_visit *)task;

	t->query = parameter(t, "q");
	t->format = parameter(t, "format");
	t->expertise = parameter(t, "expertise");
	t->state = parameter(t, "etat");
	t->order = parameter(t, "ordre");
	t->cursor = http_query_value(t->visit.http, "suite");
	t->is_mine = visit_signed_in(&t->visit) && same(parameter(t, "de"), "moi");
	if (t->query != NULL && text_length(t->query) > QUERY_CHARS)
		t->query = arena_strndup(&task->arena, t->query, QUERY_CHARS);
	ask(t);
	return task_then(name_people);
}

static void want_proposers(struct topics_visit *t, const Causerie__ListTopicsReply *list)
{
	for (size_t i = 0; list != NULL && i < list->n_topics; i++)
		people_want(&t->visit.task, &t->people, list->topics[i]->proposer_id);
}

static struct step name_people(struct task *task)
{
	struct topics_visit *t = (struct topics_visit *)task;
	struct step reply;

	if (t->list.code != CAUSERIE__CODE__OK && t->list.code != CAUSERIE__CODE__INVALID &&
	    visit_last_good(&t->visit, MISSING_TOPICS, &reply))
		return reply;
	if (t->list.code != CAUSERIE__CODE__OK)
		return visit_failed(&t->visit, &t->list.answer);
	want_proposers(t, t->list.reply);
	want_proposers(t, t->upcoming.reply);
	want_proposers(t, t->published.reply);
	people_load(task, &t->people);
	return task_then(draw);
}

/* --- filters as links ---------------------------------------------------------- */

static const char *escaped(struct arena *arena, const char *text)
{
	struct html_out out = {0};
	struct html written;
	const char *copy;

	html_url_part(&out, text);
	written = html_written(&out);
	copy = arena_strndup(arena, written.bytes, written.size);
	html_out_free(&out);
	return copy;
}

/* The list's address with one parameter set to another value, or NULL to leave it out. */
static const char *url_with(struct topics_visit *t, const char *name, const char *value)
{
	struct arena *arena = &t->visit.task.arena;
	const struct {
		const char *name, *value;
	} all[] = {{"q", t->query},       {"de", t->is_mine ? "moi" : NULL}, {"etat", t->state},
		   {"format", t->format}, {"expertise", t->expertise},       {"ordre", t->order},
		   {"suite", NULL}};
	const char *url = "/sujets", *between = "?";

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const char *kept = strcmp(all[i].name, name) == 0 ? value : all[i].value;

		if (kept == NULL)
			continue;
		url = arena_printf(arena, "%s%s%s=%s", url, between, all[i].name,
				   escaped(arena, kept));
		between = "&";
	}
	return url;
}

static struct labels states(struct topics_visit *t)
{
	static const enum topic_state shown[] = {TOPIC_OPEN, TOPIC_SHORTLISTED, TOPIC_SCHEDULED,
						 TOPIC_RECORDED, TOPIC_PUBLISHED};
	const size_t n = sizeof shown / sizeof *shown;
	struct label *labels = ARENA_ARRAY(&t->visit.task.arena, struct label, n);

	for (size_t i = 0; i < n; i++) {
		const char *value = topic_state_class(shown[i]);
		const bool selected = same(t->state, value);

		labels[i] = (struct label){.value = value,
					   .text = tr(t->visit.locale, topic_state_word(shown[i])),
					   .url = url_with(t, "etat", selected ? NULL : value),
					   .selected = selected};
	}
	return (struct labels){labels, n};
}

static struct labels terms_as_filters(struct topics_visit *t, const char *name, const char *chosen,
				      Causerie__Term *const *terms, size_t n)
{
	struct label *labels = ARENA_ARRAY(&t->visit.task.arena, struct label, n);
	size_t shown = 0;

	for (size_t i = 0; i < n; i++) {
		const bool selected = same(chosen, terms[i]->slug);

		if (terms[i]->topics == 0 && !selected)
			continue;
		labels[shown++] = (struct label){
			.value = arena_strdup(&t->visit.task.arena, terms[i]->slug),
			.text = arena_strdup(&t->visit.task.arena, t->visit.locale == LOCALE_FR
									   ? terms[i]->label_fr
									   : terms[i]->label_en),
			.url = url_with(t, name, selected ? NULL : terms[i]->slug),
			.count = terms[i]->topics,
			.selected = selected,
		};
	}
	return (struct labels){labels, shown};
}

static struct labels orders(struct topics_visit *t)
{
	static const struct {
		const char *value, *text;
	} all[] = {{"recents", TR("récents")},
		   {"discutes", TR("discutés")},
		   {"bientot", TR("bientôt à l’antenne")}};
	const size_t n = sizeof all / sizeof *all;
	struct label *labels = ARENA_ARRAY(&t->visit.task.arena, struct label, n);

	for (size_t i = 0; i < n; i++)
		labels[i] = (struct label){.value = all[i].value,
					   .text = tr(t->visit.locale, all[i].text),
					   .url = url_with(t, "ordre", all[i].value),
					   .selected = same(t->order, all[i].value)};
	return (struct labels){labels, n};
}

/* --- the view -------------------------------------------------------------------- */

static struct topic_row *rows(struct topics_visit *t, const Causerie__ListTopicsReply *list,
			      const Causerie__Taxonomies *known, struct page_tags *tags, size_t *n)
{
	struct topic_row *filled;

	*n = list != NULL ? list->n_topics : 0;
	filled = ARENA_ARRAY(&t->visit.task.arena, struct topic_row, *n);
	for (size_t i = 0; i < *n; i++) {
		fill_topic_row(&t->visit, list->topics[i], known, &t->people, &filled[i]);
		page_tag(tags, TAG_TOPIC, list->topics[i]->id);
		page_tag(tags, TAG_PERSON, list->topics[i]->proposer_id);
	}
	return filled;
}

static void page(struct topics_visit *t, struct topics_view *view)
{
	page_begin(&t->visit, &view->page);
	view->page.section = SECTION_TOPICS;
	view->page.title = t->is_home   ? NULL
			   : t->is_mine ? tr(t->visit.locale, "Mes sujets")
					: tr(t->visit.locale, "Sujets");
	view->page.description =
		tr(t->visit.locale, "Des sujets proposés, discutés et choisis par ceux qui "
				    "regardent : la web-TV participative.");
	view->page.feed = "/feeds/sujets.atom";
	if (!view->is_filtered && t->cursor == NULL)
		view->page.canonical = arena_printf(&t->visit.task.arena, "%s%s", site.public_url,
						    t->is_home ? "/" : "/sujets");
}

static struct step draw(struct task *task)
{
	struct topics_visit *t = (struct topics_visit *)task;
	const Causerie__Taxonomies *known = terms_take(&t->terms);
	struct topics_view *view = ARENA_NEW(&task->arena, struct topics_view);
	struct page_tags tags = {.feeds = FEED_TOPICS | FEED_COMMENTS | FEED_ACCOUNTS};
	struct topic_row *list;
	struct html_out out = page_out(&t->visit);

	if (t->people.missing)
		t->visit.missing |= MISSING_ACCOUNTS;
	page_tag(&tags, TAG_LISTS, 0);
	list = rows(t, t->list.reply, known, &tags, &view->n_rows);
	view->rows = list;
	view->is_home = t->is_home;
	view->query = t->query;
	view->total = t->list.reply->total;
	view->is_mine = t->is_mine;
	view->is_filtered =
		t->is_mine || t->query || t->state || t->format || t->expertise || t->order;
	if (!view->is_filtered && t->cursor == NULL && view->n_rows > 0) {
		view->lead = &list[0];
		view->rows = list + 1;
		view->n_rows--;
	}
	view->states = states(t);
	view->formats = terms_as_filters(t, "format", t->format, known->formats, known->n_formats);
	view->expertises = terms_as_filters(t, "expertise", t->expertise, known->expertises,
					    known->n_expertises);
	view->orders = orders(t);
	view->clear_url = "/sujets";
	if (*t->list.reply->next_cursor != '\0')
		view->next_url = url_with(t, "suite", t->list.reply->next_cursor);
	if (t->cursor != NULL)
		view->first_url = url_with(t, "suite", NULL);
	view->upcoming = rows(t, t->upcoming.reply, known, &tags, &view->n_upcoming);
	view->published = rows(t, t->published.reply, known, &tags, &view->n_published);
	page(t, view);
	render_topics_page(&out, view);
	return visit_page_kept(&t->visit, 200, &out, &tags);
}
