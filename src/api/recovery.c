/*
 * recovery.c - running the logged operations again through the ordinary write path.
 *
 * Every version comes back with the same id, content, time and fingerprint; the fingerprint proves
 * it. The log is read twice: once to prove that it can be read to its end, before anything is
 * written, and once to replay it.
 */
#include "api/handles.h"
#include "format/operation.h"
#include "history/keeping.h"
#include "os/fault.h"
#include "tree/tree_set.h"

static verso_err damaged(const struct vs_log_record *record, const char *fault)
{
    return vs_fault(VERSO_WAL_CORRUPT, "log frame of root %llu: %s",
                    (unsigned long long)record->version, fault);
}

/* First pass: every operation must decode. */
static verso_err prove(void *argument, const struct vs_log_record *record)
{
    const struct vs_store *store = argument;
    const uint8_t *at = record->operations.data;
    const uint8_t *end = at + record->operations.size;
    while (at < end) {
        struct vs_operation operation;
        const char *fault = vs_operation_decode(&at, end, &operation);
        if (fault != NULL) {
            return damaged(record, fault);
        }
        if (!vs_operation_is_of_tree(operation.kind)) {
            /* a commit's come before its own root is there */
            uint64_t newest = record->setting ? record->version : record->version - 1;
            fault = vs_keeping_fault(store, &operation, newest);
        } else if (record->setting) {
            fault = "changes a tree without making a root";
        }
        if (fault != NULL) {
            return damaged(record, fault);
        }
    }
    return VERSO_OK;
}

/* Give a tree that exists another name, or drop it. */
static verso_err run_on_name(struct vs_tree_set *trees, const struct vs_operation *operation)
{
    struct vs_tree_view catalogue = vs_tree_set_catalogue(trees);
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice name;
    struct vs_tree_record tree;
    bool broken = false;
    uint64_t number;
    verso_err err = vs_catalogue_find_number(&catalogue, operation->number[0], bytes, &name, &tree);
    if (err != VERSO_OK) {
        return err;
    }
    return operation->kind == VS_OPERATION_DROP_TREE
               ? vs_tree_set_drop(trees, name, &number, &broken)
               : vs_tree_set_rename(trees, name, operation->key, &number, &broken);
}

/* Only deletions that found something were logged. */
static verso_err delete_range(struct vs_tree_edit *edit, const struct vs_operation *operation)
{
    struct vs_key_range range = {
        .has_from = (operation->number[1] & VS_RANGE_HAS_FROM) != 0,
        .has_to = (operation->number[1] & VS_RANGE_HAS_TO) != 0,
        .from = operation->key,
        .to = operation->value,
    };
    uint64_t deleted = 0;
    bool broken = false;
    verso_err err = vs_tree_delete_range(edit, &range, &deleted, &broken);
    return err == VERSO_OK && deleted == 0 ? VERSO_NOT_FOUND : err;
}

static verso_err run_on_tree(struct vs_tree_set *trees, const struct vs_operation *operation)
{
    struct vs_tree_edit *edit = &trees->main;
    bool broken = false;
    if (operation->number[0] != 0) {
        struct vs_named_tree *tree;
        verso_err err = vs_tree_set_open_number(trees, operation->number[0], &tree);
        if (err != VERSO_OK) {
            return err;
        }
        edit = &tree->edit;
    }
    if (operation->kind == VS_OPERATION_DELETE_RANGE) {
        return delete_range(edit, operation);
    }
    return operation->kind == VS_OPERATION_PUT
               ? vs_tree_put(edit, VS_PUT_UPSERT, operation->key, operation->value, NULL, NULL,
                             &broken)
               : vs_tree_delete(edit, operation->key, NULL, NULL, &broken);
}

verso_err vs_replay_operation(struct vs_tree_set *trees, const struct vs_operation *operation)
{
    bool broken = false;
    struct vs_named_tree *tree;
    switch ((int)operation->kind) {
    case VS_OPERATION_CREATE_TREE:
        return operation->number[0] == 0 || !vs_name_is_sound(operation->key)
                   ? VERSO_NOT_FOUND
                   : vs_tree_set_create(trees, operation->key, operation->number[0], &tree,
                                        &broken);
    case VS_OPERATION_DROP_TREE:
        return run_on_name(trees, operation);
    case VS_OPERATION_RENAME_TREE:
        return vs_name_is_sound(operation->key) ? run_on_name(trees, operation) : VERSO_NOT_FOUND;
    default:
        return run_on_tree(trees, operation);
    }
}

static verso_err run_operations(struct vs_store *store, struct vs_tree_set *trees,
                                const struct vs_log_record *record)
{
    const uint8_t *at = record->operations.data;
    const uint8_t *end = at + record->operations.size;
    while (at < end) {
        struct vs_operation operation;
        const char *fault = vs_operation_decode(&at, end, &operation);
        if (fault != NULL) {
            return damaged(record, fault);
        }
        verso_err err = vs_operation_is_of_tree(operation.kind)
                            ? vs_replay_operation(trees, &operation)
                            : vs_keeping_apply(store, &operation);
        if (err == VERSO_NOT_FOUND || err == VERSO_EXISTS || err == VERSO_TOO_BIG) {
            return damaged(record, "an operation does not fit the root before it");
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

static verso_err run_commit(struct vs_store *store, struct vs_tree_set *trees,
                            const struct vs_log_record *record)
{
    verso_err err = run_operations(store, trees, record);
    bool broken = false;
    if (err == VERSO_OK) {
        err = vs_tree_set_settle(trees, &broken);
    }
    if (err == VERSO_OK && vs_tree_set_fingerprint(trees) != record->fingerprint) {
        err = damaged(record, "replaying it gives another fingerprint");
    }
    return err;
}

/* A setting: nothing but operations that change no tree, as prove() saw. Whether the store may be
 * written to is no question: the log is not. */
static verso_err replay_setting(struct vs_store *store, const struct vs_log_record *record)
{
    vs_fair_lock_take(&store->writer_lock);
    verso_err err = run_operations(store, NULL, record);
    vs_store_end_setting(store);
    return err;
}

/* What replay carries from frame to frame. */
struct replay {
    struct vs_store *store;
    struct vs_tree_set trees;
};

/* Second pass: one frame is one transaction. */
static verso_err replay_frame(void *argument, const struct vs_log_record *record)
{
    struct replay *replay = argument;
    struct vs_store *store = replay->store;
    if (record->setting) {
        return replay_setting(store, record);
    }
    struct vs_page_writer *writer;
    verso_err err = vs_store_begin_at(store, record->version, &writer);
    if (err != VERSO_OK) {
        return err;
    }
    store->may_use_reserve = true; /* once it had room; and after it comes the checkpoint */
    struct vs_tree_set *trees = &replay->trees;
    vs_tree_set_begin(trees, writer, &store->tip);
    err = run_commit(store, trees, record);
    if (err != VERSO_OK) {
        vs_store_abort(store);
    } else {
        struct vs_commit commit = {
            .tree = trees->main.root,
            .catalogue = trees->catalogue.root,
            .fingerprint = vs_tree_set_fingerprint(trees),
            .time_us = record->time_us,
            .note = record->note,
            .replaying = true,
        };
        uint64_t version;
        uint64_t end_lsn;
        err = vs_store_commit(store, &commit, &version, &end_lsn);
    }
    vs_tree_set_end(trees);
    return err;
}

verso_err vs_recover(struct vs_store *store)
{
    struct vs_log_scan scan = {0};
    verso_err err = vs_keeping_load(store);
    if (err == VERSO_OK && !store->in_memory) {
        struct vs_log_config config = vs_store_log_config(store);
        struct vs_log_position start = vs_store_log_start(store);
        uint64_t version = store->meta.root.version;
        bool must_exist = !store->meta.clean;
        err = vs_log_read(&config, &start, must_exist, version, prove, store, &scan);
        if (err == VERSO_OK && scan.highest_epoch > start.epoch) {
            err = vs_log_refuse_older_store(&config, start.epoch);
        }
        if (err == VERSO_OK) {
            err = vs_store_will_replay(store);
        }
        if (err == VERSO_OK && scan.frames > 0) {
            struct replay replay = {.store = store};
            err = vs_log_read(&config, &start, must_exist, version, replay_frame, &replay, &scan);
            vs_tree_set_clear(&replay.trees);
        }
        atomic_store_explicit(&store->durable, store->tip.version, memory_order_release);
    }
    return err == VERSO_OK ? vs_store_settle(store, &scan) : err;
}
