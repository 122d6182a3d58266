/*
 * page_keys.c - keys that are hard on pages, for the model tests of leaf and branch.
 */
#include "page_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t page_keys_seed(void)
{
    const char *text = getenv("VERSO_TEST_SEED"); // NOLINT(concurrency-mt-unsafe): one thread
    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

static void random_bytes(struct simulated_random *random, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)simulated_random_next(random);
    }
}

static size_t from_two_bytes(struct simulated_random *random, size_t size_max, uint8_t common,
                             uint8_t rare, unsigned rare_one_in, uint8_t *key)
{
    size_t size = (size_t)simulated_random_below(random, size_max + 1);
    for (size_t i = 0; i < size; i++) {
        key[i] = simulated_random_below(random, rare_one_in) == 0 ? rare : common;
    }
    return size;
}

static size_t equal_heads(struct simulated_random *random, uint8_t *key)
{
    static const char before[] = "a prefix shared by all keys/AAAA";
    size_t size = sizeof before - 1;
    memcpy(key, before, size);
    size_t digits = 1 + (size_t)simulated_random_below(random, 4);
    for (size_t i = 0; i < digits; i++) {
        key[size++] = (uint8_t)('0' + simulated_random_below(random, 10));
    }
    return size;
}

static size_t longest(struct simulated_random *random, size_t key_max, uint8_t *key)
{
    memset(key, 'x', key_max);
    size_t deciding = (size_t)simulated_random_below(random, key_max);
    if (simulated_random_below(random, 2) == 0) {
        deciding = key_max - 1;
    }
    key[deciding] = (uint8_t)simulated_random_next(random);
    return key_max;
}

size_t page_keys_next(enum page_keys kind, struct simulated_random *random, size_t key_max,
                      uint8_t *key)
{
    if (kind == PAGE_KEYS_ANY) {
        kind = (enum page_keys)simulated_random_below(random, PAGE_KEYS_ANY);
    }
    switch (kind) {
    case PAGE_KEYS_RANDOM:
        random_bytes(random, key, 16);
        return 16;
    case PAGE_KEYS_USER:
        return (size_t)snprintf((char *)key, key_max, "user:%010" PRIu64 ":profile",
                                simulated_random_below(random, 100000));
    case PAGE_KEYS_ZEROS:
        return from_two_bytes(random, 9, 0, 1, 4, key);
    case PAGE_KEYS_EQUAL_HEADS:
        return equal_heads(random, key);
    case PAGE_KEYS_LONGEST:
        return longest(random, key_max, key);
    case PAGE_KEYS_HIGH:
        return from_two_bytes(random, 6, 0xff, (uint8_t)simulated_random_next(random), 4, key);
    case PAGE_KEYS_ANY:
        break;
    }
    return 0;
}
