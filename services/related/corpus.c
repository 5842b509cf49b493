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
	for (int side = 0; side < SIDES; side++)
		free_mentions(&c->mentions[side]);
	bag_free(&c->changed);
	*c = (struct corpus){0};
}

static size_t mentions_bytes(const struct mentions *mentions)
{
	return (size_t)(mentions->users.limit + mentions->users.room) * sizeof(uint32_t) +
	       (size_t)(mentions->targets.limit + mentions->targets.room) * sizeof(uint32_t);
}

size_t corpus_bytes(const struct corpus *c)
{
	size_t bytes = dictionary_bytes(&c->dictionary) + c->topic_room * sizeof *c->topics +
		       c->user_room * sizeof *c->users + c->in_room * sizeof *c->in +
		       slots_bytes(&c->topic_slots) + slots_bytes(&c->user_slots) +
		       c->record_bytes + c->list_bytes + bag_bytes(&c->changed);

	for (int side = 0; side < SIDES; side++)
		bytes += mentions_bytes(&c->mentions[side]);
	return bytes;
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

static struct mentions *clear_mentions(struct corpus *c, enum side side)
{
	struct mentions *mentions = &c->mentions[side];

	memset(mentions->length, 0, sizeof mentions->length);
	idset_clear(&mentions->users);
	idset_clear(&mentions->targets);
	return mentions;
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

/* Of the parts that stay only terms that go or come as well are of interest. */
static void mention_list(struct bag *changed, enum side side, struct list *list)
{
	static_assert((int)SIDES <= (int)FIELDS, "tf has room for a mark of every side");

	while ((side != KEPT || changed->count > 0) && list_next(list)) {
		struct bag_entry *entry = side == KEPT ? bag_find(changed, list->term)
						       : bag_entry(changed, list->term);

		if (entry != NULL)
			entry->tf[side] = 1;
	}
}

static void mention_terms(struct corpus *c, enum side side, const struct record *record)
{
	struct part part = {0};

	while (record_next(record, &part)) {
		struct list list;

		if (!record_terms(&part, UINT32_MAX, &list))
			continue;
		c->mentions[side].length[field_of(part.kind)] += list.tokens;
		mention_list(&c->changed, side, &list);
	}
}

static struct mentions *mention_all(struct corpus *c, enum side side, uint32_t self, bool live,
				    const struct record *record)
{
	struct mentions *mentions = clear_mentions(c, side);

	if (live)
		mention_terms(c, side, record);
	mention_others(c, mentions, self, live, record);
	return mentions;
}

static void compare_terms(struct corpus *c)
{
	const uint32_t *gone = c->mentions[GONE].length, *come = c->mentions[COME].length,
		       *kept = c->mentions[KEPT].length;

	for (uint32_t i = 0; i < c->changed.count; i++) {
		const uint16_t *has = c->changed.entries[i].tf;

		c->dictionary.terms[c->changed.entries[i].term].documents +=
			(uint32_t)(has[COME] | has[KEPT]) - (uint32_t)(has[GONE] | has[KEPT]);
	}
	for (int field = 0; field < FIELDS; field++) {
		c->tokens[field] += come[field] - (uint64_t)gone[field];
		c->filled[field] += (uint32_t)(kept[field] + come[field] > 0) -
				    (uint32_t)(kept[field] + gone[field] > 0);
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
	struct mentions *gone = NULL, *come = NULL, *kept = NULL;

	bag_clear(&c->changed);
	gone = mention_all(c, GONE, topic, t.live,
			   &(struct record){t.record.bytes + common, t.record.size - common});
	mention_user(gone, t.author);
	come = mention_all(c, COME, topic, live,
			   &(struct record){next.bytes + common, next.size - common});
	mention_user(come, author);
	kept = mention_all(c, KEPT, topic, live, &(struct record){next.bytes, common});
	compare_terms(c);
	compare_sets(c, topic, &gone->users, &come->users, &kept->users, user_leaves, user_joins);
	compare_sets(c, topic, &gone->targets, &come->targets, &kept->targets, link_goes,
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
	struct mentions *come = NULL;

	c->record_bytes += record.size;
	c->live += live;
	c->log_live = log(c->live + 1.0);
	t->record = record;
	t->author = author;
	t->live = live;
	come = clear_mentions(c, COME);
	mention_user(come, author);
	mention_others(c, come, topic, live, &record);
	for (uint32_t i = 0; i < come->users.count; i++)
		user_joins(c, come->users.items[i], topic);
	for (uint32_t i = 0; i < come->targets.count; i++)
		link_appears(c, come->targets.items[i], topic);
}

double corpus_idf(const struct corpus *c, uint32_t documents)
{
	double idf = c->log_live -
		     (documents < FEW_DOCUMENTS ? c->log_few[documents] : log(documents + .5));

	return idf > 0 ? idf : 0;
}
