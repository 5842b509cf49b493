/*
 * scan.h - the two inner loops: adding up a term's run, and finding high sums.
 *
 * Sums are whole numbers, so every processor gives the same answer; AVX2 only
 * finds them faster. scan_best() asks the processor once.
 */
#ifndef RELATED_SCAN_H
#define RELATED_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "related/block.h"

enum {
	SCAN_CHUNK = 2048, /* slots looked at together; sums arrays are a multiple of it */
};

/* sums[slot] += weight * impact / 256. The weights of one search add up to at most 65,535. */
void scan_add(uint16_t *sums, const struct run *, uint16_t weight);

/*
 * Writes the positions of sums[0..SCAN_CHUNK) that are at least threshold (> 0)
 * to found, in order, and returns how many.
 */
typedef size_t scan_chunk(const uint16_t *sums, uint16_t threshold, uint16_t found[SCAN_CHUNK]);

scan_chunk scan_portable;
#if defined(__x86_64__)
scan_chunk scan_avx2; /* only where the processor has it */
#endif

/* The fastest one that this processor has. */
scan_chunk *scan_best(void);

#endif
