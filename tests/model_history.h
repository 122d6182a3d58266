/*
 * model_history.h - steps of a store model that compare roots with each other, follow keys back and
 * revert, on the store and on sorted arrays.
 *
 * The calls answer NULL, or what went wrong: valid until the next call of this thread.
 */
#ifndef VERSO_TESTS_MODEL_HISTORY_H
#define VERSO_TESTS_MODEL_HISTORY_H

#include "expected_roots.h"

/** A view with the state that it must show. */
struct model_view {
    verso_view *view;
    const struct tree_state *state;
};

/** Compare the differences between two views, all or those of a random range. */
const char *model_history_difference(struct model_view from, struct model_view to,
                                     struct simulated_random *random);

/** Revert a transaction to a root, entirely or in a random range. */
const char *model_history_revert(verso_txn *txn, struct tree_state *working, struct model_view to,
                                 struct simulated_random *random);

/** Revert all trees of a transaction to a root, and compare the fingerprint with that one's. */
const char *model_history_revert_all(verso_txn *txn, struct expected_roots *roots, verso_view *to,
                                     uint64_t version);

#endif
