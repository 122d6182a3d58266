/*
 * checkpoint_freeze.c - what a checkpoint is to write, fixed while the writer waits; C1 and C4 of
 * checkpoint.c.
 */
#include <assert.h>
#include <stdlib.h>

#include "os/fault.h"
#include "os/turns.h"
#include "store/checkpoint_parts.h"

/* All the memory that is needed after the freeze, when there is no way back: no more pages can be
 * moved than have frames. The list of blocks brings the room for their entries along. */
static verso_err reserve_memory(struct vs_checkpoint *checkpoint)
{
    checkpoint->moved_capacity =
        (size_t)atomic_load_explicit(&checkpoint->store->arena.busy, memory_order_relaxed);
    size_t bytes = (checkpoint->moved_capacity + 1) * sizeof *checkpoint->moved;
    checkpoint->moved = malloc(bytes);
    checkpoint->joined = malloc(VS_JOINED_PAGES_BYTES);
    return checkpoint->moved != NULL && checkpoint->joined != NULL
               ? VERSO_OK
               : vs_fault(VERSO_NOMEM, "no memory for a checkpoint");
}

/* What was entered stands. */
static void adopt_history(struct vs_store *store, const struct vs_history_roots *history,
                          uint64_t version)
{
    store->history = *history;
    store->history_to = version;
    store->retained.unentered.count = 0;
    vs_retained_tags_entered(&store->retained);
}

verso_err vs_checkpoint_enter_history(struct vs_store *store, struct vs_checkpoint *checkpoint,
                                      uint64_t version)
{
    struct vs_page_writer *writer = &store->history_writer;
    verso_err err = vs_reader_pin(&store->readers, version, &writer->pin);
    if (err != VERSO_OK) {
        return err;
    }
    bool deletes = store->may_use_reserve;
    store->may_use_reserve = true; /* a checkpoint gives space back */
    vs_writer_begin(writer, vs_store_generation(store) + 1);
    struct vs_history_roots history = store->history;
    err = store->history_calls->enter(store, writer, store->history_to, version, &history);
    if (err == VERSO_OK && checkpoint != NULL) {
        err = reserve_memory(checkpoint);
    }
    if (err == VERSO_OK) {
        vs_writer_commit(writer, &store->deaths.parked); /* kept until the metas name others */
        adopt_history(store, &history, version);
    } else {
        vs_writer_abort(writer);
    }
    store->may_use_reserve = deletes;
    vs_reader_unpin(&store->readers, writer->pin);
    return err;
}

/* What has to be written: all that is kept up to `version`. */
static verso_err copy_kept(struct vs_checkpoint *checkpoint, uint64_t version)
{
    struct vs_store *store = checkpoint->store;
    /* the dead give their frames back first: they are not written, so they would crowd the arena. A
     * damaged block of the table met there concerns none of the pages to be written. */
    verso_err err = vs_store_judge_frames(store);
    err = err == VERSO_CORRUPT ? VERSO_OK : err;
    if (err == VERSO_OK) {
        err = vs_kept_set_flatten(&store->kept, version, &checkpoint->kept);
    }
    if (err == VERSO_OK) {
        err = vs_version_set_copy(&checkpoint->roots, &store->retained.set);
    }
    if (err == VERSO_OK) {
        err = vs_version_set_drop(&checkpoint->roots, version + 1, UINT64_MAX);
    }
    /* its own is named by the meta, whatever is retained */
    return err == VERSO_OK ? vs_version_set_add(&checkpoint->roots, version, version) : err;
}

void vs_checkpoint_set_frozen(struct vs_store *store, const struct vs_version_set *kept)
{
    vs_lock_take(&store->state_lock);
    store->frozen = kept;
    store->checkpoint_stamp++;
    vs_lock_release(&store->state_lock);
}

/* What the new metas will say, but for the table's top. Whatever made the checkpoint due, a commit or
 * a setting, stands in the log, which was begun for it. */
static void describe(struct vs_checkpoint *checkpoint, const struct vs_root_record *root,
                     bool clean)
{
    struct vs_store *store = checkpoint->store;
    struct vs_meta *meta = &checkpoint->meta;
    *meta = store->meta;
    meta->generation++;
    meta->root = *root;
    meta->root.note = (verso_slice){NULL, 0};
    meta->history = store->history.roots;
    meta->tags = store->history.tags;
    meta->clean = clean;
    assert(vs_store_log(store) != NULL);
    struct vs_log_position end = vs_log_end(vs_store_log(store));
    meta->epoch = end.epoch;
    meta->log_lsn = end.lsn;
    meta->log_previous_crc = end.previous_crc;
    meta->high_water = store->space.high_water;
    meta->retention = store->retained.policy;
    meta->held_pages = vs_store_held_pages(store);
    meta->budget_pages = store->retained.budget_pages;
    checkpoint->full_sync = store->file_grew;
    store->file_grew = false;
}

verso_err vs_checkpoint_freeze(struct vs_checkpoint *checkpoint, const struct vs_root_record *root,
                               bool clean)
{
    struct vs_store *store = checkpoint->store;
    vs_turn(VS_POINT_FREEZE);
    vs_store_drop_old_mappings(store);
    verso_err err = vs_store_sync(store); /* C1 */
    if (err == VERSO_OK) {
        err = copy_kept(checkpoint, root->version);
    }
    if (err == VERSO_OK) {
        err = vs_store_cut_file(store, false); /* as the metas before this one allow */
    }
    if (err == VERSO_OK) { /* last: what was entered is not taken out again */
        err = vs_checkpoint_enter_history(store, checkpoint, root->version);
    }
    if (err != VERSO_OK) {
        return err;
    }
    checkpoint->tail_block = vs_store_drop_tail(store);
    describe(checkpoint, root, clean);
    store->retained.changed = false;
    vs_checkpoint_set_frozen(store, &checkpoint->kept); /* C4 */
    vs_page_table_freeze(&store->table, &checkpoint->blocks, &checkpoint->entries,
                         &checkpoint->block_count);
    return VERSO_OK;
}
