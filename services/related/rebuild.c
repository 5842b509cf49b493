/*
 * rebuild.c - makes a new engine from everything that the owners have.
 *
 *   list_topics --> take_topics --(more)--> list_topics
 *                        |
 *                   list_comments --> take_comments --(more)--> list_comments
 *                                          |
 *                                   build_blocks --> done
 *
 * The old engine answers until the new one is complete; at the first start the
 * new one does, as far as it has come. Streams are followed from the place that
 * the first page of each names: what happens meanwhile is seen twice, not lost.
 * An owner that does not answer is asked again; a page that is too large for a
 * message is asked for by halves.
 */
#include <event2/event.h>

#include "lib/log.h"
#include "lib/rpc.h"
#include "related/recommender.h"

enum {
	PAGE_MS = 20000,
	PAUSE_MS = 1000,    /* after a page that failed */
	TOPICS_A_PAGE = 64, /* at most; articles may be long */
	COMMENTS_A_PAGE = 200,
	SLICE_US = 3000,
	BETWEEN_SLICES_MS = 1,
};

struct rebuild {
	struct engine *engine;
	void (*done)(const struct stream_place places[STREAMS]);
	struct stream_place places[STREAMS];
	uint64_t after; /* the last id of the page before */
	uint32_t limit;
	bool topics_done, listed, stopped;
	struct event *timer;
};

struct page {
	struct task task;
	bool arrived;
	RPC_SLOT(Causerie__ListTopicDocumentsReply) topics;
	RPC_SLOT(Causerie__ListCommentDocumentsReply) comments;
};

static struct rebuild rebuild;

static task_step list_topics, take_topics, list_comments, take_comments;

static void go_on(int ms)
{
	const struct timeval in = {ms / 1000, ms % 1000 * 1000};

	if (!rebuild.stopped)
		evtimer_add(rebuild.timer, &in);
}

static void finish(void)
{
	struct engine_stats stats;

	event_free(rebuild.timer);
	rebuild.timer = NULL;
	if (recommender.engine != rebuild.engine) {
		engine_free(recommender.engine);
		recommender.engine = rebuild.engine;
	}
	recommender.rebuilding = false;
	engine_stats(recommender.engine, &stats);
	log_info(NULL, "related.rebuilt", "topics=%llu comments=%llu bytes=%llu",
		 (unsigned long long)stats.topics, (unsigned long long)stats.comments,
		 (unsigned long long)stats.bytes);
	rebuild.done(rebuild.places);
}

static void on_page_over(void *argument)
{
	const struct page *page = argument;

	if (rebuild.stopped)
		return;
	if (page->arrived)
		go_on(0);
	else
		go_on(PAUSE_MS);
}

/* Everything is listed: blocks are built in slices, as upkeep.c does. */
static void build_blocks(void)
{
	engine_bulk(rebuild.engine, false);
	if (engine_work(rebuild.engine, SLICE_US))
		go_on(BETWEEN_SLICES_MS);
	else
		finish();
}

static void next_page(void)
{
	static const struct request_context background = {.trace = ""};
	struct arena arena = {0};
	struct step first = rebuild.topics_done ? task_then(list_comments) : task_then(list_topics);
	struct page *page = task_new(service_here()->loop, &arena, sizeof *page, first, task_done(),
				     PAGE_MS, &background);

	arena_defer(&page->task.arena, on_page_over, page);
}

static void on_timer(evutil_socket_t nothing, short events, void *argument)
{
	(void)nothing;
	(void)events;
	(void)argument;
	if (rebuild.listed)
		build_blocks();
	else
		next_page();
}

void rebuild_start(void (*done)(const struct stream_place places[STREAMS]))
{
	rebuild = (struct rebuild){.engine = new_engine(), .done = done, .limit = TOPICS_A_PAGE};
	rebuild.timer = evtimer_new(service_here()->loop, on_timer, NULL);
	engine_bulk(rebuild.engine, true);
	recommender.rebuilding = true;
	if (recommender.engine == NULL)
		recommender.engine = rebuild.engine;
	log_info(NULL, "related.rebuild", "");
	go_on(0);
}

void rebuild_stop(void)
{
	rebuild.stopped = true;
	if (rebuild.timer != NULL)
		event_free(rebuild.timer);
	rebuild.timer = NULL;
	if (rebuild.engine != recommender.engine)
		engine_free(rebuild.engine);
	rebuild.engine = NULL;
}

/* The place in a stream that the first page includes. */
static void note_place(int stream, uint64_t epoch, uint64_t seq)
{
	if (rebuild.after == 0)
		rebuild.places[stream] = (struct stream_place){epoch, seq};
}

static struct step missing(const char *of, const char *detail)
{
	log_warn(NULL, "related.page_missing", "of=%s limit=%u detail=%s", of, rebuild.limit,
		 detail);
	rebuild.limit = rebuild.limit > 1 ? rebuild.limit / 2 : 1;
	return task_done();
}

static void widen(uint32_t most)
{
	rebuild.limit = rebuild.limit * 2 < most ? rebuild.limit * 2 : most;
}

static struct step list_topics(struct task *task)
{
	struct page *page = (struct page *)task;
	Causerie__ListTopicDocumentsRequest ask = CAUSERIE__LIST_TOPIC_DOCUMENTS_REQUEST__INIT;

	ask.after_id = rebuild.after;
	ask.limit = rebuild.limit;
	RPC_CALL(task, &page->topics, causerie__topics__list_topic_documents, recommender.topics,
		 &ask);
	return task_then(take_topics);
}

static struct step take_topics(struct task *task)
{
	struct page *page = (struct page *)task;
	const Causerie__ListTopicDocumentsReply *reply = page->topics.reply;

	if (reply == NULL)
		return missing("topics", page->topics.detail);
	if (rebuild.stopped)
		return task_done();

	note_place(STREAM_TOPICS, reply->epoch, reply->seq);
	for (size_t i = 0; i < reply->n_topics; i++) {
		take_topic(rebuild.engine, reply->topics[i]);
		rebuild.after = reply->topics[i]->summary->id;
	}
	widen(TOPICS_A_PAGE);
	if (reply->n_topics == 0) {
		rebuild.topics_done = true;
		rebuild.after = 0;
		rebuild.limit = COMMENTS_A_PAGE;
	}
	page->arrived = true;
	return task_done();
}

static struct step list_comments(struct task *task)
{
	struct page *page = (struct page *)task;
	Causerie__ListCommentDocumentsRequest ask = CAUSERIE__LIST_COMMENT_DOCUMENTS_REQUEST__INIT;

	ask.after_id = rebuild.after;
	ask.limit = rebuild.limit;
	RPC_CALL(task, &page->comments, causerie__comments__list_comment_documents,
		 recommender.comments, &ask);
	return task_then(take_comments);
}

static struct step take_comments(struct task *task)
{
	struct page *page = (struct page *)task;
	const Causerie__ListCommentDocumentsReply *reply = page->comments.reply;

	if (reply == NULL)
		return missing("comments", page->comments.detail);
	if (rebuild.stopped)
		return task_done();

	note_place(STREAM_COMMENTS, reply->epoch, reply->seq);
	for (size_t i = 0; i < reply->n_comments; i++) {
		take_comment(rebuild.engine, reply->comments[i]);
		rebuild.after = reply->comments[i]->id;
	}
	widen(COMMENTS_A_PAGE);
	rebuild.listed = reply->n_comments == 0;
	page->arrived = true;
	return task_done();
}
