/*
 * corpus.c - the tables of topics and people, and what follows from a record.
 */
#include "related/corpus.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "related/hash.h"
#include "related/memory.h"

void corpus_open(struct corpus *c)
{
	*c = (struct corpus){.key = hash_key()};
	dictionary_open(&c->dictionary);
	c->analyser = analyser_new(&c->dictionary);
	MEMORY_GROW(c->users, c->user_room, 1);
	c->users[c->n_users++] = (struct user){0};
	for (uint32_t n = 0; n < FEW_DOCUMENTS; n++)
		c->log_few[n] = log(n + .5);
}

static void free_record(const struct corpus *c, struct record record)
{
	if (record.bytes < c->mapped || record.bytes >= c->mapped_end)
		free(record.bytes);
}

static void free_mentions(struct mentions *mentions)
{
	bag_free(&mentions->bag);
	idset_free(&mentions->users);
	idset_free(&mentions->targets);
}

void corpus_close(struct corpus *c)
{
	for (uint32_t i = 0; i < c->n_topics; i++)
		free_record(c, c->topics[i].record);
	for (uint32_t i = 0; i < c->n_users; i++)
		free(c->users[i].topics);
	for (uint32_t i = 0; i < c->n_in; i++)
		free(c->in[i].from);
	free(c->topics);
	free(c->users);
	free(c->in);
	slots_free(&c->topic_slots);
	slots_free(&c->user_slots);
	analyser_free(c->analyser);
	dictionary_close(&c->dictionary);
	free_mentions(&c->gone);
	free_mentions(&c->come);
	free_mentions(&c->kept);
	*c = (struct corpus){0};
}

static size_t mentions_bytes(const struct mentions *mentions)
{
	return bag_bytes(&mentions->bag) +
	       (size_t)(mentions->users.limit + mentions->users.room) * sizeof(uint32_t) +
	       (size_t)(mentions->targets.limit + mentions->targets.room) * sizeof(uint32_t);
}

size_t corpus_bytes(const struct corpus *c)
{
	return dictionary_bytes(&c->dictionary) + c->topic_room * sizeof *c->topics +
	       c->user_room * sizeof *c->users + c->in_room * sizeof *c->in +
	       slots_bytes(&c->topic_slots) + slots_bytes(&c->user_slots) + c->record_bytes +
	       c->list_bytes + mentions_bytes(&c->gone) + mentions_bytes(&c->come) +
	       mentions_bytes(&c->kept);
}

static bool same_topic(const void *owner, uint32_t position, const void *key)
{
	return ((const struct corpus *)owner)->topics[position].id == *(const uint64_t *)key;
}

static bool same_user(const void *owner, uint32_t position, const void *key)
{
	return ((const struct corpus *)owner)->users[position].id == *(const uint64_t *)key;
}

uint32_t corpus_find(const struct corpus *c, uint64_t topic_id)
{
	return slots_find(&c->topic_slots, hash_id(topic_id, c->key), same_topic, c, &topic_id);
}

uint32_t corpus_topic(struct corpus *c, uint64_t topic_id)
{
	uint32_t found = corpus_find(c, topic_id);

	if (found != SLOTS_NONE)
		return found;
	MEMORY_GROW(c->topics, c->topic_room, c->n_topics + 1);
	c->topics[c->n_topics] = (struct topic){.id = topic_id, .place = NOWHERE};
	slots_add(&c->topic_slots, hash_id(topic_id, c->key), c->n_topics);
	return c->n_topics++;
}

uint32_t corpus_find_user(const struct corpus *c, uint64_t user_id)
{
	uint32_t found = SLOTS_NONE;

	if (user_id != 0)
		found = slots_find(&c->user_slots, hash_id(user_id, c->key), same_user, c,
				   &user_id);
	return found == SLOTS_NONE ? NOBODY : found;
}

uint32_t corpus_user(struct corpus *c, uint64_t user_id)
{
	uint32_t found = corpus_find_user(c, user_id);

	if (found != NOBODY || user_id == 0)
		return found;
	MEMORY_GROW(c->users, c->user_room, c->n_users + 1);
	c->users[c->n_users] = (struct user){.id = user_id};
	slots_add(&c->user_slots, hash_id(user_id, c->key), c->n_users);
	return c->n_users++;
}

/* Appends to a list that is read whole and seldom grows. */
static void list_add(struct corpus *c, uint32_t **list, uint32_t *count, uint32_t *room,
		     uint32_t item)
{
	if (*count == *room) {
		uint32_t wider = *room + *room / 4 + 2;

		*list = memory_resize(*list, wider, sizeof **list);
		c->list_bytes += (wider - *room) * sizeof **list;
		*room = wider;
	}
	(*list)[(*count)++] = item;
}

/* What is removed was added before. */
static void list_remove(uint32_t *list, uint32_t *count, uint32_t item)
{
	uint32_t at = *count - 1;

	while (list[at] != item) {
		assert(at > 0);
		at--;
	}
	list[at] = list[--*count];
}

static void user_joins(struct corpus *c, uint32_t user, uint32_t topic)
{
	struct user *u = &c->users[user];

	list_add(c, &u->topics, &u->n_topics, &u->room, topic);
}

static void user_leaves(struct corpus *c, uint32_t user, uint32_t topic)
{
	list_remove(c->users[user].topics, &c->users[user].n_topics, topic);
}

static void link_appears(struct corpus *c, uint32_t target, uint32_t source)
{
	struct topic *t = &c->topics[target];
	struct links_in *in = NULL;

	if (t->in == 0) {
		MEMORY_GROW(c->in, c->in_room, c->n_in + 1);
		c->in[c->n_in++] = (struct links_in){0};
		t->in = c->n_in;
	}
	in = &c->in[t->in - 1];
	list_add(c, &in->from, &in->count, &in->room, source);
}

static void link_goes(struct corpus *c, uint32_t target, uint32_t source)
{
	struct links_in *in = &c->in[c->topics[target].in - 1];

	list_remove(in->from, &in->count, source);
}

const struct links_in *corpus_links_in(const struct corpus *c, uint32_t topic)
{
	static const struct links_in none;

	return c->topics[topic].in == 0 ? &none : &c->in[c->topics[topic].in - 1];
}

/* Links lead to topics that may not have arrived yet; to oneself they say nothing. */
static void mention_target(struct corpus *c, struct mentions *mentions, uint32_t self, uint64_t id)
{
	uint32_t target = id == 0 ? self : corpus_topic(c, id);

	if (target != self)
		(void)idset_add(&mentions->targets, target);
}

static void mention_user(struct mentions *mentions, uint32_t user)
{
	if (user != NOBODY)
		(void)idset_add(&mentions->users, user);
}

static void mention_comment(struct corpus *c, struct mentions *mentions, uint32_t self, bool live,
			    const struct part *part)
{
	struct record_comment comment;

	record_comment(part, &comment);
	if (comment.removed)
		return;
	mention_user(mentions, comment.user);
	for (uint32_t i = 0; live && i < comment.n_links; i++)
		mention_target(c, mentions, self, comment.links[i]);
}

static void mention_links(struct corpus *c, struct mentions *mentions, uint32_t self,
			  const uint8_t *at)
{
	uint64_t count = varint_take(&at);

	while (count-- > 0)
		mention_target(c, mentions, self, varint_take(&at));
}

/* People are noted of topics that are not live too, so that an erased one is found everywhere. */
static void mention_others(struct corpus *c, struct mentions *mentions, uint32_t self, bool live,
			   const struct record *record)
{
	struct part part = {0};

	while (record_next(record, &part)) {
		const uint8_t *at = part.at;

		if (part.kind == PART_COMMENT)
			mention_comment(c, mentions, self, live, &part);
		else if (part.kind == PART_LINKS && live)
			mention_links(c, mentions, self, at);
		else if (part.kind == PART_OPINION)
			mention_user(mentions, (uint32_t)varint_take(&at));
	}
}

static void clear_mentions(struct mentions *mentions)
{
	bag_clear(&mentions->bag);
	idset_clear(&mentions->users);
	idset_clear(&mentions->targets);
}

/* --- a record and the one that takes its place --- */

/* The bytes of the parts that both begin with: a record of its own. */
static uint32_t common_size(const struct record *one, const struct record *other)
{
	struct part a = {0}, b = {0};
	uint32_t size = 0;

	while (record_next(one, &a) && record_next(other, &b) &&
	       a.end - a.start == b.end - b.start &&
	       memcmp(a.start, b.start, (size_t)(a.end - a.start)) == 0)
		size = (uint32_t)(a.end - one->bytes);
	return size;
}

static struct record rest(const struct record *record, uint32_t from)
{
	return (struct record){record->bytes + from, record->size - from};
}

static void mention_all(struct corpus *c, struct mentions *mentions, uint32_t self, bool live,
			uint32_t author, const struct record *record)
{
	clear_mentions(mentions);
	mention_user(mentions, author);
	if (live)
		bag_read(&mentions->bag, record);
	mention_others(c, mentions, self, live, record);
}

/* Of the parts that stay only what the others mention too is of interest. */
static void mention_kept(struct corpus *c, uint32_t self, bool live, const struct record *record)
{
	clear_mentions(&c->kept);
	if (live)
		bag_read_common(&c->kept.bag, record, &c->gone.bag, &c->come.bag);
	mention_others(c, &c->kept, self, live, record);
}

static void compare_terms(struct corpus *c)
{
	const struct bag *gone = &c->gone.bag, *come = &c->come.bag, *kept = &c->kept.bag;
	struct term *terms = c->dictionary.terms;

	for (uint32_t i = 0; i < gone->count; i++)
		if (bag_find(come, gone->entries[i].term) == NULL &&
		    bag_find(kept, gone->entries[i].term) == NULL)
			terms[gone->entries[i].term].documents--;
	for (uint32_t i = 0; i < come->count; i++)
		if (bag_find(gone, come->entries[i].term) == NULL &&
		    bag_find(kept, come->entries[i].term) == NULL)
			terms[come->entries[i].term].documents++;
	for (int field = 0; field < FIELDS; field++) {
		c->tokens[field] += come->length[field] - (uint64_t)gone->length[field];
		c->filled[field] += (uint32_t)(kept->length[field] + come->length[field] > 0) -
				    (uint32_t)(kept->length[field] + gone->length[field] > 0);
	}
}

static void compare_sets(struct corpus *c, uint32_t topic, const struct idset *gone,
			 const struct idset *come, const struct idset *kept,
			 void (*leave)(struct corpus *, uint32_t, uint32_t),
			 void (*join)(struct corpus *, uint32_t, uint32_t))
{
	for (uint32_t i = 0; i < gone->count; i++)
		if (!idset_has(come, gone->items[i]) && !idset_has(kept, gone->items[i]))
			leave(c, gone->items[i], topic);
	for (uint32_t i = 0; i < come->count; i++)
		if (!idset_has(gone, come->items[i]) && !idset_has(kept, come->items[i]))
			join(c, come->items[i], topic);
}

/* What was mentioned by parts that go, come and stay. Most changes add one comment at the end. */
static void compare_records(struct corpus *c, uint32_t topic, struct record next, uint32_t author,
			    bool live)
{
	const struct topic t = c->topics[topic]; /* links may move the table */
	uint32_t common = live == t.live ? common_size(&t.record, &next) : 0;
	struct record gone = rest(&t.record, common), come = rest(&next, common);

	mention_all(c, &c->gone, topic, t.live, t.author, &gone);
	mention_all(c, &c->come, topic, live, author, &come);
	mention_kept(c, topic, live, &(struct record){next.bytes, common});
	compare_terms(c);
	compare_sets(c, topic, &c->gone.users, &c->come.users, &c->kept.users, user_leaves,
		     user_joins);
	compare_sets(c, topic, &c->gone.targets, &c->come.targets, &c->kept.targets, link_goes,
		     link_appears);
}

void corpus_replace(struct corpus *c, uint32_t topic, struct record record, uint32_t author,
		    bool live)
{
	struct topic *t = NULL;

	compare_records(c, topic, record, author, live);
	t = &c->topics[topic];
	if (live != t->live) {
		c->live += (uint32_t)live - (uint32_t)t->live;
		c->log_live = log(c->live + 1.0);
	}
	c->record_bytes += record.size - (size_t)t->record.size;
	free_record(c, t->record);
	t->record = record;
	t->author = author;
	t->live = live;
	t->building = false;
}

void corpus_take(struct corpus *c, uint32_t topic, struct record record, uint32_t author, bool live)
{
	struct topic *t = &c->topics[topic];

	c->record_bytes += record.size;
	c->live += live;
	c->log_live = log(c->live + 1.0);
	t->record = record;
	t->author = author;
	t->live = live;
	clear_mentions(&c->come);
	mention_user(&c->come, author);
	mention_others(c, &c->come, topic, live, &record);
	for (uint32_t i = 0; i < c->come.users.count; i++)
		user_joins(c, c->come.users.items[i], topic);
	for (uint32_t i = 0; i < c->come.targets.count; i++)
		link_appears(c, c->come.targets.items[i], topic);
}

double corpus_idf(const struct corpus *c, uint32_t documents)
{
	double idf = c->log_live -
		     (documents < FEW_DOCUMENTS ? c->log_few[documents] : log(documents + .5));

	return idf > 0 ? idf : 0;
}
