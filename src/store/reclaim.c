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
#include "os/turns.h"
#include "store/store.h"

enum {
    JUDGE_SLICE = 32 * 1024,   /* parked deaths judged at once: some milliseconds */
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
        err =
            vs_version_set_drop_ranges(judged, retained->unjudged.range, retained->unjudged.count);
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
    vs_lock_take(&store->state_lock);
    if (!kept->known || kept->checkpoint_stamp != store->checkpoint_stamp) {
        err = vs_version_set_copy(&kept->on_disk, &store->on_disk);
        if (err == VERSO_OK && store->frozen != NULL) {
            err = vs_version_set_copy(&kept->frozen, store->frozen);
        } else {
            kept->frozen.count = 0;
        }
        kept->checkpoint_stamp = store->checkpoint_stamp;
    }
    vs_lock_release(&store->state_lock);
    return err;
}

verso_err vs_store_refresh_kept(struct vs_store *store)
{
    /* the judge's order: what is published first, then what is retained, then the slots; see
     * reader_slots.h and retained.h */
    uint64_t published = vs_roots_published(&store->roots);
    vs_turn(VS_POINT_COLLECT_RETAINED);
    verso_err err = refresh_retained(store);
    if (err == VERSO_OK) {
        err = refresh_checkpoints(store);
    }
    if (err == VERSO_OK) {
        vs_turn(VS_POINT_COLLECT_PINS);
        err = vs_kept_set_gather(&store->kept, published, &store->readers);
    }
    vs_turn(VS_POINT_JUDGE);
    store->kept.known = err == VERSO_OK;
    store->kept_at = store->tip.version;
    return err;
}

/* ---- judging ---- */

static bool is_kept(const struct vs_store *store, uint64_t born, uint64_t died, bool history)
{
    if (history) { /* kept generations: that of the metas and the coming one */
        return born < died && died > vs_store_generation(store);
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

/* The version from which on every one is kept, published or not. */
static uint64_t all_kept_from(const struct vs_store *store, uint64_t published)
{
    const struct vs_version_set *retained = &store->kept.retained;
    assert(retained->count > 0); /* roots to come are retained */
    const struct vs_version_range *last = &retained->range[retained->count - 1];
    assert(last->to == UINT64_MAX);
    return last->from < published ? last->from : published;
}

static verso_err judge_death(struct vs_store *store, const struct vs_death *death)
{
    if (!is_kept(store, death->born, death->died, death->history)) {
        return free_dead(store, death);
    }
    struct vs_death_list *parked = &store->deaths.parked;
    store->retained.held_pages++;
    if (parked->count >= VS_PARKED_MAX) {
        return VERSO_OK; /* left to the sweep */
    }
    verso_err err = vs_death_list_reserve(parked, 1);
    if (err == VERSO_OK) {
        parked->death[parked->count++] = *death;
    }
    return err;
}

/* Move what is left to the front; seldom enough to cost each death one move. */
static void forget_judged(struct vs_deaths *deaths)
{
    struct vs_death_list *recent = &deaths->recent;
    if (deaths->judged * 2 < recent->count) {
        return;
    }
    recent->count -= deaths->judged;
    memmove(recent->death, recent->death + deaths->judged, recent->count * sizeof *recent->death);
    deaths->judged = 0;
}

/* Judge up to the first death that some version surely keeps, and with it all that follow. */
static verso_err judge_recent(struct vs_store *store, uint64_t published)
{
    struct vs_deaths *deaths = &store->deaths;
    uint64_t from = all_kept_from(store, published);
    verso_err err = VERSO_OK;
    while (deaths->judged < deaths->recent.count && err == VERSO_OK) {
        const struct vs_death *death = &deaths->recent.death[deaths->judged];
        assert(death->born < death->died); /* who was born by the same writer is no death */
        if (death->died > from && deaths->recent.count - deaths->judged <= VS_WAITING_MAX) {
            break;
        }
        err = judge_death(store, death);
        deaths->judged += err == VERSO_OK ? 1 : 0;
    }
    if (deaths->recent.count > 0) {
        forget_judged(deaths);
    }
    return err;
}

/* Judge the parked from where the round has come to, at most so many. What is free gives its place
 * to the last of the list. */
static verso_err judge_parked(struct vs_store *store, size_t most)
{
    struct vs_deaths *deaths = &store->deaths;
    struct vs_death_list *parked = &deaths->parked;
    for (size_t i = 0; i < most && deaths->parked_next < parked->count; i++) {
        struct vs_death *death = &parked->death[deaths->parked_next];
        if (is_kept(store, death->born, death->died, death->history)) {
            deaths->parked_next++;
            continue;
        }
        verso_err err = free_dead(store, death);
        if (err != VERSO_OK) {
            deaths->parked_next++; /* the others are not to suffer from it */
            return err;
        }
        *death = parked->death[--parked->count];
    }
    if (deaths->parked_next >= parked->count) {
        deaths->round_under_way = false;
        deaths->parked_at_judging = parked->count;
    }
    return VERSO_OK;
}

static void begin_round(struct vs_store *store)
{
    atomic_store_explicit(&store->checkpoint_done, false,
                          memory_order_relaxed); /* before looking at what is kept */
    store->deaths.parked_next = 0;
    store->deaths.round_under_way = true;
}

static verso_err judge(struct vs_store *store, size_t parked_most)
{
    uint64_t published = vs_roots_published(&store->roots);
    verso_err err = vs_store_refresh_kept(store);
    if (err == VERSO_OK) {
        err = judge_recent(store, published);
    }
    return err == VERSO_OK && parked_most > 0 ? judge_parked(store, parked_most) : err;
}

verso_err vs_store_judge(struct vs_store *store, bool parked_too)
{
    if (parked_too) {
        begin_round(store);
    }
    return judge(store, parked_too ? SIZE_MAX : 0);
}

verso_err vs_store_judge_on(struct vs_store *store, bool *over)
{
    if (!store->deaths.round_under_way) {
        begin_round(store);
    }
    verso_err err = judge(store, JUDGE_SLICE);
    *over = !store->deaths.round_under_way;
    return err;
}

verso_err vs_store_judge_frames(struct vs_store *store)
{
    verso_err err = judge(store, 0);
    struct vs_death_list *parked = &store->deaths.parked;
    size_t left = 0;
    size_t i = 0;
    for (; i < parked->count && err == VERSO_OK; i++) {
        const struct vs_death *death = &parked->death[i];
        /* relaxed: only the holder of the writer lock gives frames */
        uint32_t frame =
            atomic_load_explicit(&store->pages.frame_of[death->page], memory_order_relaxed);
        if (frame == 0 || is_kept(store, death->born, death->died, death->history)) {
            parked->death[left++] = *death;
        } else {
            err = free_dead(store, death);
        }
    }
    if (parked->count > 0) { /* an empty list may have no memory, and memmove() wants some */
        size_t rest = parked->count - i;
        memmove(parked->death + left, parked->death + i, rest * sizeof *parked->death);
        parked->count = left + rest;
    }
    store->deaths.parked_next = 0; /* a round under way begins anew: the order is another */
    return err;
}

uint64_t vs_store_held_pages(const struct vs_store *store)
{
    return store->retained.held_pages + store->deaths.recent.count - store->deaths.judged;
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

/* To the end of a block, or as far as the file goes if it cannot grow: a few pages of the reserve
   may be all that a deletion needs. */
static verso_err grow_for_some(struct vs_store *store, uint32_t *count)
{
    const struct vs_space *space = &store->space;
    *count = VS_BLOCK_PAGES - (uint32_t)(space->high_water % VS_BLOCK_PAGES);
    verso_err err = vs_store_grow(store, vs_space_needed(space, *count));
    uint64_t begin = vs_space_needed(space, 0);
    uint64_t end = vs_store_usable_pages(store);
    if (err != VERSO_NOSPC || end <= begin || end - begin >= *count) {
        return err;
    }
    *count = (uint32_t)(end - begin);
    return vs_store_grow(store, vs_space_needed(space, *count));
}

static verso_err take_from_the_end(struct vs_store *store)
{
    struct vs_space *space = &store->space;
    uint32_t wanted;
    verso_err err = grow_for_some(store, &wanted);
    if (err != VERSO_OK) {
        return err;
    }
    vs_page_no first;
    uint32_t count = vs_space_take_fresh(space, wanted, &first);
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
     * or when a quarter more have gathered; and done in slices, a call each */
    if (atomic_load_explicit(&store->checkpoint_done, memory_order_relaxed) ||
        (!deaths->round_under_way &&
         deaths->parked.count > deaths->parked_at_judging * 5 / 4 + VS_BLOCK_PAGES)) {
        begin_round(store);
    }
    verso_err err = VERSO_OK;
    if (deaths->round_under_way || deaths->recent.count > deaths->judged) {
        err = judge(store, deaths->round_under_way ? JUDGE_SLICE : 0);
    }
    uint64_t wanted = pages + vs_store_held_back(store);
    if (err == VERSO_OK && space->free_count < wanted && sweep_is_worth_it(store)) {
        err = vs_store_refresh_kept(store);
        if (err == VERSO_OK) {
            err = sweep(store, wanted + VS_BLOCK_PAGES);
        }
    }
    while (err == VERSO_OK && space->free_count < pages + vs_store_held_back(store)) {
        err = take_from_the_end(store); /* if the file grows nothing is owed any more */
    }
    return err;
}
