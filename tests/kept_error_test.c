/*
 * kept_error_test.c - every walk that has met an error says it again at each further step, though
 * the reason is gone meanwhile: whoever reads on must not take the rest for the whole.
 *
 * The first read of each page or table block fails, one after the other, and never again.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "simulated_disk.h"
#include "verso.h"

enum { KEYS = 400, CHANGED = 150, STEP = 7, OPEN_MAX = 3, PAGE_SIZE = 512, LONG_VALUE = 100000 };

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_slice key_of(unsigned number, char *text)
{
    return (verso_slice){text, (size_t)snprintf(text, 16, "key%07u", number)};
}

static void commit(verso_store *store, unsigned from, unsigned to, unsigned step, const char *value)
{
    verso_txn *txn;
    char text[16];
    must(verso_begin(store, &txn));
    for (unsigned i = from; i < to; i += step) {
        must(verso_put(txn, key_of(i, text), verso_text(value)));
    }
    must(verso_commit(txn, NULL, NULL));
}

/* A closed store of four roots: the third changes every seventh of the keys from 150 on, the others
 * one key each. */
static struct simulated_disk *make_store(void)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.system = simulated_disk_os(disk);
    verso_store *store;
    must(verso_open("store", &options, &store));
    commit(store, 0, KEYS, 1, "first");
    commit(store, CHANGED, CHANGED + 1, 1, "second");
    commit(store, CHANGED, KEYS, STEP, "third");
    commit(store, CHANGED, CHANGED + 1, 1, "fourth");
    must(verso_close(store));
    return disk;
}

/* One walk over an open store: to its end, or to an error, which must then stay. */
typedef verso_err walk(verso_store *store, unsigned *met);

static verso_err scan(verso_store *store, unsigned *met)
{
    verso_view *view;
    verso_cursor *cursor;
    verso_entry entry;
    verso_entry batch[2];
    size_t count = 0;
    must(verso_view_open(store, &view));
    must(verso_cursor_open(view, NULL, &cursor));
    verso_err err;
    while ((err = verso_cursor_next(cursor, &entry)) == VERSO_OK) {
        (*met)++;
    }
    for (unsigned i = 0; i < 2 && err != VERSO_NOT_FOUND; i++) {
        cr_assert_eq(verso_cursor_next(cursor, &entry), err);
        cr_assert_eq(verso_cursor_previous(cursor, &entry), err);
        cr_assert_eq(verso_cursor_current(cursor, &entry), err);
        cr_assert_eq(verso_cursor_batch(cursor, batch, 2, &count), err);
    }
    if (err != VERSO_NOT_FOUND) { /* placed anew, it goes on */
        must(verso_cursor_last(cursor, &entry));
        must(verso_cursor_previous(cursor, &entry));
    }
    verso_cursor_close(cursor);
    verso_view_close(view);
    return err;
}

static verso_err scan_by_batches(verso_store *store, unsigned *met)
{
    verso_view *view;
    verso_cursor *cursor;
    verso_entry entry;
    verso_entry batch[5];
    size_t count = 0;
    must(verso_view_open(store, &view));
    must(verso_cursor_open(view, NULL, &cursor));
    verso_err err;
    while ((err = verso_cursor_batch(cursor, batch, 5, &count)) == VERSO_OK) {
        *met += (unsigned)count;
    }
    for (unsigned i = 0; i < 2 && err != VERSO_NOT_FOUND; i++) {
        cr_assert_eq(verso_cursor_batch(cursor, batch, 5, &count), err);
        cr_assert_eq(count, 0);
        cr_assert_eq(verso_cursor_next(cursor, &entry), err);
    }
    verso_cursor_close(cursor);
    verso_view_close(view);
    return err;
}

static verso_err walk_over_difference(verso_store *store, unsigned *met)
{
    verso_view *views[2] = {NULL, NULL};
    verso_diff *diff = NULL;
    verso_change change;
    verso_err err = verso_view_open_root(store, 1, &views[0]);
    err = err == VERSO_OK ? verso_view_open_root(store, 4, &views[1]) : err;
    err = err == VERSO_OK ? verso_diff_open(views[0], views[1], NULL, &diff) : err;
    while (err == VERSO_OK) {
        err = verso_diff_next(diff, &change);
        *met += err == VERSO_OK;
    }
    for (unsigned i = 0; i < 3 && diff != NULL; i++) {
        cr_assert_eq(verso_diff_next(diff, &change), err);
    }
    verso_diff_close(diff);
    verso_view_close(views[0]);
    verso_view_close(views[1]);
    return err;
}

static verso_err walk_through_key_history(verso_store *store, unsigned *met)
{
    verso_view *view;
    verso_history *history;
    verso_key_version version = {.size = sizeof version};
    char text[16];
    must(verso_view_open(store, &view));
    verso_err err = verso_history_open(view, key_of(CHANGED, text), &history);
    if (err != VERSO_OK) {
        verso_view_close(view);
        return err;
    }
    while ((err = verso_history_next(history, &version)) == VERSO_OK) {
        (*met)++;
    }
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(verso_history_next(history, &version), err);
    }
    verso_history_close(history);
    verso_view_close(view);
    return err;
}

static verso_store *open_guarded(struct simulated_disk *disk, bool read_only)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = read_only;
    options.guard_reads = true;
    options.system = simulated_disk_os(disk);
    verso_store *store;
    must(verso_open("store", &options, &store));
    return store;
}

static uint64_t reads_of(struct simulated_disk *disk, walk *go, unsigned expected)
{
    unsigned met = 0;
    verso_store *store = open_guarded(disk, true);
    uint64_t before = simulated_disk_events(disk, SIMULATED_READ);
    cr_assert_eq(go(store, &met), VERSO_NOT_FOUND);
    cr_assert_eq(met, expected);
    uint64_t reads = simulated_disk_events(disk, SIMULATED_READ) - before;
    must(verso_close(store));
    return reads;
}

static void fail_each_read(struct simulated_disk *disk, walk *go, unsigned expected)
{
    uint64_t reads = reads_of(disk, go, expected);
    cr_assert_geq(reads, 4);
    unsigned halfway = 0;
    for (uint64_t nth = OPEN_MAX; nth <= reads; nth++) { /* the first ones fail the opening */
        unsigned met = 0;
        verso_store *store = open_guarded(disk, true);
        struct simulated_fault fault = {.kind = SIMULATED_READ, .nth = nth};
        simulated_disk_inject(disk, &fault);
        cr_assert_eq(go(store, &met), VERSO_IO, "read %u", (unsigned)nth);
        halfway += met > 0;
        simulated_disk_heal(disk);
        must(verso_close(store));
    }
    cr_assert_gt(halfway, 0, "no walk has failed on its way");
    simulated_disk_close(disk);
}

Test(kept_error, a_cursor_keeps_it)
{
    fail_each_read(make_store(), scan, KEYS);
}

Test(kept_error, a_cursor_that_takes_batches_keeps_it)
{
    fail_each_read(make_store(), scan_by_batches, KEYS);
}

/* Its pages lie on both sides of a table block, so that it is put together when it is read. */
Test(kept_error, a_cursor_on_a_value_in_several_pieces_keeps_it)
{
    static const uint8_t zeros[LONG_VALUE];
    struct simulated_disk *disk = make_store();
    verso_store *store = open_guarded(disk, false);
    verso_txn *txn;
    char text[16];
    must(verso_begin(store, &txn));
    must(verso_put(txn, key_of(CHANGED, text), (verso_slice){zeros, sizeof zeros}));
    must(verso_commit(txn, NULL, NULL));
    must(verso_close(store));
    fail_each_read(disk, scan, KEYS);
}

Test(kept_error, a_walk_over_differences_keeps_it)
{
    fail_each_read(make_store(), walk_over_difference, (KEYS - CHANGED + STEP - 1) / STEP);
}

Test(kept_error, a_key_history_keeps_it)
{
    fail_each_read(make_store(), walk_through_key_history, 4);
}

/* The walk looks anew when the transaction changes: that is no reason to forget. */
Test(kept_error, a_walk_to_a_transactions_view_keeps_it_though_that_changes)
{
    struct simulated_disk *disk = make_store();
    verso_store *store = open_guarded(disk, false);
    verso_view *view;
    verso_txn *txn;
    verso_diff *diff;
    verso_change change;
    must(verso_view_open_root(store, 1, &view));
    must(verso_begin(store, &txn));
    must(verso_diff_open(view, verso_txn_view(txn), NULL, &diff));
    must(verso_diff_next(diff, &change));
    struct simulated_fault fault = {.kind = SIMULATED_READ, .nth = 1};
    simulated_disk_inject(disk, &fault);
    verso_err err;
    while ((err = verso_diff_next(diff, &change)) == VERSO_OK) {
    }
    cr_assert_eq(err, VERSO_IO);
    simulated_disk_heal(disk);
    must(verso_put(txn, verso_text("zebra"), verso_text("new")));
    cr_assert_eq(verso_diff_next(diff, &change), VERSO_IO);
    cr_assert_eq(verso_diff_next(diff, &change), VERSO_IO);
    verso_diff_close(diff);
    verso_abort(txn);
    verso_view_close(view);
    must(verso_close(store));
    simulated_disk_close(disk);
}

/* ---- damage that stays ---- */

/* What a get of each key says, and the batched get of all: the keys of one leaf fail, again and
 * again with the same code, and no other. */
Test(kept_error, gets_of_a_damaged_leaf_fail_each_time_and_no_others)
{
    struct simulated_disk *disk = make_store();
    uint64_t size;
    (void)simulated_disk_bytes(disk, "store", &size);
    char text[KEYS][16];
    verso_slice keys[KEYS];
    for (unsigned i = 0; i < KEYS; i++) {
        keys[i] = key_of(i, text[i]);
    }
    unsigned damaged_leaves = 0;
    for (uint64_t at = 8192 + 200; at < size; at += PAGE_SIZE) {
        simulated_disk_flip(disk, "store", at, 0x10);
        verso_options options = VERSO_OPTIONS_INIT;
        options.read_only = true;
        options.system = simulated_disk_os(disk);
        verso_store *store;
        verso_view *view = NULL;
        if (verso_open("store", &options, &store) == VERSO_OK &&
            verso_view_open(store, &view) == VERSO_OK) {
            verso_err single[KEYS];
            verso_slice value[KEYS];
            unsigned bad = 0;
            for (unsigned i = 0; i < KEYS; i++) {
                single[i] = verso_get(view, keys[i], &value[i]);
                bad += single[i] != VERSO_OK;
            }
            verso_err results[KEYS];
            for (unsigned round = 0; round < 2; round++) {
                cr_assert_eq(verso_get_many(view, keys, KEYS, value, results),
                             bad > 0 ? VERSO_CORRUPT : VERSO_OK);
                for (unsigned i = 0; i < KEYS; i++) {
                    cr_assert_eq(verso_get(view, keys[i], &value[i]), single[i]);
                }
            }
            damaged_leaves += bad > 0 && bad < 40;
        }
        verso_view_close(view);
        (void)verso_close(store);
        simulated_disk_flip(disk, "store", at, 0x10);
    }
    cr_assert_gt(damaged_leaves, 10);
    simulated_disk_close(disk);
}
