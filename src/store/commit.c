/*
 * commit.c - begin, commit and abort: the write transaction as the store sees it.
 */
#include <assert.h>
#include <string.h>

#include "os/fault.h"
#include "os/turns.h"
#include "store/store.h"

enum { JUDGE_EVERY = 64 }; /* commits */

/* ---- publishing ---- */

void vs_store_publish(struct vs_store *store, uint64_t version)
{
    vs_lock_take(&store->publish_lock);
    vs_roots_publish(&store->roots, version);
    vs_lock_release(&store->publish_lock);
}

/* One thread at a time leads a sync; and a commit by a checkpoint, which stores the word too, has
 * waited until all that was appended is durable and holds the writer lock, so no leader has news. */
static void raise_durable(struct vs_store *store, uint64_t version)
{
    vs_turn(VS_POINT_RAISE_DURABLE);
    if (atomic_load_explicit(&store->durable, memory_order_relaxed) < version) {
        /* release: pairs with those who conclude from it that a root is durable; for publishing the
         * publish lock orders it, see below */
        atomic_store_explicit(&store->durable, version, memory_order_release);
    }
}

/* Called by whoever led a sync of the log. */
static void log_is_durable(void *argument, uint64_t lsn, uint64_t version)
{
    (void)lsn;
    struct vs_store *store = argument;
    raise_durable(store, version);
    vs_lock_take(&store->publish_lock);
    /* acquire: pairs with the release in vs_roots_append(), whose record is read next */
    uint64_t end = atomic_load_explicit(&store->roots.end, memory_order_acquire);
    vs_roots_publish(&store->roots, version < end ? version : end - 1);
    vs_lock_release(&store->publish_lock);
}

/* A sync led by another thread may take in a frame before its commit has become the tip. Whoever of
 * the two comes second to the publish lock publishes it: the leader raises `durable` before it
 * looks at the roots, the committer appends the root before it looks at `durable`. */
static void publish_if_durable(struct vs_store *store, uint64_t version)
{
    vs_lock_take(&store->publish_lock);
    if (atomic_load_explicit(&store->durable, memory_order_acquire) >= version) {
        vs_roots_publish(&store->roots, version);
    }
    vs_lock_release(&store->publish_lock);
}

struct vs_log_config vs_store_log_config(struct vs_store *store)
{
    struct vs_log_config config = {
        .os = store->os,
        .path = store->log_path,
        .segment_size = store->pages.page_size < VS_PAGE_SIZE_DEFAULT ? 64 * 1024 : 4096 * 1024,
        .durable = log_is_durable,
        .argument = store,
    };
    memcpy(config.uuid, store->meta.uuid, sizeof config.uuid);
    return config;
}

verso_err vs_store_poison(struct vs_store *store, verso_err err)
{
    atomic_store_explicit(&store->poisoned, true, memory_order_release);
    vs_pages_distrust(&store->pages);
    if (vs_store_log(store) != NULL) {
        vs_log_poison(vs_store_log(store));
    }
    return err;
}

/* ---- begin ---- */

static bool is_poisoned(const struct vs_store *store)
{
    const struct vs_log *log = vs_store_log(store);
    return vs_store_is_poisoned(store) || (log != NULL && vs_log_is_poisoned(log));
}

static verso_err may_write(const struct vs_store *store)
{
    if (store->read_only && !store->replaying) {
        return vs_fault(VERSO_READ_ONLY, "the store is open for reading only");
    }
    if (is_poisoned(store)) {
        return vs_fault(VERSO_POISONED,
                        "a sync failed before: writes are refused until the store is opened anew");
    }
    if (vs_store_generation(store) >= VS_NUMBER_MAX && !store->replaying) {
        return vs_fault(VERSO_LIMIT, "all numbers of checkpoints are used up");
    }
    return VERSO_OK;
}

static verso_err begin_locked(struct vs_store *store, uint64_t version)
{
    verso_err err = vs_reader_pin(&store->readers, store->tip.version, &store->writer.pin);
    if (err == VERSO_OK) {
        vs_writer_begin(&store->writer, version == 0 ? store->tip.version + 1 : version);
        store->may_use_reserve = false;
    }
    return err;
}

verso_err vs_store_begin(struct vs_store *store, struct vs_page_writer **writer)
{
    return vs_store_begin_at(store, 0, writer);
}

verso_err vs_store_begin_at(struct vs_store *store, uint64_t version,
                            struct vs_page_writer **writer)
{
    verso_err err = may_write(store);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_checkpointer_wait_for_room(store);
    if (err != VERSO_OK) {
        return err;
    }
    vs_fair_lock_take(&store->writer_lock);
    err = may_write(store); /* it may have changed while we waited */
    if (err == VERSO_OK && (store->tip.version >= VS_NUMBER_MAX || version > VS_NUMBER_MAX)) {
        err = vs_fault(VERSO_LIMIT, "all root ids are used up");
    }
    if (err == VERSO_OK && version != 0 && version <= store->tip.version) {
        err = vs_fault(VERSO_MISMATCH, "root %llu was committed meanwhile",
                       (unsigned long long)store->tip.version);
    }
    if (err == VERSO_OK) {
        err = begin_locked(store, version);
    }
    if (err != VERSO_OK) {
        vs_fair_lock_release(&store->writer_lock);
        return err;
    }
    *writer = &store->writer;
    return VERSO_OK;
}

static void note(_Atomic uint64_t *figure, uint64_t value)
{
    /* relaxed: figures only */
    atomic_store_explicit(figure, value, memory_order_relaxed);
}

void vs_store_release_writer(struct vs_store *store)
{
    struct vs_store_counts *counts = &store->counts;
    note(&counts->tip, store->tip.version);
    note(&counts->keys, store->tip.tree.keys);
    note(&counts->depth, store->tip.tree.depth);
    note(&counts->high_water, store->space.high_water);
    note(&counts->free_pages, store->space.free_count);
    note(&counts->file_pages, store->space.file_pages + store->space.reserve_pages);
    vs_fair_lock_release(&store->writer_lock);
}

void vs_store_abort(struct vs_store *store)
{
    vs_writer_abort(&store->writer);
    vs_reader_unpin(&store->readers, store->writer.pin);
    vs_store_release_writer(store);
}

/* ---- commit ---- */

/* Before the first frame since open: a clean meta must not outlive the log's first use. */
static verso_err have_log(struct vs_store *store)
{
    assert(!store->read_only);
    if (vs_store_log(store) != NULL || store->in_memory) {
        return VERSO_OK;
    }
    return vs_store_begin_log(store);
}

static verso_err append_frame(struct vs_store *store, const struct vs_root_record *record,
                              const struct vs_commit *commit, uint64_t *end_lsn)
{
    verso_err err = have_log(store);
    if (err != VERSO_OK || vs_store_log(store) == NULL) {
        return err;
    }
    struct vs_log_record frame = {
        .version = record->version,
        .time_us = record->time_us,
        .fingerprint = record->fingerprint,
        .note = record->note,
        .operations = commit->operations,
        .use_reserve = store->may_use_reserve,
    };
    return vs_log_append(vs_store_log(store), &frame, end_lsn);
}

/* From here on the version is the tip; nothing below can fail. */
static void become_tip(struct vs_store *store, const struct vs_root_record *record)
{
    vs_turn(VS_POINT_BECOME_TIP);
    vs_roots_append(&store->roots, record);
    store->tip = *record;
    store->tip.note = (verso_slice){NULL, 0};
}

static bool is_published_at_once(const struct vs_store *store, const struct vs_commit *commit)
{
    assert(!commit->replaying || vs_store_log(store) == NULL);
    (void)commit; /* unused where assertions are compiled out */
    return vs_store_log(store) == NULL || store->config.durability != VERSO_DURABILITY_SYNC;
}

static verso_err judge_now_and_then(struct vs_store *store)
{
    if (++store->commits_since_judging < JUDGE_EVERY) {
        return VERSO_OK;
    }
    store->commits_since_judging = 0;
    return vs_store_judge(store, false);
}

/* Ids between the tip and the version: no root will have them. In replay the frame has said so. */
static bool skips_ids(const struct vs_store *store, const struct vs_commit *commit)
{
    return !commit->replaying && store->writer.version > store->tip.version + 1;
}

static verso_err skip_ids(struct vs_store *store, const struct vs_commit *commit)
{
    return skips_ids(store, commit) ? vs_retained_skip(&store->retained, store->tip.version + 1,
                                                       store->writer.version - 1)
                                    : VERSO_OK;
}

static void unskip_ids(struct vs_store *store, const struct vs_commit *commit)
{
    if (skips_ids(store, commit)) {
        vs_retained_unskip(&store->retained, store->tip.version + 1, store->writer.version - 1);
        store->kept.known = false; /* a freeze may have told the judge, who does not unlearn */
    }
}

/* Room for all that a commit leaves behind: nothing may fail once the frame is appended. */
static verso_err reserve_for(struct vs_store *store, const struct vs_commit *commit,
                             const struct vs_root_record *record)
{
    verso_err err = vs_roots_reserve(&store->roots, record->version, record->note.size);
    if (err == VERSO_OK) {
        err = vs_death_list_reserve(&store->deaths.recent, store->writer.deaths.count);
    }
    return err == VERSO_OK ? vs_retained_reserve(&store->retained, commit->drop_count) : err;
}

/* Room was reserved. */
static void drop_roots(struct vs_store *store, const struct vs_commit *commit)
{
    verso_err err = vs_retained_drop(&store->retained, commit->drops, commit->drop_count);
    assert(err == VERSO_OK);
    (void)err;
}

static verso_err write_down(struct vs_store *store, const struct vs_commit *commit,
                            const struct vs_root_record *record, uint64_t *end_lsn)
{
    verso_err err = VERSO_OK;
    if (!commit->bypass_log) {
        err = commit->replaying ? VERSO_OK : append_frame(store, record, commit, end_lsn);
        if (err == VERSO_OK) {
            drop_roots(store, commit);
        }
        return err;
    }
    err = have_log(store); /* also makes both metas equal before the first write */
    if (err != VERSO_OK) {
        return err;
    }
    /* first, for the metas are not to name them: such a transaction may be as large as the store.
     * They are gone even if it fails; what a judge has freed does not come back. */
    drop_roots(store, commit);
    return vs_store_commit_by_checkpoint(store, record);
}

verso_err vs_store_commit(struct vs_store *store, const struct vs_commit *commit, uint64_t *version,
                          uint64_t *end_lsn)
{
    struct vs_root_record record = {
        .version = store->writer.version,
        .tree = commit->tree,
        .catalogue = commit->catalogue,
        .fingerprint = commit->fingerprint,
        .time_us = commit->time_us,
        .note = commit->note,
    };
    vs_savepoint_forget_all(&store->writer); /* whatever comes of it, nothing is rolled back */
    *end_lsn = 0;
    uint32_t *pin = commit->pin;
    verso_err err = VERSO_OK;
    if (pin != NULL) { /* first, for nothing may fail once the frame is appended */
        err = vs_reader_pin(&store->readers, record.version, pin);
        pin = err == VERSO_OK ? pin : NULL;
    }
    bool skipped = false;
    if (err == VERSO_OK) {
        err = skip_ids(store, commit);
        skipped = err == VERSO_OK;
    }
    if (err == VERSO_OK) {
        err = reserve_for(store, commit, &record);
    }
    if (err == VERSO_OK) {
        err = write_down(store, commit, &record, end_lsn);
    }
    if (err != VERSO_OK) {
        if (skipped) {
            unskip_ids(store, commit);
        }
        if (pin != NULL) {
            vs_reader_unpin(&store->readers, *pin);
        }
        vs_store_abort(store);
        return err;
    }
    vs_writer_commit(&store->writer, &store->deaths.recent);
    if (!commit->bypass_log) {
        become_tip(store, &record);
        store->tip_lsn = *end_lsn;
    }
    *version = record.version;
    if (is_published_at_once(store, commit) || commit->bypass_log) {
        vs_store_publish(store, record.version);
    } else {
        publish_if_durable(store, record.version);
    }
    vs_turn(VS_POINT_UNPIN_WRITER);
    vs_reader_unpin(&store->readers, store->writer.pin);
    verso_err judged = judge_now_and_then(store);
    vs_store_release_writer(store);
    vs_checkpointer_nudge(store);
    /* a damaged table block met by the judge concerns no commit: the page just stays taken */
    (void)judged;
    return VERSO_OK;
}

/* ---- settings ---- */

verso_err vs_store_begin_setting(struct vs_store *store)
{
    verso_err err = vs_checkpointer_wait_for_room(store);
    return err == VERSO_OK ? vs_store_begin_setting_now(store) : err;
}

verso_err vs_store_begin_setting_now(struct vs_store *store)
{
    vs_fair_lock_take(&store->writer_lock);
    verso_err err = may_write(store);
    if (err != VERSO_OK) {
        vs_fair_lock_release(&store->writer_lock);
    }
    return err;
}

verso_err vs_store_log_setting(struct vs_store *store, verso_slice operations, uint64_t *end_lsn)
{
    *end_lsn = 0;
    verso_err err = have_log(store);
    if (err != VERSO_OK || vs_store_log(store) == NULL) {
        return err;
    }
    struct vs_log_record frame = {
        .setting = true,
        .version = store->tip.version,
        .time_us = store->tip.time_us,
        .fingerprint = store->tip.fingerprint,
        .operations = operations,
        .use_reserve = true, /* it may give space back */
    };
    return vs_log_append(vs_store_log(store), &frame, end_lsn);
}

void vs_store_end_setting(struct vs_store *store)
{
    vs_store_release_writer(store);
    vs_checkpointer_nudge(store);
}

verso_err vs_store_wait(struct vs_store *store, uint64_t end_lsn, verso_durability durability)
{
    if (vs_store_log(store) == NULL || end_lsn == 0) {
        return VERSO_OK;
    }
    switch (durability) {
    case VERSO_DURABILITY_DEFAULT:
    case VERSO_DURABILITY_SYNC:
        return vs_log_wait(vs_store_log(store), end_lsn, VS_LOG_DURABLE);
    case VERSO_DURABILITY_WRITTEN:
        return vs_log_wait(vs_store_log(store), end_lsn, VS_LOG_WRITTEN);
    case VERSO_DURABILITY_INTERVAL:
    default:
        break;
    }
    /* buffered; but a committer that runs far ahead of the background writes for itself */
    return vs_log_pending(vs_store_log(store)) > VS_LOG_PENDING_MAX
               ? vs_log_wait(vs_store_log(store), end_lsn, VS_LOG_WRITTEN)
               : VERSO_OK;
}

verso_err vs_store_sync(struct vs_store *store)
{
    if (vs_store_is_poisoned(store)) {
        return vs_fault(VERSO_POISONED, "a sync failed before");
    }
    return vs_store_log(store) == NULL ? VERSO_OK
                                       : vs_log_flush(vs_store_log(store), VS_LOG_DURABLE);
}
