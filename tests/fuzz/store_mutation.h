/*
 * store_mutation.h - change the bytes of a store file as one who knows where what lies, and repair
 * the checksums above.
 */
#ifndef VERSO_TESTS_FUZZ_STORE_MUTATION_H
#define VERSO_TESTS_FUZZ_STORE_MUTATION_H

#include <stddef.h>
#include <stdint.h>

#include "simulated_random.h"

enum {
    STORE_FILE_SIZE_MAX = 320 * 1024, /* bytes: a small store with pages of 4,096 fits in */
};

/**
 * A number that is likely to be somebody's limit: small, huge, a power of two, or near the number
 * that stood there.
 */
uint64_t mutation_number(struct simulated_random *random, uint64_t before);

/** Replace the little-endian number of `width` bytes (1, 2, 4 or 8) at `at`. */
void mutation_of_number(struct simulated_random *random, uint8_t *at, unsigned width);

/** Change 1 to 4 things of a file of `size` bytes. @return Its new size, at most `capacity`. */
size_t store_mutate(uint8_t *file, size_t size, size_t capacity, unsigned seed);

/**
 * A byte of choices, of which one in four goes on with what its parent did. The others draw each
 * choice anew: bit i is set in one of one_in[i] of them, 0 meaning none.
 */
uint8_t mutation_choices(uint8_t parent, const uint8_t one_in[8], unsigned seed);

#endif
