/*
 * model_savepoints.h - the open savepoints of a model's transaction: sorted arrays for each.
 */
#ifndef VERSO_TESTS_MODEL_SAVEPOINTS_H
#define VERSO_TESTS_MODEL_SAVEPOINTS_H

#include "expected_trees.h"
#include "simulated_random.h"
#include "tree_state.h"
#include "verso.h"

enum { MODEL_SAVEPOINTS_MAX = 8 };

/** Begin with a zeroed one. The states borrow the bytes of the transaction's. */
struct model_savepoints {
    struct tree_state state[MODEL_SAVEPOINTS_MAX]; /* outermost first */
    struct expected_trees named[MODEL_SAVEPOINTS_MAX];
    uint32_t count;
};

/**
 * Open a savepoint, roll back to one or release one, on both; what was rolled back is compared.
 *
 * @param working  The transaction's state, and that of its named trees.
 * @return NULL, or what went wrong: valid until the next call of this thread.
 */
const char *model_savepoints_move(struct model_savepoints *savepoints, verso_txn *txn,
                                  struct tree_state *working, struct expected_trees *named,
                                  struct simulated_random *random);

/** The transaction has ended. */
void model_savepoints_clear(struct model_savepoints *savepoints);

#endif
