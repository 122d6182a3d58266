/*
 * checkpointer.c - when checkpoints and background syncs happen: one thread a store, or, where the
 * system has no threads of ours, the committing thread itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "os/fault.h"
#include "store/checkpoint.h"
#include "store/store.h"

enum {
    IDLE_MS = 1000, /* the witness of the last batch, and the age of checkpoints */
    CHECKPOINT_AGE_MS = 60000,
    RECENT_ROOTS_MAX = 512 * 1024, /* some 50 MiB */
    MEMORY_ROOTS_MAX = 64 * 1024,  /* in memory, where settling them costs little */
};

struct vs_checkpointer {
    pthread_mutex_t lock; /* checkpoint_lock */
    pthread_cond_t work;  /* something to do */
    pthread_cond_t done;  /* a checkpoint ended */
    bool under_way;       /* guarded by lock */
    bool due;
    bool sync_soon;
    bool stop;
    bool running; /* the thread exists; constant between start and stop */
    pthread_t thread;
    verso_err failed; /* the last background checkpoint's outcome; guarded by lock */
};

/* ---- one at a time ---- */

void vs_checkpoint_wait(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    pthread_mutex_lock(&checkpointer->lock);
    while (checkpointer->under_way) {
        pthread_cond_wait(&checkpointer->done, &checkpointer->lock);
    }
    pthread_mutex_unlock(&checkpointer->lock);
}

void vs_checkpoint_enter(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    pthread_mutex_lock(&checkpointer->lock);
    while (checkpointer->under_way) {
        pthread_cond_wait(&checkpointer->done, &checkpointer->lock);
    }
    checkpointer->under_way = true;
    pthread_mutex_unlock(&checkpointer->lock);
}

void vs_checkpoint_leave(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->under_way = false;
    checkpointer->due = false;
    pthread_cond_broadcast(&checkpointer->done);
    pthread_mutex_unlock(&checkpointer->lock);
}

/* ---- limits ---- */

/* Have log, arena or the roots in memory passed their limits? A checkpoint is due at the soft ones;
 * writers wait at the hard ones. Late checkpoints are cheap ones: a page changed many times between
 * two of them is written once. */
static bool exceeds(struct vs_store *store, bool hard)
{
    uint64_t busy = atomic_load_explicit(&store->arena.busy, memory_order_relaxed);
    uint64_t begun = atomic_load_explicit(&store->checkpoint_lsn, memory_order_relaxed);
    struct vs_log *of_store = store->log;
    uint64_t log = of_store == NULL ? 0 : vs_log_end_lsn(of_store) - begun;
    uint64_t roots = atomic_load_explicit(&store->roots.end, memory_order_relaxed) -
                     atomic_load_explicit(&store->checkpoint_version, memory_order_relaxed);
    uint64_t limit = store->arena_limit;
    if (hard) {
        return busy >= limit || log >= 2 * store->config.log_bytes || roots >= 2 * RECENT_ROOTS_MAX;
    }
    return busy >= limit - limit / 4 || log >= store->config.log_bytes || roots >= RECENT_ROOTS_MAX;
}

static void ask(struct vs_store *store, bool *flag)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    pthread_mutex_lock(&checkpointer->lock);
    if (!*flag) {
        *flag = true;
        pthread_cond_signal(&checkpointer->work);
    }
    pthread_mutex_unlock(&checkpointer->lock);
}

void vs_checkpointer_nudge(struct vs_store *store)
{
    if (store->checkpointer != NULL && store->checkpointer->running && exceeds(store, false)) {
        ask(store, &store->checkpointer->due);
    }
}

void vs_checkpointer_sync_soon(struct vs_store *store)
{
    if (store->checkpointer != NULL && store->checkpointer->running) {
        ask(store, &store->checkpointer->sync_soon);
    }
}

verso_err vs_checkpoint_within_budget(struct vs_store *store, bool clean)
{
    if (!store->read_only && !atomic_load(&store->poisoned)) {
        verso_err err = store->history_calls->enforce_budget(store);
        (void)err; /* what it could not drop now goes at another time */
    }
    return vs_store_checkpoint(store, clean);
}

/* In memory there is nothing to write, but roots that gather leave the list all the same. */
static verso_err settle_in_memory(struct vs_store *store)
{
    uint64_t roots = atomic_load_explicit(&store->roots.end, memory_order_relaxed) -
                     atomic_load_explicit(&store->checkpoint_version, memory_order_relaxed);
    if (roots < MEMORY_ROOTS_MAX) {
        return VERSO_OK;
    }
    verso_err err = store->history_calls->enforce_budget(store);
    (void)err; /* as above */
    return vs_store_settle_memory(store);
}

verso_err vs_checkpointer_wait_for_room(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    if (checkpointer == NULL || store->replaying) {
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
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->failed = VERSO_OK;
    while (exceeds(store, true) && checkpointer->failed == VERSO_OK &&
           !atomic_load(&store->poisoned)) {
        checkpointer->due = true;
        pthread_cond_signal(&checkpointer->work);
        pthread_cond_wait(&checkpointer->done, &checkpointer->lock);
    }
    verso_err err = checkpointer->failed;
    pthread_mutex_unlock(&checkpointer->lock);
    return err == VERSO_OK ? err : vs_fault(err, "log and arena are full, and a checkpoint failed");
}

/* ---- the thread ---- */

static struct timespec from_now(unsigned ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return until;
}

static void background_checkpoint(struct vs_store *store)
{
    verso_err err = vs_checkpoint_within_budget(store, false);
    struct vs_checkpointer *checkpointer = store->checkpointer;
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->failed = err;
    checkpointer->due = false;
    pthread_cond_broadcast(&checkpointer->done);
    pthread_mutex_unlock(&checkpointer->lock);
}

/* A failed sync poisons the log: committers learn it there. */
static void background_sync(struct vs_store *store, bool idle)
{
    if (store->log == NULL || atomic_load(&store->poisoned)) {
        return;
    }
    verso_err err = vs_log_flush(store->log, VS_LOG_DURABLE);
    if (err == VERSO_OK && idle) {
        err = vs_log_witness(store->log);
    }
    if (err == VERSO_OK) { /* so that no commit has to make a segment */
        err = vs_log_prepare(store->log);
    }
    (void)err;
}

static void *work(void *argument)
{
    struct vs_store *store = argument;
    struct vs_checkpointer *checkpointer = store->checkpointer;
    bool interval = store->config.durability == VERSO_DURABILITY_INTERVAL;
    unsigned wait_ms = interval ? store->config.interval_ms : IDLE_MS;
    int64_t last = store->os->monotonic_us(store->os);
    pthread_mutex_lock(&checkpointer->lock);
    while (!checkpointer->stop) {
        struct timespec until = from_now(wait_ms);
        int timed_out = 0;
        while (!checkpointer->stop && !checkpointer->due && !checkpointer->sync_soon &&
               timed_out != ETIMEDOUT) {
            timed_out = pthread_cond_timedwait(&checkpointer->work, &checkpointer->lock, &until);
        }
        bool due = checkpointer->due;
        bool sync = checkpointer->sync_soon || timed_out == ETIMEDOUT;
        bool idle = timed_out == ETIMEDOUT;
        checkpointer->sync_soon = false;
        if (checkpointer->stop) {
            break;
        }
        pthread_mutex_unlock(&checkpointer->lock);
        if (sync) {
            background_sync(store, idle);
        }
        int64_t now = store->os->monotonic_us(store->os);
        if (due || now - last > (int64_t)CHECKPOINT_AGE_MS * 1000) {
            background_checkpoint(store);
            last = store->os->monotonic_us(store->os);
        }
        pthread_mutex_lock(&checkpointer->lock);
    }
    pthread_mutex_unlock(&checkpointer->lock);
    return NULL;
}

verso_err vs_checkpointer_init(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = calloc(1, sizeof *checkpointer);
    if (checkpointer == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the checkpoint thread");
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&checkpointer->lock, NULL);
    pthread_cond_init(&checkpointer->work, &monotonic);
    pthread_cond_init(&checkpointer->done, NULL);
    pthread_condattr_destroy(&monotonic);
    store->checkpointer = checkpointer;
    return VERSO_OK;
}

verso_err vs_checkpointer_start(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    if (!store->os->background || store->in_memory || store->read_only) {
        return VERSO_OK;
    }
    if (pthread_create(&checkpointer->thread, NULL, work, store) != 0) {
        return vs_fault(VERSO_NOMEM, "cannot start the checkpoint thread");
    }
    checkpointer->running = true;
    return VERSO_OK;
}

void vs_checkpointer_stop(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    if (checkpointer == NULL || !checkpointer->running) {
        return;
    }
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->stop = true;
    pthread_cond_signal(&checkpointer->work);
    pthread_mutex_unlock(&checkpointer->lock);
    pthread_join(checkpointer->thread, NULL);
    checkpointer->running = false;
}

void vs_checkpointer_clear(struct vs_store *store)
{
    struct vs_checkpointer *checkpointer = store->checkpointer;
    if (checkpointer == NULL) {
        return;
    }
    vs_checkpointer_stop(store);
    pthread_cond_destroy(&checkpointer->work);
    pthread_cond_destroy(&checkpointer->done);
    pthread_mutex_destroy(&checkpointer->lock);
    free(checkpointer);
    store->checkpointer = NULL;
}
