/*
 * store_open.c - from a path to a store whose parts stand, and back.
 *
 * The lock comes first, then the meta is chosen: the higher valid one of the two slots. Nothing is
 * written before the log has been proved readable.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "store/checkpoint.h"
#include "store/store.h"
#include "store/store_create.h"

/* ---- metas ---- */

static bool is_newer(const struct vs_meta *a, const struct vs_meta *b)
{
    return a->generation != b->generation ? a->generation > b->generation : a->epoch > b->epoch;
}

static verso_err unknown_format(const char *path)
{
    return vs_fault(VERSO_FORMAT, "%s: a Verso store of an unknown format", path);
}

static verso_err describe_bad_metas(const char *path, enum vs_meta_state a, enum vs_meta_state b)
{
    if (a == VS_META_FORMAT || b == VS_META_FORMAT) {
        return unknown_format(path);
    }
    if (a == VS_META_FOREIGN && b == VS_META_FOREIGN) {
        return vs_fault(VERSO_FORMAT, "%s: not a Verso store", path);
    }
    return vs_fault(VERSO_CORRUPT, "%s: both meta pages are damaged", path);
}

static verso_err read_metas(struct vs_store *store, uint64_t file_size)
{
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta[2];
    enum vs_meta_state state[2] = {VS_META_FOREIGN, VS_META_FOREIGN};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t at = i == 0 ? 0 : VS_META_B_AT;
        if (at + VS_PART_BYTES > file_size) {
            continue;
        }
        verso_err err = store->os->read_at(store->file, at, bytes, sizeof bytes);
        if (err != VERSO_OK) {
            return err;
        }
        state[i] = vs_meta_decode(bytes, &meta[i]);
        if (state[i] == VS_META_FORMAT && vs_meta_is_whole(bytes)) {
            /* the other may be what a later release left on its way to this one: older, and with
               pages that are used again */
            return unknown_format(store->path);
        }
    }
    if (state[0] != VS_META_OK && state[1] != VS_META_OK) {
        return describe_bad_metas(store->path, state[0], state[1]);
    }
    unsigned chosen = state[0] != VS_META_OK                                   ? 1
                      : state[1] == VS_META_OK && is_newer(&meta[1], &meta[0]) ? 1
                                                                               : 0;
    store->meta = meta[chosen];
    store->meta_damaged = state[1 - chosen] != VS_META_OK;
    store->metas_differ = store->meta_damaged || is_newer(&meta[chosen], &meta[1 - chosen]);
    return VERSO_OK;
}

static verso_err check_meta(struct vs_store *store, uint64_t file_size)
{
    const struct vs_meta *meta = &store->meta;
    uint32_t wanted = store->config.page_size;
    if (wanted != 0 && wanted != meta->page_size) {
        return vs_fault(VERSO_MISMATCH, "%s: its pages are of %u bytes, not %u", store->path,
                        meta->page_size, wanted);
    }
    if (!store->config.salvaging && meta->high_water > file_size / meta->page_size) {
        return vs_fault(VERSO_CORRUPT, "%s: cut short: %llu bytes, of %llu in use", store->path,
                        (unsigned long long)file_size,
                        (unsigned long long)(meta->high_water * meta->page_size));
    }
    return VERSO_OK;
}

/* ---- files ---- */

static verso_err open_files(struct vs_store *store)
{
    const struct vs_store_config *config = &store->config;
    enum vs_open_mode mode = config->read_only ? VS_OPEN_READ : VS_OPEN_WRITE;
    verso_err err = store->os->open(store->os, store->path, mode, &store->file);
    assert(!config->create || !config->read_only);
    if (err == VERSO_NO_STORE && config->create) {
        err = vs_store_create(config);
        if (err == VERSO_OK || err == VERSO_EXISTS) {
            err = store->os->open(store->os, store->path, mode, &store->file);
        }
    }
    if (err != VERSO_OK) {
        store->file = NULL;
        return err;
    }
    return store->os->lock(store->file, !config->read_only);
}

/* ---- parts ---- */

static unsigned shift_of(size_t page_size)
{
    return (unsigned)__builtin_ctzll(page_size);
}

static verso_err open_file_parts(struct vs_store *store)
{
    struct vs_file_identity identity;
    verso_err err = store->os->identify(store->file, &identity);
    if (err == VERSO_OK) {
        err = read_metas(store, identity.size);
    }
    if (err == VERSO_OK) {
        err = check_meta(store, identity.size);
    }
    if (err != VERSO_OK) {
        return err;
    }
    store->pages.page_size = store->meta.page_size;
    store->pages.page_shift = shift_of(store->meta.page_size);
    store->pages.file = store->file;
    err = vs_store_reserve_for_file(store, identity.size);
    if (err != VERSO_OK) {
        return err;
    }
    store->pages.guard = store->config.guard_reads ? store->file : NULL;
    store->table.guard = store->pages.guard;
    vs_page_table_set_high_water(&store->table, store->meta.high_water);
    vs_page_table_set_newest(&store->table, store->meta.root.version, store->meta.generation);
    vs_page_table_set_top(&store->table, store->meta.top);
    atomic_store_explicit(&store->table.file_bytes, identity.size, memory_order_release);
    store->space.high_water = store->meta.high_water;
    if (store->read_only) {
        store->space.file_pages = store->pages.limit; /* replay takes numbers, not space */
    } else {
        vs_store_adopt_file_size(store, identity.size >> store->pages.page_shift);
    }
    return VERSO_OK;
}

static verso_err open_memory_parts(struct vs_store *store)
{
    const struct vs_store_config *config = &store->config;
    size_t page_size = config->page_size == 0 ? VS_PAGE_SIZE_DEFAULT : config->page_size;
    store->in_memory = true;
    store->pages.page_size = page_size;
    store->pages.page_shift = shift_of(page_size);
    verso_err err = vs_store_reserve_in_memory(store);
    store->space.file_pages = store->arena.capacity;
    memset(&store->meta, 0, sizeof store->meta);
    if (err == VERSO_OK) { /* copies of it carry it on */
        err = store->os->random(store->os, store->meta.uuid, sizeof store->meta.uuid);
    }
    store->meta.page_size = (uint32_t)page_size;
    store->meta.clean = true;
    store->meta.retention = config->retention;
    return err;
}

/* What the meta says, where the running store looks for it. */
static verso_err adopt_meta(struct vs_store *store)
{
    const struct vs_meta *meta = &store->meta;
    store->tip = meta->root;
    store->history = (struct vs_history_roots){meta->history, meta->tags};
    store->retained.held_pages = meta->held_pages;
    store->retained.budget_pages = meta->budget_pages;
    store->history_to = meta->root.version;
    atomic_store_explicit(&store->durable, meta->root.version, memory_order_release);
    atomic_store_explicit(&store->generation, meta->generation, memory_order_release);
    atomic_store_explicit(&store->checkpoint_lsn, meta->log_lsn, memory_order_release);
    atomic_store_explicit(&store->checkpoint_version, meta->root.version, memory_order_release);
    store->writer.store = store;
    store->history_writer.store = store;
    store->history_writer.history = true;
    store->retained.policy = meta->retention;
    /* until the history floor knows better (vs_keeping_load()), the metas name every root */
    verso_err err = vs_version_set_add(&store->on_disk, 0, meta->root.version);
    return err == VERSO_OK ? vs_roots_init(&store->roots, &meta->root) : err;
}

static verso_err begin_store(const struct vs_store_config *config, struct vs_store **store)
{
    struct vs_store *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to open a store");
    }
    fresh->config = *config;
    fresh->os = config->os;
    assert(!config->read_only || config->path != NULL);
    fresh->read_only = config->read_only;
    fresh->replaying = true;
    fresh->pages.table = &fresh->table;
    vs_fair_lock_init(&fresh->writer_lock);
    vs_lock_init(&fresh->publish_lock, VS_LOCK_PUBLISH);
    vs_lock_init(&fresh->state_lock, VS_LOCK_STATE);
    verso_err err = vs_retained_init(&fresh->retained, &config->retention);
    if (err != VERSO_OK) {
        vs_store_discard(fresh);
        return err;
    }
    if (config->path != NULL) {
        fresh->path = strdup(config->path);
    }
    fresh->config.path = fresh->path;
    if (config->path != NULL && fresh->path == NULL) {
        vs_store_discard(fresh);
        return vs_fault(VERSO_NOMEM, "no memory to open a store");
    }
    if (config->path != NULL) {
        err = config->os->absolute(config->os, config->path, &fresh->log_path);
    }
    if (err != VERSO_OK) {
        vs_store_discard(fresh);
        return err;
    }
    *store = fresh;
    return VERSO_OK;
}

verso_err vs_store_open(const struct vs_store_config *config,
                        const struct vs_history_calls *history_calls, struct vs_store **store)
{
    struct vs_store *fresh = NULL;
    verso_err err = begin_store(config, &fresh);
    if (err != VERSO_OK) {
        return err;
    }
    fresh->history_calls = history_calls;
    err = vs_checkpointer_init(fresh);
    if (err == VERSO_OK) {
        err = vs_reader_slots_init(&fresh->readers);
    }
    if (err == VERSO_OK && config->path != NULL) {
        err = open_files(fresh);
    }
    if (err == VERSO_OK) {
        err = config->path != NULL ? open_file_parts(fresh) : open_memory_parts(fresh);
    }
    if (err == VERSO_OK) {
        err = adopt_meta(fresh);
    }
    if (err != VERSO_OK) {
        vs_store_discard(fresh);
        return err;
    }
    *store = fresh;
    return VERSO_OK;
}

/* ---- the log's part ---- */

struct vs_log_position vs_store_log_start(const struct vs_store *store)
{
    return (struct vs_log_position){store->meta.epoch, store->meta.log_lsn,
                                    store->meta.log_previous_crc};
}

/* Write the chosen meta over both slots, the other one first: for until that is written, the chosen
 * one may be all there is. Equal slots are written too, since the page cache may hold what the disk
 * never got. */
static verso_err write_meta_over_both(struct vs_store *store)
{
    uint8_t chosen[VS_PART_BYTES];
    uint8_t first[VS_PART_BYTES];
    vs_meta_encode(&store->meta, chosen);
    verso_err err = store->os->read_at(store->file, 0, first, sizeof first);
    uint64_t at = memcmp(first, chosen, sizeof first) == 0 ? VS_META_B_AT : 0;
    for (unsigned i = 0; i < 2 && err == VERSO_OK; i++) {
        err = store->os->write_at(store->file, at, chosen, sizeof chosen);
        if (err == VERSO_OK) {
            err = store->os->sync_data(store->file);
        }
        at = VS_META_B_AT - at;
    }
    return err;
}

verso_err vs_store_will_replay(struct vs_store *store)
{
    assert(!store->in_memory);
    bool sound = store->meta.clean && !store->metas_differ;
    if (!store->read_only && !store->meta.clean &&
        (store->meta.generation >= VS_NUMBER_MAX || store->meta.epoch == UINT64_MAX)) {
        return vs_fault(VERSO_LIMIT, "%s: no number is left for the checkpoint of a recovery",
                        store->path);
    }
    return store->read_only || sound ? VERSO_OK : write_meta_over_both(store);
}

/* Open the log for appending in an epoch behind `epoch`, at or beyond `lsn`. */
static verso_err open_log(struct vs_store *store, uint64_t epoch, uint64_t lsn,
                          struct vs_log_position *start)
{
    if (epoch == UINT64_MAX) {
        return vs_fault(VERSO_LIMIT, "log of %s: no epoch is left", store->path);
    }
    struct vs_log_config config = vs_store_log_config(store);
    config.needed_from_lsn = store->meta.log_lsn; /* both metas say so by now */
    *start = (struct vs_log_position){epoch + 1, lsn, 0};
    struct vs_log *log;
    verso_err err = vs_log_open(&config, start, &log);
    if (err == VERSO_OK) {
        atomic_store_explicit(&store->log, log, memory_order_release);
        atomic_store_explicit(&store->checkpoint_lsn, start->lsn, memory_order_release);
    }
    return err;
}

verso_err vs_store_begin_log(struct vs_store *store)
{
    struct vs_log_position start;
    vs_checkpoint_enter(store);
    verso_err err = write_meta_over_both(store);
    if (err != VERSO_OK) { /* the sync may have dropped pages that were written early, too */
        vs_store_poison(store, err);
    } else {
        err = open_log(store, store->meta.epoch, store->meta.log_lsn, &start);
    }
    if (err == VERSO_OK) {
        struct vs_meta meta = store->meta;
        meta.clean = false;
        meta.epoch = start.epoch;
        meta.log_lsn = start.lsn;
        meta.log_previous_crc = start.previous_crc;
        err = vs_store_write_metas(store, &meta);
        if (err == VERSO_OK) {
            vs_lock_take(&store->roots.lookup_lock);
            store->meta = meta;
            vs_lock_release(&store->roots.lookup_lock);
        } else {
            vs_store_poison(store, err);
        }
    }
    vs_checkpoint_leave(store);
    return err;
}

verso_err vs_store_settle(struct vs_store *store, const struct vs_log_scan *scan)
{
    verso_err err = VERSO_OK;
    bool writes = !store->in_memory && !store->read_only;
    if (writes && (!store->meta.clean || scan->frames > 0)) {
        uint64_t epoch =
            store->meta.epoch > scan->highest_epoch ? store->meta.epoch : scan->highest_epoch;
        uint64_t lsn = scan->end.lsn > scan->highest_lsn ? scan->end.lsn : scan->highest_lsn;
        struct vs_log_position start;
        err = open_log(store, epoch, lsn, &start);
        if (err == VERSO_OK) {
            err = vs_store_checkpoint(store, false);
        }
    }
    if (err == VERSO_OK) {
        vs_fair_lock_take(&store->writer_lock);
        store->replaying = false;
        vs_store_release_writer(store); /* leaves the first figures */
        err = vs_checkpointer_start(store);
    }
    return err;
}

/* ---- closing ---- */

void vs_store_discard(struct vs_store *store)
{
    vs_checkpointer_clear(store);
    if (vs_store_log(store) != NULL) {
        verso_err closed = vs_log_close(vs_store_log(store), false);
        (void)closed; /* nothing is written by a discarded store */
    }
    vs_writer_clear(&store->writer);
    vs_writer_clear(&store->history_writer);
    vs_death_list_clear(&store->deaths.recent);
    vs_death_list_clear(&store->deaths.parked);
    vs_kept_set_clear(&store->kept);
    vs_version_set_clear(&store->on_disk);
    vs_retained_clear(&store->retained);
    vs_roots_clear(&store->roots);
    vs_store_release_address_space(store);
    vs_reader_slots_clear(&store->readers);
    if (store->file != NULL) {
        store->os->close(store->file);
    }
    vs_lock_clear(&store->state_lock);
    vs_lock_clear(&store->publish_lock);
    vs_fair_lock_clear(&store->writer_lock);
    free(store->log_path);
    free(store->path);
    free(store);
}

verso_err vs_store_close(struct vs_store *store)
{
    vs_checkpointer_stop(store);
    verso_err err = vs_checkpoint_within_budget(store, true);
    if (err == VERSO_OK && !store->in_memory) {
        vs_fair_lock_take(&store->writer_lock);
        err = vs_store_cut_file(store, true);
        vs_fair_lock_release(&store->writer_lock);
    }
    if (err == VERSO_OK && vs_store_log(store) != NULL) {
        err = vs_log_close(vs_store_log(store), true);
        atomic_store_explicit(&store->log, NULL, memory_order_release);
    } else if (err == VERSO_OK && store->file != NULL && !store->read_only) {
        struct vs_log_config config = vs_store_log_config(store); /* what a crash in a close left */
        err = vs_log_remove(&config);
    }
    vs_store_discard(store);
    return err;
}
