/*
 * engine.c - an engine's life, and the changes of topics.
 *
 * Every change composes the topic's new record, hands it to the corpus, which
 * brings everything derived in step, and tells the index.
 */
#include "related/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "related/block.h"
#include "related/compose.h"
#include "related/engine_state.h"
#include "related/links.h"
#include "related/memory.h"
#include "related/rank.h"

enum {
	SPARE_TOPICS = 65536, /* known from links and comments only; beyond as many as live ones */
	SETTLE_SLICE_US = 1000000,
};

struct engine *engine_new(const struct engine_settings *settings)
{
	struct engine *e = NULL;

	memory_begin();
	e = MEMORY_NEW(struct engine, 1);
	corpus_open(&e->corpus);
	e->index = index_new(&e->corpus);
	e->searcher = searcher_new(settings->portable ? &scan_portable : scan_best());
	e->ranker = ranker_new();
	e->memory_limit = settings->memory_limit;
	if (settings->public_url != NULL) {
		e->public_url = MEMORY_NEW(char, strlen(settings->public_url) + 1);
		strcpy(e->public_url, settings->public_url);
	}
	return e;
}

void engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	index_free(e->index);
	searcher_free(e->searcher);
	ranker_free(e->ranker);
	corpus_close(&e->corpus);
	pairs_free(&e->pairs);
	terms_free(&e->terms);
	bytes_free(&e->bytes);
	crowd_free(&e->crowd);
	free(e->public_url);
	if (e->mapping.bytes != NULL)
		munmap(e->mapping.bytes, e->mapping.size);
	free(e);
}

static size_t bytes_of(const struct engine *e)
{
	return corpus_bytes(&e->corpus) + index_bytes(e->index) +
	       e->pairs.room * sizeof *e->pairs.at;
}

static int refuse(struct engine *e)
{
	e->refused++;
	return -ENOSPC;
}

static bool full(const struct engine *e)
{
	return e->memory_limit > 0 && bytes_of(e) > e->memory_limit;
}

/* May a topic be noted of which only the id is known? */
static bool may_note(const struct engine *e, uint64_t topic_id)
{
	const struct corpus *c = &e->corpus;

	return corpus_find(c, topic_id) != SLOTS_NONE ||
	       c->n_topics - c->live < SPARE_TOPICS + c->live;
}

static uint32_t seconds(int64_t us)
{
	return us <= 0 ? 0 : us / 1000000 >= UINT32_MAX ? UINT32_MAX - 1 : (uint32_t)(us / 1000000);
}

uint16_t engine_language(const char *tag)
{
	if (tag == NULL || tag[0] == '\0')
		return 0;
	return (uint16_t)((unsigned)(unsigned char)tag[0] << 8 | (unsigned char)tag[1]);
}

static void pack_words(struct engine *e, enum part_kind kind, const char *one, const char *two,
		       enum learning learning, struct bytes *bytes)
{
	e->terms.count = 0;
	analyser_read(e->corpus.analyser, one, learning, &e->terms);
	analyser_read(e->corpus.analyser, two, learning, &e->terms);
	record_add_terms(bytes, kind, &e->terms);
}

static void pack_labels(struct engine *e, const struct engine_topic *topic, enum learning learning,
			struct bytes *bytes)
{
	e->terms.count = 0;
	for (size_t i = 0; i < topic->n_expertises && i < MOST_EXPERTISES; i++) {
		uint32_t term = analyser_label(e->corpus.analyser, topic->expertises[i], learning);

		if (term == TERM_NONE)
			continue;
		MEMORY_GROW(e->terms.at, e->terms.room, e->terms.count + 1);
		e->terms.at[e->terms.count++] = term;
	}
	record_add_terms(bytes, PART_TAGS, &e->terms);
}

void engine_pack_text(struct engine *e, const struct engine_topic *topic, enum learning learning,
		      struct bytes *bytes)
{
	pack_words(e, PART_TITLE, topic->title, NULL, learning, bytes);
	pack_words(e, PART_BODY, topic->lead, topic->article, learning, bytes);
	pack_labels(e, topic, learning, bytes);
}

/* How a word is written in a draft is nobody's business. */
static enum learning learning_from(uint8_t visible_to)
{
	return visible_to & AUDIENCE_PUBLIC ? LEARN_FORMS : LEARN_WORDS;
}

/* Links to unknown topics are kept only while there is room to note those. */
static uint32_t known_links(struct engine *e, uint64_t links[MOST_LINKS], uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (!may_note(e, links[i]))
			continue;
		(void)corpus_topic(&e->corpus, links[i]);
		links[kept++] = links[i];
	}
	return kept;
}

static void pack_links(struct engine *e, const struct engine_topic *topic, struct bytes *bytes)
{
	uint64_t links[MOST_LINKS];
	uint32_t count = 0;

	for (size_t i = 0; i < topic->n_links; i++)
		links_add(topic->links[i], links, &count);
	links_read(topic->lead, e->public_url, links, &count);
	links_read(topic->article, e->public_url, links, &count);
	record_add_links(bytes, links, known_links(e, links, count));
}

/* Takes the composed bytes as the topic's record. */
static void replace(struct engine *e, uint32_t at, uint32_t author, bool live)
{
	struct record record = {.size = (uint32_t)e->bytes.used};

	if (record.size > 0) {
		record.bytes = memory_resize(NULL, record.size, 1);
		memcpy(record.bytes, e->bytes.at, record.size);
	}
	e->changes++;
	people_leave(&e->corpus, at, &e->crowd);
	corpus_replace(&e->corpus, at, record, author, live);
	people_enter(&e->corpus, at, &e->crowd);
}

static struct topic *topic_at(struct engine *e, uint32_t at)
{
	return &e->corpus.topics[at];
}

/* Is what was composed too much for one topic? A record of any length may become shorter. */
static bool too_long(struct engine *e, uint32_t at)
{
	return e->bytes.used > RECORD_BYTES && e->bytes.used > topic_at(e, at)->record.size;
}

/* What its author has changed is not found any more, even where there is no room for the new. */
static void drop_text(struct engine *e, uint32_t at)
{
	if (at == SLOTS_NONE || !topic_at(e, at)->live)
		return;
	topic_at(e, at)->awaited = true;
	e->bytes.used = 0;
	compose_behaviour(&e->bytes, &topic_at(e, at)->record);
	replace(e, at, topic_at(e, at)->author, false);
	index_drop(e->index, at);
}

int engine_put_topic(struct engine *e, const struct engine_topic *topic)
{
	uint32_t at = corpus_find(&e->corpus, topic->id), author = NOBODY;

	if (at != SLOTS_NONE && topic_at(e, at)->version >= topic->version)
		return 0;
	if (full(e)) {
		drop_text(e, at);
		return refuse(e);
	}

	at = corpus_topic(&e->corpus, topic->id);
	author = corpus_user(&e->corpus, topic->author);
	e->bytes.used = 0;
	engine_pack_text(e, topic, learning_from(topic->visible_to), &e->bytes);
	pack_links(e, topic, &e->bytes);
	record_add_display(&e->bytes, topic->display);
	compose_behaviour(&e->bytes, &topic_at(e, at)->record);

	topic_at(e, at)->version = topic->version;
	topic_at(e, at)->awaited = false;
	topic_at(e, at)->created = seconds(topic->created_at);
	topic_at(e, at)->language = engine_language(topic->language);
	topic_at(e, at)->visible_to = topic->visible_to;
	replace(e, at, author, true);
	index_put(e->index, at);
	index_show(e->index, at);
	return 0;
}

uint8_t engine_visibility(const struct engine *e, uint64_t topic_id)
{
	uint32_t at = corpus_find(&e->corpus, topic_id);

	return at == SLOTS_NONE ? 0 : e->corpus.topics[at].visible_to;
}

int engine_set_visibility(struct engine *e, uint64_t topic_id, uint8_t visible_to)
{
	uint32_t at = corpus_find(&e->corpus, topic_id);

	if (at == SLOTS_NONE)
		return -ENOENT;
	if (topic_at(e, at)->visible_to == visible_to)
		return 0;
	e->changes++;
	topic_at(e, at)->visible_to = visible_to;
	index_show(e->index, at);
	return 0;
}

void engine_remove_topic(struct engine *e, uint64_t topic_id, uint32_t version)
{
	uint32_t at = corpus_find(&e->corpus, topic_id);

	if (at == SLOTS_NONE || topic_at(e, at)->version >= version)
		return;
	e->comments -= topic_at(e, at)->comments;
	topic_at(e, at)->version = version;
	topic_at(e, at)->awaited = false;
	topic_at(e, at)->visible_to = 0;
	topic_at(e, at)->comments = 0;
	e->bytes.used = 0;
	replace(e, at, NOBODY, false);
	index_drop(e->index, at);
}

/* --- discussion --- */

static bool removed(const struct topic *t)
{
	return t->version > 0 && !t->live && !t->awaited;
}

/* Short discussions are read again at once, long ones when they have grown by a tenth. */
static void index_comment(struct engine *e, uint32_t at, bool added)
{
	struct topic *t = topic_at(e, at);

	if (!t->live)
		return;
	t->unindexed += added;
	if (added && t->comments > 10 && t->unindexed * 10 < t->comments)
		index_touch(e->index, at);
	else
		index_put(e->index, at);
}

/* The topic's record with this comment in place of an earlier version of it. */
static int change_comment(struct engine *e, uint32_t at, const struct record_comment *comment,
			  bool was_there)
{
	struct topic *t = topic_at(e, at);
	uint32_t author = t->author;
	bool live = t->live;

	compose_comment(&e->bytes, &t->record, comment, &e->terms);
	if (too_long(e, at))
		return refuse(e);
	t->comments += (uint32_t)!comment->removed - (uint32_t)was_there;
	e->comments += (uint64_t)!comment->removed - (uint64_t)was_there;
	replace(e, at, author, live);
	index_comment(e, at, !was_there && !comment->removed);
	return 0;
}

static int put_comment(struct engine *e, const struct engine_comment *comment)
{
	struct record_comment known, next = {.id = comment->id, .version = comment->version};
	uint32_t at = corpus_find(&e->corpus, comment->topic_id);
	bool found = false;

	if (at != SLOTS_NONE && removed(topic_at(e, at)))
		return 0;
	if (full(e) || !may_note(e, comment->topic_id))
		return refuse(e);

	at = corpus_topic(&e->corpus, comment->topic_id);
	found = compose_find_comment(&topic_at(e, at)->record, comment->id, &known);
	if (found && known.version >= comment->version)
		return 0;
	next.user = corpus_user(&e->corpus, comment->author);
	next.created = seconds(comment->created_at);
	links_read(comment->body, e->public_url, next.links, &next.n_links);
	next.n_links = known_links(e, next.links, next.n_links);
	e->terms.count = 0;
	analyser_read(e->corpus.analyser, comment->body, learning_from(topic_at(e, at)->visible_to),
		      &e->terms);
	return change_comment(e, at, &next, found && !known.removed);
}

/* Its former text goes where there is no room for the new one, which may come once more. */
static void take_back_former(struct engine *e, const struct engine_comment *comment)
{
	struct record_comment former, gone = {.id = comment->id, .removed = true};
	uint32_t at = corpus_find(&e->corpus, comment->topic_id);

	if (at == SLOTS_NONE ||
	    !compose_find_comment(&topic_at(e, at)->record, comment->id, &former) ||
	    former.removed || former.version >= comment->version)
		return;
	gone.version = former.version;
	e->terms.count = 0;
	(void)change_comment(e, at, &gone, true);
}

int engine_put_comment(struct engine *e, const struct engine_comment *comment)
{
	int status = put_comment(e, comment);

	if (status == -ENOSPC)
		take_back_former(e, comment);
	return status;
}

int engine_remove_comment(struct engine *e, uint64_t topic_id, uint64_t comment_id,
			  uint32_t version)
{
	struct record_comment known, gone = {.id = comment_id, .version = version, .removed = true};
	uint32_t at = SLOTS_NONE;
	bool found = false;

	if (!may_note(e, topic_id))
		return refuse(e);
	at = corpus_topic(&e->corpus, topic_id);
	if (removed(topic_at(e, at)))
		return 0;
	found = compose_find_comment(&topic_at(e, at)->record, comment_id, &known);
	if (found && known.version >= version)
		return 0;
	e->terms.count = 0;
	return change_comment(e, at, &gone, found && !known.removed);
}

int engine_put_opinion(struct engine *e, uint64_t topic_id, uint64_t account, bool given)
{
	uint32_t at = SLOTS_NONE, user = NOBODY;
	struct topic *t = NULL;

	if ((given && full(e)) || !may_note(e, topic_id))
		return refuse(e);
	at = corpus_topic(&e->corpus, topic_id);
	user = corpus_user(&e->corpus, account);
	t = topic_at(e, at);
	if (user == NOBODY || removed(t) || compose_has_opinion(&t->record, user) == given)
		return 0;
	compose_opinion(&e->bytes, &t->record, user, given);
	if (too_long(e, at))
		return refuse(e);
	replace(e, at, t->author, t->live);
	return 0;
}

/* Who has an opinion of a topic, in e->crowd. */
static const struct idset *read_opinions(struct engine *e, uint32_t at)
{
	crowd_clear(&e->crowd);
	crowd_read(&e->crowd, &topic_at(e, at)->record, 0);
	return &e->crowd.opined;
}

/*
 * Of these accounts those that are somebody; at the memory limit only those that have an opinion
 * already. False when others were left out.
 */
static bool read_accounts(struct engine *e, const uint64_t *accounts, size_t count,
			  const struct idset *opined, struct idset *users)
{
	bool no_more = full(e), complete = true;

	for (size_t i = 0; i < count; i++) {
		uint32_t user = no_more ? corpus_find_user(&e->corpus, accounts[i])
					: corpus_user(&e->corpus, accounts[i]);

		if (user != NOBODY && (!no_more || idset_has(opined, user)))
			(void)idset_add(users, user);
		else
			complete = complete && accounts[i] == 0;
	}
	return complete;
}

static bool same(const struct idset *one, const struct idset *other)
{
	if (one->count != other->count)
		return false;
	for (uint32_t i = 0; i < one->count; i++)
		if (!idset_has(other, one->items[i]))
			return false;
	return true;
}

static int replace_opinions(struct engine *e, uint32_t at, const struct idset *users)
{
	compose_opinions(&e->bytes, &topic_at(e, at)->record, users);
	if (too_long(e, at))
		return refuse(e);
	replace(e, at, topic_at(e, at)->author, topic_at(e, at)->live);
	return 0;
}

int engine_set_opinions(struct engine *e, uint64_t topic_id, const uint64_t *accounts, size_t count)
{
	uint32_t at = corpus_find(&e->corpus, topic_id);
	const struct idset *opined = NULL;
	struct idset users = {0};
	bool complete = false;
	int status = 0;

	if (at == SLOTS_NONE && (full(e) || !may_note(e, topic_id)))
		return refuse(e);
	at = corpus_topic(&e->corpus, topic_id);
	if (removed(topic_at(e, at)))
		return 0;
	opined = read_opinions(e, at);
	complete = read_accounts(e, accounts, count, opined, &users);
	if (!same(&users, opined))
		status = replace_opinions(e, at, &users);
	idset_free(&users);
	return status < 0 || complete ? status : refuse(e);
}

/* The list of topics changes under us as the account leaves them. */
void engine_erase_account(struct engine *e, uint64_t account)
{
	uint32_t user = corpus_find_user(&e->corpus, account);

	if (user == NOBODY)
		return;
	while (e->corpus.users[user].n_topics > 0) {
		uint32_t at = e->corpus.users[user].topics[e->corpus.users[user].n_topics - 1];
		struct topic *t = topic_at(e, at);

		compose_without(&e->bytes, &t->record, user);
		replace(e, at, t->author == user ? NOBODY : t->author, t->live);
	}
}

int engine_pair(struct engine *e, uint64_t topic_id, uint64_t other_id, enum pairing word)
{
	e->changes++;
	return pairs_set(&e->pairs, topic_id, other_id, word);
}

int engine_set_pairs(struct engine *e, uint64_t topic_id, const struct engine_pair *said,
		     size_t count)
{
	int failed = 0;

	e->changes++;
	pairs_free_topic(&e->pairs, topic_id);
	for (size_t i = 0; i < count && failed == 0; i++)
		failed = pairs_set(&e->pairs, topic_id, said[i].other_id, said[i].word);
	return failed == -ENOSPC ? refuse(e) : failed;
}

/* --- background work and state --- */

void engine_bulk(struct engine *e, bool on)
{
	index_bulk(e->index, on);
}

bool engine_work(struct engine *e, int64_t budget_us)
{
	return index_work(e->index, budget_us, false);
}

void engine_settle(struct engine *e)
{
	while (index_work(e->index, SETTLE_SLICE_US, true))
		;
}

void engine_stats(const struct engine *e, struct engine_stats *stats)
{
	*stats = (struct engine_stats){
		.topics = e->corpus.live,
		.comments = e->comments,
		.accounts = e->corpus.n_users - 1,
		.terms = e->corpus.dictionary.n_terms,
		.surfaces = e->corpus.dictionary.n_surfaces,
		.bytes = bytes_of(e),
		.refused = e->refused,
		.epoch = e->changes + index_epoch(e->index),
	};
}
