/*
 * savepoint.c - saving pages before they change, and bringing them back; see savepoint.h.
 *
 * V1  For a page that the transaction has made, stamp >= a savepoint's mark exactly if the page was
 *     born after it, or its bytes at that savepoint are in `saved`. Stamps of pages born while no
 *     savepoint was open are older than any mark.
 * V2  The stamp of a page whose bytes were saved last is odd, of one that was born last, even.
 * V3  Of the entries saved after a savepoint, those of one page have ascending stamps, and only the
 *     first of them can have one below the savepoint's mark.
 *
 *     S1      saves P            S2      saves P again           release S2: the second entry goes,
 *     |-------[P, stamp 0]-------|-------[P, stamp S1 + 1]---->  P's stamp is S1 + 1 again
 *
 * An entry keeps the stamp that its page had before: rolling back and releasing put it back.
 */
#include "store/savepoint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "os/memory.h"
#include "store/store.h"

enum { SPARES_MAX = 128 }; /* kept of what rollbacks and releases give back */

struct vs_saved_page {
    struct vs_saved_page *next; /* saved before this one */
    uint64_t stamp;             /* of the page, before this */
    vs_page_no page;
    uint8_t bytes[];
};

static const struct vs_savepoint *innermost(const struct vs_page_writer *writer)
{
    assert(writer->savepoints.count > 0);
    return &writer->savepoints.open[writer->savepoints.count - 1];
}

/* ---- memory ---- */

static size_t stamps_size(const struct vs_store *store)
{
    return (size_t)store->pages.limit * sizeof(uint64_t);
}

static verso_err make_room(struct vs_page_writer *writer)
{
    struct vs_savepoints *savepoints = &writer->savepoints;
    if (savepoints->stamp == NULL) {
        savepoints->stamp = vs_memory_reserve(stamps_size(writer->store));
        if (savepoints->stamp == NULL) {
            return vs_fault(VERSO_NOMEM, "no address space for the savepoints' stamps");
        }
    }
    if (savepoints->count < savepoints->capacity) {
        return VERSO_OK;
    }
    uint32_t capacity = savepoints->capacity * 2 + 8;
    struct vs_savepoint *grown = realloc(savepoints->open, capacity * sizeof *grown);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a savepoint");
    }
    savepoints->open = grown;
    savepoints->capacity = capacity;
    return VERSO_OK;
}

static verso_err add_spare(struct vs_page_writer *writer)
{
    size_t page_size = writer->store->pages.page_size;
    struct vs_saved_page *fresh = malloc(sizeof *fresh + page_size);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to save a page for a savepoint");
    }
    fresh->next = writer->savepoints.spare;
    writer->savepoints.spare = fresh;
    writer->savepoints.spare_count++;
    return VERSO_OK;
}

static void free_entry(struct vs_savepoints *savepoints, struct vs_saved_page *entry)
{
    if (savepoints->spare_count >= SPARES_MAX) {
        free(entry);
        return;
    }
    entry->next = savepoints->spare;
    savepoints->spare = entry;
    savepoints->spare_count++;
}

static void free_list(struct vs_saved_page **list)
{
    while (*list != NULL) {
        struct vs_saved_page *entry = *list;
        *list = entry->next;
        free(entry);
    }
}

verso_err vs_savepoint_reserve(struct vs_page_writer *writer, unsigned pages)
{
    while (writer->savepoints.spare_count < pages) {
        verso_err err = add_spare(writer);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/* ---- births and changes while a savepoint is open ---- */

void vs_savepoint_note_birth(struct vs_page_writer *writer, vs_page_no page)
{
    writer->savepoints.stamp[page] = innermost(writer)->mark;
}

bool vs_savepoint_knows(const struct vs_page_writer *writer, vs_page_no page)
{
    uint64_t stamp = writer->savepoints.stamp[page];
    return stamp < innermost(writer)->mark || (stamp & 1) != 0;
}

verso_err vs_savepoint_save(struct vs_page_writer *writer, vs_page_no page, const uint8_t *bytes)
{
    struct vs_savepoints *savepoints = &writer->savepoints;
    uint64_t mark = innermost(writer)->mark;
    uint64_t *stamp = &savepoints->stamp[page];
    if (*stamp >= mark) {
        return VERSO_OK;
    }
    verso_err err = vs_savepoint_reserve(writer, 1);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_saved_page *entry = savepoints->spare;
    savepoints->spare = entry->next;
    savepoints->spare_count--;
    entry->page = page;
    entry->stamp = *stamp;
    memcpy(entry->bytes, bytes, writer->store->pages.page_size);
    entry->next = savepoints->saved;
    savepoints->saved = entry;
    *stamp = mark + 1;
    return VERSO_OK;
}

/* ---- savepoints ---- */

verso_err vs_writer_savepoint(struct vs_page_writer *writer)
{
    struct vs_savepoints *savepoints = &writer->savepoints;
    if (savepoints->count == VS_SAVEPOINTS_MAX) {
        return vs_fault(VERSO_LIMIT, "%d savepoints are open", VS_SAVEPOINTS_MAX);
    }
    verso_err err = make_room(writer);
    if (err != VERSO_OK) {
        return err;
    }
    vs_writer_settle_dropped(writer); /* what is dropped by now does not come back */
    savepoints->mark += 2;
    savepoints->open[savepoints->count++] = (struct vs_savepoint){
        .mark = savepoints->mark,
        .born = writer->born_count,
        .undo = writer->undo_count,
        .deaths = writer->deaths.count,
        .dropped = writer->dropped_count,
        .saved = savepoints->saved,
    };
    return VERSO_OK;
}

/* Frames for pages saved since then that are spilled now. */
static verso_err reserve_frames(struct vs_page_writer *writer, const struct vs_savepoint *to)
{
    struct vs_store *store = writer->store;
    uint32_t spilled = 0;
    const struct vs_saved_page *entry = writer->savepoints.saved;
    for (; entry != to->saved; entry = entry->next) {
        spilled += vs_store_frame_bytes(store, entry->page) == NULL;
    }
    return spilled == 0 ? VERSO_OK : vs_arena_reserve(&store->arena, spilled);
}

/* Newest first, so that the oldest bytes of a page are what stays. */
static void restore_saved(struct vs_page_writer *writer, const struct vs_savepoint *to)
{
    struct vs_savepoints *savepoints = &writer->savepoints;
    while (savepoints->saved != to->saved) {
        struct vs_saved_page *entry = savepoints->saved;
        verso_err err = vs_writer_restore(writer, entry->page, entry->bytes);
        assert(err == VERSO_OK); /* its frame was reserved */
        (void)err;
        savepoints->stamp[entry->page] = entry->stamp;
        savepoints->saved = entry->next;
        free_entry(savepoints, entry);
    }
}

verso_err vs_writer_rollback_to(struct vs_page_writer *writer, uint32_t savepoint)
{
    struct vs_savepoints *savepoints = &writer->savepoints;
    assert(savepoint > 0 && savepoint <= savepoints->count);
    const struct vs_savepoint *to = &savepoints->open[savepoint - 1];
    verso_err err = reserve_frames(writer, to);
    if (err != VERSO_OK) {
        return err;
    }
    savepoints->count = savepoint;
    restore_saved(writer, to);
    vs_writer_undo_to(writer, to->undo);
    vs_writer_unbear_since(writer, to->born);
    writer->deaths.count = to->deaths;
    writer->dropped_count = to->dropped; /* the pages behind live again, or were born since */
    writer->dropped_held = to->dropped;
    return VERSO_OK;
}

void vs_writer_release(struct vs_page_writer *writer, uint32_t savepoint)
{
    struct vs_savepoints *savepoints = &writer->savepoints;
    assert(savepoint > 0 && savepoint <= savepoints->count);
    const struct vs_savepoint *gone = &savepoints->open[savepoint - 1];
    struct vs_saved_page **at = &savepoints->saved;
    while (*at != gone->saved) {
        struct vs_saved_page *entry = *at;
        if (savepoint > 1 && entry->stamp < gone[-1].mark) { /* the outer one needs it now */
            at = &entry->next;
            continue;
        }
        savepoints->stamp[entry->page] = entry->stamp;
        *at = entry->next;
        free_entry(savepoints, entry);
    }
    writer->dropped_held = gone->dropped; /* the next step asks the outer one about the others */
    savepoints->count = savepoint - 1;
}

void vs_savepoint_forget_all(struct vs_page_writer *writer)
{
    struct vs_savepoints *savepoints = &writer->savepoints;
    if (savepoints->count > 0) {
        vs_writer_release(writer, 1);
    }
    free_list(&savepoints->spare);
    savepoints->spare_count = 0;
}

void vs_savepoint_clear(struct vs_page_writer *writer)
{
    struct vs_savepoints *savepoints = &writer->savepoints;
    if (savepoints->stamp != NULL) {
        vs_memory_release(savepoints->stamp, stamps_size(writer->store));
    }
    free_list(&savepoints->saved);
    free_list(&savepoints->spare);
    free(savepoints->open);
    *savepoints = (struct vs_savepoints){0};
}
