/*
 * scan.h - the inner loops: adding up a term's run, and finding high sums.
 *
 * Sums are whole numbers, so every processor gives the same answer; AVX2 only
 * gets there sooner. scan_best() asks the processor once.
 */
#ifndef RELATED_SCAN_H
#define RELATED_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "related/block.h"

enum {
	SCAN_CHUNK = 2048, /* slots looked at together; sums arrays are a multiple of it */
};

struct dense_term {
	const uint8_t *impacts;
	uint16_t weight;
};

struct scan {
	/*
	 * sums[slot] += weight * impact / 256 for each entry of a run by slots or by gaps. The
	 * weights of one search add up to at most 65,535.
	 */
	void (*add)(uint16_t *sums, const struct run *, uint16_t weight);
	/* The same for terms that have an impact for each of count slots, all of them together. */
	void (*add_dense)(uint16_t *sums, const struct dense_term *, size_t terms, uint32_t count);
	/*
	 * Writes the positions of sums[0..SCAN_CHUNK) that are at least threshold (> 0) to
	 * found, in order, and returns how many.
	 */
	size_t (*find)(const uint16_t *sums, uint16_t threshold, uint16_t found[SCAN_CHUNK]);
};

extern const struct scan scan_portable;

/* The fastest that this processor has. */
const struct scan *scan_best(void);

#endif
