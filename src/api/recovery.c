/*
 * recovery.c - running the logged operations again through the ordinary write path.
 *
 * Every version comes back with the same id, content, time and fingerprint; the fingerprint proves
 * it. The log is read twice: once to prove that it can be read to its end, before anything is
 * written, and once to replay it.
 */
#include "api/handles.h"
#include "format/operation.h"
#include "os/fault.h"

static verso_err damaged(const struct vs_log_record *record, const char *fault)
{
    return vs_fault(VERSO_WAL_CORRUPT, "log frame of root %llu: %s",
                    (unsigned long long)record->version, fault);
}

/* First pass: every operation must decode. */
static verso_err prove(void *argument, const struct vs_log_record *record)
{
    (void)argument;
    const uint8_t *at = record->operations.data;
    const uint8_t *end = at + record->operations.size;
    while (at < end) {
        struct vs_operation operation;
        const char *fault = vs_operation_decode(&at, end, &operation);
        if (fault != NULL) {
            return damaged(record, fault);
        }
        if (!vs_operation_is_of_tree(operation.kind) || operation.number[0] != 0) {
            return damaged(record, "names a tree that this version cannot write");
        }
    }
    return VERSO_OK;
}

static verso_err run_operation(struct vs_tree_edit *edit, const struct vs_operation *operation)
{
    bool broken = false;
    if (operation->kind == VS_OPERATION_PUT) {
        return vs_tree_put(edit, VS_PUT_UPSERT, operation->key, operation->value, NULL, NULL,
                           &broken);
    }
    return vs_tree_delete(edit, operation->key, NULL, NULL, &broken);
}

static verso_err run_operations(struct vs_tree_edit *edit, const struct vs_log_record *record)
{
    const uint8_t *at = record->operations.data;
    const uint8_t *end = at + record->operations.size;
    while (at < end) {
        struct vs_operation operation;
        const char *fault = vs_operation_decode(&at, end, &operation);
        if (fault != NULL) {
            return damaged(record, fault);
        }
        verso_err err = run_operation(edit, &operation);
        if (err == VERSO_NOT_FOUND || err == VERSO_TOO_BIG) {
            return damaged(record, "an operation does not fit the root before it");
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    if (edit->fingerprint != record->fingerprint) {
        return damaged(record, "replaying it gives another fingerprint");
    }
    return VERSO_OK;
}

/* Second pass: one frame is one transaction. */
static verso_err replay(void *argument, const struct vs_log_record *record)
{
    struct vs_store *store = argument;
    struct vs_page_writer *writer;
    verso_err err = vs_store_begin(store, &writer);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_edit edit;
    err = vs_tree_edit_init(&edit, writer, store->tip.tree, 0, store->tip.fingerprint);
    if (err != VERSO_OK) {
        vs_store_abort(store);
        return err;
    }
    err = run_operations(&edit, record);
    if (err != VERSO_OK) {
        vs_store_abort(store);
    } else {
        struct vs_commit commit = {
            .tree = edit.root,
            .catalogue = store->tip.catalogue,
            .fingerprint = edit.fingerprint,
            .time_us = record->time_us,
            .note = record->note,
            .replaying = true,
            .keep_last = record->keep_last,
            .retained_from = record->retained_from,
        };
        uint64_t version;
        uint64_t end_lsn;
        err = vs_store_commit(store, &commit, &version, &end_lsn);
    }
    vs_tree_edit_clear(&edit);
    return err;
}

verso_err vs_recover(struct vs_store *store)
{
    struct vs_log_scan scan = {0};
    verso_err err = VERSO_OK;
    if (!store->in_memory) {
        struct vs_log_config config = vs_store_log_config(store);
        struct vs_log_position start = vs_store_log_start(store);
        uint64_t version = store->meta.root.version;
        bool must_exist = !store->meta.clean;
        err = vs_log_read(&config, &start, must_exist, version, prove, store, &scan);
        if (err == VERSO_OK) {
            err = vs_store_will_replay(store);
        }
        if (err == VERSO_OK && scan.frames > 0) {
            err = vs_log_read(&config, &start, must_exist, version, replay, store, &scan);
        }
        atomic_store(&store->durable, store->tip.version);
    }
    return err == VERSO_OK ? vs_store_settle(store, &scan) : err;
}
