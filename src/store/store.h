/*
 * store.h - an open store: what its parts share, and the calls that the floors above drive it with.
 *
 * The order of locks stands in os/lock_order.c; what each guards, in docs/architecture.md. A view is
 * opened, read and closed with none of them, but for the lookup of an older root (retained.lock,
 * then lookup_lock with recent_lock).
 */
#ifndef VERSO_STORE_STORE_H
#define VERSO_STORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/meta.h"
#include "os/lock.h"
#include "os/os.h"
#include "store/address_space.h"
#include "store/arena.h"
#include "store/deaths.h"
#include "store/fair_lock.h"
#include "store/kept_set.h"
#include "store/log.h"
#include "store/page_table.h"
#include "store/page_writer.h"
#include "store/page_writer_state.h"
#include "store/pages.h"
#include "store/reader_slots.h"
#include "store/retained.h"
#include "store/roots.h"
#include "store/space.h"

/** How to open; every field set. */
struct vs_store_config {
    const struct vs_os *os;
    const char *path; /* NULL: in memory */
    bool create;
    bool read_only;
    uint32_t page_size;        /* 0: that of the store, or the default for a new one */
    verso_retention retention; /* new stores */
    verso_durability durability;
    uint32_t interval_ms;
    uint64_t arena_bytes;
    uint64_t log_bytes;
    bool guard_reads;
    bool salvaging; /* read-only: a file that was cut short is opened, too */
};

struct vs_store;

/** The trees on the generations' clock. */
struct vs_history_roots {
    struct vs_tree_root roots; /* every root in a checkpoint that is retained, by its id */
    struct vs_tree_root tags;  /* the tags by name; under the empty name, the retained set */
};

/** What the history floor does for the store floor, which knows no trees. */
struct vs_history_calls {
    /** Enter the recent roots (from, to] that are retained, and `to` itself as a checkpoint's, into
     *  the history tree, remove those dropped since the last time from it, and bring the tags' tree
     *  up to date, through a writer on the generations' clock. Writer lock. */
    verso_err (*enter)(struct vs_store *store, struct vs_page_writer *writer, uint64_t from,
                       uint64_t to, struct vs_history_roots *roots);
    /** Drop roots until history holds no more than the policy's budget. No lock held; does little
     *  where nothing is due. */
    verso_err (*enforce_budget)(struct vs_store *store);
};

/** Figures that anybody may read at any time: relaxed, for nothing is concluded from them. */
struct vs_store_counts {
    _Atomic uint64_t checkpoints;
    _Atomic uint64_t relief_copies;
    /* the writer's, as they were when it last gave up its lock */
    _Atomic uint64_t tip;
    _Atomic uint64_t keys;
    _Atomic uint64_t depth;
    _Atomic uint64_t high_water;
    _Atomic uint64_t free_pages;
    _Atomic uint64_t file_pages;
};

struct vs_checkpointer; /* checkpointer.c: the background thread and what it is asked */

struct vs_store {
    /* constant after open */
    struct vs_store_config config; /* path is the store's own copy */
    const struct vs_os *os;
    char *path;
    char *log_path; /* the same, but absolute: the log makes files as long as the store is open */
    struct vs_file *file; /* NULL in memory */
    bool in_memory;
    bool read_only;
    bool tables_stand;    /* page table and what belongs to it were set up */
    bool meta_damaged;    /* one of the metas was unreadable at open */
    bool keeping_damaged; /* tags and kept roots were unreadable at open; read-only handles */
    bool metas_differ;    /* at open: the last checkpoint or its second meta did not finish */
    uint64_t arena_limit; /* frames */
    const struct vs_history_calls *history_calls;

    /* parts; each header says who may touch what */
    struct vs_pages pages;
    struct vs_page_table table;
    struct vs_arena arena;
    struct vs_reader_slots readers;
    struct vs_roots roots;
    _Atomic(struct vs_log *) log; /* vs_store_log() */

    /* guarded by the writer lock */
    struct vs_fair_lock writer_lock;
    struct vs_mapping mapping; /* address_space.h */
    struct vs_space space;
    struct vs_deaths deaths;
    struct vs_retained retained;          /* parts of it by others, see there */
    struct vs_kept_set kept;              /* the last snapshot */
    uint64_t kept_at;                     /* tip when it was taken */
    struct vs_page_writer writer;         /* the running transaction's */
    struct vs_page_writer history_writer; /* for the history tree, one generation ahead */
    struct vs_history_roots history;      /* as the coming generation will have them */
    uint64_t history_to;                  /* roots up to this one are in it */
    struct vs_root_record tip;            /* newest commit; its note is not kept here */
    uint64_t tip_lsn;                     /* end of its frame in the log */
    uint64_t commits_since_judging;
    bool file_grew;       /* the next data sync has to be a full one */
    bool may_use_reserve; /* the running transaction gives space back: it deletes */
    bool replaying;       /* from open until vs_store_settle() */

    _Atomic uint64_t durable;            /* newest durable version; raised by leaders of a sync */
    _Atomic uint64_t checkpoint_lsn;     /* vs_store_checkpoint_lsn(); written by checkpoints */
    _Atomic uint64_t checkpoint_version; /* of the newest checkpoint; vs_store_recent_roots() */
    _Atomic bool poisoned;               /* vs_store_is_poisoned(); set once, by anybody */
    struct vs_lock publish_lock;

    struct vs_lock state_lock;
    struct vs_version_set on_disk;       /* roots that the metas name; guarded by state_lock */
    const struct vs_version_set *frozen; /* of the checkpoint under way, or NULL; same */
    uint64_t checkpoint_stamp;           /* counts changes of these two; same */
    struct vs_meta meta;          /* as on disk: written by the checkpoint under lookup_lock */
    _Atomic uint64_t generation;  /* vs_store_generation(); written with lookup_lock */
    _Atomic bool checkpoint_done; /* since the last judging: dead pages may be free now. Relaxed: a
                                     hint; what has changed is read with state_lock */
    struct vs_checkpointer *checkpointer;
    struct vs_store_counts counts;
};

/* ---- what is read without a lock ---- */

/** The log; NULL: in memory, read-only, or nothing written since open. */
static inline struct vs_log *vs_store_log(const struct vs_store *store)
{
    /* acquire: pairs with the release in vs_store_begin_log(); without it a waiter might use the log
     * before it is set up */
    return atomic_load_explicit(&store->log, memory_order_acquire);
}

/** Where the log begins that no checkpoint has taken in. The log's end, read after it, is not below
 *  it. */
static inline uint64_t vs_store_checkpoint_lsn(const struct vs_store *store)
{
    /* acquire: pairs with the checkpoint's release; without it the end might be one of before */
    return atomic_load_explicit(&store->checkpoint_lsn, memory_order_acquire);
}

/** Roots since the newest checkpoint. */
static inline uint64_t vs_store_recent_roots(const struct vs_store *store)
{
    /* acquire: as above; the newest checkpoint's root was there before the checkpoint was */
    uint64_t from = atomic_load_explicit(&store->checkpoint_version, memory_order_acquire);
    return atomic_load_explicit(&store->roots.end, memory_order_relaxed) - from;
}

/** Are writes refused, because a sync has failed? */
static inline bool vs_store_is_poisoned(const struct vs_store *store)
{
    /* acquire: pairs with the release in vs_store_poison(). Whoever misses it is stopped by the log,
     * which is poisoned under its own lock */
    return atomic_load_explicit(&store->poisoned, memory_order_acquire);
}

/** Generation of the metas on disk. */
static inline uint64_t vs_store_generation(const struct vs_store *store)
{
    /* relaxed: lookups hold the lookup_lock, under which it is raised; to the judge a former one only
     * means that more is kept */
    return atomic_load_explicit(&store->generation, memory_order_relaxed);
}

/* ---- life (store_open.c, store_create.c) ---- */

/**
 * Open the files, take the lock, choose the meta; or make an in-memory store. The caller then
 * proves that the log can be read, calls vs_store_will_replay(), replays it, and calls
 * vs_store_settle(); nobody else sees the store before. Errors as of verso_open(); nothing on disk
 * was changed, but that a new store was created.
 */
verso_err vs_store_open(const struct vs_store_config *config,
                        const struct vs_history_calls *history_calls, struct vs_store **store);

/** Where the log goes on from the metas. */
struct vs_log_position vs_store_log_start(const struct vs_store *store);

/** The log is readable: bring both metas to the same state before anything is written. Not in
 *  memory. */
verso_err vs_store_will_replay(struct vs_store *store);

/** After replay (`scan` filled by vs_log_read()): a checkpoint of its own in a fresh epoch where
 *  anything was replayed, the background thread. Read-only: nothing is written. */
verso_err vs_store_settle(struct vs_store *store, const struct vs_log_scan *scan);

/** Close, with a last checkpoint and a clean meta where anything was written. Frees the store. */
verso_err vs_store_close(struct vs_store *store);

/** Free without another write: after a failure, and what a crash leaves in tests. */
void vs_store_discard(struct vs_store *store);

/** Before the first frame since a clean open: open the log, and let the metas say that it is
 *  needed. Writer lock. */
verso_err vs_store_begin_log(struct vs_store *store);

/** The log configuration of this store, for reading it at open. */
struct vs_log_config vs_store_log_config(struct vs_store *store);

/* ---- transactions (commit.c) ---- */

/** Take the writer lock and begin. VERSO_READ_ONLY, VERSO_POISONED, VERSO_NOMEM. */
verso_err vs_store_begin(struct vs_store *store, struct vs_page_writer **writer);

/**
 * The same for a root whose id is given, above the tip: an increment brings it along. No root will
 * have the ids between. If it is committed through the log, its operations begin with
 * VS_OPERATION_DROP_ROOTS of them. VERSO_MISMATCH: the id is not above the tip.
 */
verso_err vs_store_begin_at(struct vs_store *store, uint64_t version,
                            struct vs_page_writer **writer);

/** What a commit leaves behind. */
struct vs_commit {
    struct vs_tree_root tree;
    struct vs_tree_root catalogue;
    uint64_t fingerprint;
    int64_t time_us;
    verso_slice note;
    verso_slice operations; /* for the log */
    bool bypass_log;        /* too long for the log: commit by a checkpoint */
    bool replaying;         /* from the log: write nothing to it */
    /* roots that go with it, if it comes about (or is tried by a checkpoint); they ascend */
    const struct vs_version_range *drops;
    unsigned drop_count;
    uint32_t *pin; /* not NULL: pin the new version, receives the slot */
};

/** Commit and release the writer lock, whatever is returned. *end_lsn: what to wait for; 0 if
 *  nothing. On failure the transaction was aborted. */
verso_err vs_store_commit(struct vs_store *store, const struct vs_commit *commit, uint64_t *version,
                          uint64_t *end_lsn);

/** Views open `version` from now on, if it is newer than what they open. Any thread. */
void vs_store_publish(struct vs_store *store, uint64_t version);

/** Release the writer lock, leaving the writer's figures for verso_stat(). */
void vs_store_release_writer(struct vs_store *store);

/** Undo and release the writer lock. */
void vs_store_abort(struct vs_store *store);

/**
 * Begin a change of what is kept, which makes no root: policy, tags, dropped roots. Takes the writer
 * lock, after waiting for room as vs_store_begin() does. VERSO_READ_ONLY, VERSO_POISONED.
 */
verso_err vs_store_begin_setting(struct vs_store *store);

/** The same without waiting for room: for the background thread, which makes it. */
verso_err vs_store_begin_setting_now(struct vs_store *store);

/** Log it, before it is done in memory. *end_lsn: what to wait for; 0 if nothing. Errors as of
 *  vs_log_append(). */
verso_err vs_store_log_setting(struct vs_store *store, verso_slice operations, uint64_t *end_lsn);

/** Release the writer lock. Is a checkpoint due? */
void vs_store_end_setting(struct vs_store *store);

/** Wait for durability of a commit as `durability` asks. VERSO_UNKNOWN. */
verso_err vs_store_wait(struct vs_store *store, uint64_t end_lsn, verso_durability durability);

/** Make everything committed durable and publish it. */
verso_err vs_store_sync(struct vs_store *store);

/* ---- reclaiming (reclaim.c) ---- */

/** Take a new snapshot of kept versions. Writer lock. */
verso_err vs_store_refresh_kept(struct vs_store *store);

/** Judge the queued deaths; free pages go back to space and arena. Writer lock. */
verso_err vs_store_judge(struct vs_store *store, bool parked_too);

/** The same with a slice of the parked ones, from where the last one ended. *over: it was the round's
 *  last. */
verso_err vs_store_judge_on(struct vs_store *store, bool *over);

/** The same with those of the parked ones that have frames: at a freeze, which would write them. */
verso_err vs_store_judge_frames(struct vs_store *store);

/** An upper bound of the pages that history holds: those found kept, and the deaths not judged. */
uint64_t vs_store_held_pages(const struct vs_store *store);

/** Make at least `pages` known free pages, beside those held back: by judging, sweeping, or growing
 *  the file. Writer lock. */
verso_err vs_store_make_space(struct vs_store *store, uint64_t pages);

/* ---- the file's length (file_size.c): all with the writer lock ---- */

/** Grow the file to at least `pages` usable pages, with real blocks. VERSO_NOSPC, VERSO_LIMIT. */
verso_err vs_store_grow(struct vs_store *store, uint64_t pages);

/** Pages that the running transaction may use without growing the file: the reserve counts for
 *  those that give space back. */
uint64_t vs_store_usable_pages(const struct vs_store *store);

/** Free pages that the running transaction must leave, since they stand for a used reserve. */
uint64_t vs_store_held_back(const struct vs_store *store);

/** At open: the file has `pages` pages; set some of the unused ones aside as the reserve. */
void vs_store_adopt_file_size(struct vs_store *store, uint64_t pages);

/** Within a checkpoint's freeze: lower the high-water mark over a free tail of a whole growth step.
 *  @return The first table block of the tail, forgotten with those after it; UINT32_MAX: none. */
uint32_t vs_store_drop_tail(struct vs_store *store);

/**
 * Is the file still there, as long as it was left? Else what is written into it will not be found:
 * the store is poisoned. Holder of the writer lock.
 *
 * @retval VERSO_IO  It was deleted, replaced or cut, or cannot be looked at.
 */
verso_err vs_store_look_at_file(struct vs_store *store);

/** Cut the file behind what metas and space use, where that is worth a growth step; `closing`: all
 *  that was only allocated ahead. No checkpoint is under way, or it is the caller's and not frozen
 *  yet. */
verso_err vs_store_cut_file(struct vs_store *store, bool closing);

/* ---- checkpoint (checkpoint.c; the metas: checkpoint_write.c) ---- */

/** Write a checkpoint of everything committed, if there is anything. Any thread without the writer
 *  lock. `clean`: the last one before closing. A failure after its freeze poisons the store. */
verso_err vs_store_checkpoint(struct vs_store *store, bool clean);

/** vs_store_checkpoint() after dropping what history holds beyond its budget. */
verso_err vs_checkpoint_within_budget(struct vs_store *store, bool clean);

/** What a checkpoint does in a store in memory: recent roots go to the history tree. Takes the
 *  writer lock. */
verso_err vs_store_settle_memory(struct vs_store *store);

/** Commit the running transaction as `record` by a checkpoint instead of the log: it becomes the
 *  tip when the metas name it. Writer lock. */
verso_err vs_store_commit_by_checkpoint(struct vs_store *store,
                                        const struct vs_root_record *record);

/** Write the metas, one slot after the other, a sync after each. */
verso_err vs_store_write_metas(struct vs_store *store, const struct vs_meta *meta);

/** Begin the background thread (checkpoints, interval syncs), if the system has threads. */
verso_err vs_checkpointer_start(struct vs_store *store);
void vs_checkpointer_stop(struct vs_store *store);
/** After a commit: is a checkpoint due? */
void vs_checkpointer_nudge(struct vs_store *store);
/** Somebody committed asynchronously: sync the log soon. */
void vs_checkpointer_sync_soon(struct vs_store *store);
/** Before a transaction: wait while log or arena are at their hard limits. */
verso_err vs_checkpointer_wait_for_room(struct vs_store *store);

/** Refuse all writes from now on: a sync failed. Returns `err`. */
verso_err vs_store_poison(struct vs_store *store, verso_err err);

/** Bytes of log that asynchronous commits may leave unwritten before they write themselves. */
enum { VS_LOG_PENDING_MAX = 4 * 1024 * 1024 };

#endif
