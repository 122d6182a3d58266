/*
 * savepoint.c - savepoints of a transaction: its trees, its operations, its outcome so far.
 */
#include "api/savepoint.h"

#include <stdlib.h>

#include "api/handles.h"
#include "os/fault.h"

void vs_txn_savepoints_close(struct vs_txn_savepoints *savepoints, uint32_t left)
{
    while (savepoints->count > left) {
        free(savepoints->open[--savepoints->count].trees);
    }
}

void vs_txn_savepoints_clear(struct vs_txn_savepoints *savepoints)
{
    vs_txn_savepoints_close(savepoints, 0);
    free(savepoints->open);
    *savepoints = (struct vs_txn_savepoints){NULL, 0, 0};
}

static verso_err make_room(struct vs_txn_savepoints *savepoints)
{
    if (savepoints->count < savepoints->capacity) {
        return VERSO_OK;
    }
    uint32_t capacity = savepoints->capacity * 2 + 8;
    struct vs_txn_savepoint *grown = realloc(savepoints->open, capacity * sizeof *grown);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a savepoint");
    }
    savepoints->open = grown;
    savepoints->capacity = capacity;
    return VERSO_OK;
}

verso_err verso_savepoint(verso_txn *txn, uint32_t *savepoint)
{
    verso_err err = vs_txn_check(txn);
    if (err == VERSO_OK && savepoint == NULL) {
        err = vs_fault(VERSO_INVALID, "verso_savepoint: an argument is NULL");
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_transaction *shared = txn->shared;
    struct vs_txn_savepoints *savepoints = &shared->savepoints;
    err = make_room(savepoints);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_set_state *trees = vs_tree_set_save(&shared->trees);
    err = trees == NULL ? vs_fault(VERSO_NOMEM, "no memory for a savepoint")
                        : vs_writer_savepoint(shared->trees.main.writer);
    if (err != VERSO_OK) {
        free(trees);
        return err;
    }
    savepoints->open[savepoints->count++] = (struct vs_txn_savepoint){
        .trees = trees,
        .operations_size = shared->operations.size,
        .changed = shared->changed,
    };
    *savepoint = savepoints->count;
    return VERSO_OK;
}

static verso_err check_open(const struct vs_transaction *shared, uint32_t savepoint)
{
    if (savepoint == 0 || savepoint > shared->savepoints.count) {
        return vs_fault(VERSO_INVALID, "savepoint %u is not open; the innermost is %u", savepoint,
                        shared->savepoints.count);
    }
    return VERSO_OK;
}

/* Values that any handle has handed out end. */
static void forget_pieces(struct vs_transaction *shared)
{
    vs_view_forget_pieces(&shared->main.view);
    for (size_t i = 0; i < shared->trees.count; i++) {
        verso_txn *tree = shared->trees.tree[i]->handle;
        if (tree != NULL) {
            vs_view_forget_pieces(&tree->view);
        }
    }
}

verso_err verso_rollback(verso_txn *txn, uint32_t savepoint)
{
    if (txn == NULL) {
        return vs_fault(VERSO_INVALID, "the transaction is NULL");
    }
    struct vs_transaction *shared = txn->shared;
    verso_err err = vs_check_process(shared->owner);
    if (err == VERSO_OK) {
        err = check_open(shared, savepoint);
    }
    if (err == VERSO_OK) {
        err = vs_writer_rollback_to(shared->trees.main.writer, savepoint);
    }
    if (err != VERSO_OK) {
        return err;
    }
    vs_txn_savepoints_close(&shared->savepoints, savepoint);
    const struct vs_txn_savepoint *to = &shared->savepoints.open[savepoint - 1];
    vs_tree_set_restore(&shared->trees, to->trees);
    vs_operations_take_back(&shared->operations, to->operations_size);
    forget_pieces(shared);
    shared->changed = to->changed;
    shared->broken = false; /* what was left half done is undone */
    return VERSO_OK;
}

verso_err verso_release(verso_txn *txn, uint32_t savepoint)
{
    verso_err err = vs_txn_check(txn);
    if (err == VERSO_OK) {
        err = check_open(txn->shared, savepoint);
    }
    if (err == VERSO_OK) {
        vs_writer_release(txn->shared->trees.main.writer, savepoint);
        vs_txn_savepoints_close(&txn->shared->savepoints, savepoint - 1);
    }
    return err;
}
