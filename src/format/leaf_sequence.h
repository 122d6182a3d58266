/*
 * leaf_sequence.h - cells in key order, wherever they lie: what a leaf is written from.
 *
 * Either an array of cells, or one page with one cell put in: an edit that rebuilds its
 * page needs no array. For the leaf_*.c files only.
 */
#ifndef VERSO_FORMAT_LEAF_SEQUENCE_H
#define VERSO_FORMAT_LEAF_SEQUENCE_H

#include "format/leaf_layout.h"

struct leaf_sequence {
    const struct vs_leaf_cell *cells; /* NULL: `source` with `put` counts */
    const uint8_t *source;
    const struct vs_leaf_cell *put; /* at `index` */
    unsigned index;
    bool replace; /* `put` stands for the source's cell there, instead of before it */
    unsigned count;
};

static inline struct vs_leaf_cell leaf_sequence_at(const struct leaf_sequence *sequence, unsigned i)
{
    assert(i < sequence->count);
    if (sequence->cells != NULL) {
        return sequence->cells[i];
    }
    if (i == sequence->index) {
        return *sequence->put;
    }
    bool behind = !sequence->replace && i > sequence->index;
    return (struct vs_leaf_cell){.page = sequence->source, .index = behind ? i - 1 : i};
}

/** A cell's key, in `buffer` (LEAF_KEY_MAX bytes) unless it lies in one piece elsewhere. */
verso_slice vs_leaf_cell_key(const struct vs_leaf_cell *cell, uint8_t *buffer);

/** Size of the prefix that all keys share. */
size_t vs_leaf_sequence_prefix(const struct leaf_sequence *sequence);

/** Bytes of a leaf that holds the sequence, behind a prefix of this size. */
size_t vs_leaf_sequence_size(const struct leaf_sequence *sequence, size_t prefix_size);

/** Write a leaf whose prefix is the first `prefix_size` bytes of the first key. */
void vs_leaf_sequence_encode(const struct leaf_sequence *sequence, size_t prefix_size,
                             uint8_t *page, size_t page_size, uint64_t birth);

#endif
