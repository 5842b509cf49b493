/*
 * word.c - case folding, stop list, stemming and accent folding of one word.
 */
#include "related/word.h"

#include <libstemmer.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "related/stopwords.h"

enum { FOLDED_CHARACTERS = STEM_BYTES };

static const struct {
	ucs4_t from;
	char to[3];
} ligatures[] = {
	{0x153, "oe"}, {0xe6, "ae"}, {0xdf, "ss"}, {0xf8, "o"}, {0x142, "l"}, {0x111, "d"},
};

bool word_character(uint32_t character)
{
	if (character < 0x80)
		return word_character_ascii((unsigned char)character);
	if (character >= 0xc0 && character < 0x250)
		return character != 0xd7 && character != 0xf7;
	return uc_is_general_category_withtable(character, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
								   UC_CATEGORY_MASK_N);
}

static bool ascii(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] >= 0x80)
			return false;
	return true;
}

static size_t lower(const char *word, size_t size, char out[STEM_BYTES])
{
	size_t length = STEM_BYTES;

	if (!ascii(word, size)) {
		if (u8_casefold((const uint8_t *)word, size, NULL, UNINORM_NFC, (uint8_t *)out,
				&length) != (uint8_t *)out)
			return 0;
		return length;
	}
	for (size_t i = 0; i < size; i++)
		out[i] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] + 32 : word[i]);
	return size;
}

static const char *ligature(ucs4_t character)
{
	for (size_t i = 0; i < sizeof ligatures / sizeof *ligatures; i++)
		if (ligatures[i].from == character)
			return ligatures[i].to;
	return NULL;
}

/* Letters without their marks. in and out may not overlap. */
static size_t fold(const char *in, size_t size, char out[STEM_BYTES])
{
	ucs4_t parts[FOLDED_CHARACTERS];
	size_t n = 0, used = 0;
	uint8_t decomposed[STEM_BYTES * 3];
	size_t room = sizeof decomposed;

	if (ascii(in, size)) {
		memcpy(out, in, size);
		return size;
	}
	if (u8_normalize(UNINORM_NFD, (const uint8_t *)in, size, decomposed, &room) != decomposed)
		return 0;
	n = FOLDED_CHARACTERS;
	if (u8_to_u32(decomposed, room, parts, &n) != parts)
		return 0;
	for (size_t i = 0; i < n && used + 8 < STEM_BYTES; i++) {
		const char *letters = ligature(parts[i]);

		if (letters != NULL) {
			memcpy(out + used, letters, strlen(letters));
			used += strlen(letters);
		} else if (!uc_is_general_category_withtable(parts[i], UC_CATEGORY_MASK_M)) {
			used += (size_t)u8_uctomb((uint8_t *)out + used, parts[i],
						  (ptrdiff_t)(STEM_BYTES - used));
		}
	}
	return used;
}

size_t word_stem(struct sb_stemmer *stemmer, const char *word, size_t size, char stem[STEM_BYTES])
{
	char lowered[STEM_BYTES], folded[STEM_BYTES];
	size_t length = lower(word, size, lowered);
	size_t folded_length = fold(lowered, length, folded);
	const sb_symbol *stemmed = NULL;

	if (length == 0 || folded_length == 0 || stopword(folded, folded_length))
		return 0;

	stemmed = sb_stemmer_stem(stemmer, (const sb_symbol *)lowered, (int)length);
	if (stemmed == NULL)
		return 0;
	return fold((const char *)stemmed, (size_t)sb_stemmer_length(stemmer), stem);
}

size_t word_fold(const char *text, size_t size, char folded[STEM_BYTES])
{
	char lowered[STEM_BYTES];

	return fold(lowered, lower(text, size, lowered), folded);
}
