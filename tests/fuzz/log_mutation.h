/*
 * log_mutation.h - change the bytes of a log's segments as one who knows frames, and repair their
 * checksums, places and chain.
 *
 * The segments lie behind each other, LOG_SEGMENT_SIZE bytes each, the last as long as it is.
 */
#ifndef VERSO_TESTS_FUZZ_LOG_MUTATION_H
#define VERSO_TESTS_FUZZ_LOG_MUTATION_H

#include <stddef.h>
#include <stdint.h>

enum {
    LOG_SEGMENT_SIZE = 64 * 1024, /* of stores whose pages are below 4,096 bytes */
    LOG_SEGMENTS_MAX = 4,
};

/** Change 1 to 4 things. @return The new size, at most `capacity`. */
size_t log_mutate(uint8_t *log, size_t size, size_t capacity, unsigned seed);

#endif
