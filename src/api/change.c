/*
 * change.c - puts and deletes within a transaction, each noted for the log.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "api/range.h"
#include "format/key_order.h"
#include "os/fault.h"

verso_err vs_tree_was_dropped(void)
{
    return vs_fault(VERSO_INVALID, "the tree was dropped in this transaction, or that has ended");
}

static verso_err may_change(verso_txn *txn, verso_slice key, verso_slice value)
{
    verso_err err = vs_txn_check(txn);
    if (err == VERSO_OK && (!vs_slice_is_sound(key) || !vs_slice_is_sound(value))) {
        err = vs_fault(VERSO_INVALID, "key or value has a size but no data");
    }
    return err == VERSO_OK ? vs_operations_reserve(&txn->shared->operations, key.size + value.size)
                           : err;
}

/* A change was made: remember it for the commit and for the log. */
static void note(verso_txn *txn, const struct vs_operation *operation)
{
    txn->shared->changed = true;
    vs_operations_note(&txn->shared->operations, operation);
}

static void note_pair(verso_txn *txn, enum vs_operation_kind kind, verso_slice key,
                      verso_slice value)
{
    struct vs_operation operation = {
        .kind = kind, .number = {txn->edit->tree_id}, .key = key, .value = value};
    note(txn, &operation);
}

static bool lies_in(const void *bytes, const uint8_t *range, size_t size)
{
    uintptr_t at = (uintptr_t)bytes;
    return at >= (uintptr_t)range && at - (uintptr_t)range < size;
}

/* What was read through the transaction itself may lie where the change writes: in a page that it
 * edits in place, or in the buffer of the old value. It is copied then, so that tree and log take the
 * same bytes. A value longer than a page lies in a run, which no change touches. */
static bool is_steady(const struct vs_transaction *shared, verso_slice slice)
{
    const struct vs_store *store = shared->owner->store;
    const struct vs_arena *arena = &store->arena;
    bool in_page = slice.size <= store->pages.page_size &&
                   lies_in(slice.data, arena->frames, arena->frames_size);
    return slice.size == 0 || (!in_page && !lies_in(slice.data, shared->old, shared->old_capacity));
}

static verso_err make_steady(const struct vs_transaction *shared, verso_slice *slice,
                             uint8_t **copy)
{
    if (is_steady(shared, *slice)) {
        return VERSO_OK;
    }
    *copy = malloc(slice->size);
    if (*copy == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a copy of %zu bytes", slice->size);
    }
    memcpy(*copy, slice->data, slice->size);
    slice->data = *copy;
    return VERSO_OK;
}

static verso_err put(verso_txn *txn, enum vs_put_mode mode, verso_slice key, verso_slice value,
                     vs_old_value old)
{
    verso_err err = may_change(txn, key, value);
    uint8_t *copies[2] = {NULL, NULL};
    if (err == VERSO_OK) {
        err = make_steady(txn->shared, &key, &copies[0]);
    }
    if (err == VERSO_OK) {
        err = make_steady(txn->shared, &value, &copies[1]);
    }
    if (err != VERSO_OK) {
        free(copies[0]);
        return err;
    }
    err = vs_tree_put(txn->edit, mode, key, value, old, txn->shared, &txn->shared->broken);
    if (err == VERSO_OK) {
        note_pair(txn, VS_OPERATION_PUT, key, value);
    }
    vs_view_forget_pieces(&txn->view);
    free(copies[0]);
    free(copies[1]);
    return err;
}

/* Keep the value that is about to be replaced, for the caller. */
static verso_err keep_old(void *argument, const struct vs_tree_value *old)
{
    struct vs_transaction *shared = argument;
    struct vs_pages *pages = &shared->owner->store->pages;
    size_t size = old->slice.size;
    bool in_pieces = old->is_run && old->slice.data == NULL;
    verso_err err = in_pieces ? vs_run_verify(pages, &old->run) : VERSO_OK;
    if (err != VERSO_OK) {
        return err;
    }
    if (size > shared->old_capacity || shared->old == NULL) {
        uint8_t *grown = realloc(shared->old, size + 1);
        if (grown == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for the old value");
        }
        shared->old = grown;
        shared->old_capacity = size;
    }
    shared->old_size = size;
    if (in_pieces) {
        return vs_run_copy(pages, &old->run, 0, shared->old, size);
    }
    if (size > 0) {
        memcpy(shared->old, old->slice.data, size);
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
        *old = (verso_slice){txn->shared->old, txn->shared->old_size};
    }
    return err;
}

static verso_err delete_key(verso_txn *txn, verso_slice key, vs_old_value old)
{
    verso_err err = may_change(txn, key, (verso_slice){NULL, 0});
    uint8_t *copy = NULL;
    if (err == VERSO_OK) {
        err = make_steady(txn->shared, &key, &copy);
    }
    if (err != VERSO_OK) {
        return err;
    }
    txn->shared->owner->store->may_use_reserve = true; /* of space, on a full disk */
    err = vs_tree_delete(txn->edit, key, old, txn->shared, &txn->shared->broken);
    if (err == VERSO_OK) {
        note_pair(txn, VS_OPERATION_DELETE, key, (verso_slice){NULL, 0});
    }
    vs_view_forget_pieces(&txn->view);
    free(copy);
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
        *old = (verso_slice){txn->shared->old, txn->shared->old_size};
    }
    return err;
}

/* Delete what a sound range holds. */
static verso_err delete_between(verso_txn *txn, const struct vs_key_range *keys, uint64_t *deleted)
{
    struct vs_transaction *shared = txn->shared;
    verso_err err = vs_operations_reserve(&shared->operations, keys->from.size + keys->to.size);
    if (err != VERSO_OK) {
        return err;
    }
    shared->owner->store->may_use_reserve = true;
    err = vs_tree_delete_range(txn->edit, keys, deleted, &shared->broken);
    if (err == VERSO_OK && *deleted > 0) {
        struct vs_operation operation = {
            .kind = VS_OPERATION_DELETE_RANGE,
            .number = {txn->edit->tree_id, (keys->has_from ? VS_RANGE_HAS_FROM : 0U) |
                                               (keys->has_to ? VS_RANGE_HAS_TO : 0U)},
            .key = keys->from,
            .value = keys->to};
        note(txn, &operation);
    }
    vs_view_forget_pieces(&txn->view);
    return err;
}

verso_err verso_delete_range(verso_txn *txn, const verso_range *given, uint64_t *deleted)
{
    verso_err err = vs_txn_check(txn);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_range range;
    err = vs_range_read(given, &range);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t count = 0;
    if (!range.empty) {
        err = delete_between(txn, &range.keys, &count);
    }
    vs_range_clear(&range);
    if (err == VERSO_OK && deleted != NULL) {
        *deleted = count;
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

/* Copy a slice to *at if it is not steady. */
static verso_slice steady_copy(const struct vs_transaction *shared, verso_slice slice, uint8_t **at)
{
    if (is_steady(shared, slice)) {
        return slice;
    }
    verso_slice copy = {*at, slice.size};
    memcpy(*at, slice.data, slice.size);
    *at += slice.size;
    return copy;
}

/* The same of many: *copies is NULL if all are steady, else other entries, with their bytes behind
 * them. */
static verso_err make_all_steady(const struct vs_transaction *shared, const verso_entry *entries,
                                 size_t count, verso_entry **copies)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += is_steady(shared, entries[i].key) ? 0 : entries[i].key.size;
        bytes += is_steady(shared, entries[i].value) ? 0 : entries[i].value.size;
    }
    *copies = NULL;
    if (bytes == 0) {
        return VERSO_OK;
    }
    verso_entry *fresh = malloc(count * sizeof *fresh + bytes); /* both fit memory already */
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a copy of %zu entries", count);
    }
    uint8_t *at = (uint8_t *)(fresh + count);
    for (size_t i = 0; i < count; i++) {
        fresh[i].key = steady_copy(shared, entries[i].key, &at);
        fresh[i].value = steady_copy(shared, entries[i].value, &at);
    }
    *copies = fresh;
    return VERSO_OK;
}

verso_err verso_put_sorted(verso_txn *txn, const verso_entry *entries, size_t count)
{
    verso_err err = vs_txn_check(txn);
    if (err == VERSO_OK && entries == NULL && count > 0) {
        err = vs_fault(VERSO_INVALID, "verso_put_sorted: an argument is NULL");
    }
    size_t payload = 0;
    if (err == VERSO_OK) {
        err = check_sorted(entries, count, verso_key_size_max(txn->shared->owner), &payload);
    }
    if (err == VERSO_OK) {
        err = vs_operations_reserve(&txn->shared->operations, payload);
    }
    if (err != VERSO_OK || count == 0) {
        return err;
    }
    verso_entry *copies;
    err = make_all_steady(txn->shared, entries, count, &copies);
    if (err != VERSO_OK) {
        return err;
    }
    entries = copies != NULL ? copies : entries;
    err = vs_tree_put_sorted(txn->edit, entries, count, &txn->shared->broken);
    for (size_t i = 0; i < count && err == VERSO_OK; i++) {
        note_pair(txn, VS_OPERATION_PUT, entries[i].key, entries[i].value);
    }
    vs_view_forget_pieces(&txn->view);
    free(copies);
    return err;
}
