/*
 * savepoint.h - what a transaction remembers of its open savepoints, above the pages.
 *
 * Threads: that of the running transaction.
 */
#ifndef VERSO_API_SAVEPOINT_H
#define VERSO_API_SAVEPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree/tree_set.h"

/** One savepoint; the store's savepoint of the same number has the pages. */
struct vs_txn_savepoint {
    struct vs_tree_set_state *trees; /* owned */
    size_t operations_size;
    bool changed;
};

/** Outermost first. */
struct vs_txn_savepoints {
    struct vs_txn_savepoint *open;
    uint32_t count;
    uint32_t capacity;
};

/** Forget all but the outermost `left`. */
void vs_txn_savepoints_close(struct vs_txn_savepoints *savepoints, uint32_t left);

void vs_txn_savepoints_clear(struct vs_txn_savepoints *savepoints);

#endif
