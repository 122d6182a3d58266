/*
 * model_savepoints.h - the open savepoints of a model's transaction: a sorted array for each.
 */
#ifndef VERSO_TESTS_MODEL_SAVEPOINTS_H
#define VERSO_TESTS_MODEL_SAVEPOINTS_H

#include "simulated_random.h"
#include "tree_state.h"
#include "verso.h"

enum { MODEL_SAVEPOINTS_MAX = 8 };

/** Begin with a zeroed one. The states borrow the bytes of the transaction's. */
struct model_savepoints {
    struct tree_state state[MODEL_SAVEPOINTS_MAX]; /* outermost first */
    uint32_t count;
};

/**
 * Open a savepoint, roll back to one or release one, on both; what was rolled back is compared.
 *
 * @param working  The transaction's state.
 * @return NULL, or what went wrong: valid until the next call of this thread.
 */
const char *model_savepoints_move(struct model_savepoints *savepoints, verso_txn *txn,
                                  struct tree_state *working, struct simulated_random *random);

/** The transaction has ended. */
void model_savepoints_clear(struct model_savepoints *savepoints);

#endif
