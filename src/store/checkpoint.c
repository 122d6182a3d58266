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
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "os/fault.h"
#include "os/turns.h"
#include "store/checkpoint.h"
#include "store/store.h"

enum { JOINED_PAGES_BYTES = 128 * 1024 }; /* neighbouring pages go out in one write */

struct vs_checkpoint {
    struct vs_store *store;
    struct vs_meta meta;         /* as it will be */
    struct vs_version_set roots; /* that it names */
    struct vs_version_set kept;  /* what has to be written, readers' versions included */
    bool full_sync;
    uint32_t tail_block; /* the first block of a tail given up; UINT32_MAX: none */
    uint32_t *blocks;
    size_t block_count;
    uint64_t *entries;        /* of those blocks */
    struct vs_vacated *moved; /* to be written, or written */
    size_t moved_count;
    size_t moved_capacity; /* enough: nothing after the freeze may fail for want of memory */
    size_t unwritten;      /* moved[unwritten ..] wait to be joined */
    uint8_t *joined;       /* JOINED_PAGES_BYTES */
};

static void clear(struct vs_checkpoint *checkpoint)
{
    vs_version_set_clear(&checkpoint->roots);
    vs_version_set_clear(&checkpoint->kept);
    free(checkpoint->blocks);
    free(checkpoint->entries);
    free(checkpoint->moved);
    free(checkpoint->joined);
}

/* ---- freezing: the writer lock is held ---- */

/* All the memory that is needed after the freeze, when there is no way back: no more pages can be
 * moved than have frames. The list of blocks brings the room for their entries along. */
static verso_err reserve_memory(struct vs_checkpoint *checkpoint)
{
    checkpoint->moved_capacity =
        (size_t)atomic_load_explicit(&checkpoint->store->arena.busy, memory_order_relaxed);
    size_t bytes = (checkpoint->moved_capacity + 1) * sizeof *checkpoint->moved;
    checkpoint->moved = malloc(bytes);
    checkpoint->joined = malloc(JOINED_PAGES_BYTES);
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

/* Enter the roots since the last checkpoint into the history tree of the coming generation.
 * `checkpoint`, if it is not NULL, gets its memory while that can still be undone. */
static verso_err enter_history(struct vs_store *store, struct vs_checkpoint *checkpoint,
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

static void set_frozen(struct vs_store *store, const struct vs_version_set *kept)
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

static verso_err freeze(struct vs_checkpoint *checkpoint, const struct vs_root_record *root,
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
        err = enter_history(store, checkpoint, root->version);
    }
    if (err != VERSO_OK) {
        return err;
    }
    checkpoint->tail_block = vs_store_drop_tail(store);
    describe(checkpoint, root, clean);
    store->retained.changed = false;
    set_frozen(store, &checkpoint->kept); /* C4 */
    vs_page_table_freeze(&store->table, &checkpoint->blocks, &checkpoint->entries,
                         &checkpoint->block_count);
    return VERSO_OK;
}

/* ---- pages ---- */

/* Write the neighbouring pages that wait, in one piece. */
static verso_err write_joined(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    size_t page_size = store->pages.page_size;
    size_t count = checkpoint->moved_count - checkpoint->unwritten;
    if (count == 0) {
        return VERSO_OK;
    }
    const struct vs_vacated *first = &checkpoint->moved[checkpoint->unwritten];
    for (size_t i = 0; i < count; i++) {
        memcpy(checkpoint->joined + i * page_size, vs_arena_frame(&store->arena, first[i].frame),
               page_size);
    }
    checkpoint->unwritten = checkpoint->moved_count;
    return store->os->write_at(store->file, (uint64_t)first->page << store->pages.page_shift,
                               checkpoint->joined, count * page_size);
}

/* The page goes out with its neighbours, or first those that it does not join. */
static verso_err move_page(struct vs_checkpoint *checkpoint, vs_page_no page, uint32_t frame,
                           uint64_t born)
{
    size_t waiting = checkpoint->moved_count - checkpoint->unwritten;
    size_t joinable = JOINED_PAGES_BYTES / checkpoint->store->pages.page_size;
    if (waiting > 0 &&
        (waiting >= joinable || checkpoint->moved[checkpoint->moved_count - 1].page + 1 != page)) {
        verso_err err = write_joined(checkpoint);
        if (err != VERSO_OK) {
            return err;
        }
    }
    assert(checkpoint->moved_count < checkpoint->moved_capacity);
    checkpoint->moved[checkpoint->moved_count++] = (struct vs_vacated){frame, page, born};
    return VERSO_OK;
}

static bool must_be_written(const struct vs_checkpoint *checkpoint,
                            const struct vs_descriptor *descriptor)
{
    uint64_t born = vs_descriptor_born(descriptor);
    uint64_t died = vs_descriptor_died(descriptor);
    if (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) {
        return born < died && died > checkpoint->meta.generation;
    }
    return vs_version_set_meets(&checkpoint->kept, born, died);
}

/* Move the pages of one frozen block that still have frames, setting their checksums in both the
 * frozen descriptors and the live ones. */
static verso_err move_pages_of_block(struct vs_checkpoint *checkpoint, uint32_t block,
                                     struct vs_descriptor *descriptors)
{
    struct vs_store *store = checkpoint->store;
    for (unsigned i = 0; i < VS_BLOCK_PAGES; i++) {
        vs_page_no page = block * VS_BLOCK_PAGES + i;
        struct vs_descriptor *descriptor = &descriptors[i];
        uint32_t frame = atomic_load_explicit(&store->pages.frame_of[page], memory_order_acquire);
        if (frame == 0 || !must_be_written(checkpoint, descriptor)) {
            continue;
        }
        uint64_t born = vs_descriptor_born(descriptor);
        uint32_t crc = vs_page_checksum(page, born, vs_arena_frame(&store->arena, frame),
                                        store->pages.page_size);
        vs_descriptor_set(descriptor, VS_WORD_KIND,
                          vs_kind_word(vs_descriptor_kind(descriptor), crc));
        vs_page_table_set_crc(&store->table, page, crc);
        verso_err err = move_page(checkpoint, page, frame, born);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/* ---- blocks, directory pages, top pages: each over the copy that does not count (C2) ---- */

static unsigned other_copy(uint64_t entry)
{
    return entry == 0 ? 0 : 1 - vs_entry_copy(entry);
}

static verso_err write_part(struct vs_checkpoint *checkpoint, uint64_t at, const uint8_t *bytes,
                            unsigned copy, uint64_t *entry)
{
    *entry = vs_entry(vs_crc32c(0, bytes, VS_PART_BYTES), checkpoint->meta.generation, copy);
    return checkpoint->store->os->write_at(checkpoint->store->file, at, bytes, VS_PART_BYTES);
}

static verso_err write_blocks(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    _Alignas(struct vs_descriptor) uint8_t bytes[VS_PART_BYTES];
    for (size_t i = 0; i < checkpoint->block_count; i++) {
        uint32_t block = checkpoint->blocks[i];
        if (block >= checkpoint->tail_block) {
            checkpoint->entries[i] = 0; /* its place may be cut off */
            continue;
        }
        vs_page_table_take(&store->table, block, bytes);
        verso_err err =
            move_pages_of_block(checkpoint, block, (struct vs_descriptor *)(void *)bytes);
        if (err != VERSO_OK) {
            return err;
        }
        unsigned copy =
            other_copy(atomic_load_explicit(&store->table.entry[block], memory_order_relaxed));
        err = write_part(checkpoint, vs_layout_block_at(store->pages.page_size, block, copy), bytes,
                         copy, &checkpoint->entries[i]);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return write_joined(checkpoint);
}

static void encode_entries(const uint64_t *entries, uint8_t *bytes)
{
    for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
        vs_put_le64(bytes + (size_t)i * 8, entries[i]);
    }
}

/* Write the directory page that holds the blocks from *next on, and its entry into its top page. */
static verso_err write_directory(struct vs_checkpoint *checkpoint, size_t *next,
                                 uint64_t *top_entries)
{
    struct vs_store *store = checkpoint->store;
    uint32_t directory = checkpoint->blocks[*next] / VS_DIRECTORY_ENTRIES;
    uint64_t entries[VS_DIRECTORY_ENTRIES];
    verso_err err = vs_page_table_directory(&store->table, directory, entries);
    if (err != VERSO_OK) {
        return err;
    }
    for (; *next < checkpoint->block_count &&
           checkpoint->blocks[*next] / VS_DIRECTORY_ENTRIES == directory;
         (*next)++) {
        entries[checkpoint->blocks[*next] % VS_DIRECTORY_ENTRIES] = checkpoint->entries[*next];
    }
    uint64_t *entry = &top_entries[directory % VS_DIRECTORY_ENTRIES];
    if (directory * VS_DIRECTORY_ENTRIES >= checkpoint->tail_block) {
        *entry = 0;
        return VERSO_OK;
    }
    uint8_t bytes[VS_PART_BYTES];
    encode_entries(entries, bytes);
    unsigned copy = other_copy(*entry);
    return write_part(checkpoint, vs_layout_directory_at(store->pages.page_size, directory, copy),
                      bytes, copy, entry);
}

static verso_err write_top(struct vs_checkpoint *checkpoint, uint32_t top, const uint64_t *entries)
{
    size_t page_size = checkpoint->store->pages.page_size;
    /* untaken: a second top page is in stores of more than 16 million pages only */
    if (top * (VS_TOP_PAGES / VS_BLOCK_PAGES) >= checkpoint->tail_block) { /* untaken: as above */
        checkpoint->meta.top[top] = 0;
        return VERSO_OK;
    }
    uint8_t bytes[VS_PART_BYTES];
    encode_entries(entries, bytes);
    unsigned copy = other_copy(checkpoint->store->meta.top[top]);
    return write_part(checkpoint, vs_layout_top_at(page_size, top, copy), bytes, copy,
                      &checkpoint->meta.top[top]);
}

static verso_err write_directories(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    for (size_t next = 0; next < checkpoint->block_count;) {
        uint32_t top = checkpoint->blocks[next] / (VS_TOP_PAGES / VS_BLOCK_PAGES);
        uint64_t entries[VS_DIRECTORY_ENTRIES];
        verso_err err = vs_page_table_top(&store->table, top, entries);
        while (err == VERSO_OK && next < checkpoint->block_count &&
               checkpoint->blocks[next] / (VS_TOP_PAGES / VS_BLOCK_PAGES) ==
                   top) { /* untaken: as in write_top() */
            err = write_directory(checkpoint, &next, entries);
        }
        if (err != VERSO_OK) {
            return err;
        }
        err = write_top(checkpoint, top, entries);
        if (err != VERSO_OK) {
            return err;
        }
        for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
            vs_page_table_set_directory_entry(&store->table, top * VS_DIRECTORY_ENTRIES + i,
                                              entries[i]);
        }
    }
    return VERSO_OK;
}

verso_err vs_store_write_metas(struct vs_store *store, const struct vs_meta *meta)
{
    uint8_t bytes[VS_PART_BYTES];
    vs_meta_encode(meta, bytes);
    for (unsigned i = 0; i < 2; i++) {
        vs_turn(VS_POINT_WRITE_META);
        uint64_t at = i == meta->generation % 2 ? 0 : VS_META_B_AT;
        verso_err err = store->os->write_at(store->file, at, bytes, VS_PART_BYTES);
        if (err == VERSO_OK) {
            err = store->os->sync_data(store->file);
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/* A witness may have been appended since C1, and the segment that it begins would not survive. */
static verso_err sync_log(const struct vs_checkpoint *checkpoint)
{
    return vs_log_wait(vs_store_log(checkpoint->store), checkpoint->meta.log_lsn, VS_LOG_DURABLE);
}

static verso_err write_out(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    verso_err err = sync_log(checkpoint);
    if (err == VERSO_OK) {
        err = write_blocks(checkpoint);
    }
    if (err == VERSO_OK) {
        err = write_directories(checkpoint);
    }
    if (err == VERSO_OK) {
        err = checkpoint->full_sync ? store->os->sync_full(store->file)
                                    : store->os->sync_data(store->file);
    }
    return err == VERSO_OK ? vs_store_write_metas(store, &checkpoint->meta) : err;
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
        err = freeze(&checkpoint, &store->tip, clean);
    }
    vs_store_release_writer(store);
    if (due && err == VERSO_OK) {
        err = write_out(&checkpoint);
        if (err == VERSO_OK) {
            let_go(&checkpoint);
        } else {
            vs_store_poison(store, err);
            set_frozen(store, NULL); /* nothing is reused any more */
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
        err = enter_history(store, NULL, version);
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
        err = freeze(&checkpoint, record, false);
    }
    if (err == VERSO_OK) {
        err = write_out(&checkpoint);
        if (err != VERSO_OK) { /* the metas may name it or not: the next open tells */
            vs_store_poison(store, err);
            set_frozen(store, NULL);
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
