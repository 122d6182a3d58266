/*
 * pieces_test.c - a value whose pages do not lie in one row: whoever wants it whole needs memory for
 * it, and where there is none says so, keeps nothing, and has it the next time.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failing_memory.h"
#include "simulated_disk.h"
#include "verso.h"

enum { KEYS = 600, LONG_VALUE = 100000, TRIES_MAX = 2000 };

#define LONG_KEY "key0000300 long"

static struct simulated_disk *disk;
static verso_store *store;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void open_store(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.create = true;
    options.page_size = 512;
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    must(verso_open("store", &options, &store));
}

static verso_slice long_value(unsigned root)
{
    static uint8_t bytes[LONG_VALUE];
    memset(bytes, (int)root, sizeof bytes);
    return (verso_slice){bytes, sizeof bytes};
}

/* Two roots with two values; the table's parts lie between their pages. */
static void set_up(void)
{
    disk = simulated_disk_open(1);
    open_store();
    for (unsigned root = 1; root <= 2; root++) {
        verso_txn *txn;
        must(verso_begin(store, &txn));
        for (unsigned i = 0; i < KEYS && root == 1; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "key%07u", i);
            must(verso_put(txn, verso_text(key), verso_text("value")));
        }
        must(verso_put(txn, verso_text(LONG_KEY), long_value(root)));
        must(verso_commit(txn, NULL, NULL));
    }
    must(verso_close(store));
    open_store();
}

static void tear_down(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    must(verso_close(store));
    simulated_disk_close(disk);
}

TestSuite(pieces, .init = set_up, .fini = tear_down);

static void expect_value(verso_slice value, unsigned root)
{
    cr_assert_eq(value.size, LONG_VALUE);
    cr_assert_eq(memcmp(value.data, long_value(root).data, LONG_VALUE), 0);
}

/* ---- what wants it whole ---- */

typedef verso_err call(verso_view *view);

static verso_err get(verso_view *view)
{
    verso_slice value;
    verso_err err = verso_get(view, verso_text(LONG_KEY), &value);
    if (err == VERSO_OK) {
        expect_value(value, 2);
    }
    return err;
}

static verso_err scan(verso_view *view)
{
    verso_cursor *cursor;
    verso_entry entries[8];
    size_t count = 0;
    verso_err err = verso_cursor_open(view, NULL, &cursor);
    if (err != VERSO_OK) {
        return err;
    }
    unsigned met = 0;
    while ((err = verso_cursor_batch(cursor, entries, 8, &count)) == VERSO_OK) {
        for (size_t i = 0; i < count; i++) {
            met += entries[i].value.size == LONG_VALUE;
        }
    }
    verso_cursor_close(cursor);
    cr_assert(err != VERSO_NOT_FOUND || met == 1);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

static verso_err differ(verso_view *view)
{
    verso_view *first;
    verso_diff *diff;
    verso_change change;
    verso_err err = verso_view_open_root(store, 1, &first);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_diff_open(first, view, NULL, &diff);
    if (err == VERSO_OK) {
        err = verso_diff_next(diff, &change);
        if (err == VERSO_OK) {
            expect_value(change.old_value, 1);
            expect_value(change.new_value, 2);
        } else { /* and so it stays */
            cr_assert_eq(verso_diff_next(diff, &change), err);
        }
        verso_diff_close(diff);
    }
    verso_view_close(first);
    return err;
}

static verso_err look_back(verso_view *view)
{
    verso_history *history = NULL;
    verso_key_version version = {.size = sizeof version};
    verso_err err = verso_history_open(view, verso_text(LONG_KEY), &history);
    for (unsigned root = 2; root > 0 && err == VERSO_OK; root--) {
        err = verso_history_next(history, &version);
        if (err == VERSO_OK) {
            expect_value(version.value, root);
        } else {
            cr_assert_eq(verso_history_next(history, &version), err);
        }
    }
    verso_history_close(history);
    return err;
}

static verso_err check(verso_view *view)
{
    verso_check_report report = {.size = sizeof report};
    (void)view;
    return verso_check(store, &report);
}

static verso_err write_increment(verso_view *view)
{
    (void)view;
    verso_err err = verso_copy_since(store, 1, "increment", NULL);
    cr_assert_eq(simulated_disk_exists(disk, "increment"), err == VERSO_OK);
    if (err == VERSO_OK) {
        simulated_disk_remove(disk, "increment");
    }
    return err;
}

/* In a transaction that is aborted; of the changes the last wants it. */
static verso_err change_it(verso_view *view)
{
    verso_txn *txn;
    verso_slice old;
    verso_view *first = NULL;
    (void)view;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_view_open_root(store, 1, &first);
    err = err == VERSO_OK ? verso_exchange(txn, verso_text(LONG_KEY), verso_text("short"), &old)
                          : err;
    if (err == VERSO_OK) {
        expect_value(old, 2);
        err = verso_put(txn, verso_text("old"), old); /* lies in the transaction's own memory */
    }
    err = err == VERSO_OK ? verso_revert(txn, first, NULL, NULL) : err;
    err = err == VERSO_OK ? verso_take(txn, verso_text(LONG_KEY), &old) : err;
    if (err == VERSO_OK) {
        expect_value(old, 1);
    }
    verso_view_close(first);
    verso_abort(txn);
    return err;
}

/* Each allocation fails in its turn, until all went well. @return How many failed. */
static uint64_t fail_each(call *make, const char *what)
{
    verso_view *view;
    verso_err err = VERSO_NOMEM;
    uint64_t nth = 1;
    must(verso_view_open(store, &view));
    for (; err != VERSO_OK; nth++) {
        cr_assert_lt(nth, TRIES_MAX);
        failing_memory_arm(nth, false);
        err = make(view);
        bool met = failing_memory_disarm() > 0;
        cr_assert(err == VERSO_OK || (met && (err == VERSO_NOMEM || err == VERSO_MUST_ABORT)),
                  "%s, allocation %" PRIu64 ": %s", what, nth, verso_error_detail());
    }
    verso_view_close(view);
    return nth - 2;
}

Test(pieces, of_a_value_need_memory_and_say_where_there_is_none)
{
    static const struct {
        const char *name;
        call *make;
    } calls[] = {
        {"a get", get},           {"batches", scan},  {"differences", differ},
        {"a history", look_back}, {"a check", check}, {"an increment", write_increment},
        {"changes", change_it},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        cr_assert_gt(fail_each(calls[i].make, calls[i].name), 0, "%s", calls[i].name);
    }
}

Test(pieces, are_salvaged_where_there_is_memory)
{
    must(verso_close(store));
    verso_err err = VERSO_NOMEM;
    verso_salvage_options options = {.size = sizeof options, .system = simulated_disk_os(disk)};
    verso_salvage_report report = {.size = sizeof report};
    for (uint64_t nth = 1; err != VERSO_OK; nth++) {
        cr_assert_lt(nth, TRIES_MAX);
        failing_memory_arm(nth, false);
        err = verso_salvage("store", "salvaged", &options, &report);
        bool met = failing_memory_disarm() > 0;
        cr_assert(err == VERSO_OK || (met && err == VERSO_NOMEM), "allocation %" PRIu64 ": %s", nth,
                  verso_error_detail());
        cr_assert_eq(simulated_disk_exists(disk, "salvaged"), err == VERSO_OK);
    }
    cr_assert(report.whole);
    open_store();
}
