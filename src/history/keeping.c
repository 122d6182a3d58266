/*
 * keeping.c - loading and saving the tags' tree, and what the log says of it; see keeping.h.
 */
#include "history/keeping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/leaf.h"
#include "format/name.h"
#include "format/retention.h"
#include "os/fault.h"
#include "tree/cursor.h"
#include "tree/tree.h"

enum { TAG_SIZE = 16, TIME_AT = 8 };

/* ---- loading ---- */

/* What is committed from now on belongs to the set, without a change. */
static verso_err check_set(const struct vs_store *store)
{
    const struct vs_version_set *set = &store->retained.set;
    const struct vs_version_range *last = set->count > 0 ? &set->range[set->count - 1] : NULL;
    if (last == NULL || last->to != UINT64_MAX || last->from > store->meta.root.version + 1 ||
        set->range[0].from == 0) {
        return vs_fault(VERSO_CORRUPT, "the set of kept roots is none that a store can have");
    }
    return VERSO_OK;
}

/* The bytes of a set that is too long for its leaf; *copy is to be freed. */
static verso_err copy_set(struct vs_store *store, const struct vs_tree_value *value, uint8_t **copy)
{
    verso_err err = vs_run_verify(&store->pages, &value->run);
    if (err != VERSO_OK) {
        return err;
    }
    *copy = malloc(value->slice.size);
    return *copy == NULL ? vs_fault(VERSO_NOMEM, "no memory for the set of kept roots")
                         : vs_run_copy(&store->pages, &value->run, 0, *copy, value->slice.size);
}

static verso_err load_set(struct vs_store *store, const struct vs_tree_value *value)
{
    uint8_t *copy = NULL;
    verso_err err = value->is_run ? copy_set(store, value, &copy) : VERSO_OK;
    if (err == VERSO_OK) {
        const uint8_t *bytes = copy != NULL ? copy : value->slice.data;
        err = vs_version_set_decode(bytes, value->slice.size, &store->retained.set);
    }
    free(copy);
    return err == VERSO_OK ? check_set(store) : err;
}

static verso_err load_entry(struct vs_store *store, const struct vs_tree_entry *entry)
{
    if (entry->key.size == 0) {
        return load_set(store, &entry->value);
    }
    verso_slice value = entry->value.slice;
    if (entry->value.is_run || value.size != TAG_SIZE || !vs_name_is_sound(entry->key)) {
        return vs_fault(VERSO_CORRUPT, "the tags hold an entry that is no tag");
    }
    const uint8_t *bytes = value.data;
    uint64_t root = vs_get_le64(bytes);
    if (root == 0 || root > store->meta.root.version) {
        return vs_fault(VERSO_CORRUPT, "a tag names root %llu, which cannot be",
                        (unsigned long long)root);
    }
    return vs_tags_set(&store->retained.tags, entry->key, root,
                       (int64_t)vs_get_le64(bytes + TIME_AT));
}

static verso_err load_tree(struct vs_store *store)
{
    struct vs_tree_view view = {&store->pages, store->meta.tags, store->meta.generation};
    struct vs_tree_cursor *cursor = NULL;
    verso_err err = vs_tree_cursor_open(&view, NULL, &cursor);
    struct vs_tree_entry entry;
    while (err == VERSO_OK) {
        err = vs_tree_cursor_next(cursor, &entry);
        if (err == VERSO_OK) {
            err = load_entry(store, &entry);
        }
    }
    vs_tree_cursor_close(cursor);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

/* Each kept root has a record in the history tree: without this bound, a few bytes could name so
 * many that no walk over them ends. */
static uint64_t roots_possible(const struct vs_store *store)
{
    return store->meta.high_water * (store->pages.page_size / VS_ROOT_RECORD_FIXED) + 1;
}

static verso_err explain(verso_err err)
{
    char reason[256];
    (void)snprintf(reason, sizeof reason, "%s", vs_fault_detail());
    return vs_fault(err, "%s, in what says which roots are kept: open it read-only", reason);
}

verso_err vs_keeping_load(struct vs_store *store)
{
    uint64_t version = store->meta.root.version;
    verso_err err = store->meta.tags.page == 0 ? VERSO_OK : load_tree(store);
    if (err == VERSO_CORRUPT || err == VERSO_IO) {
        err = store->read_only ? vs_keeping_rebuild(store) : explain(err);
    }
    vs_retained_tags_entered(&store->retained);
    if (err == VERSO_OK) {
        err = vs_version_set_copy(&store->on_disk, &store->retained.set);
    }
    if (err == VERSO_OK) {
        err = vs_version_set_drop(&store->on_disk, version + 1, UINT64_MAX);
    }
    if (err == VERSO_OK) {
        err = vs_version_set_add(&store->on_disk, version, version);
    }
    if (err == VERSO_OK &&
        vs_version_set_count(&store->on_disk, 1, version) > roots_possible(store)) {
        err = vs_fault(VERSO_CORRUPT, "more roots are kept than the file has room for");
    }
    return err == VERSO_OK ? vs_store_refresh_kept(store) : err;
}

/* ---- saving ---- */

static verso_err save_set(struct vs_store *store, struct vs_tree_edit *edit)
{
    uint8_t *bytes;
    size_t size;
    verso_err err = vs_version_set_encode(&store->retained.set, &bytes, &size);
    if (err != VERSO_OK) {
        return err;
    }
    bool broken;
    err = vs_tree_put(edit, VS_PUT_UPSERT, (verso_slice){NULL, 0}, (verso_slice){bytes, size}, NULL,
                      NULL, &broken);
    free(bytes);
    return err;
}

static verso_err put_tags(struct vs_tree_edit *edit, const struct vs_tags *tags)
{
    verso_err err = VERSO_OK;
    for (size_t i = 0; i < tags->count && err == VERSO_OK; i++) {
        const struct vs_tag *tag = tags->tag[i];
        if (tag->entered) {
            continue;
        }
        uint8_t bytes[TAG_SIZE];
        vs_put_le64(bytes, tag->root);
        vs_put_le64(bytes + TIME_AT, (uint64_t)tag->time_us);
        bool broken;
        err = vs_tree_put(edit, VS_PUT_UPSERT, (verso_slice){tag->name, tag->name_size},
                          (verso_slice){bytes, sizeof bytes}, NULL, NULL, &broken);
    }
    return err;
}

/* Tags that are gone from memory leave the tree. */
static verso_err remove_tags(struct vs_tree_edit *edit, const struct vs_tags *tags)
{
    struct vs_tree_view view = vs_tree_edit_view(edit);
    struct vs_tree_cursor *cursor = NULL;
    verso_err err = vs_tree_cursor_open(&view, edit, &cursor);
    struct vs_tree_entry entry;
    while (err == VERSO_OK) {
        err = vs_tree_cursor_next(cursor, &entry);
        if (err == VERSO_OK && entry.key.size > 0 && entry.key.size <= VERSO_NAME_MAX &&
            vs_tags_find(tags, entry.key) == NULL) {
            char name[VERSO_NAME_MAX];
            memcpy(name, entry.key.data, entry.key.size);
            bool broken;
            err = vs_tree_delete(edit, (verso_slice){name, entry.key.size}, NULL, NULL, &broken);
        }
    }
    vs_tree_cursor_close(cursor);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

verso_err vs_keeping_save(struct vs_store *store, struct vs_page_writer *writer,
                          struct vs_tree_root *tags)
{
    if (!store->retained.changed) {
        return VERSO_OK;
    }
    struct vs_tree_edit edit;
    vs_tree_edit_init(&edit, writer, *tags, 0, 0);
    verso_err err = save_set(store, &edit);
    if (err == VERSO_OK && store->retained.tags.changed) {
        err = remove_tags(&edit, &store->retained.tags);
        if (err == VERSO_OK) {
            err = put_tags(&edit, &store->retained.tags);
        }
    }
    *tags = edit.root;
    vs_tree_edit_clear(&edit);
    return err;
}

/* ---- operations ---- */

static const char *name_fault(const struct vs_store *store, verso_slice name)
{
    return vs_name_is_sound(name) && name.size <= vs_leaf_key_max(store->pages.page_size)
               ? NULL
               : "names a tag impossibly";
}

const char *vs_keeping_fault(const struct vs_store *store, const struct vs_operation *operation,
                             uint64_t newest)
{
    verso_retention policy;
    switch (operation->kind) {
    case VS_OPERATION_DROP_ROOTS: /* what comes belongs to the set: its last range is open */
        return operation->number[0] == 0 || operation->number[0] > operation->number[1] ||
                       operation->number[1] > newest
                   ? "drops an impossible range of roots"
                   : NULL;
    case VS_OPERATION_SET_RETENTION:
        return vs_retention_decode(operation->value.data, operation->value.size, &policy);
    case VS_OPERATION_SET_TAG:
        return operation->number[0] == 0 || operation->number[0] > newest
                   ? "tags a root that cannot be"
                   : name_fault(store, operation->key);
    case VS_OPERATION_DELETE_TAG:
        return name_fault(store, operation->key);
    case VS_OPERATION_PUT:
    case VS_OPERATION_DELETE:
    case VS_OPERATION_DELETE_RANGE:
    case VS_OPERATION_CREATE_TREE:
    case VS_OPERATION_DROP_TREE:
    case VS_OPERATION_RENAME_TREE:
    default:
        return "changes a tree where only settings belong";
    }
}

verso_err vs_keeping_apply(struct vs_store *store, const struct vs_operation *operation)
{
    struct vs_retained *retained = &store->retained;
    bool of_tag =
        operation->kind == VS_OPERATION_SET_TAG || operation->kind == VS_OPERATION_DELETE_TAG;
    if (of_tag && store->keeping_damaged) {
        return VERSO_OK; /* a few of the tags would pass for all */
    }
    if (operation->kind == VS_OPERATION_DROP_ROOTS) {
        struct vs_version_range range = {operation->number[0], operation->number[1]};
        return vs_retained_drop(retained, &range, 1);
    }
    if (operation->kind == VS_OPERATION_SET_TAG) {
        uint64_t root = operation->number[0]; /* of a log it is the file's word */
        if (!vs_retained_has(retained, root)) {
            return vs_fault(VERSO_NOT_FOUND, "a tag of root %llu, which is not kept",
                            (unsigned long long)root);
        }
        return vs_retained_set_tag(retained, operation->key, operation->number[0],
                                   (int64_t)operation->number[1]);
    }
    if (operation->kind == VS_OPERATION_DELETE_TAG) {
        vs_retained_delete_tag(retained, operation->key);
        return VERSO_OK;
    }
    verso_retention policy;
    const char *fault = vs_retention_decode(operation->value.data, operation->value.size, &policy);
    if (fault != NULL) {
        return vs_fault(VERSO_INVALID, "%s", fault);
    }
    vs_retained_set_policy(retained, &policy);
    return VERSO_OK;
}

/* Once it is in the log it must be done: what replay would do and memory did not could cost a root
 * that was tagged meanwhile. */
static verso_err prepare(struct vs_store *store, const struct vs_operation *operation)
{
    return operation->kind == VS_OPERATION_SET_TAG
               ? vs_retained_reserve_tag(&store->retained, operation->key)
               : VERSO_OK;
}

verso_err vs_keeping_do(struct vs_store *store, const struct vs_operation *operation,
                        uint64_t *end_lsn)
{
    *end_lsn = 0;
    verso_err err = prepare(store, operation);
    if (err != VERSO_OK) {
        return err;
    }
    uint8_t bytes[VS_OPERATION_HEADER_MAX + VS_RETENTION_MAX + VERSO_NAME_MAX];
    size_t size = vs_operation_header(operation, bytes);
    if (operation->key.size > 0) {
        memcpy(bytes + size, operation->key.data, operation->key.size);
        size += operation->key.size;
    }
    if (operation->value.size > 0) {
        memcpy(bytes + size, operation->value.data, operation->value.size);
        size += operation->value.size;
    }
    err = vs_store_log_setting(store, (verso_slice){bytes, size}, end_lsn);
    return err == VERSO_OK ? vs_keeping_apply(store, operation) : err;
}
