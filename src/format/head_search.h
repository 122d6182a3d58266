/*
 * head_search.h - lower bounds in sorted arrays of 4-byte key heads.
 *
 * With AVX2 (asked of the processor at run time) 32 heads are compared at once and without a branch
 * that depends on them; elsewhere a binary search without branches does the same.
 */
#ifndef VERSO_FORMAT_HEAD_SEARCH_H
#define VERSO_FORMAT_HEAD_SEARCH_H

#include <stdint.h>

enum { VS_HEAD_BLOCK = 32 }; /* heads compared together */

/**
 * How many of `count` ascending heads are below `head`. Long arrays are halved first.
 *
 * @param heads  Little-endian words, of any alignment. Up to a whole block (VS_HEAD_BLOCK) is read
 *               where the last one begins: that much memory must be readable behind the array.
 */
unsigned vs_head_lower_bound(const uint8_t *heads, unsigned count, uint32_t head);

/**
 * The same by comparing all heads in order. Nothing waits for anything, so all cache lines of the
 * array are fetched at the same time: better where the array is not in the cache.
 */
unsigned vs_head_lower_bound_wide(const uint8_t *heads, unsigned count, uint32_t head);

/** The same on any processor, and without reading beyond the array. */
unsigned vs_head_lower_bound_portable(const uint8_t *heads, unsigned count, uint32_t head);

/** How many of `count` ascending heads are at or below `head`. */
static inline unsigned vs_head_upper_bound(const uint8_t *heads, unsigned count, uint32_t head)
{
    return head == UINT32_MAX ? count : vs_head_lower_bound(heads, count, head + 1);
}

static inline unsigned vs_head_upper_bound_wide(const uint8_t *heads, unsigned count, uint32_t head)
{
    return head == UINT32_MAX ? count : vs_head_lower_bound_wide(heads, count, head + 1);
}

#endif
