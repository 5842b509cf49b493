/*
 * diff.c - the longest common subsequence of words, by the table (Wagner and Fischer 1974).
 *
 * A comment has at most 5000 characters, so the table of its middle part, after
 * the common beginning and end are set aside, stays under the limit nearly always.
 */
#include "gateway/pages/diff.h"

#include <stdint.h>
#include <string.h>

#include "lib/arena.h"

#define CELLS_MAX (1024u * 1024)

struct words {
	const char **at; /* each word with the spaces behind it */
	size_t *length, n;
};

static struct words split(struct arena *arena, const char *text)
{
	const size_t most = strlen(text) + 1;
	struct words words = {ARENA_ARRAY(arena, const char *, most),
			      ARENA_ARRAY(arena, size_t, most), 0};

	while (*text != '\0') {
		const size_t word =
			strcspn(text, " \n") + strspn(text + strcspn(text, " \n"), " \n");

		words.at[words.n] = text;
		words.length[words.n++] = word;
		text += word;
	}
	return words;
}

/* The spaces behind a word are no difference: a word that became the last one is still that word.
 */
static int same(const struct words *a, size_t i, const struct words *b, size_t j)
{
	const size_t length = strcspn(a->at[i], " \n");

	return length == strcspn(b->at[j], " \n") && memcmp(a->at[i], b->at[j], length) == 0;
}

struct parts {
	struct arena *arena;
	struct diff_part *list;
	const char *start; /* of the last part's text */
	size_t n, length;
};

static void close_part(struct parts *parts)
{
	if (parts->n > 0)
		parts->list[parts->n - 1].text =
			arena_strndup(parts->arena, parts->start, parts->length);
}

/* Words of one kind that follow each other are one part. */
static void add(struct parts *parts, int kind, const char *text, size_t length)
{
	if (length == 0)
		return;
	if (parts->n == 0 || (int)parts->list[parts->n - 1].kind != kind ||
	    parts->start + parts->length != text) {
		close_part(parts);
		memcpy(&parts->list[parts->n++].kind, &(int){kind}, sizeof(int));
		parts->start = text;
		parts->length = 0;
	}
	parts->length += length;
}

/* lengths[i][j]: of the longest common subsequence of a from i and b from j. */
static uint16_t *table(struct arena *arena, const struct words *a, const struct words *b,
		       size_t from, size_t a_to, size_t b_to)
{
	const size_t width = b_to - from + 1;
	uint16_t *lengths = ARENA_ARRAY(arena, uint16_t, (a_to - from + 1) * width);

	for (size_t i = a_to - from; i-- > 0;)
		for (size_t j = b_to - from; j-- > 0;) {
			const uint16_t down = lengths[(i + 1) * width + j],
				       right = lengths[i * width + j + 1];

			lengths[i * width + j] =
				same(a, from + i, b, from + j)
					? (uint16_t)(lengths[(i + 1) * width + j + 1] + 1)
				: down > right ? down
					       : right;
		}
	return lengths;
}

static void walk(struct parts *parts, const struct words *a, const struct words *b, size_t from,
		 size_t a_to, size_t b_to)
{
	const size_t width = b_to - from + 1;
	size_t i = from, j = from;
	const uint16_t *lengths;

	if ((a_to - from + 1) * width > CELLS_MAX) {
		for (; i < a_to; i++)
			add(parts, DIFF_REMOVED, a->at[i], a->length[i]);
		for (; j < b_to; j++)
			add(parts, DIFF_ADDED, b->at[j], b->length[j]);
		return;
	}
	lengths = table(parts->arena, a, b, from, a_to, b_to);
	while (i < a_to || j < b_to) {
		if (i < a_to && j < b_to && same(a, i, b, j)) {
			add(parts, DIFF_SAME, b->at[j], b->length[j]);
			i++;
			j++;
		} else if (j == b_to ||
			   (i < a_to && lengths[(i - from + 1) * width + j - from] >=
						lengths[(i - from) * width + j - from + 1])) {
			add(parts, DIFF_REMOVED, a->at[i], a->length[i]);
			i++;
		} else {
			add(parts, DIFF_ADDED, b->at[j], b->length[j]);
			j++;
		}
	}
}

const struct diff_part *diff_words(struct arena *arena, const char *before, const char *after,
				   size_t *n)
{
	const struct words a = split(arena, before), b = split(arena, after);
	struct parts parts = {.arena = arena,
			      .list = ARENA_ARRAY(arena, struct diff_part, a.n + b.n + 1)};
	size_t from = 0, a_to = a.n, b_to = b.n;

	while (from < a.n && from < b.n && same(&a, from, &b, from))
		from++;
	while (a_to > from && b_to > from && same(&a, a_to - 1, &b, b_to - 1)) {
		a_to--;
		b_to--;
	}
	for (size_t i = 0; i < from; i++)
		add(&parts, DIFF_SAME, b.at[i], b.length[i]);
	walk(&parts, &a, &b, from, a_to, b_to);
	for (size_t i = b_to; i < b.n; i++)
		add(&parts, DIFF_SAME, b.at[i], b.length[i]);
	close_part(&parts);
	*n = parts.n;
	return parts.list;
}
