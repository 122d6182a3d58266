/*
 * savepoint.c - savepoints of a transaction: its trees, its operations, its outcome so far.
 */
#include "api/savepoint.h"

#include <stdlib.h>

#include "api/handles.h"
#include "os/fault.h"

void vs_txn_savepoints_clear(struct vs_txn_savepoints *savepoints)
{
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
    if (err == VERSO_OK) {
        err = vs_writer_savepoint(shared->tree.writer);
    }
    if (err != VERSO_OK) {
        return err;
    }
    savepoints->open[savepoints->count++] = (struct vs_txn_savepoint){
        .tree = vs_tree_edit_mark(&shared->tree),
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
        err = vs_writer_rollback_to(shared->tree.writer, savepoint);
    }
    if (err != VERSO_OK) {
        return err;
    }
    shared->savepoints.count = savepoint;
    const struct vs_txn_savepoint *to = &shared->savepoints.open[savepoint - 1];
    vs_tree_edit_return(&shared->tree, &to->tree);
    vs_operations_take_back(&shared->operations, to->operations_size);
    vs_view_forget_pieces(&shared->main.view);
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
        vs_writer_release(txn->shared->tree.writer, savepoint);
        txn->shared->savepoints.count = savepoint - 1;
    }
    return err;
}
