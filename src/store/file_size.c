/*
 * file_size.c - the length of the store file: growing ahead, the reserve, cutting off a free tail.
 *
 * The file grows in steps with real blocks behind them, by the transaction that needs the space. A
 * reserve stays behind what may be used: on a full disk it serves transactions that delete,
 * retention, replay and checkpoints, which give space back. What they took is owed: until the file
 * can grow again, as many free pages are for the likes of them, so that the reserve never wears out.
 * Fixed parts of the file that lie in the reserve make it longer.
 *
 * A tail that is free goes in two moves. A checkpoint lowers the high-water mark and forgets the
 * tail's table blocks; when both metas say so, the next chance cuts the file.
 */
#include <assert.h>

#include "os/fault.h"
#include "store/store.h"

enum {
    GROW_PAGES_MIN = 64,
    RESERVE_PAGES_MAX = 64,
    PART_OF_FILE = 8, /* growth and reserve are an eighth of the file, within their bounds */
};

#define GROW_BYTES_MAX (UINT64_C(64) << 20)

static uint64_t growth_step(const struct vs_store *store, uint64_t pages)
{
    uint64_t step = pages / PART_OF_FILE;
    uint64_t most = GROW_BYTES_MAX >> store->pages.page_shift;
    step = step < GROW_PAGES_MIN ? GROW_PAGES_MIN : step;
    return step < most ? step : most;
}

static uint64_t wanted_reserve(uint64_t pages)
{
    uint64_t reserve = pages / PART_OF_FILE;
    return reserve < RESERVE_PAGES_MAX ? reserve : RESERVE_PAGES_MAX;
}

static bool is_usable(const struct vs_space *space, uint64_t page)
{
    return !vs_layout_is_reserved(space->page_size, (vs_page_no)page);
}

/* How long a reserve behind `first` must be to have `wanted` pages beside fixed parts. */
static uint64_t length_of_reserve(const struct vs_space *space, uint64_t first, uint64_t wanted)
{
    uint64_t length = 0;
    for (uint64_t usable = 0; usable < wanted && first + length < space->limit; length++) {
        usable += is_usable(space, first + length);
    }
    return length;
}

/* What is missing of the reserve: pages taken out of it. */
static void count_owed(struct vs_space *space)
{
    uint64_t wanted = wanted_reserve(space->file_pages);
    uint64_t usable = 0;
    for (uint64_t i = 0; i < space->reserve_pages && usable < wanted; i++) {
        usable += is_usable(space, space->file_pages + i);
    }
    space->reserve_owed = wanted - usable;
}

void vs_store_adopt_file_size(struct vs_store *store, uint64_t pages)
{
    struct vs_space *space = &store->space;
    uint64_t wanted = wanted_reserve(pages);
    uint64_t usable = 0;
    space->file_pages = pages;
    while (usable < wanted && space->file_pages > space->high_water) {
        space->file_pages--;
        usable += is_usable(space, space->file_pages);
    }
    space->reserve_pages = pages - space->file_pages;
}

/* ---- growing ---- */

static verso_err allocate(struct vs_store *store, uint64_t usable, uint64_t reserve)
{
    uint64_t bytes = (usable + reserve) << store->pages.page_shift;
    verso_err err = vs_store_map_at_least(store, bytes);
    if (err == VERSO_OK) {
        err = store->os->allocate(store->file, bytes);
    }
    if (err == VERSO_OK) {
        store->file_grew = true;
        store->space.file_pages = usable;
        store->space.reserve_pages = reserve;
        count_owed(&store->space);
        atomic_store_explicit(&store->table.file_bytes, bytes, memory_order_release);
    }
    return err;
}

/* On disk, in the address space, or among the page numbers. */
static bool has_no_room(verso_err err)
{
    return err == VERSO_NOSPC || err == VERSO_NOMEM || err == VERSO_LIMIT;
}

/* By a whole step if there is room, else by what is needed; the reserve stays behind it. */
static verso_err lengthen(struct vs_store *store, uint64_t pages)
{
    const struct vs_space *space = &store->space;
    uint64_t limit = store->pages.limit;
    if (pages + space->reserve_pages > limit) { /* always, for those that must not grow */
        return vs_fault(VERSO_LIMIT, "the store cannot grow beyond %llu pages while it is open",
                        (unsigned long long)limit);
    }
    uint64_t goal = space->file_pages + growth_step(store, space->file_pages);
    goal = goal < pages ? pages : goal;
    uint64_t reserve = length_of_reserve(space, goal, wanted_reserve(goal));
    if (goal + reserve > limit) {
        return allocate(store, pages, space->reserve_pages);
    }
    verso_err err = allocate(store, goal, reserve);
    return has_no_room(err) ? allocate(store, pages, space->reserve_pages) : err;
}

uint64_t vs_store_usable_pages(const struct vs_store *store)
{
    const struct vs_space *space = &store->space;
    return space->file_pages + (store->may_use_reserve ? space->reserve_pages : 0);
}

uint64_t vs_store_held_back(const struct vs_store *store)
{
    return store->may_use_reserve ? 0 : store->space.reserve_owed;
}

verso_err vs_store_grow(struct vs_store *store, uint64_t pages)
{
    struct vs_space *space = &store->space;
    if (pages <= space->file_pages) {
        return VERSO_OK;
    }
    verso_err err = lengthen(store, pages);
    if (has_no_room(err) && pages <= vs_store_usable_pages(store)) {
        space->reserve_pages -= pages - space->file_pages;
        space->file_pages = pages;
        count_owed(space);
        return VERSO_OK;
    }
    return err;
}

/* ---- cutting ---- */

static bool is_unused(const struct vs_store *store, uint64_t page)
{
    return vs_space_is_free(&store->space, (vs_page_no)page) ||
           vs_layout_is_reserved(store->pages.page_size, (vs_page_no)page);
}

/* First page of the free tail, rounded up to whole blocks; never below the first block. */
static uint64_t tail_begin(const struct vs_store *store)
{
    uint64_t end = store->space.high_water;
    while (end > VS_BLOCK_PAGES && is_unused(store, end - 1)) {
        end--;
    }
    return (end + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES * VS_BLOCK_PAGES;
}

uint32_t vs_store_drop_tail(struct vs_store *store)
{
    struct vs_space *space = &store->space;
    uint64_t begin = tail_begin(store);
    if (begin + growth_step(store, space->file_pages) > space->high_water) {
        return UINT32_MAX;
    }
    uint32_t first = (uint32_t)(begin / VS_BLOCK_PAGES);
    uint32_t end = (uint32_t)((space->high_water + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES);
    uint64_t epoch = vs_reader_epoch(&store->readers) + 1;
    if (vs_page_table_forget(&store->table, first, end, epoch) != VERSO_OK) {
        return UINT32_MAX; /* out of memory: the tail can wait */
    }
    vs_space_cut(space, begin);
    if (store->deaths.swept_at_high_water > begin) {
        store->deaths.swept_at_high_water = begin;
    }
    return first;
}

verso_err vs_store_look_at_file(struct vs_store *store)
{
    struct vs_file_identity identity;
    verso_err err = store->os->identify(store->file, &identity);
    if (err != VERSO_OK) {
        return err; /* nothing is known: the next one looks again */
    }
    if (identity.links == 0) {
        err = vs_fault(VERSO_IO, "%s: deleted or replaced while it was open", store->path);
    } else if (identity.size <
               atomic_load_explicit(&store->table.file_bytes, memory_order_relaxed)) {
        err = vs_fault(VERSO_IO, "%s: cut to %llu bytes while it was open", store->path,
                       (unsigned long long)identity.size);
    }
    return err == VERSO_OK ? err : vs_store_poison(store, err);
}

verso_err vs_store_cut_file(struct vs_store *store, bool closing)
{
    struct vs_space *space = &store->space;
    uint64_t used =
        space->high_water > store->meta.high_water ? space->high_water : store->meta.high_water;
    uint64_t pages = space->file_pages + space->reserve_pages;
    uint64_t reserve = length_of_reserve(space, used, wanted_reserve(used));
    uint64_t goal = used + reserve + (closing ? 0 : GROW_PAGES_MIN);
    uint64_t fixed = (VS_META_B_AT + VS_PART_BYTES) >> store->pages.page_shift; /* small pages */
    goal = goal > fixed ? goal : fixed + 1;
    uint64_t worth = closing ? GROW_PAGES_MIN : growth_step(store, pages);
    if (store->read_only || goal + worth > pages) {
        return VERSO_OK;
    }
    verso_err err = store->os->truncate(store->file, goal << store->pages.page_shift);
    if (err == VERSO_OK) {
        atomic_store_explicit(&store->table.file_bytes, goal << store->pages.page_shift,
                              memory_order_release);
        store->file_grew = true; /* its length has changed */
        vs_store_adopt_file_size(store, goal);
    }
    return err;
}
