/*
 * snapshot_save.c - writes the file. No allocation from here on down: see snapshot.h.
 */
#include "related/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "related/engine_state.h"
#include "related/snapshot_format.h"

enum { BUFFER = 1 << 16 };

struct writer {
	int fd, status; /* the first error */
	size_t used;
	struct snapshot_sum sum;
	unsigned char buffer[BUFFER];
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
static void put(struct writer *w, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	while (size > 0) {
		size_t fits = BUFFER - w->used < size ? BUFFER - w->used : size;

		memcpy(w->buffer + w->used, p, fits);
		w->used += fits;
		p += fits;
		size -= fits;
		if (w->used == BUFFER) {
			snapshot_sum_add(&w->sum, w->buffer, BUFFER);
			write_out(w);
		}
	}
}

static void finish(struct writer *w)
{
	snapshot_sum_add(&w->sum, w->buffer, w->used);
	write_out(w);
	memcpy(w->buffer, &w->sum.state, sizeof w->sum.state);
	w->used = sizeof w->sum.state;
	write_out(w);
	if (w->status == 0 && fsync(w->fd) < 0)
		w->status = -errno;
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
		.pool_used = c->dictionary.pool_used,
		.refused = e->refused,
	};

	memcpy(header.magic, SNAPSHOT_MAGIC, sizeof header.magic);
	put(w, &header, sizeof header);
}

static void put_topic(struct writer *w, const struct topic *t)
{
	const struct snapshot_topic topic = {
		.id = t->id,
		.version = t->version,
		.created = t->created,
		.author = t->author,
		.record_size = t->record.size,
		.language = t->language,
		.visible_to = t->visible_to,
		.live = t->live,
	};

	put(w, &topic, sizeof topic);
	put(w, t->record.bytes, t->record.size);
}

static void put_engine(struct writer *w, const struct engine *e, const void *place,
		       size_t place_size)
{
	const struct dictionary *d = &e->corpus.dictionary;

	put_header(w, e, place_size);
	put(w, place, place_size);
	put(w, d->pool, d->pool_used);
	put(w, d->terms, d->n_terms * sizeof *d->terms);
	put(w, d->surfaces, d->n_surfaces * sizeof *d->surfaces);
	for (uint32_t i = 0; i < e->corpus.n_users; i++)
		put(w, &e->corpus.users[i].id, sizeof e->corpus.users[i].id);
	for (uint32_t i = 0; i < e->corpus.n_topics; i++)
		put_topic(w, &e->corpus.topics[i]);
	for (uint32_t i = 0; i < e->pairs.count; i++)
		put(w, &e->pairs.at[i], sizeof e->pairs.at[i]);
	finish(w);
}

/* The rename is only lasting once its folder is. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	int fd = -1, status = 0;

	if (slash != NULL)
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
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
	    snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
		return -EINVAL;
	w = (struct writer){.fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
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
