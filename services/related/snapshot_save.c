/*
 * snapshot_save.c - writes the file. No allocation from here on down: see snapshot.h.
 */
#include "related/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "related/block.h"
#include "related/engine_state.h"
#include "related/snapshot_format.h"

struct writer {
	int fd, status; /* the first error */
	size_t used;
	uint64_t written;
	struct snapshot_sum sum;
	unsigned char buffer[SNAPSHOT_PIECE];
};

static void write_out(struct writer *w)
{
	size_t written = 0;

	while (w->status == 0 && written < w->used) {
		ssize_t count = write(w->fd, w->buffer + written, w->used - written);

		if (count < 0 && errno != EINTR)
			w->status = -errno;
		written += count > 0 ? (size_t)count : 0;
	}
	w->used = 0;
}

/* Everything passes here in whole buffers, so that reader and writer sum up the same pieces. */
static void put_bytes(struct writer *w, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	w->written += size;
	while (size > 0) {
		size_t room = SNAPSHOT_PIECE - w->used, fits = room < size ? room : size;

		memcpy(w->buffer + w->used, p, fits);
		w->used += fits;
		p += fits;
		size -= fits;
		if (w->used == SNAPSHOT_PIECE) {
			snapshot_sum_add(&w->sum, w->buffer, SNAPSHOT_PIECE);
			write_out(w);
		}
	}
}

/* A part, see snapshot_take(). */
static void put(struct writer *w, const void *bytes, size_t size)
{
	static const char nothing[SNAPSHOT_ALIGNMENT];

	put_bytes(w, nothing,
		  (SNAPSHOT_ALIGNMENT - w->written % SNAPSHOT_ALIGNMENT) % SNAPSHOT_ALIGNMENT);
	put_bytes(w, bytes, size);
}

static void finish(struct writer *w)
{
	uint64_t sum = 0;

	snapshot_sum_add(&w->sum, w->buffer, w->used);
	write_out(w);
	sum = snapshot_sum_end(&w->sum);
	memcpy(w->buffer, &sum, sizeof sum);
	w->used = sizeof sum;
	write_out(w);
	if (w->status == 0 && fsync(w->fd) < 0)
		w->status = -errno;
}

/* --- words --- */

/* A text of the dictionary: where it begins, and whether it is of no use any more. */
struct text {
	size_t start;
	bool forgotten;
};

/* A walk along the pool: terms and surfaces stand there in the order in which they came. */
struct pool_walk {
	const struct dictionary *dictionary;
	uint32_t term, surface;
	bool forgets;
};

static bool in_no_text(const struct pool_walk *walk, uint32_t term)
{
	const struct dictionary *d = walk->dictionary;

	return walk->forgets && term < d->n_terms && d->terms[term].documents == 0;
}

static struct text next_text(struct pool_walk *walk)
{
	const struct dictionary *d = walk->dictionary;
	const struct surface *surface = &d->surfaces[walk->surface];
	const struct term *term = &d->terms[walk->term];

	if (walk->term == d->n_terms && walk->surface == d->n_surfaces)
		return (struct text){d->pool_used, false};
	if (walk->surface == d->n_surfaces ||
	    (walk->term < d->n_terms && term->stem < surface->text))
		return (struct text){term->stem, in_no_text(walk, walk->term++)};
	walk->surface++;
	return (struct text){surface->text, in_no_text(walk, surface->term)};
}

static void put_nothing(struct writer *w, size_t size)
{
	static const char nothing[LABEL_BYTES + 16];

	for (; size > sizeof nothing; size -= sizeof nothing)
		put_bytes(w, nothing, sizeof nothing);
	put_bytes(w, nothing, size);
}

/* Comments that came before their topic use words of which documents does not know. */
static bool all_words_are_counted(const struct corpus *c)
{
	for (uint32_t i = 0; i < c->n_topics; i++)
		if (!c->topics[i].live && c->topics[i].record.size > 0)
			return false;
	return true;
}

/*
 * What somebody erased, or took back, may have been a name. A word that stands in no text any
 * more is left empty in the file: nobody finds it, and a word that comes back is a new one.
 */
static void put_pool(struct writer *w, const struct corpus *c)
{
	struct pool_walk walk = {&c->dictionary, 0, 0, all_words_are_counted(c)};
	struct text text = {0};

	put(w, NULL, 0);
	while (text.start < c->dictionary.pool_used) {
		struct text next = next_text(&walk);

		if (text.forgotten)
			put_nothing(w, next.start - text.start);
		else
			put_bytes(w, c->dictionary.pool + text.start, next.start - text.start);
		text = next;
	}
}

/* --- topics and blocks --- */

/* Hot blocks are not kept: what is in them is read again from records. */
static bool is_kept(const struct block *block)
{
	return block != NULL && block->hot == NULL;
}

static uint32_t count_packed(const struct engine *e)
{
	uint32_t count = 0, kept = 0;
	struct block *const *blocks = index_blocks(e->index, &count);

	for (uint32_t i = 0; i < count; i++)
		kept += is_kept(blocks[i]);
	return kept;
}

static void put_header(struct writer *w, const struct engine *e, size_t place_size)
{
	const struct corpus *c = &e->corpus;
	struct snapshot_header header = {
		.byte_order = SNAPSHOT_BYTE_ORDER,
		.place_size = (uint32_t)place_size,
		.n_terms = c->dictionary.n_terms,
		.n_surfaces = c->dictionary.n_surfaces,
		.n_users = c->n_users,
		.n_topics = c->n_topics,
		.n_pairs = e->pairs.count,
		.n_blocks = count_packed(e),
		.pool_used = c->dictionary.pool_used,
		.refused = e->refused,
	};

	memcpy(header.magic, SNAPSHOT_MAGIC, sizeof header.magic);
	memcpy(header.tokens, c->tokens, sizeof header.tokens);
	memcpy(header.filled, c->filled, sizeof header.filled);
	put(w, &header, sizeof header);
}

static bool place_is_kept(const struct engine *e, const struct topic *t)
{
	uint32_t count = 0;
	struct block *const *blocks = index_blocks(e->index, &count);

	return t->place != NOWHERE && !t->outdated && is_kept(blocks[t->place >> 16]);
}

static void put_topic(struct writer *w, const struct engine *e, const struct topic *t)
{
	const struct snapshot_topic topic = {
		.id = t->id,
		.version = t->version,
		.created = t->created,
		.author = t->author,
		.record_size = t->record.size,
		.place = place_is_kept(e, t) ? t->place : NOWHERE,
		.comments = t->comments,
		.language = t->language,
		.visible_to = t->visible_to,
		.live = t->live,
	};

	put(w, &topic, sizeof topic);
}

static void put_block(struct writer *w, uint32_t number, const struct block *block)
{
	const struct packed *packed = &block->packed;
	const struct snapshot_block about = {
		.number = number,
		.used = block->used,
		.n_terms = packed->n_terms,
		.n_present = packed->n_present,
		.n_bytes = packed->n_bytes,
		.n_dense = packed->n_dense,
		.averages = block->averages,
	};
	size_t words = packed->n_terms / 64 + 1;

	put(w, &about, sizeof about);
	put(w, block->topics, block->used * sizeof *block->topics);
	put(w, packed->present, words * sizeof *packed->present);
	put(w, packed->ranks, words * sizeof *packed->ranks);
	put(w, packed->starts, (packed->n_present + 1ULL) * sizeof *packed->starts);
	put(w, packed->runs, packed->n_bytes);
	put(w, packed->dense_terms, packed->n_dense * sizeof *packed->dense_terms);
	put(w, packed->dense, (size_t)packed->n_dense * packed->n_slots);
}

static void put_blocks(struct writer *w, const struct engine *e)
{
	uint32_t count = 0;
	struct block *const *blocks = index_blocks(e->index, &count);

	for (uint32_t i = 0; i < count; i++)
		if (is_kept(blocks[i]))
			put_block(w, i, blocks[i]);
}

static void put_records(struct writer *w, const struct corpus *c)
{
	put(w, NULL, 0);
	for (uint32_t i = 0; i < c->n_topics; i++)
		put_bytes(w, c->topics[i].record.bytes, c->topics[i].record.size);
}

static void put_engine(struct writer *w, const struct engine *e, const void *place,
		       size_t place_size)
{
	const struct dictionary *d = &e->corpus.dictionary;

	put_header(w, e, place_size);
	put(w, place, place_size);
	put_pool(w, &e->corpus);
	put(w, d->terms, d->n_terms * sizeof *d->terms);
	put(w, d->surfaces, d->n_surfaces * sizeof *d->surfaces);
	put(w, NULL, 0);
	for (uint32_t i = 0; i < e->corpus.n_users; i++)
		put_bytes(w, &e->corpus.users[i].id, sizeof e->corpus.users[i].id);
	for (uint32_t i = 0; i < e->corpus.n_topics; i++)
		put_topic(w, e, &e->corpus.topics[i]);
	put(w, e->pairs.at, e->pairs.count * sizeof *e->pairs.at);
	put_blocks(w, e);
	put_records(w, &e->corpus);
	finish(w);
}

/* Names beside the final one; the rest is random. */
#define BESIDE ".new"

static const char *name_in_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static int open_folder(const char *path)
{
	char folder[PATH_MAX] = ".";
	size_t length = (size_t)(name_in_folder(path) - path);
	int fd = -1;

	if (length > 0)
		snprintf(folder, sizeof folder, "%.*s", (int)length, path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The rename is only lasting once its folder is. */
static int sync_folder(const char *path)
{
	int fd = open_folder(path), status = 0;

	if (fd < 0)
		return fd;
	if (fsync(fd) < 0)
		status = -errno;
	close(fd);
	return status;
}

int snapshot_save(const struct engine *e, const char *path, const void *place, size_t place_size)
{
	static struct writer w;
	char beside[PATH_MAX];

	if (place_size > SNAPSHOT_PLACE_BYTES ||
	    snprintf(beside, sizeof beside, "%s" BESIDE "-XXXXXX", path) >= (int)sizeof beside)
		return -EINVAL;
	w = (struct writer){.fd = mkostemp(beside, O_CLOEXEC)};
	if (w.fd < 0)
		return -errno;
	put_engine(&w, e, place, place_size);
	if (close(w.fd) < 0 && w.status == 0)
		w.status = -errno;
	if (w.status == 0 && rename(beside, path) < 0)
		w.status = -errno;
	if (w.status < 0) {
		(void)unlink(beside);
		return w.status;
	}
	return sync_folder(path);
}

void snapshot_sweep(const char *path)
{
	const char *name = name_in_folder(path);
	const size_t length = strlen(name);
	int fd = open_folder(path);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (folder == NULL)
		return;
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
		if (strncmp(entry->d_name, name, length) == 0 &&
		    strncmp(entry->d_name + length, BESIDE, strlen(BESIDE)) == 0)
			(void)unlinkat(fd, entry->d_name, 0);
	closedir(folder);
}
