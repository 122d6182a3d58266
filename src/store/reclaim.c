/*
 * reclaim.c - which pages are free: judging deaths, sweeping the page table, and at last the end of
 * the file (file_size.c).
 *
 * A page is free if and only if no kept version lies in its life span. Nothing is stored about it:
 * deaths are judged from a queue while it remembers them, and found by the sweep when it does not.
 */
#include <assert.h>
#include <string.h>

#include "os/fault.h"
#include "store/store.h"

enum {
    SWEEP_SLICE_BLOCKS = 1024, /* 64 Ki descriptors a call: a few milliseconds at most */
    SWEEP_WORTH = 32,          /* a new round only after the store has grown by a 32nd */
};

/* What is retained, in the judge's own copy: only the drops since the last time are to be done. */
static verso_err refresh_retained(struct vs_store *store)
{
    struct vs_retained *retained = &store->retained;
    struct vs_version_set *judged = &store->kept.retained;
    verso_err err = VERSO_OK;
    if (!store->kept.known) {
        err = vs_version_set_copy(judged, &retained->set);
    } else {
        for (size_t i = 0; i < retained->unjudged.count && err == VERSO_OK; i++) {
            err = vs_version_set_drop(judged, retained->unjudged.range[i].from,
                                      retained->unjudged.range[i].to);
        }
    }
    if (err == VERSO_OK) {
        retained->unjudged.count = 0;
    }
    return err;
}

static verso_err refresh_checkpoints(struct vs_store *store)
{
    struct vs_kept_set *kept = &store->kept;
    verso_err err = VERSO_OK;
    pthread_mutex_lock(&store->state_lock);
    if (!kept->known || kept->checkpoint_stamp != store->checkpoint_stamp) {
        err = vs_version_set_copy(&kept->on_disk, &store->on_disk);
        if (err == VERSO_OK && store->frozen != NULL) {
            err = vs_version_set_copy(&kept->frozen, store->frozen);
        } else {
            kept->frozen.count = 0;
        }
        kept->checkpoint_stamp = store->checkpoint_stamp;
    }
    pthread_mutex_unlock(&store->state_lock);
    return err;
}

verso_err vs_store_refresh_kept(struct vs_store *store)
{
    /* the judge's order: what is published first, then what is retained, then the slots; see
     * reader_slots.h and retained.h */
    uint64_t published = vs_roots_published(&store->roots);
    verso_err err = refresh_retained(store);
    if (err == VERSO_OK) {
        err = refresh_checkpoints(store);
    }
    if (err == VERSO_OK) {
        err = vs_kept_set_gather(&store->kept, published, &store->readers);
    }
    store->kept.known = err == VERSO_OK;
    store->kept_at = store->tip.version;
    return err;
}

/* ---- judging ---- */

static bool is_kept(const struct vs_store *store, uint64_t born, uint64_t died, bool history)
{
    if (history) { /* kept generations: that of the metas and the coming one */
        return born < died && died > atomic_load(&store->generation);
    }
    return vs_kept_set_meets(&store->kept, born, died);
}

/* The page is free; unless the sweep found that before, and it may even live again. */
static verso_err free_dead(struct vs_store *store, const struct vs_death *death)
{
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(&store->table, death->page, &descriptor);
    if (err != VERSO_OK) {
        return err;
    }
    if (vs_descriptor_born(descriptor) == death->born &&
        vs_descriptor_died(descriptor) == death->died &&
        !vs_space_is_free(&store->space, death->page)) {
        vs_store_free_page(store, death->page);
    }
    return VERSO_OK;
}

/* Deaths that only wait for durability stay recent; those kept for longer are parked. */
static verso_err judge_recent(struct vs_store *store, uint64_t published)
{
    struct vs_deaths *deaths = &store->deaths;
    if (deaths->recent.count == 0) {
        return VERSO_OK;
    }
    verso_err err = vs_death_list_reserve(&deaths->parked, deaths->recent.count);
    size_t left = 0;
    size_t i = 0;
    for (; i < deaths->recent.count && err == VERSO_OK; i++) {
        const struct vs_death *death = &deaths->recent.death[i];
        if (!is_kept(store, death->born, death->died, death->history)) {
            err = free_dead(store, death);
        } else if (!death->history && death->died > published) {
            deaths->recent.death[left++] = *death;
        } else {
            store->retained.held_pages += death->history ? 0 : 1;
            if (deaths->parked.count < VS_PARKED_MAX) { /* else: left to the sweep */
                deaths->parked.death[deaths->parked.count++] = *death;
            }
        }
    }
    memmove(deaths->recent.death + left, deaths->recent.death + i,
            (deaths->recent.count - i) * sizeof *deaths->recent.death);
    deaths->recent.count = left + (deaths->recent.count - i);
    return err;
}

static verso_err judge_parked(struct vs_store *store)
{
    struct vs_deaths *deaths = &store->deaths;
    size_t left = 0;
    for (size_t i = 0; i < deaths->parked.count; i++) {
        const struct vs_death *death = &deaths->parked.death[i];
        if (is_kept(store, death->born, death->died, death->history)) {
            deaths->parked.death[left++] = *death;
            continue;
        }
        verso_err err = free_dead(store, death);
        if (err != VERSO_OK) {
            return err; /* entries freed already are recognised when met again */
        }
    }
    deaths->parked.count = left;
    deaths->parked_at_judging = left;
    return VERSO_OK;
}

verso_err vs_store_judge(struct vs_store *store, bool parked_too)
{
    if (parked_too) {
        atomic_store(&store->checkpoint_done, false); /* before looking at what is kept */
    }
    uint64_t published = vs_roots_published(&store->roots);
    verso_err err = vs_store_refresh_kept(store);
    if (err == VERSO_OK) {
        err = judge_recent(store, published);
    }
    if (err == VERSO_OK && parked_too) {
        err = judge_parked(store);
    }
    return err;
}

/* ---- sweeping ---- */

static verso_err sweep_block(struct vs_store *store, uint32_t block)
{
    bool empty;
    verso_err err = vs_page_table_is_empty(&store->table, block, &empty);
    if (err != VERSO_OK || empty) {
        return err;
    }
    vs_page_no first = block * VS_BLOCK_PAGES;
    for (vs_page_no page = first; page < first + VS_BLOCK_PAGES; page++) {
        if (page >= store->space.high_water) {
            break;
        }
        const struct vs_descriptor *descriptor;
        err = vs_page_table_get(&store->table, page, &descriptor);
        if (err != VERSO_OK) {
            return err;
        }
        uint64_t died = vs_descriptor_died(descriptor);
        if (died == VS_ALIVE || vs_space_is_free(&store->space, page)) {
            continue;
        }
        bool history = (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) != 0;
        if (!is_kept(store, vs_descriptor_born(descriptor), died, history) &&
            !vs_layout_is_reserved(store->pages.page_size, page)) {
            vs_store_free_page(store, page);
        }
    }
    return VERSO_OK;
}

static bool sweep_is_worth_it(const struct vs_store *store)
{
    const struct vs_deaths *deaths = &store->deaths;
    if (deaths->sweep_under_way) {
        return true;
    }
    uint64_t least = deaths->swept_at_high_water + deaths->swept_at_high_water / SWEEP_WORTH;
    return store->space.high_water >= least + VS_BLOCK_PAGES;
}

/* Look on where the last slice ended, until enough is found or the round is over. */
static verso_err sweep(struct vs_store *store, uint64_t pages)
{
    struct vs_deaths *deaths = &store->deaths;
    uint32_t blocks = (uint32_t)((store->space.high_water + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES);
    if (!deaths->sweep_under_way) {
        deaths->sweep_under_way = true;
        deaths->sweep_block = 0;
    }
    for (unsigned i = 0; i < SWEEP_SLICE_BLOCKS && store->space.free_count < pages; i++) {
        if (deaths->sweep_block >= blocks) {
            deaths->sweep_under_way = false;
            deaths->swept_at_high_water = store->space.high_water;
            return VERSO_OK;
        }
        verso_err err = sweep_block(store, deaths->sweep_block);
        if (err != VERSO_OK) {
            return err;
        }
        deaths->sweep_block++;
    }
    return VERSO_OK;
}

/* ---- new pages ---- */

static verso_err take_from_the_end(struct vs_store *store)
{
    struct vs_space *space = &store->space;
    uint32_t to_block_end = VS_BLOCK_PAGES - (uint32_t)(space->high_water % VS_BLOCK_PAGES);
    verso_err err = vs_store_grow(store, vs_space_needed(space, to_block_end));
    if (err != VERSO_OK) {
        return err;
    }
    vs_page_no first;
    uint32_t count = vs_space_take_fresh(space, to_block_end, &first);
    if (count == 0) {
        return vs_fault(VERSO_LIMIT, "all page numbers are used up");
    }
    for (uint32_t i = 0; i < count; i++) {
        vs_space_give(space, first + i);
    }
    return VERSO_OK;
}

verso_err vs_store_make_space(struct vs_store *store, uint64_t pages)
{
    struct vs_deaths *deaths = &store->deaths;
    struct vs_space *space = &store->space;
    /* another look at the parked costs their number: worth it when a checkpoint let go of versions,
     * or when a quarter more have gathered */
    bool parked_too = atomic_load(&store->checkpoint_done) ||
                      deaths->parked.count > deaths->parked_at_judging * 5 / 4 + VS_BLOCK_PAGES;
    verso_err err = VERSO_OK;
    if (parked_too || deaths->recent.count > 0) {
        err = vs_store_judge(store, parked_too);
    }
    if (err == VERSO_OK && space->free_count < pages && sweep_is_worth_it(store)) {
        err = vs_store_refresh_kept(store);
        if (err == VERSO_OK) {
            err = sweep(store, pages + VS_BLOCK_PAGES);
        }
    }
    while (err == VERSO_OK && space->free_count < pages) {
        err = take_from_the_end(store);
    }
    return err;
}
