/*
 * range.h - a caller's verso_range, checked and brought to one form: [from, to).
 *
 * Inclusive, exclusive and prefix bounds all become the first key in the range and the first key
 * behind it, so that whoever works on a range knows one kind of bound. The keys are copies.
 *
 * Threads: a range is a value of its owner.
 */
#ifndef VERSO_API_RANGE_H
#define VERSO_API_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "tree/tree.h"
#include "verso.h"

struct vs_range {
    struct vs_key_range keys; /* the bounds point into `bytes` */
    bool empty;               /* no key can lie between the bounds */
    uint8_t *bytes;           /* owned; NULL: all keys */
};

/**
 * Read a range that a caller gave.
 *
 * @param given       NULL for all keys.
 * @param[out] range  Set on success only; end it with vs_range_clear().
 * @retval VERSO_INVALID  Its size is wrong, or a bound has a size but no data.
 */
verso_err vs_range_read(const verso_range *given, struct vs_range *range);

/** Free the bounds. */
void vs_range_clear(struct vs_range *range);

/** Is the key below the range, or above it? */
bool vs_range_is_below(const struct vs_range *range, verso_slice key);
bool vs_range_is_above(const struct vs_range *range, verso_slice key);

#endif
