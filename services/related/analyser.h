/*
 * analyser.h - one analyser for French and English: text in, terms out.
 *
 *   UTF-8 -> NFC -> words (letters, marks and digits; anything else separates,
 *   apostrophes ' and ' too) -> case folded -> stop list -> French Snowball
 *   -> accents folded, oe, ae, ss -> term
 *
 * The stemmer is French whatever the language: guessing the language of each
 * text gives the same word two stems on a bilingual site, and costs more than
 * the right stemmer gains. A link to a topic is not read: its slug is that topic's title. Broken
 * UTF-8 separates words and harms nothing else. Sources: Porter's Snowball (libstemmer); Unicode
 * UAX #15 and #21 (libunistring).
 */
#ifndef RELATED_ANALYSER_H
#define RELATED_ANALYSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct analyser;
struct dictionary;

enum { TEXT_BYTES = 256 * 1024 }; /* of one text; what follows is not read */

/* Of a text, in no particular order; stop words and unknown words left out. */
struct terms {
	uint32_t *at, *spare; /* spare: to sort them */
	uint32_t count, room, spare_room;
};

struct analyser *analyser_new(struct dictionary *);
void analyser_free(struct analyser *);

/* What a text leaves in the dictionary. */
enum learning {
	LEARN_NOTHING, /* a visitor's unsaved text: new words are left out */
	LEARN_WORDS,   /* a text that is not public: how it writes them is told nobody */
	LEARN_FORMS,   /* and how often which form of a word is written */
};

/* Appends the terms of a text (NULL: none). */
void analyser_read(struct analyser *, const char *text, enum learning, struct terms *);

/* The opaque term of an expertise; TERM_NONE when it is empty or not to be learnt. */
uint32_t analyser_label(struct analyser *, const char *label, enum learning);

/* Is this the term of an expertise? */
bool analyser_is_label(const struct analyser *, uint32_t term);

void terms_free(struct terms *);

#endif
