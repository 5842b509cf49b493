/*
 * snapshot_load.c - reads a file of which nothing is believed until it was checked.
 *
 * First the checksum, then every offset, number and record. What follows from
 * records (frequencies, people's topics, links, blocks) is worked out anew, so a
 * file cannot contradict itself.
 */
#include "related/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "related/engine_state.h"
#include "related/memory.h"
#include "related/snapshot_format.h"

enum { SUMMED_TOGETHER = 1 << 16, SLICE_US = 1000000 };

struct reader {
	const unsigned char *at, *end;
	bool broken;
};

/* The next size bytes, or NULL at a premature end. */
static const void *take(struct reader *r, uint64_t size)
{
	const unsigned char *taken = r->at;

	if (r->broken || size > (uint64_t)(r->end - r->at)) {
		r->broken = true;
		return NULL;
	}
	r->at += size;
	return taken;
}

static void read_into(struct reader *r, void *to, uint64_t size)
{
	const void *from = take(r, size);

	if (from != NULL && size > 0)
		memcpy(to, from, size);
}

static bool sum_right(struct reader *r)
{
	struct snapshot_sum sum = {0};
	uint64_t written = 0;

	if (r->end - r->at < (ptrdiff_t)sizeof written)
		return false;
	r->end -= sizeof written;
	memcpy(&written, r->end, sizeof written);
	for (const unsigned char *p = r->at; p < r->end; p += SUMMED_TOGETHER)
		snapshot_sum_add(&sum, p,
				 r->end - p < SUMMED_TOGETHER ? (size_t)(r->end - p)
							      : (size_t)SUMMED_TOGETHER);
	return sum.state == written;
}

static bool header_right(const struct snapshot_header *h)
{
	return memcmp(h->magic, SNAPSHOT_MAGIC, sizeof h->magic) == 0 &&
	       h->byte_order == SNAPSHOT_BYTE_ORDER && h->place_size <= SNAPSHOT_PLACE_BYTES &&
	       h->pool_used < UINT32_MAX && h->n_users >= 1;
}

/* --- dictionary --- */

/* Does a text lie within the pool, with its NUL? */
static bool text_right(const struct dictionary *d, uint32_t text)
{
	uint64_t end = 0;

	if (text >= d->pool_used)
		return false;
	end = (uint64_t)text + 1 + (unsigned char)d->pool[text];
	return end < d->pool_used && d->pool[end] == '\0';
}

static bool term_right(const struct dictionary *d, uint32_t i)
{
	const struct term *term = &d->terms[i];

	return text_right(d, term->stem) &&
	       (term->written == SLOTS_NONE || term->written < d->n_surfaces);
}

static bool surface_right(const struct dictionary *d, uint32_t i)
{
	const struct surface *surface = &d->surfaces[i];

	return text_right(d, surface->text) &&
	       (surface->term < d->n_terms || surface->term >= TERM_NONE);
}

static void hash_words(struct dictionary *d)
{
	size_t size = 0;

	for (uint32_t i = 0; i < d->n_terms; i++) {
		const char *stem = dictionary_text(d, d->terms[i].stem, &size);

		d->terms[i].documents = 0;
		slots_add(&d->term_slots, hash_bytes(stem, size, d->key), i);
	}
	for (uint32_t i = 0; i < d->n_surfaces; i++) {
		const char *word = dictionary_text(d, d->surfaces[i].text, &size);

		slots_add(&d->surface_slots, hash_bytes(word, size, d->key), i);
	}
}

static bool read_dictionary(struct reader *r, const struct snapshot_header *h, struct dictionary *d)
{
	const void *pool = take(r, h->pool_used);
	const void *terms = take(r, (uint64_t)h->n_terms * sizeof *d->terms);
	const void *surfaces = take(r, (uint64_t)h->n_surfaces * sizeof *d->surfaces);

	if (r->broken)
		return false;
	d->pool_room = d->pool_used = h->pool_used;
	d->term_room = d->n_terms = h->n_terms;
	d->surface_room = d->n_surfaces = h->n_surfaces;
	d->pool = MEMORY_NEW(char, d->pool_room);
	d->terms = MEMORY_NEW(struct term, d->term_room);
	d->surfaces = MEMORY_NEW(struct surface, d->surface_room);
	if (d->pool_used > 0)
		memcpy(d->pool, pool, d->pool_used);
	if (d->n_terms > 0)
		memcpy(d->terms, terms, d->n_terms * sizeof *d->terms);
	if (d->n_surfaces > 0)
		memcpy(d->surfaces, surfaces, d->n_surfaces * sizeof *d->surfaces);
	for (uint32_t i = 0; i < d->n_terms; i++)
		if (!term_right(d, i))
			return false;
	for (uint32_t i = 0; i < d->n_surfaces; i++)
		if (!surface_right(d, i))
			return false;
	hash_words(d);
	return true;
}

/* --- people and topics --- */

static bool read_users(struct reader *r, uint32_t count, struct corpus *c)
{
	uint64_t id = 0;

	read_into(r, &id, sizeof id);
	for (uint32_t i = 1; i < count && !r->broken; i++) {
		read_into(r, &id, sizeof id);
		if (id == 0 || corpus_user(c, id) != i)
			return false;
	}
	return !r->broken;
}

/* All ids first: a record may link to a topic that comes later. */
static bool read_ids(struct reader r, uint32_t count, struct corpus *c)
{
	for (uint32_t i = 0; i < count; i++) {
		struct snapshot_topic topic = {0};

		read_into(&r, &topic, sizeof topic);
		(void)take(&r, topic.record_size);
		if (r.broken || topic.id == 0 || corpus_topic(c, topic.id) != i)
			return false;
	}
	return true;
}

static uint32_t count_comments(const struct record *record)
{
	struct part part = {0};
	uint32_t count = 0;

	while (record_next(record, &part)) {
		struct record_comment comment;

		if (part.kind != PART_COMMENT)
			continue;
		record_comment_head(&part, &comment);
		count += !comment.removed;
	}
	return count;
}

static bool read_topic(struct reader *r, uint32_t at, uint32_t n_users, struct engine *e)
{
	struct snapshot_topic topic = {0};
	struct record record = {0};
	struct topic *t = &e->corpus.topics[at];

	read_into(r, &topic, sizeof topic);
	record.bytes = MEMORY_NEW(uint8_t, topic.record_size);
	record.size = topic.record_size;
	read_into(r, record.bytes, record.size);
	if (r->broken || topic.author >= n_users || topic.live > 1 ||
	    !record_sound(&record, e->corpus.dictionary.n_terms, n_users)) {
		free(record.bytes);
		return false;
	}
	t->version = topic.version;
	t->created = topic.created;
	t->language = topic.language;
	t->visible_to = topic.visible_to;
	t->comments = count_comments(&record);
	e->comments += t->comments;
	corpus_replace(&e->corpus, at, record, topic.author, topic.live);
	if (topic.live)
		index_put(e->index, at);
	return true;
}

static bool read_topics(struct reader *r, const struct snapshot_header *h, struct engine *e)
{
	if (!read_ids(*r, h->n_topics, &e->corpus))
		return false;
	for (uint32_t i = 0; i < h->n_topics; i++)
		if (!read_topic(r, i, h->n_users, e))
			return false;
	return true;
}

static bool read_pairs(struct reader *r, uint32_t count, struct pairs *pairs)
{
	for (uint32_t i = 0; i < count; i++) {
		struct pair pair = {0};

		read_into(r, &pair, sizeof pair);
		if (r->broken || (pair.word != PAIR_PINNED && pair.word != PAIR_BANNED) ||
		    pairs_set(pairs, pair.one, pair.other, pair.word) < 0)
			return false;
	}
	return true;
}

static bool read_engine(struct reader *r, void *place, size_t place_size, struct engine *e)
{
	struct snapshot_header header;
	const void *kept = NULL;

	read_into(r, &header, sizeof header);
	if (r->broken || !header_right(&header) || header.place_size != place_size)
		return false;
	kept = take(r, place_size);
	index_bulk(e->index, true);
	if (!read_dictionary(r, &header, &e->corpus.dictionary) ||
	    !read_users(r, header.n_users, &e->corpus) || !read_topics(r, &header, e) ||
	    !read_pairs(r, header.n_pairs, &e->pairs) || r->at != r->end)
		return false;
	index_bulk(e->index, false);
	while (index_work(e->index, SLICE_US, false))
		;
	e->refused = header.refused;
	memcpy(place, kept, place_size);
	return true;
}

static int load(const struct engine_settings *settings, struct reader r, void *place,
		size_t place_size, struct engine **engine)
{
	if (!sum_right(&r))
		return -EBADMSG;
	*engine = engine_new(settings);
	if (read_engine(&r, place, place_size, *engine))
		return 0;
	engine_free(*engine);
	*engine = NULL;
	return -EBADMSG;
}

int snapshot_load(const struct engine_settings *settings, const char *path, void *place,
		  size_t place_size, struct engine **engine)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), status = 0;
	struct stat about;
	void *bytes = NULL;

	*engine = NULL;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &about) < 0)
		status = -errno;
	else if (!S_ISREG(about.st_mode) || about.st_size == 0)
		status = -EBADMSG;
	if (status == 0) {
		bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		status = bytes == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (status < 0)
		return status;
	status = load(settings,
		      (struct reader){bytes, (unsigned char *)bytes + about.st_size, false}, place,
		      place_size, engine);
	munmap(bytes, (size_t)about.st_size);
	return status;
}
