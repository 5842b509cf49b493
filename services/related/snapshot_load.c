/*
 * snapshot_load.c - maps a file of which nothing is believed until it was checked.
 *
 *   sum -> dictionary -> people -> ids -> topics' records -> pairs -> blocks -> places
 *
 * First the checksum, read and not mapped: a disk that cannot be read is an error then, and not
 * the end of the process. Then every offset, number and record. Records and blocks stay where
 * they are mapped until they change; what people and links follow from records is worked out
 * anew, so that it cannot contradict them. Frequencies and lengths are taken as they were saved.
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
#include <unistr.h>

#include "related/block.h"
#include "related/engine_state.h"
#include "related/memory.h"
#include "related/snapshot_format.h"

enum { SLICE_US = 1000000 };

/* --- the sum --- */

/* As many bytes as there are up to size, or -1. */
static ssize_t read_piece(int fd, void *piece, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t count = read(fd, (char *)piece + used, size - used);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (count == 0)
			break;
		used += (size_t)count;
	}
	return (ssize_t)used;
}

/* 0, -EBADMSG, or another errno. */
static int check_sum(int fd, uint64_t size)
{
	static unsigned char piece[SNAPSHOT_PIECE];
	struct snapshot_sum sum = {0};
	uint64_t content = size - sizeof(uint64_t), written = 0;

	while (content > 0) {
		size_t wanted = content < sizeof piece ? (size_t)content : sizeof piece;
		ssize_t count = read_piece(fd, piece, wanted);

		if (count != (ssize_t)wanted)
			return count < 0 ? -errno : -EBADMSG;
		snapshot_sum_add(&sum, piece, wanted);
		content -= wanted;
	}
	if (read_piece(fd, &written, sizeof written) != sizeof written)
		return -EBADMSG;
	return written == snapshot_sum_end(&sum) ? 0 : -EBADMSG;
}

static bool header_right(const struct snapshot_header *h)
{
	return memcmp(h->magic, SNAPSHOT_MAGIC, sizeof h->magic) == 0 &&
	       h->byte_order == SNAPSHOT_BYTE_ORDER && h->place_size <= SNAPSHOT_PLACE_BYTES &&
	       h->pool_used < UINT32_MAX && h->n_users >= 1 && h->n_users < UINT32_MAX / 4 &&
	       h->n_topics < UINT32_MAX / 4;
}

/* --- dictionary --- */

/* Is it UTF-8? Words and titles go into answers as they are. */
static bool utf8(const void *text, size_t size)
{
	return u8_check(text, size) == NULL;
}

/* Does a text lie within the pool, with its NUL? */
static bool text_right(const struct dictionary *d, uint32_t text)
{
	uint64_t end = 0;

	if (text >= d->pool_used)
		return false;
	end = (uint64_t)text + 1 + (unsigned char)d->pool[text];
	return end < d->pool_used && d->pool[end] == '\0' &&
	       utf8(d->pool + text + 1, (unsigned char)d->pool[text]);
}

static bool term_right(const struct dictionary *d, uint32_t i)
{
	const struct term *term = &d->terms[i];

	return text_right(d, term->stem) && (i == 0 || term->stem > d->terms[i - 1].stem) &&
	       (term->written == SLOTS_NONE || term->written < d->n_surfaces);
}

static bool surface_right(const struct dictionary *d, uint32_t i)
{
	const struct surface *surface = &d->surfaces[i];

	return text_right(d, surface->text) &&
	       (i == 0 || surface->text > d->surfaces[i - 1].text) &&
	       (surface->term < d->n_terms || surface->term >= TERM_NONE);
}

/* Those that were forgotten are empty, and nobody looks for them. */
static void hash_words(struct dictionary *d)
{
	size_t size = 0;

	slots_reserve(&d->term_slots, d->n_terms);
	slots_reserve(&d->surface_slots, d->n_surfaces);
	for (uint32_t i = 0; i < d->n_terms; i++) {
		const char *stem = dictionary_text(d, d->terms[i].stem, &size);

		if (size > 0)
			slots_add(&d->term_slots, hash_bytes(stem, size, d->key), i);
	}
	for (uint32_t i = 0; i < d->n_surfaces; i++) {
		const char *word = dictionary_text(d, d->surfaces[i].text, &size);

		if (size > 0)
			slots_add(&d->surface_slots, hash_bytes(word, size, d->key), i);
	}
}

/* It is copied: every word that is read counts, so few pages would stay as they are mapped. */
static bool read_dictionary(struct snapshot_reader *r, const struct snapshot_header *h,
			    struct dictionary *d)
{
	const void *pool = snapshot_take(r, h->pool_used);
	const void *terms = snapshot_take(r, (uint64_t)h->n_terms * sizeof *d->terms);
	const void *surfaces = snapshot_take(r, (uint64_t)h->n_surfaces * sizeof *d->surfaces);

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

static bool read_users(struct snapshot_reader *r, uint32_t count, struct corpus *c)
{
	const uint64_t *ids = snapshot_take(r, count * sizeof *ids);

	if (ids == NULL)
		return false;
	slots_reserve(&c->user_slots, count);
	for (uint32_t i = 1; i < count; i++)
		if (ids[i] == 0 || corpus_user(c, ids[i]) != i)
			return false;
	return true;
}

/* All ids first: a record may link to a topic that comes later. */
static bool read_ids(const struct snapshot_topic *topics, uint32_t count, struct corpus *c)
{
	slots_reserve(&c->topic_slots, count);
	for (uint32_t i = 0; i < count; i++)
		if (topics[i].id == 0 || corpus_topic(c, topics[i].id) != i)
			return false;
	return true;
}

/* What is shown of a topic stands before its opinions and comments. */
static bool display_right(const struct record *record)
{
	struct part part = {0};

	while (record_next(record, &part) && part.kind <= PART_DISPLAY)
		if (part.kind == PART_DISPLAY && !utf8(part.at, (size_t)(part.end - part.at)))
			return false;
	return true;
}

static bool read_topic(struct snapshot_reader *r, const struct snapshot_topic *topic, uint32_t at,
		       uint32_t n_users, struct engine *e)
{
	struct record record = {r->at, topic->record_size};
	struct topic *t = &e->corpus.topics[at];

	if (record.size > (uint64_t)(r->end - r->at) || topic->author >= n_users ||
	    topic->live > 1 || !record_sound(&record, e->corpus.dictionary.n_terms, n_users) ||
	    !display_right(&record))
		return false;
	r->at += record.size;
	if (record.size == 0)
		record.bytes = NULL;
	t->version = topic->version;
	t->created = topic->created;
	t->language = topic->language;
	t->visible_to = topic->visible_to;
	t->comments = topic->comments;
	e->comments += t->comments;
	corpus_take(&e->corpus, at, record, topic->author, topic->live);
	people_enter(&e->corpus, at, &e->crowd);
	return true;
}

static bool read_records(struct snapshot_reader *r, const struct snapshot_topic *topics,
			 const struct snapshot_header *h, struct engine *e)
{
	if (snapshot_take(r, 0) == NULL)
		return false;
	for (uint32_t i = 0; i < h->n_topics; i++)
		if (!read_topic(r, &topics[i], i, h->n_users, e))
			return false;
	return r->at == r->end;
}

static bool read_pairs(struct snapshot_reader *r, uint32_t count, struct pairs *pairs)
{
	const struct pair *pair = snapshot_take(r, count * sizeof *pair);

	if (pair == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if ((pair[i].word != PAIR_PINNED && pair[i].word != PAIR_BANNED) ||
		    pairs_set(pairs, pair[i].one, pair[i].other, pair[i].word) < 0)
			return false;
	return true;
}

/* --- blocks and places --- */

static bool read_blocks(struct snapshot_reader *r, const struct snapshot_header *h,
			struct index *ix)
{
	for (uint32_t i = 0; i < h->n_blocks; i++) {
		uint32_t number = 0;
		struct block *block = snapshot_read_block(r, h->n_topics, h->n_terms, &number);

		if (block == NULL)
			return false;
		if (index_take_block(ix, number, block))
			continue;
		block_free(block);
		return false;
	}
	return true;
}

static bool read_places(const struct snapshot_topic *topics, uint32_t count, struct engine *e)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!topics[i].live)
			continue;
		if (topics[i].place == NOWHERE)
			index_put(e->index, i);
		else if (!index_take_place(e->index, i, topics[i].place))
			return false;
	}
	return true;
}

/* --- all of it --- */

static void read_figures(const struct snapshot_header *h, struct engine *e)
{
	memcpy(e->corpus.tokens, h->tokens, sizeof h->tokens);
	memcpy(e->corpus.filled, h->filled, sizeof h->filled);
	e->refused = h->refused;
}

static bool read_engine(struct snapshot_reader *r, void *place, size_t place_size, struct engine *e)
{
	const struct snapshot_header *h = snapshot_take(r, sizeof *h);
	const struct snapshot_topic *topics = NULL;
	const void *kept = NULL;

	if (h == NULL || !header_right(h) || h->place_size != place_size)
		return false;
	kept = snapshot_take(r, place_size);
	index_bulk(e->index, true);
	read_figures(h, e);
	if (kept == NULL || !read_dictionary(r, h, &e->corpus.dictionary) ||
	    !read_users(r, h->n_users, &e->corpus) ||
	    (topics = snapshot_take(r, h->n_topics * sizeof *topics)) == NULL ||
	    !read_ids(topics, h->n_topics, &e->corpus) || !read_pairs(r, h->n_pairs, &e->pairs) ||
	    !read_blocks(r, h, e->index) || !read_records(r, topics, h, e) ||
	    !read_places(topics, h->n_topics, e))
		return false;
	index_bulk(e->index, false);
	while (index_waiting(e->index))
		(void)index_work(e->index, SLICE_US, false);
	if (place_size > 0)
		memcpy(place, kept, place_size);
	return true;
}

/* The engine takes the mapping over. */
static int load(const struct engine_settings *settings, struct mapping mapping, void *place,
		size_t place_size, struct engine **engine)
{
	unsigned char *start = mapping.bytes;
	struct snapshot_reader r = {start, start, start + mapping.size - sizeof(uint64_t), false};
	struct engine *e = engine_new(settings);

	e->mapping = mapping;
	e->corpus.mapped = start;
	e->corpus.mapped_end = start + mapping.size;
	if (!read_engine(&r, place, place_size, e)) {
		engine_free(e);
		return -EBADMSG;
	}
	*engine = e;
	return 0;
}

static int map(int fd, struct mapping *mapping)
{
	struct stat about;
	int status = 0;

	if (fstat(fd, &about) < 0)
		return -errno;
	if (!S_ISREG(about.st_mode) || (size_t)about.st_size < sizeof(struct snapshot_header))
		return -EBADMSG;
	status = check_sum(fd, (uint64_t)about.st_size);
	if (status < 0)
		return status;
	mapping->size = (size_t)about.st_size;
	mapping->bytes = mmap(NULL, mapping->size, PROT_READ, MAP_PRIVATE, fd, 0);
	return mapping->bytes == MAP_FAILED ? -errno : 0;
}

int snapshot_load(const struct engine_settings *settings, const char *path, void *place,
		  size_t place_size, struct engine **engine)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), status = 0;
	struct mapping mapping = {0};

	*engine = NULL;
	if (fd < 0)
		return -errno;
	status = map(fd, &mapping);
	close(fd);
	return status < 0 ? status : load(settings, mapping, place, place_size, engine);
}
