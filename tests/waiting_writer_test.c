/*
 * waiting_writer_test.c - what a writer finds who has waited for another one: a poisoned store, or
 * a newest root that is no longer the one it was to build on.
 */
#include <criterion/criterion.h>

#include <pthread.h>
#include <unistd.h>

#include "simulated_disk.h"
#include "verso.h"

enum { WAIT_US = 100 * 1000, LARGE_VALUE = 4000, LARGE_COUNT = 2000 };

static struct simulated_disk *disk;
static verso_store *store;

static verso_store *open_at(const char *path)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    verso_store *opened = NULL;
    options.create = true;
    options.log_bytes = 1; /* the least there is */
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open(path, &options, &opened), VERSO_OK, "%s", verso_error_detail());
    return opened;
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
    store = open_at("store");
}

static void tear_down(void)
{
    simulated_disk_close(disk);
}

TestSuite(waiting_writer, .init = set_up, .fini = tear_down, .timeout = 60);

static verso_err commit_one(verso_store *to, const char *key)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(to, &txn), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_put(txn, verso_text(key), verso_text("value")), VERSO_OK);
    return verso_commit(txn, NULL, NULL);
}

/* Start a thread that has to wait for the writer, and let it come so far. */
static pthread_t start(void *(*work)(void *), verso_err *result)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, work, result), 0);
    (void)usleep(WAIT_US);
    return thread;
}

static void *begin_and_abort(void *argument)
{
    verso_err *result = argument;
    verso_txn *txn;
    *result = verso_begin(store, &txn);
    if (*result == VERSO_OK) {
        verso_abort(txn);
    }
    return NULL;
}

static void *set_a_tag(void *argument)
{
    verso_err *result = argument;
    *result = verso_tag_set(store, verso_text("tag"), 1);
    return NULL;
}

/* A transaction too long for the log commits by a checkpoint, with the lock in its hands. */
static void poison_while(void *(*work)(void *))
{
    static uint8_t value[LARGE_VALUE];
    verso_err result = VERSO_OK;
    verso_txn *txn;
    cr_assert_eq(commit_one(store, "first"), VERSO_OK);
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    for (unsigned i = 0; i < LARGE_COUNT; i++) {
        verso_slice key = {&i, sizeof i};
        cr_assert_eq(verso_put(txn, key, (verso_slice){value, sizeof value}), VERSO_OK);
    }
    pthread_t waiting = start(work, &result);
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1, .for_ever = true};
    simulated_disk_inject(disk, &fault);
    cr_assert_neq(verso_commit(txn, NULL, NULL), VERSO_OK);
    cr_assert_eq(pthread_join(waiting, NULL), 0);
    cr_assert_eq(result, VERSO_POISONED, "%s", verso_strerror(result));
    (void)verso_close(store);
}

Test(waiting_writer, finds_the_store_poisoned)
{
    poison_while(begin_and_abort);
}

Test(waiting_writer, sets_no_tag_in_a_store_poisoned_meanwhile)
{
    poison_while(set_a_tag);
}

static void *apply_increment(void *argument)
{
    verso_err *result = argument;
    *result = verso_copy_apply(store, "increment", NULL);
    return NULL;
}

Test(waiting_writer, applies_no_increment_behind_a_root_committed_meanwhile)
{
    cr_assert_eq(commit_one(store, "first"), VERSO_OK);
    cr_assert_eq(verso_copy(store, "copy", NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(commit_one(store, "second"), VERSO_OK);
    cr_assert_eq(verso_copy_since(store, 1, "increment", NULL), VERSO_OK, "%s",
                 verso_error_detail());
    cr_assert_eq(verso_close(store), VERSO_OK);
    store = open_at("copy");
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("mine"), verso_text("value")), VERSO_OK);
    verso_err result = VERSO_OK;
    pthread_t waiting = start(apply_increment, &result);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    cr_assert_eq(pthread_join(waiting, NULL), 0);
    cr_assert_eq(result, VERSO_MISMATCH, "%s", verso_strerror(result));
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(report.keys, 2);
    cr_assert_eq(verso_close(store), VERSO_OK);
}
