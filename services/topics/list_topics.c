/*
 * list_topics.c - ListTopics: a page of topics, by filters, order or words.
 *
 *   choose --> answer
 *
 * Pages follow keysets: the cursor holds the sort key and id of the last row, is
 * signed, and belongs to one order and one set of filters.
 */
#include "topics.h"

#include "lib/cursor.h"
#include "lib/text.h"

#define PAGE 20

struct list_topics {
	struct task task;
	const Causerie__ListTopicsRequest *ask;
	size_t limit;
	const char *list; /* what the cursor is bound to */
	struct sql_slot page;
};

static task_step choose, answer;

void topics_list_topics(Causerie__Topics_Service *service, const Causerie__ListTopicsRequest *ask,
			Causerie__ListTopicsReply_Closure closure, void *call)
{
	struct list_topics *l = rpc_task(call, sizeof *l, task_then(choose));

	(void)service;
	(void)closure;
	l->ask = ask;
	l->limit = ask->limit ? ask->limit : PAGE;
}

static bool own_topics(const struct list_topics *l)
{
	return l->ask->proposer_id != 0 && l->ask->proposer_id == l->task.context.viewer.account_id;
}

static struct sql_param wanted_states(struct list_topics *l)
{
	Causerie__TopicState *named =
		ARENA_ARRAY(&l->task.arena, Causerie__TopicState, l->ask->n_states);
	size_t n = 0;

	if (l->ask->n_states == 0)
		return listed_states(&l->task.arena);
	for (size_t i = 0; i < l->ask->n_states; i++)
		if (l->ask->states[i] != CAUSERIE__TOPIC_STATE__TOPIC_STATE_UNSPECIFIED)
			named[n++] = l->ask->states[i];
	return state_names(&l->task.arena, named, n);
}

static const struct sql_query *statement(const Causerie__ListTopicsRequest *ask)
{
	if (*ask->query != '\0' && ask->order == CAUSERIE__TOPIC_ORDER__TOPIC_ORDER_UNSPECIFIED)
		return &search_topics_sql;
	switch (ask->order) {
	case CAUSERIE__TOPIC_ORDER__DISCUSSED:
		return &list_discussed_sql;
	case CAUSERIE__TOPIC_ORDER__AWAITED:
		return &list_awaited_sql;
	case CAUSERIE__TOPIC_ORDER__WAITING:
		return &list_waiting_sql;
	default:
		return &list_recent_sql;
	}
}

/* NULL for an empty filter: it filters nothing. */
static struct sql_param filter(const char *text)
{
	return *text ? sql_text(text) : sql_null();
}

/* One minus is a negation; PostgreSQL's parser has room for 32 in a row, and fails on more. */
static char *one_minus(struct arena *arena, const char *query)
{
	char *kept = arena_strdup(arena, query), *to = kept;
	bool follows_minus = false;

	for (const char *at = kept; *at != '\0'; at++) {
		if (*at == '-' && follows_minus)
			continue;
		if (*at != ' ')
			follows_minus = *at == '-';
		*to++ = *at;
	}
	*to = '\0';
	return kept;
}

static struct step choose(struct task *task)
{
	struct list_topics *l = (struct list_topics *)task;
	const Causerie__ListTopicsRequest *ask = l->ask;
	const struct sql_query *query = statement(ask);
	struct cursor after;
	bool given;

	l->list = arena_printf(&task->arena, "%s|%s|%s|%s|%s|%llu", query->name, ask->format,
			       ask->expertise, ask->query, ask->language,
			       (unsigned long long)ask->proposer_id);
	if (!cursor_read(ask->cursor, l->list, &after, &given))
		return rpc_invalid(task, "cursor", "malformed");

	SQL_NAMED(task, &l->page, service_here()->sql, query, NULL,
		  {"query", filter(one_minus(&task->arena, text_line(&task->arena, ask->query)))},
		  {"states", wanted_states(l)},
		  {"seen_by", seen_in_lists(&task->arena, &task->context.viewer, own_topics(l))},
		  {"format", filter(ask->format)}, {"expertise", filter(ask->expertise)},
		  {"language", filter(ask->language)}, {"proposer_id", sql_id(ask->proposer_id)},
		  {"after_key", given ? sql_integer(after.at[0]) : sql_null()},
		  {"after_id", given ? sql_integer(after.at[1]) : sql_null()},
		  {"limit", sql_integer((int64_t)l->limit + 1)});
	return task_then(answer);
}

/* One row more than the page was asked for: there is a next page exactly when it came. */
static struct step answer(struct task *task)
{
	struct list_topics *l = (struct list_topics *)task;
	Causerie__ListTopicsReply reply = CAUSERIE__LIST_TOPICS_REPLY__INIT;

	if (l->page.state != SQL_DONE)
		return rpc_sql_failed(task, &l->page);

	reply.topics = (Causerie__TopicSummary **)sql_fill_all(
		&task->arena, &causerie__topic_summary__descriptor, &l->page, &reply.n_topics);
	if (statement(l->ask) == &search_topics_sql && reply.n_topics > 0)
		reply.total = (uint32_t)sql_get_integer(&l->page, 0, "total");
	if (reply.n_topics > l->limit) {
		const int last = (int)--reply.n_topics - 1;
		const struct cursor next = {{sql_get_integer(&l->page, last, "sort_key"),
					     sql_get_integer(&l->page, last, "id")}};

		reply.next_cursor =
			arena_strdup(&task->arena, cursor_write(&task->arena, l->list, &next));
	}
	return rpc_reply(task, &reply.base);
}
