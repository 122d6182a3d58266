/*
 * read.c - looking up keys in a view, whether it is a root or a transaction seen from inside.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "os/fault.h"

static verso_err check_arguments(const verso_view *view, verso_slice key, const void *result)
{
    if (__builtin_expect(view == NULL || result == NULL || !vs_slice_is_sound(key), 0)) {
        return vs_fault(VERSO_INVALID, view == NULL     ? "the view is NULL"
                                       : result == NULL ? "the result's place is NULL"
                                                        : "the key has a size but no data");
    }
    return vs_view_check(view);
}

verso_err vs_view_value(verso_view *view, const struct vs_tree_value *found, verso_slice *value)
{
    *value = found->slice;
    if (found->slice.data != NULL) { /* else it lies in several pieces */
        return VERSO_OK;
    }
    verso_err err = vs_run_verify(view->tree.pages, &found->run);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_piece *piece = malloc(sizeof *piece + found->slice.size);
    if (piece == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to put a value of %zu bytes together",
                        found->slice.size);
    }
    err = vs_run_copy(view->tree.pages, &found->run, 0, piece->bytes, found->slice.size);
    if (err != VERSO_OK) {
        free(piece);
        return err;
    }
    piece->next = view->pieces;
    view->pieces = piece;
    value->data = piece->bytes;
    return VERSO_OK;
}

verso_err verso_get(verso_view *view, verso_slice key, verso_slice *value)
{
    verso_err err = check_arguments(view, key, value);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_value found;
    err = vs_tree_get(vs_view_tree(view), key, &found);
    return err == VERSO_OK ? vs_view_value(view, &found, value) : err;
}

verso_err vs_view_probe(verso_view *view, struct vs_tree_cursor **probe)
{
    const struct vs_tree_view *tree = vs_view_tree(view);
    verso_err err = VERSO_OK;
    if (view->probe == NULL) {
        err = vs_tree_cursor_open(tree, view->txn == NULL ? NULL : view->txn->edit, &view->probe);
    }
    *probe = view->probe;
    return err;
}

verso_err verso_get_at_or_after(verso_view *view, verso_slice key, verso_entry *found)
{
    verso_err err = check_arguments(view, key, found);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_cursor *probe;
    err = vs_view_probe(view, &probe);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_entry entry;
    err = vs_tree_cursor_seek(probe, VERSO_SEEK_GE, key, &entry);
    if (err != VERSO_OK) {
        return err;
    }
    found->key = entry.key;
    return vs_view_value(view, &entry.value, &found->value);
}

enum { MANY = 64 }; /* keys looked up in one go */

verso_err verso_get_many(verso_view *view, const verso_slice *keys, size_t count,
                         verso_slice *values, verso_err *results)
{
    if (view == NULL || ((keys == NULL || values == NULL || results == NULL) && count > 0)) {
        return vs_fault(VERSO_INVALID, "verso_get_many: an argument is NULL");
    }
    for (size_t i = 0; i < count; i++) {
        if (!vs_slice_is_sound(keys[i])) {
            return vs_fault(VERSO_INVALID, "verso_get_many: key %zu has a size but no data", i);
        }
    }
    verso_err err = vs_view_check(view);
    if (err != VERSO_OK) {
        return err;
    }
    const struct vs_tree_view *tree = vs_view_tree(view);
    struct vs_tree_value found[MANY];
    for (size_t done = 0; done < count; done += MANY) {
        size_t part = count - done < MANY ? count - done : MANY;
        err = vs_tree_get_many(tree, keys + done, part, found, results + done);
        for (size_t i = 0; i < part && err == VERSO_OK; i++) {
            if (results[done + i] == VERSO_OK) {
                err = vs_view_value(view, &found[i], &values[done + i]);
            } else {
                values[done + i] = (verso_slice){NULL, 0};
            }
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

verso_err verso_read(verso_view *view, verso_slice key, uint64_t offset, void *buffer,
                     size_t capacity, size_t *copied)
{
    verso_err err = check_arguments(view, key, copied);
    if (err == VERSO_OK && buffer == NULL && capacity > 0) {
        err = vs_fault(VERSO_INVALID, "verso_read: the buffer is NULL");
    }
    struct vs_tree_value found;
    if (err == VERSO_OK) {
        err = vs_tree_get(vs_view_tree(view), key, &found);
    }
    if (err != VERSO_OK) {
        return err;
    }
    size_t size = found.slice.size;
    size_t part = offset >= size ? 0 : size - (size_t)offset;
    part = part < capacity ? part : capacity;
    if (part > 0 && found.is_run) {
        err = vs_run_copy(view->tree.pages, &found.run, offset, buffer, part);
    } else if (part > 0) {
        memcpy(buffer, (const uint8_t *)found.slice.data + offset, part);
    }
    if (err == VERSO_OK) {
        *copied = part;
    }
    return err;
}
