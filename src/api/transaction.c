/*
 * transaction.c - the write transaction: its changes, each noted for the log, and its end.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "format/key_order.h"
#include "format/operation.h"
#include "os/fault.h"

enum { SPARE_BYTES_MAX = 1 << 20 }; /* buffers kept from one transaction to the next */

/* ---- the operations for the log ---- */

/* Room for one more operation, so that noting it after the change cannot fail. */
static verso_err reserve_operation(verso_txn *txn, size_t payload)
{
    struct vs_operations *operations = &txn->operations;
    if (!operations->kept) {
        return VERSO_OK;
    }
    size_t needed = operations->size + VS_OPERATION_HEADER_MAX + payload;
    if (needed > txn->owner->store->config.log_bytes || !vs_log_record_fits(VS_NOTE_MAX, needed)) {
        txn->bypass_log = true; /* written once, by a checkpoint, not twice */
        operations->kept = false;
        operations->size = 0;
        free(operations->bytes);
        operations->bytes = NULL;
        operations->capacity = 0;
        return VERSO_OK;
    }
    if (needed <= operations->capacity) {
        return VERSO_OK;
    }
    size_t capacity = operations->capacity * 2 > needed ? operations->capacity * 2 : needed + 1024;
    uint8_t *grown = realloc(operations->bytes, capacity);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the transaction's log frame");
    }
    operations->bytes = grown;
    operations->capacity = capacity;
    return VERSO_OK;
}

static void append_bytes(struct vs_operations *operations, const void *bytes, size_t size)
{
    if (size > 0) {
        memcpy(operations->bytes + operations->size, bytes, size);
        operations->size += size;
    }
}

static void note_operation(verso_txn *txn, enum vs_operation_kind kind, verso_slice key,
                           verso_slice value)
{
    txn->changed = true;
    if (!txn->operations.kept) {
        return;
    }
    struct vs_operation operation = {.kind = kind, .key = key, .value = value};
    uint8_t header[VS_OPERATION_HEADER_MAX];
    size_t size = vs_operation_header(&operation, header);
    append_bytes(&txn->operations, header, size);
    append_bytes(&txn->operations, key.data, key.size);
    if (kind == VS_OPERATION_PUT) {
        append_bytes(&txn->operations, value.data, value.size);
    }
}

/* ---- begin and abort ---- */

/* A transaction's memory: the last one's, or new. */
static verso_txn *take_memory(verso_store *store)
{
    verso_txn *txn = atomic_exchange_explicit(&store->spare, NULL, memory_order_acquire);
    return txn != NULL ? txn : calloc(1, sizeof *txn);
}

static void free_memory(verso_txn *txn)
{
    if (txn != NULL) {
        vs_tree_edit_clear(&txn->edit);
        free(txn->operations.bytes);
        free(txn->old);
        free(txn);
    }
}

void vs_txn_free_spare(verso_store *store)
{
    free_memory(atomic_exchange_explicit(&store->spare, NULL, memory_order_acquire));
}

/* Keep the memory for the next transaction, unless this one was unusually large. */
static void give_memory_back(verso_store *store, verso_txn *txn)
{
    if (txn->operations.capacity > SPARE_BYTES_MAX || txn->old_capacity > SPARE_BYTES_MAX) {
        free_memory(txn);
        return;
    }
    free_memory(atomic_exchange_explicit(&store->spare, txn, memory_order_acq_rel));
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
    verso_txn *fresh = take_memory(store);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a transaction");
    }
    struct vs_page_writer *writer;
    err = vs_store_begin(store->store, &writer);
    if (err != VERSO_OK) {
        give_memory_back(store, fresh);
        return err;
    }
    const struct vs_root_record *tip = &store->store->tip;
    err = vs_tree_edit_restart(&fresh->edit, writer, tip->tree, 0, tip->fingerprint);
    if (err != VERSO_OK) {
        vs_store_abort(store->store);
        give_memory_back(store, fresh);
        return err;
    }
    fresh->owner = store;
    fresh->keep_last = store->store->keep_last;
    fresh->operations.kept = !store->store->in_memory;
    fresh->operations.size = 0;
    fresh->changed = false;
    fresh->broken = false;
    fresh->bypass_log = false;
    fresh->view = (struct verso_view){.owner = store, .txn = fresh, .record = *tip};
    atomic_fetch_add(&store->views, 1);
    *txn = fresh;
    return VERSO_OK;
}

static void free_txn(verso_txn *txn)
{
    verso_store *owner = txn->owner;
    atomic_fetch_add(&owner->store->counts.relief_copies, txn->edit.relief_copies);
    vs_tree_cursor_close(txn->view.probe);
    vs_view_forget_pieces(&txn->view);
    free(txn->view.note);
    give_memory_back(owner, txn);
    atomic_fetch_sub(&owner->views, 1);
}

void verso_abort(verso_txn *txn)
{
    if (txn != NULL && vs_check_process(txn->owner) == VERSO_OK) {
        vs_store_abort(txn->owner->store);
        free_txn(txn);
    }
}

/* ---- changes ---- */

static verso_err may_change(verso_txn *txn, verso_slice key, verso_slice value)
{
    if (txn == NULL || !vs_slice_is_sound(key) || !vs_slice_is_sound(value)) {
        return vs_fault(VERSO_INVALID, txn == NULL ? "the transaction is NULL"
                                                   : "key or value has a size but no data");
    }
    verso_err err = vs_check_process(txn->owner);
    if (err != VERSO_OK) {
        return err;
    }
    if (txn->broken) {
        return vs_fault(VERSO_MUST_ABORT, "an earlier call failed in the middle of a change");
    }
    return reserve_operation(txn, key.size + value.size);
}

static bool lies_in(const void *bytes, const uint8_t *range, size_t size)
{
    uintptr_t at = (uintptr_t)bytes;
    return at >= (uintptr_t)range && at - (uintptr_t)range < size;
}

/* A value read through the transaction itself may lie where the change writes: in a page that it
 * edits in place, or in the buffer of the old value. Such a one is copied, so that tree and log
 * take the same bytes. A value longer than a page lies in a run, which no change touches. */
static verso_err make_steady(verso_txn *txn, verso_slice *value, uint8_t **copy)
{
    const struct vs_arena *arena = &txn->owner->store->arena;
    bool in_page = value->size <= txn->owner->store->pages.page_size &&
                   lies_in(value->data, arena->frames, arena->frames_size);
    if (value->size == 0 || (!in_page && !lies_in(value->data, txn->old, txn->old_capacity))) {
        return VERSO_OK;
    }
    *copy = malloc(value->size);
    if (*copy == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a value of %zu bytes", value->size);
    }
    memcpy(*copy, value->data, value->size);
    value->data = *copy;
    return VERSO_OK;
}

static verso_err put(verso_txn *txn, enum vs_put_mode mode, verso_slice key, verso_slice value,
                     vs_old_value old)
{
    verso_err err = may_change(txn, key, value);
    uint8_t *copy = NULL;
    if (err == VERSO_OK) {
        err = make_steady(txn, &value, &copy);
    }
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_tree_put(&txn->edit, mode, key, value, old, txn, &txn->broken);
    if (err == VERSO_OK) {
        note_operation(txn, VS_OPERATION_PUT, key, value);
    }
    vs_view_forget_pieces(&txn->view);
    free(copy);
    return err;
}

/* Keep the value that is about to be replaced, for the caller. */
static verso_err keep_old(void *argument, const struct vs_tree_value *old)
{
    verso_txn *txn = argument;
    size_t size = old->slice.size;
    if (size > txn->old_capacity || txn->old == NULL) {
        uint8_t *grown = realloc(txn->old, size + 1);
        if (grown == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for the old value");
        }
        txn->old = grown;
        txn->old_capacity = size;
    }
    txn->old_size = size;
    if (old->is_run && old->slice.data == NULL) {
        return vs_run_copy(&txn->owner->store->pages, &old->run, 0, txn->old, size);
    }
    if (size > 0) {
        memcpy(txn->old, old->slice.data, size);
    }
    return VERSO_OK;
}

verso_err verso_put(verso_txn *txn, verso_slice key, verso_slice value)
{
    return put(txn, VS_PUT_UPSERT, key, value, NULL);
}

verso_err verso_insert(verso_txn *txn, verso_slice key, verso_slice value)
{
    return put(txn, VS_PUT_INSERT, key, value, NULL);
}

verso_err verso_replace(verso_txn *txn, verso_slice key, verso_slice value)
{
    return put(txn, VS_PUT_REPLACE, key, value, NULL);
}

verso_err verso_exchange(verso_txn *txn, verso_slice key, verso_slice value, verso_slice *old)
{
    verso_err err = put(txn, VS_PUT_REPLACE, key, value, keep_old);
    if (err == VERSO_OK && old != NULL) {
        *old = (verso_slice){txn->old, txn->old_size};
    }
    return err;
}

static verso_err delete_key(verso_txn *txn, verso_slice key, vs_old_value old)
{
    verso_err err = may_change(txn, key, (verso_slice){NULL, 0});
    if (err != VERSO_OK) {
        return err;
    }
    txn->owner->store->may_use_reserve = true; /* of space, on a full disk */
    err = vs_tree_delete(&txn->edit, key, old, txn, &txn->broken);
    if (err == VERSO_OK) {
        note_operation(txn, VS_OPERATION_DELETE, key, (verso_slice){NULL, 0});
    }
    vs_view_forget_pieces(&txn->view);
    return err;
}

verso_err verso_delete(verso_txn *txn, verso_slice key)
{
    return delete_key(txn, key, NULL);
}

verso_err verso_take(verso_txn *txn, verso_slice key, verso_slice *old)
{
    verso_err err = delete_key(txn, key, keep_old);
    if (err == VERSO_OK && old != NULL) {
        *old = (verso_slice){txn->old, txn->old_size};
    }
    return err;
}

static verso_err check_sorted(const verso_entry *entries, size_t count, size_t key_max,
                              size_t *payload)
{
    *payload = 0;
    for (size_t i = 0; i < count; i++) {
        if (!vs_slice_is_sound(entries[i].key) || !vs_slice_is_sound(entries[i].value)) {
            return vs_fault(VERSO_INVALID, "entry %zu: a size but no data", i);
        }
        if (i > 0 && vs_key_compare(entries[i - 1].key, entries[i].key) >= 0) {
            return vs_fault(VERSO_ORDER, "entry %zu: its key does not ascend", i);
        }
        if (entries[i].key.size > key_max || entries[i].value.size > VS_TREE_VALUE_MAX) {
            return vs_fault(VERSO_TOO_BIG, "entry %zu: key of %zu bytes, value of %zu", i,
                            entries[i].key.size, entries[i].value.size);
        }
        *payload += VS_OPERATION_HEADER_MAX + entries[i].key.size + entries[i].value.size;
    }
    return VERSO_OK;
}

verso_err verso_put_sorted(verso_txn *txn, const verso_entry *entries, size_t count)
{
    if (txn == NULL || (entries == NULL && count > 0)) {
        return vs_fault(VERSO_INVALID, "verso_put_sorted: an argument is NULL");
    }
    size_t payload;
    verso_err err = check_sorted(entries, count, verso_key_size_max(txn->owner), &payload);
    if (err == VERSO_OK) {
        err = may_change(txn, (verso_slice){NULL, 0}, (verso_slice){NULL, 0});
    }
    if (err == VERSO_OK) {
        err = reserve_operation(txn, payload);
    }
    if (err != VERSO_OK || count == 0) {
        return err;
    }
    err = vs_tree_put_sorted(&txn->edit, entries, count, &txn->broken);
    for (size_t i = 0; i < count && err == VERSO_OK; i++) {
        note_operation(txn, VS_OPERATION_PUT, entries[i].key, entries[i].value);
    }
    vs_view_forget_pieces(&txn->view);
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

/* A transaction without changes makes no root; its view, if wanted, is of the root it started
   from. */
static verso_err commit_nothing(verso_txn *txn, const verso_commit_options *options,
                                verso_root_id *root)
{
    verso_store *owner = txn->owner;
    struct vs_store *store = owner->store;
    struct vs_root_record tip = store->tip;
    uint32_t slot = 0;
    verso_err err = VERSO_OK;
    if (options->view != NULL) {
        err =
            vs_reader_pin(&store->readers, tip.version, atomic_load(&store->location_epoch), &slot);
    }
    verso_abort(txn);
    if (err == VERSO_OK && options->view != NULL) {
        err = vs_view_wrap(owner, slot, &tip, options->view);
    }
    if (err == VERSO_OK && root != NULL) {
        *root = tip.version;
    }
    return err;
}

static struct vs_commit describe_commit(const verso_txn *txn, const verso_commit_options *options)
{
    const struct vs_store *store = txn->owner->store;
    return (struct vs_commit){
        .tree = txn->edit.root,
        .catalogue = store->tip.catalogue,
        .fingerprint = txn->edit.fingerprint,
        .time_us = store->os->clock_us(store->os),
        .note = options->note,
        .operations = {txn->operations.bytes, txn->operations.size},
        .bypass_log = txn->bypass_log,
        .keep_last = txn->keep_last,
    };
}

static verso_err commit_changes(verso_txn *txn, const verso_commit_options *options,
                                verso_root_id *root)
{
    verso_store *owner = txn->owner;
    struct vs_store *store = owner->store;
    struct vs_commit commit = describe_commit(txn, options);
    struct vs_root_record record = {.tree = commit.tree,
                                    .catalogue = commit.catalogue,
                                    .fingerprint = commit.fingerprint,
                                    .time_us = commit.time_us,
                                    .note = {NULL, commit.note.size}};
    verso_view *view = options->view != NULL ? calloc(1, sizeof *view) : NULL;
    if (view == NULL && options->view != NULL) {
        verso_abort(txn);
        return vs_fault(VERSO_NOMEM, "no memory for a view");
    }
    uint32_t slot = 0;
    commit.pin = view != NULL ? &slot : NULL;
    uint64_t version = 0;
    uint64_t end_lsn = 0;
    verso_err err = vs_store_commit(store, &commit, &version, &end_lsn);
    free_txn(txn);
    if (err != VERSO_OK) {
        free(view);
        return err;
    }
    if (view != NULL) {
        record.version = version;
        vs_view_fill(view, owner, slot, &record);
        *options->view = view;
    }
    if (root != NULL) {
        *root = version;
    }
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

verso_err verso_commit(verso_txn *txn, const verso_commit_options *given, verso_root_id *root)
{
    if (txn == NULL) {
        return vs_fault(VERSO_INVALID, "verso_commit: the transaction is NULL");
    }
    verso_err err = vs_check_process(txn->owner);
    if (err != VERSO_OK) {
        return err;
    }
    verso_commit_options options;
    err = read_commit_options(given, &options);
    if (err == VERSO_OK && txn->broken) {
        err = vs_fault(VERSO_MUST_ABORT, "an earlier call failed in the middle of a change");
    }
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return txn->changed ? commit_changes(txn, &options, root) : commit_nothing(txn, &options, root);
}

verso_err verso_set_keep_last(verso_store *store, uint64_t last, verso_root_id *root)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    txn->keep_last = last;
    txn->changed = true;
    return verso_commit(txn, NULL, root);
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
    if (root >= atomic_load(&inner->roots.end)) {
        return vs_fault(VERSO_NOT_FOUND, "root %llu was not committed yet",
                        (unsigned long long)root);
    }
    if (root <= atomic_load(&inner->durable) || inner->in_memory) {
        return VERSO_OK;
    }
    err = vs_store_sync(inner);
    return err != VERSO_POISONED
               ? err
               : vs_fault(VERSO_UNKNOWN, "a sync failed before root %llu became durable",
                          (unsigned long long)root);
}
