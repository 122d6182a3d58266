/*
 * byte_order.h - integers on disk are little-endian; key heads are big-endian.
 *
 * memcpy plus a byte swap where needed: compilers turn each into one instruction.
 */
#ifndef VERSO_FORMAT_BYTE_ORDER_H
#define VERSO_FORMAT_BYTE_ORDER_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define VS_LE16(x) __builtin_bswap16(x)
#define VS_LE32(x) __builtin_bswap32(x)
#define VS_LE64(x) __builtin_bswap64(x)
#define VS_BE32(x) (x)
#define VS_BE64(x) (x)
#else
#define VS_LE16(x) (x)
#define VS_LE32(x) (x)
#define VS_LE64(x) (x)
#define VS_BE32(x) __builtin_bswap32(x)
#define VS_BE64(x) __builtin_bswap64(x)
#endif

static inline uint16_t vs_get_le16(const uint8_t *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return VS_LE16(word);
}

static inline uint32_t vs_get_le32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return VS_LE32(word);
}

static inline uint64_t vs_get_le64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return VS_LE64(word);
}

static inline void vs_put_le16(uint8_t *at, uint16_t word)
{
    word = VS_LE16(word);
    memcpy(at, &word, sizeof word);
}

static inline void vs_put_le32(uint8_t *at, uint32_t word)
{
    word = VS_LE32(word);
    memcpy(at, &word, sizeof word);
}

static inline void vs_put_le64(uint8_t *at, uint64_t word)
{
    word = VS_LE64(word);
    memcpy(at, &word, sizeof word);
}

static inline uint32_t vs_get_be32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return VS_BE32(word);
}

static inline uint64_t vs_get_be64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return VS_BE64(word);
}

static inline void vs_put_be64(uint8_t *at, uint64_t word)
{
    word = VS_BE64(word);
    memcpy(at, &word, sizeof word);
}

#endif
