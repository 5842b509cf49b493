/*
 * template.c - the run-time half of compiled templates: one buffer, many escapes.
 *
 * Everything here appends. Text is copied in spans between the few bytes that
 * need care, found through a table, so that plain prose costs little more than
 * memcpy. French spacing is part of the same pass: it looks back one byte at a
 * punctuation mark, and never touches what looks like an address.
 */
#include "lib/template.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NO_BREAK        "\xc2\xa0"     /* U+00A0 */
#define NARROW_NO_BREAK "\xe2\x80\xaf" /* U+202F */
#define FIRST_ROOM      8192

#define RAW(out, literal) html_raw((out), "" literal, sizeof(literal) - 1)

/* --- the buffer --- */

char *html_room(struct html_out *out, size_t size)
{
	size_t capacity;

	if (size <= out->capacity - out->size)
		return out->bytes + out->size;
	if (out->full || size > HTML_OUT_LIMIT || out->size + size > HTML_OUT_LIMIT) {
		out->full = true;
		return NULL;
	}

	capacity = out->capacity == 0 ? FIRST_ROOM : out->capacity;
	while (capacity < out->size + size)
		capacity *= 2;
	out->bytes = realloc(out->bytes, capacity);
	assert(out->bytes != NULL);
	out->capacity = capacity;
	return out->bytes + out->size;
}

struct html html_written(const struct html_out *out)
{
	return (struct html){out->bytes, out->size};
}

void html_out_free(struct html_out *out)
{
	free(out->bytes);
	out->bytes = NULL;
	out->size = 0;
	out->capacity = 0;
	out->full = false;
}

static void free_bytes(const void *bytes, size_t size, void *owned)
{
	(void)bytes;
	(void)size;
	free(owned);
}

int html_out_send(struct html_out *out, struct evbuffer *to)
{
	bool full = out->full;

	if (full || out->size == 0) {
		html_out_free(out);
		return full ? -EMSGSIZE : 0;
	}
	if (evbuffer_add_reference(to, out->bytes, out->size, free_bytes, out->bytes) != 0) {
		html_out_free(out);
		return -ENOMEM;
	}
	out->bytes = NULL; /* the evbuffer's from here on */
	html_out_free(out);
	return 0;
}

char *html_out_take(struct html_out *out, size_t *size)
{
	char *bytes;

	html_raw(out, "", 1);
	if (out->full) {
		html_out_free(out);
		return NULL;
	}
	bytes = out->bytes;
	if (size != NULL)
		*size = out->size - 1;
	out->bytes = NULL; /* the caller's from here on */
	html_out_free(out);
	return bytes;
}

/* --- escaping --- */

enum {
	AMP = 1,
	LESS,
	GREATER,
	QUOTE,
	APOSTROPHE,
	MARK_START,
	MARK_END,
	PUNCTUATION, /* ; ! ? : */
	LATIN,       /* 0xC2, which begins « and » */
	HOUR,        /* h, perhaps of 17 h 30 */
};

static const unsigned char escaped[256] = {
	['&'] = AMP, ['<'] = LESS, ['>'] = GREATER, ['"'] = QUOTE, ['\''] = APOSTROPHE,
};

static const unsigned char typeset[256] = {
	['&'] = AMP,
	['<'] = LESS,
	['>'] = GREATER,
	['"'] = QUOTE,
	['\''] = APOSTROPHE,
	[';'] = PUNCTUATION,
	['!'] = PUNCTUATION,
	['?'] = PUNCTUATION,
	[':'] = PUNCTUATION,
	[0xc2] = LATIN,
	['h'] = HOUR,
	[MATCH_START] = MARK_START,
	[MATCH_END] = MARK_END,
};

static void entity(struct html_out *out, unsigned char what)
{
	switch (what) {
	case AMP:
		RAW(out, "&amp;");
		return;
	case LESS:
		RAW(out, "&lt;");
		return;
	case GREATER:
		RAW(out, "&gt;");
		return;
	case QUOTE:
		RAW(out, "&quot;");
		return;
	default:
		RAW(out, "&#39;");
	}
}

void html_text(struct html_out *out, const char *text)
{
	const char *span = text;
	unsigned char what;

	if (text == NULL)
		return;
	for (; *text != '\0'; text++) {
		what = escaped[(unsigned char)*text];
		if (what == 0)
			continue;
		html_raw(out, span, (size_t)(text - span));
		entity(out, what);
		span = text + 1;
	}
	html_raw(out, span, (size_t)(text - span));
}

/* --- numbers --- */

static void digits(struct html_out *out, uint64_t number)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	html_raw(out, text + at, sizeof(text) - at);
}

void html_attribute_number(struct html_out *out, int64_t number)
{
	if (number < 0)
		RAW(out, "-");
	digits(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void html_attribute_count(struct html_out *out, uint64_t number)
{
	digits(out, number);
}

void html_text_number(struct html_out *out, int64_t number)
{
	char text[LOCALE_TEXT];

	if (number > -10000 && number < 10000) {
		html_attribute_number(out, number);
		return;
	}
	locale_number(out->locale, number, text);
	html_raw(out, text, strlen(text));
}

void html_text_count(struct html_out *out, uint64_t number)
{
	html_text_number(out, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

/* --- moments --- */

static void open_time(struct html_out *out, struct moment moment)
{
	char text[LOCALE_TEXT];

	locale_rfc3339(moment, text);
	RAW(out, "<time datetime=\"");
	html_raw(out, text, strlen(text));
	RAW(out, "\"");
}

void html_text_moment(struct html_out *out, struct moment moment)
{
	char text[LOCALE_TEXT];

	if (moment.us == 0)
		return;
	open_time(out, moment);
	locale_exact(out->locale, out->zone, moment, text);
	RAW(out, " title=\"");
	html_text(out, text);
	RAW(out, "\">");
	locale_relative(out->locale, out->zone, moment, out->now, text);
	html_text(out, text);
	RAW(out, "</time>");
}

void html_attribute_moment(struct html_out *out, struct moment moment)
{
	char text[LOCALE_TEXT];

	if (moment.us == 0)
		return;
	locale_rfc3339(moment, text);
	html_raw(out, text, strlen(text));
}

static void time_text(struct html_out *out, enum html_time style, struct moment moment,
		      const struct zone *zone, char text[LOCALE_TEXT])
{
	switch (style) {
	case HTML_DATE:
		locale_date(out->locale, zone, moment, text);
		return;
	case HTML_DAY:
		locale_day(out->locale, zone, moment, text);
		return;
	case HTML_EXACT:
		locale_exact(out->locale, zone, moment, text);
		return;
	case HTML_CLOCK:
		locale_clock(out->locale, zone, moment, text);
		return;
	}
}

void html_time(struct html_out *out, enum html_time style, struct moment moment,
	       const struct zone *zone)
{
	char text[LOCALE_TEXT];

	if (moment.us == 0)
		return;
	open_time(out, moment);
	RAW(out, ">");
	time_text(out, style, moment, zone, text);
	html_text(out, text);
	RAW(out, "</time>");
}

/* --- addresses --- */

/* The scheme ends at the first colon that stands before any / ? or #. */
static bool scheme_is_safe(const char *url)
{
	static const char *const safe[] = {"http:", "https:", "mailto:"};
	size_t end = strcspn(url, ":/?#");
	size_t i;

	if (url[end] != ':')
		return true;
	for (i = 0; i < sizeof(safe) / sizeof(*safe); i++)
		if (strncasecmp(url, safe[i], end + 1) == 0 && strlen(safe[i]) == end + 1)
			return true;
	return false;
}

/* Browsers drop tabs and newlines anywhere in a URL, and blanks before it. */
static bool has_control(const char *url)
{
	for (; *url != '\0'; url++)
		if ((unsigned char)*url <= ' ' || *url == 0x7f)
			return true;
	return false;
}

void html_url(struct html_out *out, const char *url)
{
	if (url == NULL)
		return;
	if (has_control(url) || !scheme_is_safe(url)) {
		RAW(out, "#");
		return;
	}
	html_text(out, url);
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void html_url_part(struct html_out *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char quoted[3] = {'%', 0, 0};
	unsigned char c;

	if (text == NULL)
		return;
	for (; *text != '\0'; text++) {
		c = (unsigned char)*text;
		if (is_unreserved(c)) {
			html_raw(out, text, 1);
			continue;
		}
		quoted[1] = hex[c >> 4];
		quoted[2] = hex[c & 15];
		html_raw(out, quoted, sizeof(quoted));
	}
}

/* --- French spacing --- */

/* One run of text being set; spans of it are copied as they stand. */
struct setting {
	struct html_out *out;
	const char *start;
	const char *span; /* not yet written */
	const char *end;
	bool markup; /* already safe: entities are kept, nothing is escaped */
	bool french;
	bool marks;
	bool plain; /* neither escaped nor markup */
};

static void flush(struct setting *s, const char *until)
{
	html_raw(s->out, s->span, (size_t)(until - s->span));
	s->span = until;
}

/* A word, a number or a closing mark, after which French puts a space before ; ! ? : */
static bool ends_a_word(const struct setting *s, const char *at)
{
	unsigned char before;

	if (at == s->start)
		return false;
	before = (unsigned char)at[-1];
	return before >= 0x80 || (before >= '0' && before <= '9') ||
	       (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z') ||
	       before == ')' || before == '"' || before == '%';
}

static bool ends_here(const struct setting *s, const char *after)
{
	return after == s->end || strchr(" \n\r\t.,;!?)\"\x02\x03", *after) != NULL;
}

/* Addresses and times keep their punctuation: https://a.fr/?q=1;2, 14:30, a@b.fr */
static bool in_an_address(const struct setting *s, const char *at)
{
	const char *least = at - s->start > 256 ? at - 256 : s->start;

	for (; at > least && at[-1] != ' ' && at[-1] != '\n'; at--)
		if (at[-1] == '/' || at[-1] == '@')
			return true;
	return false;
}

static bool is_no_break(const struct setting *s, const char *at)
{
	if (at - s->start >= 2 && memcmp(at - 2, NO_BREAK, 2) == 0)
		return true;
	return at - s->start >= 3 && memcmp(at - 3, NARROW_NO_BREAK, 3) == 0;
}

static void punctuation(struct setting *s, const char *at)
{
	bool narrow = *at != ':';
	const char *word = at;

	if (at > s->span && at[-1] == ' ') {
		word = at - 1;
		if (!narrow && !ends_here(s, at + 1))
			return;
	} else if (is_no_break(s, at) || !ends_a_word(s, at) || !ends_here(s, at + 1) ||
		   in_an_address(s, at)) {
		return;
	}

	flush(s, word);
	if (narrow)
		RAW(s->out, NARROW_NO_BREAK);
	else
		RAW(s->out, NO_BREAK);
	s->span = at;
}

/* « is C2 AB, » is C2 BB. */
static void guillemet(struct setting *s, const char *at)
{
	unsigned char second = s->end - at >= 2 ? (unsigned char)at[1] : 0;

	if (second == 0xab) {
		flush(s, at + 2);
		if (s->span < s->end && *s->span == ' ')
			s->span++;
		if (s->end - s->span < 2 || memcmp(s->span, NO_BREAK, 2) != 0)
			RAW(s->out, NO_BREAK);
	} else if (second == 0xbb && at > s->start && !is_no_break(s, at)) {
		flush(s, at > s->span && at[-1] == ' ' ? at - 1 : at);
		RAW(s->out, NO_BREAK);
		s->span = at;
	}
}

static bool is_digit(const struct setting *s, const char *at)
{
	return at >= s->start && at < s->end && *at >= '0' && *at <= '9';
}

static bool is_letter(const struct setting *s, const char *at)
{
	return at < s->end && ((unsigned char)*at >= 0x80 || isalpha((unsigned char)*at));
}

/* "17 h 30" stays on one line. */
static void hour(struct setting *s, const char *at)
{
	if (at - s->start < 2 || !is_digit(s, at - 2) || at[-1] != ' ' || at - 1 < s->span ||
	    is_letter(s, at + 1))
		return;
	flush(s, at - 1);
	RAW(s->out, NO_BREAK "h");
	s->span = at + 1;
	if (s->end - at > 2 && at[1] == ' ' && is_digit(s, at + 2)) {
		RAW(s->out, NO_BREAK);
		s->span = at + 2;
	}
}

static void mark(struct setting *s, const char *at, unsigned char what)
{
	flush(s, at);
	if (s->marks && what == MARK_START)
		RAW(s->out, "<mark>");
	else if (s->marks)
		RAW(s->out, "</mark>");
	s->span = at + 1;
}

/* An entity's own ; is no punctuation. Returns its last byte. */
static const char *skip_entity(const struct setting *s, const char *at)
{
	const char *end = at + 1;

	while (end < s->end && end - at < 12 && (*end == '#' || is_unreserved((unsigned char)*end)))
		end++;
	return end < s->end && *end == ';' ? end : at;
}

static void set(struct setting *s)
{
	const char *at;
	unsigned char what;

	s->span = s->start;
	for (at = s->start; at < s->end; at++) {
		what = typeset[(unsigned char)*at];
		if (what == 0 || at < s->span)
			continue;
		if (what == PUNCTUATION || what == LATIN) {
			if (s->french && what == PUNCTUATION)
				punctuation(s, at);
			else if (s->french)
				guillemet(s, at);
		} else if (what == HOUR) {
			if (s->french)
				hour(s, at);
		} else if (what == MARK_START || what == MARK_END) {
			mark(s, at, what);
		} else if (s->markup) {
			at = what == AMP ? skip_entity(s, at) : at;
		} else if (!s->plain) {
			flush(s, at);
			entity(s->out, what);
			s->span = at + 1;
		}
	}
	flush(s, s->end);
}

void html_typeset(struct html_out *out, const char *text, enum locale language)
{
	struct setting s = {.out = out, .start = text, .french = language == LOCALE_FR};

	if (text == NULL)
		return;
	s.end = text + strlen(text);
	set(&s);
}

void html_marked(struct html_out *out, const char *text, enum locale language)
{
	struct setting s = {
		.out = out, .start = text, .french = language == LOCALE_FR, .marks = true};

	if (text == NULL)
		return;
	s.end = text + strlen(text);
	set(&s);
}

static bool opens(const char *tag, size_t size, const char *name)
{
	size_t length = strlen(name);

	return size > length + 1 && strncasecmp(tag + 1, name, length) == 0 &&
	       strchr(" \t\n/>", tag[length + 1]) != NULL;
}

static bool closes(const char *tag, size_t size, const char *name)
{
	return size > 2 && tag[1] == '/' && opens(tag + 1, size - 1, name);
}

/* Code is what is typed, spaces and all. */
static int code_depth(const char *tag, size_t size, int depth)
{
	static const char *const verbatim[] = {"code", "pre", "kbd", "samp"};
	size_t i;

	for (i = 0; i < sizeof(verbatim) / sizeof(*verbatim); i++) {
		if (opens(tag, size, verbatim[i]))
			return depth + 1;
		if (closes(tag, size, verbatim[i]))
			return depth > 0 ? depth - 1 : 0;
	}
	return depth;
}

void html_typeset_markup(struct html_out *out, struct html markup, enum locale language)
{
	struct setting s = {.out = out, .markup = true, .french = true};
	const char *at = markup.bytes;
	const char *end = at + markup.size;
	const char *next;
	int depth = 0;

	if (markup.size == 0)
		return;
	if (language != LOCALE_FR) {
		html_markup(out, markup);
		return;
	}
	while (at < end) {
		if (*at == '<') {
			next = memchr(at, '>', (size_t)(end - at));
			next = next == NULL ? end : next + 1;
			depth = code_depth(at, (size_t)(next - at), depth);
			html_raw(out, at, (size_t)(next - at));
		} else {
			next = memchr(at, '<', (size_t)(end - at));
			next = next == NULL ? end : next;
			s.start = at;
			s.end = next;
			if (depth == 0)
				set(&s);
			else
				html_raw(out, at, (size_t)(next - at));
		}
		at = next;
	}
}

void html_language(struct html_out *out, enum locale language)
{
	const char *tag = locale_tag(language);

	if (language == out->locale)
		return;
	RAW(out, " lang=\"");
	html_raw(out, tag, strlen(tag));
	RAW(out, "\"");
}

/* --- JSON in a script element --- */

static void json_escape(struct html_out *out, unsigned char c)
{
	char text[8];
	int size = snprintf(text, sizeof(text), "\\u%04x", c);

	html_raw(out, text, (size_t)size);
}

void html_json(struct html_out *out, const char *text)
{
	const char *span = text;
	unsigned char c;

	if (text == NULL)
		return;
	for (; *text != '\0'; text++) {
		c = (unsigned char)*text;
		if (c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' &&
		    c != 0x7f)
			continue;
		html_raw(out, span, (size_t)(text - span));
		json_escape(out, c);
		span = text + 1;
	}
	html_raw(out, span, (size_t)(text - span));
}

void html_json_number(struct html_out *out, int64_t number)
{
	html_attribute_number(out, number);
}

void html_json_count(struct html_out *out, uint64_t number)
{
	digits(out, number);
}

void html_json_moment(struct html_out *out, struct moment moment)
{
	html_attribute_moment(out, moment);
}

/* --- plain text --- */

void plain_text(struct html_out *out, const char *text)
{
	if (text != NULL)
		html_raw(out, text, strlen(text));
}

void plain_number(struct html_out *out, int64_t number)
{
	html_text_number(out, number);
}

void plain_count(struct html_out *out, uint64_t number)
{
	html_text_count(out, number);
}

void plain_moment(struct html_out *out, struct moment moment)
{
	plain_time(out, HTML_EXACT, moment, out->zone);
}

void plain_typeset(struct html_out *out, const char *text, enum locale language)
{
	struct setting s = {
		.out = out, .start = text, .french = language == LOCALE_FR, .plain = true};

	if (text == NULL)
		return;
	s.end = text + strlen(text);
	set(&s);
}

void plain_time(struct html_out *out, enum html_time style, struct moment moment,
		const struct zone *zone)
{
	char text[LOCALE_TEXT];

	if (moment.us == 0)
		return;
	time_text(out, style, moment, zone, text);
	plain_text(out, text);
}

/* --- messages with values in them --- */

static void format_value(struct html_out *out, enum html_place place,
			 const struct html_value *value)
{
	switch (value->kind) {
	case HTML_VALUE_TEXT:
		if (place == HTML_IN_PLAIN)
			plain_text(out, value->text);
		else
			html_text(out, value->text);
		return;
	case HTML_VALUE_NUMBER:
		html_text_number(out, value->number);
		return;
	case HTML_VALUE_COUNT:
		html_text_count(out, value->count);
		return;
	case HTML_VALUE_MARKUP:
		html_markup(out, value->markup);
		return;
	case HTML_VALUE_MOMENT:
		if (place == HTML_IN_TEXT)
			html_text_moment(out, value->moment);
		else
			plain_moment(out, value->moment);
		return;
	}
}

/* Reads what follows a percent sign: "s", "d" or "2$s". NULL when it is neither. */
static const char *directive(const char *at, size_t *next, size_t *index)
{
	*index = *next;
	if (*at >= '1' && *at <= '9' && at[1] == '$') {
		*index = (size_t)(*at - '1');
		at += 2;
	} else {
		(*next)++;
	}
	return *at == 's' || *at == 'd' ? at + 1 : NULL;
}

static void words(struct html_out *out, enum html_place place, const char *text, size_t size)
{
	size_t i;

	if (place == HTML_IN_PLAIN) {
		html_raw(out, text, size);
		return;
	}
	for (i = 0; i < size; i++) {
		if (escaped[(unsigned char)text[i]] != 0)
			entity(out, escaped[(unsigned char)text[i]]);
		else
			html_raw(out, text + i, 1);
	}
}

void html_format(struct html_out *out, enum html_place place, const char *format,
		 const struct html_value *values, size_t n_values)
{
	const char *percent;
	const char *after;
	size_t next = 0;
	size_t index;

	while ((percent = strchr(format, '%')) != NULL) {
		words(out, place, format, (size_t)(percent - format));
		if (percent[1] == '%') {
			RAW(out, "%");
			format = percent + 2;
			continue;
		}
		/* The catalogue compiler has checked every message against its values. */
		after = directive(percent + 1, &next, &index);
		assert(after != NULL && index < n_values);
		format_value(out, place, &values[index]);
		format = after;
	}
	words(out, place, format, strlen(format));
}
