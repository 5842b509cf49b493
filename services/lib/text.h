/*
 * text.h - what people write, made fit to keep, to count and to compare.
 *
 * Text enters a service once, through text_line() or text_body(), and is in NFC
 * from then on: lengths, unique indexes and searches all see the same form. The
 * no-break spaces of French typography are put in at display, so they are taken
 * out here; what reorders or hides text (bidi overrides, zero-width spaces,
 * control characters) never gets in. Unicode itself is libunistring's.
 *
 * Every text given must end in NUL. Functions that return text return NULL when
 * theirs is not valid UTF-8, and take it from the arena.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

bool text_is_utf8(const char *bytes, size_t size); /* and holds no NUL */

/* Characters, that is Unicode scalar values; of NFC text this is what a limit counts. */
size_t text_length(const char *);

/* Unicode normalization form C (UAX 15). */
char *text_nfc(struct arena *, const char *);

/* One line (title, name, label): NFC, every run of white space one space, none at the ends. */
char *text_line(struct arena *, const char *);

/* Several lines (article, comment): NFC, LF alone ends lines, no empty lines at the ends. */
char *text_body(struct arena *, const char *);

/* Case folded and NFC: two e-mail addresses or words that differ in case alone become the same. */
char *text_fold(struct arena *, const char *);

/* Case folded, without accents, œ as oe: "Cœur d’Été" is "coeur d’ete". */
char *text_plain_fold(struct arena *, const char *);

/* "L’œuvre & l’été : où ça ?" is "l-oeuvre-et-l-ete-ou-ca"; at most 100 bytes, "sujet" if none. */
char *text_slug(struct arena *, const char *title);

/*
 * A name to be shown beside what somebody wrote: has a letter, letters of one
 * script (UTS 39 5.2, single script), at most two marks on a character, and nothing
 * invisible. Length is the caller's.
 */
bool text_is_name(const char *);

/* What a name looks like: two names with the same skeleton cannot be told apart at a glance. */
char *text_name_skeleton(struct arena *, const char *name);

/*
 * The beginning of a plain text on one line, at most so many characters: whole
 * sentences where at least half of it fits so, else whole words and "…".
 */
char *text_first_sentences(struct arena *, const char *, size_t at_most);

#endif
