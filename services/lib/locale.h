/*
 * locale.h - words, plurals, dates and typography in the site's two languages.
 *
 * French is the language of the source: a message is named by its French text,
 * and catalogues (services/<service>/locale/en.po, compiled by
 * tools/compile_locale.py into one table) give the English. The build fails when
 * a message has no translation, so a lookup at run time always finds one.
 * What tr() returns is ready to show: French messages already carry their
 * no-break spaces.
 */
#ifndef LIB_LOCALE_H
#define LIB_LOCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum locale {
	LOCALE_FR,
	LOCALE_EN,
	LOCALE_COUNT,
};

/* "fr", "en": for lang attributes and Content-Language. */
const char *locale_tag(enum locale);

/* Reads "fr", "en-GB", "FR_fr"; false, and *locale untouched, when it is neither language. */
bool locale_parse(const char *tag, enum locale *locale);

/* The tag is exactly that of a language the site speaks. */
bool locale_known(const char *tag);

/* The best of an Accept-Language header (RFC 9110 12.5.4), or fallback; header may be NULL. */
enum locale locale_accept(const char *header, enum locale fallback);

/* Marks a literal for translation where it stands in a table; tr() it when it is shown. */
#define TR(msgid) msgid

/* The message in that language, static. A text no catalogue knows is returned as it is. */
const char *tr(enum locale, const char *msgid);

/* The form for n things: one for 0 and 1 in French, for 1 alone in English. */
const char *tr_plural(enum locale, const char *one, const char *many, int64_t n);

/* The same with the 32-bit FNV-1a hash of the first text already known (compiled templates). */
const char *tr_hashed(enum locale, const char *msgid, uint32_t hash);
const char *tr_plural_hashed(enum locale, const char *one, const char *many, uint32_t hash,
			     int64_t n);

/* --- the compiled table, written by compile_locale.py --- */

struct locale_message {
	const char *msgid; /* NULL in a free place */
	uint32_t hash;
	const char *one[LOCALE_COUNT];
	const char *many[LOCALE_COUNT]; /* NULL where the message has no plural */
};

/* Open addressing, linear probing; size is a power of two and never full. */
extern const struct locale_message locale_messages[];
extern const size_t locale_messages_size;

/* --- numbers and dates; each writes a NUL-terminated text that fits in LOCALE_TEXT bytes --- */

#define LOCALE_TEXT 96

/* Microseconds since 1970 UTC, shown as a time; 0 is "never" and shows as nothing. */
struct moment {
	int64_t us;
};

struct zone;

/* 12345678 as "12 345 678" or "12,345,678"; four digits stay together. */
void locale_number(enum locale, int64_t number, char text[LOCALE_TEXT]);

/* "1er mars 2027", "1 March 2027". A NULL zone is UTC, here and below. */
void locale_date(enum locale, const struct zone *, struct moment, char text[LOCALE_TEXT]);

/* "lundi 1er mars 2027", "Monday 1 March 2027". */
void locale_day(enum locale, const struct zone *, struct moment, char text[LOCALE_TEXT]);

/* "14:30". */
void locale_clock(enum locale, const struct zone *, struct moment, char text[LOCALE_TEXT]);

/* "1er mars 2027 à 14:30 (heure de Paris)", "1 March 2027 at 14:30 (Paris time)". */
void locale_exact(enum locale, const struct zone *, struct moment, char text[LOCALE_TEXT]);

/* "à l’instant", "il y a 3 min", "dans 2 h", "hier", "il y a 5 j"; beyond 30 days, the date. */
void locale_relative(enum locale, const struct zone *, struct moment, struct moment now,
		     char text[LOCALE_TEXT]);

/* "2027-03-01T13:30:00Z", for datetime attributes and feeds (RFC 3339). */
void locale_rfc3339(struct moment, char text[LOCALE_TEXT]);

#endif
