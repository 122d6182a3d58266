/*
 * store_model_change.c - the changes of a store model's transactions, in the store and in sorted
 * arrays.
 */
#include "store_model_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "range_model.h"
#include "view_compare.h"
#include "view_counts.h"

enum {
    RANGE_MAX = 40,
    LONG_BYTES_MAX = 60 << 20, /* of long values in a run: the disk maps no more than 256 MiB */
};

/* ---- keys and values ---- */

verso_slice model_new_key(struct store_model *model)
{
    size_t size = page_keys_next(model->config.keys, &model->random,
                                 verso_key_size_max(model->store), model->key);
    return (verso_slice){model->key, size};
}

/* A key that is in the state, or a new one. */
verso_slice model_some_key(struct store_model *model, const struct tree_state *state)
{
    if (state->count == 0 || model_below(model, 4) == 0) {
        return model_new_key(model);
    }
    return state->pairs[model_below(model, state->count)].key;
}

static verso_slice new_value(struct store_model *model)
{
    bool is_long =
        model->long_bytes < LONG_BYTES_MAX && model_one_in(model, model->config.long_one_in);
    size_t max = is_long ? model->config.long_value_max : model->config.value_max;
    size_t size = (size_t)model_below(model, max + 1);
    model->long_bytes += is_long ? size : 0;
    uint64_t stamp = simulated_random_next(&model->random);
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = stamp + i;
        memcpy(model->value + i, &word, sizeof word);
    }
    return (verso_slice){model->value, size};
}

/* ---- of one tree ---- */

static const char *put_some(struct store_model *model, verso_txn *txn)
{
    struct tree_state *working = &model->roots.working;
    verso_slice key = expected_keep(&model->roots, model_some_key(model, working));
    verso_slice value = new_value(model);
    size_t index;
    bool there = tree_state_find(working, key, &index);
    verso_slice before = there ? working->pairs[index].value : (verso_slice){NULL, 0};
    verso_slice old = {NULL, 0};
    bool puts = true;
    verso_err expected = VERSO_OK;
    verso_err err;
    switch (model_below(model, 6)) {
    case 0:
        err = verso_insert(txn, key, value);
        puts = !there;
        expected = there ? VERSO_EXISTS : VERSO_OK;
        break;
    case 1:
        err = verso_replace(txn, key, value);
        puts = there;
        expected = there ? VERSO_OK : VERSO_NOT_FOUND;
        break;
    case 2:
        err = verso_exchange(txn, key, value, &old);
        puts = there;
        expected = there ? VERSO_OK : VERSO_NOT_FOUND;
        if (err == VERSO_OK && there && !view_same_bytes(old, before)) {
            return "an exchange handed back another value";
        }
        break;
    default:
        err = verso_put(txn, key, value);
        break;
    }
    if (err != expected) {
        return model_failed(model, "a put", err);
    }
    if (puts) {
        expected_put(&model->roots, key, value);
    }
    return NULL;
}

static const char *delete_some(struct store_model *model, verso_txn *txn)
{
    struct tree_state *working = &model->roots.working;
    verso_slice key = model_some_key(model, working);
    size_t index;
    bool there = tree_state_find(working, key, &index);
    verso_err expected = there ? VERSO_OK : VERSO_NOT_FOUND;
    verso_err err;
    if (model_one_in(model, 2)) {
        verso_slice old;
        err = verso_take(txn, key, &old);
        if (err == VERSO_OK && there && !view_same_bytes(old, working->pairs[index].value)) {
            return "a take handed back another value";
        }
    } else {
        err = verso_delete(txn, key);
    }
    if (err != expected) {
        return model_failed(model, "a delete", err);
    }
    expected_delete(&model->roots, key);
    return NULL;
}

/* A range of any kind, mostly one of few keys: else stores would not grow. */
static const char *delete_range(struct store_model *model, verso_txn *txn)
{
    static struct range_model drawn;
    struct tree_state *working = &model->roots.working;
    verso_range *range = &drawn.range;
    range_model_draw(&drawn, working, &model->random);
    size_t first = 0;
    size_t expected = range_model_count(range, working, &first);
    if (expected > RANGE_MAX && !model_one_in(model, 8)) {
        range->has_to = true;
        range->to = working->pairs[first + model_below(model, RANGE_MAX)].key;
        expected = range_model_count(range, working, &first);
    }
    uint64_t deleted = UINT64_MAX;
    verso_err err = verso_delete_range(txn, range, &deleted);
    if (err != VERSO_OK) {
        return model_failed(model, "a range deletion", err);
    }
    tree_state_remove_many(working, first, expected);
    return deleted == expected ? NULL : "a range deletion counted other keys";
}

static const char *put_sorted(struct store_model *model, verso_txn *txn)
{
    struct tree_state batch = {.pairs = NULL};
    size_t count = 1 + (size_t)model_below(model, model->config.sorted_max);
    for (size_t i = 0; i < count; i++) {
        verso_slice key =
            expected_keep(&model->roots, model_some_key(model, &model->roots.working));
        tree_state_put(&batch, key, expected_keep(&model->roots, new_value(model)));
    }
    verso_err err = verso_put_sorted(txn, batch.pairs, batch.count);
    for (size_t i = 0; i < batch.count; i++) {
        tree_state_put(&model->roots.working, batch.pairs[i].key, batch.pairs[i].value);
    }
    tree_state_clear(&batch);
    return err == VERSO_OK ? NULL : model_failed(model, "a sorted put", err);
}

static const char *move_savepoints(struct store_model *model, verso_txn *txn)
{
    return model_savepoints_move(&model->savepoints, txn, &model->roots.working,
                                 &model->roots.working_named, &model->random);
}

/* Walk with one cursor while changing the tree under it: after any change the next entry is the
 * first above the key where the cursor stood, the previous one the last below. */
static const char *walk_and_change(struct store_model *model, verso_txn *txn)
{
    struct tree_state *working = &model->roots.working;
    verso_cursor *cursor;
    verso_err err = verso_cursor_open(verso_txn_view(txn), NULL, &cursor);
    if (err != VERSO_OK) {
        return model_failed(model, "a cursor in a transaction", err);
    }
    const char *fault = NULL;
    verso_entry entry;
    long place = tree_state_seek(working, VERSO_SEEK_GE, model_some_key(model, working));
    if (place >= 0) {
        verso_slice key = working->pairs[place].key;
        err = verso_cursor_seek(cursor, VERSO_SEEK_EQ, key, &entry);
        for (unsigned i = 0; i < 12 && fault == NULL && place >= 0 && err == VERSO_OK; i++) {
            verso_slice stood = working->pairs[place].key;
            fault = model_one_in(model, 3) ? put_some(model, txn) : NULL;
            if (fault == NULL && model_one_in(model, 2)) {
                err = verso_delete(txn, stood); /* NOT_FOUND never: nothing else deletes here */
                expected_delete(&model->roots, stood);
            }
            bool may_roll_back =
                !model->in_tree && model_one_in(model, model->config.savepoint_one_in);
            if (fault == NULL && err == VERSO_OK && may_roll_back) {
                fault = move_savepoints(model, txn);
            }
            bool forward = model_one_in(model, 2);
            place = tree_state_seek(working, forward ? VERSO_SEEK_GT : VERSO_SEEK_LT, stood);
            if (fault != NULL || err != VERSO_OK) {
                break;
            }
            err =
                forward ? verso_cursor_next(cursor, &entry) : verso_cursor_previous(cursor, &entry);
            if (err == VERSO_OK &&
                (place < 0 || !view_same_bytes(entry.key, working->pairs[place].key) ||
                 !view_same_bytes(entry.value, working->pairs[place].value))) {
                fault = "a cursor met another entry after a change";
            }
        }
        bool right = err == VERSO_OK || (err == VERSO_NOT_FOUND && place < 0);
        fault = fault == NULL && !right ? model_failed(model, "a cursor over changes", err) : fault;
    }
    verso_cursor_close(cursor);
    return fault;
}

/* Change the tree of which `working` is the state. */
static const char *change_tree(struct store_model *model, verso_txn *txn)
{
    switch (model_below(model, 24)) {
    case 0:
        return put_sorted(model, txn);
    case 1:
        return walk_and_change(model, txn);
    case 2:
    case 3:
        return view_compare_some(verso_txn_view(txn), &model->roots.working, model_new_key(model),
                                 &model->random);
    case 4:
        return delete_range(model, txn);
    case 5:
        return view_compare_counts(verso_txn_view(txn), &model->roots.working, &model->random);
    default:
        break;
    }
    return (model_below(model, 3) == 0) != model->shrinking ? delete_some(model, txn)
                                                            : put_some(model, txn);
}

/* ---- of all trees ---- */

/* Revert to a root, then compare the transaction with it. */
static const char *revert(struct store_model *model, verso_txn *txn)
{
    verso_view *view;
    uint64_t version;
    verso_err err = model_open_some(model, &view, &version);
    if (err != VERSO_OK) {
        return model_failed(model, "opening a view to revert to", err);
    }
    if (model_one_in(model, 3)) {
        const char *fault = model_history_revert_all(txn, &model->roots, view, version);
        verso_view_close(view);
        return model_within(model, "all trees", fault);
    }
    struct model_view to = model_view_of(model, view, version);
    struct tree_state *working = &model->roots.working;
    const char *fault = model_history_revert(txn, working, to, &model->random);
    if (fault == NULL) {
        struct model_view now = {verso_txn_view(txn), working};
        fault = model_history_difference(to, now, &model->random);
    }
    verso_view_close(view);
    return model_within(model, "in a transaction", fault);
}

/* A change of the named trees, or some in one of them, which then stands in for the default one. */
static const char *change_named(struct store_model *model, verso_txn *txn)
{
    struct expected_roots *roots = &model->roots;
    struct expected_tree *tree;
    verso_txn *handle;
    const char *fault =
        expected_trees_change(&roots->working_named, txn, &model->random, &tree, &handle);
    if (fault != NULL || tree == NULL) {
        return fault;
    }
    struct tree_state of_default = roots->working;
    roots->working = tree->state;
    model->in_tree = true;
    for (uint64_t i = model_below(model, 6); i > 0 && fault == NULL; i--) {
        fault = change_tree(model, handle);
    }
    model->in_tree = false;
    tree->state = roots->working;
    roots->working = of_default;
    return fault;
}

const char *model_change_some(struct store_model *model, verso_txn *txn)
{
    model->operations++;
    size_t count = model->roots.working.count;
    if (count > model->config.keys_target) {
        model->shrinking = true;
    } else if (count <= model->config.keys_target / 10) {
        model->shrinking = false;
    }
    if (model_one_in(model, model->config.savepoint_one_in)) {
        return move_savepoints(model, txn);
    }
    if (model_one_in(model, model->config.revert_one_in)) {
        return revert(model, txn);
    }
    return model_one_in(model, model->config.tree_one_in) ? change_named(model, txn)
                                                          : change_tree(model, txn);
}
