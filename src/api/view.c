/*
 * view.c - opening, describing and closing roots.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "os/fault.h"
#include "os/thread.h"

void vs_view_fill(verso_view *view, verso_store *store, uint32_t slot,
                  const struct vs_root_record *record)
{
    view->owner = store;
    view->slot = slot;
    view->record = *record;
    view->tree = (struct vs_tree_view){&store->store->pages, record->tree, record->version};
    const struct vs_os *os = store->store->os;
    vs_reader_sign(&store->store->readers, slot, vs_thread_id(), os->coarse_clock_us(os));
    atomic_fetch_add_explicit(&store->views, 1, memory_order_relaxed);
}

verso_err vs_view_wrap(verso_store *store, uint32_t slot, const struct vs_root_record *record,
                       verso_view **view)
{
    verso_view *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        vs_reader_unpin(&store->store->readers, slot);
        return vs_fault(VERSO_NOMEM, "no memory for a view");
    }
    vs_view_fill(fresh, store, slot, record);
    *view = fresh;
    return VERSO_OK;
}

verso_err verso_view_open(verso_store *store, verso_view **view)
{
    if (store == NULL || view == NULL) {
        return vs_fault(VERSO_INVALID, "verso_view_open: an argument is NULL");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    uint32_t slot;
    struct vs_root_record record;
    err = vs_roots_pin(&inner->roots, &inner->readers, &slot, &record);
    return err == VERSO_OK ? vs_view_wrap(store, slot, &record, view) : err;
}

verso_err verso_view_open_root(verso_store *store, verso_root_id root, verso_view **view)
{
    if (store == NULL || view == NULL) {
        return vs_fault(VERSO_INVALID, "verso_view_open_root: an argument is NULL");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    uint32_t slot;
    struct vs_root_record record;
    err = vs_history_pin(store->store, root, &slot, &record, NULL);
    return err == VERSO_OK ? vs_view_wrap(store, slot, &record, view) : err;
}

verso_err vs_view_check_arguments(const verso_view *view, const void *result)
{
    if (view == NULL || result == NULL) {
        return vs_fault(VERSO_INVALID,
                        view == NULL ? "the view is NULL" : "the result's place is NULL");
    }
    return vs_view_check(view);
}

verso_err verso_view_open_at(verso_store *store, int64_t time_us, verso_view **view)
{
    if (store == NULL || view == NULL) {
        return vs_fault(VERSO_INVALID, "verso_view_open_at: an argument is NULL");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    uint32_t slot;
    struct vs_root_record record;
    err = vs_history_pin_at(store->store, time_us, &slot, &record);
    return err == VERSO_OK ? vs_view_wrap(store, slot, &record, view) : err;
}

void vs_view_forget_pieces(verso_view *view)
{
    while (view->pieces != NULL) {
        struct vs_piece *piece = view->pieces;
        view->pieces = piece->next;
        free(piece);
    }
}

void vs_view_clear(verso_view *view)
{
    for (size_t i = 0; i < view->trees.count; i++) {
        vs_view_clear(view->trees.view[i]);
        free(view->trees.view[i]);
    }
    free(view->trees.view);
    vs_tree_cursor_close(view->probe);
    vs_view_forget_pieces(view);
    free(view->note);
}

void verso_view_close(verso_view *view)
{
    if (view == NULL || view->txn != NULL || view->parent != NULL ||
        vs_view_check(view) != VERSO_OK) {
        return; /* a transaction's view ends with it, a tree's with its root's; a parent process's
                   goes on there */
    }
    vs_view_clear(view);
    vs_reader_unpin(&view->owner->store->readers, view->slot);
    /* release: all reading through the view comes before a close that counts it */
    atomic_fetch_sub_explicit(&view->owner->views, 1, memory_order_release);
    free(view);
}

/* ---- describing ---- */

enum { INFO_SIZE_MIN = sizeof(size_t) + sizeof(verso_root_id) };

/* Fill as much of the caller's struct as it has. */
static void fill_info(verso_root_info *info, const struct vs_root_record *record)
{
    verso_root_info full = {
        .size = info->size,
        .id = record->version,
        .time_us = record->time_us,
        .keys = record->tree.keys,
        .fingerprint = record->fingerprint,
        .note = record->note,
    };
    memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
}

static verso_err check_info(const verso_root_info *info)
{
    if (info->size < INFO_SIZE_MIN || info->size > 4096) {
        return vs_fault(VERSO_INVALID, "root info: `size` is %zu; set it to sizeof", info->size);
    }
    return VERSO_OK;
}

/* The note is looked up when first asked for: opening a view takes no lock. */
static verso_err read_note(verso_view *view)
{
    if (view->note != NULL) {
        return VERSO_OK;
    }
    uint8_t *note = malloc(VS_NOTE_MAX);
    if (note == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the root's note");
    }
    struct vs_root_record record;
    verso_err err = vs_history_find(view->owner->store, view->record.version, &record, note);
    if (err == VERSO_GONE) { /* dropped since; the view keeps its content, but not its note */
        record.note.size = 0;
        err = VERSO_OK;
    }
    if (err != VERSO_OK) {
        free(note);
        return err;
    }
    view->note = note;
    view->record.note.size = record.note.size;
    return VERSO_OK;
}

verso_err verso_view_info(verso_view *view, verso_root_info *info)
{
    if (view == NULL || info == NULL) {
        return vs_fault(VERSO_INVALID, "verso_view_info: an argument is NULL");
    }
    verso_err err = vs_view_check(view);
    if (err == VERSO_OK) {
        err = check_info(info);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_root_record record = view->record;
    if (view->txn != NULL) {
        const struct vs_tree_edit *edit = view->txn->edit;
        record.tree = edit->root;
        record.fingerprint = edit->tree_id == 0 ? vs_tree_set_fingerprint(&view->txn->shared->trees)
                                                : edit->fingerprint;
        record.note.size = 0;
    } else if (record.version > 0) {
        err = read_note(view);
        if (err != VERSO_OK) {
            return err;
        }
        record.note.size = view->record.note.size;
    }
    record.note.data = view->note;
    fill_info(info, &record);
    return VERSO_OK;
}

verso_err verso_roots(verso_store *store, verso_root_id from, verso_root_info *infos,
                      size_t capacity, char *notes, size_t *count)
{
    if (store == NULL || count == NULL || (infos == NULL && capacity > 0)) {
        return vs_fault(VERSO_INVALID, "verso_roots: an argument is NULL");
    }
    verso_err err = vs_check_process(store);
    if (err == VERSO_OK) {
        err = vs_check_elements(infos, capacity, INFO_SIZE_MIN, "verso_roots");
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    uint64_t id = from == 0 ? 1 : from;
    size_t filled = 0;
    for (; filled < capacity && vs_history_next(inner, id, &id); id++) {
        uint8_t *note = notes == NULL ? NULL : (uint8_t *)notes + filled * (size_t)VS_NOTE_MAX;
        struct vs_root_record record;
        uint32_t slot;
        err = vs_history_pin(inner, id, &slot, &record, note);
        if (err == VERSO_GONE) {
            continue; /* dropped while we were listing */
        }
        if (err != VERSO_OK) {
            return err;
        }
        vs_reader_unpin(&inner->readers, slot);
        if (note == NULL) {
            record.note = (verso_slice){NULL, 0};
        }
        fill_info(vs_element(infos, filled++), &record);
    }
    *count = filled;
    return VERSO_OK;
}
