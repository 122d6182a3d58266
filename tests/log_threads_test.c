/*
 * log_threads_test.c - group commit by many threads: order, durability, sharing of syncs, failure.
 */
#include "store/log.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log_record.h"
#include "os/fault.h"
#include "simulated_disk.h"

enum { THREADS = 8, COMMITS_EACH = 200, SEGMENT = 64 * 1024 };

/** The store floor in small: the writer lock, and what the callback publishes. */
struct store {
    struct vs_log *log;
    pthread_mutex_t writer;
    uint64_t version; /* guarded by writer */
    _Atomic uint64_t published;
    _Atomic uint64_t published_lsn;
    _Atomic uint64_t acknowledged; /* the highest version */
    _Atomic bool backwards;
    _Atomic bool done;
};

/* called by one leader after the other: plain stores and loads suffice, atomics make them
   visible */
static void publish(void *argument, uint64_t lsn, uint64_t version)
{
    struct store *store = argument;
    if (atomic_load(&store->published) > version || atomic_load(&store->published_lsn) > lsn) {
        atomic_store(&store->backwards, true);
    }
    atomic_store(&store->published, version);
    atomic_store(&store->published_lsn, lsn);
}

static void acknowledge(struct store *store, uint64_t version)
{
    uint64_t seen = atomic_load(&store->acknowledged);
    while (seen < version && !atomic_compare_exchange_weak(&store->acknowledged, &seen, version)) {
    }
}

static verso_err commit(struct store *store)
{
    uint64_t lsn = 0;
    pthread_mutex_lock(&store->writer);
    uint64_t version = store->version + 1;
    verso_err err = log_record_append(store->log, version, 0, SIZE_MAX, &lsn);
    if (err == VERSO_OK) {
        store->version = version;
    }
    pthread_mutex_unlock(&store->writer);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_log_wait(store->log, lsn, VS_LOG_DURABLE);
    if (err == VERSO_OK) {
        cr_assert_geq(atomic_load(&store->published), version); /* before any waiter returns */
        acknowledge(store, version);
    }
    return err;
}

static void *commit_many(void *argument)
{
    for (int i = 0; i < COMMITS_EACH; i++) {
        cr_assert_eq(commit(argument), VERSO_OK, "%s", vs_fault_detail());
    }
    return NULL;
}

static void *commit_until_it_fails(void *argument)
{
    verso_err err = VERSO_OK;
    while (err == VERSO_OK) {
        err = commit(argument);
    }
    cr_assert(err == VERSO_UNKNOWN || err == VERSO_POISONED, "%d: %s", err, vs_fault_detail());
    return NULL;
}

/** What the background of a store does: witnesses, spare segments, checkpoints. */
static void *tend(void *argument)
{
    struct store *store = argument;
    while (!atomic_load(&store->done)) {
        cr_assert_eq(vs_log_witness(store->log), VERSO_OK);
        cr_assert_eq(vs_log_prepare(store->log), VERSO_OK);
        cr_assert_eq(vs_log_flush(store->log, VS_LOG_WRITTEN), VERSO_OK);
        (void)vs_log_pending(store->log);
        (void)vs_log_syncs(store->log);
        vs_log_recycle(store->log, 0);
        usleep(200);
    }
    return NULL;
}

static void open_store(struct store *store, struct vs_log_config *config,
                       struct vs_log_position *start)
{
    config->durable = publish;
    config->argument = store;
    pthread_mutex_init(&store->writer, NULL);
    cr_assert_eq(vs_log_open(config, start, &store->log), VERSO_OK, "%s", vs_fault_detail());
}

static void run(struct store *store, void *(*each)(void *argument), bool tended)
{
    pthread_t thread[THREADS];
    pthread_t background;
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, each, store), 0);
    }
    if (tended) {
        cr_assert_eq(pthread_create(&background, NULL, tend, store), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    atomic_store(&store->done, true);
    if (tended) {
        pthread_join(background, NULL);
    }
    cr_assert_not(atomic_load(&store->backwards));
}

static uint64_t read_back(const struct vs_log_config *config, const struct vs_log_position *start)
{
    struct vs_log_scan scan;
    struct log_reading reading = {.operations_size = SIZE_MAX};
    verso_err err = vs_log_read(config, start, true, 0, log_record_check, &reading, &scan);
    cr_assert_eq(err, VERSO_OK, "%s", vs_fault_detail());
    cr_assert_null(reading.fault, "version %" PRIu64 ": %s", reading.version, reading.fault);
    return reading.version;
}

Test(log_threads, share_syncs_on_real_files)
{
    char directory[] = "/tmp/verso-log-XXXXXX";
    cr_assert_not_null(mkdtemp(directory));
    char path[64];
    (void)snprintf(path, sizeof path, "%s/store", directory);
    struct vs_log_config config = {
        .os = vs_os_real(), .path = path, .uuid = "sixteen bytes id", .segment_size = SEGMENT};
    struct vs_log_position start = {.epoch = 1};
    struct store store = {.version = 0};
    open_store(&store, &config, &start);
    run(&store, commit_many, true);
    uint64_t commits = THREADS * COMMITS_EACH;
    cr_assert_eq(atomic_load(&store.acknowledged), commits);
    cr_assert_lt(vs_log_syncs(store.log),
                 3 * commits); /* witnesses included; figures are a bench's */
    cr_assert_eq(read_back(&config, &start), commits);
    cr_assert_eq(vs_log_close(store.log, true), VERSO_OK);
    cr_assert_eq(rmdir(directory), 0);
}

Test(log_threads, all_learn_of_a_failed_sync)
{
    for (uint64_t nth = 3; nth < 40; nth += 4) {
        struct simulated_disk *disk = simulated_disk_open(nth);
        struct vs_log_config config = {.os = simulated_disk_os(disk),
                                       .path = "store",
                                       .uuid = "sixteen bytes id",
                                       .segment_size = SEGMENT};
        struct vs_log_position start = {.epoch = 1};
        struct store store = {.version = 0};
        open_store(&store, &config, &start);
        struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = nth};
        simulated_disk_inject(disk, &fault);
        run(&store, commit_until_it_fails, false);
        uint64_t syncs = simulated_disk_events(disk, SIMULATED_SYNC);
        cr_assert_eq(vs_log_flush(store.log, VS_LOG_DURABLE), VERSO_POISONED);
        cr_assert_eq(simulated_disk_events(disk, SIMULATED_SYNC), syncs); /* never a second try */
        cr_assert_eq(vs_log_close(store.log, false), VERSO_OK);

        struct simulated_disk *crashed = simulated_disk_crash(disk, nth, SIMULATED_CRASH_RANDOM);
        config.os = simulated_disk_os(crashed);
        uint64_t last = read_back(&config, &start);
        cr_assert_geq(last, atomic_load(&store.acknowledged));
        cr_assert_leq(last, store.version);
        simulated_disk_close(crashed);
        simulated_disk_close(disk);
    }
}

/** A leader in its sync is held up until others wait behind it: they must share the next one. */
struct gate {
    struct store *store;
    _Atomic int appended; /* by others than the first */
    _Atomic bool entered;
};

static void hold_first_sync(void *argument, struct simulated_disk *disk,
                            const struct simulated_event *event)
{
    (void)disk;
    struct gate *gate = argument;
    if (event->kind != SIMULATED_SYNC || event->is_after || atomic_load(&gate->entered)) {
        return;
    }
    atomic_store(&gate->entered, true);
    while (atomic_load(&gate->appended) < THREADS - 1) {
        usleep(100);
    }
}

static void *commit_behind_the_gate(void *argument)
{
    struct gate *gate = argument;
    while (!atomic_load(&gate->entered)) {
        usleep(100);
    }
    uint64_t lsn = 0;
    pthread_mutex_lock(&gate->store->writer);
    cr_assert_eq(log_record_append(gate->store->log, ++gate->store->version, 0, 100, &lsn),
                 VERSO_OK);
    pthread_mutex_unlock(&gate->store->writer);
    atomic_fetch_add(&gate->appended, 1);
    cr_assert_eq(vs_log_wait(gate->store->log, lsn, VS_LOG_DURABLE), VERSO_OK);
    return NULL;
}

Test(log_threads, waiting_commits_share_one_sync)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_log_config config = {.os = simulated_disk_os(disk),
                                   .path = "store",
                                   .uuid = "sixteen bytes id",
                                   .segment_size = SEGMENT};
    struct vs_log_position start = {.epoch = 1};
    struct store store = {.version = 0};
    open_store(&store, &config, &start);
    struct gate gate = {.store = &store};
    pthread_t thread[THREADS - 1];
    for (int i = 0; i < THREADS - 1; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, commit_behind_the_gate, &gate), 0);
    }
    simulated_disk_set_hook(disk, hold_first_sync, &gate);
    log_record_commit(store.log, ++store.version);
    for (int i = 0; i < THREADS - 1; i++) {
        pthread_join(thread[i], NULL);
    }
    simulated_disk_set_hook(disk, NULL, NULL);
    cr_assert_eq(vs_log_syncs(store.log), 2u);
    cr_assert_eq(vs_log_close(store.log, false), VERSO_OK);
    simulated_disk_close(disk);
}
