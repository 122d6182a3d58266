/*
 * checkpoint.c - moving what the log holds into the store file: freeze, write, sync, metas, let go.
 *
 * C1  Frozen version = tip = durable: the log is synced up to the tip before the freeze.
 * C2  Until a meta names it, nothing is written over what the metas on disk name: pages go to their
 *     own places, blocks and directory pages over the copies that do not count.
 * C3  Both metas are written and synced before anything is let go that the former ones named.
 * C4  What is kept at the freeze stays kept until the checkpoint is over, though readers leave and
 *     roots are dropped meanwhile: so pages to be written keep their numbers and frames.
 * The writer waits for the freeze alone; a transaction too long for the log holds the lock
 * throughout.
 */
#include "store/checkpoint.h"

#include <stdlib.h>

#include "os/fault.h"
#include "os/turns.h"
#include "store/checkpoint_parts.h"

static void clear(struct vs_checkpoint *checkpoint)
{
    vs_version_set_clear(&checkpoint->roots);
    vs_version_set_clear(&checkpoint->kept);
    free(checkpoint->blocks);
    free(checkpoint->entries);
    free(checkpoint->moved);
    free(checkpoint->joined);
}

/* ---- letting go ---- */

/* Readers find the moved pages in the mapping from now on. */
static void vacate_frames(struct vs_checkpoint *checkpoint, uint64_t epoch)
{
    struct vs_store *store = checkpoint->store;
    if (checkpoint->moved_count == 0) {
        return;
    }
    for (size_t i = 0; i < checkpoint->moved_count; i++) {
        vs_turn(VS_POINT_VACATE_FRAME);
        /* release: the page is in the file before readers look there */
        atomic_store_explicit(&store->pages.frame_of[checkpoint->moved[i].page], 0,
                              memory_order_release);
    }
    vs_turn(VS_POINT_RAISE_EPOCH);
    /* the epoch is raised before the frames can be asked for: whoever pins from now on with the new
     * epoch has seen the words above */
    vs_reader_raise_epoch(&store->readers, epoch);
    vs_arena_vacate(&store->arena, checkpoint->moved, checkpoint->moved_count, epoch);
    checkpoint->moved = NULL; /* the arena's now */
}

static void let_go(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    uint64_t before = vs_reader_epoch(&store->readers);
    for (size_t i = 0; i < checkpoint->block_count; i++) {
        vs_page_table_set_entry(&store->table, checkpoint->blocks[i], checkpoint->entries[i]);
    }
    vs_page_table_set_top(&store->table, checkpoint->meta.top);
    vacate_frames(checkpoint, before + 1);
    vs_reader_raise_epoch(&store->readers, before + 1); /* though nothing may have moved */
    /* a view from before the last checkpoint would hold the blocks' memory for long: leave them */
    bool move = vs_reader_oldest_epoch(&store->readers) >= before;
    vs_page_table_thaw(&store->table, checkpoint->blocks, checkpoint->block_count, move,
                       before + 1);

    vs_lock_take(&store->roots.lookup_lock);
    store->meta = checkpoint->meta;
    vs_roots_forget(&store->roots, checkpoint->meta.root.version);
    atomic_store_explicit(&store->generation, checkpoint->meta.generation, memory_order_release);
    vs_lock_release(&store->roots.lookup_lock);

    vs_lock_take(&store->state_lock);
    struct vs_version_set before_it = store->on_disk;
    store->on_disk = checkpoint->roots;
    checkpoint->roots = before_it; /* freed with the checkpoint */
    store->frozen = NULL;
    store->checkpoint_stamp++;
    vs_lock_release(&store->state_lock);
    vs_turn(VS_POINT_CHECKPOINT_OVER);
    atomic_store_explicit(&store->checkpoint_done, true, memory_order_release);
    atomic_store_explicit(&store->checkpoint_lsn, checkpoint->meta.log_lsn, memory_order_release);
    atomic_store_explicit(&store->checkpoint_version, checkpoint->meta.root.version,
                          memory_order_release);
    vs_log_recycle(vs_store_log(store), checkpoint->meta.log_lsn);
    atomic_fetch_add_explicit(&store->counts.checkpoints, 1, memory_order_relaxed);
}

/* ---- the two ways to a checkpoint ---- */

/* Another checkpoint may be at its end meanwhile, and exchange the meta. */
static bool nothing_to_do(struct vs_store *store, bool clean)
{
    vs_lock_take(&store->roots.lookup_lock);
    uint64_t version = store->meta.root.version;
    uint64_t epoch = store->meta.epoch;
    bool is_clean = store->meta.clean;
    vs_lock_release(&store->roots.lookup_lock);
    struct vs_log *log = vs_store_log(store);
    bool fresh_epoch = log != NULL && vs_log_end(log).epoch != epoch;
    /* table blocks may have changed all the same: by aborted transactions, to describe free
       pages */
    return store->tip.version == version && !fresh_epoch && !store->retained.changed &&
           (!clean || is_clean);
}

/* Judge what is parked in slices, between which others write: the freeze is not to wait for it, and
 * the pages found free may be a tail that can be cut off. What fails here fails where it counts. */
static void judge_ahead(struct vs_store *store)
{
    bool over = false;
    verso_err err = VERSO_OK;
    while (!over && err == VERSO_OK) {
        vs_fair_lock_take(&store->writer_lock);
        err = vs_store_judge_on(store, &over);
        vs_store_release_writer(store);
    }
}

/* Before anything is touched: what is beyond the end of a cut file must not be read. */
static verso_err may_begin(struct vs_store *store)
{
    if (vs_store_generation(store) >= VS_NUMBER_MAX) {
        return vs_fault(VERSO_LIMIT, "all numbers of checkpoints are used up");
    }
    return vs_store_look_at_file(store);
}

verso_err vs_store_checkpoint(struct vs_store *store, bool clean)
{
    if (store->in_memory || store->read_only) {
        return VERSO_OK;
    }
    if (vs_store_is_poisoned(store)) {
        return vs_fault(VERSO_POISONED, "a sync failed before");
    }
    vs_checkpoint_wait(store);
    vs_fair_lock_take(&store->writer_lock);
    bool due = !nothing_to_do(store, clean);
    verso_err err = due ? may_begin(store) : VERSO_OK;
    vs_fair_lock_release(&store->writer_lock);
    if (err != VERSO_OK) {
        return err;
    }
    if (due) {
        judge_ahead(store);
    }
    vs_fair_lock_take(&store->writer_lock);
    vs_checkpoint_enter(store);
    struct vs_checkpoint checkpoint = {.store = store};
    due = !nothing_to_do(store, clean);
    if (due) {
        err = vs_checkpoint_freeze(&checkpoint, &store->tip, clean);
    }
    vs_store_release_writer(store);
    if (due && err == VERSO_OK) {
        err = vs_checkpoint_write(&checkpoint);
        if (err == VERSO_OK) {
            let_go(&checkpoint);
        } else {
            vs_store_poison(store, err);
            vs_checkpoint_set_frozen(store, NULL); /* nothing is reused any more */
        }
    }
    vs_checkpoint_leave(store);
    clear(&checkpoint);
    return err;
}

verso_err vs_store_settle_memory(struct vs_store *store)
{
    judge_ahead(store);
    vs_fair_lock_take(&store->writer_lock);
    uint64_t version = store->tip.version; /* published: nothing waits for durability */
    verso_err err = vs_store_judge(store, false);
    if (err == VERSO_OK) {
        err = vs_checkpoint_enter_history(store, NULL, version);
    }
    if (err == VERSO_OK) {
        vs_lock_take(&store->roots.lookup_lock);
        store->meta.history = store->history.roots;
        store->meta.generation++;
        atomic_store_explicit(&store->generation, store->meta.generation, memory_order_release);
        vs_roots_forget(&store->roots, version);
        vs_lock_release(&store->roots.lookup_lock);
        atomic_store_explicit(&store->checkpoint_version, version, memory_order_release);
    }
    vs_store_release_writer(store);
    return err;
}

verso_err vs_store_commit_by_checkpoint(struct vs_store *store, const struct vs_root_record *record)
{
    vs_checkpoint_enter(store);
    struct vs_checkpoint checkpoint = {.store = store};
    /* the history tree takes the root from the recent ones; no lookup looks beyond the published */
    vs_roots_append(&store->roots, record);
    verso_err err = may_begin(store);
    if (err == VERSO_OK) {
        err = vs_writer_step(&store->writer); /* pages dropped must not be written as alive */
    }
    if (err == VERSO_OK) {
        err = vs_checkpoint_freeze(&checkpoint, record, false);
    }
    if (err == VERSO_OK) {
        err = vs_checkpoint_write(&checkpoint);
        if (err != VERSO_OK) { /* the metas may name it or not: the next open tells */
            vs_store_poison(store, err);
            vs_checkpoint_set_frozen(store, NULL);
            vs_page_table_unfreeze(&store->table, checkpoint.blocks, checkpoint.entries,
                                   checkpoint.block_count);
            checkpoint.blocks = NULL;
            checkpoint.entries = NULL;
            err = vs_fault(VERSO_UNKNOWN, "the checkpoint that commits failed");
        }
    }
    if (err != VERSO_OK) {
        vs_roots_retract(&store->roots, record->version);
    } else {
        store->tip = *record;
        store->tip.note = (verso_slice){NULL, 0};
        atomic_store_explicit(&store->durable, record->version, memory_order_release);
        vs_store_publish(store, record->version);
        let_go(&checkpoint);
    }
    vs_checkpoint_leave(store);
    clear(&checkpoint);
    return err;
}
