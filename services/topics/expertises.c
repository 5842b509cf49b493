/*
 * expertises.c - what a member typed, as slugs of the site's list.
 *
 * "Vélo", "velo" and a synonym are the same expertise; a word that is none is
 * named, so that the form can say which. Duplicates become one.
 */
#include "topics.h"

#include <string.h>

#include "lib/text.h"

void resolve_expertises(struct task *task, struct expertises *e, char *const *words, size_t n)
{
	char **folded = ARENA_ARRAY(&task->arena, char *, n);

	for (size_t i = 0; i < n; i++) {
		char *line = text_line(&task->arena, words[i]);

		folded[i] = line ? text_plain_fold(&task->arena, line) : words[i];
	}
	SQL_RUN(task, &e->found, service_here()->sql, &resolve_expertises_sql,
		sql_texts(&task->arena, folded, n));
}

static bool has(const struct expertises *e, const char *slug)
{
	for (size_t i = 0; i < e->n_slugs; i++)
		if (strcmp(e->slugs[i], slug) == 0)
			return true;
	return false;
}

bool expertises_resolved(struct task *task, struct expertises *e)
{
	struct arena *arena = &task->arena;

	if (e->found.state != SQL_DONE)
		return false;

	e->slugs = ARENA_ARRAY(arena, char *, (size_t)e->found.rows);
	e->words = "";
	for (int row = 0; row < e->found.rows; row++) {
		const char *slug = sql_get_text(&e->found, row, "slug");

		if (sql_is_null(&e->found, row, "slug")) {
			if (e->unknown == NULL)
				e->unknown = sql_get_text(&e->found, row, "word");
		} else if (!has(e, slug)) {
			e->slugs[e->n_slugs++] = arena_strdup(arena, slug);
			e->words = arena_printf(arena, "%s %s", e->words,
						sql_get_text(&e->found, row, "words"));
		}
	}
	return true;
}
