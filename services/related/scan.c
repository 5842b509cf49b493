/*
 * scan.c - adding and finding, portable and with AVX2.
 */
#include "related/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/*
 * Strictly one after the other: a run may hold a slot again with impact 0, so no
 * sum may be read before the one in front of it is written.
 */
void scan_add(uint16_t *sums, const struct run *run, uint16_t weight)
{
	const uint16_t *slots = run->slots;
	const uint8_t *impacts = run->impacts;

	for (uint32_t i = 0; i < run->count; i++)
		sums[slots[i]] = (uint16_t)(sums[slots[i]] + ((uint32_t)weight * impacts[i] >> 8));
}

size_t scan_portable(const uint16_t *sums, uint16_t threshold, uint16_t found[SCAN_CHUNK])
{
	size_t count = 0;

	for (uint32_t i = 0; i < SCAN_CHUNK; i++)
		if (sums[i] >= threshold)
			found[count++] = (uint16_t)i;
	return count;
}

#if defined(__x86_64__)

/* 32 sums at a time; a set bit for each that is at least threshold. */
__attribute__((target("avx2"))) static uint32_t high_sums(const uint16_t *sums, __m256i threshold)
{
	__m256i low = _mm256_loadu_si256((const __m256i *)(const void *)sums);
	__m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(sums + 16));
	__m256i low_hit = _mm256_cmpeq_epi16(_mm256_max_epu16(low, threshold), low);
	__m256i high_hit = _mm256_cmpeq_epi16(_mm256_max_epu16(high, threshold), high);
	__m256i packed = _mm256_packs_epi16(low_hit, high_hit);

	/* packs works within halves: put the quarters back into order. */
	packed = _mm256_permute4x64_epi64(packed, 0xd8);
	return (uint32_t)_mm256_movemask_epi8(packed);
}

__attribute__((target("avx2"))) size_t scan_avx2(const uint16_t *sums, uint16_t threshold,
						 uint16_t found[SCAN_CHUNK])
{
	__m256i wide = _mm256_set1_epi16((short)threshold);
	size_t count = 0;

	for (uint32_t i = 0; i < SCAN_CHUNK; i += 32) {
		uint32_t hits = high_sums(sums + i, wide);

		for (; hits != 0; hits &= hits - 1)
			found[count++] = (uint16_t)(i + (uint32_t)__builtin_ctz(hits));
	}
	return count;
}

#endif

scan_chunk *scan_best(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return scan_avx2;
#endif
	return scan_portable;
}
