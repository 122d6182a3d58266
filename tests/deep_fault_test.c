/*
 * deep_fault_test.c - trees of several levels, all of their pages cold, while calls inside fail one
 * by one: every way of changing and reading them ends with the failure, an aborted transaction
 * leaves nothing behind, and the next try succeeds.
 *
 * The scenarios of inner_sweep_test.c have small trees, so that they can be played thousands of
 * times; here leaves and branches split, go, are joined and are evened out.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_calls.h"
#include "run_length.h"
#include "simulated_disk.h"
#include "verso.h"

enum { KEYS = 1200, ROOTS = 3, VALUE_SIZE = 120, LONG_SIZE = 5000, SORTED = 300 };

static struct simulated_disk *disk;
static verso_store *store;

static verso_slice key_of(unsigned number)
{
    static char text[4][16];
    static unsigned next;
    char *key = text[next++ % 4];
    (void)snprintf(key, sizeof text[0], "%06u", number);
    return verso_text(key);
}

static verso_slice value_of(unsigned number, size_t size)
{
    static uint8_t bytes[LONG_SIZE];
    memset(bytes, (int)number, size);
    return (verso_slice){bytes, size};
}

static void open_store(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.create = true;
    options.page_size = 512;
    options.arena_bytes = 1; /* the least there is */
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
}

/* Three roots: all keys, a third of them changed, a few long values. */
static void set_up(void)
{
    disk = simulated_disk_open(1);
    open_store();
    for (unsigned root = 0; root < ROOTS; root++) {
        verso_txn *txn;
        cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
        for (unsigned i = 0; i < KEYS; i += root == 0 ? 1 : root == 1 ? 3 : 50) {
            size_t size = root == 2 ? LONG_SIZE : VALUE_SIZE;
            cr_assert_eq(verso_put(txn, key_of(2 * i), value_of(i + root, size)), VERSO_OK);
        }
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
    open_store();
}

static void check_store(const char *when)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s: %s", when, report.fault);
    cr_assert_eq(report.keys, KEYS, "%s", when);
    cr_assert_eq(report.roots, ROOTS, "%s", when);
}

static void tear_down(void)
{
    check_store("at the end");
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
    simulated_disk_close(disk);
}

TestSuite(deep_fault, .init = set_up, .fini = tear_down, .timeout = 600);

/* ---- changes ------------------------------------------------------------------------------- */

static verso_err insert_between(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i += 2) {
        err = verso_insert(txn, key_of(2 * (i * 7 % KEYS) + 1), value_of(i, VALUE_SIZE));
    }
    return err;
}

static verso_err delete_each(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i++) {
        err = verso_delete(txn, key_of(2 * i));
    }
    return err;
}

static verso_err delete_scattered(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i + 200 < KEYS && err == VERSO_OK; i++) {
        verso_slice old;
        err = verso_take(txn, key_of(2 * (i * 7919 % KEYS)), &old);
    }
    return err;
}

static verso_err delete_between(verso_txn *txn)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    uint64_t deleted;
    range.from = key_of(301);
    range.to = key_of(1999);
    verso_err err = verso_delete_range(txn, &range, &deleted);
    range.has_to = false;
    return err == VERSO_OK ? verso_delete_range(txn, &range, &deleted) : err;
}

static verso_err put_in_order(verso_txn *txn)
{
    static char keys[SORTED][16];
    static verso_entry entries[SORTED];
    for (unsigned i = 0; i < SORTED; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "%06u", 3 * i + 500);
        entries[i] = (verso_entry){verso_text(keys[i]), value_of(1, VALUE_SIZE)};
    }
    return verso_put_sorted(txn, entries, SORTED);
}

static verso_err lengthen_and_shorten(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i += 25) {
        verso_slice old;
        err = verso_exchange(txn, key_of(2 * i), value_of(i, i % 2 == 0 ? LONG_SIZE : 9), &old);
    }
    return err;
}

static verso_err change_trees(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < 40 && err == VERSO_OK; i++) {
        verso_txn *tree;
        err = verso_txn_tree(txn, key_of(i), true, &tree);
        err = err == VERSO_OK ? verso_put(tree, key_of(i), value_of(i, 20)) : err;
    }
    for (unsigned i = 0; i < 40 && err == VERSO_OK; i++) {
        err = i % 2 == 0 ? verso_tree_drop(txn, key_of(i))
                         : verso_tree_rename(txn, key_of(i), key_of(i + 100));
    }
    return err;
}

static verso_err revert_some(verso_txn *txn)
{
    verso_view *first;
    uint64_t changes;
    verso_err err = verso_view_open_root(store, 1, &first);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_revert(txn, first, NULL, &changes);
    err = err == VERSO_OK ? insert_between(txn) : err;
    err = err == VERSO_OK ? verso_revert_all(txn, first, &changes) : err;
    verso_view_close(first);
    return err;
}

/* ---- readings ------------------------------------------------------------------------------ */

static verso_err scan(verso_view *view)
{
    verso_cursor *cursor;
    verso_entry entries[32];
    size_t count = 1;
    verso_err err = verso_cursor_open(view, NULL, &cursor);
    if (err != VERSO_OK) {
        return err;
    }
    while (err == VERSO_OK && count > 0) {
        err = verso_cursor_batch(cursor, entries, 32, &count);
        err = err == VERSO_NOT_FOUND ? VERSO_OK : err;
    }
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i++) {
        err = verso_cursor_previous(cursor, &entries[0]);
    }
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i += 40) {
        err = verso_cursor_seek(cursor, VERSO_SEEK_LE, key_of(2 * i + 1), &entries[0]);
    }
    verso_cursor_close(cursor);
    return err;
}

static verso_err count(verso_view *view)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    verso_entry entry;
    uint64_t number;
    range.from = key_of(301);
    range.to = key_of(1999);
    verso_err err = verso_count(view, &range, &number);
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i += 100) {
        err = verso_rank(view, key_of(i), &number);
        err = err == VERSO_OK ? verso_nth(view, i, &entry) : err;
    }
    return err;
}

static verso_err get_some(verso_view *view)
{
    verso_slice keys[16];
    verso_slice values[16];
    verso_err results[16];
    static char text[16][16];
    for (unsigned i = 0; i < 16; i++) {
        (void)snprintf(text[i], sizeof text[i], "%06u", i * 150);
        keys[i] = verso_text(text[i]);
    }
    verso_err err = verso_get_many(view, keys, 16, values, results);
    for (unsigned i = 0; i < 16 && err == VERSO_OK; i++) {
        err = results[i] == VERSO_NOT_FOUND ? VERSO_OK : results[i];
    }
    return err;
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
        while ((err = verso_diff_next(diff, &change)) == VERSO_OK) {
        }
        verso_diff_close(diff);
    }
    verso_view_close(first);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

static verso_err histories(verso_view *view)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i += 150) {
        verso_history *history;
        verso_key_version version = {.size = sizeof version};
        err = verso_history_open(view, key_of(2 * i), &history);
        if (err == VERSO_OK) {
            while ((err = verso_history_next(history, &version)) == VERSO_OK) {
            }
            verso_history_close(history);
        }
        err = err == VERSO_NOT_FOUND ? VERSO_OK : err;
    }
    return err;
}

static verso_err survey(verso_view *view)
{
    verso_root_cost costs[4] = {{.size = sizeof costs[0]},
                                {.size = sizeof costs[0]},
                                {.size = sizeof costs[0]},
                                {.size = sizeof costs[0]}};
    verso_space_report space = {.size = sizeof space};
    verso_retention policy = verso_keep_all();
    verso_retention_effect effect = {.size = sizeof effect};
    size_t filled;
    (void)view;
    policy.all = false;
    policy.last = 1;
    policy.has_budget = true;
    policy.budget_bytes = 1;
    verso_err err = verso_root_costs(store, 0, costs, 4, &filled);
    err = err == VERSO_OK ? verso_space(store, &space) : err;
    return err == VERSO_OK ? verso_retention_try(store, &policy, NULL, 0, &effect) : err;
}

static verso_err copy(verso_view *view)
{
    (void)view;
    verso_err err = verso_copy(store, "copy", NULL, NULL);
    err = err == VERSO_OK ? verso_copy_since(store, 1, "increment", NULL) : err;
    static const char *const made[] = {"copy", "increment"};
    for (size_t i = 0; i < 2; i++) {
        if (simulated_disk_exists(disk, made[i])) {
            simulated_disk_remove(disk, made[i]);
        }
    }
    return err;
}

static verso_err check(verso_view *view)
{
    (void)view;
    verso_check_report report = {.size = sizeof report};
    return verso_check(store, &report);
}

/* ---- the sweep ----------------------------------------------------------------------------- */

struct play {
    const char *name;
    verso_err (*change)(verso_txn *txn); /* in a transaction that is aborted, */
    verso_err (*read)(verso_view *view); /* or in a view */
};

static verso_err act(const struct play *play)
{
    verso_txn *txn;
    verso_view *view;
    verso_err err;
    if (play->change != NULL) {
        err = verso_begin(store, &txn);
        if (err == VERSO_OK) {
            err = play->change(txn);
            verso_abort(txn);
        }
        return err;
    }
    err = verso_view_open(store, &view);
    if (err == VERSO_OK) {
        err = play->read(view);
        verso_view_close(view);
    }
    return err;
}

static void fail_one(const struct play *play, const struct failing_point *point, uint64_t nth)
{
    failing_calls_arm(point, nth);
    verso_err err = act(play);
    (void)failing_calls_disarm();
    cr_assert(err == VERSO_OK || err == VERSO_CORRUPT || err == VERSO_NOMEM || err == VERSO_NOSPC ||
                  err == VERSO_MUST_ABORT,
              "%s, %s() %" PRIu64 ": %s (%s)", play->name, point->call, nth, verso_strerror(err),
              verso_error_detail());
}

static void fail_each(const struct play *play)
{
    const uint64_t occurrences = run_length("VERSO_TEST_OCCURRENCES", 3);
    failing_calls_record();
    cr_assert_eq(act(play), VERSO_OK, "%s: %s", play->name, verso_error_detail());
    const struct failing_point *recorded;
    size_t points = failing_calls_recorded(&recorded);
    struct failing_point *point = calloc(points + 1, sizeof *point);
    cr_assert_not_null(point);
    memcpy(point, recorded, points * sizeof *point);
    for (size_t i = 0; i < points; i++) {
        uint64_t step = point[i].met / occurrences + 1;
        for (uint64_t nth = 1; nth <= point[i].met; nth += step) {
            fail_one(play, &point[i], nth);
        }
        check_store(play->name);
    }
    free(point);
    cr_assert_eq(act(play), VERSO_OK, "%s: %s", play->name, verso_error_detail());
}

Test(deep_fault, changes_leave_nothing_behind_wherever_they_fail)
{
    static const struct play plays[] = {
        {"insert", insert_between, NULL},
        {"delete each", delete_each, NULL},
        {"delete scattered", delete_scattered, NULL},
        {"delete ranges", delete_between, NULL},
        {"put in order", put_in_order, NULL},
        {"long values", lengthen_and_shorten, NULL},
        {"trees", change_trees, NULL},
        {"revert", revert_some, NULL},
    };
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        fail_each(&plays[i]);
    }
}

Test(deep_fault, readings_report_what_fails_below_them)
{
    static const struct play plays[] = {
        {"scan", NULL, scan},          {"count", NULL, count},       {"get", NULL, get_some},
        {"differences", NULL, differ}, {"history", NULL, histories}, {"survey", NULL, survey},
        {"copy", NULL, copy},          {"check", NULL, check},
    };
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        fail_each(&plays[i]);
    }
}
