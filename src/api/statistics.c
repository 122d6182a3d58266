/*
 * statistics.c - the figures of a store.
 */
#include <string.h>

#include "api/handles.h"
#include "os/fault.h"

verso_err verso_stat(verso_store *store, verso_stats *given)
{
    if (store == NULL || given == NULL || given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "verso_stat: an argument is NULL or has no size");
    }
    struct vs_store *inner = store->store;
    verso_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.size = given->size;
    stats.page_size = (uint32_t)inner->pages.page_size;
    struct vs_log *log = inner->log;

    const struct vs_store_counts *counts = &inner->counts;
    /* each is at most the next, whatever is committed meanwhile: the smaller ones are read first */
    stats.oldest = vs_history_oldest(inner);
    stats.published = vs_roots_published(&inner->roots);
    stats.durable = atomic_load(&inner->durable);
    stats.tip = atomic_load(&counts->tip);
    stats.durable = inner->in_memory ? stats.tip : stats.durable;
    /* a commit is known here a moment before its figures are noted */
    stats.tip = stats.tip > stats.durable ? stats.tip : stats.durable;
    stats.tip = stats.tip > stats.published ? stats.tip : stats.published;
    stats.kept_roots = vs_history_count(inner);
    stats.keys = atomic_load(&counts->keys);
    stats.depth = (uint32_t)atomic_load(&counts->depth);
    stats.used_pages = atomic_load(&counts->high_water);
    stats.free_pages = atomic_load(&counts->free_pages);
    stats.file_bytes =
        inner->in_memory ? 0 : atomic_load(&counts->file_pages) << inner->pages.page_shift;
    if (inner->read_only) {
        stats.file_bytes = atomic_load(&inner->table.file_bytes);
    }
    if (log != NULL) {
        uint64_t begun = atomic_load(&inner->checkpoint_lsn); /* before the end, which only grows */
        stats.log_bytes = vs_log_end_lsn(log) - begun;
        stats.syncs = vs_log_syncs(log);
    }
    stats.arena_held_bytes = atomic_load(&inner->arena.held) << inner->pages.page_shift;
    stats.arena_bytes =
        (atomic_load(&inner->arena.busy) << inner->pages.page_shift) + stats.arena_held_bytes;
    stats.views = atomic_load(&store->views);
    stats.checkpoints = atomic_load(&inner->counts.checkpoints);
    stats.leaf_relief_copies = atomic_load(&inner->counts.relief_copies);
    stats.poisoned = atomic_load(&inner->poisoned) || (log != NULL && vs_log_is_poisoned(log));
    stats.meta_damaged = inner->meta_damaged;
    stats.keeping_damaged = inner->keeping_damaged;
    memcpy(given, &stats, given->size < sizeof stats ? given->size : sizeof stats);
    return VERSO_OK;
}
