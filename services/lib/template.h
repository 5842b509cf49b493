/*
 * template.h - what compiled templates write into, and how values become markup.
 *
 * tools/compile_templates.py turns a folder of *.html and *.txt into C functions
 * `void render_<name>(struct html_out *out, ...)` that append to one flat buffer.
 * Escaping follows from where a value stands: the compiler tracks text,
 * attributes, URLs and scripts, and picks one of the functions below. Markup that
 * is already safe has a type of its own, struct html, so that a plain string can
 * never be written raw by mistake.
 *
 * The language, in short (services/lib/tools/compile_templates.py says all):
 *   {% include "gateway/views.h" %}           for the generated header
 *   {% template topic_page(const struct topic_view *view) %}   extern; part: static
 *   {{ view->title }}                         escaped; numbers and moments as well
 *   {{ view->title in view->language }}       with French spacing where it is French
 *   {{{ view->article in view->language }}}   struct html, as it is
 *   {{_ "Par %s" view->author }}  {{n "%d avis" "%d avis" count }}   translated
 *   {{date m}} {{day m in zone}} {{exact m in zone}} {{clock m in zone}}
 *   {{lang view->language }}                  lang="…" where it differs from the page
 *   {{marked view->excerpt in lang }}  {{json text}}  {{static "site.css"}}
 *   {% for (…) { %} … {% } %}   {% call comment(&view->comments[i]) %}   {# remark #}
 */
#ifndef LIB_TEMPLATE_H
#define LIB_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/locale.h"

struct evbuffer;

/* No page or mail comes near this; beyond it the output is cut and `full` is set. */
#define HTML_OUT_LIMIT ((size_t)16 << 20)

/* Markup that is safe to write as it is. */
struct html {
	const char *bytes;
	size_t size;
};

/* Markup from a literal; does not compile with anything else. */
#define HTML(literal) ((struct html){"" literal, sizeof(literal) - 1})

/* Surround a match in a text shown by {{marked}}; control characters never come from people. */
#define MATCH_START '\x02'
#define MATCH_END   '\x03'

/* All zero is an empty output in French, in UTC. Set locale, zone and now before rendering. */
struct html_out {
	char *bytes;
	size_t size;
	size_t capacity;
	bool full;               /* HTML_OUT_LIMIT was reached: do not send this */
	enum locale locale;      /* of the page */
	const struct zone *zone; /* of the reader */
	struct moment now;       /* what relative times are relative to */
};

/* What was written, borrowed; valid until the next write. */
struct html html_written(const struct html_out *);

/* Hands the bytes to the evbuffer by reference and leaves out empty. 0, -EMSGSIZE when full. */
int html_out_send(struct html_out *out, struct evbuffer *to);

/* The bytes as a NUL-terminated string the caller frees; leaves out empty. NULL when full. */
char *html_out_take(struct html_out *out, size_t *size);

void html_out_free(struct html_out *out);

/* Room for size more bytes, or NULL when full. Does not count them as written. */
char *html_room(struct html_out *out, size_t size);

static inline void html_raw(struct html_out *out, const char *bytes, size_t size)
{
	char *to;

	if (size <= out->capacity - out->size)
		to = out->bytes + out->size;
	else
		to = html_room(out, size);
	if (to == NULL || size == 0)
		return;
	memcpy(to, bytes, size);
	out->size += size;
}

static inline void html_markup(struct html_out *out, struct html markup)
{
	html_raw(out, markup.bytes, markup.size);
}

/* Strings may be NULL, which shows nothing. */
void html_text(struct html_out *out, const char *text);
void html_text_number(struct html_out *out, int64_t number);
void html_text_count(struct html_out *out, uint64_t number);
void html_text_moment(struct html_out *out, struct moment);

void html_attribute_number(struct html_out *out, int64_t number);
void html_attribute_count(struct html_out *out, uint64_t number);
void html_attribute_moment(struct html_out *out, struct moment);

/* A whole URL: http, https, mailto or of this site; any other scheme becomes "#". */
void html_url(struct html_out *out, const char *url);
/* A part of a URL: all but unreserved characters percent-encoded (RFC 3986 2.1). */
void html_url_part(struct html_out *out, const char *text);

/* French spacing, where language is French: no-break before ; ! ? : and inside « ». */
void html_typeset(struct html_out *out, const char *text, enum locale language);
/* The same in the text of safe markup, leaving tags, entities and code alone. */
void html_typeset_markup(struct html_out *out, struct html markup, enum locale language);
/* html_typeset() with what stands between MATCH_START and MATCH_END in <mark>. */
void html_marked(struct html_out *out, const char *text, enum locale language);

/* ` lang="en"` where language is not the page's. */
void html_language(struct html_out *out, enum locale language);

/* The inside of a JSON string in a script element: no quote, no `<`, no line separator. */
void html_json(struct html_out *out, const char *text);
void html_json_number(struct html_out *out, int64_t number);
void html_json_count(struct html_out *out, uint64_t number);
void html_json_moment(struct html_out *out, struct moment);

/* <time datetime="…">…</time> around the date, day, day and clock, or clock alone. */
enum html_time { HTML_DATE, HTML_DAY, HTML_EXACT, HTML_CLOCK };
void html_time(struct html_out *out, enum html_time, struct moment, const struct zone *);

/* The same values in plain text (*.txt templates). */
void plain_text(struct html_out *out, const char *text);
void plain_number(struct html_out *out, int64_t number);
void plain_count(struct html_out *out, uint64_t number);
void plain_moment(struct html_out *out, struct moment);
void plain_typeset(struct html_out *out, const char *text, enum locale language);
void plain_time(struct html_out *out, enum html_time, struct moment, const struct zone *);

/* --- messages with values in them --- */

enum html_place { HTML_IN_TEXT, HTML_IN_ATTRIBUTE, HTML_IN_PLAIN };

struct html_value {
	enum {
		HTML_VALUE_TEXT,
		HTML_VALUE_NUMBER,
		HTML_VALUE_COUNT,
		HTML_VALUE_MARKUP,
		HTML_VALUE_MOMENT
	} kind;
	union {
		const char *text;
		int64_t number;
		uint64_t count;
		struct html markup;
		struct moment moment;
	};
};

/* %s and %d take the next value, %2$s the second; %% is a percent sign. */
void html_format(struct html_out *out, enum html_place, const char *format,
		 const struct html_value *values, size_t n_values);

static inline struct html_value html_value_text(const char *text)
{
	return (struct html_value){.kind = HTML_VALUE_TEXT, .text = text};
}

static inline struct html_value html_value_number(int64_t number)
{
	return (struct html_value){.kind = HTML_VALUE_NUMBER, .number = number};
}

static inline struct html_value html_value_count(uint64_t count)
{
	return (struct html_value){.kind = HTML_VALUE_COUNT, .count = count};
}

static inline struct html_value html_value_markup(struct html markup)
{
	return (struct html_value){.kind = HTML_VALUE_MARKUP, .markup = markup};
}

static inline struct html_value html_value_moment(struct moment moment)
{
	return (struct html_value){.kind = HTML_VALUE_MOMENT, .moment = moment};
}

/* --- a value's type decides: a string, any integer, a moment; nothing else compiles --- */

#define HTML_BY_TYPE(value, string, number, count, moment_)                                        \
	_Generic((value),                                                                          \
		char *: string,                                                                    \
		const char *: string,                                                              \
		short: number,                                                                     \
		int: number,                                                                       \
		long: number,                                                                      \
		long long: number,                                                                 \
		unsigned char: count,                                                              \
		unsigned short: count,                                                             \
		unsigned: count,                                                                   \
		unsigned long: count,                                                              \
		unsigned long long: count,                                                         \
		struct moment: moment_)

#define HTML_TEXT(out, value)                                                                      \
	HTML_BY_TYPE((value), html_text, html_text_number, html_text_count, html_text_moment)      \
	((out), (value))
#define HTML_ATTRIBUTE(out, value)                                                                 \
	HTML_BY_TYPE((value), html_text, html_attribute_number, html_attribute_count,              \
		     html_attribute_moment)                                                        \
	((out), (value))
#define HTML_URL(out, value)                                                                       \
	HTML_BY_TYPE((value), html_url, html_attribute_number, html_attribute_count,               \
		     html_attribute_moment)                                                        \
	((out), (value))
#define HTML_URL_PART(out, value)                                                                  \
	HTML_BY_TYPE((value), html_url_part, html_attribute_number, html_attribute_count,          \
		     html_attribute_moment)                                                        \
	((out), (value))
#define HTML_JSON(out, value)                                                                      \
	HTML_BY_TYPE((value), html_json, html_json_number, html_json_count, html_json_moment)      \
	((out), (value))
#define HTML_PLAIN(out, value)                                                                     \
	HTML_BY_TYPE((value), plain_text, plain_number, plain_count, plain_moment)((out), (value))

#define HTML_VALUE(value)                                                                          \
	_Generic((value),                                                                          \
		char *: html_value_text,                                                           \
		const char *: html_value_text,                                                     \
		short: html_value_number,                                                          \
		int: html_value_number,                                                            \
		long: html_value_number,                                                           \
		long long: html_value_number,                                                      \
		unsigned char: html_value_count,                                                   \
		unsigned short: html_value_count,                                                  \
		unsigned: html_value_count,                                                        \
		unsigned long: html_value_count,                                                   \
		unsigned long long: html_value_count,                                              \
		struct html: html_value_markup,                                                    \
		struct moment: html_value_moment)(value)

#endif
