/*
 * history.c - entering roots into the history tree, and finding them there; see history.h.
 */
#include "history/history.h"

#include <string.h>

#include "os/fault.h"
#include "tree/cursor.h"
#include "tree/tree.h"

enum { ID_SIZE = 8 };

/* ---- entering ---- */

static verso_err put_root(struct vs_store *store, struct vs_tree_edit *edit, uint64_t version)
{
    struct vs_root_record record;
    uint8_t note[VS_NOTE_MAX];
    if (!vs_roots_find(&store->roots, version, &record, note)) {
        return vs_fault(VERSO_CORRUPT, "root %llu is in no list", (unsigned long long)version);
    }
    uint8_t id[ID_SIZE];
    uint8_t value[VS_ROOT_RECORD_MAX];
    vs_put_be64(id, version);
    size_t size = vs_root_record_encode(&record, value);
    bool broken;
    return vs_tree_put(edit, VS_PUT_UPSERT, (verso_slice){id, ID_SIZE}, (verso_slice){value, size},
                       NULL, NULL, &broken);
}

/* Ids below `retained` leave, oldest first. */
static verso_err drop_roots(struct vs_tree_edit *edit, uint64_t retained)
{
    for (;;) {
        struct vs_tree_view view = vs_tree_edit_view(edit);
        struct vs_tree_cursor *cursor;
        struct vs_tree_entry entry;
        uint8_t id[ID_SIZE];
        verso_err err = vs_tree_cursor_open(&view, NULL, &cursor);
        if (err != VERSO_OK) {
            return err;
        }
        err = vs_tree_cursor_first(cursor, &entry);
        bool drop =
            err == VERSO_OK && entry.key.size == ID_SIZE && vs_get_be64(entry.key.data) < retained;
        if (drop) {
            memcpy(id, entry.key.data, ID_SIZE);
        }
        vs_tree_cursor_close(cursor);
        if (!drop) {
            return err == VERSO_NOT_FOUND ? VERSO_OK : err;
        }
        bool broken;
        err = vs_tree_delete(edit, (verso_slice){id, ID_SIZE}, NULL, NULL, &broken);
        if (err != VERSO_OK) {
            return err;
        }
    }
}

static verso_err enter(struct vs_store *store, struct vs_page_writer *writer, uint64_t from,
                       uint64_t to, uint64_t retained_from, struct vs_tree_root *history)
{
    struct vs_tree_edit edit;
    verso_err err = vs_tree_edit_init(&edit, writer, *history, 0, 0);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t first = from + 1 > retained_from ? from + 1 : retained_from;
    first = first > to ? to : first; /* the checkpoint's own root is always named */
    for (uint64_t version = first; version <= to && version > from && err == VERSO_OK; version++) {
        err = put_root(store, &edit, version);
    }
    if (err == VERSO_OK) {
        err = drop_roots(&edit, retained_from < to ? retained_from : to);
    }
    *history = edit.root;
    vs_tree_edit_clear(&edit);
    return err;
}

const struct vs_history_calls vs_history_calls = {.enter = enter};

/* ---- finding ---- */

static verso_err gone(uint64_t version)
{
    return vs_fault(VERSO_GONE, "root %llu is no longer kept", (unsigned long long)version);
}

static verso_err find_in_tree_locked(struct vs_store *store, uint64_t version,
                                     struct vs_root_record *record, uint8_t *note)
{
    struct vs_tree_view view = {&store->pages, store->meta.history, store->meta.generation};
    uint8_t id[ID_SIZE];
    vs_put_be64(id, version);
    struct vs_tree_value value;
    verso_err err = vs_tree_get(&view, (verso_slice){id, ID_SIZE}, &value);
    if (err == VERSO_NOT_FOUND) {
        return gone(version);
    }
    if (err != VERSO_OK) {
        return err;
    }
    uint8_t bytes[VS_ROOT_RECORD_MAX];
    size_t size = value.slice.size;
    if (size > sizeof bytes) {
        return vs_fault(VERSO_CORRUPT, "root %llu: its record is too long",
                        (unsigned long long)version);
    }
    if (value.is_run) {
        err = vs_run_copy(&store->pages, &value.run, 0, bytes, size);
        if (err != VERSO_OK) {
            return err;
        }
    } else {
        memcpy(bytes, value.slice.data, size);
    }
    const char *fault = vs_root_record_decode(bytes, size, version, record);
    if (fault != NULL) {
        return vs_fault(VERSO_CORRUPT, "root %llu: %s", (unsigned long long)version, fault);
    }
    if (note != NULL && record->note.size > 0) {
        memcpy(note, record->note.data, record->note.size);
        record->note.data = note;
    } else {
        record->note.data = NULL;
    }
    return VERSO_OK;
}

static verso_err find_locked(struct vs_store *store, uint64_t version,
                             struct vs_root_record *record, uint8_t *note)
{
    if (vs_roots_find(&store->roots, version, record, note)) {
        return VERSO_OK;
    }
    if (version == 0) {
        *record = (struct vs_root_record){0};
        return VERSO_OK;
    }
    return find_in_tree_locked(store, version, record, note);
}

verso_err vs_history_find(struct vs_store *store, uint64_t version, struct vs_root_record *record,
                          uint8_t *note)
{
    pthread_mutex_lock(&store->roots.lookup_lock);
    verso_err err = find_locked(store, version, record, note);
    pthread_mutex_unlock(&store->roots.lookup_lock);
    return err;
}

uint64_t vs_history_oldest(struct vs_store *store)
{
    uint64_t published = vs_roots_published(&store->roots);
    uint64_t retained = atomic_load_explicit(&store->retained_from, memory_order_seq_cst);
    return retained < published ? retained : published;
}

verso_err vs_history_pin(struct vs_store *store, uint64_t version, uint32_t *slot,
                         struct vs_root_record *record, uint8_t *note)
{
    if (version == 0 || version > vs_roots_published(&store->roots)) {
        return vs_fault(VERSO_NOT_FOUND, "root %llu does not exist (the newest is %llu)",
                        (unsigned long long)version,
                        (unsigned long long)vs_roots_published(&store->roots));
    }
    uint64_t epoch = atomic_load_explicit(&store->location_epoch, memory_order_seq_cst);
    verso_err err = vs_reader_pin(&store->readers, version, epoch, slot);
    if (err != VERSO_OK) {
        return err;
    }
    /* pinned first, looked at after: a drop does it the other way round */
    err = version < vs_history_oldest(store) ? gone(version)
                                             : vs_history_find(store, version, record, note);
    if (err == VERSO_GONE && version >= vs_history_oldest(store)) { /* and no drop came between */
        err = vs_fault(VERSO_CORRUPT, "root %llu is kept, but the history does not have it",
                       (unsigned long long)version);
    }
    if (err != VERSO_OK) {
        vs_reader_unpin(&store->readers, *slot);
    }
    return err;
}

static verso_err none_kept(const char *side, uint64_t version)
{
    return vs_fault(VERSO_NOT_FOUND, "no root %s %llu is kept", side, (unsigned long long)version);
}

verso_err vs_history_pin_at_or_below(struct vs_store *store, uint64_t version, uint32_t *slot,
                                     struct vs_root_record *record, uint8_t *note)
{
    uint64_t published = vs_roots_published(&store->roots);
    uint64_t newest = version < published ? version : published;
    if (newest == 0) {
        return none_kept("up to", version);
    }
    verso_err err = vs_history_pin(store, newest, slot, record, note);
    /* what is kept is one range: below a root that is gone all are */
    return err == VERSO_GONE ? none_kept("up to", version) : err;
}

verso_err vs_history_pin_at_or_above(struct vs_store *store, uint64_t version, uint32_t *slot,
                                     struct vs_root_record *record, uint8_t *note)
{
    for (;;) {
        uint64_t oldest = vs_history_oldest(store);
        uint64_t wanted = version > oldest ? version : oldest;
        wanted = wanted == 0 ? 1 : wanted;
        if (wanted > vs_roots_published(&store->roots)) {
            return none_kept("from", version);
        }
        verso_err err = vs_history_pin(store, wanted, slot, record, note);
        if (err != VERSO_GONE) { /* else dropped meanwhile: the oldest is a newer one now */
            return err;
        }
    }
}
