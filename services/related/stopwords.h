/*
 * stopwords.h - the words that say nothing about a topic, French and English together.
 *
 * One list for both languages, because one text may mix them; it holds the
 * clitics that remain of l', d', qu'… once a word is split at its apostrophe.
 */
#ifndef RELATED_STOPWORDS_H
#define RELATED_STOPWORDS_H

#include <stdbool.h>
#include <stddef.h>

/* word: lower case, accents folded. */
bool stopword(const char *word, size_t size);

#endif
