/*
 * cursor.c - a tree cursor within a range of keys.
 *
 * The range becomes two bounds at open. The cursor below may stand on an entry outside them: then
 * this one stands before or after its range, and the opposite step comes back.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "format/key_order.h"
#include "os/fault.h"

enum place { FRESH, ON, BEFORE, AFTER };

/** One end of a range, with its own copy of the key. */
struct bound {
    bool set;
    bool inclusive;
    verso_slice key;
};

struct verso_cursor {
    verso_view *view;
    struct vs_tree_cursor *tree;
    enum place place;
    struct bound from;
    struct bound to;
    bool empty; /* no key can lie within the bounds */
};

static bool is_below(const struct bound *from, verso_slice key)
{
    if (!from->set) {
        return false;
    }
    int order = vs_key_compare(key, from->key);
    return order < 0 || (order == 0 && !from->inclusive);
}

static bool is_above(const struct bound *to, verso_slice key)
{
    if (!to->set) {
        return false;
    }
    int order = vs_key_compare(key, to->key);
    return order > 0 || (order == 0 && !to->inclusive);
}

/* ---- opening ---- */

static verso_err set_bound(struct bound *bound, verso_slice key, bool inclusive)
{
    uint8_t *copy = malloc(key.size + 1);
    if (copy == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a cursor's bounds");
    }
    if (key.size > 0) {
        memcpy(copy, key.data, key.size);
    }
    free((void *)(uintptr_t)bound->key.data);
    *bound = (struct bound){true, inclusive, {copy, key.size}};
    return VERSO_OK;
}

/* All keys with the prefix lie in [prefix, the prefix with its last byte below 255 raised). */
static verso_err bound_by_prefix(verso_cursor *cursor, verso_slice prefix)
{
    verso_err err = VERSO_OK;
    if (!cursor->from.set || is_below(&(struct bound){true, true, prefix}, cursor->from.key)) {
        err = set_bound(&cursor->from, prefix, true);
    }
    const uint8_t *bytes = prefix.data;
    size_t size = prefix.size;
    while (size > 0 && bytes[size - 1] == UINT8_MAX) {
        size--;
    }
    if (err != VERSO_OK || size == 0) {
        return err;
    }
    struct bound after = {0};
    err = set_bound(&after, (verso_slice){prefix.data, size}, false);
    if (err != VERSO_OK) {
        return err;
    }
    ((uint8_t *)(uintptr_t)after.key.data)[size - 1]++;
    if (!cursor->to.set || is_above(&after, cursor->to.key)) {
        free((void *)(uintptr_t)cursor->to.key.data);
        cursor->to = after;
    } else {
        free((void *)(uintptr_t)after.key.data);
    }
    return VERSO_OK;
}

static verso_err read_range(verso_cursor *cursor, const verso_range *given)
{
    verso_range range;
    memset(&range, 0, sizeof range);
    if (given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "range: `size` is %zu; set it to sizeof", given->size);
    }
    memcpy(&range, given, given->size < sizeof range ? given->size : sizeof range);
    if ((range.has_from && !vs_slice_is_sound(range.from)) ||
        (range.has_to && !vs_slice_is_sound(range.to)) ||
        (range.has_prefix && !vs_slice_is_sound(range.prefix))) {
        return vs_fault(VERSO_INVALID, "range: a bound has a size but no data");
    }
    verso_err err = VERSO_OK;
    if (range.has_from) {
        err = set_bound(&cursor->from, range.from, !range.from_exclusive);
    }
    if (err == VERSO_OK && range.has_to) {
        err = set_bound(&cursor->to, range.to, range.to_inclusive);
    }
    if (err == VERSO_OK && range.has_prefix) {
        err = bound_by_prefix(cursor, range.prefix);
    }
    cursor->empty =
        cursor->from.set && cursor->to.set &&
        (is_above(&cursor->to, cursor->from.key) || (is_below(&cursor->from, cursor->to.key)));
    return err;
}

verso_err verso_cursor_open(verso_view *view, const verso_range *range, verso_cursor **cursor)
{
    if (view == NULL || cursor == NULL) {
        return vs_fault(VERSO_INVALID, "verso_cursor_open: an argument is NULL");
    }
    verso_err err = vs_check_process(view->owner);
    if (err != VERSO_OK) {
        return err;
    }
    verso_cursor *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a cursor");
    }
    fresh->view = view;
    err = range == NULL ? VERSO_OK : read_range(fresh, range);
    if (err == VERSO_OK) {
        err = vs_tree_cursor_open(vs_view_tree(view), view->txn == NULL ? NULL : view->txn->edit,
                                  &fresh->tree);
    }
    if (err != VERSO_OK) {
        verso_cursor_close(fresh);
        return err;
    }
    *cursor = fresh;
    return VERSO_OK;
}

void verso_cursor_close(verso_cursor *cursor)
{
    if (cursor != NULL) {
        vs_tree_cursor_close(cursor->tree);
        free((void *)(uintptr_t)cursor->from.key.data);
        free((void *)(uintptr_t)cursor->to.key.data);
        free(cursor);
    }
}

/* ---- moving ---- */

static verso_err nothing_there(verso_cursor *cursor, enum place place)
{
    cursor->place = place;
    return vs_fault_text(VERSO_NOT_FOUND, "no entry there");
}

/* The tree's cursor has moved, forward or backward: is it still within the range? */
static verso_err land(verso_cursor *cursor, verso_err err, bool forward,
                      const struct vs_tree_entry *found, verso_entry *entry)
{
    if (err == VERSO_NOT_FOUND) {
        return nothing_there(cursor, forward ? AFTER : BEFORE);
    }
    if (err != VERSO_OK) {
        return err;
    }
    if (is_above(&cursor->to, found->key)) {
        return nothing_there(cursor, AFTER);
    }
    if (is_below(&cursor->from, found->key)) {
        return nothing_there(cursor, BEFORE);
    }
    cursor->place = ON;
    if (entry != NULL) {
        entry->key = found->key;
        return vs_view_value(cursor->view, &found->value, &entry->value);
    }
    return VERSO_OK;
}

static verso_err check_cursor(const verso_cursor *cursor)
{
    return cursor == NULL ? vs_fault(VERSO_INVALID, "the cursor is NULL")
                          : vs_check_process(cursor->view->owner);
}

verso_err verso_cursor_first(verso_cursor *cursor, verso_entry *entry)
{
    verso_err err = check_cursor(cursor);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_entry found;
    if (cursor->from.set) {
        verso_seek how = cursor->from.inclusive ? VERSO_SEEK_GE : VERSO_SEEK_GT;
        err = vs_tree_cursor_seek(cursor->tree, how, cursor->from.key, &found);
    } else {
        err = vs_tree_cursor_first(cursor->tree, &found);
    }
    return land(cursor, err, true, &found, entry);
}

verso_err verso_cursor_last(verso_cursor *cursor, verso_entry *entry)
{
    verso_err err = check_cursor(cursor);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_entry found;
    if (cursor->to.set) {
        verso_seek how = cursor->to.inclusive ? VERSO_SEEK_LE : VERSO_SEEK_LT;
        err = vs_tree_cursor_seek(cursor->tree, how, cursor->to.key, &found);
    } else {
        err = vs_tree_cursor_last(cursor->tree, &found);
    }
    return land(cursor, err, false, &found, entry);
}

verso_err verso_cursor_next(verso_cursor *cursor, verso_entry *entry)
{
    verso_err err = check_cursor(cursor);
    if (err != VERSO_OK) {
        return err;
    }
    if (cursor->place == FRESH || cursor->place == BEFORE) {
        return verso_cursor_first(cursor, entry);
    }
    if (cursor->place == AFTER) {
        return vs_fault_text(VERSO_NOT_FOUND, "no entry there");
    }
    struct vs_tree_entry found;
    err = vs_tree_cursor_next(cursor->tree, &found);
    return land(cursor, err, true, &found, entry);
}

verso_err verso_cursor_previous(verso_cursor *cursor, verso_entry *entry)
{
    verso_err err = check_cursor(cursor);
    if (err != VERSO_OK) {
        return err;
    }
    if (cursor->place == FRESH || cursor->place == AFTER) {
        return verso_cursor_last(cursor, entry);
    }
    if (cursor->place == BEFORE) {
        return vs_fault_text(VERSO_NOT_FOUND, "no entry there");
    }
    struct vs_tree_entry found;
    err = vs_tree_cursor_previous(cursor->tree, &found);
    return land(cursor, err, false, &found, entry);
}

verso_err verso_cursor_seek(verso_cursor *cursor, verso_seek how, verso_slice key,
                            verso_entry *entry)
{
    verso_err err = check_cursor(cursor);
    if (err == VERSO_OK &&
        (how < VERSO_SEEK_LT || how > VERSO_SEEK_GT || !vs_slice_is_sound(key))) {
        err = vs_fault(VERSO_INVALID, "verso_cursor_seek: no such seek, or a key without data");
    }
    if (err != VERSO_OK) {
        return err;
    }
    bool forward = how >= VERSO_SEEK_EQ;
    if (forward && how != VERSO_SEEK_EQ && is_below(&cursor->from, key)) {
        return verso_cursor_first(cursor, entry);
    }
    if (!forward && is_above(&cursor->to, key)) {
        return verso_cursor_last(cursor, entry);
    }
    struct vs_tree_entry found;
    err = vs_tree_cursor_seek(cursor->tree, how, key, &found);
    return land(cursor, err, forward, &found, entry);
}

verso_err verso_cursor_current(verso_cursor *cursor, verso_entry *entry)
{
    verso_err err = check_cursor(cursor);
    if (err == VERSO_OK && cursor->place != ON) {
        err = vs_fault_text(VERSO_NOT_FOUND, "the cursor stands on no entry");
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_entry found;
    err = vs_tree_cursor_current(cursor->tree, &found);
    if (err != VERSO_OK || entry == NULL) {
        return err;
    }
    entry->key = found.key;
    return vs_view_value(cursor->view, &found.value, &entry->value);
}

/* ---- many at once ---- */

/* Stand before the first entry of the range, so that the tree's batch begins with it. */
static verso_err stand_before_range(verso_cursor *cursor)
{
    if (!cursor->from.set) {
        verso_err err = vs_tree_cursor_first(cursor->tree, NULL);
        if (err == VERSO_OK) {
            err = vs_tree_cursor_previous(cursor->tree, NULL);
        }
        return err == VERSO_NOT_FOUND ? VERSO_OK : err;
    }
    verso_seek how = cursor->from.inclusive ? VERSO_SEEK_LT : VERSO_SEEK_LE;
    verso_err err = vs_tree_cursor_seek(cursor->tree, how, cursor->from.key, NULL);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

verso_err verso_cursor_batch(verso_cursor *cursor, verso_entry *entries, size_t capacity,
                             size_t *count)
{
    verso_err err = check_cursor(cursor);
    if (err == VERSO_OK && (count == NULL || (entries == NULL && capacity > 0))) {
        err = vs_fault(VERSO_INVALID, "verso_cursor_batch: an argument is NULL");
    }
    if (err != VERSO_OK) {
        return err;
    }
    *count = 0;
    if (capacity == 0) {
        return VERSO_OK;
    }
    if (cursor->empty || cursor->place == AFTER) {
        return nothing_there(cursor, AFTER);
    }
    vs_view_tree(cursor->view);
    if (cursor->place == FRESH || cursor->place == BEFORE) {
        err = stand_before_range(cursor);
    }
    size_t filled = 0;
    if (err == VERSO_OK) {
        err = vs_tree_cursor_batch(cursor->tree, cursor->to.set, cursor->to.key,
                                   cursor->to.inclusive, entries, capacity, &filled);
    }
    if (err == VERSO_NOT_FOUND || (err == VERSO_OK && filled < capacity)) {
        cursor->place = AFTER;
    } else if (err == VERSO_OK) {
        cursor->place = ON;
    }
    for (size_t i = 0; i < filled && err == VERSO_OK; i++) {
        if (entries[i].value.data == NULL && entries[i].value.size > 0) { /* in several pieces */
            err = verso_get(cursor->view, entries[i].key, &entries[i].value);
        }
    }
    if (err == VERSO_OK) {
        *count = filled;
    }
    return err;
}
