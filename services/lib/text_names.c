/*
 * text_names.c - which names may be shown, and which look the same.
 *
 * A name stands beside what somebody says, so taking another's name is taking
 * their place. One script per name (UTS 39) stops "pаypal" with one Cyrillic
 * letter; the skeleton stops names written wholly in look-alikes. The table
 * holds the letters of Cyrillic and Greek whose usual shape is a Latin one, and
 * the digits and letters that people mistake: from Unicode's confusables.txt,
 * the part that reads as Latin after case folding.
 */
#include "lib/text.h"

#include <stdint.h>
#include <string.h>

#include <unictype.h>
#include <unistr.h>

#include "lib/arena.h"

#define MARKS_LIMIT 2 /* Vietnamese stacks two marks; more is an attack on the line above */

static const struct look_alike {
	ucs4_t character;
	char latin;
} look_alikes[] = {
	/* digits and letters */
	{'0', 'o'},
	{'1', 'l'},
	{'i', 'l'},
	{'|', 'l'},
	{'5', 's'},
	/* Cyrillic */
	{0x0430, 'a'},
	{0x0435, 'e'},
	{0x043E, 'o'},
	{0x0440, 'p'},
	{0x0441, 'c'},
	{0x0443, 'y'},
	{0x0445, 'x'},
	{0x0455, 's'},
	{0x0456, 'l'},
	{0x0458, 'j'},
	{0x04BB, 'h'},
	{0x0501, 'd'},
	{0x051B, 'q'},
	{0x051D, 'w'},
	{0x043A, 'k'},
	{0x043C, 'm'},
	{0x043D, 'h'},
	{0x0442, 't'},
	{0x0432, 'b'},
	{0x04CF, 'l'},
	{0x0433, 'r'},
	{0x044C, 'b'},
	/* Greek */
	{0x03B1, 'a'},
	{0x03B2, 'b'},
	{0x03B5, 'e'},
	{0x03B6, 'z'},
	{0x03B7, 'n'},
	{0x03B9, 'l'},
	{0x03BA, 'k'},
	{0x03BC, 'm'},
	{0x03BD, 'v'},
	{0x03BF, 'o'},
	{0x03C1, 'p'},
	{0x03C3, 'o'},
	{0x03C4, 't'},
	{0x03C5, 'u'},
	{0x03C7, 'x'},
	{0x03F3, 'j'},
	{0x03F2, 'c'},
};

static char latin_of(ucs4_t character)
{
	for (size_t i = 0; i < sizeof look_alikes / sizeof *look_alikes; i++)
		if (look_alikes[i].character == character)
			return look_alikes[i].latin;
	return '\0';
}

static bool is_visible(ucs4_t c)
{
	return !uc_is_general_category(c, UC_OTHER) &&
	       !uc_is_general_category(c, UC_LINE_SEPARATOR) &&
	       !uc_is_general_category(c, UC_PARAGRAPH_SEPARATOR) &&
	       !uc_is_property_default_ignorable_code_point(c) &&
	       (c == ' ' || !uc_is_property_white_space(c));
}

/* Scripts that are written together count as one. */
enum family { FAMILY_NONE, FAMILY_HAN, FAMILY_JAPANESE, FAMILY_KOREAN, FAMILY_OTHER };

static enum family family_of(const char *script)
{
	if (strcmp(script, "Han") == 0)
		return FAMILY_HAN;
	if (strcmp(script, "Hiragana") == 0 || strcmp(script, "Katakana") == 0)
		return FAMILY_JAPANESE;
	return strcmp(script, "Hangul") == 0 ? FAMILY_KOREAN : FAMILY_OTHER;
}

struct script_so_far {
	const uc_script_t *script;
	enum family family;
};

static bool stays_in_script(struct script_so_far *so_far, ucs4_t c)
{
	const uc_script_t *script = uc_script(c);
	enum family family;

	if (script == NULL || strcmp(script->name, "Common") == 0 ||
	    strcmp(script->name, "Inherited") == 0)
		return true;
	family = family_of(script->name);
	if (so_far->script == NULL || so_far->script == script) {
		so_far->script = script;
		if (so_far->family == FAMILY_NONE || so_far->family == FAMILY_HAN)
			so_far->family = family;
		return true;
	}
	if (family == FAMILY_OTHER || so_far->family == FAMILY_OTHER)
		return false;
	if (family != FAMILY_HAN && so_far->family != FAMILY_HAN && family != so_far->family)
		return false;
	if (family != FAMILY_HAN)
		so_far->family = family;
	return true;
}

bool text_is_name(const char *name)
{
	const uint8_t *at = (const uint8_t *)name;
	struct script_so_far so_far = {0};
	unsigned marks = 0;
	bool letters = false;
	ucs4_t c;

	if (u8_check(at, strlen(name)) != NULL)
		return false;
	while (*at != '\0') {
		at = u8_next(&c, at);
		marks = uc_is_general_category(c, UC_MARK) ? marks + 1 : 0;
		letters = letters || uc_is_general_category(c, UC_LETTER);
		if (!is_visible(c) || marks > MARKS_LIMIT || !stays_in_script(&so_far, c))
			return false;
	}
	return letters;
}

/* Accents stay: Rémi is not Remi. What separates words does not count. */
char *text_name_skeleton(struct arena *arena, const char *name)
{
	const char *folded = text_fold(arena, name);
	const uint8_t *at = (const uint8_t *)folded;
	uint8_t *skeleton, *end;
	ucs4_t c;

	if (folded == NULL)
		return NULL;
	end = skeleton = arena_alloc(arena, strlen(folded) + 1);
	while (*at != '\0') {
		at = u8_next(&c, at);
		if (latin_of(c) != '\0')
			*end++ = (uint8_t)latin_of(c);
		else if (is_visible(c) && c != ' ' && c != '-' && c != '.' && c != '_' &&
			 c != 0x2019 && c != '\'')
			end += u8_uctomb(end, c, 4);
	}
	*end = '\0';
	return (char *)skeleton;
}
