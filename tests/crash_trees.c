/*
 * crash_trees.c - named trees in a crash script.
 */
#include "crash_trees.h"

#include "crash_scenes.h"

enum { FIRST_TREE, SECOND_TREE };

static const char *const tree_names[] = {"apples", "pears", "quinces"};

/* What one transaction does to each tree. */
struct change {
    verso_err (*apply)(struct crash_script *script, verso_txn *handle, const struct change *change);
    unsigned from;
    unsigned count;
    size_t size; /* of the values */
};

static verso_err fill(struct crash_script *script, verso_txn *handle, const struct change *change)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < change->count && err == VERSO_OK; i++) {
        err = crash_script_change(script, handle, change->from + i, change->size);
    }
    return err;
}

static verso_err cut(struct crash_script *script, verso_txn *handle, const struct change *change)
{
    return crash_scene_remove_range(script, handle, change->from, change->count);
}

/* Change a tree, which is made if there is none, in the transaction and in what is expected of it. */
static verso_err change_tree(struct crash_script *script, verso_txn *txn, unsigned place,
                             const struct change *change)
{
    struct expected_trees *trees = &script->roots.working_named;
    struct expected_tree *tree = &trees->slot[place];
    verso_txn *handle;
    if (tree->name == NULL) {
        tree_state_clear(&tree->state);
        *tree = (struct expected_tree){.name = tree_names[place], .number = ++trees->created};
    }
    verso_err err = verso_txn_tree(txn, verso_text(tree->name), true, &handle);
    struct tree_state of_default = script->roots.working;
    script->roots.working = tree->state;
    if (err == VERSO_OK) {
        err = change->apply(script, handle, change);
    }
    tree->state = script->roots.working;
    script->roots.working = of_default;
    return err;
}

static verso_err change_both(struct crash_script *script, verso_txn *txn,
                             const struct change *change)
{
    verso_err err = change_tree(script, txn, FIRST_TREE, change);
    return err == VERSO_OK ? change_tree(script, txn, SECOND_TREE, change) : err;
}

static verso_err drop_and_rename(struct crash_script *script, verso_txn *txn,
                                 const struct change *change)
{
    (void)change;
    struct expected_tree *trees = script->roots.working_named.slot;
    verso_err err = verso_tree_drop(txn, verso_text(trees[FIRST_TREE].name));
    if (err == VERSO_OK) {
        err =
            verso_tree_rename(txn, verso_text(trees[SECOND_TREE].name), verso_text(tree_names[2]));
    }
    tree_state_clear(&trees[FIRST_TREE].state);
    trees[FIRST_TREE].name = NULL;
    trees[SECOND_TREE].name = tree_names[2];
    return err;
}

/* One transaction over both trees and the default one. */
static verso_err commit(struct crash_script *script,
                        verso_err (*body)(struct crash_script *script, verso_txn *txn,
                                          const struct change *change),
                        const struct change *change)
{
    verso_txn *txn;
    verso_err err = crash_script_begin(script, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = body(script, txn, change);
    if (err == VERSO_OK) {
        err = crash_script_change(script, txn, change->from, 11);
    }
    if (err == VERSO_OK) {
        return crash_script_end(script, txn, false);
    }
    verso_abort(txn);
    expected_abort(&script->roots);
    return err;
}

verso_err crash_scene_fill_trees(struct crash_script *script, unsigned from, unsigned count,
                                 size_t size)
{
    struct change change = {fill, from, count, size};
    return commit(script, change_both, &change);
}

verso_err crash_scene_cut_trees(struct crash_script *script, unsigned from, unsigned count)
{
    struct change change = {cut, from, count, 0};
    return commit(script, change_both, &change);
}

verso_err crash_scene_drop_tree(struct crash_script *script, unsigned from)
{
    struct change change = {NULL, from, 0, 0};
    return commit(script, drop_and_rename, &change);
}
