/*
 * increment_mutation.h - change the bytes of an increment as one who knows its records, and repair
 * checksums and counts.
 */
#ifndef VERSO_TESTS_FUZZ_INCREMENT_MUTATION_H
#define VERSO_TESTS_FUZZ_INCREMENT_MUTATION_H

#include <stddef.h>
#include <stdint.h>

/** Change 1 to 4 things. @return The new size, at most `capacity`. */
size_t increment_mutate(uint8_t *bytes, size_t size, size_t capacity, unsigned seed);

#endif
