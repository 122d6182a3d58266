/*
 * key_history.c - the values that a key has had, one a call.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "history/key_history.h"
#include "os/fault.h"

struct verso_history {
    verso_store *owner;
    struct vs_key_history *walk;
    struct vs_value_buffer value; /* where it lies in several pieces */
    verso_err error;              /* of a value that could not be read; it stays */
};

static verso_err check_arguments(const verso_view *view, verso_slice key, const void *result)
{
    if (view == NULL || result == NULL) {
        return vs_fault(VERSO_INVALID, "verso_history_open: an argument is NULL");
    }
    if (!vs_slice_is_sound(key)) {
        return vs_fault(VERSO_INVALID, "verso_history_open: the key has a size but no data");
    }
    if (view->txn != NULL) {
        return vs_fault(VERSO_INVALID,
                        "verso_history_open: the view is a transaction's; open one of a root");
    }
    return vs_check_process(view->owner);
}

verso_err verso_history_open(verso_view *view, verso_slice key, verso_history **history)
{
    verso_err err = check_arguments(view, key, history);
    if (err != VERSO_OK) {
        return err;
    }
    verso_history *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a key's history");
    }
    fresh->owner = view->owner;
    err = vs_key_history_open(view->owner->store, &view->record, view->number, key, &fresh->walk);
    if (err != VERSO_OK) {
        free(fresh);
        return err;
    }
    *history = fresh;
    return VERSO_OK;
}

static verso_err check_version(const verso_key_version *version)
{
    if (version->size < sizeof version->size + sizeof version->root || version->size > 4096) {
        return vs_fault(VERSO_INVALID, "key version: `size` is %zu; set it to sizeof",
                        version->size);
    }
    return VERSO_OK;
}

verso_err verso_history_next(verso_history *history, verso_key_version *version)
{
    if (history == NULL || version == NULL) {
        return vs_fault(VERSO_INVALID, "verso_history_next: an argument is NULL");
    }
    verso_err err = vs_check_process(history->owner);
    if (err == VERSO_OK) {
        err = check_version(version);
    }
    if (err != VERSO_OK || history->error != VERSO_OK) {
        return err != VERSO_OK ? err : history->error;
    }
    struct vs_key_state state;
    err = vs_key_history_next(history->walk, &state);
    if (err != VERSO_OK) {
        return err;
    }
    verso_key_version full = {
        .size = version->size,
        .root = state.root.version,
        .time_us = state.root.time_us,
        .note = state.root.note,
        .deleted = state.deleted,
    };
    if (!state.deleted) {
        history->error = vs_value_bytes(&history->owner->store->pages, &state.value,
                                        &history->value, &full.value);
    }
    if (history->error == VERSO_OK) { /* as much as the caller's struct has */
        memcpy(version, &full, version->size < sizeof full ? version->size : sizeof full);
    }
    return history->error;
}

void verso_history_close(verso_history *history)
{
    if (history != NULL) {
        vs_key_history_close(history->walk);
        vs_value_buffer_clear(&history->value);
        free(history);
    }
}
