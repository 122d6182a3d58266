/*
 * spill_fault_test.c - a transaction that outgrows the arena, on a bad day: pages written early to
 * their own places, read back and changed again, while writes fail and calls inside fail.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_calls.h"
#include "simulated_disk.h"
#include "verso.h"

enum { KEYS = 1500, VALUE_SIZE = 150, WRITE_STEP = 37, OCCURRENCES = 3 };

static struct simulated_disk *disk;
static verso_store *store;

static void set_up(void)
{
    disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 512;
    options.arena_bytes = 1; /* the least there is */
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
}

static void check_store(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(report.keys, 0, "nothing was committed");
}

static void tear_down(void)
{
    check_store();
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
    simulated_disk_close(disk);
}

TestSuite(spill_fault, .init = set_up, .fini = tear_down, .timeout = 120);

/* Twice through all keys with a savepoint between, so that spilled pages are changed again; then
 * back to it. */
static verso_err change_all(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    uint32_t savepoint = 0;
    for (unsigned i = 0; i < 2 * KEYS && err == VERSO_OK; i++) {
        uint8_t value[VALUE_SIZE];
        char key[16];
        memset(value, (int)i, sizeof value);
        (void)snprintf(key, sizeof key, "%06u", i * 7919U % KEYS);
        err = i == KEYS ? verso_savepoint(txn, &savepoint) : VERSO_OK;
        if (err == VERSO_OK) {
            err = verso_put(txn, verso_text(key), (verso_slice){value, sizeof value});
        }
    }
    return err == VERSO_OK ? verso_rollback(txn, savepoint) : err;
}

static verso_err play(void)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = change_all(txn);
    verso_abort(txn);
    return err;
}

Test(spill_fault, writes_that_fail_end_the_transaction_and_nothing_else)
{
    bool met = true;
    for (uint64_t nth = 1; met; nth += WRITE_STEP) {
        struct simulated_fault fault = {.kind = SIMULATED_WRITE, .nth = nth};
        uint64_t before = simulated_disk_faults_met(disk);
        simulated_disk_inject(disk, &fault);
        verso_err err = play();
        met = simulated_disk_faults_met(disk) > before;
        simulated_disk_heal(disk);
        cr_assert_eq(err, met ? VERSO_IO : VERSO_OK, "write %" PRIu64 ": %s", nth,
                     verso_error_detail());
        check_store();
    }
}

Test(spill_fault, calls_that_fail_end_the_transaction_and_nothing_else)
{
    failing_calls_record();
    cr_assert_eq(play(), VERSO_OK, "%s", verso_error_detail());
    const struct failing_point *recorded;
    size_t count = failing_calls_recorded(&recorded);
    struct failing_point *points = calloc(count, sizeof *points);
    cr_assert_not_null(points);
    memcpy(points, recorded, count * sizeof *points);
    for (size_t i = 0; i < count; i++) {
        for (uint64_t k = 0; k < OCCURRENCES; k++) {
            uint64_t nth = 1 + k * (points[i].met - 1) / (OCCURRENCES - 1);
            failing_calls_arm(&points[i], nth);
            verso_err err = play();
            (void)failing_calls_disarm();
            cr_assert(err == VERSO_OK || err == VERSO_CORRUPT || err == VERSO_NOMEM ||
                          err == VERSO_NOSPC || err == VERSO_MUST_ABORT,
                      "%s() %" PRIu64 ": %s", points[i].call, nth, verso_error_detail());
            check_store();
        }
    }
    free(points);
    cr_assert_eq(play(), VERSO_OK, "%s", verso_error_detail());
}
