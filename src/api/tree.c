/*
 * tree.c - named trees: opening them in transactions and views, listing, dropping, renaming.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "format/key_order.h"
#include "os/fault.h"

verso_err vs_check_name(const verso_store *store, verso_slice name)
{
    if (!vs_name_is_sound(name)) {
        return vs_fault(VERSO_INVALID, "not a name: 1 to %d bytes, none of them 0", VERSO_NAME_MAX);
    }
    size_t longest = verso_key_size_max(store);
    if (name.size > longest) { /* of pages below 2 KiB */
        return vs_fault(VERSO_TOO_BIG, "name of %zu bytes; with these pages the limit is %zu",
                        name.size, longest);
    }
    return VERSO_OK;
}

/* ---- in a transaction ---- */

/* The caller's handle of an open tree. */
static verso_err handle_of(struct vs_transaction *shared, struct vs_named_tree *tree,
                           verso_txn **handle)
{
    if (tree->handle == NULL) {
        verso_txn *fresh = calloc(1, sizeof *fresh);
        if (fresh == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for a tree's handle");
        }
        fresh->shared = shared;
        fresh->edit = &tree->edit;
        fresh->view.owner = shared->owner;
        fresh->view.txn = fresh;
        fresh->view.record = shared->main.view.record;
        tree->handle = fresh;
    }
    *handle = tree->handle;
    return VERSO_OK;
}

/* What changes trees as such: check, and have room for the operation in the log. */
static verso_err may_change(const verso_txn *txn, verso_slice name)
{
    verso_err err = vs_txn_check(txn);
    if (err == VERSO_OK) {
        err = vs_check_name(txn->shared->owner, name);
    }
    return err == VERSO_OK ? vs_operations_reserve(&txn->shared->operations, name.size) : err;
}

static void note(struct vs_transaction *shared, enum vs_operation_kind kind, uint64_t number,
                 verso_slice name)
{
    struct vs_operation operation = {.kind = kind, .number = {number}, .key = name};
    shared->changed = true;
    vs_operations_note(&shared->operations, &operation);
}

/* A name may be a value read through the transaction itself, in a page that the change spills. */
static verso_slice copy_name(verso_slice name, uint8_t bytes[VERSO_NAME_MAX])
{
    memcpy(bytes, name.data, name.size);
    return (verso_slice){bytes, name.size};
}

verso_err vs_txn_create_tree(verso_txn *txn, verso_slice name, uint64_t number, verso_txn **tree)
{
    verso_err err = may_change(txn, name);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_transaction *shared = txn->shared;
    struct vs_named_tree *named;
    uint8_t bytes[VERSO_NAME_MAX];
    name = copy_name(name, bytes);
    err = vs_tree_set_create(&shared->trees, name, number, &named, &shared->broken);
    if (err == VERSO_OK) {
        note(shared, VS_OPERATION_CREATE_TREE, named->edit.tree_id, name);
        err = handle_of(shared, named, tree);
    }
    return err;
}

/* A tree that exists: also in a transaction of which only reading is left. */
static verso_err open_tree(const verso_txn *txn, verso_slice name, verso_txn **tree)
{
    struct vs_named_tree *named;
    verso_err err = vs_tree_set_open(&txn->shared->trees, name, &named);
    return err == VERSO_OK ? handle_of(txn->shared, named, tree) : err;
}

verso_err verso_txn_tree(verso_txn *txn, verso_slice name, bool create, verso_txn **tree)
{
    verso_err err = vs_txn_check(txn);
    if (err == VERSO_OK && tree == NULL) {
        err = vs_fault(VERSO_INVALID, "verso_txn_tree: the result's place is NULL");
    }
    if (err == VERSO_OK) {
        err = vs_check_name(txn->shared->owner, name);
    }
    if (err == VERSO_OK) {
        err = open_tree(txn, name, tree);
        if (err == VERSO_NOT_FOUND && create) {
            err = vs_txn_create_tree(txn, name, 0, tree);
        }
    }
    return err;
}

verso_err verso_tree_drop(verso_txn *txn, verso_slice name)
{
    verso_err err = may_change(txn, name);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_transaction *shared = txn->shared;
    shared->owner->store->may_use_reserve = true; /* of space, on a full disk */
    uint64_t number;
    err = vs_tree_set_drop(&shared->trees, name, &number, &shared->broken);
    if (err == VERSO_OK) {
        note(shared, VS_OPERATION_DROP_TREE, number, (verso_slice){NULL, 0});
    }
    return err;
}

verso_err verso_tree_rename(verso_txn *txn, verso_slice name, verso_slice to)
{
    verso_err err = may_change(txn, to);
    if (err == VERSO_OK) {
        err = vs_check_name(txn->shared->owner, name);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_transaction *shared = txn->shared;
    uint64_t number;
    if (vs_key_compare(name, to) == 0) { /* nothing to do, if there is such a tree */
        verso_txn *tree;
        return open_tree(txn, name, &tree);
    }
    uint8_t bytes[VERSO_NAME_MAX];
    to = copy_name(to, bytes);
    err = vs_tree_set_rename(&shared->trees, name, to, &number, &shared->broken);
    if (err == VERSO_OK) {
        note(shared, VS_OPERATION_RENAME_TREE, number, to);
    }
    return err;
}

/* ---- in a root ---- */

/* Place of a number among the trees open in a view, or where it would be. */
static size_t place_of(const struct vs_tree_views *trees, uint64_t number)
{
    size_t low = 0;
    size_t high = trees->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (trees->view[middle]->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static verso_err make_room(struct vs_tree_views *trees)
{
    if (trees->count < trees->capacity) {
        return VERSO_OK;
    }
    size_t capacity = trees->capacity == 0 ? 4 : 2 * trees->capacity;
    verso_view **grown = realloc(trees->view, capacity * sizeof(verso_view *));
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a tree's view");
    }
    trees->view = grown;
    trees->capacity = capacity;
    return VERSO_OK;
}

/* The view of a tree of the root that `root` holds. */
static verso_err view_of(verso_view *root, const struct vs_tree_record *record, verso_view **tree)
{
    struct vs_tree_views *trees = &root->trees;
    size_t at = place_of(trees, record->number);
    if (at < trees->count && trees->view[at]->number == record->number) {
        *tree = trees->view[at];
        return VERSO_OK;
    }
    verso_err err = make_room(trees);
    verso_view *fresh = err == VERSO_OK ? calloc(1, sizeof *fresh) : NULL;
    if (fresh == NULL) {
        return err != VERSO_OK ? err : vs_fault(VERSO_NOMEM, "no memory for a tree's view");
    }
    fresh->owner = root->owner;
    fresh->parent = root;
    fresh->number = record->number;
    fresh->record = root->record;
    fresh->record.tree = record->root;
    fresh->record.fingerprint = record->fingerprint;
    fresh->tree = root->tree;
    fresh->tree.root = record->root;
    memmove(trees->view + at + 1, trees->view + at, (trees->count - at) * sizeof *trees->view);
    trees->view[at] = fresh;
    trees->count++;
    *tree = fresh;
    return VERSO_OK;
}

/* The catalogue as the view has it. */
static struct vs_tree_view catalogue_of(const verso_view *view)
{
    if (view->txn != NULL) {
        return vs_tree_set_catalogue(&view->txn->shared->trees);
    }
    struct vs_tree_view catalogue = view->tree;
    catalogue.root = view->record.catalogue;
    return catalogue;
}

verso_err verso_view_tree(verso_view *view, verso_slice name, verso_view **tree)
{
    verso_err err = vs_view_check_arguments(view, tree);
    if (err == VERSO_OK) {
        err = vs_check_name(view->owner, name);
    }
    if (err != VERSO_OK) {
        return err;
    }
    if (view->txn != NULL) {
        verso_txn *handle;
        err = open_tree(view->txn, name, &handle);
        if (err == VERSO_OK) {
            *tree = &handle->view;
        }
        return err;
    }
    struct vs_tree_view catalogue = catalogue_of(view);
    struct vs_tree_record record;
    err = vs_catalogue_find(&catalogue, name, &record);
    return err == VERSO_OK ? view_of(view->parent != NULL ? view->parent : view, &record, tree)
                           : err;
}

/* ---- listing ---- */

/* What an open tree of the transaction stands at, which the catalogue learns at the commit. */
static void take_current(const verso_view *view, struct vs_tree_record *record)
{
    if (view->txn == NULL) {
        return;
    }
    const struct vs_named_tree *open = vs_tree_set_find(&view->txn->shared->trees, record->number);
    if (open != NULL) {
        record->root = open->edit.root;
        record->fingerprint = open->edit.fingerprint;
    }
}

verso_err verso_tree_next(verso_view *view, verso_slice after, verso_tree_info *info)
{
    verso_err err = vs_view_check_arguments(view, info);
    if (err == VERSO_OK &&
        (info->size < sizeof info->size + sizeof info->name || info->size > 4096)) {
        err = vs_fault(VERSO_INVALID, "tree info: `size` is %zu; set it to sizeof", info->size);
    }
    if (err == VERSO_OK && after.size > 0) {
        err = vs_check_name(view->owner, after);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_view catalogue = catalogue_of(view);
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice name;
    struct vs_tree_record record;
    err = vs_catalogue_next(&catalogue, after, bytes, &name, &record);
    if (err != VERSO_OK) {
        return err;
    }
    take_current(view, &record);
    verso_tree_info full;
    memset(&full, 0, sizeof full);
    full.size = info->size;
    memcpy(full.name, name.data, name.size);
    full.keys = record.root.keys;
    full.fingerprint = record.fingerprint;
    full.depth = record.root.depth;
    memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
    return VERSO_OK;
}
