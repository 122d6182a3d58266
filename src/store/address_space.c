/*
 * address_space.c - reserving address space, and exchanging the mapping; see address_space.h.
 *
 * Only the mapping is exchanged. What is counted by page (the page words, the bitmap of free pages,
 * the page table: 133 bytes a page in all) is read and written without locks where it lies, so it
 * is reserved for many times the pages that the first mapping covers, and bounds the store until it
 * is opened anew.
 *
 * M1  The present mapping covers a page, or a copy of a table block, before anything leads there.
 *     It is exchanged before the file grows; the new length, the verified bit of a page and the
 *     place of a block are stored later, with release. Whoever has acquired one of them loads that
 *     address or a newer one, although the load itself is relaxed: reads of one object never go
 *     back (C11 5.1.2.4, read-read coherence).
 * M2  A replaced mapping is unmapped when nobody can hold an address in it. Who reads pages or
 *     descriptors has a pin, or the writer lock, or roots.lookup_lock, or is the checkpoint; and
 *     here the checkpoint holds both locks. As to pins: the first checkpoint that finds the
 *     mapping replaced notes the location epoch that it will raise. A reader who pins with this
 *     epoch or a later one has loaded no older address (the exchange comes before the noting, by
 *     the writer lock, and the noting before the raising). Once no older pin is left, it goes.
 */
#include "store/address_space.h"

#include <assert.h>
#include <stdlib.h>

#include "os/fault.h"
#include "os/memory.h"
#include "os/turns.h"
#include "store/store.h"

enum {
    MAP_AHEAD = 16,   /* the first mapping covers so many times the file */
    PAGES_AHEAD = 16, /* the page words cover so many times the first mapping */
    PAGES_AHEAD_MIN = 2,
    MAP_GROWTH = 4,     /* a larger mapping is so many times the former, if it can be */
    MODEST_PART = 16,   /* of what a process can have that cannot have the usual */
    ARENA_AHEAD = 16,   /* frames in limbo do not count against arena_bytes */
    ARENA_PART_MAX = 4, /* so at most this part of the frames reserved may be busy */
    ARENA_FRAMES_MODEST = 4096,
};

#define MAP_BYTES_MAX (UINT64_C(16) << 40)
#define MAP_BYTES_USUAL (UINT64_C(256) << 30)
#define ARENA_BYTES_USUAL (UINT64_C(64) << 30)
#define MEMORY_BYTES_MAX (UINT64_C(1) << 40)

struct vs_old_mapping {
    struct vs_old_mapping *next;
    const uint8_t *address;
    uint64_t bytes;
    uint64_t epoch; /* readers of this epoch or later do not know it; NOT_NOTED: see M2 */
};

#define NOT_NOTED UINT64_MAX

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What to take where `had` bytes of address space could be had, but not the usual number. */
static uint64_t modest_part(uint64_t had, uint64_t least, uint64_t most)
{
    assert(had >= MODEST_PART);
    uint64_t part = had / MODEST_PART;
    while (part < least && part * 2 <= most) {
        part *= 2;
    }
    return part;
}

/* ---- what is counted by page ---- */

static verso_err reserve_page_words(struct vs_store *store, vs_page_no limit)
{
    struct vs_pages *pages = &store->pages;
    pages->limit = limit;
    pages->verified = vs_memory_reserve(((size_t)limit + 63) / 64 * sizeof *pages->verified);
    pages->frame_of = vs_memory_reserve((size_t)limit * sizeof *pages->frame_of);
    if (pages->verified == NULL || pages->frame_of == NULL) {
        return vs_fault(VERSO_NOMEM, "no address space for the page states");
    }
    return VERSO_OK;
}

static void release_by_page(struct vs_store *store)
{
    struct vs_pages *pages = &store->pages;
    if (store->tables_stand) {
        vs_page_table_clear(&store->table);
        store->tables_stand = false;
    }
    if (store->space.free_bits != NULL) {
        vs_space_clear(&store->space);
    }
    vs_memory_release(pages->verified, ((size_t)pages->limit + 63) / 64 * sizeof *pages->verified);
    vs_memory_release(pages->frame_of, (size_t)pages->limit * sizeof *pages->frame_of);
    pages->verified = NULL;
    pages->frame_of = NULL;
}

/* Page words, bitmap and page table for `limit` pages, over the mapping `map` (NULL: in memory). */
static verso_err reserve_by_page(struct vs_store *store, vs_page_no limit, const uint8_t *map)
{
    size_t page_size = store->pages.page_size;
    verso_err err = reserve_page_words(store, limit);
    if (err == VERSO_OK) {
        err = vs_space_init(&store->space, page_size, limit);
    }
    if (err == VERSO_OK) {
        err = vs_page_table_init(&store->table, map, page_size, limit, &store->readers);
        store->tables_stand = err == VERSO_OK;
    }
    if (err != VERSO_OK) {
        release_by_page(store);
    }
    return err;
}

/* ---- the mapping of a file ---- */

static verso_err reserve_mapping(struct vs_store *store, uint64_t bytes, unsigned pages_ahead)
{
    const uint8_t *address = NULL;
    verso_err err = store->os->map(store->file, (size_t)bytes, &address);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t count = least_of(bytes * pages_ahead, MAP_BYTES_MAX) >> store->pages.page_shift;
    err = reserve_by_page(store, (vs_page_no)least_of(count, UINT32_MAX), address);
    if (err != VERSO_OK) {
        store->os->unmap(store->file, address, (size_t)bytes);
        return err;
    }
    atomic_store_explicit(&store->pages.map, address, memory_order_release);
    store->mapping.bytes = bytes;
    return VERSO_OK;
}

static void release_mapping(struct vs_store *store)
{
    const uint8_t *address = atomic_load_explicit(&store->pages.map, memory_order_relaxed);
    release_by_page(store);
    if (address != NULL) {
        store->os->unmap(store->file, address, (size_t)store->mapping.bytes);
    }
    atomic_store_explicit(&store->pages.map, NULL, memory_order_release);
}

static uint64_t usual_mapping(uint64_t file_bytes)
{
    uint64_t bytes = MAP_BYTES_USUAL;
    while (bytes < MAP_BYTES_MAX && bytes / MAP_AHEAD < file_bytes) {
        bytes *= 2;
    }
    return bytes;
}

static verso_err map_file(struct vs_store *store, uint64_t file_bytes)
{
    if (file_bytes > MAP_BYTES_MAX) {
        return vs_fault(VERSO_LIMIT, "%s: longer than a store can be", store->path);
    }
    uint64_t usual = usual_mapping(file_bytes);
    uint64_t bytes = usual;
    verso_err err = reserve_mapping(store, bytes, PAGES_AHEAD);
    while (err == VERSO_NOMEM && bytes / 2 >= file_bytes) {
        bytes /= 2;
        err = reserve_mapping(store, bytes, PAGES_AHEAD);
    }
    if (err == VERSO_NOMEM) { /* hardly any room: enough to read, and to grow a little */
        return reserve_mapping(store, file_bytes, PAGES_AHEAD_MIN);
    }
    if (err == VERSO_OK && bytes < usual) {
        release_mapping(store);
        err = reserve_mapping(store, modest_part(bytes, 2 * file_bytes, bytes), PAGES_AHEAD);
    }
    return err;
}

static verso_err reserve_arena(struct vs_store *store)
{
    uint64_t usual = store->config.arena_bytes * ARENA_AHEAD;
    usual = usual < ARENA_BYTES_USUAL ? ARENA_BYTES_USUAL : usual;
    unsigned shift = store->pages.page_shift;
    verso_err err = vs_arena_init(&store->arena, shift, usual, &store->readers);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t had = store->arena.frames_size;
    uint64_t modest = modest_part(had, store->config.arena_bytes * ARENA_PART_MAX, had / 4);
    if (had < usual && modest >> shift >= ARENA_FRAMES_MODEST) {
        vs_arena_clear(&store->arena);
        err = vs_arena_init(&store->arena, shift, modest, &store->readers);
    }
    if (err == VERSO_OK) {
        store->pages.frames = store->arena.frames;
        store->arena_limit =
            least_of(store->config.arena_bytes >> shift, store->arena.capacity / ARENA_PART_MAX);
    }
    return err;
}

verso_err vs_store_reserve_for_file(struct vs_store *store, uint64_t file_bytes)
{
    verso_err err = map_file(store, file_bytes);
    return err == VERSO_OK ? reserve_arena(store) : err;
}

verso_err vs_store_reserve_in_memory(struct vs_store *store)
{
    unsigned shift = store->pages.page_shift;
    verso_err err = vs_arena_init(&store->arena, shift, MEMORY_BYTES_MAX, &store->readers);
    if (err != VERSO_OK) {
        return err;
    }
    atomic_store_explicit(&store->pages.map, store->arena.frames,
                          memory_order_release); /* every page lies at its own place */
    store->pages.frames = store->arena.frames;
    store->arena_limit = store->config.arena_bytes >> shift;
    return reserve_by_page(store, store->arena.capacity, NULL);
}

/* ---- exchanging it ---- */

/* Map as much more as can be had, but at least `bytes`. */
static verso_err map_larger(struct vs_store *store, uint64_t bytes, uint64_t *mapped,
                            const uint8_t **address)
{
    uint64_t most = (uint64_t)store->pages.limit << store->pages.page_shift;
    uint64_t goal = least_of(store->mapping.bytes * MAP_GROWTH, most);
    for (;;) {
        goal = goal < bytes ? bytes : goal;
        verso_err err = store->os->map(store->file, (size_t)goal, address);
        if (err == VERSO_NOMEM && goal > bytes) {
            goal /= 2;
            continue;
        }
        *mapped = goal;
        return err;
    }
}

verso_err vs_store_map_at_least(struct vs_store *store, uint64_t bytes)
{
    struct vs_mapping *mapping = &store->mapping;
    if (bytes <= mapping->bytes) {
        return VERSO_OK;
    }
    struct vs_old_mapping *old = malloc(sizeof *old);
    if (old == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a larger mapping");
    }
    uint64_t mapped = 0;
    const uint8_t *address = NULL;
    verso_err err = map_larger(store, bytes, &mapped, &address);
    if (err != VERSO_OK) {
        free(old);
        return err != VERSO_NOMEM
                   ? err
                   : vs_fault(err, "no address space to map %llu bytes beside the %llu mapped now",
                              (unsigned long long)bytes, (unsigned long long)mapping->bytes);
    }
    *old = (struct vs_old_mapping){mapping->old,
                                   atomic_load_explicit(&store->pages.map, memory_order_relaxed),
                                   mapping->bytes, NOT_NOTED};
    mapping->old = old;
    mapping->bytes = mapped;
    vs_turn(VS_POINT_EXCHANGE_MAPPING);
    atomic_store_explicit(&store->table.map, address,
                          memory_order_release); /* M1: both before the caller lets the file grow */
    atomic_store_explicit(&store->pages.map, address, memory_order_release);
    return VERSO_OK;
}

static void unmap_old(struct vs_store *store, struct vs_old_mapping *old)
{
    store->os->unmap(store->file, old->address, (size_t)old->bytes);
    free(old);
}

void vs_store_drop_old_mappings(struct vs_store *store)
{
    if (store->mapping.old == NULL) {
        return;
    }
    vs_lock_take(&store->roots.lookup_lock); /* M2 */
    uint64_t coming = vs_reader_epoch(&store->readers) + 1;
    uint64_t oldest = vs_reader_oldest_epoch(&store->readers);
    struct vs_old_mapping **at = &store->mapping.old;
    while (*at != NULL) {
        struct vs_old_mapping *old = *at;
        if (old->epoch != NOT_NOTED && old->epoch < coming && old->epoch <= oldest) {
            *at = old->next;
            unmap_old(store, old);
            continue;
        }
        old->epoch = old->epoch == NOT_NOTED ? coming : old->epoch;
        at = &old->next;
    }
    vs_lock_release(&store->roots.lookup_lock);
}

void vs_store_release_address_space(struct vs_store *store)
{
    while (store->mapping.old != NULL) {
        struct vs_old_mapping *old = store->mapping.old;
        store->mapping.old = old->next;
        unmap_old(store, old);
    }
    if (store->file != NULL) {
        release_mapping(store);
    } else {
        release_by_page(store);
    }
    vs_arena_clear(&store->arena);
}
