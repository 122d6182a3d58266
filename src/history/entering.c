/*
 * entering.c - the history tree at a checkpoint: roots enter, and what was dropped leaves.
 */
#include "history/budget.h"
#include "history/history.h"
#include "history/keeping.h"
#include "history/retention.h"
#include "os/fault.h"
#include "tree/tree.h"

enum { ID_SIZE = 8 };

static verso_err put_root(struct vs_store *store, struct vs_tree_edit *edit, uint64_t version,
                          bool is_checkpoint)
{
    struct vs_root_record record;
    uint8_t note[VS_NOTE_MAX];
    if (!vs_roots_find(&store->roots, version, &record, note)) {
        return vs_fault(VERSO_CORRUPT, "root %llu is in no list", (unsigned long long)version);
    }
    record.is_checkpoint = is_checkpoint;
    uint8_t id[ID_SIZE];
    uint8_t value[VS_ROOT_RECORD_MAX];
    vs_put_be64(id, version);
    size_t size = vs_root_record_encode(&record, value);
    bool broken;
    return vs_tree_put(edit, VS_PUT_UPSERT, (verso_slice){id, ID_SIZE}, (verso_slice){value, size},
                       NULL, NULL, &broken);
}

/* Those of the roots (from, to] that are retained, and `to` whether or not it is. */
static verso_err put_roots(struct vs_store *store, struct vs_tree_edit *edit, uint64_t from,
                           uint64_t to)
{
    uint64_t version = from;
    verso_err err = VERSO_OK;
    while (err == VERSO_OK && version < to) {
        uint64_t next = vs_retention_next(&store->retained.set, version + 1);
        version = next < to ? next : to;
        err = put_root(store, edit, version, version == to);
    }
    return err;
}

static verso_err remove_one(struct vs_tree_edit *edit, uint64_t version)
{
    uint8_t id[ID_SIZE];
    vs_put_be64(id, version);
    bool broken;
    verso_err err = vs_tree_delete(edit, (verso_slice){id, ID_SIZE}, NULL, NULL, &broken);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

/* The ids [from, to] leave: whole pages of them at once. */
static verso_err remove_range(struct vs_tree_edit *edit, uint64_t from, uint64_t to)
{
    if (from == to) {
        return remove_one(edit, from);
    }
    uint8_t first[ID_SIZE];
    uint8_t behind[ID_SIZE];
    vs_put_be64(first, from);
    vs_put_be64(behind, to + 1);
    struct vs_key_range range = {
        .has_from = true,
        .has_to = true,
        .from = {first, ID_SIZE},
        .to = {behind, ID_SIZE},
    };
    uint64_t removed;
    bool broken;
    return vs_tree_delete_range(edit, &range, &removed, &broken);
}

/* What was dropped since the last time leaves; and the last checkpoint's own root, which was named
 * though it was not retained, with what was dropped before it was entered. */
static verso_err remove_dropped(struct vs_store *store, struct vs_tree_edit *edit, uint64_t from)
{
    const struct vs_version_set *dropped = &store->retained.unentered;
    verso_err err = VERSO_OK;
    for (size_t i = 0; i < dropped->count && err == VERSO_OK; i++) {
        const struct vs_version_range *range = &dropped->range[i];
        if (range->from <= from) {
            err = remove_range(edit, range->from, range->to < from ? range->to : from);
        }
    }
    if (err == VERSO_OK && from > 0 && !vs_version_set_has(&store->retained.set, from)) {
        err = remove_range(edit, from, from);
    }
    return err;
}

static verso_err enter(struct vs_store *store, struct vs_page_writer *writer, uint64_t from,
                       uint64_t to, struct vs_history_roots *roots)
{
    struct vs_tree_edit edit;
    vs_tree_edit_init(&edit, writer, roots->roots, 0, 0);
    verso_err err = put_roots(store, &edit, from, to);
    if (err == VERSO_OK && from < to) {
        err = remove_dropped(store, &edit, from);
    } else if (err == VERSO_OK && from > 0) { /* no new root: the metas go on naming this one */
        err = remove_dropped(store, &edit, from - 1);
    }
    roots->roots = edit.root;
    vs_tree_edit_clear(&edit);
    return err == VERSO_OK ? vs_keeping_save(store, writer, &roots->tags) : err;
}

const struct vs_history_calls vs_history_calls = {
    .enter = enter,
    .enforce_budget = vs_budget_enforce,
};
