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
    LINEAR_MAX = 4 * VS_HEAD_BLOCK, /* heads: beyond, halving is cheaper even if each step misses */
    WIDE_MAX = 16 * VS_HEAD_BLOCK,  /* heads: a 4 KiB branch has some 330 */
};

static inline uint32_t head_at(const uint8_t *heads, unsigned index)
{
    return vs_get_le32(heads + (size_t)index * 4);
}

/**
 * Halve [0, *count) until at most `window` heads are left. @return How many lie below the window; all
 * of them are below `head`, and all behind the window are not.
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

/** Bit i is set if heads[i] is below; `bound` has the head in each lane, its sign bit flipped. */
__attribute__((target("avx2,popcnt"))) static inline uint32_t below_mask(const uint8_t *heads,
                                                                         __m256i bound)
{
    const __m256i sign = _mm256_set1_epi32(INT32_MIN); /* signed compares order unsigned heads */
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i below[4];
    for (size_t i = 0; i < 4; i++) {
        __m256i eight = _mm256_loadu_si256((const __m256i *)(const void *)(heads + 32 * i));
        below[i] = _mm256_cmpgt_epi32(bound, _mm256_xor_si256(eight, sign));
    }
    __m256i low = _mm256_packs_epi32(below[0], below[1]);
    __m256i high = _mm256_packs_epi32(below[2], below[3]);
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), in_order);
    return (uint32_t)_mm256_movemask_epi8(bytes);
}

__attribute__((target("avx2,popcnt"))) static unsigned
avx2_lower_bound(const uint8_t *heads, unsigned count, unsigned window, uint32_t head)
{
    const __m256i bound = _mm256_set1_epi32((int32_t)(head ^ 0x80000000U));
    unsigned length = count;
    unsigned below = narrow(heads, &length, window, head);
    const uint8_t *block = heads + (size_t)below * 4;
    for (; length > VS_HEAD_BLOCK; length -= VS_HEAD_BLOCK) {
        below += (unsigned)_mm_popcnt_u32(below_mask(block, bound));
        block += VS_HEAD_BLOCK * 4;
    }
    uint32_t valid = length == 0 ? 0 : UINT32_MAX >> (VS_HEAD_BLOCK - length);
    return below + (unsigned)_mm_popcnt_u32(below_mask(block, bound) & valid);
}

#endif

unsigned vs_head_lower_bound(const uint8_t *heads, unsigned count, uint32_t head)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        return avx2_lower_bound(heads, count, LINEAR_MAX, head);
    }
#endif
    return vs_head_lower_bound_portable(heads, count, head);
}

unsigned vs_head_lower_bound_wide(const uint8_t *heads, unsigned count, uint32_t head)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        return avx2_lower_bound(heads, count, WIDE_MAX, head);
    }
#endif
    return vs_head_lower_bound_portable(heads, count, head);
}
