/*
 * desk.c - /bureau: the organizers' board, a column for each state that waits for them.
 *
 *   ask (each column) --> name --> draw
 */
#include "gateway/pages/fill.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/words.h"
#include "gateway_templates.h"
#include "lib/clock.h"

#define CARDS  20
#define DAY_US (INT64_C(86400) * 1000000)

static const enum topic_state columns[] = {TOPIC_PROPOSED,  TOPIC_OPEN,     TOPIC_SHORTLISTED,
					   TOPIC_SCHEDULED, TOPIC_RECORDED, TOPIC_PUBLISHED};

#define COLUMNS (sizeof columns / sizeof *columns)

struct desk {
	struct visit visit;
	RPC_SLOT(Causerie__ListTopicsReply) lists[COLUMNS];
	struct terms terms;
	struct people people;
};

static task_step ask, name_people, draw;

const struct handler desk_page = HANDLER(struct desk, ask);

static struct step ask(struct task *task)
{
	struct desk *d = (struct desk *)task;

	for (size_t i = 0; i < COLUMNS; i++) {
		Causerie__ListTopicsRequest wanted = CAUSERIE__LIST_TOPICS_REQUEST__INIT;
		Causerie__TopicState state = fill_state_back(columns[i]);

		wanted.states = &state;
		wanted.n_states = 1;
		wanted.limit = CARDS;
		if (columns[i] == TOPIC_PROPOSED) /* it is a queue */
			wanted.order = CAUSERIE__TOPIC_ORDER__WAITING;
		RPC_CALL(task, &d->lists[i], causerie__topics__list_topics, site.topics, &wanted);
	}
	terms_load(task, &d->terms);
	return task_then(name_people);
}

static struct step name_people(struct task *task)
{
	struct desk *d = (struct desk *)task;

	for (size_t i = 0; i < COLUMNS; i++) {
		const Causerie__ListTopicsReply *list = d->lists[i].reply;

		if (d->lists[i].code != CAUSERIE__CODE__OK)
			return visit_failed(&d->visit, &d->lists[i].answer);
		for (size_t j = 0; j < list->n_topics; j++)
			people_want(task, &d->people, list->topics[j]->proposer_id);
	}
	people_load(task, &d->people);
	return task_then(draw);
}

/* Since when it waits, as far as a summary tells. */
static unsigned days_waiting(const Causerie__TopicSummary *topic, enum topic_state state)
{
	const int64_t since = state == TOPIC_PROPOSED ? topic->created_at
			      : state == TOPIC_OPEN   ? topic->opened_at
						      : 0;
	const int64_t waited = clock_now() - since;

	return since != 0 && waited > 0 ? (unsigned)(waited / DAY_US) : 0;
}

static void fill_column(struct desk *d, size_t at, struct desk_column *column)
{
	struct arena *arena = &d->visit.task.arena;
	const Causerie__ListTopicsReply *list = d->lists[at].reply;
	struct desk_card *cards = ARENA_ARRAY(arena, struct desk_card, list->n_topics);
	struct topic_row *rows = ARENA_ARRAY(arena, struct topic_row, list->n_topics);

	for (size_t i = 0; i < list->n_topics; i++) {
		fill_topic_row(&d->visit, list->topics[i], terms_take(&d->terms), &d->people,
			       &rows[i]);
		cards[i].topic = &rows[i];
		cards[i].days = days_waiting(list->topics[i], columns[at]);
	}
	column->state = columns[at];
	column->cards = cards;
	column->n_cards = list->n_topics;
	if (*list->next_cursor != '\0')
		column->all_url =
			arena_printf(arena, "/sujets?etat=%s", topic_state_class(columns[at]));
}

static struct step draw(struct task *task)
{
	struct desk *d = (struct desk *)task;
	struct desk_column *filled = ARENA_ARRAY(&task->arena, struct desk_column, COLUMNS);
	struct desk_view view = {.columns = filled, .n_columns = COLUMNS};
	struct html_out out = page_out(&d->visit);

	if (d->people.missing)
		d->visit.missing |= MISSING_ACCOUNTS;
	for (size_t i = 0; i < COLUMNS; i++)
		fill_column(d, i, &filled[i]);
	page_begin(&d->visit, &view.page);
	view.page.title = tr(d->visit.locale, "Bureau");
	view.page.section = SECTION_DESK;
	render_desk_page(&out, &view);
	return visit_page(&d->visit, 200, &out);
}
