/*
 * test_follow.c - the recommender follows its owners, whatever comes first.
 *
 * The owners are played here: an event is announced, a document is read when it is asked for and
 * arrives when the test says so. So a test can let an event overtake a document, or the other
 * way round, which a real owner does once in a thousand times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <event2/event.h>
#include <string.h>

#include "lib/consumer.h"
#include "lib/rpc.h"
#include "lib/service.h"
#include "lib/task.h"
#include "related/compose.h"
#include "related/corpus.h"
#include "related/engine_state.h"
#include "related/recommender.h"

enum { ANA = 501, BEN, CLEO, MOST_THINGS = 600, MOST_CALLS = 8 };

/* --- the owners --- */

/* What topics and comments have in their tables. */
struct owned_topic {
	uint64_t id, proposer, version, opinion[4], pinned;
	Causerie__TopicState state;
	const char *article;
};

struct owned_comment {
	uint64_t id, topic, author, version;
	bool hidden;
};

struct call {
	struct task *task;
	struct rpc_answer *answer;
	ProtobufCMessage *reply;
};

static struct {
	/* in order of id */
	struct owned_topic topics[MOST_THINGS];
	struct owned_comment comments[MOST_THINGS];
	size_t n_topics, n_comments;
	struct arena arena; /* of what they answer */
	struct call calls[MOST_CALLS];
	size_t n_calls, asked; /* under way; of all */
	struct event_base *loop;
	struct consumer_settings streams[STREAMS];
	uint64_t heads[STREAMS], read_from[STREAMS];
} world;

/* Clients and consumers are only passed on: each is known by where it stands. */
static char client_of[STREAMS], consumer_of[STREAMS];

static Causerie__TopicDocument *topic_document(const struct owned_topic *topic)
{
	Causerie__TopicDocument *document = ARENA_NEW(&world.arena, Causerie__TopicDocument);

	causerie__topic_document__init(document);
	document->summary = ARENA_NEW(&world.arena, Causerie__TopicSummary);
	causerie__topic_summary__init(document->summary);
	document->summary->id = topic->id;
	document->summary->version = topic->version;
	document->summary->state = topic->state;
	document->summary->proposer_id = topic->proposer;
	document->article = arena_strdup(&world.arena, topic->article ? topic->article : "");
	document->visible = topic->state == CAUSERIE__TOPIC_STATE__OPEN;
	document->opinions = ARENA_ARRAY(&world.arena, Causerie__OpinionBy *, 4);
	for (size_t i = 0; i < 4; i++) {
		Causerie__OpinionBy *by = ARENA_NEW(&world.arena, Causerie__OpinionBy);

		causerie__opinion_by__init(by);
		by->account_id = topic->opinion[i];
		if (by->account_id != 0)
			document->opinions[document->n_opinions++] = by;
	}
	document->pairs = ARENA_ARRAY(&world.arena, Causerie__RelatedPair *, 1);
	document->pairs[0] = ARENA_NEW(&world.arena, Causerie__RelatedPair);
	causerie__related_pair__init(document->pairs[0]);
	document->pairs[0]->other_id = topic->pinned;
	document->pairs[0]->pairing = CAUSERIE__PAIRING__PAIRING_PINNED;
	document->n_pairs = topic->pinned != 0;
	return document;
}

static Causerie__CommentDocument *comment_document(const struct owned_comment *comment)
{
	Causerie__CommentDocument *document = ARENA_NEW(&world.arena, Causerie__CommentDocument);

	causerie__comment_document__init(document);
	document->id = comment->id;
	document->topic_id = comment->topic;
	document->author_id = comment->author;
	document->version = comment->version;
	document->visible = !comment->hidden;
	document->body = arena_strdup(&world.arena, "D'accord.");
	return document;
}

static bool named(const uint64_t *ids, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static ProtobufCMessage *list_topics(const Causerie__ListTopicDocumentsRequest *ask)
{
	Causerie__ListTopicDocumentsReply *reply =
		ARENA_NEW(&world.arena, Causerie__ListTopicDocumentsReply);

	causerie__list_topic_documents_reply__init(reply);
	reply->seq = world.heads[STREAM_TOPICS];
	reply->topics = ARENA_ARRAY(&world.arena, Causerie__TopicDocument *, world.n_topics);
	for (size_t i = 0; i < world.n_topics && reply->n_topics < ask->limit; i++) {
		const struct owned_topic *topic = &world.topics[i];

		if (ask->n_ids > 0 ? named(ask->ids, ask->n_ids, topic->id)
				   : topic->id > ask->after_id)
			reply->topics[reply->n_topics++] = topic_document(topic);
	}
	return &reply->base;
}

static bool is_listed(const struct owned_comment *comment,
		      const Causerie__ListCommentDocumentsRequest *ask)
{
	if (ask->n_ids > 0)
		return named(ask->ids, ask->n_ids, comment->id);
	return comment->id > ask->after_id && !comment->hidden &&
	       (ask->topic_id == 0 || ask->topic_id == comment->topic);
}

static ProtobufCMessage *list_comments(const Causerie__ListCommentDocumentsRequest *ask)
{
	Causerie__ListCommentDocumentsReply *reply =
		ARENA_NEW(&world.arena, Causerie__ListCommentDocumentsReply);

	causerie__list_comment_documents_reply__init(reply);
	reply->seq = world.heads[STREAM_COMMENTS];
	reply->comments = ARENA_ARRAY(&world.arena, Causerie__CommentDocument *, world.n_comments);
	for (size_t i = 0; i < world.n_comments && reply->n_comments < ask->limit; i++)
		if (is_listed(&world.comments[i], ask))
			reply->comments[reply->n_comments++] = comment_document(&world.comments[i]);
	return &reply->base;
}

/* --- in place of lib: calls that arrive when the test says so, streams that it writes --- */

static void invoke(ProtobufCService *service, unsigned method, const ProtobufCMessage *ask,
		   ProtobufCClosure closure, void *argument)
{
	struct call *call = &world.calls[world.n_calls - 1];

	(void)method, (void)closure, (void)argument;
	world.asked++;
	call->reply = service->descriptor == &causerie__topics__descriptor
			      ? list_topics((const Causerie__ListTopicDocumentsRequest *)ask)
			      : list_comments((const Causerie__ListCommentDocumentsRequest *)ask);
}

ProtobufCService *rpc_begin(struct task *task, struct rpc_answer *answer, struct rpc_client *client)
{
	static ProtobufCService topics = {.invoke = invoke}, comments = {.invoke = invoke};

	topics.descriptor = &causerie__topics__descriptor;
	comments.descriptor = &causerie__comments__descriptor;
	assert_true(world.n_calls < MOST_CALLS);
	world.calls[world.n_calls++] = (struct call){.task = task, .answer = answer};
	task_wait(task);
	return client == recommender.topics ? &topics : &comments;
}

void rpc_arrived(const ProtobufCMessage *message, void *argument)
{
	(void)message, (void)argument;
}

const struct service_context *service_here(void)
{
	static struct service_context here = {.name = "related",
					      .public_url = "https://causerie.example"};

	here.loop = world.loop;
	return &here;
}

const char *service_peers(const char *name)
{
	return name;
}

struct consumer *consumer_new(struct event_base *loop, const struct consumer_settings *wanted)
{
	int stream = strcmp(wanted->source, "topics") == 0 ? STREAM_TOPICS : STREAM_COMMENTS;

	(void)loop;
	world.streams[stream] = *wanted;
	world.read_from[stream] = wanted->start;
	return (struct consumer *)&consumer_of[stream];
}

void consumer_free(struct consumer *consumer)
{
	(void)consumer;
}

uint64_t consumer_position(const struct consumer *consumer, uint64_t *epoch)
{
	*epoch = 0;
	return world.heads[(const char *)consumer - consumer_of];
}

/* --- what happens --- */

static void turn(void)
{
	for (int i = 0; i < 6; i++)
		event_base_loop(world.loop, EVLOOP_NONBLOCK);
}

static void announce(int stream, Causerie__Event event)
{
	world.heads[stream]++;
	world.streams[stream].apply(NULL, &event);
}

/* An event of this type; everything else by its field. */
#define EVENT(word, ...)                                                                           \
	((Causerie__Event){.type = (char *)(uintptr_t)(word),                                      \
			   .from_state = none,                                                     \
			   .to_state = none,                                                       \
			   .seen_by = none,                                                        \
			   .trace = none,                                                          \
			   __VA_ARGS__})

static char none[1];

static struct call take_call(size_t at)
{
	struct call call = world.calls[at];

	assert_true(at < world.n_calls);
	memmove(world.calls + at, world.calls + at + 1,
		(--world.n_calls - at) * sizeof *world.calls);
	return call;
}

/* It is taken when the loop turns. */
static void answer_at(size_t at)
{
	struct call call = take_call(at);

	call.answer->code = CAUSERIE__CODE__OK;
	call.answer->message = call.reply;
	task_answered(call.task);
}

static void arrive_at(size_t at)
{
	answer_at(at);
	turn();
}

/* The answer that was asked for first. */
static void arrive(void)
{
	arrive_at(0);
}

static void nobody_answers(void)
{
	struct call call = take_call(0);

	call.answer->code = CAUSERIE__CODE__UNAVAILABLE;
	call.answer->detail = "away";
	task_answered(call.task);
	turn();
}

/* Until nothing is asked for any more, and everything is taken. */
static void all_arrive(void)
{
	for (turn(); world.n_calls > 0 || refresh_pending(); turn())
		if (world.n_calls > 0)
			arrive();
}

static struct owned_topic *topic(uint64_t id)
{
	for (size_t i = 0; i < world.n_topics; i++)
		if (world.topics[i].id == id)
			return &world.topics[i];
	world.topics[world.n_topics] =
		(struct owned_topic){.id = id, .version = 1, .state = CAUSERIE__TOPIC_STATE__OPEN};
	return &world.topics[world.n_topics++];
}

static void topic_changes(uint64_t id)
{
	topic(id)->version++;
	announce(STREAM_TOPICS, EVENT("topic.edited", .aggregate_id = id, .topic_id = id));
}

static void opinion_changes(uint64_t id, uint64_t account, bool given)
{
	topic(id)->opinion[account - ANA] = given ? account : 0;
	announce(STREAM_TOPICS,
		 EVENT("opinion.changed", .topic_id = id, .actor_id = account, .value = given));
}

static struct owned_comment *comment(uint64_t id, uint64_t in, uint64_t author)
{
	struct owned_comment *made = &world.comments[world.n_comments++];

	*made = (struct owned_comment){.id = id, .topic = in, .author = author, .version = 1};
	return made;
}

static void comment_is_posted(uint64_t id, uint64_t in, uint64_t author)
{
	(void)comment(id, in, author);
	announce(STREAM_COMMENTS, EVENT("comment.posted", .aggregate_id = id, .topic_id = in));
}

static void comment_is_hidden(struct owned_comment *hidden)
{
	hidden->hidden = true;
	hidden->version++;
	announce(STREAM_COMMENTS,
		 EVENT("comment.hidden", .aggregate_id = hidden->id,
		       .aggregate_version = hidden->version, .topic_id = hidden->topic));
}

static void merged_in_topics(uint64_t id, uint64_t into)
{
	topic(id)->state = CAUSERIE__TOPIC_STATE__MERGED;
	topic(id)->version++;
	announce(STREAM_TOPICS, EVENT("topic.transitioned", .aggregate_id = id, .topic_id = id,
				      .target_id = into));
}

static void merged_in_comments(uint64_t id, uint64_t into)
{
	for (size_t i = 0; i < world.n_comments; i++)
		if (world.comments[i].topic == id)
			world.comments[i].topic = into;
	announce(STREAM_COMMENTS,
		 EVENT("thread.merged", .aggregate_id = id, .topic_id = id, .target_id = into));
}

/* --- what is known --- */

static struct topic *known(uint64_t id)
{
	uint32_t at = corpus_find(&recommender.engine->corpus, id);

	assert_int_not_equal(at, SLOTS_NONE);
	return &recommender.engine->corpus.topics[at];
}

static bool has_opinion(uint64_t id, uint64_t account)
{
	return compose_has_opinion(&known(id)->record,
				   corpus_find_user(&recommender.engine->corpus, account));
}

static bool has_comment(uint64_t id, uint64_t comment_id)
{
	struct record_comment found;

	return compose_find_comment(&known(id)->record, comment_id, &found) && !found.removed;
}

static uint32_t topics_of(uint64_t account)
{
	const struct corpus *corpus = &recommender.engine->corpus;

	return corpus->users[corpus_find_user(corpus, account)].n_topics;
}

static int begin(void **state)
{
	static const struct stream_place nowhere[STREAMS];

	(void)state;
	world.loop = event_base_new();
	settings.memory = 64;
	recommender.topics = (struct rpc_client *)&client_of[STREAM_TOPICS];
	recommender.comments = (struct rpc_client *)&client_of[STREAM_COMMENTS];
	recommender.engine = new_engine();
	follow_start(nowhere);
	topic_changes(1);
	topic_changes(2);
	all_arrive();
	return 0;
}

static int end(void **state)
{
	(void)state;
	follow_stop();
	refresh_stop();
	rebuild_stop();
	while (world.n_calls > 0)
		nobody_answers();
	engine_free(recommender.engine);
	forgotten_free();
	arena_free(&world.arena);
	event_base_free(world.loop);
	memset(&world, 0, sizeof world);
	memset(&recommender, 0, sizeof recommender);
	return 0;
}

/* --- sentences --- */

static void an_opinion_counts_and_is_taken_back(void **state)
{
	(void)state;
	opinion_changes(1, ANA, true);
	all_arrive();
	assert_true(has_opinion(1, ANA));
	opinion_changes(1, ANA, false);
	all_arrive();
	assert_false(has_opinion(1, ANA));
}

static void an_opinion_given_while_a_document_is_under_way_stays(void **state)
{
	(void)state;
	topic_changes(1);
	turn();
	opinion_changes(1, ANA, true);
	arrive();
	all_arrive();
	assert_true(has_opinion(1, ANA));
}

static void an_opinion_withdrawn_while_a_document_is_under_way_is_gone(void **state)
{
	(void)state;
	opinion_changes(1, ANA, true);
	all_arrive();
	topic_changes(1);
	turn();
	opinion_changes(1, ANA, false);
	arrive();
	all_arrive();
	assert_false(has_opinion(1, ANA));
}

/* After a restart the stream is read from an earlier place, and the documents are of today. */
static void an_opinion_of_yesterday_that_is_read_again_changes_nothing(void **state)
{
	(void)state;
	topic(1)->opinion[0] = ANA;
	topic_changes(1);
	all_arrive();
	announce(STREAM_TOPICS, EVENT("opinion.changed", .topic_id = 1, .actor_id = ANA));
	announce(STREAM_TOPICS,
		 EVENT("opinion.changed", .topic_id = 1, .actor_id = BEN, .value = 3));
	all_arrive();
	assert_true(has_opinion(1, ANA));
	assert_false(has_opinion(1, BEN));
}

/* 5000 of 500 topics in turn: as many documents as topics, 64 in a message. */
static void many_opinions_of_a_topic_are_one_document(void **state)
{
	(void)state;
	world.asked = 0;
	for (uint64_t i = 0; i < 5000; i++)
		opinion_changes(1 + i % 500, ANA + i % 3, i % 7 != 0);
	all_arrive();
	assert_int_equal(world.asked, 8);
	for (uint64_t id = 1; id <= 500; id++)
		for (uint64_t account = ANA; account <= CLEO; account++)
			assert_int_equal(has_opinion(id, account),
					 topic(id)->opinion[account - ANA] != 0);
}

static void a_comment_hidden_while_its_document_is_under_way_stays_hidden(void **state)
{
	(void)state;
	comment_is_posted(10, 1, ANA);
	turn();
	comment_is_hidden(&world.comments[0]);
	assert_int_equal(world.n_calls, 1);
	all_arrive();
	assert_false(has_comment(1, 10));
	assert_int_equal(topics_of(ANA), 0);
}

static void a_pair_said_while_a_document_is_under_way_holds(void **state)
{
	(void)state;
	topic_changes(1);
	topic_changes(2);
	turn();
	topic(1)->pinned = 2, topic(2)->pinned = 1;
	announce(STREAM_TOPICS, EVENT("pair.changed", .topic_id = 1, .target_id = 2));
	all_arrive();
	assert_int_equal(pairs_word(&recommender.engine->pairs, 1, 2), PAIR_PINNED);
}

static void who_was_forgotten_is_not_brought_back_by_an_older_document(void **state)
{
	(void)state;
	topic(1)->proposer = ANA;
	topic(1)->opinion[0] = ANA;
	topic_changes(1);
	comment_is_posted(10, 2, ANA);
	turn();
	assert_int_equal(world.n_calls, 2);
	announce(STREAM_COMMENTS, EVENT("account.forgotten", .aggregate_id = ANA));
	arrive();
	arrive();
	assert_int_equal(topics_of(ANA), 0);
	assert_true(has_comment(2, 10)); /* the text stays */
}

static void a_merged_topic_is_gone_and_its_comments_are_the_others(void **state)
{
	(void)state;
	comment_is_posted(10, 1, ANA);
	topic(1)->pinned = 3, topic(3)->pinned = 1;
	topic_changes(1);
	all_arrive();
	topic(1)->pinned = 0, topic(2)->pinned = 3, topic(3)->pinned = 2;
	merged_in_topics(1, 2);
	all_arrive();
	assert_false(known(1)->live);
	assert_int_equal(pairs_word(&recommender.engine->pairs, 1, 3), PAIR_FREE);
	assert_int_equal(pairs_word(&recommender.engine->pairs, 2, 3), PAIR_PINNED);
	merged_in_comments(1, 2);
	all_arrive();
	assert_true(has_comment(2, 10));
	assert_int_equal(topics_of(ANA), 1);
}

/* comments was away meanwhile: what it does later it says. */
static void comments_that_move_before_or_long_after_their_topic_count_once(void **state)
{
	(void)state;
	comment_is_posted(10, 1, ANA);
	all_arrive();
	comment_is_posted(11, 1, BEN);
	turn();
	merged_in_comments(1, 2);
	all_arrive();
	merged_in_topics(1, 2);
	all_arrive();
	assert_true(has_comment(2, 10));
	assert_true(has_comment(2, 11));
	assert_int_equal(topics_of(ANA), 1);
	assert_int_equal(topics_of(BEN), 1);
	assert_int_equal(known(1)->record.size, 0);
}

static void two_long_threads_that_move_at_once_are_both_read_to_the_end(void **state)
{
	(void)state;
	for (uint64_t id = 20; id < 40; id++)
		(void)comment(id, 3, BEN);
	for (uint64_t id = 100; id < 400; id++)
		(void)comment(id, 1, ANA);
	merged_in_comments(1, 2);
	merged_in_comments(3, 4);
	all_arrive();
	assert_true(has_comment(2, 100) && has_comment(2, 399));
	assert_true(has_comment(4, 20) && has_comment(4, 39));
}

/* Topic 2 gets the thread of 1, and is asked for its first page of comments. */
static void begin_a_long_thread(void)
{
	(void)comment(10, 3, BEN);
	for (uint64_t id = 100; id < 400; id++)
		(void)comment(id, 1, ANA);
	merged_in_comments(1, 2);
	turn();
	arrive(); /* the topic's document */
	assert_int_equal(world.n_calls, 1);
}

static void a_thread_into_which_more_moves_while_a_page_is_under_way_is_read_again(void **state)
{
	(void)state;
	begin_a_long_thread();
	merged_in_comments(3, 2);
	all_arrive();
	assert_true(has_comment(2, 10) && has_comment(2, 399));
}

static void a_thread_into_which_more_moves_while_its_next_page_waits_is_read_again(void **state)
{
	(void)state;
	begin_a_long_thread();
	arrive();
	nobody_answers();
	merged_in_comments(3, 2);
	all_arrive();
	assert_true(has_comment(2, 10) && has_comment(2, 399));
}

/* While this many questions stay without their answers. */
static void rebuild(size_t left)
{
	world.streams[STREAM_TOPICS].lost(world.streams[STREAM_TOPICS].argument);
	while (recommender.rebuilding) {
		event_base_loop(world.loop, EVLOOP_ONCE);
		while (world.n_calls > left)
			arrive_at(left);
	}
	turn();
}

/* The first question was asked before the index was made anew; its answer comes after. */
static void an_answer_for_the_former_index_is_not_taken_for_the_new_one(void **state)
{
	(void)state;
	topic_changes(1);
	turn();
	assert_int_equal(world.n_calls, 1);
	topic(1)->opinion[0] = ANA;
	topic(1)->state = CAUSERIE__TOPIC_STATE__WITHDRAWN;
	rebuild(1);
	assert_true(has_opinion(1, ANA));
	arrive();
	assert_true(has_opinion(1, ANA));
	assert_int_equal(engine_visibility(recommender.engine, 1), 0);
	all_arrive();
	assert_true(has_opinion(1, ANA));
}

/* topics was listed after the merge, comments before it. */
static void comments_that_were_listed_before_they_moved_count_once(void **state)
{
	(void)state;
	(void)comment(10, 1, ANA);
	topic(1)->state = CAUSERIE__TOPIC_STATE__MERGED;
	topic(1)->version++;
	rebuild(0);
	assert_true(has_comment(1, 10));
	merged_in_comments(1, 2);
	all_arrive();
	assert_true(has_comment(2, 10));
	assert_int_equal(topics_of(ANA), 1);
}

static void assert_goes_on_from(uint64_t topics, uint64_t comments)
{
	struct stream_place places[STREAMS];

	follow_places(places);
	assert_int_equal(places[STREAM_TOPICS].seq, topics);
	assert_int_equal(places[STREAM_COMMENTS].seq, comments);
}

/* A snapshot at any moment: what it goes on from names everything that it lacks. */
static void what_goes_on_from_here_hears_again_of_what_is_still_under_way(void **state)
{
	(void)state;
	assert_goes_on_from(2, 0);
	topic_changes(1);
	comment_is_posted(10, 1, ANA);
	assert_goes_on_from(2, 0);
	turn();
	assert_int_equal(world.n_calls, 2);
	arrive();
	assert_goes_on_from(2, 0);
	comment_is_posted(11, 1, ANA);
	arrive();
	assert_goes_on_from(2, 0);
	all_arrive();
	topic_changes(2);
	assert_goes_on_from(3, 2);
	turn();
	nobody_answers();
	assert_goes_on_from(3, 2);
	topic_changes(2);
	all_arrive();
	assert_goes_on_from(5, 2);
	announce(STREAM_TOPICS, EVENT("account.forgotten", .aggregate_id = BEN));
	assert_goes_on_from(6, 2);
}

enum { FIRST_LONG = 101, LAST_LONG = 164 };

/* What is due now, and not what follows from it. */
static void one_turn(void)
{
	event_base_loop(world.loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* So many topics are named, of articles so long that they are taken in some turns of the loop. */
static void begin_to_take_long_articles(void)
{
	static char article[100001];

	for (size_t i = 0; i < sizeof article - 1; i++)
		article[i] = i % 6 == 5 ? ' ' : (char)('a' + i * i / 7 % 26);
	for (uint64_t id = FIRST_LONG; id <= LAST_LONG; id++) {
		topic_changes(id);
		topic(id)->article = article;
	}
	turn();
	assert_int_equal(world.n_calls, 1);
	world.asked = 0;
	answer_at(0);
	one_turn();
}

static uint32_t topics_taken(const struct engine *engine)
{
	struct engine_stats stats;

	engine_stats(engine, &stats);
	return (uint32_t)stats.topics;
}

static void long_articles_are_taken_in_more_than_one_turn_of_the_loop(void **state)
{
	(void)state;
	begin_to_take_long_articles();
	assert_in_range(topics_taken(recommender.engine), 2 + 1, 2 + 63);
	assert_true(refresh_pending());
	all_arrive();
	assert_int_equal(topics_taken(recommender.engine), 2 + 64);
	assert_int_equal(world.asked, 0);
}

/* The document was read before, and the first turn did not come to it. */
static void what_is_named_while_its_document_waits_to_be_taken_is_asked_for_again(void **state)
{
	(void)state;
	begin_to_take_long_articles();
	opinion_changes(LAST_LONG, ANA, true);
	one_turn();
	assert_int_equal(world.asked, 0);
	all_arrive();
	assert_int_equal(world.asked, 1);
	assert_true(has_opinion(LAST_LONG, ANA));
}

static void what_is_half_taken_does_not_go_on_in_an_index_made_anew(void **state)
{
	struct engine *former = recommender.engine;

	(void)state;
	begin_to_take_long_articles();
	recommender.engine = new_engine();
	turn();
	assert_int_equal(topics_taken(recommender.engine), 0);
	all_arrive(); /* the same things once more */
	assert_int_equal(topics_taken(recommender.engine), 64);
	assert_int_equal(world.asked, 1);
	engine_free(former);
}

#define CASE(sentence) cmocka_unit_test_setup_teardown(sentence, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_opinion_counts_and_is_taken_back),
		CASE(an_opinion_given_while_a_document_is_under_way_stays),
		CASE(an_opinion_withdrawn_while_a_document_is_under_way_is_gone),
		CASE(an_opinion_of_yesterday_that_is_read_again_changes_nothing),
		CASE(many_opinions_of_a_topic_are_one_document),
		CASE(a_comment_hidden_while_its_document_is_under_way_stays_hidden),
		CASE(a_pair_said_while_a_document_is_under_way_holds),
		CASE(who_was_forgotten_is_not_brought_back_by_an_older_document),
		CASE(a_merged_topic_is_gone_and_its_comments_are_the_others),
		CASE(comments_that_move_before_or_long_after_their_topic_count_once),
		CASE(two_long_threads_that_move_at_once_are_both_read_to_the_end),
		CASE(a_thread_into_which_more_moves_while_a_page_is_under_way_is_read_again),
		CASE(a_thread_into_which_more_moves_while_its_next_page_waits_is_read_again),
		CASE(an_answer_for_the_former_index_is_not_taken_for_the_new_one),
		CASE(what_goes_on_from_here_hears_again_of_what_is_still_under_way),
		CASE(long_articles_are_taken_in_more_than_one_turn_of_the_loop),
		CASE(what_is_named_while_its_document_waits_to_be_taken_is_asked_for_again),
		CASE(what_is_half_taken_does_not_go_on_in_an_index_made_anew),
		CASE(comments_that_were_listed_before_they_moved_count_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
