/*
 * sparse_bytes.c - pack and unpack runs of zeros.
 */
#include "sparse_bytes.h"

#include <stdbool.h>
#include <string.h>

enum {
    ZEROS_MIN = 6, /* a shorter run costs less among the bytes */
    NUMBER_MAX = 10,
};

static uint64_t take_number(const uint8_t **at, const uint8_t *end)
{
    uint64_t number = 0;
    for (unsigned shift = 0; *at < end && shift < 35; shift += 7) {
        uint8_t byte = *(*at)++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            break;
        }
    }
    return number;
}

static size_t put_number(uint64_t number, uint8_t *bytes)
{
    size_t size = 0;
    while (number >= 0x80) {
        bytes[size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    bytes[size++] = (uint8_t)number;
    return size;
}

static size_t least(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

size_t sparse_unpack(const uint8_t *packed, size_t packed_size, uint8_t *bytes, size_t capacity)
{
    const uint8_t *at = packed;
    const uint8_t *end = packed + packed_size;
    size_t size = 0;
    memset(bytes, 0, capacity);
    while (at < end && size < capacity) {
        size += least(take_number(&at, end), capacity - size);
        uint64_t said = take_number(&at, end); /* by itself: it moves `at` */
        size_t count = least(least(said, (size_t)(end - at)), capacity - size);
        memcpy(bytes + size, at, count);
        at += count;
        size += count;
    }
    return size;
}

/* Nearly all of a file is zeros, which every mutation goes over: with the sanitiser's checks that took
 * a quarter of the target's time. */
__attribute__((no_sanitize_address)) static size_t zeros_at(const uint8_t *bytes, size_t from,
                                                            size_t size)
{
    uint64_t words[8];
    size_t at = from;
    for (; size - at >= sizeof words; at += sizeof words) {
        uint64_t any = 0;
        memcpy(words, bytes + at, sizeof words);
        for (unsigned i = 0; i < 8; i++) {
            any |= words[i];
        }
        if (any != 0) {
            break;
        }
    }
    while (at < size && bytes[at] == 0) {
        at++;
    }
    return at - from;
}

/* Bytes from `from` to the next run of zeros worth its numbers. */
static size_t literal_at(const uint8_t *bytes, size_t from, size_t size)
{
    size_t at = from;
    while (at < size) {
        const uint8_t *zero = memchr(bytes + at, 0, size - at);
        at = zero == NULL ? size : (size_t)(zero - bytes);
        size_t zeros = zeros_at(bytes, at, size);
        if (zeros >= ZEROS_MIN || at + zeros == size) {
            break;
        }
        at += zeros;
    }
    return at - from;
}

size_t sparse_pack(const uint8_t *bytes, size_t size, uint8_t *packed, size_t capacity)
{
    size_t at = 0;
    size_t used = 0;
    while (at < size) {
        uint8_t numbers[2 * NUMBER_MAX];
        size_t zeros = zeros_at(bytes, at, size);
        size_t count = literal_at(bytes, at + zeros, size);
        size_t numbers_size = put_number(zeros, numbers);
        numbers_size += put_number(count, numbers + numbers_size);
        if (numbers_size + count > capacity - used) {
            return 0;
        }
        memcpy(packed + used, numbers, numbers_size);
        memcpy(packed + used + numbers_size, bytes + at + zeros, count);
        used += numbers_size + count;
        at += zeros + count;
    }
    return used;
}
