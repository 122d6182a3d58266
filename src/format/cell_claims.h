/*
 * cell_claims.h - which bytes of a page are claimed by a cell: for the checks of leaf and branch.
 *
 * One bit a byte. Overlapping cells would let a change of one damage another's length, so a check
 * refuses them; a bitmap finds them in the order they come, at some 3 ns a cell.
 */
#ifndef VERSO_FORMAT_CELL_CLAIMS_H
#define VERSO_FORMAT_CELL_CLAIMS_H

#include <stdbool.h>
#include <string.h>

#include "format/page.h"

struct cell_claims {
    uint64_t word[VS_PAGE_SIZE_MAX / 64];
};

static inline void cell_claims_init(struct cell_claims *claims, size_t page_size)
{
    memset(claims->word, 0, page_size / 8);
}

/** Claim bytes [from, to) of the page, from < to. @return false if one of them was claimed
 * before. */
static inline bool cell_claims_add(struct cell_claims *claims, size_t from, size_t to)
{
    size_t first = from / 64;
    size_t last = (to - 1) / 64;
    uint64_t mask = UINT64_MAX << (from % 64);
    uint64_t last_mask = UINT64_MAX >> (63 - (to - 1) % 64);
    uint64_t taken = 0;
    for (size_t w = first; w < last; w++) {
        taken |= claims->word[w] & mask;
        claims->word[w] |= mask;
        mask = UINT64_MAX;
    }
    mask &= last_mask;
    taken |= claims->word[last] & mask;
    claims->word[last] |= mask;
    return taken == 0;
}

#endif
