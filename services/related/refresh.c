/*
 * refresh.c - asks an owner what is true now about the things that events named.
 *
 *   ask --> take --(more)--> ask
 *
 * Each kind has one round at a time, so that an older answer never overtakes a
 * newer one. A thing that is named again while its answer is under way is asked
 * for again. What was not answered stays, and is asked for after a pause.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/rpc.h"
#include "related/memory.h"
#include "related/recommender.h"

enum {
	ROUND_MS = 10000,
	PAUSE_MS = 500, /* after a round that failed */
	TOGETHER = 64,  /* things asked for in one message; fewer after one that was too large */
	LOOK_BACK = 256,
	THREAD_PAGE = 200,
	THREAD_MS = 3000, /* for comments to have moved the thread of a merged topic */
};

enum kind { TOPICS, COMMENTS, THREADS, KINDS };

/* Ids in the order in which they were named, each once. */
struct kind_queue {
	uint64_t *ids;
	size_t count, room;
	uint32_t limit;
	uint64_t after; /* THREADS: the last comment of the page before */
	bool under_way, started;
	struct event *timer;
};

struct round {
	struct task task;
	enum kind kind;
	uint64_t *ids; /* that were asked for; they left the queue */
	size_t count;
	bool answered;
	RPC_SLOT(Causerie__ListTopicDocumentsReply) topics;
	RPC_SLOT(Causerie__ListCommentDocumentsReply) comments;
};

static struct kind_queue queues[KINDS];

static task_step ask, take;

static void arm(enum kind kind, int ms)
{
	const struct timeval in = {ms / 1000, ms % 1000 * 1000};

	if (queues[kind].started && !queues[kind].under_way && queues[kind].count > 0)
		evtimer_add(queues[kind].timer, &in);
}

static void name(enum kind kind, uint64_t id)
{
	struct kind_queue *queue = &queues[kind];

	/* Repeats further back are merely asked for twice. */
	for (size_t i = queue->count; i > 0 && queue->count - i < LOOK_BACK; i--)
		if (queue->ids[i - 1] == id)
			return;
	MEMORY_GROW(queue->ids, queue->room, queue->count + 1);
	queue->ids[queue->count++] = id;
}

void refresh_topic(uint64_t topic_id)
{
	name(TOPICS, topic_id);
	arm(TOPICS, 0);
}

void refresh_comment(uint64_t comment_id)
{
	name(COMMENTS, comment_id);
	arm(COMMENTS, 0);
}

void refresh_thread(uint64_t topic_id)
{
	name(THREADS, topic_id);
	arm(THREADS, THREAD_MS);
}

bool refresh_pending(void)
{
	for (int kind = 0; kind < KINDS; kind++)
		if (queues[kind].count > 0 || queues[kind].under_way)
			return true;
	return false;
}

static void take_from_queue(struct kind_queue *queue, struct round *round)
{
	round->count = queue->count < queue->limit ? queue->count : queue->limit;
	round->ids = ARENA_ARRAY(&round->task.arena, uint64_t, round->count);
	memcpy(round->ids, queue->ids, round->count * sizeof *round->ids);
	queue->count -= round->count;
	memmove(queue->ids, queue->ids + round->count, queue->count * sizeof *queue->ids);
}

/* A message may have been too large: half as many next time. */
static void on_round_over(void *argument)
{
	const struct round *round = argument;
	struct kind_queue *queue = &queues[round->kind];

	queue->under_way = false;
	if (!queue->started)
		return;
	if (!round->answered) {
		for (size_t i = 0; i < round->count; i++)
			name(round->kind, round->ids[i]);
		queue->limit = queue->limit > 1 ? queue->limit / 2 : 1;
	} else if (round->kind != THREADS && queue->limit < TOGETHER) {
		queue->limit *= 2;
	}
	arm(round->kind, round->answered ? 0 : PAUSE_MS);
}

static void begin_round(evutil_socket_t nothing, short events, void *argument)
{
	static const struct request_context background = {.trace = ""};
	struct kind_queue *queue = argument;
	struct arena arena = {0};
	struct round *round = NULL;

	(void)nothing;
	(void)events;
	round = task_new(service_here()->loop, &arena, sizeof *round, task_then(ask), task_done(),
			 ROUND_MS, &background);
	round->kind = (enum kind)(queue - queues);
	take_from_queue(queue, round);
	queue->under_way = true;
	arena_defer(&round->task.arena, on_round_over, round);
}

void refresh_start(void)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct kind_queue *queue = &queues[kind];

		if (!queue->started) {
			queue->timer = evtimer_new(service_here()->loop, begin_round, queue);
			queue->limit = kind == THREADS ? 1 : TOGETHER;
			queue->started = true;
		}
		arm((enum kind)kind, 0);
	}
}

void refresh_stop(void)
{
	for (int kind = 0; kind < KINDS; kind++) {
		queues[kind].started = false;
		if (queues[kind].timer != NULL)
			event_free(queues[kind].timer);
		queues[kind].timer = NULL;
		free(queues[kind].ids);
		queues[kind].ids = NULL;
		queues[kind].count = queues[kind].room = 0;
	}
}

/* --- one round --- */

static void ask_topics(struct task *task, struct round *round)
{
	Causerie__ListTopicDocumentsRequest request = CAUSERIE__LIST_TOPIC_DOCUMENTS_REQUEST__INIT;

	request.ids = round->ids;
	request.n_ids = round->count;
	request.limit = (uint32_t)round->count;
	RPC_CALL(task, &round->topics, causerie__topics__list_topic_documents, recommender.topics,
		 &request);
}

static void ask_comments(struct task *task, struct round *round)
{
	Causerie__ListCommentDocumentsRequest request =
		CAUSERIE__LIST_COMMENT_DOCUMENTS_REQUEST__INIT;

	if (round->kind == THREADS) {
		request.topic_id = round->ids[0];
		request.after_id = queues[THREADS].after;
		request.limit = THREAD_PAGE;
	} else {
		request.ids = round->ids;
		request.n_ids = round->count;
		request.limit = (uint32_t)round->count;
	}
	RPC_CALL(task, &round->comments, causerie__comments__list_comment_documents,
		 recommender.comments, &request);
}

static struct step ask(struct task *task)
{
	struct round *round = (struct round *)task;

	if (round->kind == TOPICS)
		ask_topics(task, round);
	else
		ask_comments(task, round);
	return task_then(take);
}

/* An owner that no longer has a topic does not name it: then nobody may see it. */
static void take_topic_answers(const struct round *round)
{
	const Causerie__ListTopicDocumentsReply *reply = round->topics.reply;

	for (size_t i = 0; i < round->count; i++) {
		const Causerie__TopicDocument *document = NULL;

		for (size_t j = 0; j < reply->n_topics; j++)
			if (reply->topics[j]->summary != NULL &&
			    reply->topics[j]->summary->id == round->ids[i])
				document = reply->topics[j];
		if (document != NULL)
			take_topic(recommender.engine, document);
		else
			(void)engine_set_visibility(recommender.engine, round->ids[i], 0);
	}
}

static void take_comment_answers(const struct round *round)
{
	const Causerie__ListCommentDocumentsReply *reply = round->comments.reply;

	for (size_t i = 0; i < reply->n_comments; i++)
		take_comment(recommender.engine, reply->comments[i]);
	if (round->kind != THREADS)
		return;
	queues[THREADS].after = 0;
	if (reply->n_comments == THREAD_PAGE) {
		queues[THREADS].after = reply->comments[reply->n_comments - 1]->id;
		name(THREADS, round->ids[0]);
	}
}

static struct step take(struct task *task)
{
	struct round *round = (struct round *)task;

	if (round->kind == TOPICS ? round->topics.reply == NULL : round->comments.reply == NULL) {
		log_warn(NULL, "related.not_answered", "kind=%d things=%zu detail=%s", round->kind,
			 round->count,
			 round->kind == TOPICS ? round->topics.detail : round->comments.detail);
		return task_done();
	}
	if (!queues[round->kind].started)
		return task_done();
	if (round->kind == TOPICS)
		take_topic_answers(round);
	else
		take_comment_answers(round);
	round->answered = true;
	return task_done();
}
