/*
 * forgotten.c - accounts that an owner has forgotten: nothing of theirs counts any more.
 *
 * A document that was read before may still name one and arrive afterwards, so they are
 * remembered for the life of this process. The next one goes on from a place at which no document
 * was under way (keep.c): it hears of the others again.
 */
#include <stdlib.h>

#include "related/memory.h"
#include "related/recommender.h"

/* Sorted. */
static struct {
	uint64_t *ids;
	size_t count, room;
} forgotten;

/* Of the first that is not below this one. */
static size_t position(uint64_t account)
{
	size_t low = 0, high = forgotten.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (forgotten.ids[middle] < account)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t account_or_nobody(uint64_t account)
{
	size_t at = position(account);

	return at < forgotten.count && forgotten.ids[at] == account ? 0 : account;
}

void forget_account(uint64_t account)
{
	size_t at = position(account);

	engine_erase_account(recommender.engine, account);
	if (account_or_nobody(account) == 0)
		return;
	MEMORY_GROW(forgotten.ids, forgotten.room, forgotten.count + 1);
	for (size_t i = forgotten.count++; i > at; i--)
		forgotten.ids[i] = forgotten.ids[i - 1];
	forgotten.ids[at] = account;
}

void forgotten_free(void)
{
	free(forgotten.ids);
	forgotten.ids = NULL;
	forgotten.count = forgotten.room = 0;
}
