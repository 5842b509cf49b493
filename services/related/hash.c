/*
 * hash.c - draws the key under which this process hashes.
 */
#include "related/hash.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

uint64_t hash_key(void)
{
	uint64_t key = 0;
	ssize_t drawn = 0;

	do
		drawn = getrandom(&key, sizeof key, 0);
	while (drawn < 0 && errno == EINTR);
	assert(drawn == (ssize_t)sizeof key);
	return key | 1;
}
