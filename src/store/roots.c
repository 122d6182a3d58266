/*
 * roots.c - publishing, pinning and remembering roots; see roots.h.
 */
#include "store/roots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "os/turns.h"

struct vs_root_chunk {
    struct {
        struct vs_root_record record; /* note.data is malloc'ed, or NULL */
    } root[VS_ROOT_CHUNK];
};

/* ---- the published root ---- */

/* The publisher's words and sequence number, and a reader's: if a reader meets a word of a later
 * publication than the one it began with, it meets that one's number afterwards as well, for each
 * word is stored with release behind the number before it, and read with acquire before the number
 * is looked at again. Without these two a reader might take a torn record for a whole one. */
static void write_place(struct vs_published_place *place, const struct vs_root_record *record)
{
    const uint64_t words[VS_PUBLISHED_WORDS] = {
        record->version,        record->tree.page,      record->tree.depth,
        record->tree.keys,      record->catalogue.page, record->catalogue.depth,
        record->catalogue.keys, record->fingerprint,    (uint64_t)record->time_us,
        record->note.size,
    };
    for (unsigned i = 0; i < VS_PUBLISHED_WORDS; i++) {
        atomic_store_explicit(&place->word[i], words[i], memory_order_release); /* see above */
    }
}

static void read_place(const struct vs_published_place *place, struct vs_root_record *record)
{
    uint64_t words[VS_PUBLISHED_WORDS];
    for (unsigned i = 0; i < VS_PUBLISHED_WORDS; i++) {
        words[i] = atomic_load_explicit(&place->word[i], memory_order_acquire); /* see above */
    }
    record->version = words[0];
    record->tree = (struct vs_tree_root){(vs_page_no)words[1], (uint32_t)words[2], words[3]};
    record->catalogue = (struct vs_tree_root){(vs_page_no)words[4], (uint32_t)words[5], words[6]};
    record->fingerprint = words[7];
    record->time_us = (int64_t)words[8];
    record->note = (verso_slice){NULL, (size_t)words[9]};
}

static void publish_record(struct vs_roots *roots, const struct vs_root_record *record)
{
    uint64_t sequence = atomic_load_explicit(&roots->sequence, memory_order_relaxed) + 1;
    vs_turn(VS_POINT_FILL_PLACE);
    write_place(&roots->place[sequence % VS_PUBLISHED_PLACES], record);
    vs_turn(VS_POINT_COUNT_PUBLICATION);
    /* seq_cst: pairs with the second look in vs_roots_pin(), and releases the root's pages */
    atomic_store_explicit(&roots->sequence, sequence, memory_order_seq_cst);
    vs_turn(VS_POINT_NAME_PUBLISHED);
    atomic_store_explicit(&roots->published, record->version, memory_order_seq_cst);
}

verso_err vs_roots_pin(struct vs_roots *roots, struct vs_reader_slots *readers, uint32_t *slot,
                       struct vs_root_record *record)
{
    bool pinned = false;
    for (;;) {
        /* seq_cst throughout: the reader's half of the protocol in reader_slots.h */
        uint64_t sequence = atomic_load_explicit(&roots->sequence, memory_order_seq_cst);
        vs_turn(VS_POINT_COPY_PUBLISHED);
        read_place(&roots->place[sequence % VS_PUBLISHED_PLACES], record);
        vs_turn(VS_POINT_PIN_COPIED);
        if (pinned) {
            vs_reader_move(readers, *slot, record->version);
        } else {
            verso_err err = vs_reader_pin(readers, record->version, slot);
            if (err != VERSO_OK) {
                return err;
            }
            pinned = true;
        }
        vs_turn(VS_POINT_LOOK_AGAIN);
        if (atomic_load_explicit(&roots->sequence, memory_order_seq_cst) == sequence) {
            return VERSO_OK;
        }
    }
}

/* ---- recent roots ---- */

static struct vs_root_chunk **chunk_at(const struct vs_roots *roots, uint64_t version)
{
    return &roots->chunk[version / VS_ROOT_CHUNK % VS_ROOT_CHUNKS_MAX];
}

static struct vs_root_record *record_at(const struct vs_roots *roots, uint64_t version)
{
    return &(*chunk_at(roots, version))->root[version % VS_ROOT_CHUNK].record;
}

void vs_roots_publish(struct vs_roots *roots, uint64_t version)
{
    if (version <= atomic_load_explicit(&roots->published, memory_order_relaxed)) {
        return;
    }
    /* the chunk cannot go: roots are forgotten up to a checkpoint's version, published before */
    assert(version < atomic_load_explicit(&roots->end, memory_order_acquire));
    publish_record(roots, record_at(roots, version));
}

verso_err vs_roots_init(struct vs_roots *roots, const struct vs_root_record *record)
{
    memset(roots, 0, sizeof *roots);
    roots->chunk = calloc(VS_ROOT_CHUNKS_MAX, sizeof *roots->chunk);
    if (roots->chunk == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the list of roots");
    }
    vs_lock_init(&roots->lookup_lock, VS_LOCK_LOOKUP);
    vs_lock_init(&roots->recent_lock, VS_LOCK_RECENT);
    vs_roots_restart(roots, record);
    return VERSO_OK;
}

void vs_roots_restart(struct vs_roots *roots, const struct vs_root_record *record)
{
    atomic_store_explicit(&roots->first, record->version + 1, memory_order_release);
    atomic_store_explicit(&roots->room_from, record->version + 1, memory_order_release);
    atomic_store_explicit(&roots->end, record->version + 1, memory_order_release);
    publish_record(roots, record);
}

static void free_chunk(struct vs_root_chunk **chunk)
{
    for (unsigned i = 0; *chunk != NULL && i < VS_ROOT_CHUNK; i++) {
        free((void *)(uintptr_t)(*chunk)->root[i].record.note.data);
    }
    free(*chunk);
    *chunk = NULL;
}

void vs_roots_clear(struct vs_roots *roots)
{
    if (roots->chunk == NULL) {
        return;
    }
    for (unsigned i = 0; i < VS_ROOT_CHUNKS_MAX; i++) {
        if (roots->chunk[i] != NULL) { /* hardly any: a call for each would be felt in closing */
            free_chunk(&roots->chunk[i]);
        }
    }
    free(roots->chunk);
    roots->chunk = NULL;
    vs_lock_clear(&roots->recent_lock);
    vs_lock_clear(&roots->lookup_lock);
}

verso_err vs_roots_reserve(struct vs_roots *roots, uint64_t version, size_t note_size)
{
    /* acquire: pairs with the release in vs_roots_forget(); an older value errs on the safe side */
    uint64_t first = atomic_load_explicit(&roots->room_from, memory_order_acquire);
    bool empty = first == atomic_load_explicit(&roots->end, memory_order_relaxed);
    if (!empty && version - first >= VS_RECENT_ROOTS_MAX) {
        return vs_fault(VERSO_LIMIT, "%d roots since the last checkpoint, or kept in memory",
                        VS_RECENT_ROOTS_MAX);
    }
    struct vs_root_chunk **chunk = chunk_at(roots, version);
    if (*chunk == NULL) {
        *chunk = calloc(1, sizeof **chunk);
        if (*chunk == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for the list of roots");
        }
    }
    struct vs_root_record *record = record_at(roots, version);
    if (note_size > 0) {
        void *note = realloc((void *)(uintptr_t)record->note.data, note_size);
        if (note == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for a root's note");
        }
        record->note.data = note;
    }
    return VERSO_OK;
}

/* There is nothing recent: the list begins anew behind ids that were passed over. */
static void begin_at(struct vs_roots *roots, uint64_t version)
{
    struct vs_root_chunk **before =
        chunk_at(roots, atomic_load_explicit(&roots->end, memory_order_relaxed));
    vs_lock_take(&roots->lookup_lock); /* a checkpoint may be forgetting its last roots */
    vs_lock_take(&roots->recent_lock);
    if (before != chunk_at(roots, version)) {
        free_chunk(before); /* nobody would forget its last roots */
    }
    atomic_store_explicit(&roots->first, version, memory_order_release);
    atomic_store_explicit(&roots->room_from, version, memory_order_release);
    vs_lock_release(&roots->recent_lock);
    vs_lock_release(&roots->lookup_lock);
}

void vs_roots_append(struct vs_roots *roots, const struct vs_root_record *record)
{
    uint64_t end = atomic_load_explicit(&roots->end, memory_order_relaxed); /* the writer's own */
    assert(record->version >= end);
    if (record->version > end && atomic_load_explicit(&roots->first, memory_order_relaxed) == end) {
        begin_at(roots, record->version);
    }
    struct vs_root_record *entry = record_at(roots, record->version);
    void *note = (void *)(uintptr_t)entry->note.data;
    *entry = *record;
    entry->note.data = note;
    if (record->note.size > 0) {
        memcpy(note, record->note.data, record->note.size);
    }
    vs_turn(VS_POINT_APPEND_ROOT);
    /* release: the record comes before the number that lets lookups reach it */
    atomic_store_explicit(&roots->end, record->version + 1, memory_order_release);
}

void vs_roots_retract(struct vs_roots *roots, uint64_t version)
{
    assert(version + 1 == atomic_load_explicit(&roots->end, memory_order_relaxed));
    record_at(roots, version)->version = 0; /* the next one may pass over this id */
    atomic_store_explicit(&roots->end, version, memory_order_release);
}

/* recent_lock held. */
static bool find_recent(const struct vs_roots *roots, uint64_t version,
                        struct vs_root_record *record, uint8_t *note)
{
    if (version < atomic_load_explicit(&roots->first, memory_order_relaxed) ||
        version >= atomic_load_explicit(&roots->end, memory_order_acquire)) {
        return false;
    }
    const struct vs_root_chunk *chunk = *chunk_at(roots, version);
    if (chunk == NULL || chunk->root[version % VS_ROOT_CHUNK].record.version != version) {
        return false; /* an id that was passed over */
    }
    *record = chunk->root[version % VS_ROOT_CHUNK].record;
    if (note != NULL && record->note.size > 0) {
        memcpy(note, record->note.data, record->note.size);
    }
    record->note.data = note;
    return true;
}

bool vs_roots_find(struct vs_roots *roots, uint64_t version, struct vs_root_record *record,
                   uint8_t *note)
{
    vs_lock_take(&roots->recent_lock);
    bool found = find_recent(roots, version, record, note);
    vs_lock_release(&roots->recent_lock);
    return found;
}

/* Free the places of the roots [first, end), which nobody finds any more. */
static void free_places(struct vs_roots *roots, uint64_t first, uint64_t end)
{
    while (first < end) {
        struct vs_root_chunk **chunk = chunk_at(roots, first);
        uint64_t last = first / VS_ROOT_CHUNK * VS_ROOT_CHUNK + VS_ROOT_CHUNK - 1;
        if (last < end) {
            free_chunk(chunk);
        }
        for (; first < end && first <= last; first++) {
            if (*chunk != NULL) {
                struct vs_root_record *record = record_at(roots, first);
                free((void *)(uintptr_t)record->note.data);
                record->note = (verso_slice){NULL, 0};
            }
        }
    }
}

void vs_roots_forget(struct vs_roots *roots, uint64_t version)
{
    vs_lock_take(&roots->recent_lock);
    uint64_t first = atomic_load_explicit(&roots->first, memory_order_relaxed);
    if (first <= version) {
        atomic_store_explicit(&roots->first, version + 1, memory_order_relaxed);
    }
    vs_lock_release(&roots->recent_lock);
    if (first <= version) {
        vs_turn(VS_POINT_FREE_ROOTS);
        free_places(roots, first, version + 1);
        /* release: the chunks are gone before their places count as free */
        atomic_store_explicit(&roots->room_from, version + 1, memory_order_release);
    }
}
