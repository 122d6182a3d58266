/*
 * branch_sequence.h - children in key order, wherever they lie: what a branch is written from.
 *
 * Either an array of cells, or one page with one cell put in: an edit that rebuilds its
 * page needs no array. For the branch_*.c files only.
 */
#ifndef VERSO_FORMAT_BRANCH_SEQUENCE_H
#define VERSO_FORMAT_BRANCH_SEQUENCE_H

#include "format/branch_layout.h"

struct branch_sequence {
    const struct vs_branch_cell *cells; /* NULL: `source` with `put` counts */
    const uint8_t *source;
    const struct vs_branch_cell *put; /* at `index` */
    unsigned index;
    bool replace; /* `put` stands for the source's child there, instead of before it */
    unsigned count;
    unsigned level;
};

static inline struct vs_branch_cell branch_sequence_at(const struct branch_sequence *sequence,
                                                       unsigned i)
{
    assert(i < sequence->count);
    if (sequence->cells != NULL) {
        return sequence->cells[i];
    }
    if (i == sequence->index) {
        return *sequence->put;
    }
    bool behind = !sequence->replace && i > sequence->index;
    return (struct vs_branch_cell){.page = sequence->source, .index = behind ? i - 1 : i};
}

/** Size of the prefix that all separators but the first share. */
size_t vs_branch_sequence_prefix(const struct branch_sequence *sequence);

/** Bytes of a branch of this capacity that holds the sequence behind a prefix of this size. */
size_t vs_branch_sequence_size(const struct branch_sequence *sequence, size_t prefix_size,
                               unsigned capacity);

/** Write a branch whose prefix is the first `prefix_size` bytes of separator 1. */
void vs_branch_sequence_encode(const struct branch_sequence *sequence, size_t prefix_size,
                               unsigned capacity, uint8_t *page, size_t page_size, uint64_t birth);

/** Write separator `i` >= 1 over what stands there: with a cell in the gap, if it needs one. */
void vs_branch_put_separator(uint8_t *page, unsigned i, verso_slice separator);

/** Set the hints anew from heads, but those for heads before `index`. */
void vs_branch_refresh_hints(uint8_t *page, unsigned index);

#endif
