/*
 * store_model_views.c - roots of a store model opened, read, held and compared.
 */
#include "store_model_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected_history.h"
#include "expected_kept.h"
#include "view_compare.h"
#include "view_counts.h"

/* Open the newest root or one by its id; *version is what was opened. */
verso_err model_open_some(struct store_model *model, verso_view **view, uint64_t *version)
{
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_stat(model->store, &stats);
    if (err != VERSO_OK) {
        return err;
    }
    *version = stats.published;
    if (model_one_in(model, 2) || stats.published == 0 ||
        expected_observe(&model->roots.keeping, model->store, false) != NULL) {
        return verso_view_open(model->store, view);
    }
    *version = 1 + model_below(model, stats.published);
    while (*version < stats.published && model->roots.keeping.mark[*version].gone != 0) {
        ++*version;
    }
    return verso_view_open_root(model->store, *version, view);
}

void model_hold_view(struct store_model *model, verso_view *view, uint64_t version)
{
    model->held[model->held_count++] = (struct held){view, version};
    expected_keeping_open(&model->roots.keeping, version);
}

struct model_view model_view_of(const struct store_model *model, verso_view *view, uint64_t version)
{
    return (struct model_view){view, &model->roots.root[version].state};
}

const char *model_read(struct store_model *model)
{
    verso_view *view;
    uint64_t version;
    bool held = model->held_count > 0 && model_one_in(model, 2);
    if (held) {
        const struct held *one = &model->held[model_below(model, model->held_count)];
        view = one->view;
        version = one->version;
    } else {
        verso_err err = model_open_some(model, &view, &version);
        if (err != VERSO_OK) {
            return model_failed(model, "opening a view", err);
        }
    }
    const char *fault = NULL;
    for (unsigned i = 0; i < 5 && fault == NULL; i++) {
        fault = view_compare_some(view, &model->roots.root[version].state, model_new_key(model),
                                  &model->random);
    }
    if (fault == NULL) {
        fault = view_compare_counts(view, &model->roots.root[version].state, &model->random);
    }
    fault = fault != NULL ? model_failed(model, fault, VERSO_OK) : NULL;
    if (!held) {
        verso_view_close(view);
    }
    return fault;
}

const char *model_hold_or_let_go(struct store_model *model)
{
    const char *seen = expected_observe(&model->roots.keeping, model->store, false);
    if (seen != NULL) { /* what is open now could not have gone before */
        return model_within(model, "before a view is closed", seen);
    }
    if (model->held_count == HELD_MAX || (model->held_count > 0 && model_one_in(model, 2))) {
        unsigned index = (unsigned)model_below(model, model->held_count);
        struct held held = model->held[index];
        model->held[index] = model->held[--model->held_count];
        const char *fault =
            expected_compare_view(&model->roots, held.view, held.version, &model->random);
        expected_keeping_close(&model->roots.keeping, held.version);
        verso_view_close(held.view);
        return model_within(model, "a view held", fault);
    }
    struct held held;
    verso_err err = model_open_some(model, &held.view, &held.version);
    if (err != VERSO_OK) {
        return model_failed(model, "opening a view to hold", err);
    }
    model_hold_view(model, held.view, held.version);
    return NULL;
}

const char *model_compare_root(struct store_model *model)
{
    verso_view *view;
    uint64_t version;
    verso_err err = model_open_some(model, &view, &version);
    if (err != VERSO_OK) {
        return model_failed(model, "opening a view to compare", err);
    }
    const char *fault = expected_compare_view(&model->roots, view, version, &model->random);
    verso_view_close(view);
    return model_within(model, "a root compared", fault);
}

/* The differences of two views of one tree, either way. */
static const char *compare_two(struct store_model *model, struct model_view a, struct model_view b)
{
    return model_one_in(model, 2) ? model_history_difference(a, b, &model->random)
                                  : model_history_difference(b, a, &model->random);
}

/* A named tree of a root; its number is 0 if there is none in that slot. */
static const struct expected_tree *open_tree(struct store_model *model, verso_view *view,
                                             uint64_t version, unsigned slot,
                                             struct model_view *opened)
{
    const struct expected_tree *tree = &model->roots.root[version].named.slot[slot];
    *opened = (struct model_view){NULL, &tree->state};
    if (tree->name == NULL || verso_view_tree(view, verso_text(tree->name), &opened->view) != 0) {
        return NULL;
    }
    return tree;
}

/* The same for a named tree that both roots have, and the values of one of its keys. */
static const char *compare_named(struct store_model *model, verso_view *view, uint64_t version,
                                 const struct held *other)
{
    unsigned slot = (unsigned)model_below(model, EXPECTED_TREES);
    struct model_view from;
    const struct expected_tree *tree = open_tree(model, view, version, slot, &from);
    if (tree == NULL) {
        return NULL;
    }
    const char *fault = expected_compare_values(&model->roots, model->store, from.view, version,
                                                tree->number, model_some_key(model, from.state));
    if (fault == NULL && other != NULL) {
        struct model_view to;
        const struct expected_tree *same = open_tree(model, other->view, other->version, slot, &to);
        if (same != NULL && same->number == tree->number) {
            fault = compare_two(model, from, to);
        }
    }
    return fault;
}

/* Two roots, one of them perhaps a view held, and a key's values. */
const char *model_compare_history(struct store_model *model)
{
    struct held one;
    struct held two;
    verso_err err = model_open_some(model, &one.view, &one.version);
    if (err == VERSO_OK) {
        err = model_open_some(model, &two.view, &two.version);
    }
    if (err != VERSO_OK) {
        return model_failed(model, "opening views to look back from", err);
    }
    bool held = model->held_count > 0 && model_one_in(model, 2);
    const struct held *other = held ? &model->held[model_below(model, model->held_count)] : &two;
    struct model_view from = model_view_of(model, one.view, one.version);
    const char *fault = compare_two(model, from, model_view_of(model, other->view, other->version));
    for (unsigned i = 0; i < 4 && one.version > 0 && fault == NULL; i++) {
        fault = expected_compare_values(&model->roots, model->store, one.view, one.version, 0,
                                        model_some_key(model, from.state));
    }
    if (fault == NULL && one.version > 0) {
        fault = compare_named(model, one.view, one.version, other);
    }
    verso_view_close(two.view);
    verso_view_close(one.view);
    return model_within(model, "looking back", fault);
}
