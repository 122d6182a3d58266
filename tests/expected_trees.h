/*
 * expected_trees.h - what the named trees of a root must be: a few slots, each with a sorted array,
 * changed beside a transaction and compared with a view.
 *
 * Each slot has two names of its own, between which a rename goes, so that no two trees ever want
 * the same one.
 */
#ifndef VERSO_TESTS_EXPECTED_TREES_H
#define VERSO_TESTS_EXPECTED_TREES_H

#include "simulated_random.h"
#include "tree_state.h"
#include "verso.h"

enum { EXPECTED_TREES = 3 };

struct expected_tree {
    const char *name; /* NULL: there is none */
    uint64_t number;
    struct tree_state state; /* its bytes are borrowed */
};

/** Begin with a zeroed one: no trees. */
struct expected_trees {
    struct expected_tree slot[EXPECTED_TREES];
    uint64_t created; /* how many ever were */
};

struct expected_trees expected_trees_copy(const struct expected_trees *trees);
void expected_trees_clear(struct expected_trees *trees);

/** What all of them add to the fingerprint of their root. */
uint64_t expected_trees_fingerprint(const struct expected_trees *trees);

/**
 * Create, drop or rename one of them, in the transaction and here; or open one to be changed.
 *
 * @param[out] tree    The one to be changed; NULL: none.
 * @param[out] handle  Its handle.
 * @return NULL, or what went wrong: valid until the next call of this thread.
 */
const char *expected_trees_change(struct expected_trees *trees, verso_txn *txn,
                                  struct simulated_random *random, struct expected_tree **tree,
                                  verso_txn **handle);

/** Compare the names that a view has, and every tree entirely. @return As above. */
const char *expected_trees_compare(const struct expected_trees *trees, verso_view *view,
                                   struct simulated_random *random);

#endif
