/*
 * fingerprint.c - XXH64, written from its specification (Yann Collet, "xxHash fast digest
 * algorithm", version 0.1.1).
 *
 * Inputs of 32 bytes and more run through four accumulators, one word each a stripe; what remains
 * is mixed in by words of 8, 4 and 1 bytes. Keys and values here are mostly short, so the short
 * path is the straight one.
 */
#include "format/fingerprint.h"

#include "format/byte_order.h"

#define PRIME_1 0x9E3779B185EBCA87u
#define PRIME_2 0xC2B2AE3D27D4EB4Fu
#define PRIME_3 0x165667B19E3779F9u
#define PRIME_4 0x85EBCA77C2B2AE63u
#define PRIME_5 0x27D4EB2F165667C5u

enum { STRIPE = 32 }; /* bytes */

static inline uint64_t rotate_left(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static inline uint64_t round_of(uint64_t accumulator, uint64_t word)
{
    return rotate_left(accumulator + word * PRIME_2, 31) * PRIME_1;
}

static inline uint64_t merge(uint64_t sum, uint64_t accumulator)
{
    return (sum ^ round_of(0, accumulator)) * PRIME_1 + PRIME_4;
}

/** All whole stripes of an input that has at least one. */
static inline uint64_t stripes(uint64_t seed, const uint8_t *at, const uint8_t *end)
{
    uint64_t a = seed + PRIME_1 + PRIME_2;
    uint64_t b = seed + PRIME_2;
    uint64_t c = seed;
    uint64_t d = seed - PRIME_1;
    for (; end - at >= STRIPE; at += STRIPE) {
        a = round_of(a, vs_get_le64(at));
        b = round_of(b, vs_get_le64(at + 8));
        c = round_of(c, vs_get_le64(at + 16));
        d = round_of(d, vs_get_le64(at + 24));
    }
    uint64_t sum = rotate_left(a, 1) + rotate_left(b, 7) + rotate_left(c, 12) + rotate_left(d, 18);
    return merge(merge(merge(merge(sum, a), b), c), d);
}

/** The last bytes, fewer than a stripe. */
static inline uint64_t remainder_of(uint64_t sum, const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 8; at += 8) {
        sum = rotate_left(sum ^ round_of(0, vs_get_le64(at)), 27) * PRIME_1 + PRIME_4;
    }
    if (end - at >= 4) {
        sum = rotate_left(sum ^ vs_get_le32(at) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        at += 4;
    }
    for (; at < end; at++) {
        sum = rotate_left(sum ^ *at * PRIME_5, 11) * PRIME_1;
    }
    return sum;
}

static inline uint64_t avalanche(uint64_t sum)
{
    sum = (sum ^ sum >> 33) * PRIME_2;
    sum = (sum ^ sum >> 29) * PRIME_3;
    return sum ^ sum >> 32;
}

uint64_t vs_xxh64(uint64_t seed, const void *bytes, size_t size)
{
    if (size == 0) { /* `bytes` may be NULL */
        return avalanche(seed + PRIME_5);
    }
    const uint8_t *at = bytes;
    const uint8_t *end = at + size;
    uint64_t sum = size < STRIPE ? seed + PRIME_5 : stripes(seed, at, end);
    return avalanche(remainder_of(sum + size, end - size % STRIPE, end));
}
