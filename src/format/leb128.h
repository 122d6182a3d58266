/*
 * leb128.h - numbers of seven bits a byte, the lowest first, the top bit set on all but the last.
 *
 * Only the shortest form of a number is accepted, so that equal numbers are equal bytes.
 * Pure functions over memory; any thread.
 */
#ifndef VERSO_FORMAT_LEB128_H
#define VERSO_FORMAT_LEB128_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VS_LEB128_MAX = 10,   /* bytes of a 64-bit number */
    VS_LEB128_MAX_32 = 5, /* bytes of a 32-bit number */
};

/** Write a number to `at` (room for VS_LEB128_MAX). @return The byte behind it. */
static inline uint8_t *vs_leb128_put(uint8_t *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7) {
        *at++ = (uint8_t)(number | 0x80);
    }
    *at++ = (uint8_t)number;
    return at;
}

/** Read the number at *at, which must end by `end` and be at most `limit`; *at moves behind it.
 *  @return false if there is none. */
static inline bool vs_leb128_get(const uint8_t **at, const uint8_t *end, uint64_t limit,
                                 uint64_t *number)
{
    uint64_t sum = 0;
    for (int i = 0; i < VS_LEB128_MAX && *at < end; i++) {
        uint64_t byte = *(*at)++;
        uint64_t bits = byte & 0x7F;
        if (i == VS_LEB128_MAX - 1 && bits > 1) {
            return false; /* a 65th bit */
        }
        sum |= bits << (7 * i);
        if (byte < 0x80) {
            *number = sum;
            return sum <= limit && (bits != 0 || i == 0);
        }
    }
    return false;
}

#endif
