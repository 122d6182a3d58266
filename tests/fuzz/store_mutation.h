/*
 * store_mutation.h - change the bytes of a store file as one who knows where what lies, and repair
 * the checksums above.
 */
#ifndef VERSO_TESTS_FUZZ_STORE_MUTATION_H
#define VERSO_TESTS_FUZZ_STORE_MUTATION_H

#include <stddef.h>
#include <stdint.h>

#include "simulated_random.h"

/**
 * A number that is likely to be somebody's limit: small, huge, a power of two, or near the number
 * that stood there.
 */
uint64_t mutation_number(struct simulated_random *random, uint64_t before);

/** Replace the little-endian number of `width` bytes (1, 2, 4 or 8) at `at`. */
void mutation_of_number(struct simulated_random *random, uint8_t *at, unsigned width);

/**
 * Change 1 to 4 things.
 *
 * @param[in,out] size  Bytes of the file; the room for it is `capacity`.
 * @param choices       A byte beside the file, which may be changed as well.
 * @return The choices.
 */
uint8_t store_mutate(uint8_t *file, size_t *size, size_t capacity, uint8_t choices, unsigned seed);

#endif
