/*
 * snapshot.h - an engine in a file, so that a restart need not ask the owners for everything.
 *
 * The file holds the dictionary, the people, the records, the pairs and the packed blocks, and
 * an opaque place of the caller (positions in the streams of events). Records and blocks, most
 * of it, are not read but mapped: each stays in the file until it changes and takes memory of
 * its own. The file is written beside its final name, synced and renamed, so that a crash leaves
 * the former one, and the one that is mapped never changes; a file whose checksum or content is
 * not right is refused as a whole. Each writer has a name of its own: one whose parent was killed
 * may go on beside the next one's.
 */
#ifndef RELATED_SNAPSHOT_H
#define RELATED_SNAPSHOT_H

#include <stddef.h>

struct engine;
struct engine_settings;

enum { SNAPSHOT_PLACE_BYTES = 256 };

/*
 * 0 or a negative errno. Takes no memory and no lock, so that a forked child may
 * call it while the parent goes on changing its own engine.
 */
int snapshot_save(const struct engine *, const char *path, const void *place, size_t place_size);

/* Removes what writers that were killed have left beside; a writer that is not over yet fails. */
void snapshot_sweep(const char *path);

/*
 * 0 with a new engine that answers as the saved one did, and place filled;
 * -ENOENT: there is none; -EBADMSG: it is not one of ours, or damaged; or another errno.
 */
int snapshot_load(const struct engine_settings *, const char *path, void *place, size_t place_size,
		  struct engine **);

#endif
