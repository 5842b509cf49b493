/*
 * analyser.c - splits a text into words and looks each up, analysing only new ones.
 */
#include "related/analyser.h"

#include <assert.h>
#include <endian.h>
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
	free(terms->spare);
	*terms = (struct terms){0};
}

/*
 * A text on its way to terms. Familiar words are found at once; the others wait until there are
 * enough to be looked up together.
 */
struct reading {
	struct analyser *analyser;
	enum learning learning;
	struct terms *terms;
	struct word words[WORDS_TOGETHER];
	uint32_t count;
};

/* Analyses a word for the first time. */
static uint32_t stem_term(struct analyser *a, const struct word *word, enum learning learning)
{
	char stem[STEM_BYTES];
	size_t length = word_stem(a->stemmer, word->bytes, word->size, stem);
	uint32_t term = 0;

	if (length == 0)
		return TERM_STOP;
	if (learning != LEARN_NOTHING)
		return dictionary_add_term(a->dictionary, stem, length);
	term = dictionary_find_term(a->dictionary, stem, length);
	return term == SLOTS_NONE ? TERM_NONE : term;
}

static uint32_t look_up(struct analyser *a, const struct word *word, enum learning learning)
{
	struct dictionary *d = a->dictionary;
	uint32_t surface = dictionary_find_surface(d, word);

	if (surface == SLOTS_NONE) {
		uint32_t term = stem_term(a, word, learning);

		if (learning == LEARN_NOTHING)
			return term;
		surface = dictionary_add_surface(d, word, term);
	}
	if (surface == SLOTS_NONE)
		return TERM_NONE;
	dictionary_remember(d, word, surface);
	if (learning == LEARN_FORMS)
		dictionary_read(d, surface);
	return d->surfaces[surface].term;
}

static void add_term(struct terms *terms, uint32_t term)
{
	if (term == TERM_STOP || term == TERM_NONE)
		return;
	MEMORY_GROW(terms->at, terms->room, terms->count + 1);
	terms->at[terms->count++] = term;
}

static void look_up_words(struct reading *r)
{
	dictionary_prefetch(r->analyser->dictionary, r->words, r->count);
	for (uint32_t i = 0; i < r->count; i++)
		add_term(r->terms, look_up(r->analyser, &r->words[i], r->learning));
	r->count = 0;
}

static void read_word(struct reading *r, const char *bytes, size_t size)
{
	struct dictionary *d = r->analyser->dictionary;
	const struct word word = dictionary_word(d, bytes, size);
	const struct familiar *familiar = dictionary_familiar(d, &word);

	if (familiar != NULL) {
		if (r->learning == LEARN_FORMS && familiar->term < d->n_terms)
			dictionary_read(d, familiar->surface);
		add_term(r->terms, familiar->term);
		return;
	}
	r->words[r->count++] = word;
	if (r->count == WORDS_TOGETHER)
		look_up_words(r);
}

static inline uint64_t eight_bytes(const char *p)
{
	uint64_t bytes = 0;

	memcpy(&bytes, p, sizeof bytes);
	return le64toh(bytes); /* the first is the lowest */
}

/* Length of the character at p; *inside: does it belong to a word? Broken bytes do not. */
static inline size_t step(const char *p, size_t left, bool *inside)
{
	ucs4_t character = 0;
	int length = 0;

	if ((unsigned char)*p < 0x80) {
		*inside = word_character_ascii((unsigned char)*p);
		return 1;
	}
	length = u8_mbtoucr(&character, (const uint8_t *)p, left);
	*inside = length > 0 && word_character(character);
	return length > 0 ? (size_t)length : 1;
}

/* How many bytes at p are ASCII letters and digits for sure, looked at by eights. */
static inline size_t plain_bytes(const char *p, size_t left)
{
	size_t at = 0;

	for (; left - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
		uint64_t others = word_ends_ascii(eight_bytes(p + at));

		if (others != 0)
			return at + (size_t)__builtin_ctzll(others) / 8;
	}
	return at;
}

static size_t word_size(const char *p, size_t left)
{
	size_t at = plain_bytes(p, left);
	bool inside = true;

	while (at < left) {
		size_t length = step(p + at, left - at, &inside);

		if (!inside)
			break;
		at += length;
		at += plain_bytes(p + at, left - at);
	}
	return at;
}

/* Where no word begins: how far it is to where one may. */
static size_t gap_size(const char *p, size_t left)
{
	size_t path = *p == '/' ? links_path(p, left) : 0;
	bool inside = false;

	return path > 0 ? path : step(p, left, &inside);
}

static void read_words(struct reading *r, const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t length = word_size(text + at, size - at);

		if (length > 0 && length <= WORD_BYTES)
			read_word(r, text + at, length);
		at += length;
		if (at < size)
			at += gap_size(text + at, size - at);
	}
	look_up_words(r);
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
		while (size - i > 8 && word_all_ascii(eight_bytes(text + i + 1)))
			i += 8;
	}
	return true;
}

void analyser_read(struct analyser *a, const char *text, enum learning learning,
		   struct terms *terms)
{
	struct reading reading = {.analyser = a, .learning = learning, .terms = terms};
	size_t size = text == NULL ? 0 : strnlen(text, TEXT_BYTES), normal_size = 0;
	uint8_t *normal = NULL;

	if (size == 0)
		return;
	if (!surely_nfc(text, size))
		normal = u8_normalize(UNINORM_NFC, (const uint8_t *)text, size, NULL, &normal_size);

	/* NULL too where libunistring met broken bytes: then word by word as it stands. */
	if (normal != NULL)
		read_words(&reading, (const char *)normal, normal_size);
	else
		read_words(&reading, text, size);
	free(normal);
}

static size_t label_stem(const char *label, size_t size, char stem[STEM_BYTES + 1])
{
	size_t length = size > LABEL_BYTES / 2 ? 0 : word_fold(label, size, stem + 1);

	stem[0] = LABEL_MARK;
	return length == 0 ? 0 : length + 1;
}

uint32_t analyser_label(struct analyser *a, const char *label, enum learning learning)
{
	struct dictionary *d = a->dictionary;
	char stem[STEM_BYTES + 1], written[LABEL_BYTES + 1];
	size_t size = label == NULL ? 0 : strnlen(label, LABEL_BYTES);
	size_t length = size == 0 ? 0 : label_stem(label, size, stem);
	uint32_t term = TERM_NONE, surface = SLOTS_NONE;
	struct word word;

	if (length == 0)
		return TERM_NONE;
	if (learning == LEARN_NOTHING) {
		term = dictionary_find_term(d, stem, length);
		return term == SLOTS_NONE ? TERM_NONE : term;
	}

	term = dictionary_add_term(d, stem, length);
	written[0] = LABEL_MARK;
	memcpy(written + 1, label, size);
	word = dictionary_word(d, written, size + 1);
	surface = dictionary_find_surface(d, &word);
	if (surface == SLOTS_NONE)
		surface = dictionary_add_surface(d, &word, term);
	if (surface != SLOTS_NONE && learning == LEARN_FORMS)
		dictionary_read(d, surface);
	return term;
}

bool analyser_is_label(const struct analyser *a, uint32_t term)
{
	return a->dictionary->pool[a->dictionary->terms[term].stem + 1] == LABEL_MARK;
}
