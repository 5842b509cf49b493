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

static void add_slots(uint16_t *sums, const struct run *run, uint32_t from, uint16_t weight)
{
	for (uint32_t i = from; i < run->count; i++)
		add_one(sums, run->slots[i], weight, run->impacts[i]);
}

static void add_gaps(uint16_t *sums, const struct run *run, uint32_t from, uint16_t slot,
		     uint16_t weight)
{
	for (uint32_t i = from; i < run->count; i++) {
		slot = (uint16_t)(slot + run->gaps[i]);
		add_one(sums, slot, weight, run->impacts[i]);
	}
}

static void add_portable(uint16_t *sums, const struct run *run, uint16_t weight)
{
	if (run->gaps != NULL)
		add_gaps(sums, run, 0, 0, weight);
	else
		add_slots(sums, run, 0, weight);
}

static void add_dense_from(uint16_t *sums, const struct dense_term *terms, size_t n_terms,
			   uint32_t from, uint32_t count)
{
	for (size_t t = 0; t < n_terms; t++)
		for (uint32_t slot = from; slot < count; slot++)
			add_one(sums, (uint16_t)slot, terms[t].weight, terms[t].impacts[slot]);
}

static void add_dense_portable(uint16_t *sums, const struct dense_term *terms, size_t n_terms,
			       uint32_t count)
{
	add_dense_from(sums, terms, n_terms, 0, count);
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

/* Eight bytes as eight numbers of 16 bits. */
AVX2 static __m128i widen(const uint8_t *bytes)
{
	return _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)(const void *)bytes));
}

/* impact * 256 * weight / 65,536 is weight * impact / 256. */
AVX2 static inline void add_eight(uint16_t *sums, const uint32_t slots[4], const uint8_t *impacts,
				  __m128i weight)
{
	uint16_t added[8];

	_mm_storeu_si128((__m128i *)(void *)added,
			 _mm_mulhi_epu16(_mm_slli_epi16(widen(impacts), 8), weight));
	add_two(sums, slots[0], added);
	add_two(sums, slots[1], added + 2);
	add_two(sums, slots[2], added + 4);
	add_two(sums, slots[3], added + 6);
}

AVX2 static void add_slots_avx2(uint16_t *sums, const struct run *run, uint16_t weight)
{
	__m128i wide = _mm_set1_epi16((short)weight);
	uint32_t i = 0, slots[4];

	for (; i + 8 <= run->count; i += 8) {
		memcpy(slots, run->slots + i, sizeof slots);
		add_eight(sums, slots, run->impacts + i, wide);
	}
	add_slots(sums, run, i, weight);
}

/* Each of eight becomes the sum of itself and those before it. */
AVX2 static __m128i running_sums(__m128i gaps)
{
	gaps = _mm_add_epi16(gaps, _mm_slli_si128(gaps, 2));
	gaps = _mm_add_epi16(gaps, _mm_slli_si128(gaps, 4));
	return _mm_add_epi16(gaps, _mm_slli_si128(gaps, 8));
}

AVX2 static void add_gaps_avx2(uint16_t *sums, const struct run *run, uint16_t weight)
{
	const __m128i last = _mm_set1_epi16(0x0f0e);
	__m128i wide = _mm_set1_epi16((short)weight), before = _mm_setzero_si128();
	uint32_t i = 0, slots[4];

	for (; i + 8 <= run->count; i += 8) {
		__m128i here = _mm_add_epi16(before, running_sums(widen(run->gaps + i)));

		_mm_storeu_si128((__m128i *)(void *)slots, here);
		add_eight(sums, slots, run->impacts + i, wide);
		before = _mm_shuffle_epi8(here, last);
	}
	add_gaps(sums, run, i, (uint16_t)_mm_extract_epi16(before, 0), weight);
}

AVX2 static void add_avx2(uint16_t *sums, const struct run *run, uint16_t weight)
{
	if (run->gaps != NULL)
		add_gaps_avx2(sums, run, weight);
	else
		add_slots_avx2(sums, run, weight);
}

/*
 * The sums of 32 slots of one term join a and b. Within each half of a register a gets the first
 * eight and b the second, each impact as the high byte of 16 bits: add_sums() sorts them.
 */
AVX2 static inline void weigh_dense(const uint8_t *impacts, __m256i weight, __m256i *a, __m256i *b)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)impacts);

	*a = _mm256_add_epi16(*a, _mm256_mulhi_epu16(_mm256_unpacklo_epi8(zero, bytes), weight));
	*b = _mm256_add_epi16(*b, _mm256_mulhi_epu16(_mm256_unpackhi_epi8(zero, bytes), weight));
}

AVX2 static inline void add_sums(uint16_t *sums, __m256i a, __m256i b)
{
	__m256i *at = (__m256i *)(void *)sums;
	__m256i low = _mm256_permute2x128_si256(a, b, 0x20);
	__m256i high = _mm256_permute2x128_si256(a, b, 0x31);

	_mm256_storeu_si256(at, _mm256_add_epi16(_mm256_loadu_si256(at), low));
	_mm256_storeu_si256(at + 1, _mm256_add_epi16(_mm256_loadu_si256(at + 1), high));
}

/* All terms for 64 slots, so that each sum is read and written once. */
AVX2 static void add_dense_avx2(uint16_t *sums, const struct dense_term *terms, size_t n_terms,
				uint32_t count)
{
	uint32_t i = 0;

	for (; i + 64 <= count; i += 64) {
		__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;

		for (size_t t = 0; t < n_terms; t++) {
			__m256i weight = _mm256_set1_epi16((short)terms[t].weight);

			weigh_dense(terms[t].impacts + i, weight, &a, &b);
			weigh_dense(terms[t].impacts + i + 32, weight, &c, &d);
		}
		add_sums(sums + i, a, b);
		add_sums(sums + i + 32, c, d);
	}
	add_dense_from(sums, terms, n_terms, i, count);
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
