/*
 * statistics.c - the figures of a store.
 */
#include <string.h>

#include "api/handles.h"
#include "os/fault.h"

static uint64_t figure(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed); /* nothing is concluded from it */
}

verso_err verso_stat(verso_store *store, verso_stats *given)
{
    if (store == NULL || given == NULL || given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "verso_stat: an argument is NULL or has no size");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    verso_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.size = given->size;
    stats.page_size = (uint32_t)inner->pages.page_size;
    struct vs_log *log = vs_store_log(inner);

    const struct vs_store_counts *counts = &inner->counts;
    /* each is at most the next, whatever is committed meanwhile: the smaller ones are read first */
    stats.oldest = vs_history_oldest(inner);
    stats.published = vs_roots_published(&inner->roots);
    stats.durable = atomic_load_explicit(&inner->durable, memory_order_acquire);
    stats.tip = figure(&counts->tip);
    stats.durable = inner->in_memory ? stats.tip : stats.durable;
    /* a commit is known here a moment before its figures are noted */
    stats.tip = stats.tip > stats.durable ? stats.tip : stats.durable;
    stats.tip = stats.tip > stats.published ? stats.tip : stats.published;
    stats.kept_roots = vs_history_count(inner);
    stats.keys = figure(&counts->keys);
    stats.depth = (uint32_t)figure(&counts->depth);
    stats.used_pages = figure(&counts->high_water);
    stats.free_pages = figure(&counts->free_pages);
    stats.file_bytes =
        inner->in_memory ? 0 : figure(&counts->file_pages) << inner->pages.page_shift;
    if (inner->read_only) {
        stats.file_bytes = figure(&inner->table.file_bytes);
    }
    if (log != NULL) {
        uint64_t begun = vs_store_checkpoint_lsn(inner); /* before the end, which only grows */
        stats.log_bytes = vs_log_end_lsn(log) - begun;
        stats.syncs = vs_log_syncs(log);
    }
    stats.arena_held_bytes = figure(&inner->arena.held) << inner->pages.page_shift;
    stats.arena_bytes =
        (figure(&inner->arena.busy) << inner->pages.page_shift) + stats.arena_held_bytes;
    stats.views = figure(&store->views);
    stats.checkpoints = figure(&inner->counts.checkpoints);
    stats.leaf_relief_copies = figure(&inner->counts.relief_copies);
    stats.poisoned = vs_store_is_poisoned(inner) || (log != NULL && vs_log_is_poisoned(log));
    stats.meta_damaged = inner->meta_damaged;
    stats.keeping_damaged = inner->keeping_damaged;
    memcpy(given, &stats, given->size < sizeof stats ? given->size : sizeof stats);
    return VERSO_OK;
}
