/*
 * checkpointer.c - when checkpoints and background syncs happen: a thread a store for each, or,
 * where the system has no threads of ours, the committing thread itself.
 *
 * Two threads, since a checkpoint may take seconds: what was promised to be durable within an
 * interval, or soon, does not wait for it.
 */
#include <stdlib.h>

#include "os/fault.h"
#include "os/thread.h"
#include "store/checkpoint.h"
#include "store/store.h"

enum {
    IDLE_MS = 1000, /* the witness of the last batch, and the age of checkpoints */
    CHECKPOINT_AGE_MS = 60000,
    RECENT_ROOTS_MAX = 512 * 1024, /* some 50 MiB */
    MEMORY_ROOTS_MAX = 64 * 1024,  /* in memory, where settling them costs little */
};

struct vs_checkpointer {
    struct vs_lock lock;           /* checkpoint_lock */
    struct vs_condition work;      /* a checkpoint is due */
    struct vs_condition sync_work; /* so is a sync */
    struct vs_condition done;      /* a checkpoint ended */
    bool under_way;                /* guarded by lock, as are the next ones */
    bool due;
    bool sync_soon;
    bool stop;
    int64_t last_us;  /* when the background's last checkpoint ended, by the monotonic clock */
    verso_err failed; /* its outcome */
    bool running;     /* the threads exist; constant between start and stop */
    struct vs_thread thread;
    struct vs_thread sync_thread;
};

/* ---- one at a time ---- */

void vs_checkpoint_wait(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    vs_lock_order_check(VS_LOCK_CHECKPOINT);
    vs_lock_take(&checkpointer->lock);
    while (checkpointer->under_way) {
        vs_condition_wait(&checkpointer->done, &checkpointer->lock);
    }
    vs_lock_release(&checkpointer->lock);
}

void vs_checkpoint_enter(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    vs_lock_order_check(VS_LOCK_CHECKPOINT);
    vs_lock_take(&checkpointer->lock);
    while (checkpointer->under_way) {
        vs_condition_wait(&checkpointer->done, &checkpointer->lock);
    }
    checkpointer->under_way = true;
    vs_lock_release(&checkpointer->lock);
    vs_lock_order_enter(VS_LOCK_CHECKPOINT);
}

void vs_checkpoint_leave(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    vs_lock_order_leave(VS_LOCK_CHECKPOINT);
    vs_lock_take(&checkpointer->lock);
    checkpointer->under_way = false;
    checkpointer->due = false;
    vs_condition_wake_all(&checkpointer->done);
    vs_lock_release(&checkpointer->lock);
}

/* ---- limits ---- */

/* Have log, arena or the roots in memory passed their limits? A checkpoint is due at the soft ones;
 * writers wait at the hard ones. Late checkpoints are cheap ones: a page changed many times between
 * two of them is written once. */
static bool exceeds(struct vs_store *store, bool hard)
{
    uint64_t busy = atomic_load_explicit(&store->arena.busy, memory_order_relaxed); /* a figure */
    uint64_t begun = vs_store_checkpoint_lsn(store); /* before the end, which only grows */
    struct vs_log *of_store = vs_store_log(store);
    uint64_t log = of_store == NULL ? 0 : vs_log_end_lsn(of_store) - begun;
    uint64_t roots = vs_store_recent_roots(store);
    uint64_t limit = store->arena_limit;
    if (hard) {
        return busy >= limit || log >= 2 * store->config.log_bytes || roots >= 2 * RECENT_ROOTS_MAX;
    }
    return busy >= limit - limit / 4 || log >= store->config.log_bytes || roots >= RECENT_ROOTS_MAX;
}

static void ask(struct vs_store *store, bool *flag, struct vs_condition *work)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    vs_lock_take(&checkpointer->lock);
    if (!*flag) {
        *flag = true;
        vs_condition_wake_one(work);
    }
    vs_lock_release(&checkpointer->lock);
}

void vs_checkpointer_nudge(struct vs_store *store)
{
    if (store->checkpointer->running && exceeds(store, false)) {
        ask(store, &store->checkpointer->due, &store->checkpointer->work);
    }
}

void vs_checkpointer_sync_soon(struct vs_store *store)
{
    if (store->checkpointer->running) {
        ask(store, &store->checkpointer->sync_soon, &store->checkpointer->sync_work);
    }
}

verso_err vs_checkpoint_within_budget(struct vs_store *store, bool clean)
{
    if (!store->read_only && !vs_store_is_poisoned(store)) {
        verso_err err = store->history_calls->enforce_budget(store);
        (void)err; /* what it could not drop now goes at another time */
    }
    return vs_store_checkpoint(store, clean);
}

/* In memory there is nothing to write, but roots that gather leave the list all the same. */
static verso_err settle_in_memory(struct vs_store *store)
{
    if (vs_store_recent_roots(store) < MEMORY_ROOTS_MAX) {
        return VERSO_OK;
    }
    verso_err err = store->history_calls->enforce_budget(store);
    (void)err; /* as above */
    return vs_store_settle_memory(store);
}

verso_err vs_checkpointer_wait_for_room(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    if (store->replaying) {
        return VERSO_OK;
    }
    if (store->in_memory) {
        return settle_in_memory(store);
    }
    if (!checkpointer->running) {
        return exceeds(store, false) ? vs_checkpoint_within_budget(store, false) : VERSO_OK;
    }
    if (!exceeds(store, true)) {
        return VERSO_OK;
    }
    vs_lock_take(&checkpointer->lock);
    checkpointer->failed = VERSO_OK;
    while (exceeds(store, true) && checkpointer->failed == VERSO_OK) { /* poisoned: so it fails */
        checkpointer->due = true;
        vs_condition_wake_one(&checkpointer->work);
        vs_condition_wait(&checkpointer->done, &checkpointer->lock);
    }
    verso_err err = checkpointer->failed;
    vs_lock_release(&checkpointer->lock);
    return err == VERSO_OK ? err : vs_fault(err, "log and arena are full, and a checkpoint failed");
}

/* ---- the threads ---- */

static void background_checkpoint(struct vs_store *store)
{
    verso_err err = vs_checkpoint_within_budget(store, false);
    struct vs_checkpointer *checkpointer = store->checkpointer;
    vs_lock_take(&checkpointer->lock);
    checkpointer->failed = err;
    checkpointer->due = false;
    checkpointer->last_us = store->os->monotonic_us(store->os);
    vs_condition_wake_all(&checkpointer->done);
    vs_lock_release(&checkpointer->lock);
}

static void *make_checkpoints(void *argument)
{
    struct vs_store *store = argument;
    struct vs_checkpointer *checkpointer = store->checkpointer;
    vs_lock_take(&checkpointer->lock);
    while (!checkpointer->stop) {
        if (!checkpointer->due) {
            vs_condition_wait(&checkpointer->work, &checkpointer->lock);
            continue;
        }
        vs_lock_release(&checkpointer->lock);
        background_checkpoint(store);
        vs_lock_take(&checkpointer->lock);
    }
    vs_lock_release(&checkpointer->lock);
    return NULL;
}

/* A failed sync poisons the log: committers learn it there. */
static void background_sync(struct vs_store *store, bool idle)
{
    if (vs_store_log(store) == NULL || vs_store_is_poisoned(store)) {
        return;
    }
    verso_err err = vs_log_flush(vs_store_log(store), VS_LOG_DURABLE);
    if (err == VERSO_OK && idle) {
        err = vs_log_witness(vs_store_log(store));
    }
    if (err == VERSO_OK) { /* so that no commit has to make a segment */
        err = vs_log_prepare(vs_store_log(store));
    }
    (void)err;
}

/* Ask for a checkpoint a minute after the last one. */
static void look_at_age(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    int64_t now_us = store->os->monotonic_us(store->os);
    vs_lock_take(&checkpointer->lock);
    bool old = now_us - checkpointer->last_us > (int64_t)CHECKPOINT_AGE_MS * 1000;
    vs_lock_release(&checkpointer->lock);
    if (old) {
        ask(store, &checkpointer->due, &checkpointer->work);
    }
}

static void *make_syncs(void *argument)
{
    struct vs_store *store = argument;
    struct vs_checkpointer *checkpointer = store->checkpointer;
    bool interval = store->config.durability == VERSO_DURABILITY_INTERVAL;
    unsigned wait_ms = interval ? store->config.interval_ms : IDLE_MS;
    vs_lock_take(&checkpointer->lock);
    while (!checkpointer->stop) {
        struct timespec deadline = vs_condition_deadline(wait_ms);
        bool idle = false;
        while (!checkpointer->stop && !checkpointer->sync_soon && !idle) {
            idle =
                !vs_condition_wait_until(&checkpointer->sync_work, &checkpointer->lock, &deadline);
        }
        if (checkpointer->stop) {
            break;
        }
        checkpointer->sync_soon = false;
        vs_lock_release(&checkpointer->lock);
        background_sync(store, idle);
        look_at_age(store);
        vs_lock_take(&checkpointer->lock);
    }
    vs_lock_release(&checkpointer->lock);
    return NULL;
}

verso_err vs_checkpointer_init(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = calloc(1, sizeof *checkpointer);
    if (checkpointer == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the background threads");
    }
    vs_lock_init(&checkpointer->lock, VS_LOCK_CHECKPOINTER);
    vs_condition_init(&checkpointer->work);
    vs_condition_init(&checkpointer->sync_work);
    vs_condition_init(&checkpointer->done);
    store->checkpointer = checkpointer;
    return VERSO_OK;
}

static void tell_to_stop(struct vs_checkpointer *checkpointer)
{
    vs_lock_take(&checkpointer->lock);
    checkpointer->stop = true;
    vs_condition_wake_one(&checkpointer->work);
    vs_condition_wake_one(&checkpointer->sync_work);
    vs_lock_release(&checkpointer->lock);
}

verso_err vs_checkpointer_start(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    if (!store->os->background || store->in_memory || store->read_only) {
        return VERSO_OK;
    }
    checkpointer->last_us = store->os->monotonic_us(store->os);
    verso_err err = vs_thread_start(&checkpointer->thread, make_checkpoints, store);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_thread_start(&checkpointer->sync_thread, make_syncs, store);
    if (err != VERSO_OK) {
        tell_to_stop(checkpointer);
        vs_thread_join(&checkpointer->thread);
        return err;
    }
    checkpointer->running = true;
    return VERSO_OK;
}

void vs_checkpointer_stop(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    if (!checkpointer->running) {
        return;
    }
    tell_to_stop(checkpointer);
    vs_thread_join(&checkpointer->thread);
    vs_thread_join(&checkpointer->sync_thread);
    checkpointer->running = false;
}

void vs_checkpointer_clear(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    if (checkpointer == NULL) {
        return;
    }
    vs_checkpointer_stop(store);
    vs_condition_clear(&checkpointer->work);
    vs_condition_clear(&checkpointer->sync_work);
    vs_condition_clear(&checkpointer->done);
    vs_lock_clear(&checkpointer->lock);
    free(checkpointer);
    store->checkpointer = NULL;
}
