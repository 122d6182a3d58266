/*
 * keys.c - make, sort and sample the keys.
 */
#include "keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "stop.h"

enum { RANDOM_KEY_SIZE = 16, USER_KEY_SIZE = 23 };

static struct key_set set_of(enum key_kind kind, uint32_t count)
{
    struct key_set set = {.kind = kind, .count = count};
    set.key_size = kind == KEYS_RANDOM ? RANDOM_KEY_SIZE : USER_KEY_SIZE;
    set.bytes = allocate(count, set.key_size);
    return set;
}

static void fill_randomly(struct key_set *set, uint64_t seed)
{
    struct random random = {seed};
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t halves[2];
        halves[0] = random_next(&random);
        halves[1] = random_next(&random);
        memcpy(set->bytes + (size_t)i * RANDOM_KEY_SIZE, halves, sizeof halves);
    }
}

static void write_user_key(uint8_t *to, uint32_t id)
{
    char text[USER_KEY_SIZE + 1];
    snprintf(text, sizeof text, "user:%010" PRIu32 ":profile", id);
    memcpy(to, text, USER_KEY_SIZE);
}

/* The ids 0 .. count - 1, shuffled (Fisher and Yates). */
static uint32_t *shuffled_ids(uint32_t count, uint64_t seed)
{
    struct random random = {seed};
    uint32_t *ids = allocate(count, sizeof *ids);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = random_below(&random, i + 1);
        ids[i] = ids[j];
        ids[j] = i;
    }
    return ids;
}

struct key_set keys_make(enum key_kind kind, uint32_t count, uint64_t seed)
{
    struct key_set set = set_of(kind, count);
    if (kind == KEYS_RANDOM) {
        fill_randomly(&set, seed);
        return set;
    }
    uint32_t *ids = shuffled_ids(count, seed);
    for (uint32_t i = 0; i < count; i++) {
        write_user_key(set.bytes + (size_t)i * USER_KEY_SIZE, ids[i]);
    }
    free(ids);
    return set;
}

static int compare_keys(const void *a, const void *b, void *key_size)
{
    return memcmp(a, b, *(const size_t *)key_size);
}

struct key_set keys_sorted(const struct key_set *keys)
{
    struct key_set set = set_of(keys->kind, keys->count);
    memcpy(set.bytes, keys->bytes, keys->count * keys->key_size);
    qsort_r(set.bytes, set.count, set.key_size, compare_keys, &set.key_size);
    return set;
}

struct key_set keys_sample(const struct key_set *keys, uint32_t count, uint64_t seed)
{
    struct random random = {seed};
    struct key_set set = set_of(keys->kind, count);
    for (uint32_t i = 0; i < count; i++) {
        verso_slice key = key_at(keys, random_below(&random, keys->count));
        memcpy(set.bytes + (size_t)i * set.key_size, key.data, key.size);
    }
    return set;
}

struct key_set keys_missing(const struct key_set *keys, uint32_t count, uint64_t seed)
{
    if (keys->kind == KEYS_RANDOM) {
        return keys_make(KEYS_RANDOM, count, seed); /* 128 bits: none of them is there */
    }
    struct key_set set = keys_sample(keys, count, seed);
    for (uint32_t i = 0; i < count; i++) {
        set.bytes[(size_t)i * set.key_size + set.key_size - 1] = 'f'; /* "...:profilf" */
    }
    return set;
}

void keys_clear(struct key_set *keys)
{
    free(keys->bytes);
    keys->bytes = NULL;
    keys->count = 0;
}

struct value_pool values_make(size_t value_size, uint64_t seed)
{
    struct random random = {seed};
    struct value_pool values = {.value_size = value_size};
    size_t size = (size_t)VALUE_POOL_WINDOWS * 8 + value_size;
    values.bytes = allocate(size, 1);
    for (size_t i = 0; i < size; i++) {
        values.bytes[i] = (uint8_t)(random_next(&random) >> 56);
    }
    return values;
}

void values_clear(struct value_pool *values)
{
    free(values->bytes);
    values->bytes = NULL;
}
