/*
 * checkpointer_test.c - the thread that syncs and makes checkpoints unasked: when it does, and how
 * those who wait for it learn that it failed.
 *
 * It runs on the simulated disk, by that disk's clock; what it does is awaited, never assumed.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "api/handles.h"
#include "simulated_disk.h"
#include "verso.h"

enum {
    COMMITS_MAX = 1000000,
    PATIENCE_MS = 60000,
    INTERVAL_MS = 5,
    VALUE_SIZE = 4000,
    MINUTE_US = 60 * 1000 * 1000
};

static struct simulated_disk *disk;
static verso_store *store;
static _Atomic int threads_left = INT_MAX; /* that the system can give */

/* In the place of the C library's, whose real one has another name in it. */
extern int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 void *(*work)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*work)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*work)(void *), void *argument)
{
    return atomic_fetch_sub(&threads_left, 1) <= 0
               ? EAGAIN
               : __real_pthread_create(thread, attributes, work, argument);
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
    simulated_disk_set_background(disk, true);
}

static void tear_down(void)
{
    simulated_disk_close(disk);
}

TestSuite(checkpointer, .init = set_up, .fini = tear_down, .timeout = 120);

static uint64_t log_bytes = 1; /* the least there is */

static verso_err try_open(verso_durability durability)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.durability = durability;
    options.interval_ms = INTERVAL_MS;
    options.log_bytes = log_bytes;
    options.system = simulated_disk_os(disk);
    store = NULL;
    return verso_open("store", &options, &store);
}

static void open_store(verso_durability durability)
{
    cr_assert_eq(try_open(durability), VERSO_OK, "%s", verso_error_detail());
}

static verso_stats stats_of(void)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    return stats;
}

static verso_err commit_one(unsigned number)
{
    static uint8_t value[VALUE_SIZE];
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    memcpy(value, &number, sizeof number);
    err = verso_put(txn, (verso_slice){&number, sizeof number}, (verso_slice){value, sizeof value});
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return verso_commit(txn, NULL, NULL);
}

static void await_checkpoints(uint64_t count)
{
    for (unsigned ms = 0; stats_of().checkpoints < count; ms++) {
        cr_assert_lt(ms, PATIENCE_MS, "no checkpoint comes");
        (void)usleep(1000);
    }
}

Test(checkpointer, comes_a_minute_after_the_last_one)
{
    open_store(VERSO_DURABILITY_INTERVAL);
    uint64_t before = stats_of().checkpoints;
    cr_assert_eq(commit_one(1), VERSO_OK);
    simulated_disk_advance(disk, MINUTE_US / 2);
    (void)usleep(20 * INTERVAL_MS * 1000);
    cr_assert_eq(stats_of().checkpoints, before, "after half a minute");
    simulated_disk_advance(disk, MINUTE_US);
    await_checkpoints(before + 1);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(checkpointer, leaves_an_idle_store_without_a_log_alone)
{
    open_store(VERSO_DURABILITY_INTERVAL);
    cr_assert_eq(verso_close(store), VERSO_OK);
    open_store(VERSO_DURABILITY_INTERVAL);
    (void)usleep(20 * INTERVAL_MS * 1000);
    uint64_t changes = simulated_disk_changes(disk);
    (void)usleep(20 * INTERVAL_MS * 1000);
    cr_assert_eq(simulated_disk_changes(disk), changes);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(checkpointer, leaves_a_poisoned_store_alone)
{
    open_store(VERSO_DURABILITY_INTERVAL);
    cr_assert_eq(commit_one(1), VERSO_OK);
    const struct vs_os *os = simulated_disk_os(disk);
    cr_assert_eq(os->unlink(os, "store"), VERSO_OK);
    cr_assert_eq(verso_checkpoint(store), VERSO_IO);
    cr_assert(stats_of().poisoned);
    (void)usleep(20 * INTERVAL_MS * 1000); /* a sync may have been under way */
    uint64_t changes = simulated_disk_changes(disk);
    (void)usleep(20 * INTERVAL_MS * 1000);
    cr_assert_eq(simulated_disk_changes(disk), changes);
    cr_assert_eq(verso_close(store), VERSO_POISONED);
}

Test(checkpointer, a_sync_that_fails_behind_the_writers_back_stops_the_next_writer)
{
    open_store(VERSO_DURABILITY_INTERVAL);
    cr_assert_eq(commit_one(1), VERSO_OK);
    cr_assert_eq(verso_sync(store), VERSO_OK);
    /* for ever: the first one may be that of a segment made ahead, which poisons nothing */
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1, .for_ever = true};
    simulated_disk_inject(disk, &fault);
    verso_err err = VERSO_OK;
    for (unsigned ms = 0; err == VERSO_OK; ms++) {
        cr_assert_lt(ms, PATIENCE_MS);
        err = commit_one(ms);
        (void)usleep(1000);
    }
    cr_assert(err == VERSO_POISONED || err == VERSO_UNKNOWN, "%s", verso_strerror(err));
    (void)usleep(20 * INTERVAL_MS * 1000); /* it wakes up on a poisoned store now, and lives */
    cr_assert_eq(commit_one(1), VERSO_POISONED);
    cr_assert_eq(verso_sync(store), VERSO_POISONED);
    (void)verso_close(store);
}

/* Commit until one fails. @return How. */
static verso_err commit_until_it_fails(void)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; err == VERSO_OK; i++) {
        cr_assert_lt(i, COMMITS_MAX, "checkpoints fail, and commits go on");
        err = commit_one(i);
    }
    return err;
}

Test(checkpointer, writers_at_the_limit_learn_that_the_checkpoint_found_no_room)
{
    open_store(VERSO_DURABILITY_WRITTEN);
    cr_assert_eq(commit_one(0), VERSO_OK);
    struct simulated_fault fault = {/* cutting and looking at the file come before all else */
                                    .kind = SIMULATED_IDENTIFY,
                                    .path_part = "store",
                                    .nth = 1,
                                    .for_ever = true};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(commit_until_it_fails(), VERSO_IO);
    cr_assert_not_null(strstr(verso_error_detail(), "log and arena are full"), "%s",
                       verso_error_detail());
    cr_assert_not(stats_of().poisoned);
    simulated_disk_heal(disk);
    for (unsigned i = 0; i < 100; i++) {
        cr_assert_eq(commit_one(i), VERSO_OK, "%s", verso_error_detail());
    }
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
}

Test(checkpointer, writers_at_the_limit_learn_that_the_checkpoint_poisoned_the_store)
{
    open_store(VERSO_DURABILITY_WRITTEN);
    cr_assert_eq(commit_one(0), VERSO_OK);
    cr_assert_eq(verso_checkpoint(store), VERSO_OK);
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1, .for_ever = true};
    cr_assert_eq(commit_one(1), VERSO_OK);
    simulated_disk_inject(disk, &fault);
    verso_err err = commit_until_it_fails();
    cr_assert(err == VERSO_IO || err == VERSO_POISONED || err == VERSO_UNKNOWN, "%s",
              verso_strerror(err));
    cr_assert_eq(commit_one(2), VERSO_POISONED);
    (void)verso_close(store);
}

static void linger(void *argument, struct simulated_disk *of, const struct simulated_event *event)
{
    (void)argument;
    (void)of;
    if (event->kind == SIMULATED_IDENTIFY && !event->is_after) { /* a checkpoint begins so */
        (void)usleep(100 * 1000);
    }
}

/* Roots in memory are counted by their ids, and an increment may pass over many. */
Test(checkpointer, writers_wait_where_too_many_roots_are_in_memory)
{
    enum { PASSED_OVER = 1100 * 1000 };
    log_bytes = 64 << 20;
    open_store(VERSO_DURABILITY_INTERVAL);
    cr_assert_eq(commit_one(1), VERSO_OK);
    uint64_t before = stats_of().checkpoints;
    struct vs_store *inner = store->store;
    struct vs_page_writer *writer;
    uint64_t id = inner->tip.version + PASSED_OVER;
    uint64_t end_lsn;
    struct vs_commit same = {.tree = inner->tip.tree, .fingerprint = inner->tip.fingerprint};
    simulated_disk_set_hook(disk, linger, NULL);
    cr_assert_eq(vs_store_begin_at(inner, id, &writer), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(vs_store_commit(inner, &same, &id, &end_lsn), VERSO_OK, "%s",
                 verso_error_detail());
    cr_assert_eq(commit_one(2), VERSO_OK, "%s", verso_error_detail());
    cr_assert_gt(stats_of().checkpoints, before, "the commit did not wait for one");
    simulated_disk_set_hook(disk, NULL, NULL);
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
}

Test(checkpointer, a_system_without_threads_opens_no_store)
{
    for (int left = 0; left < 2; left++) { /* it takes two */
        atomic_store(&threads_left, left);
        cr_assert_eq(try_open(VERSO_DURABILITY_SYNC), VERSO_NOMEM, "%s", verso_error_detail());
        cr_assert_null(store);
        cr_assert_eq(simulated_disk_open_files(disk), 0);
    }
    atomic_store(&threads_left, 2);
    open_store(VERSO_DURABILITY_SYNC);
    cr_assert_eq(commit_one(1), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
}
