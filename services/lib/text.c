/*
 * text.c - normalises, counts, folds and cuts what people write.
 *
 * Characters are read with libunistring and written through one growing buffer;
 * nothing here knows a code point that a standard does not name.
 */
#include "lib/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "lib/arena.h"

#define SLUG_LIMIT 100 /* bytes; what is left of a long title is enough to recognise it */

struct written {
	struct arena *arena;
	uint8_t *bytes;
	size_t size, capacity;
};

static struct written start_writing(struct arena *arena, size_t expected)
{
	return (struct written){arena, arena_alloc(arena, expected + 1), 0, expected};
}

static void make_room(struct written *w, size_t size)
{
	uint8_t *larger;

	if (w->capacity - w->size >= size)
		return;
	w->capacity = (w->size + size) * 2;
	larger = arena_alloc(w->arena, w->capacity + 1);
	memcpy(larger, w->bytes, w->size);
	w->bytes = larger;
}

static void put(struct written *w, ucs4_t character)
{
	int length;

	make_room(w, 6);
	length = u8_uctomb(w->bytes + w->size, character, 6);
	assert(length > 0);
	w->size += (size_t)length;
}

static void put_text(struct written *w, const char *text)
{
	const size_t length = strlen(text);

	make_room(w, length);
	memcpy(w->bytes + w->size, text, length);
	w->size += length;
}

static char *finish_writing(struct written *w)
{
	w->bytes[w->size] = '\0';
	return (char *)w->bytes;
}

/* One character, and the text moves behind it; 0 at the end. */
static ucs4_t take(const uint8_t **text)
{
	ucs4_t character;

	if (**text == '\0')
		return 0;
	*text = u8_next(&character, *text);
	return character;
}

static const uint8_t *bytes_of(const char *text)
{
	return (const uint8_t *)text;
}

bool text_is_utf8(const char *bytes, size_t size)
{
	return memchr(bytes, '\0', size) == NULL && u8_check((const uint8_t *)bytes, size) == NULL;
}

static bool is_utf8(const char *text)
{
	return u8_check(bytes_of(text), strlen(text)) == NULL;
}

size_t text_length(const char *text)
{
	return u8_mbsnlen(bytes_of(text), strlen(text));
}

/* libunistring's results are malloc'ed; out of memory ends the process, as in arenas. */
static char *keep(struct arena *arena, uint8_t *bytes, size_t size)
{
	char *kept;

	if (bytes == NULL)
		abort();
	kept = arena_copy(arena, bytes, size);
	free(bytes);
	return kept;
}

static char *normalize(struct arena *arena, uninorm_t form, const char *text)
{
	size_t size;
	uint8_t *result = u8_normalize(form, bytes_of(text), strlen(text) + 1, NULL, &size);

	return keep(arena, result, size);
}

char *text_nfc(struct arena *arena, const char *text)
{
	return is_utf8(text) ? normalize(arena, UNINORM_NFC, text) : NULL;
}

static char *fold(struct arena *arena, uninorm_t form, const char *text)
{
	size_t size;
	uint8_t *result = u8_casefold(bytes_of(text), strlen(text) + 1, NULL, form, NULL, &size);

	return keep(arena, result, size);
}

char *text_fold(struct arena *arena, const char *text)
{
	return is_utf8(text) ? fold(arena, UNINORM_NFC, text) : NULL;
}

/* Reorders what stands around it, or cannot be seen at all. ZWJ and ZWNJ stay: emoji, Persian. */
static bool is_treacherous(ucs4_t c)
{
	return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200B ||
	       c == 0x2060 || c == 0xFEFF || c == 0x061C || c == 0x200E || c == 0x200F ||
	       (c >= 0xE0000 && c <= 0xE007F) || c == 0xE000 || c == 0xE001;
}

static bool is_line_end(ucs4_t c)
{
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool is_dropped(ucs4_t c)
{
	return is_treacherous(c) ||
	       (uc_is_general_category(c, UC_CONTROL) && c != '\t' && c != '\n');
}

/* A no-break space is typography, which is added at display. */
static ucs4_t as_plain_space(ucs4_t c)
{
	return c == 0xA0 || c == 0x202F ? ' ' : c;
}

char *text_line(struct arena *arena, const char *text)
{
	const char *normal = text_nfc(arena, text);
	struct written w;
	const uint8_t *at;
	ucs4_t c;
	bool gap = false;

	if (normal == NULL)
		return NULL;
	w = start_writing(arena, strlen(normal));
	at = bytes_of(normal);
	while ((c = take(&at)) != 0) {
		if (uc_is_property_white_space(c)) {
			gap = w.size > 0;
			continue;
		}
		if (is_dropped(c))
			continue;
		if (gap)
			put(&w, ' ');
		gap = false;
		put(&w, c);
	}
	return text_nfc(arena, finish_writing(&w));
}

static void trim_end(struct written *w)
{
	while (w->size > 0 && strchr(" \t\n", w->bytes[w->size - 1]) != NULL)
		w->size--;
}

/* Indentation of the first line is kept: it may be code. */
static const char *without_empty_first_lines(const char *text)
{
	const char *line = text;

	for (const char *at = text; *at == ' ' || *at == '\t' || *at == '\n'; at++)
		if (*at == '\n')
			line = at + 1;
	return line;
}

char *text_body(struct arena *arena, const char *text)
{
	const char *normal = text_nfc(arena, text);
	struct written w;
	const uint8_t *at;
	ucs4_t c;

	if (normal == NULL)
		return NULL;
	w = start_writing(arena, strlen(normal));
	at = bytes_of(normal);
	while ((c = take(&at)) != 0) {
		if (c == '\r' && *at == '\n')
			continue;
		if (is_line_end(c))
			c = '\n';
		if (!is_dropped(c))
			put(&w, as_plain_space(c));
	}
	trim_end(&w);
	return text_nfc(arena, without_empty_first_lines(finish_writing(&w)));
}

/* Latin letters that no decomposition takes apart, as French and its neighbours spell them out. */
static const char *spelled_out(ucs4_t c)
{
	switch (c) {
	case 0x0153: /* œ */
		return "oe";
	case 0x00E6: /* æ */
		return "ae";
	case 0x00F8: /* ø */
		return "o";
	case 0x0142: /* ł */
		return "l";
	case 0x0111: /* đ */
	case 0x00F0: /* ð */
		return "d";
	case 0x00FE: /* þ */
		return "th";
	case 0x0131: /* ı */
		return "i";
	default:
		return NULL;
	}
}

char *text_plain_fold(struct arena *arena, const char *text)
{
	const char *apart;
	struct written w;
	const uint8_t *at;
	ucs4_t c;

	if (!is_utf8(text))
		return NULL;
	apart = fold(arena, UNINORM_NFKD, text);
	w = start_writing(arena, strlen(apart));
	at = bytes_of(apart);
	while ((c = take(&at)) != 0) {
		if (uc_is_general_category(c, UC_NON_SPACING_MARK))
			continue;
		if (spelled_out(c) != NULL)
			put_text(&w, spelled_out(c));
		else
			put(&w, c);
	}
	return finish_writing(&w);
}

static void cut_at_word(struct written *w, size_t limit)
{
	if (w->size <= limit)
		return;
	w->size = limit + 1; /* the limit may fall right behind a word */
	while (w->size > 0 && w->bytes[w->size - 1] != '-')
		w->size--;
	if (w->size > 0)
		w->size--;
	else
		w->size = limit;
}

char *text_slug(struct arena *arena, const char *title)
{
	const char *plain = text_plain_fold(arena, title);
	struct written w;

	if (plain == NULL)
		return NULL;
	w = start_writing(arena, strlen(plain) * 2);
	for (bool gap = false; *plain != '\0'; plain++) {
		const bool kept =
			(*plain >= 'a' && *plain <= 'z') || (*plain >= '0' && *plain <= '9');

		if ((kept && gap && w.size > 0) || (*plain == '&' && w.size > 0))
			put(&w, '-');
		gap = !kept;
		if (kept)
			put(&w, (ucs4_t)*plain);
		else if (*plain == '&')
			put_text(&w, "et");
	}
	cut_at_word(&w, SLUG_LIMIT);
	if (w.size == 0)
		put_text(&w, "sujet");
	return finish_writing(&w);
}

/* --- sentences --- */

static bool ends_sentence(ucs4_t c)
{
	return c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x3002;
}

static bool closes(ucs4_t c)
{
	return c == 0xBB || c == 0x201D || c == ')' || c == '"';
}

/* "M. Dupont", "p. 12": one letter before the point is an abbreviation. */
static bool is_abbreviation(ucs4_t before_previous, ucs4_t previous)
{
	return uc_is_alpha(previous) && !uc_is_alpha(before_previous);
}

struct cut {
	const uint8_t *sentence, *word; /* where the text may end */
	size_t in_sentence;             /* characters up to there */
	bool whole;                     /* all of it fits */
};

static bool closes_next(const uint8_t *at)
{
	return closes(take(&at));
}

static struct cut find_cut(const uint8_t *text, size_t at_most)
{
	struct cut cut = {.sentence = text, .word = text};
	const uint8_t *at = text, *before;
	ucs4_t previous = 0, earlier = 0, c;
	size_t count = 0;
	bool ended = false; /* nothing but closing quotes since the last point */

	for (; before = at, (c = take(&at)) != 0; count++, earlier = previous, previous = c) {
		if (count > at_most)
			return cut;
		if (c == ' ') {
			cut.word = before;
			if (ended && !closes_next(at)) {
				cut.sentence = before;
				cut.in_sentence = count;
				ended = false;
			}
		} else if (ends_sentence(c)) {
			ended = c != '.' || !is_abbreviation(earlier, previous);
		} else if (!closes(c)) {
			ended = false;
		}
	}
	cut.whole = count <= at_most;
	return cut;
}

char *text_first_sentences(struct arena *arena, const char *text, size_t at_most)
{
	const char *line = text_line(arena, text);
	struct cut cut;
	const uint8_t *start = bytes_of(line);

	if (line == NULL)
		return NULL;
	cut = find_cut(start, at_most);
	if (cut.whole)
		return arena_strdup(arena, line);
	if (cut.in_sentence * 2 >= at_most)
		return arena_copy(arena, line, (size_t)(cut.sentence - start));
	if (cut.word > start)
		return arena_printf(arena, "%.*s…", (int)(cut.word - start), line);
	cut.word = start;
	for (size_t i = 0; i + 1 < at_most; i++)
		take(&cut.word);
	return arena_printf(arena, "%.*s…", (int)(cut.word - start), line);
}
