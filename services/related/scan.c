/*
 * scan.c - adding and finding, portable and with AVX2.
 *
 * Entries are added strictly one after the other: a run may hold a slot again
 * with impact 0, so no sum may be read before the one in front of it is written.
 */
#include "related/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>
#endif

static void add_one(uint16_t *sums, uint16_t slot, uint16_t weight, uint8_t impact)
{
	sums[slot] = (uint16_t)(sums[slot] + ((uint32_t)weight * impact >> 8));
}

static void add_portable(uint16_t *sums, const struct run *run, uint16_t weight)
{
	for (uint32_t i = 0; i < run->count; i++)
		add_one(sums, run->slots[i], weight, run->impacts[i]);
}

static void add_dense_portable(uint16_t *sums, const struct run *run, uint16_t weight)
{
	for (uint32_t slot = 0; slot < run->count; slot++)
		add_one(sums, (uint16_t)slot, weight, run->impacts[slot]);
}

static size_t find_portable(const uint16_t *sums, uint16_t threshold, uint16_t found[SCAN_CHUNK])
{
	size_t count = 0;

	for (uint32_t i = 0; i < SCAN_CHUNK; i++)
		if (sums[i] >= threshold)
			found[count++] = (uint16_t)i;
	return count;
}

const struct scan scan_portable = {add_portable, add_dense_portable, find_portable};

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2")))

static void add_two(uint16_t *sums, uint32_t slots, const uint16_t added[2])
{
	sums[slots & 0xffff] = (uint16_t)(sums[slots & 0xffff] + added[0]);
	sums[slots >> 16] = (uint16_t)(sums[slots >> 16] + added[1]);
}

/* impact * 256 * weight / 65,536 is weight * impact / 256, eight at a time. */
AVX2 static void add_avx2(uint16_t *sums, const struct run *run, uint16_t weight)
{
	__m128i wide = _mm_set1_epi16((short)weight);
	uint32_t i = 0, slots[4];
	uint16_t added[8];

	for (; i + 8 <= run->count; i += 8) {
		__m128i impacts = _mm_cvtepu8_epi16(
			_mm_loadl_epi64((const __m128i *)(const void *)(run->impacts + i)));

		_mm_storeu_si128((__m128i *)(void *)added,
				 _mm_mulhi_epu16(_mm_slli_epi16(impacts, 8), wide));
		memcpy(slots, run->slots + i, sizeof slots);
		add_two(sums, slots[0], added);
		add_two(sums, slots[1], added + 2);
		add_two(sums, slots[2], added + 4);
		add_two(sums, slots[3], added + 6);
	}
	for (; i < run->count; i++)
		add_one(sums, run->slots[i], weight, run->impacts[i]);
}

AVX2 static void add_dense_avx2(uint16_t *sums, const struct run *run, uint16_t weight)
{
	__m256i wide = _mm256_set1_epi16((short)weight);
	uint32_t i = 0;

	for (; i + 16 <= run->count; i += 16) {
		__m256i *to = (__m256i *)(void *)(sums + i);
		__m256i impacts = _mm256_cvtepu8_epi16(
			_mm_loadu_si128((const __m128i *)(const void *)(run->impacts + i)));

		_mm256_storeu_si256(
			to,
			_mm256_add_epi16(_mm256_loadu_si256(to),
					 _mm256_mulhi_epu16(_mm256_slli_epi16(impacts, 8), wide)));
	}
	for (; i < run->count; i++)
		add_one(sums, (uint16_t)i, weight, run->impacts[i]);
}

/* 32 sums at a time; a set bit for each that is at least threshold. */
AVX2 static uint32_t high_sums(const uint16_t *sums, __m256i threshold)
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

AVX2 static size_t find_avx2(const uint16_t *sums, uint16_t threshold, uint16_t found[SCAN_CHUNK])
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

static const struct scan scan_avx2 = {add_avx2, add_dense_avx2, find_avx2};

#endif

const struct scan *scan_best(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return &scan_avx2;
#endif
	return &scan_portable;
}
