/*
 * markdown.h - restricted Markdown (CommonMark with autolinks and strikethrough) as safe markup.
 *
 * cmark-gfm parses; what it found is written by us, element by element, so
 * nothing that is not in the list below can come out: paragraphs, emphasis,
 * strikethrough, code, quotes, lists, rules, breaks, headings from h3 down, and
 * links to http, https and mailto with rel="ugc nofollow noopener", and to paths of this site. HTML
 * shows as the text it is; a picture becomes a link to it.
 *
 * Containers nest at most eight deep on a line, so that 20 kB of anything takes
 * milliseconds. Sources are text as text_body() leaves it.
 */
#ifndef LIB_MARKDOWN_H
#define LIB_MARKDOWN_H

#include <stddef.h>

#include "lib/template.h"

struct arena;

enum markdown_kind {
	MARKDOWN_ARTICLE, /* a line end is a space, headings start at h3 */
	MARKDOWN_COMMENT, /* a line end is a break, headings are bold paragraphs */
	MARKDOWN_MAIL,    /* a comment that leaves the site: paths of ours are no links */
};

/* Lies in the arena and ends in NUL behind its size. */
struct html markdown_html(struct arena *, const char *source, enum markdown_kind);

/* For mails: lines as they stand, quotes behind "> ", addresses of links in brackets. */
char *markdown_plain(struct arena *, const char *source);

/* The first sentences on one line, without addresses, at most so many characters. */
char *markdown_excerpt(struct arena *, const char *source, size_t at_most);

#endif
