/*
 * model_savepoints.c - savepoints of a transaction beside copies of a sorted array.
 */
#include "model_savepoints.h"

#include <stdio.h>

#include "view_compare.h"

static const char *failed(const char *what, verso_err err)
{
    static _Thread_local char fault[600];
    snprintf(fault, sizeof fault, "%s: %s (%s)", what, verso_strerror(err), verso_error_detail());
    return fault;
}

/* Forget the savepoints above the first `count`. */
static void cut(struct model_savepoints *savepoints, uint32_t count)
{
    while (savepoints->count > count) {
        tree_state_clear(&savepoints->state[--savepoints->count]);
        expected_trees_clear(&savepoints->named[savepoints->count]);
    }
}

static const char *open_one(struct model_savepoints *savepoints, verso_txn *txn,
                            const struct tree_state *working, const struct expected_trees *named)
{
    uint32_t number = 0;
    verso_err err = verso_savepoint(txn, &number);
    if (err != VERSO_OK || number != savepoints->count + 1) {
        return failed("a savepoint", err);
    }
    savepoints->named[savepoints->count] = expected_trees_copy(named);
    savepoints->state[savepoints->count++] = tree_state_copy(working);
    return NULL;
}

static const char *roll_back(struct model_savepoints *savepoints, uint32_t to, verso_txn *txn,
                             struct tree_state *working, struct expected_trees *named,
                             struct simulated_random *random)
{
    verso_err err = verso_rollback(txn, to);
    if (err != VERSO_OK) {
        return failed("a rollback", err);
    }
    cut(savepoints, to);
    tree_state_clear(working);
    *working = tree_state_copy(&savepoints->state[to - 1]);
    expected_trees_clear(named);
    *named = expected_trees_copy(&savepoints->named[to - 1]);
    verso_view *view = verso_txn_view(txn);
    const char *fault = NULL;
    if (simulated_random_below(random, 4) == 0) {
        fault = view_compare_all(view, working, random);
        return fault == NULL ? expected_trees_compare(named, view, random) : fault;
    }
    for (unsigned i = 0; i < 3 && fault == NULL; i++) {
        fault = view_compare_some(view, working, verso_text("key"), random);
    }
    return fault;
}

const char *model_savepoints_move(struct model_savepoints *savepoints, verso_txn *txn,
                                  struct tree_state *working, struct expected_trees *named,
                                  struct simulated_random *random)
{
    uint64_t drawn = simulated_random_below(random, 8);
    if (savepoints->count == 0 || (drawn < 4 && savepoints->count < MODEL_SAVEPOINTS_MAX)) {
        return open_one(savepoints, txn, working, named);
    }
    uint32_t to = savepoints->count; /* mostly the innermost */
    if (simulated_random_below(random, 4) == 0) {
        to = 1 + (uint32_t)simulated_random_below(random, savepoints->count);
    }
    if (drawn < 7) {
        return roll_back(savepoints, to, txn, working, named, random);
    }
    verso_err err = verso_release(txn, to);
    cut(savepoints, to - 1);
    return err == VERSO_OK ? NULL : failed("a release", err);
}

void model_savepoints_clear(struct model_savepoints *savepoints)
{
    cut(savepoints, 0);
}
