/*
 * stalled_disk_test.c - who waits for whom, told by what others get done meanwhile, not by time: a
 * sync that does not return holds up nobody but those who need it.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/handles.h"
#include "simulated_disk.h"
#include "verso.h"

enum { COMMITS = 200, WRITERS = 6, KEYS = 400, OUTRUN = 300, VALUE = 3000 };

/* ---- a disk whose syncs of one file wait at a gate ---- */

static struct simulated_disk *disk;
static struct vs_os gated;     /* the simulated disk's table, but for two calls */
static const struct vs_os *os; /* that table as it was */
static verso_store *store;

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static bool gate_closed;     /* guarded by gate_lock, as are the next ones */
static unsigned gate_waits;  /* syncs that stand there */
static bool gate_is_for_log; /* else for the store file */
static struct vs_file *store_file;

static verso_err open_noted(const struct vs_os *table, const char *path, enum vs_open_mode mode,
                            struct vs_file **file)
{
    verso_err err = os->open(table, path, mode, file);
    if (err == VERSO_OK && strcmp(path, "store") == 0) {
        pthread_mutex_lock(&gate_lock);
        store_file = *file;
        pthread_mutex_unlock(&gate_lock);
    }
    return err;
}

static verso_err sync_at_gate(struct vs_file *file)
{
    pthread_mutex_lock(&gate_lock);
    if ((file == store_file) != gate_is_for_log) {
        gate_waits++;
        pthread_cond_broadcast(&gate_moved);
        while (gate_closed) {
            pthread_cond_wait(&gate_moved, &gate_lock);
        }
        gate_waits--;
    }
    pthread_mutex_unlock(&gate_lock);
    return os->sync_data(file);
}

static void close_gate(bool for_log)
{
    pthread_mutex_lock(&gate_lock);
    gate_closed = true;
    gate_is_for_log = for_log;
    pthread_mutex_unlock(&gate_lock);
}

static void open_gate(void)
{
    pthread_mutex_lock(&gate_lock);
    gate_closed = false;
    pthread_cond_broadcast(&gate_moved);
    pthread_mutex_unlock(&gate_lock);
}

static void wait_until_somebody_stands_there(void)
{
    pthread_mutex_lock(&gate_lock);
    while (gate_waits == 0) {
        pthread_cond_wait(&gate_moved, &gate_lock);
    }
    pthread_mutex_unlock(&gate_lock);
}

static unsigned standing_there(void)
{
    pthread_mutex_lock(&gate_lock);
    unsigned waits = gate_waits;
    pthread_mutex_unlock(&gate_lock);
    return waits;
}

/* ---- a store on it ---- */

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void put(verso_txn *txn, unsigned number, unsigned value, size_t size)
{
    char key[16];
    char bytes[VALUE];
    memset(bytes, (int)value, sizeof bytes);
    verso_slice name = {key, (size_t)snprintf(key, sizeof key, "key%06u", number)};
    must(verso_put(txn, name, (verso_slice){bytes, size}));
}

static verso_root_id commit(unsigned number, size_t size)
{
    verso_txn *txn;
    verso_root_id root;
    must(verso_begin(store, &txn));
    put(txn, number % KEYS, number, size);
    must(verso_commit(txn, NULL, &root));
    return root;
}

/* A view of the newest root can be opened, and read from its first key to its last. */
static uint64_t read_newest(void)
{
    verso_view *view;
    verso_cursor *cursor;
    verso_root_info info = {.size = sizeof info};
    must(verso_view_open(store, &view));
    must(verso_view_info(view, &info));
    must(verso_cursor_open(view, NULL, &cursor));
    uint64_t count = 0;
    while (verso_cursor_next(cursor, NULL) == VERSO_OK) {
        count++;
    }
    cr_assert_eq(count, info.keys);
    verso_cursor_close(cursor);
    verso_view_close(view);
    return info.id;
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
    simulated_disk_set_background(disk, true);
    os = simulated_disk_os(disk);
    gated = *os;
    gated.open = open_noted;
    gated.sync_data = sync_at_gate;
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.arena_bytes = 4 << 20;
    options.log_bytes = 8 << 20;
    options.system = &gated;
    must(verso_open("store", &options, &store));
    for (unsigned i = 0; i < KEYS; i++) {
        commit(i, 100);
    }
}

static void tear_down(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    must(verso_close(store));
    simulated_disk_close(disk);
}

TestSuite(stalled_disk, .init = set_up, .fini = tear_down);

static void *make_checkpoint(void *unused)
{
    (void)unused;
    must(verso_checkpoint(store));
    return NULL;
}

Test(stalled_disk, a_checkpoint_that_waits_for_the_disk_holds_up_neither_writers_nor_readers)
{
    pthread_t checkpointer;
    close_gate(false);
    cr_assert_eq(pthread_create(&checkpointer, NULL, make_checkpoint, NULL), 0);
    wait_until_somebody_stands_there();
    verso_root_id root = 0;
    for (unsigned i = 0; i < COMMITS; i++) { /* durable ones */
        root = commit(i, 100);
        if (i % 20 == 0) {
            cr_assert_eq(read_newest(), root);
        }
    }
    cr_assert_eq(standing_there(), 1, "all that was done while it waited");
    cr_assert_eq(root, KEYS + COMMITS);
    open_gate();
    cr_assert_eq(pthread_join(checkpointer, NULL), 0);
}

static bool is_durable(verso_root_id root)
{
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    return stats.durable >= root;
}

/* The background's own checkpoint: it is what would keep the background from syncing. */
Test(stalled_disk, a_checkpoint_that_waits_for_the_disk_holds_up_no_sync_of_the_background)
{
    close_gate(false);
    for (unsigned i = 0; standing_there() == 0; i++) {
        cr_assert_lt(i, 100 * OUTRUN, "no checkpoint comes");
        (void)commit(i, VALUE);
    }
    verso_commit_options later = VERSO_COMMIT_OPTIONS_INIT;
    later.asynchronous = true;
    verso_txn *txn;
    verso_root_id root;
    must(verso_begin(store, &txn));
    put(txn, 0, 0, 10);
    must(verso_commit(txn, &later, &root));
    for (unsigned ms = 0; !is_durable(root); ms++) {
        cr_assert_lt(ms, 10000, "committed, and nobody syncs it");
        (void)usleep(1000);
    }
    cr_assert_eq(standing_there(), 1, "all that was done while it waited");
    open_gate();
}

static void *commit_durably(void *unused)
{
    (void)unused;
    (void)commit(1, 200);
    return NULL;
}

Test(stalled_disk, a_commit_that_waits_for_the_disk_holds_up_neither_the_next_writer_nor_readers)
{
    pthread_t committer;
    verso_root_id before = read_newest();
    close_gate(true);
    cr_assert_eq(pthread_create(&committer, NULL, commit_durably, NULL), 0);
    wait_until_somebody_stands_there();
    verso_commit_options later = VERSO_COMMIT_OPTIONS_INIT;
    later.asynchronous = true;
    verso_root_id root = 0;
    for (unsigned i = 0; i < COMMITS; i++) {
        verso_txn *txn;
        must(verso_begin(store, &txn));
        put(txn, i, i, 50);
        must(verso_commit(txn, &later, &root));
        cr_assert_eq(read_newest(), before, "what is not durable is not shown");
    }
    cr_assert_geq(standing_there(), 1);
    cr_assert_eq(root, before + 1 + COMMITS);
    open_gate();
    cr_assert_eq(pthread_join(committer, NULL), 0);
    must(verso_wait_durable(store, root));
    cr_assert_eq(read_newest(), root);
}

/* ---- writers among each other ---- */

static verso_root_id got[WRITERS];

static void *commit_in_turn(void *argument)
{
    unsigned number = *(const unsigned *)argument;
    got[number] = commit(number, 100);
    return NULL;
}

static uint64_t writers_arrived(void)
{
    struct vs_fair_lock *lock = &store->store->writer_lock;
    vs_lock_take(&lock->mutex);
    uint64_t arrived = lock->next - lock->serving;
    vs_lock_release(&lock->mutex);
    return arrived;
}

/* Who comes as the n-th waits for n commits, not for more. */
Test(stalled_disk, writers_are_served_in_the_order_of_their_coming)
{
    pthread_t writer[WRITERS];
    unsigned number[WRITERS];
    verso_txn *txn;
    must(verso_begin(store, &txn));
    for (unsigned i = 0; i < WRITERS; i++) {
        number[i] = i;
        cr_assert_eq(pthread_create(&writer[i], NULL, commit_in_turn, &number[i]), 0);
        while (writers_arrived() < i + 2) { /* with the one that runs */
            sched_yield();
        }
    }
    put(txn, 0, 0, 10);
    verso_root_id first;
    must(verso_commit(txn, NULL, &first));
    for (unsigned i = 0; i < WRITERS; i++) {
        cr_assert_eq(pthread_join(writer[i], NULL), 0);
        cr_assert_eq(got[i], first + 1 + i, "writer %u", i);
    }
}

/* ---- a writer that is faster than the disk ---- */

static _Atomic unsigned outrun;

static void *commit_much(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < OUTRUN; i++) {
        verso_txn *txn;
        must(verso_begin(store, &txn));
        for (unsigned j = 0; j < 20; j++) {
            put(txn, (37 * i + 20 * j) % KEYS, i, VALUE);
        }
        must(verso_commit(txn, NULL, NULL));
        atomic_fetch_add(&outrun, 1);
    }
    return NULL;
}

/* It may fill the arena and the log, then it waits for the checkpoint; readers do not. */
Test(stalled_disk, a_writer_that_outruns_the_disk_waits_for_it_and_goes_on)
{
    pthread_t checkpointer;
    pthread_t writer;
    atomic_store(&outrun, 0);
    close_gate(false);
    cr_assert_eq(pthread_create(&checkpointer, NULL, make_checkpoint, NULL), 0);
    wait_until_somebody_stands_there();
    cr_assert_eq(pthread_create(&writer, NULL, commit_much, NULL), 0);
    unsigned last = 0;
    for (unsigned still = 0; still < 200; still++) { /* until it gets no further */
        (void)read_newest();
        unsigned now = atomic_load(&outrun);
        still = now == last ? still : 0;
        last = now;
    }
    cr_assert_lt(last, OUTRUN, "memory is bounded: somebody had to wait");
    open_gate();
    cr_assert_eq(pthread_join(writer, NULL), 0);
    cr_assert_eq(pthread_join(checkpointer, NULL), 0);
    cr_assert_eq(atomic_load(&outrun), OUTRUN);
}
