/*
 * history_test.c - roots by id: newer ones in memory, older ones in the history tree, dropped ones
 * gone.
 */
#include "history/history.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/handles.h"
#include "simulated_disk.h"
#include "verso.h"

enum { SMALL_PAGE = 512 };

static verso_store *open_on(struct simulated_disk *disk, uint64_t keep_last)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = SMALL_PAGE;
    verso_retention policy = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last);
    options.retention = &policy;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open("store", &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

static void close_store(verso_store *store)
{
    verso_err err = verso_close(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void checkpoint(verso_store *store)
{
    verso_err err = verso_checkpoint(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/* Notes of every length up to beyond what fits a leaf of 512 bytes. */
static verso_slice note_of(uint64_t root)
{
    static char note[VS_NOTE_MAX];
    memset(note, 'a' + (int)(root % 26), sizeof note);
    return (verso_slice){note, root * 37 % (VS_NOTE_MAX + 1)};
}

/* Roots up to `last`; root n has n keys. */
static void commit_up_to(verso_store *store, uint64_t last)
{
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_stat(store, &stats);
    cr_assert_eq(err, VERSO_OK);
    for (uint64_t root = stats.tip + 1; root <= last; root++) {
        verso_txn *txn = NULL;
        err = verso_begin(store, &txn);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        char key[24];
        snprintf(key, sizeof key, "%u", (unsigned)root);
        err = verso_put(txn, verso_text(key), verso_text("value"));
        cr_assert_eq(err, VERSO_OK);
        verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
        options.note = note_of(root);
        verso_root_id id = 0;
        err = verso_commit(txn, &options, &id);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        cr_assert_eq(id, root);
    }
}

static verso_err pin(verso_store *store, uint64_t root, struct vs_root_record *record,
                     uint8_t *note)
{
    uint32_t slot;
    verso_err err = vs_history_pin(store->store, root, &slot, record, note);
    if (err == VERSO_OK) {
        vs_reader_unpin(&store->store->readers, slot);
    }
    cr_assert_eq(vs_reader_count(&store->store->readers), 0, "a pin was left behind");
    return err;
}

static void expect_roots(verso_store *store, uint64_t oldest, uint64_t newest)
{
    for (uint64_t root = 0; root <= newest + 1; root++) {
        struct vs_root_record record;
        uint8_t note[VS_NOTE_MAX];
        verso_err err = pin(store, root, &record, note);
        if (root == 0 || root > newest) {
            cr_assert_eq(err, VERSO_NOT_FOUND, "root %u", (unsigned)root);
        } else if (root < oldest) {
            cr_assert_eq(err, VERSO_GONE, "root %u", (unsigned)root);
        } else {
            cr_assert_eq(err, VERSO_OK, "root %u: %s", (unsigned)root, verso_error_detail());
            cr_assert_eq(record.version, root);
            cr_assert_eq(record.tree.keys, root);
            verso_slice expected = note_of(root);
            cr_assert_eq(record.note.size, expected.size, "root %u", (unsigned)root);
            cr_assert_arr_eq(record.note.data, expected.data, expected.size);
            err = pin(store, root, &record, NULL);
            cr_assert_eq(err, VERSO_OK, "without its note too");
            cr_assert_eq(record.tree.keys, root);
        }
    }
    cr_assert_eq(vs_history_oldest(store->store), oldest);
}

Test(history, an_empty_store_has_no_roots)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 0);
    struct vs_root_record record;
    cr_assert_eq(pin(store, 0, &record, NULL), VERSO_NOT_FOUND);
    cr_assert_eq(pin(store, 1, &record, NULL), VERSO_NOT_FOUND);
    cr_assert_eq(pin(store, UINT64_MAX, &record, NULL), VERSO_NOT_FOUND);
    verso_root_cost cost = {.size = sizeof cost};
    size_t count = 1;
    cr_assert_eq(verso_root_costs(store, 0, &cost, 1, &count), VERSO_OK);
    cr_assert_eq(count, 0);
    checkpoint(store);
    close_store(store);
    simulated_disk_close(disk);
}

Test(history, roots_are_found_before_and_after_a_checkpoint_and_a_reopening)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 0);
    commit_up_to(store, 60);
    expect_roots(store, 1, 60);
    checkpoint(store);
    expect_roots(store, 1, 60);
    commit_up_to(store, 90); /* some in the tree, some in memory */
    expect_roots(store, 1, 90);
    close_store(store);
    store = open_on(disk, 0);
    expect_roots(store, 1, 90);
    commit_up_to(store, 91);
    checkpoint(store);
    expect_roots(store, 1, 91);
    close_store(store);
    simulated_disk_close(disk);
}

Test(history, recovered_roots_are_found_by_the_same_ids)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 0);
    commit_up_to(store, 30);
    checkpoint(store);
    commit_up_to(store, 50);
    struct simulated_disk *after = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *again = open_on(after, 0);
    expect_roots(again, 1, 50);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

Test(history, dropped_roots_are_gone_wherever_they_were)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 10);
    commit_up_to(store, 10);
    expect_roots(store, 1, 10);
    commit_up_to(store, 11);
    expect_roots(store, 2, 11);
    checkpoint(store);
    commit_up_to(store, 40);
    expect_roots(store, 31, 40);
    checkpoint(store);
    expect_roots(store, 31, 40);
    commit_up_to(store, 43);
    close_store(store);
    store = open_on(disk, 0);
    expect_roots(store, 34, 43);
    close_store(store);
    simulated_disk_close(disk);
}

Test(history, the_history_of_the_newest_root_alone_holds_it)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 1);
    for (uint64_t root = 1; root <= 12; root++) {
        commit_up_to(store, root);
        expect_roots(store, root, root);
        if (root % 3 == 0) {
            checkpoint(store);
            expect_roots(store, root, root);
            cr_assert_eq(store->store->history.roots.keys, 1);
        }
    }
    close_store(store);
    simulated_disk_close(disk);
}

Test(history, a_pinned_root_stays_readable_after_it_was_dropped)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 1);
    commit_up_to(store, 5);
    verso_view *view;
    verso_err err = verso_view_open_root(store, 5, &view);
    cr_assert_eq(err, VERSO_OK);
    commit_up_to(store, 30);
    verso_view *second;
    cr_assert_eq(verso_view_open_root(store, 5, &second), VERSO_OK, "what is open does not go");
    verso_view_close(second);
    /* a drop and an opening at the same moment: the root goes, the view has it still */
    cr_assert_eq(vs_retained_drop(&store->store->retained, &(struct vs_version_range){5, 5}, 1),
                 VERSO_OK);
    checkpoint(store);
    commit_up_to(store, 60);
    verso_slice value;
    for (unsigned key = 1; key <= 6; key++) {
        char text[24];
        snprintf(text, sizeof text, "%u", key);
        err = verso_get(view, verso_text(text), &value);
        cr_assert_eq(err, key <= 5 ? VERSO_OK : VERSO_NOT_FOUND);
    }
    cr_assert_eq(verso_view_open_root(store, 5, &second), VERSO_GONE, "what has left stays away");
    verso_view_close(view);
    close_store(store);
    simulated_disk_close(disk);
}

/* As a damaged meta would claim: roots are kept that the history does not have. */
Test(history, a_kept_root_that_is_missing_is_a_fault_and_ends_a_list)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 2);
    commit_up_to(store, 20);
    checkpoint(store);
    struct vs_version_set *set = &store->store->retained.set;
    cr_assert_eq(vs_version_set_add(set, 3, 3), VERSO_OK);
    struct vs_root_record record;
    cr_assert_eq(pin(store, 2, &record, NULL), VERSO_GONE);
    cr_assert_eq(pin(store, 3, &record, NULL), VERSO_CORRUPT);
    verso_root_info info = {.size = sizeof info};
    size_t count = 99;
    cr_assert_eq(verso_roots(store, 0, &info, 1, NULL, &count), VERSO_CORRUPT);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_CORRUPT);
    cr_assert_eq(report.bad_root, 3);
    cr_assert_eq(vs_version_set_drop(set, 3, 3), VERSO_OK);
    close_store(store);
    simulated_disk_close(disk);
}

/* Notes that need pages of their own go along; the tree is left with what is kept. */
Test(history, thousands_dropped_at_once_leave_the_tree)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 0);
    commit_up_to(store, 3000);
    checkpoint(store);
    cr_assert_eq(verso_tag_set(store, verso_text("one"), 1), VERSO_OK);
    cr_assert_eq(verso_tag_set(store, verso_text("middle"), 1777), VERSO_OK);
    verso_retention policy = verso_keep_last(5);
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_OK, "%s", verso_error_detail());
    checkpoint(store);
    cr_assert_eq(store->store->history.roots.keys, 7);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    close_store(store);
    store = open_on(disk, 0);
    struct vs_root_record record;
    uint8_t note[VS_NOTE_MAX];
    for (uint64_t root = 1; root <= 3000; root += root < 2990 ? 1776 / 8 : 1) {
        bool kept = root == 1 || root == 1777 || root > 2995;
        cr_assert_eq(pin(store, root, &record, note), kept ? VERSO_OK : VERSO_GONE, "root %u",
                     (unsigned)root);
        verso_slice expected = note_of(root);
        cr_assert(!kept || (record.note.size == expected.size &&
                            memcmp(note, expected.data, expected.size) == 0));
    }
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    close_store(store);
    simulated_disk_close(disk);
}
