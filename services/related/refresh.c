/*
 * refresh.c - asks an owner what is true now about the things that events named.
 *
 *   ask --> arrive --> take --(more)--> ask
 *                      ^  |
 *                      +--+ a slice is over
 *
 * Each kind has one round at a time, so that an older answer never overtakes a
 * newer one; nor does one that was asked for before the engine was rebuilt. A thing
 * that is named again while its answer is under way is asked for again. What was not
 * answered stays, and is asked for after a pause.
 *
 * Sixty-four long articles take longer than the loop may be held: what a slice leaves is taken
 * in the next turn, in which questions are answered and events heard as at any other time. The
 * round goes on until the last is taken.
 *
 * What is named meanwhile is gathered for the next batch, in which each thing stands once: so a
 * topic of which a thousand opinions are replayed is one document, and nothing waits behind
 * what is named all the time.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/rpc.h"
#include "related/memory.h"
#include "related/recommender.h"
#include "related/slice.h"

enum {
	SLICE_US = 2000, /* of taking in; a document that was begun is finished */
	ROUND_MS = 10000,
	PAUSE_MS = 500, /* after a round that failed */
	FEW = 64,
};

enum kind { TOPICS, COMMENTS, THREADS, KINDS };

/* What is asked for in one message, at most: things, or of a thread comments. */
static const uint32_t most[KINDS] = {[TOPICS] = 64, [COMMENTS] = 64, [THREADS] = 200};

struct ids {
	uint64_t *at;
	size_t count, room;
};

struct kind_queue {
	struct ids named; /* for the next batch; some more than once */
	struct ids batch; /* each once, in order */
	size_t asked;     /* of the batch */
	uint32_t limit;   /* in one message; less than most after one that was too large */
	uint64_t after;   /* THREADS: the last comment of the page before */
	bool under_way, started;
	struct event *timer;
};

struct round {
	struct task task;
	enum kind kind;
	uint64_t *ids; /* that are asked for */
	size_t count;
	const struct engine *engine; /* that the answer is for */
	size_t taken;                /* of what was answered */
	bool answered, complete;
	RPC_SLOT(Causerie__ListTopicDocumentsReply) topics;
	RPC_SLOT(Causerie__ListCommentDocumentsReply) comments;
};

static struct kind_queue queues[KINDS];

static task_step ask, arrive, take;

static bool waiting(const struct kind_queue *queue)
{
	return queue->named.count > 0 || queue->asked < queue->batch.count;
}

static void arm(enum kind kind, int ms)
{
	const struct timeval in = {ms / 1000, ms % 1000 * 1000};

	if (queues[kind].started && !queues[kind].under_way && waiting(&queues[kind]))
		evtimer_add(queues[kind].timer, &in);
}

static int compare(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void keep_each_once(struct ids *ids)
{
	size_t kept = 0;

	if (ids->count > 0)
		qsort(ids->at, ids->count, sizeof *ids->at, compare);
	for (size_t i = 0; i < ids->count; i++)
		if (kept == 0 || ids->at[kept - 1] != ids->at[i])
			ids->at[kept++] = ids->at[i];
	ids->count = kept;
}

/* Repeats take no room for long: before there is more, each is kept once. */
static void name(enum kind kind, uint64_t id)
{
	struct ids *named = &queues[kind].named;

	if (named->count == named->room) {
		keep_each_once(named);
		MEMORY_GROW(named->at, named->room, 2 * named->count + FEW);
	}
	named->at[named->count++] = id;
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
	arm(THREADS, 0);
}

bool refresh_pending(void)
{
	for (int kind = 0; kind < KINDS; kind++)
		if (waiting(&queues[kind]) || queues[kind].under_way)
			return true;
	return false;
}

static void begin_batch(struct kind_queue *queue)
{
	const struct ids done = queue->batch;

	queue->batch = queue->named;
	queue->named = (struct ids){done.at, 0, done.room};
	queue->asked = 0;
	keep_each_once(&queue->batch);
}

/* Threads come one by one. */
static void take_from_queue(struct kind_queue *queue, struct round *round)
{
	uint32_t limit = round->kind == THREADS ? 1 : queue->limit;
	size_t left = 0;

	if (queue->asked == queue->batch.count)
		begin_batch(queue);
	left = queue->batch.count - queue->asked;
	round->count = left < limit ? left : limit;
	round->ids = arena_copy(&round->task.arena, queue->batch.at + queue->asked,
				round->count * sizeof *round->ids);
	queue->asked += round->count;
}

/* A thread goes on where it was; other things wait for the next batch. */
static void put_back(struct kind_queue *queue, const struct round *round)
{
	if (round->kind == THREADS) {
		queue->asked--;
		return;
	}
	for (size_t i = 0; i < round->count; i++)
		name(round->kind, round->ids[i]);
}

/* A message may have been too large: half as many next time. */
static void adapt_limit(struct kind_queue *queue, const struct round *round)
{
	if (!round->answered)
		queue->limit = queue->limit > 1 ? queue->limit / 2 : 1;
	else if (queue->limit < most[round->kind])
		queue->limit =
			queue->limit * 2 < most[round->kind] ? queue->limit * 2 : most[round->kind];
}

static void on_round_over(void *argument)
{
	const struct round *round = argument;
	struct kind_queue *queue = &queues[round->kind];

	queue->under_way = false;
	if (!queue->started)
		return;
	if (!round->complete)
		put_back(queue, round);
	adapt_limit(queue, round);
	if (!refresh_pending())
		follow_fetched();
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
	round->engine = recommender.engine;
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
			queue->limit = most[kind];
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
		free(queues[kind].named.at);
		free(queues[kind].batch.at);
		queues[kind] = (struct kind_queue){.under_way = queues[kind].under_way};
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
		request.limit = queues[THREADS].limit;
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
	return task_then(arrive);
}

static struct step arrive(struct task *task)
{
	struct round *round = (struct round *)task;

	if (round->kind == TOPICS ? round->topics.reply == NULL : round->comments.reply == NULL) {
		log_warn(NULL, "related.not_answered", "kind=%d things=%zu detail=%s", round->kind,
			 round->count,
			 round->kind == TOPICS ? round->topics.detail : round->comments.detail);
		return task_done();
	}
	round->answered = true;
	return task_then(take);
}

/* An owner that no longer has a topic does not name it: then nobody may see it. */
static void take_topic_answer(const struct round *round)
{
	const Causerie__ListTopicDocumentsReply *reply = round->topics.reply;
	const Causerie__TopicDocument *document = NULL;
	uint64_t id = round->ids[round->taken];

	for (size_t i = 0; i < reply->n_topics; i++)
		if (reply->topics[i]->summary != NULL && reply->topics[i]->summary->id == id)
			document = reply->topics[i];
	if (document != NULL)
		take_topic(recommender.engine, document);
	else
		(void)engine_set_visibility(recommender.engine, id, 0);
}

static size_t answers(const struct round *round)
{
	return round->kind == TOPICS ? round->count : round->comments.reply->n_comments;
}

/* True when the slice was enough for all that is left. */
static bool take_slice(struct round *round)
{
	const struct slice slice = slice_begin(SLICE_US);

	for (; round->taken < answers(round); round->taken++) {
		if (slice_over(&slice))
			return false;
		if (round->kind == TOPICS)
			take_topic_answer(round);
		else
			take_comment(recommender.engine,
				     round->comments.reply->comments[round->taken]);
	}
	return true;
}

/* A thread is complete with an empty page: a full one need not be the last, nor a shorter one. */
static void turn_page(struct round *round)
{
	const Causerie__ListCommentDocumentsReply *reply = round->comments.reply;

	round->complete = reply->n_comments == 0;
	queues[THREADS].after = round->complete ? 0 : reply->comments[reply->n_comments - 1]->id;
}

static struct step take(struct task *task)
{
	struct round *round = (struct round *)task;

	if (!queues[round->kind].started || round->engine != recommender.engine)
		return task_done();
	if (!take_slice(round)) {
		task_sleep(task, 0);
		return task_then(take);
	}
	round->complete = true;
	if (round->kind == THREADS)
		turn_page(round);
	return task_done();
}
