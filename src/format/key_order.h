/*
 * key_order.h - how keys compare, what they share, and their heads.
 *
 * Keys are byte strings in memcmp order, the shorter first. The head of a key, or of what is left
 * of it after a page's prefix, is its first four bytes read as a big-endian number, zeros where it
 * is shorter: heads order as the bytes do, but for ties.
 */
#ifndef VERSO_FORMAT_KEY_ORDER_H
#define VERSO_FORMAT_KEY_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "format/byte_order.h"
#include "verso.h"

enum { VS_HEAD_SIZE = 4 }; /* bytes */

static inline int vs_key_compare(verso_slice a, verso_slice b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

/** How many bytes the two have in common from the start. */
static inline size_t vs_common_prefix_size(verso_slice a, verso_slice b)
{
    const uint8_t *x = a.data;
    const uint8_t *y = b.data;
    size_t shorter = a.size < b.size ? a.size : b.size;
    size_t at = 0;
    for (; at + 8 <= shorter; at += 8) {
        uint64_t difference = vs_get_be64(x + at) ^ vs_get_be64(y + at);
        if (difference != 0) {
            return at + (size_t)__builtin_clzll(difference) / 8;
        }
    }
    while (at < shorter && x[at] == y[at]) {
        at++;
    }
    return at;
}

/** Whether `size` bytes are equal; in line for the sizes of most keys: two overlapping words, no
 * call. */
static inline bool vs_bytes_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    if (size > 16) {
        return memcmp(a, b, size) == 0;
    }
    if (size >= 8) {
        uint64_t first = vs_get_le64(a) ^ vs_get_le64(b);
        uint64_t last = vs_get_le64(a + size - 8) ^ vs_get_le64(b + size - 8);
        return (first | last) == 0;
    }
    if (size >= 4) {
        uint32_t first = vs_get_le32(a) ^ vs_get_le32(b);
        uint32_t last = vs_get_le32(a + size - 4) ^ vs_get_le32(b + size - 4);
        return (first | last) == 0;
    }
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

/**
 * Where the keys that begin with `prefix` lie beside `key`: 0 if it is one of them, negative if all
 * of them are below it, positive if all are above.
 */
static inline int vs_prefix_order(const uint8_t *prefix, size_t prefix_size, verso_slice key)
{
    if (key.size >= prefix_size && vs_bytes_equal(prefix, key.data, prefix_size)) {
        return 0;
    }
    size_t shorter = prefix_size < key.size ? prefix_size : key.size;
    int order = shorter == 0 ? 0 : memcmp(prefix, key.data, shorter);
    if (order != 0) {
        return order;
    }
    return key.size < prefix_size;
}

/** What follows the first `size` bytes of a key. */
static inline const uint8_t *vs_key_after(verso_slice key, size_t size)
{
    const uint8_t *bytes = key.data;
    return size == 0 ? bytes : bytes + size; /* an empty key may be NULL: no sum with that */
}

static inline uint32_t vs_head(const uint8_t *bytes, size_t size)
{
    if (size >= VS_HEAD_SIZE) {
        return vs_get_be32(bytes);
    }
    uint32_t head = 0;
    for (size_t i = 0; i < size; i++) {
        head |= (uint32_t)bytes[i] << (24 - 8 * i);
    }
    return head;
}

/** Write back the bytes that a head stands for: `size` of them, four at most. */
static inline void vs_head_bytes(uint32_t head, size_t size, uint8_t *bytes)
{
    if (size >= VS_HEAD_SIZE) {
        head = VS_BE32(head);
        memcpy(bytes, &head, sizeof head);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(head >> (24 - 8 * i));
    }
}

/** Bytes of a suffix that its head does not hold. */
static inline size_t vs_rest_size(size_t suffix_size)
{
    return suffix_size > VS_HEAD_SIZE ? suffix_size - VS_HEAD_SIZE : 0;
}

#endif
