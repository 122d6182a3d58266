/*
 * delete_range_fault_test.c - a range deletion that runs out of memory, at each allocation that it
 * makes: nothing was changed, or only abort is left; never anything between.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failing_memory.h"
#include "simulated_disk.h"
#include "verso.h"

enum { SMALL_PAGE = 512, KEYS = 6000, LONG_VALUE = 2000, TRIES_MAX = 10000 };

static const char path[] = "store";

/* ---- support ---- */

static verso_store *open_on(struct simulated_disk *disk)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = SMALL_PAGE;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

static void put(verso_txn *txn, unsigned number)
{
    static uint8_t value[LONG_VALUE];
    char key[16];
    (void)snprintf(key, sizeof key, "key%06u", number);
    size_t size = number % 50 == 0 ? LONG_VALUE : number % 60;
    verso_err err = verso_put(txn, verso_text(key), (verso_slice){value, size});
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/** A store of so many keys, closed: its table blocks are in the file. */
static struct simulated_disk *make_store(void)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = NULL;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    for (unsigned i = 0; i < KEYS; i++) {
        put(txn, i);
    }
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
    return disk;
}

static verso_root_info info_of(verso_txn *txn)
{
    verso_root_info info = {.size = sizeof info};
    cr_assert_eq(verso_view_info(verso_txn_view(txn), &info), VERSO_OK);
    return info;
}

static verso_err delete_most(verso_txn *txn)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    range.from = verso_text("key000100");
    range.to = verso_text("key005900");
    return verso_delete_range(txn, &range, NULL);
}

/** What is left of the transaction after a failure. @return Whether it goes on. */
static bool look_after_failure(verso_txn *txn, const verso_root_info *before, uint64_t nth)
{
    verso_err err = verso_delete(txn, verso_text("key000001"));
    if (err == VERSO_MUST_ABORT) {
        return false;
    }
    cr_assert_eq(err, VERSO_OK, "allocation %" PRIu64 ": %s", nth, verso_strerror(err));
    put(txn, 1);
    verso_root_info after = info_of(txn);
    cr_assert_eq(after.keys, before->keys, "allocation %" PRIu64, nth);
    cr_assert_eq(after.fingerprint, before->fingerprint, "allocation %" PRIu64, nth);
    return true;
}

static void check_and_close(verso_store *store, uint64_t nth)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "allocation %" PRIu64 ": %s", nth, report.fault);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/** @return Whether an allocation failed. */
static bool fail_one(struct simulated_disk *disk, uint64_t nth, unsigned *unchanged)
{
    verso_store *store = open_on(disk);
    verso_txn *txn = NULL;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    put(txn, 3000);
    verso_root_info before = info_of(txn);
    failing_memory_arm(nth, false);
    verso_err err = delete_most(txn);
    bool failed = failing_memory_disarm() > 0;
    bool goes_on = true;
    if (err == VERSO_OK) {
        cr_assert_eq(info_of(txn).keys, KEYS - 5800);
    } else {
        cr_assert(failed && err == VERSO_NOMEM, "allocation %" PRIu64 ": %s", nth,
                  verso_strerror(err));
        goes_on = look_after_failure(txn, &before, nth);
        *unchanged += goes_on;
    }
    if (goes_on) {
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    } else {
        verso_abort(txn);
    }
    check_and_close(store, nth);
    return failed;
}

Test(delete_range_fault, without_memory_changes_nothing_or_leaves_only_abort)
{
    struct simulated_disk *made = make_store();
    unsigned unchanged = 0;
    uint64_t nth = 1;
    for (bool failed = true; failed; nth++) {
        cr_assert_lt(nth, TRIES_MAX);
        struct simulated_disk *disk = simulated_disk_clone(made);
        failed = fail_one(disk, nth, &unchanged);
        simulated_disk_close(disk);
    }
    cr_assert_gt(unchanged, 0);
    cr_assert_gt(nth, unchanged + 2, "all %" PRIu64 " failures were early", nth - 2);
    simulated_disk_close(made);
}
