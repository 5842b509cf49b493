/*
 * shortlist.c - a histogram that moves the threshold, and a selection at the end.
 */
#include "related/shortlist.h"

#include <stdlib.h>
#include <string.h>

#include "related/block.h"
#include "related/corpus.h"
#include "related/index.h"
#include "related/memory.h"

void shortlist_begin(struct shortlist *l, const struct corpus *c, const struct index *ix,
		     uint32_t keep)
{
	l->corpus = c;
	l->index = ix;
	l->keep = keep;
	l->count = 0;
	l->threshold = 1;
	l->step = 0;
	l->higher = 0;
	memset(l->steps, 0, sizeof l->steps);
}

uint32_t shortlist_topic(const struct shortlist *l, struct hopeful hopeful)
{
	uint32_t count = 0;

	return index_blocks(l->index, &count)[hopeful.place >> 16]->topics[hopeful.place & 0xffff];
}

/* The nth largest (from 0) of sums, which are reordered: Hoare's selection. */
static uint16_t nth_largest(uint16_t *sums, int32_t count, int32_t nth)
{
	int32_t low = 0, high = count - 1;

	while (low < high) {
		uint16_t pivot = sums[(low + high) / 2];
		int32_t i = low, j = high;

		while (i <= j) {
			while (sums[i] > pivot)
				i++;
			while (sums[j] < pivot)
				j--;
			if (i <= j) {
				uint16_t kept = sums[i];

				sums[i++] = sums[j];
				sums[j--] = kept;
			}
		}
		if (nth <= j)
			high = j;
		else if (nth >= i)
			low = i;
		else
			break;
	}
	return sums[nth];
}

struct tie {
	uint64_t id;
	struct hopeful hopeful;
};

static int by_id(const void *left, const void *right)
{
	const struct tie *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

/* Equal sums at the end of the list: those with the smallest ids come first. */
static void order_ties(const struct shortlist *l, struct hopeful *at, uint32_t count)
{
	struct tie *ties = MEMORY_NEW(struct tie, count);

	for (uint32_t i = 0; i < count; i++)
		ties[i] = (struct tie){l->corpus->topics[shortlist_topic(l, at[i])].id, at[i]};
	qsort(ties, count, sizeof *ties, by_id);
	for (uint32_t i = 0; i < count; i++)
		at[i] = ties[i].hopeful;
	free(ties);
}

/* Moves those above the sum, then those equal to it, to the front; *above: how many of the first.
 */
static uint32_t gather(struct shortlist *l, uint16_t sum, uint32_t *above)
{
	uint32_t equal = 0, kept = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		struct hopeful hopeful = l->list[i];

		if (hopeful.text < sum)
			continue;
		l->list[i] = l->list[kept];
		l->list[kept++] = hopeful;
		if (hopeful.text == sum)
			continue;
		l->list[kept - 1] = l->list[equal];
		l->list[equal++] = hopeful;
	}
	*above = equal;
	return kept;
}

void shortlist_cut(struct shortlist *l, uint32_t keep)
{
	uint32_t above = 0, kept = 0;

	if (l->count <= keep)
		return;
	for (uint32_t i = 0; i < l->count; i++)
		l->selection[i] = l->list[i].text;
	l->threshold = nth_largest(l->selection, (int32_t)l->count, (int32_t)keep - 1);
	kept = gather(l, l->threshold, &above);
	if (kept > keep)
		order_ties(l, l->list + above, kept - above);
	l->count = keep;
}

/* One more of this sum; and with it the threshold. */
static void count_sum(struct shortlist *l, uint16_t sum)
{
	l->steps[sum / SHORTLIST_STEP]++;
	l->higher += sum / SHORTLIST_STEP >= l->step;
	while (l->higher - l->steps[l->step] >= l->keep)
		l->higher -= l->steps[l->step++];
	if (l->step * SHORTLIST_STEP > l->threshold)
		l->threshold = (uint16_t)(l->step * SHORTLIST_STEP);
}

/* So many are alike that the histogram could not tell them apart. */
static void make_room(struct shortlist *l)
{
	shortlist_cut(l, l->keep);
	memset(l->steps, 0, sizeof l->steps);
	l->higher = 0;
	for (uint32_t i = 0; i < l->count; i++)
		count_sum(l, l->list[i].text);
}

void shortlist_add(struct shortlist *l, struct hopeful hopeful)
{
	if (l->count == SHORTLIST)
		make_room(l);
	if (hopeful.text < l->threshold)
		return;
	l->list[l->count++] = hopeful;
	count_sum(l, hopeful.text);
}

void shortlist_drop_low(struct shortlist *l)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < l->count; i++)
		if (l->list[i].text >= l->threshold)
			l->list[kept++] = l->list[i];
	l->count = kept;
}
