/*
 * cost.h - what versions cost: the pages that one keeps alone, and those that it shares.
 *
 * A page with the life span [born, died) is held by the kept versions in it, which are neighbours
 * among all kept ones: two binary searches give the first and the last. Is it the same one, the page
 * is its own; else every one but the first shares it with the one before, every one but the last
 * with the one after. So one pass over the page table tells all, exactly.
 */
#ifndef VERSO_HISTORY_COST_H
#define VERSO_HISTORY_COST_H

#include "store/store.h"

/** Pages that a version holds. */
struct vs_cost {
    uint64_t own;    /* no other kept version has them */
    uint64_t before; /* shared with the kept version before */
    uint64_t after;  /* shared with the kept version after */
};

/** The costs of the kept versions from one to another. Zeroed: none. */
struct vs_costs {
    const struct vs_version_set *kept;
    uint64_t *rank;      /* of each range's first version among all kept */
    uint64_t first_rank; /* of cost[0] */
    uint64_t count;
    struct vs_cost *cost;
};

/**
 * Count the costs of the versions of `kept` from `first` to `last`, which both belong to it.
 * Writer lock.
 *
 * @param kept        Borrowed until vs_costs_clear().
 * @param[out] costs  Cleared by the caller. VERSO_NOMEM, VERSO_CORRUPT.
 */
verso_err vs_costs_count(struct vs_store *store, const struct vs_version_set *kept, uint64_t first,
                         uint64_t last, struct vs_costs *costs);
void vs_costs_clear(struct vs_costs *costs);

/** The cost of a version that belongs to the set and lies in the range. */
const struct vs_cost *vs_costs_of(const struct vs_costs *costs, uint64_t version);

#endif
