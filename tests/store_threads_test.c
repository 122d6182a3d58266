/*
 * store_threads_test.c - threads on one store, and a process that is killed, on real files.
 *
 * Every commit of these tests stamps what it writes with its own version, so that any view tells by
 * its content alone whether it is of one piece.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "page_keys.h"
#include "verso.h"

enum {
    STAMPED = 40, /* keys that every commit stamps */
    COMMITS = 400,
    KEPT = 30, /* roots */
    READERS = 3,
    COMMITTERS = 8,
    COMMITS_EACH = 60,
    KILLS = 50,
    KEYS_OF_KILLED = 37,
};

static char folder[64];
static char path[96];

static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/verso-threads-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/store", folder);
}

static void remove_folder(void)
{
    (void)unlink(path);
    cr_assert_eq(rmdir(folder), 0, "%s holds more than the store", folder);
}

TestSuite(store_threads, .init = make_folder, .fini = remove_folder);

static verso_store *open_store(verso_durability durability, uint64_t keep_last)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 1024;
    verso_retention policy = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last);
    options.retention = &policy;
    options.durability = durability;
    options.interval_ms = 5;
    options.arena_bytes = 1 << 20;
    options.log_bytes = 64 * 1024;
    verso_store *store = NULL;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "open: %s (%s)", verso_strerror(err), verso_error_detail());
    return store;
}

static void close_store(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "check: %s", report.fault);
    err = verso_close(store);
    cr_assert_eq(err, VERSO_OK, "close: %s (%s)", verso_strerror(err), verso_error_detail());
}

/* ---- readers beside a writer ---- */

/** What the threads of one test share. */
struct shared {
    verso_store *store;
    _Atomic bool over;
    _Atomic(verso_view *) passed; /* a view on its way from one reader to another */
    _Atomic uint64_t looks;
};

static verso_slice stamped_key(unsigned number, char *text, size_t size)
{
    (void)snprintf(text, size, "stamped %04u", number);
    return verso_text(text);
}

/* Every stamped key of the view holds the view's own version. */
static void look_at(struct shared *shared, verso_view *view)
{
    verso_root_info info = {.size = sizeof info};
    cr_assert_eq(verso_view_info(view, &info), VERSO_OK, "%s", verso_error_detail());
    for (unsigned i = 0; i < STAMPED && info.id > 0; i++) {
        char text[32];
        verso_slice value;
        uint64_t stamp = 0;
        verso_err err = verso_get(view, stamped_key(i, text, sizeof text), &value);
        cr_assert(err == VERSO_OK && value.size >= sizeof stamp, "root %" PRIu64 ": %s (%s)",
                  info.id, verso_strerror(err), verso_error_detail());
        memcpy(&stamp, value.data, sizeof stamp);
        cr_assert_eq(stamp, info.id, "root %" PRIu64 " holds a value of %" PRIu64, info.id, stamp);
    }
    atomic_fetch_add(&shared->looks, 1);
}

static void scan(verso_view *view)
{
    verso_root_info info = {.size = sizeof info};
    cr_assert_eq(verso_view_info(view, &info), VERSO_OK, "%s", verso_error_detail());
    verso_cursor *cursor;
    cr_assert_eq(verso_cursor_open(view, NULL, &cursor), VERSO_OK);
    uint64_t count = 0;
    verso_err err;
    while ((err = verso_cursor_next(cursor, NULL)) == VERSO_OK) {
        count++;
    }
    cr_assert_eq(err, VERSO_NOT_FOUND, "%s", verso_error_detail());
    cr_assert_eq(count, info.keys, "root %" PRIu64 ": scanned %" PRIu64 " of %" PRIu64 " keys",
                 info.id, count, info.keys);
    verso_cursor_close(cursor);
}

static verso_view *open_some(struct shared *shared, struct simulated_random *random)
{
    verso_view *view = NULL;
    if (simulated_random_below(random, 2) == 0) {
        cr_assert_eq(verso_view_open(shared->store, &view), VERSO_OK, "%s", verso_error_detail());
        return view;
    }
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(shared->store, &stats), VERSO_OK);
    cr_assert(stats.oldest <= stats.published && stats.published <= stats.tip,
              "oldest %" PRIu64 ", published %" PRIu64 ", tip %" PRIu64, stats.oldest,
              stats.published, stats.tip);
    uint64_t id = stats.oldest + simulated_random_below(random, stats.published - stats.oldest + 1);
    verso_err err = verso_view_open_root(shared->store, id, &view);
    cr_assert(err == VERSO_OK || err == VERSO_GONE || (err == VERSO_NOT_FOUND && id == 0),
              "root %" PRIu64 ": %s (%s)", id, verso_strerror(err), verso_error_detail());
    return view;
}

static void *read_on(void *argument)
{
    struct shared *shared = argument;
    struct simulated_random random = {page_keys_seed() + (uint64_t)(uintptr_t)&random};
    while (!atomic_load(&shared->over)) {
        verso_view *view = open_some(shared, &random);
        if (view == NULL) {
            continue;
        }
        look_at(shared, view);
        if (simulated_random_below(&random, 8) == 0) {
            scan(view);
        }
        if (simulated_random_below(&random, 4) == 0) {
            view = atomic_exchange(&shared->passed, view); /* somebody else goes on with it */
            if (view != NULL) {
                look_at(shared, view);
            }
        }
        verso_view_close(view);
    }
    return NULL;
}

/* One commit: all stamped keys, and some that come and go. */
static void stamp_all(verso_store *store, uint64_t version, bool asynchronous)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK, "begin: %s (%s)", verso_strerror(err), verso_error_detail());
    uint8_t value[100] = {0};
    memcpy(value, &version, sizeof version);
    char text[32];
    for (unsigned i = 0; i < STAMPED; i++) {
        verso_slice key = stamped_key(i, text, sizeof text);
        cr_assert_eq(verso_put(txn, key, (verso_slice){value, sizeof value}), VERSO_OK);
    }
    (void)snprintf(text, sizeof text, "passing %04u", (unsigned)(version * 7 % 150));
    err = version % 3 == 0 ? verso_delete(txn, verso_text(text))
                           : verso_put(txn, verso_text(text), verso_text(text));
    cr_assert(err == VERSO_OK || err == VERSO_NOT_FOUND);
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.asynchronous = asynchronous;
    verso_root_id root = 0;
    err = verso_commit(txn, &options, &root);
    cr_assert_eq(err, VERSO_OK, "commit: %s (%s)", verso_strerror(err), verso_error_detail());
    cr_assert_eq(root, version);
}

static void readers_beside_a_writer(verso_durability durability, uint64_t keep_last)
{
    struct shared shared = {.store = open_store(durability, keep_last)};
    pthread_t reader[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        cr_assert_eq(pthread_create(&reader[i], NULL, read_on, &shared), 0);
    }
    for (uint64_t version = 1; version <= COMMITS; version++) {
        stamp_all(shared.store, version, version % 5 == 0);
        if (version % 97 == 0) {
            cr_assert_eq(verso_checkpoint(shared.store), VERSO_OK, "%s", verso_error_detail());
        }
    }
    atomic_store(&shared.over, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(reader[i], NULL);
    }
    verso_view_close(atomic_load(&shared.passed));
    cr_assert_gt(atomic_load(&shared.looks), 0);
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(shared.store, &stats), VERSO_OK);
    cr_assert_gt(stats.checkpoints, 1, "no checkpoint ran in the background");
    close_store(shared.store);
}

Test(store_threads, readers_see_whole_roots_beside_a_writer)
{
    readers_beside_a_writer(VERSO_DURABILITY_WRITTEN, KEPT);
}

Test(store_threads, readers_see_whole_roots_where_only_the_newest_is_kept)
{
    readers_beside_a_writer(VERSO_DURABILITY_INTERVAL, 1);
}

Test(store_threads, readers_see_durable_roots_in_a_synced_store)
{
    readers_beside_a_writer(VERSO_DURABILITY_SYNC, 0);
}

/* ---- many committing threads ---- */

struct committer {
    verso_store *store;
    unsigned number;
    bool asynchronous;
    uint64_t last; /* root */
};

static void *commit_on(void *argument)
{
    struct committer *committer = argument;
    for (unsigned i = 0; i < COMMITS_EACH; i++) {
        verso_txn *txn;
        verso_err err = verso_begin(committer->store, &txn);
        cr_assert_eq(err, VERSO_OK, "begin: %s", verso_strerror(err));
        char text[32];
        (void)snprintf(text, sizeof text, "of %u: %u", committer->number, i);
        cr_assert_eq(verso_insert(txn, verso_text(text), verso_text(text)), VERSO_OK);
        verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
        options.asynchronous = committer->asynchronous;
        verso_root_id root = 0;
        err = verso_commit(txn, &options, &root);
        cr_assert_eq(err, VERSO_OK, "commit: %s (%s)", verso_strerror(err), verso_error_detail());
        cr_assert_gt(root, committer->last, "ids do not ascend");
        committer->last = root;
        if (committer->asynchronous && i % 8 == 7) {
            cr_assert_eq(verso_wait_durable(committer->store, root), VERSO_OK);
        }
    }
    if (committer->asynchronous) {
        cr_assert_eq(verso_wait_durable(committer->store, committer->last), VERSO_OK);
    }
    return NULL;
}

static void commit_together(bool asynchronous)
{
    verso_store *store = open_store(VERSO_DURABILITY_SYNC, 0);
    struct committer committer[COMMITTERS];
    pthread_t thread[COMMITTERS];
    for (unsigned i = 0; i < COMMITTERS; i++) {
        committer[i] = (struct committer){store, i, asynchronous, 0};
        cr_assert_eq(pthread_create(&thread[i], NULL, commit_on, &committer[i]), 0);
    }
    for (unsigned i = 0; i < COMMITTERS; i++) {
        pthread_join(thread[i], NULL);
    }
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_eq(stats.tip, COMMITTERS * COMMITS_EACH);
    cr_assert_eq(stats.keys, COMMITTERS * COMMITS_EACH);
    cr_assert_eq(stats.durable, stats.tip);
    cr_assert_eq(stats.published, stats.tip);
    close_store(store);
}

Test(store_threads, commits_of_many_threads_share_syncs)
{
    commit_together(false);
}

Test(store_threads, asynchronous_commits_of_many_threads_become_durable)
{
    commit_together(true);
}

/* ---- a killed process ---- */

/* Version v puts key v % 37 with v as its value, now and then a long one. */
static size_t killed_value(uint64_t version, uint8_t *value)
{
    size_t size = version % 23 == 0 ? 30000 : 16;
    memset(value, (int)version, size);
    memcpy(value, &version, sizeof version);
    return size;
}

static void work_until_killed(int acknowledged, verso_durability durability)
{
    verso_store *store = open_store(durability, 50);
    verso_stats stats = {.size = sizeof stats};
    if (verso_stat(store, &stats) != VERSO_OK) {
        _exit(1);
    }
    static uint8_t value[30000];
    for (uint64_t version = stats.tip + 1;; version++) {
        verso_txn *txn;
        uint8_t key = (uint8_t)(version % KEYS_OF_KILLED);
        size_t size = killed_value(version, value);
        verso_root_id root = 0;
        if (verso_begin(store, &txn) != VERSO_OK ||
            verso_put(txn, (verso_slice){&key, 1}, (verso_slice){value, size}) != VERSO_OK ||
            verso_commit(txn, NULL, &root) != VERSO_OK || root != version ||
            write(acknowledged, &root, sizeof root) != (ssize_t)sizeof root) {
            _exit(1);
        }
    }
}

static void compare_killed_root(verso_store *store, uint64_t version)
{
    verso_view *view;
    verso_err err = verso_view_open_root(store, version, &view);
    cr_assert_eq(err, VERSO_OK, "root %" PRIu64 ": %s", version, verso_error_detail());
    static uint8_t expected[30000];
    for (uint64_t i = 0; i < KEYS_OF_KILLED; i++) {
        uint8_t key = (uint8_t)i;
        uint64_t distance = (version % KEYS_OF_KILLED + KEYS_OF_KILLED - i) % KEYS_OF_KILLED;
        verso_slice value;
        err = verso_get(view, (verso_slice){&key, 1}, &value);
        if (distance >= version) {
            cr_assert_eq(err, VERSO_NOT_FOUND);
            continue;
        }
        size_t size = killed_value(version - distance, expected);
        cr_assert(err == VERSO_OK && value.size == size && memcmp(value.data, expected, size) == 0,
                  "root %" PRIu64 ", key %" PRIu64 ": another value", version, i);
    }
    verso_view_close(view);
}

/* On a machine that has much to do, a child may take long to open the store. */
static void wait_for_report(int end)
{
    struct pollfd report = {.fd = end, .events = POLLIN};
    cr_assert_eq(poll(&report, 1, 60 * 1000), 1, "no commit within a minute");
}

/* Run a child for a while, kill it, and see what it left. `durability` promises all it reported. */
static void kill_once(uint64_t *tip, bool at_work, unsigned microseconds,
                      verso_durability durability)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        (void)close(ends[0]);
        work_until_killed(ends[1], durability);
    }
    (void)close(ends[1]);
    if (at_work) {
        wait_for_report(ends[0]);
    }
    (void)usleep(microseconds);
    (void)kill(child, SIGKILL);
    uint64_t acknowledged = *tip;
    uint64_t reported;
    while (read(ends[0], &reported, sizeof reported) == (ssize_t)sizeof reported) {
        cr_assert_eq(reported, acknowledged + 1);
        acknowledged = reported;
    }
    (void)close(ends[0]);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the child failed by itself");

    verso_store *store = open_store(durability, 50);
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    uint64_t least = durability == VERSO_DURABILITY_INTERVAL ? *tip : acknowledged;
    cr_assert(stats.tip >= least && stats.tip <= acknowledged + 1,
              "recovered %" PRIu64 ", acknowledged %" PRIu64, stats.tip, acknowledged);
    for (uint64_t back = 0; back < 50 && back < stats.tip; back += 1 + back / 2) {
        compare_killed_root(store, stats.tip - back);
    }
    *tip = stats.tip;
    close_store(store);
}

Test(store_threads, a_killed_process_loses_nothing_acknowledged)
{
    struct simulated_random random = {page_keys_seed()};
    uint64_t tip = 0;
    for (unsigned i = 0; i < KILLS; i++) {
        verso_durability durability = (verso_durability)(VERSO_DURABILITY_SYNC + i % 3);
        unsigned microseconds = 1000 + (unsigned)simulated_random_below(&random, 40000);
        bool at_work = i % 5 != 0; /* some are killed while they open the store, too */
        kill_once(&tip, at_work, microseconds, durability);
    }
    cr_assert_gt(tip, KILLS, "the children hardly came to work");
}
