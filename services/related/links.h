/*
 * links.h - the topics that a text links to.
 */
#ifndef RELATED_LINKS_H
#define RELATED_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "related/record.h"

/*
 * Adds the ids in /sujets/7, /sujets/7-title and /s/7 to links, each once, up to
 * MOST_LINKS. A path stands by itself or follows site ("https://causerie.example",
 * NULL: none); on another host it is another site's.
 */
void links_read(const char *text, const char *site, uint64_t links[MOST_LINKS], uint32_t *count);

/*
 * Bytes of a topic's path with its slug, at most left, when one begins here; 0: none does. The
 * words of a slug are another topic's, not the text's.
 */
size_t links_path(const char *at, size_t left);

void links_add(uint64_t id, uint64_t links[MOST_LINKS], uint32_t *count);

#endif
