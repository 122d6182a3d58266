/*
 * history.c - finding roots, among the recent ones and in the history tree, and pinning them; see
 * history.h.
 */
#include "history/history.h"

#include <assert.h>
#include <string.h>

#include "os/fault.h"
#include "os/turns.h"
#include "tree/tree.h"

enum { ID_SIZE = 8 };

/* ---- records ---- */

static verso_err gone(uint64_t version)
{
    return vs_fault(VERSO_GONE, "root %llu is no longer kept", (unsigned long long)version);
}

static verso_err find_in_tree(struct vs_store *store, const struct vs_tree_view *view,
                              uint64_t version, struct vs_root_record *record, uint8_t *note)
{
    uint8_t id[ID_SIZE];
    vs_put_be64(id, version);
    struct vs_tree_value value;
    verso_err err = vs_tree_get(view, (verso_slice){id, ID_SIZE}, &value);
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
    assert(version > 0); /* the empty root before all others is nobody's to look up */
    if (vs_roots_find(&store->roots, version, record, note)) {
        return VERSO_OK;
    }
    struct vs_tree_view view = {&store->pages, store->meta.history, store->meta.generation};
    return find_in_tree(store, &view, version, record, note);
}

verso_err vs_history_find(struct vs_store *store, uint64_t version, struct vs_root_record *record,
                          uint8_t *note)
{
    vs_lock_take(&store->roots.lookup_lock);
    verso_err err = find_locked(store, version, record, note);
    vs_lock_release(&store->roots.lookup_lock);
    return err;
}

verso_err vs_history_find_as_writer(struct vs_store *store, uint64_t version,
                                    struct vs_root_record *record)
{
    if (vs_roots_find(&store->roots, version, record, NULL)) {
        /* of a checkpoint under way; later the tree says so */
        record->is_checkpoint = version == store->history_to;
        return VERSO_OK;
    }
    struct vs_tree_view view = {&store->pages, store->history.roots,
                                vs_store_generation(store) + 1};
    return find_in_tree(store, &view, version, record, NULL);
}

bool vs_history_next(struct vs_store *store, uint64_t version, uint64_t *found)
{
    uint64_t published = vs_roots_published(&store->roots);
    if (version > published || published == 0) {
        return false;
    }
    bool any = vs_retained_at_or_above(&store->retained, version, found);
    assert(any); /* all to come are retained */
    (void)any;
    /* the published root can be opened though a newer one has driven it out of the retained */
    *found = *found < published ? *found : published;
    return true;
}

uint64_t vs_history_oldest(struct vs_store *store)
{
    uint64_t oldest;
    return vs_history_next(store, 1, &oldest) ? oldest : 0;
}

uint64_t vs_history_count(struct vs_store *store)
{
    uint64_t published = vs_roots_published(&store->roots);
    if (published == 0) {
        return 0;
    }
    vs_lock_take(&store->retained.lock);
    uint64_t count = vs_version_set_count(&store->retained.set, 1, published);
    bool own = vs_version_set_has(&store->retained.set, published);
    vs_lock_release(&store->retained.lock);
    return count + (own ? 0 : 1);
}

/* ---- pinning ---- */

/* What a lookup of a root that ought to be there has come to: gone, and still kept, is damage. */
static verso_err judge_gone(struct vs_store *store, uint64_t version, verso_err err)
{
    return err == VERSO_GONE && vs_retained_has(&store->retained, version)
               ? vs_fault(VERSO_CORRUPT, "root %llu is kept, but the history does not have it",
                          (unsigned long long)version)
               : err;
}

verso_err vs_history_pin(struct vs_store *store, uint64_t version, uint32_t *slot,
                         struct vs_root_record *record, uint8_t *note)
{
    if (version == 0 || version > vs_roots_published(&store->roots)) {
        return vs_fault(VERSO_NOT_FOUND, "root %llu does not exist (the newest is %llu)",
                        (unsigned long long)version,
                        (unsigned long long)vs_roots_published(&store->roots));
    }
    verso_err err = vs_reader_pin(&store->readers, version, slot);
    if (err != VERSO_OK) {
        return err;
    }
    vs_turn(VS_POINT_ASK_RETAINED);
    /* pinned first, looked at after: a drop does it the other way round */
    bool kept =
        vs_roots_published(&store->roots) == version || vs_retained_has(&store->retained, version);
    vs_turn(VS_POINT_FIND_ROOT);
    err = kept ? vs_history_find(store, version, record, note) : gone(version);
    err = judge_gone(store, version, err);
    if (err != VERSO_OK) {
        vs_reader_unpin(&store->readers, *slot);
    }
    return err;
}

/* The newest root at or below `version` that could be opened a moment ago; 0: there is none. */
static uint64_t at_or_below(struct vs_store *store, uint64_t version)
{
    uint64_t published = vs_roots_published(&store->roots);
    if (version >= published) {
        return published;
    }
    uint64_t found;
    return vs_retained_at_or_below(&store->retained, version, &found) ? found : 0;
}

verso_err vs_history_pin_at_or_below(struct vs_store *store, uint64_t version, uint32_t *slot,
                                     struct vs_root_record *record, uint8_t *note)
{
    for (;;) {
        uint64_t candidate = at_or_below(store, version);
        if (candidate == 0) {
            return vs_fault(VERSO_NOT_FOUND, "no root at or below %llu is kept",
                            (unsigned long long)version);
        }
        verso_err err = vs_history_pin(store, candidate, slot, record, note);
        if (err != VERSO_GONE) {
            return err;
        }
        version = candidate - 1; /* it was dropped meanwhile */
    }
}

verso_err vs_history_pin_at_or_above(struct vs_store *store, uint64_t version, uint32_t *slot,
                                     struct vs_root_record *record, uint8_t *note)
{
    uint64_t candidate;
    while (vs_history_next(store, version == 0 ? 1 : version, &candidate)) {
        verso_err err = vs_history_pin(store, candidate, slot, record, note);
        if (err != VERSO_GONE) {
            return err;
        }
        version = candidate + 1; /* it was dropped meanwhile */
    }
    return vs_fault(VERSO_NOT_FOUND, "no root from %llu on is kept", (unsigned long long)version);
}

/* Was the newest root at or below `version` committed at or before `time_us`? Roots that are
 * dropped while we look are passed over. */
static verso_err is_at_or_before(struct vs_store *store, uint64_t version, int64_t time_us,
                                 bool *is)
{
    for (uint64_t candidate = at_or_below(store, version); candidate > 0;
         candidate = at_or_below(store, candidate - 1)) {
        struct vs_root_record record;
        verso_err err = vs_history_find(store, candidate, &record, NULL);
        err = judge_gone(store, candidate, err);
        if (err != VERSO_GONE) {
            *is = err == VERSO_OK && record.time_us <= time_us;
            return err;
        }
    }
    *is = true; /* nothing older is kept: what is sought lies above */
    return VERSO_OK;
}

verso_err vs_history_pin_at(struct vs_store *store, int64_t time_us, uint32_t *slot,
                            struct vs_root_record *record)
{
    /* commit times never descend: halve the ids */
    uint64_t low = 0; /* this or an older one is what is sought */
    uint64_t high = vs_roots_published(&store->roots);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2 + 1;
        middle = middle > high ? high : middle;
        bool is;
        verso_err err = is_at_or_before(store, middle, time_us, &is);
        if (err != VERSO_OK) {
            return err;
        }
        if (is) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    verso_err err = vs_history_pin_at_or_below(store, low, slot, record, NULL);
    if (err == VERSO_OK && record->time_us > time_us) {
        vs_reader_unpin(&store->readers, *slot);
        err = VERSO_NOT_FOUND;
    }
    return err == VERSO_NOT_FOUND
               ? vs_fault(VERSO_NOT_FOUND, "no root that is kept is as old as that")
               : err;
}
