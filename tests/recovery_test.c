/*
 * recovery_test.c - a replay that runs out of memory, at each allocation, or meets damage, in each page:
 * it is refused, and the next one that has memory and sound pages has all that was committed.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "failing_memory.h"
#include "simulated_disk.h"
#include "verso.h"

enum { PAGE_SIZE = 512, KEYS = 400, LEFT = 40, ALLOCATIONS_MAX = 10000 };

static verso_err open_on(struct simulated_disk *disk, verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.system = simulated_disk_os(disk);
    *store = NULL;
    return verso_open("store", &options, store);
}

static verso_slice key_at(unsigned number, char *text, size_t size)
{
    (void)snprintf(text, size, "key %06u", number);
    return verso_text(text);
}

static void put_keys(verso_txn *txn)
{
    for (unsigned i = 0; i < KEYS; i++) {
        char text[16];
        verso_err err = verso_put(txn, key_at(i, text, sizeof text), verso_text("value"));
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK, "%s", verso_error_detail());
    return txn;
}

static void commit(verso_txn *txn)
{
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
}

/* Changes of every kind in the log, and the power cut: two trees with the last keys left, root 3. */
static struct simulated_disk *cut_off(bool checkpointed)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store;
    verso_txn *named;
    char text[16];
    cr_assert_eq(open_on(disk, &store), VERSO_OK, "%s", verso_error_detail());
    verso_txn *txn = begin(store);
    cr_assert_eq(verso_txn_tree(txn, verso_text("named"), true, &named), VERSO_OK);
    put_keys(txn);
    put_keys(named);
    commit(txn);
    if (checkpointed) {
        cr_assert_eq(verso_checkpoint(store), VERSO_OK, "%s", verso_error_detail());
    }
    cr_assert_eq(verso_tag_set(store, verso_text("tag"), 1), VERSO_OK);
    for (unsigned i = 0; i < 2; i++) {
        verso_range range = {
            .size = sizeof range, .has_to = true, .to = key_at(KEYS - LEFT, text, sizeof text)};
        txn = begin(store);
        cr_assert_eq(verso_txn_tree(txn, verso_text("named"), false, &named), VERSO_OK);
        cr_assert_eq(verso_delete_range(i == 0 ? txn : named, &range, NULL), VERSO_OK);
        commit(txn);
    }
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
    return left;
}

static void expect_all(verso_store *store, uint64_t nth)
{
    verso_view *view;
    verso_view *named;
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "number %" PRIu64 ": %s", nth,
                 report.fault);
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    cr_assert_eq(verso_view_tree(view, verso_text("named"), &named), VERSO_OK);
    verso_view *const views[] = {view, named};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t keys = 0;
        cr_assert_eq(verso_count(views[i], NULL, &keys), VERSO_OK);
        cr_assert_eq(keys, LEFT, "number %" PRIu64, nth);
    }
    verso_view_close(view);
}

Test(recovery, without_memory_is_refused_and_tried_again, .timeout = 60)
{
    struct simulated_disk *left = cut_off(false);
    verso_store *store;
    uint64_t nth = 0;
    for (bool failed = true; failed;) {
        cr_assert_lt(++nth, ALLOCATIONS_MAX);
        struct simulated_disk *disk = simulated_disk_clone(left);
        int64_t held = failing_memory_held();
        failing_memory_arm(nth, false);
        verso_err err = open_on(disk, &store);
        failed = failing_memory_disarm() > 0;
        cr_assert(err == VERSO_OK || (failed && err == VERSO_NOMEM), "allocation %" PRIu64 ": %s",
                  nth, verso_error_detail());
        if (err != VERSO_OK) {
            cr_assert_eq(failing_memory_held(), held, "allocation %" PRIu64 " leaks", nth);
            cr_assert_eq(open_on(disk, &store), VERSO_OK, "%s", verso_error_detail());
        }
        expect_all(store, nth);
        cr_assert_eq(verso_close(store), VERSO_OK);
        simulated_disk_close(disk);
    }
    cr_assert_gt(nth, 50);
    simulated_disk_close(left);
}

Test(recovery, that_meets_damage_is_refused_and_goes_on_without_it, .timeout = 60)
{
    struct simulated_disk *left = cut_off(true);
    uint64_t size;
    unsigned refused = 0;
    (void)simulated_disk_bytes(left, "store", &size);
    for (uint64_t page = 1; page < size / PAGE_SIZE; page++) {
        struct simulated_disk *disk = simulated_disk_clone(left);
        verso_store *store;
        simulated_disk_flip(disk, "store", page * PAGE_SIZE + PAGE_SIZE / 2, 1);
        verso_err err = open_on(disk, &store);
        cr_assert(err == VERSO_OK || err == VERSO_CORRUPT, "page %" PRIu64 ": %s", page,
                  verso_error_detail());
        if (err != VERSO_OK) {
            refused++;
            simulated_disk_flip(disk, "store", page * PAGE_SIZE + PAGE_SIZE / 2, 1);
            cr_assert_eq(open_on(disk, &store), VERSO_OK, "%s", verso_error_detail());
            expect_all(store, page);
        }
        cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
        simulated_disk_close(disk);
    }
    cr_assert_gt(refused, 20, "all leaves but the last are met");
    simulated_disk_close(left);
}
