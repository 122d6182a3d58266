/*
 * head_search.c - lower bounds in sorted arrays of 4-byte key heads.
 */
#include "format/head_search.h"

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "format/byte_order.h"

enum {
    LINEAR_MAX = 8 * VS_HEAD_BLOCK, /* heads: beyond, halving is cheaper if they are in the cache */
    WIDE_MAX = 16 * VS_HEAD_BLOCK,  /* heads: a 4 KiB branch has some 330 */
};

static inline uint32_t head_at(const uint8_t *heads, unsigned index)
{
    return vs_get_le32(heads + (size_t)index * 4);
}

/**
 * Halve [0, *count) until at most `window` heads are left. @return How many lie below the window;
 * all of them are below `head`, and all behind the window are not.
 */
static inline unsigned narrow(const uint8_t *heads, unsigned *count, unsigned window, uint32_t head)
{
    unsigned base = 0;
    unsigned length = *count;
    while (length > window) {
        unsigned half = length / 2;
        base = head_at(heads, base + half - 1) < head ? base + half : base; /* a conditional move */
        length -= half;
    }
    *count = length;
    return base;
}

unsigned vs_head_lower_bound_portable(const uint8_t *heads, unsigned count, uint32_t head)
{
    if (count == 0) {
        return 0;
    }
    unsigned length = count;
    unsigned base = narrow(heads, &length, 1, head);
    return base + (head_at(heads, base) < head);
}

#if defined(__x86_64__)
#define WITH_AVX2 __attribute__((target("avx2,popcnt")))

/** Lanes of all ones where one of eight heads is below; `bound` has the head's sign bit flipped. */
WITH_AVX2 static inline __m256i eight_below(const uint8_t *heads, __m256i bound)
{
    const __m256i sign = _mm256_set1_epi32(INT32_MIN); /* signed compares order unsigned heads */
    __m256i eight = _mm256_loadu_si256((const __m256i *)(const void *)heads);
    return _mm256_cmpgt_epi32(bound, _mm256_xor_si256(eight, sign));
}

/** Bit i is set if heads[i] is below, for a whole block. */
WITH_AVX2 static inline uint32_t below_mask(const uint8_t *heads, __m256i bound)
{
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i low = _mm256_packs_epi32(eight_below(heads, bound), eight_below(heads + 32, bound));
    __m256i high =
        _mm256_packs_epi32(eight_below(heads + 64, bound), eight_below(heads + 96, bound));
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), in_order);
    return (uint32_t)_mm256_movemask_epi8(bytes);
}

WITH_AVX2 static inline unsigned sum_of_lanes(__m256i lanes)
{
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
    __m128i one = _mm_add_epi32(two, _mm_shuffle_epi32(two, _MM_SHUFFLE(2, 3, 0, 1)));
    return (unsigned)_mm_cvtsi128_si32(one);
}

/** Count the heads below in whole blocks: one sum per lane, minus one for each. */
WITH_AVX2 static unsigned count_in_blocks(const uint8_t *heads, unsigned blocks, __m256i bound)
{
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    for (unsigned i = 0; i < blocks; i++, heads += (size_t)VS_HEAD_BLOCK * 4) {
        even = _mm256_sub_epi32(even, eight_below(heads, bound));
        odd = _mm256_sub_epi32(odd, eight_below(heads + 32, bound));
        even = _mm256_sub_epi32(even, eight_below(heads + 64, bound));
        odd = _mm256_sub_epi32(odd, eight_below(heads + 96, bound));
    }
    return sum_of_lanes(_mm256_add_epi32(even, odd));
}

WITH_AVX2 static unsigned avx2_lower_bound(const uint8_t *heads, unsigned count, unsigned window,
                                           uint32_t head)
{
    const __m256i bound = _mm256_set1_epi32((int32_t)(head ^ 0x80000000U));
    unsigned length = count;
    unsigned below = narrow(heads, &length, window, head);
    const uint8_t *block = heads + (size_t)below * 4;
    if (length > VS_HEAD_BLOCK) {
        unsigned blocks = (length - 1) / VS_HEAD_BLOCK;
        below += count_in_blocks(block, blocks, bound);
        block += (size_t)blocks * VS_HEAD_BLOCK * 4;
        length -= blocks * VS_HEAD_BLOCK;
    }
    uint32_t valid = length == 0 ? 0 : UINT32_MAX >> (VS_HEAD_BLOCK - length);
    return below + (unsigned)_mm_popcnt_u32(below_mask(block, bound) & valid);
}

#endif

unsigned vs_head_lower_bound(const uint8_t *heads, unsigned count, uint32_t head)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) { /* untaken: has it or not; both ways are tested */
        return avx2_lower_bound(heads, count, LINEAR_MAX, head);
    }
#endif
    return vs_head_lower_bound_portable(heads, count, head);
}

unsigned vs_head_lower_bound_wide(const uint8_t *heads, unsigned count, uint32_t head)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) { /* untaken: has it or not; both ways are tested */
        return avx2_lower_bound(heads, count, WIDE_MAX, head);
    }
#endif
    return vs_head_lower_bound_portable(heads, count, head);
}
