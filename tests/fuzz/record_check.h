/*
 * record_check.h - each record of the formats, read from hostile bytes: what is accepted is written
 * again, and must come out as it went in.
 */
#ifndef VERSO_TESTS_FUZZ_RECORD_CHECK_H
#define VERSO_TESTS_FUZZ_RECORD_CHECK_H

#include <stddef.h>
#include <stdint.h>

enum { RECORD_KINDS = 10, RECORD_BYTES_MAX = 4352 };

/** Read `bytes` as a record of the kind (below RECORD_KINDS). Aborts where anything is not as it
 *  must be. */
void record_check(unsigned kind, const uint8_t *bytes, size_t size);

/** Enter the checksums that a record of the kind has, where it has the room. */
void record_repair(unsigned kind, uint8_t *bytes, size_t size);

/** Write a sound record of the kind. @return Its size. */
size_t record_seed(unsigned kind, uint8_t *bytes);

#endif
