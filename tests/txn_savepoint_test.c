/*
 * txn_savepoint_test.c - what savepoints promise to whoever uses a transaction.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/handles.h"
#include "failing_memory.h"
#include "simulated_disk.h"
#include "verso.h"

enum { SMALL_PAGE = 512, ENTRIES = 2000 };

static const char path[] = "store";

/* ---- support ---- */

static verso_store *open_with(struct simulated_disk *disk, uint64_t log_bytes)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = SMALL_PAGE;
    options.log_bytes = log_bytes;
    options.system = disk != NULL ? simulated_disk_os(disk) : NULL;
    verso_store *store = NULL;
    verso_err err = verso_open(disk != NULL ? path : NULL, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

static void close_store(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "%s", report.fault);
    err = verso_close(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    verso_err err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return txn;
}

static verso_root_id commit(verso_txn *txn)
{
    verso_root_id root = 0;
    verso_err err = verso_commit(txn, NULL, &root);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return root;
}

static void put(verso_txn *txn, const char *key, const char *value)
{
    verso_err err = verso_put(txn, verso_text(key), verso_text(value));
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void put_numbers(verso_txn *txn, unsigned from, unsigned to, const char *value)
{
    for (unsigned i = from; i < to; i++) {
        char key[16];
        snprintf(key, sizeof key, "%06u", i);
        put(txn, key, value);
    }
}

static bool holds(verso_view *view, const char *key, const char *value)
{
    verso_slice found;
    verso_err err = verso_get(view, verso_text(key), &found);
    if (err == VERSO_NOT_FOUND) {
        return value == NULL;
    }
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return value != NULL && found.size == strlen(value) &&
           memcmp(found.data, value, found.size) == 0;
}

static uint32_t savepoint(verso_txn *txn)
{
    uint32_t number = 0;
    verso_err err = verso_savepoint(txn, &number);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return number;
}

static void roll_back(verso_txn *txn, uint32_t number)
{
    verso_err err = verso_rollback(txn, number);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void expect_keys(verso_store *store, uint64_t keys)
{
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_stat(store, &stats);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(stats.keys, keys);
}

/* A sorted batch of many keys below all others. */
static verso_err put_batch(verso_txn *txn)
{
    verso_entry entries[ENTRIES];
    char keys[ENTRIES][16];
    for (unsigned i = 0; i < ENTRIES; i++) {
        snprintf(keys[i], sizeof keys[i], "!%06u", i);
        entries[i] = (verso_entry){verso_text(keys[i]), verso_text("a value of some length")};
    }
    return verso_put_sorted(txn, entries, ENTRIES);
}

/* ---- what is undone ---- */

Test(txn_savepoint, everything_since_it_is_undone)
{
    verso_store *store = open_with(NULL, 0);
    verso_txn *txn = begin(store);
    put_numbers(txn, 0, 100, "committed");
    commit(txn);
    txn = begin(store);
    put_numbers(txn, 50, 150, "before");
    uint32_t number = savepoint(txn);
    cr_assert_eq(number, 1);
    put_numbers(txn, 0, 500, "after");
    for (unsigned i = 0; i < 120; i++) {
        char key[16];
        snprintf(key, sizeof key, "%06u", i);
        verso_err err = verso_delete(txn, verso_text(key));
        cr_assert_eq(err, VERSO_OK);
    }
    roll_back(txn, number);
    verso_view *view = verso_txn_view(txn);
    cr_assert(holds(view, "000049", "committed"));
    cr_assert(holds(view, "000050", "before"));
    cr_assert(holds(view, "000149", "before"));
    cr_assert(holds(view, "000150", NULL));
    commit(txn);
    expect_keys(store, 150);
    close_store(store);
}

Test(txn_savepoint, the_log_has_nothing_of_what_was_undone)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_with(disk, 0);
    verso_txn *txn = begin(store);
    put(txn, "a", "1");
    uint32_t outer = savepoint(txn);
    put(txn, "b", "2");
    uint32_t inner = savepoint(txn);
    cr_assert_eq(inner, 2);
    put(txn, "c", "3");
    roll_back(txn, inner);
    put(txn, "d", "4");
    verso_err err = verso_release(txn, inner);
    cr_assert_eq(err, VERSO_OK);
    roll_back(txn, outer);
    put(txn, "e", "5");
    commit(txn);
    struct simulated_disk *after = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *again = open_with(after, 0); /* replays the log, and compares fingerprints */
    verso_view *view;
    err = verso_view_open(again, &view);
    cr_assert_eq(err, VERSO_OK);
    cr_assert(holds(view, "a", "1") && holds(view, "b", NULL) && holds(view, "c", NULL));
    cr_assert(holds(view, "d", NULL) && holds(view, "e", "5"));
    verso_view_close(view);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

Test(txn_savepoint, a_transaction_rolled_back_to_its_beginning_makes_no_root)
{
    verso_store *store = open_with(NULL, 0);
    verso_txn *txn = begin(store);
    put(txn, "a", "1");
    verso_root_id root = commit(txn);
    txn = begin(store);
    uint32_t number = savepoint(txn);
    put(txn, "a", "2");
    roll_back(txn, number);
    cr_assert_eq(commit(txn), root);
    close_store(store);
}

Test(txn_savepoint, the_first_tree_of_a_store_vanishes_again)
{
    verso_store *store = open_with(NULL, 0);
    verso_txn *txn = begin(store);
    uint32_t number = savepoint(txn);
    put_numbers(txn, 0, 200, "x");
    roll_back(txn, number);
    cr_assert(holds(verso_txn_view(txn), "000000", NULL));
    put(txn, "only", "one");
    commit(txn);
    expect_keys(store, 1);
    close_store(store);
}

Test(txn_savepoint, a_cursor_goes_on_in_the_tree_as_it_was)
{
    verso_store *store = open_with(NULL, 0);
    verso_txn *txn = begin(store);
    put_numbers(txn, 0, 100, "x");
    uint32_t number = savepoint(txn);
    verso_cursor *cursor;
    verso_err err = verso_cursor_open(verso_txn_view(txn), NULL, &cursor);
    cr_assert_eq(err, VERSO_OK);
    verso_entry entry;
    err = verso_cursor_seek(cursor, VERSO_SEEK_EQ, verso_text("000050"), &entry);
    cr_assert_eq(err, VERSO_OK);
    put_numbers(txn, 100, 300, "y");
    for (unsigned i = 40; i < 60; i++) {
        char key[16];
        snprintf(key, sizeof key, "%06u", i);
        err = verso_delete(txn, verso_text(key));
        cr_assert_eq(err, VERSO_OK);
    }
    err = verso_cursor_next(cursor, &entry);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_arr_eq(entry.key.data, "000060", 6);
    roll_back(txn, number);
    err = verso_cursor_previous(cursor, &entry);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_arr_eq(entry.key.data, "000059", 6);
    err = verso_cursor_last(cursor, &entry);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_arr_eq(entry.key.data, "000099", 6);
    verso_cursor_close(cursor);
    verso_abort(txn); /* with the savepoint open */
    close_store(store);
}

Test(txn_savepoint, a_transaction_that_outgrew_the_log_still_commits_whole)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_with(disk, 65536);
    verso_txn *txn = begin(store);
    put_numbers(txn, 0, 10, "kept");
    uint32_t number = savepoint(txn);
    while (!txn->shared->operations.overflowed) {
        verso_err err = put_batch(txn);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
    roll_back(txn, number);
    put(txn, "000010", "kept");
    commit(txn);
    struct simulated_disk *after = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *again = open_with(after, 0);
    expect_keys(again, 11);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

/* ---- after failures ---- */

Test(txn_savepoint, a_full_disk_in_the_middle_of_a_change_is_rolled_back)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_with(disk, 0);
    verso_txn *txn = begin(store);
    put_numbers(txn, 0, 300, "committed");
    commit(txn);
    txn = begin(store);
    put_numbers(txn, 100, 400, "before");
    uint32_t number = savepoint(txn);
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk) + 40000);
    verso_err err = put_batch(txn); /* more than the file has room for */
    cr_assert_eq(err, VERSO_NOSPC, "%s", verso_error_detail());
    cr_assert_eq(verso_put(txn, verso_text("x"), verso_text("y")), VERSO_MUST_ABORT);
    uint32_t other;
    cr_assert_eq(verso_savepoint(txn, &other), VERSO_MUST_ABORT);
    cr_assert_eq(verso_release(txn, number), VERSO_MUST_ABORT);
    roll_back(txn, number);
    simulated_disk_set_capacity(disk, UINT64_MAX);
    put(txn, "more", "of it");
    cr_assert(holds(verso_txn_view(txn), "000399", "before"));
    cr_assert(holds(verso_txn_view(txn), "!000000", NULL));
    commit(txn);
    expect_keys(store, 401);
    struct simulated_disk *after = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *again = open_with(after, 0);
    expect_keys(again, 401);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

/* Changes with one allocation that fails. @return Whether all went well. */
static bool change_a_lot(verso_txn *txn, uint64_t nth)
{
    failing_memory_arm(nth, false);
    uint32_t inner = 0;
    verso_err err = verso_savepoint(txn, &inner);
    if (err == VERSO_OK) {
        err = put_batch(txn);
    }
    for (unsigned i = 0; i < 300 && err == VERSO_OK; i++) {
        char key[16];
        snprintf(key, sizeof key, "%06u", i);
        err = i % 3 == 0
                  ? verso_delete(txn, verso_text(key))
                  : verso_put(txn, verso_text(key), verso_text("a longer value than before"));
    }
    bool failed = failing_memory_disarm() > 0;
    cr_assert(err == VERSO_OK || (err == VERSO_NOMEM && failed), "%s", verso_error_detail());
    return err == VERSO_OK && !failed;
}

Test(txn_savepoint, every_allocation_may_fail_and_is_rolled_back)
{
    unsigned broken = 0;
    bool done = false;
    for (uint64_t nth = 1; !done; nth++) {
        verso_store *store = open_with(NULL, 0);
        verso_txn *txn = begin(store);
        put_numbers(txn, 0, 300, "before");
        uint32_t number = savepoint(txn);
        done = change_a_lot(txn, nth);
        broken += txn->shared->broken;
        roll_back(txn, number);
        cr_assert(holds(verso_txn_view(txn), "000000", "before"));
        put(txn, "more", "of it");
        commit(txn);
        expect_keys(store, 301);
        close_store(store);
    }
    cr_assert_gt(broken, 0, "some failures come in the middle of a change");
}

/* ---- arguments ---- */

Test(txn_savepoint, one_that_is_not_open_is_refused)
{
    verso_store *store = open_with(NULL, 0);
    verso_txn *txn = begin(store);
    cr_assert_eq(verso_rollback(txn, 0), VERSO_INVALID);
    cr_assert_eq(verso_rollback(txn, 1), VERSO_INVALID);
    cr_assert_eq(verso_release(txn, 1), VERSO_INVALID);
    cr_assert_eq(verso_savepoint(txn, NULL), VERSO_INVALID);
    uint32_t number;
    cr_assert_eq(verso_savepoint(NULL, &number), VERSO_INVALID);
    cr_assert_eq(verso_rollback(NULL, 1), VERSO_INVALID);
    cr_assert_eq(verso_release(NULL, 1), VERSO_INVALID);
    savepoint(txn);
    savepoint(txn);
    roll_back(txn, 1);
    cr_assert_eq(verso_rollback(txn, 2), VERSO_INVALID, "it went with the rollback");
    verso_err err = verso_release(txn, 1);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(verso_rollback(txn, 1), VERSO_INVALID);
    commit(txn);
    txn = begin(store);
    cr_assert_eq(verso_rollback(txn, 1), VERSO_INVALID, "a new transaction has none");
    verso_abort(txn);
    close_store(store);
}

Test(txn_savepoint, a_thousand_may_be_open)
{
    verso_store *store = open_with(NULL, 0);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 1000; i++) {
        put_numbers(txn, i, i + 1, "x");
        cr_assert_eq(savepoint(txn), i + 1);
    }
    uint32_t number = 99;
    cr_assert_eq(verso_savepoint(txn, &number), VERSO_LIMIT);
    cr_assert_eq(number, 99);
    roll_back(txn, 500);
    commit(txn);
    expect_keys(store, 500);
    close_store(store);
}
