/*
 * related_lists.c - a table of fixed size; a newer topic takes the place of one with the same
 * remainder.
 *
 * Lists are kept packed: a kilobyte each, four megabytes at the most. Beside each stand
 * the topics in it, so that one that is withdrawn is found without unpacking any.
 */
#include "gateway/pages/related_lists.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

#define PLACES 4096
#define SHOWN  8 /* a longer list is not kept */
#define LIST_SIZE                                                                                  \
	4096 /* a longer one is not kept; five topics with their reasons take about one            \
	      */

static struct {
	uint64_t topic_id, shown[SHOWN];
	uint8_t *packed;
	size_t size;
} places[PLACES];

void related_lists_keep(uint64_t topic_id, const Causerie__ListRelatedReply *list)
{
	const size_t size = causerie__list_related_reply__get_packed_size(list);
	const size_t place = topic_id % PLACES;
	uint8_t *packed;

	if (size > LIST_SIZE || list->n_topics > SHOWN || (packed = malloc(size + 1)) == NULL)
		return;
	causerie__list_related_reply__pack(list, packed);
	free(places[place].packed);
	places[place].topic_id = topic_id;
	places[place].packed = packed;
	places[place].size = size;
	for (size_t i = 0; i < SHOWN; i++)
		places[place].shown[i] = i < list->n_topics ? list->topics[i]->topic_id : 0;
}

static void forget(size_t place)
{
	free(places[place].packed);
	places[place].packed = NULL;
}

static bool shows(size_t place, uint64_t topic_id)
{
	for (size_t i = 0; i < SHOWN; i++)
		if (places[place].shown[i] == topic_id)
			return true;
	return places[place].topic_id == topic_id;
}

void related_lists_forget(uint64_t topic_id)
{
	for (size_t place = 0; place < PLACES; place++)
		if (shows(place, topic_id))
			forget(place);
}

void related_lists_forget_all(void)
{
	for (size_t place = 0; place < PLACES; place++)
		forget(place);
}

static void release(void *list)
{
	causerie__list_related_reply__free_unpacked(list, NULL);
}

const Causerie__ListRelatedReply *related_lists_find(struct arena *arena, uint64_t topic_id)
{
	const size_t place = topic_id % PLACES;
	Causerie__ListRelatedReply *list;

	if (places[place].packed == NULL || places[place].topic_id != topic_id)
		return NULL;
	list = causerie__list_related_reply__unpack(NULL, places[place].size, places[place].packed);
	if (list != NULL)
		arena_defer(arena, release, list);
	return list;
}
