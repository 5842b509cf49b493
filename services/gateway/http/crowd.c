/* crowd.c - a chained hash table that forgets a network with its last connection. */
#include "gateway/http/crowd.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

#define BUCKETS 4096 /* 32 KiB; chains stay short up to some ten thousand networks */

struct member {
	struct member *next;
	uint64_t network;
	unsigned count;
};

struct crowd {
	uint64_t seed;
	struct member *buckets[BUCKETS];
};

struct crowd *crowd_new(void)
{
	struct crowd *crowd = calloc(1, sizeof *crowd);

	if (crowd == NULL || getrandom(&crowd->seed, sizeof crowd->seed, 0) < 0)
		abort();
	return crowd;
}

void crowd_free(struct crowd *crowd)
{
	struct member *next;

	for (size_t i = 0; crowd != NULL && i < BUCKETS; i++)
		for (struct member *m = crowd->buckets[i]; m != NULL; m = next) {
			next = m->next;
			free(m);
		}
	free(crowd);
}

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Where the link to this network's member is, or to the end of its chain. */
static struct member **find(struct crowd *crowd, uint64_t network)
{
	struct member **link = &crowd->buckets[mix(network ^ crowd->seed) % BUCKETS];

	while (*link != NULL && (*link)->network != network)
		link = &(*link)->next;
	return link;
}

bool crowd_enter(struct crowd *crowd, uint64_t network, unsigned most)
{
	struct member **link = find(crowd, network);

	if (*link == NULL) {
		*link = calloc(1, sizeof **link);
		if (*link == NULL)
			abort();
		(*link)->network = network;
	}
	if ((*link)->count >= most)
		return false;
	(*link)->count++;
	return true;
}

void crowd_leave(struct crowd *crowd, uint64_t network)
{
	struct member **link = find(crowd, network), *member = *link;

	assert(member != NULL && member->count > 0);
	if (--member->count > 0)
		return;
	*link = member->next;
	free(member);
}
