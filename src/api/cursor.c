/*
 * cursor.c - a tree cursor within a range of keys.
 *
 * The range becomes [from, to) at open (range.h). The cursor below may stand on an entry outside it:
 * then this one stands before or after its range, and the opposite step comes back.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "api/range.h"
#include "os/fault.h"

enum place { FRESH, ON, BEFORE, AFTER, FAILED };

struct verso_cursor {
    verso_view *view;
    struct vs_tree_cursor *tree;
    enum place place;
    verso_err error; /* FAILED: what every step says until the cursor is placed anew */
    struct vs_range range;
};

/* ---- opening ---- */

verso_err verso_cursor_open(verso_view *view, const verso_range *range, verso_cursor **cursor)
{
    if (view == NULL || cursor == NULL) {
        return vs_fault(VERSO_INVALID, "verso_cursor_open: an argument is NULL");
    }
    verso_err err = vs_view_check(view);
    if (err != VERSO_OK) {
        return err;
    }
    verso_cursor *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a cursor");
    }
    fresh->view = view;
    err = vs_range_read(range, &fresh->range);
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
        vs_range_clear(&cursor->range);
        free(cursor);
    }
}

/* ---- moving ---- */

static verso_err nothing_there(verso_cursor *cursor, enum place place)
{
    cursor->place = place;
    return vs_fault_text(VERSO_NOT_FOUND, "no entry there");
}

/* The tree's cursor may stand on an entry whose value cannot be read: the next step must not pass
 * it over. */
static verso_err fail(verso_cursor *cursor, verso_err err)
{
    cursor->place = FAILED;
    cursor->error = err;
    return err;
}

static verso_err failed_before(const verso_cursor *cursor)
{
    return vs_fault(cursor->error, "the cursor has met this error and was not placed anew");
}

/* The tree's cursor has moved, forward or backward: is it still within the range? */
static verso_err land(verso_cursor *cursor, verso_err err, bool forward,
                      const struct vs_tree_entry *found, verso_entry *entry)
{
    if (err == VERSO_NOT_FOUND) {
        return nothing_there(cursor, forward ? AFTER : BEFORE);
    }
    if (err != VERSO_OK) {
        return fail(cursor, err);
    }
    if (vs_range_is_above(&cursor->range, found->key)) {
        return nothing_there(cursor, AFTER);
    }
    if (vs_range_is_below(&cursor->range, found->key)) {
        return nothing_there(cursor, BEFORE);
    }
    cursor->place = ON;
    if (entry != NULL) {
        entry->key = found->key;
        err = vs_view_value(cursor->view, &found->value, &entry->value);
    }
    return err == VERSO_OK ? err : fail(cursor, err);
}

static verso_err check_cursor(const verso_cursor *cursor)
{
    return cursor == NULL ? vs_fault(VERSO_INVALID, "the cursor is NULL")
                          : vs_view_check(cursor->view);
}

verso_err verso_cursor_first(verso_cursor *cursor, verso_entry *entry)
{
    verso_err err = check_cursor(cursor);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_entry found;
    const struct vs_key_range *keys = &cursor->range.keys;
    if (keys->has_from) {
        err = vs_tree_cursor_seek(cursor->tree, VERSO_SEEK_GE, keys->from, &found);
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
    const struct vs_key_range *keys = &cursor->range.keys;
    if (keys->has_to) {
        err = vs_tree_cursor_seek(cursor->tree, VERSO_SEEK_LT, keys->to, &found);
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
    if (cursor->place == FAILED) {
        return failed_before(cursor);
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
    if (cursor->place == FAILED) {
        return failed_before(cursor);
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
    if (forward && how != VERSO_SEEK_EQ && vs_range_is_below(&cursor->range, key)) {
        return verso_cursor_first(cursor, entry);
    }
    if (!forward && vs_range_is_above(&cursor->range, key)) {
        return verso_cursor_last(cursor, entry);
    }
    struct vs_tree_entry found;
    err = vs_tree_cursor_seek(cursor->tree, how, key, &found);
    return land(cursor, err, forward, &found, entry);
}

verso_err verso_cursor_current(verso_cursor *cursor, verso_entry *entry)
{
    verso_err err = check_cursor(cursor);
    if (err == VERSO_OK && cursor->place == FAILED) {
        return failed_before(cursor);
    }
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
    const struct vs_key_range *keys = &cursor->range.keys;
    if (!keys->has_from) {
        verso_err err = vs_tree_cursor_first(cursor->tree, NULL);
        if (err == VERSO_OK) {
            err = vs_tree_cursor_previous(cursor->tree, NULL);
        }
        return err == VERSO_NOT_FOUND ? VERSO_OK : err;
    }
    verso_err err = vs_tree_cursor_seek(cursor->tree, VERSO_SEEK_LT, keys->from, NULL);
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
    if (cursor->range.empty || cursor->place == AFTER) {
        return nothing_there(cursor, AFTER);
    }
    if (cursor->place == FAILED) {
        return failed_before(cursor);
    }
    vs_view_tree(cursor->view);
    if (cursor->place == FRESH || cursor->place == BEFORE) {
        err = stand_before_range(cursor);
    }
    size_t filled = 0;
    if (err == VERSO_OK) {
        err = vs_tree_cursor_batch(cursor->tree, cursor->range.keys.has_to, cursor->range.keys.to,
                                   false, entries, capacity, &filled);
    }
    if (err == VERSO_NOT_FOUND || (err == VERSO_OK && filled < capacity)) {
        cursor->place = AFTER;
    } else if (err == VERSO_OK) {
        cursor->place = ON;
    }
    for (size_t i = 0; i < filled && err == VERSO_OK; i++) {
        if (entries[i].value.data == NULL) { /* in several pieces */
            err = verso_get(cursor->view, entries[i].key, &entries[i].value);
        }
    }
    if (err == VERSO_OK) {
        *count = filled;
    }
    return err == VERSO_OK || err == VERSO_NOT_FOUND ? err : fail(cursor, err);
}
