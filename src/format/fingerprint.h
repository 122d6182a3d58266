/*
 * fingerprint.h - the sum, modulo 2^64, of one term for each pair of a root.
 *
 * term = H(key, seed = H(value)) for pairs of the default tree; XXH64 is H. A put adds one term and
 * subtracts the replaced one. It guards against accidents, not against adversaries.
 */
#ifndef VERSO_FORMAT_FINGERPRINT_H
#define VERSO_FORMAT_FINGERPRINT_H

#include <stdint.h>

#include "verso.h"

/** XXH64 (Yann Collet), as its specification defines it. */
uint64_t vs_xxh64(uint64_t seed, const void *bytes, size_t size);

static inline uint64_t vs_value_hash(verso_slice value)
{
    return vs_xxh64(0, value.data, value.size);
}

/** The term of one pair. `tree` is 0 for the default tree, else the named tree's number. */
static inline uint64_t vs_fingerprint_term(uint64_t tree, verso_slice key, uint64_t value_hash)
{
    return vs_xxh64(value_hash + tree, key.data, key.size);
}

#endif
