/*
 * analyser.c - splits a text into words and looks each up, analysing only new ones.
 */
#include "related/analyser.h"

#include <assert.h>
#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <uninorm.h>
#include <unistr.h>

#include "related/dictionary.h"
#include "related/links.h"
#include "related/memory.h"
#include "related/word.h"

/* Stands before the folded label of an expertise: no word begins with it. */
#define LABEL_MARK '\x01'

struct analyser {
	struct dictionary *dictionary;
	struct sb_stemmer *stemmer;
};

struct analyser *analyser_new(struct dictionary *dictionary)
{
	struct analyser *a = MEMORY_NEW(struct analyser, 1);

	a->dictionary = dictionary;
	a->stemmer = sb_stemmer_new("french", "UTF_8");
	assert(a->stemmer != NULL);
	return a;
}

void analyser_free(struct analyser *a)
{
	if (a == NULL)
		return;
	sb_stemmer_delete(a->stemmer);
	free(a);
}

void terms_free(struct terms *terms)
{
	free(terms->at);
	*terms = (struct terms){0};
}

/* Analyses a word for the first time. */
static uint32_t stem_term(struct analyser *a, const char *word, size_t size, bool learn)
{
	char stem[STEM_BYTES];
	size_t length = word_stem(a->stemmer, word, size, stem);
	uint32_t term = 0;

	if (length == 0)
		return TERM_STOP;
	if (learn)
		return dictionary_add_term(a->dictionary, stem, length);
	term = dictionary_find_term(a->dictionary, stem, length);
	return term == SLOTS_NONE ? TERM_NONE : term;
}

static uint32_t learn_word(struct analyser *a, const char *word, size_t size)
{
	uint32_t surface = dictionary_find_surface(a->dictionary, word, size);

	if (surface == SLOTS_NONE)
		surface = dictionary_add_surface(a->dictionary, word, size,
						 stem_term(a, word, size, true));
	return surface == SLOTS_NONE ? TERM_NONE : dictionary_read(a->dictionary, surface);
}

static uint32_t look_up_word(struct analyser *a, const char *word, size_t size)
{
	uint32_t surface = dictionary_find_surface(a->dictionary, word, size);

	return surface == SLOTS_NONE ? stem_term(a, word, size, false)
				     : a->dictionary->surfaces[surface].term;
}

static void read_word(struct analyser *a, const char *word, size_t size, bool learn,
		      struct terms *terms)
{
	uint32_t term = TERM_NONE;

	if (size == 0 || size > WORD_BYTES)
		return;

	term = learn ? learn_word(a, word, size) : look_up_word(a, word, size);
	if (term == TERM_STOP || term == TERM_NONE)
		return;
	MEMORY_GROW(terms->at, terms->room, terms->count + 1);
	terms->at[terms->count++] = term;
}

/* Length of the character at p; *inside: does it belong to a word? Broken bytes do not. */
static size_t step(const char *p, size_t left, bool *inside)
{
	ucs4_t character = 0;
	int length = 0;

	if ((unsigned char)*p < 0x80) {
		*inside = word_character((unsigned char)*p);
		return 1;
	}
	length = u8_mbtoucr(&character, (const uint8_t *)p, left);
	*inside = length > 0 && word_character(character);
	return length > 0 ? (size_t)length : 1;
}

static void read_words(struct analyser *a, const char *text, size_t size, bool learn,
		       struct terms *terms)
{
	size_t start = 0, at = 0;

	while (at < size) {
		bool inside = false;
		size_t length = step(text + at, size - at, &inside);

		if (!inside) {
			read_word(a, text + start, at - start, learn, terms);
			if (text[at] == '/' && links_path(text + at, size - at) > 0)
				length = links_path(text + at, size - at);
			start = at + length;
		}
		at += length;
	}
	read_word(a, text + start, at - start, learn, terms);
}

/*
 * Below U+0300 every character is its own NFC, whatever surrounds it; typographic
 * apostrophes, dashes and spaces (U+2000 to U+20FF) only separate words.
 */
static bool surely_nfc(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == 0xe2 && i + 2 < size && ((unsigned char)text[i + 1] & 0xfc) == 0x80)
			i += 2;
		else if (byte >= 0xcc)
			return false;
	}
	return true;
}

void analyser_read(struct analyser *a, const char *text, bool learn, struct terms *terms)
{
	size_t size = text == NULL ? 0 : strnlen(text, TEXT_BYTES), normal_size = 0;
	uint8_t *normal = NULL;

	if (size == 0)
		return;
	if (!surely_nfc(text, size))
		normal = u8_normalize(UNINORM_NFC, (const uint8_t *)text, size, NULL, &normal_size);

	/* NULL too where libunistring met broken bytes: then word by word as it stands. */
	if (normal != NULL)
		read_words(a, (const char *)normal, normal_size, learn, terms);
	else
		read_words(a, text, size, learn, terms);
	free(normal);
}

static size_t label_stem(const char *label, size_t size, char stem[STEM_BYTES + 1])
{
	size_t length = size > LABEL_BYTES / 2 ? 0 : word_fold(label, size, stem + 1);

	stem[0] = LABEL_MARK;
	return length == 0 ? 0 : length + 1;
}

uint32_t analyser_label(struct analyser *a, const char *label, bool learn)
{
	struct dictionary *d = a->dictionary;
	char stem[STEM_BYTES + 1], written[LABEL_BYTES + 1];
	size_t size = label == NULL ? 0 : strnlen(label, LABEL_BYTES);
	size_t length = size == 0 ? 0 : label_stem(label, size, stem);
	uint32_t term = TERM_NONE, surface = SLOTS_NONE;

	if (length == 0)
		return TERM_NONE;
	if (!learn) {
		term = dictionary_find_term(d, stem, length);
		return term == SLOTS_NONE ? TERM_NONE : term;
	}

	term = dictionary_add_term(d, stem, length);
	written[0] = LABEL_MARK;
	memcpy(written + 1, label, size);
	surface = dictionary_find_surface(d, written, size + 1);
	if (surface == SLOTS_NONE)
		surface = dictionary_add_surface(d, written, size + 1, term);
	if (surface != SLOTS_NONE)
		(void)dictionary_read(d, surface);
	return term;
}

bool analyser_is_label(const struct analyser *a, uint32_t term)
{
	return a->dictionary->pool[a->dictionary->terms[term].stem + 1] == LABEL_MARK;
}
