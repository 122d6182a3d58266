/*
 * sparse_bytes.h - files that are mostly zeros, as few bytes: how the fuzzer's inputs hold them.
 *
 *     +---------+---------+----------------------+---------+---------+-----
 *     | zeros   | bytes   | so many bytes ...    | zeros   | bytes   | ...       LEB128 numbers
 *     +---------+---------+----------------------+---------+---------+-----
 *
 * Any bytes unpack to something, so that the fuzzer may cut and join inputs as it likes.
 */
#ifndef VERSO_TESTS_FUZZ_SPARSE_BYTES_H
#define VERSO_TESTS_FUZZ_SPARSE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/** Unpack into `bytes`, which get zeros beyond the end. @return The size, at most `capacity`. */
size_t sparse_unpack(const uint8_t *packed, size_t packed_size, uint8_t *bytes, size_t capacity);

/** Pack. @return The size, or 0 if it is above `capacity`. */
size_t sparse_pack(const uint8_t *bytes, size_t size, uint8_t *packed, size_t capacity);

#endif
