/*
 * transaction.c - the write transaction: its beginning and its end.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "history/retention.h"
#include "os/fault.h"

enum { SPARE_BYTES_MAX = 1 << 20 }; /* buffers kept from one transaction to the next */

/* ---- begin and abort ---- */

/* A transaction's memory: the last one's, or new. */
static struct vs_transaction *take_memory(verso_store *store)
{
    struct vs_transaction *shared =
        atomic_exchange_explicit(&store->spare, NULL, memory_order_acquire);
    return shared != NULL ? shared : calloc(1, sizeof *shared);
}

static void free_memory(struct vs_transaction *shared)
{
    if (shared != NULL) {
        vs_tree_set_clear(&shared->trees);
        vs_operations_clear(&shared->operations);
        vs_txn_savepoints_clear(&shared->savepoints);
        free(shared->old);
        free(shared);
    }
}

void vs_txn_free_spare(verso_store *store)
{
    free_memory(atomic_exchange_explicit(&store->spare, NULL, memory_order_acquire));
}

/* Keep the memory for the next transaction, unless this one was unusually large. */
static void give_memory_back(verso_store *store, struct vs_transaction *shared)
{
    if (shared->operations.capacity > SPARE_BYTES_MAX || shared->old_capacity > SPARE_BYTES_MAX) {
        free_memory(shared);
        return;
    }
    free_memory(atomic_exchange_explicit(&store->spare, shared, memory_order_acq_rel));
}

/* Fill a transaction that has got the writer lock. */
static void start(struct vs_transaction *shared, verso_store *store, struct vs_page_writer *writer)
{
    const struct vs_root_record *tip = &store->store->tip;
    vs_tree_set_begin(&shared->trees, writer, tip);
    shared->owner = store;
    shared->changed = false;
    shared->broken = false;
    shared->ended = false;
    vs_operations_restart(&shared->operations, !store->store->in_memory,
                          store->store->config.log_bytes);
    verso_txn *txn = &shared->main;
    *txn = (verso_txn){.shared = shared, .edit = &shared->trees.main};
    txn->view = (struct verso_view){.owner = store, .txn = txn, .record = *tip};
}

verso_err verso_begin(verso_store *store, verso_txn **txn)
{
    if (store == NULL || txn == NULL) {
        return vs_fault(VERSO_INVALID, "verso_begin: an argument is NULL");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_transaction *fresh = take_memory(store);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a transaction");
    }
    struct vs_page_writer *writer;
    err = vs_store_begin(store->store, &writer);
    if (err != VERSO_OK) {
        give_memory_back(store, fresh);
        return err;
    }
    start(fresh, store, writer);
    atomic_fetch_add_explicit(&store->views, 1, memory_order_relaxed);
    *txn = &fresh->main;
    return VERSO_OK;
}

static void free_transaction(struct vs_transaction *shared)
{
    verso_store *owner = shared->owner;
    struct vs_tree_set *trees = &shared->trees;
    atomic_fetch_add_explicit(&owner->store->counts.relief_copies, vs_tree_set_relief_copies(trees),
                              memory_order_relaxed);
    for (size_t i = 0; i < trees->count; i++) {
        verso_txn *tree = trees->tree[i]->handle;
        if (tree != NULL) {
            vs_view_clear(&tree->view);
            free(tree);
        }
    }
    vs_view_clear(&shared->main.view);
    vs_txn_savepoints_close(&shared->savepoints, 0);
    vs_tree_set_end(trees);
    /* whoever uses the handle once more meets this memory, if nobody has begun another transaction
       since: an abort behind a commit must not end what others have running */
    shared->ended = true;
    trees->main.dropped = true;
    give_memory_back(owner, shared);
    atomic_fetch_sub_explicit(&owner->views, 1, memory_order_release);
}

static void abort_transaction(struct vs_transaction *shared)
{
    vs_store_abort(shared->owner->store);
    free_transaction(shared);
}

/* Only the handle that verso_begin() gave ends the transaction. */
static bool is_main(const verso_txn *txn)
{
    return txn == &txn->shared->main;
}

void verso_abort(verso_txn *txn)
{
    if (txn != NULL && is_main(txn) && !txn->shared->ended &&
        vs_check_process(txn->shared->owner) == VERSO_OK) {
        abort_transaction(txn->shared);
    }
}

verso_err vs_txn_check(const verso_txn *txn)
{
    if (txn == NULL) {
        return vs_fault(VERSO_INVALID, "the transaction is NULL");
    }
    verso_err err = vs_view_check(&txn->view);
    if (err == VERSO_OK && txn->shared->broken) {
        err = vs_fault(VERSO_MUST_ABORT, "an earlier call failed in the middle of a change");
    }
    return err;
}

verso_view *verso_txn_view(verso_txn *txn)
{
    return txn == NULL ? NULL : &txn->view;
}

/* ---- commit ---- */

static verso_err read_commit_options(const verso_commit_options *given,
                                     verso_commit_options *options)
{
    const verso_commit_options defaults = VERSO_COMMIT_OPTIONS_INIT;
    *options = defaults;
    if (given == NULL) {
        return VERSO_OK;
    }
    if (given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "commit options: `size` is %zu", given->size);
    }
    memcpy(options, given, given->size < sizeof *options ? given->size : sizeof *options);
    if (options->note.size > VS_NOTE_MAX || !vs_slice_is_sound(options->note)) {
        return vs_fault(VERSO_INVALID, "commit options: a note of %zu bytes; at most %d",
                        options->note.size, VS_NOTE_MAX);
    }
    if ((int)options->durability < VERSO_DURABILITY_DEFAULT ||
        (int)options->durability > VERSO_DURABILITY_INTERVAL) {
        return vs_fault(VERSO_INVALID, "commit options: no durability has the number %d",
                        (int)options->durability);
    }
    return VERSO_OK;
}

/* As durable as the caller wants it. VERSO_UNKNOWN. */
static verso_err await_durability(struct vs_store *store, const verso_commit_options *options,
                                  uint64_t end_lsn)
{
    verso_durability durability = options->durability == VERSO_DURABILITY_DEFAULT
                                      ? store->config.durability
                                      : options->durability;
    if (options->asynchronous || durability != store->config.durability) {
        vs_checkpointer_sync_soon(store); /* a sync store publishes it when it is durable */
    }
    if (options->asynchronous) {
        durability = VERSO_DURABILITY_INTERVAL; /* still holds back who runs far ahead */
    }
    return vs_store_wait(store, end_lsn, durability);
}

/* The root is there: wait, and hand it out. */
static verso_err acknowledge(verso_store *owner, const verso_commit_options *options,
                             uint64_t end_lsn, uint64_t version, verso_view *view,
                             verso_root_id *root)
{
    verso_err err = await_durability(owner->store, options, end_lsn);
    if (err != VERSO_OK) { /* nobody would close what he was not given */
        verso_view_close(view);
        return err;
    }
    if (view != NULL) {
        *options->view = view;
    }
    if (root != NULL) {
        *root = version;
    }
    return VERSO_OK;
}

/* A transaction without changes makes no root; its view, if wanted, is of the root it started from.
 * That may be one that nobody has waited for yet, though what this one has read there, and left
 * alone because of it, is acknowledged with it. */
static verso_err commit_nothing(struct vs_transaction *shared, const verso_commit_options *options,
                                verso_root_id *root)
{
    verso_store *owner = shared->owner;
    struct vs_store *store = owner->store;
    struct vs_root_record tip = store->tip;
    uint64_t end_lsn = store->tip_lsn;
    verso_view *view = NULL;
    uint32_t slot = 0;
    verso_err err = VERSO_OK;
    if (options->view != NULL) {
        err = vs_reader_pin(&store->readers, tip.version, &slot);
    }
    abort_transaction(shared);
    if (err == VERSO_OK && options->view != NULL) {
        err = vs_view_wrap(owner, slot, &tip, &view);
    }
    return err == VERSO_OK ? acknowledge(owner, options, end_lsn, tip.version, view, root) : err;
}

/* The clock's time, but never before the last commit's: so roots can be found by time. */
static int64_t commit_time(struct vs_store *store)
{
    int64_t now = store->os->clock_us(store->os);
    return now > store->tip.time_us ? now : store->tip.time_us;
}

/* Choose the roots that the policy does not keep beside the new one, and note it for the log. Those
 * that cannot be noted stay for now. */
static void choose_drops(struct vs_transaction *shared, int64_t time_us,
                         struct vs_version_range *ranges, unsigned *count)
{
    struct vs_store *store = shared->owner->store;
    vs_retention_step(store, store->tip.version + 1, time_us, ranges, count);
    for (unsigned i = 0; i < *count; i++) {
        struct vs_operation operation = {.kind = VS_OPERATION_DROP_ROOTS,
                                         .number = {ranges[i].from, ranges[i].to}};
        if (vs_operations_reserve(&shared->operations, 0) != VERSO_OK) {
            *count = i;
            return;
        }
        vs_operations_note(&shared->operations, &operation);
    }
}

static struct vs_commit describe_commit(const struct vs_transaction *shared,
                                        const verso_commit_options *options, int64_t time_us)
{
    return (struct vs_commit){
        .tree = shared->trees.main.root,
        .catalogue = shared->trees.catalogue.root,
        .fingerprint = vs_tree_set_fingerprint(&shared->trees),
        .time_us = time_us,
        .note = options->note,
        .operations = {shared->operations.bytes, shared->operations.size},
        .bypass_log = shared->operations.overflowed,
    };
}

static verso_err commit_changes(struct vs_transaction *shared, const verso_commit_options *options,
                                verso_root_id *root)
{
    verso_store *owner = shared->owner;
    struct vs_store *store = owner->store;
    verso_err err = vs_tree_set_settle(&shared->trees, &shared->broken);
    if (err != VERSO_OK) {
        abort_transaction(shared);
        return err;
    }
    int64_t time_us = commit_time(store);
    struct vs_version_range drops[VS_RETENTION_STEP_MAX];
    unsigned drop_count;
    choose_drops(shared, time_us, drops, &drop_count);
    struct vs_commit commit = describe_commit(shared, options, time_us);
    commit.drops = drops;
    commit.drop_count = drop_count;
    struct vs_root_record record = {.tree = commit.tree,
                                    .catalogue = commit.catalogue,
                                    .fingerprint = commit.fingerprint,
                                    .time_us = commit.time_us,
                                    .note = {NULL, commit.note.size}};
    verso_view *view = options->view != NULL ? calloc(1, sizeof *view) : NULL;
    if (view == NULL && options->view != NULL) {
        abort_transaction(shared);
        return vs_fault(VERSO_NOMEM, "no memory for a view");
    }
    uint32_t slot = 0;
    commit.pin = view != NULL ? &slot : NULL;
    uint64_t version = 0;
    uint64_t end_lsn = 0;
    err = vs_store_commit(store, &commit, &version, &end_lsn);
    free_transaction(shared);
    if (err != VERSO_OK) {
        free(view);
        return err;
    }
    if (view != NULL) {
        record.version = version;
        vs_view_fill(view, owner, slot, &record);
    }
    return acknowledge(owner, options, end_lsn, version, view, root);
}

verso_err verso_commit(verso_txn *txn, const verso_commit_options *given, verso_root_id *root)
{
    if (txn == NULL) {
        return vs_fault(VERSO_INVALID, "verso_commit: the transaction is NULL");
    }
    if (!is_main(txn)) {
        return vs_fault(VERSO_INVALID, "verso_commit: a named tree's handle; commit the one that "
                                       "verso_begin() gave");
    }
    struct vs_transaction *shared = txn->shared;
    verso_err err = vs_check_process(shared->owner);
    if (err == VERSO_OK && shared->ended) {
        err = vs_fault(VERSO_INVALID, "verso_commit: the transaction has ended already");
    }
    if (err != VERSO_OK) {
        return err;
    }
    verso_commit_options options;
    err = read_commit_options(given, &options);
    if (err == VERSO_OK) {
        err = vs_txn_check(txn);
    }
    if (err != VERSO_OK) {
        abort_transaction(shared);
        return err;
    }
    return shared->changed ? commit_changes(shared, &options, root)
                           : commit_nothing(shared, &options, root);
}

verso_err verso_wait_durable(verso_store *store, verso_root_id root)
{
    if (store == NULL) {
        return vs_fault(VERSO_INVALID, "verso_wait_durable: the store is NULL");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    if (root >= atomic_load_explicit(&inner->roots.end, memory_order_acquire)) {
        return vs_fault(VERSO_NOT_FOUND, "root %llu was not committed yet",
                        (unsigned long long)root);
    }
    if (root <= atomic_load_explicit(&inner->durable, memory_order_acquire) || inner->in_memory) {
        return VERSO_OK;
    }
    err = vs_store_sync(inner);
    return err != VERSO_POISONED
               ? err
               : vs_fault(VERSO_UNKNOWN, "a sync failed before root %llu became durable",
                          (unsigned long long)root);
}
