/*
 * expected_history.c - differences, values and reverts of sorted arrays, found the slow way.
 */
#include "expected_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/key_order.h"
#include "range_model.h"
#include "view_compare.h"

enum { LISTED = 16, NOTE_BYTES = 1024 };

static _Thread_local char fault_text[600];

static const char *fault(const char *what, uint64_t root)
{
    snprintf(fault_text, sizeof fault_text, "%s, root %" PRIu64 " (detail: %s)", what, root,
             verso_error_detail());
    return fault_text;
}

static bool is_in(const verso_range *range, verso_slice key)
{
    return range == NULL || range_model_has(range, key);
}

/* ---- differences ---- */

static const verso_entry *pair_at(const struct tree_state *state, size_t index)
{
    return index < state->count ? &state->pairs[index] : NULL;
}

bool expected_walk_next(struct expected_walk *walk, verso_change *change)
{
    while (walk->at_from < walk->from->count || walk->at_to < walk->to->count) {
        const verso_entry *old = pair_at(walk->from, walk->at_from);
        const verso_entry *new = pair_at(walk->to, walk->at_to);
        int order = old == NULL ? 1 : new == NULL ? -1 : vs_key_compare(old->key, new->key);
        walk->at_from += order <= 0;
        walk->at_to += order >= 0;
        if (order < 0) {
            *change = (verso_change){VERSO_CHANGE_REMOVED, old->key, old->value, {NULL, 0}};
        } else if (order > 0) {
            *change = (verso_change){VERSO_CHANGE_ADDED, new->key, {NULL, 0}, new->value};
        } else if (!view_same_bytes(old->value, new->value)) {
            *change = (verso_change){VERSO_CHANGE_CHANGED, old->key, old->value, new->value};
        } else {
            continue;
        }
        if (is_in(walk->range, change->key)) {
            return true;
        }
    }
    return false;
}

bool expected_same_change(const verso_change *a, const verso_change *b)
{
    return a->kind == b->kind && view_same_bytes(a->key, b->key) &&
           view_same_bytes(a->old_value, b->old_value) &&
           view_same_bytes(a->new_value, b->new_value);
}

static const char *compare_changes(verso_diff *diff, struct expected_walk *walk)
{
    for (uint64_t number = 0;; number++) {
        verso_change found;
        verso_change expected;
        verso_err err = verso_diff_next(diff, &found);
        if (!expected_walk_next(walk, &expected)) {
            return err == VERSO_NOT_FOUND ? NULL : fault("one difference too many", number);
        }
        if (err != VERSO_OK || !expected_same_change(&found, &expected)) {
            return fault("a difference is missing, or another one", number);
        }
    }
}

const char *expected_compare_difference(verso_view *from, verso_view *to,
                                        struct expected_walk *walk, uint64_t *pages)
{
    verso_diff *diff = NULL;
    if (verso_diff_open(from, to, walk->range, &diff) != VERSO_OK) {
        return fault("a walk over differences cannot be opened", 0);
    }
    const char *text = compare_changes(diff, walk);
    verso_change change;
    if (text == NULL && verso_diff_next(diff, &change) != VERSO_NOT_FOUND) {
        text = fault("the end of the differences does not stay", 0);
    }
    *pages = verso_diff_pages(diff);
    verso_diff_close(diff);
    return text;
}

/* ---- the values of a key ---- */

/** The roots up to a version, as the store lists them. */
struct listed {
    verso_root_info *infos;
    size_t count;
};

static bool list_roots(verso_store *store, uint64_t version, char *notes, struct listed *listed)
{
    size_t count = LISTED;
    for (uint64_t from = 0; count == LISTED && from <= version;) {
        verso_root_info *room = listed->infos + listed->count;
        for (size_t i = 0; i < LISTED; i++) {
            room[i].size = sizeof room[i];
        }
        char *room_for_notes = notes + listed->count * NOTE_BYTES;
        if (verso_roots(store, from, room, LISTED, room_for_notes, &count) != VERSO_OK) {
            return false;
        }
        for (size_t i = 0; i < count && room[i].id <= version; i++) {
            listed->count++;
        }
        from = count > 0 ? room[count - 1].id + 1 : from;
    }
    return true;
}

/* The value that the key has in a root; NULL if it is not there. */
static const verso_slice *value_in(const struct expected_roots *roots, uint64_t root, uint64_t tree,
                                   verso_slice key)
{
    const struct expected_trees *named = &roots->root[root].named;
    const struct tree_state *state = tree == 0 ? &roots->root[root].state : NULL;
    for (unsigned i = 0; i < EXPECTED_TREES && state == NULL; i++) {
        const struct expected_tree *one = &named->slot[i];
        state = one->name != NULL && one->number == tree ? &one->state : NULL;
    }
    size_t index;
    return state != NULL && tree_state_find(state, key, &index) ? &state->pairs[index].value : NULL;
}

static bool same_value(const verso_slice *a, const verso_slice *b)
{
    return a == NULL || b == NULL ? a == b : view_same_bytes(*a, *b);
}

static bool same_version(const verso_key_version *found, const verso_root_info *root,
                         const verso_slice *value)
{
    return found->root == root->id && found->time_us == root->time_us &&
           view_same_bytes(found->note, root->note) && found->deleted == (value == NULL) &&
           (value == NULL || view_same_bytes(found->value, *value));
}

static const char *compare_values(const struct expected_roots *roots, const struct listed *listed,
                                  verso_history *history, uint64_t tree, verso_slice key)
{
    verso_key_version found = {.size = sizeof found};
    for (size_t left = listed->count; left > 0; left--) {
        const verso_root_info *root = &listed->infos[left - 1];
        const verso_slice *value = value_in(roots, root->id, tree, key);
        const verso_slice *before =
            left == 1 ? NULL : value_in(roots, listed->infos[left - 2].id, tree, key);
        bool is_first = left > 1 ? !same_value(value, before) : value != NULL;
        if (is_first && (verso_history_next(history, &found) != VERSO_OK ||
                         !same_version(&found, root, value))) {
            return fault("a value of the key is missing, or another one", root->id);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (verso_history_next(history, &found) != VERSO_NOT_FOUND) {
            return fault("a value of the key too many", found.root);
        }
    }
    return NULL;
}

const char *expected_compare_values(const struct expected_roots *roots, verso_store *store,
                                    verso_view *view, uint64_t version, uint64_t tree,
                                    verso_slice key)
{
    struct listed listed = {.infos = calloc(version + LISTED + 1, sizeof *listed.infos)};
    char *notes = calloc(version + LISTED + 1, NOTE_BYTES);
    if (listed.infos == NULL || notes == NULL) {
        abort();
    }
    const char *text = NULL;
    verso_history *history = NULL;
    if (!list_roots(store, version, notes, &listed)) {
        text = fault("the roots cannot be listed up to", version);
    } else if (verso_history_open(view, key, &history) != VERSO_OK) {
        text = fault("a walk over a key's values cannot be opened", version);
    } else {
        text = compare_values(roots, &listed, history, tree, key);
    }
    verso_history_close(history);
    free(listed.infos);
    free(notes);
    return text;
}

/* ---- revert ---- */

uint64_t expected_revert(struct tree_state *state, const struct tree_state *to,
                         const verso_range *range)
{
    uint64_t changes = 0;
    for (size_t i = state->count; i-- > 0;) {
        size_t index;
        verso_slice key = state->pairs[i].key;
        if (is_in(range, key) && !tree_state_find(to, key, &index)) {
            tree_state_remove(state, i);
            changes++;
        }
    }
    for (size_t i = 0; i < to->count; i++) {
        size_t index;
        const verso_entry *pair = &to->pairs[i];
        bool is_there = tree_state_find(state, pair->key, &index);
        if (is_in(range, pair->key) &&
            (!is_there || !view_same_bytes(state->pairs[index].value, pair->value))) {
            tree_state_put(state, pair->key, pair->value);
            changes++;
        }
    }
    return changes;
}
