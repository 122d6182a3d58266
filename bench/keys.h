/*
 * keys.h - the keys and values that every workload uses, made in memory before any clock runs.
 *
 * A set of keys lies in the order of its use, one key behind the other, so that walking it costs
 * the processor's prefetcher and not the engine under test.
 * Threads: a set does not change once it is made; any thread may read it.
 */
#ifndef VERSO_BENCH_KEYS_H
#define VERSO_BENCH_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "verso.h"

enum key_kind {
    KEYS_RANDOM, /* 16 random bytes */
    KEYS_USER    /* "user:%010u:profile": 23 bytes, ids 0 .. count - 1 in random order */
};

struct key_set {
    enum key_kind kind;
    uint32_t count;
    size_t key_size;
    uint8_t *bytes; /* count * key_size */
};

/** `count` distinct keys in random order. Clear it with keys_clear(). */
struct key_set keys_make(enum key_kind kind, uint32_t count, uint64_t seed);

/** The same keys, ascending. */
struct key_set keys_sorted(const struct key_set *keys);

/** `count` keys drawn at random from `keys`, with repetitions. */
struct key_set keys_sample(const struct key_set *keys, uint32_t count, uint64_t seed);

/** `count` keys that are not in `keys` but fall between them. */
struct key_set keys_missing(const struct key_set *keys, uint32_t count, uint64_t seed);

/** Free the bytes of a set. A zeroed set is allowed. */
void keys_clear(struct key_set *keys);

static inline verso_slice key_at(const struct key_set *keys, uint32_t i)
{
    verso_slice key = {keys->bytes + (size_t)i * keys->key_size, keys->key_size};
    return key;
}

/** Where values come from: overlapping windows of a few random bytes that stay in the cache. */
struct value_pool {
    size_t value_size;
    uint8_t *bytes; /* VALUE_POOL_WINDOWS * 8 + value_size */
};

enum { VALUE_POOL_WINDOWS = 1024 }; /* a power of two */

struct value_pool values_make(size_t value_size, uint64_t seed);
void values_clear(struct value_pool *values);

static inline verso_slice value_at(const struct value_pool *values, uint64_t i)
{
    size_t window = (size_t)(i & (VALUE_POOL_WINDOWS - 1));
    verso_slice value = {values->bytes + window * 8, values->value_size};
    return value;
}

#endif
