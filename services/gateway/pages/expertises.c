/*
 * expertises.c - a line of words and a list of slugs, one from the other.
 */
#include "gateway/pages/expertises.h"

#include <string.h>

#include "gateway/pages/fill.h"
#include "lib/arena.h"
#include "lib/text.h"

char **expertises_typed(struct arena *arena, const char *text, size_t *n)
{
	char **words = ARENA_ARRAY(arena, char *, EXPERTISES_TYPED_MAX);

	*n = 0;
	while (*text != '\0' && *n < EXPERTISES_TYPED_MAX) {
		const size_t length = strcspn(text, ",;\n");
		char *word = text_line(arena, arena_strndup(arena, text, length));

		if (*word != '\0')
			words[(*n)++] = word;
		text += length + (text[length] != '\0');
	}
	return words;
}

static bool names(struct arena *arena, const Causerie__Term *term, const char *folded)
{
	return strcmp(folded, term->slug) == 0 ||
	       strcmp(folded, text_plain_fold(arena, term->label_fr)) == 0 ||
	       strcmp(folded, text_plain_fold(arena, term->label_en)) == 0;
}

void expertises_as_slugs(struct arena *arena, const Causerie__Taxonomies *known, char **words,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *folded = text_plain_fold(arena, words[i]);

		for (size_t j = 0; j < known->n_expertises; j++)
			if (names(arena, known->expertises[j], folded)) {
				words[i] = arena_strdup(arena, known->expertises[j]->slug);
				break;
			}
	}
}

const char *expertises_as_text(struct arena *arena, const Causerie__Taxonomies *known,
			       char *const *slugs, size_t n, enum locale locale)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(
			arena, "%s%s%s", text, i > 0 ? ", " : "",
			term_label(known->expertises, known->n_expertises, slugs[i], locale));
	return text;
}
