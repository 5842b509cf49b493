/*
 * related_site.h - a site of any size for the bench: texts as people write them, by their numbers.
 *
 * Half of the words are stop words, as in the demo site's texts; the others are drawn from the
 * Zipf-Mandelbrot distribution fitted to those: offset 20, exponent 1.3, and 1.9 beyond the
 * 12,000 most frequent words (Ferrer i Cancho & Sole 2001). So rare words keep turning up as
 * they do in forums: 4,000 different ones in as many words as the demo site has, 119,000 in 12
 * million, 660,000 in a million topics with replies.
 *
 *   short    a title and some 60 words: the questions of a help forum
 *   replies  150 words and 3 comments of 50: 122 different terms, as in the real forums for which
 *            the goals of memory were set
 *   demo     340 words and 10 comments of 25: the lengths of the demo site
 */
#ifndef BENCH_RELATED_SITE_H
#define BENCH_RELATED_SITE_H

#include <stdint.h>

struct site_kind {
	const char *name;
	uint32_t title, article, comments, comment; /* words, and comments, on average */
};

/* NULL for a name that is not one of the three. */
const struct site_kind *site_kind(const char *name);

/* From 0 to limit - 1, the same in every run. */
uint32_t site_draw(uint32_t limit);

/* Between half as many words and half as many more; the text is valid until the next one. */
const char *site_title(const struct site_kind *);
const char *site_article(const struct site_kind *);
const char *site_comment(const struct site_kind *);

/* How many comments a topic has. */
uint32_t site_discussion(const struct site_kind *);

uint32_t site_person(void);

#endif
