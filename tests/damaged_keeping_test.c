/*
 * damaged_keeping_test.c - a store whose tags, or whose history, cannot be read any more: nobody may
 * write to it, for what is kept is unknown; whoever only reads finds all the rest.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/handles.h"
#include "simulated_disk.h"
#include "verso.h"

enum { ROOTS = 12, TAGGED = 3, DROPPED_UP_TO = 6, PAGE_SIZE = 512 };

static struct simulated_disk *disk;
static verso_store *store;
static vs_page_no tags_page;
static vs_page_no history_page;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_err open_store(bool read_only)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(ROOTS - DROPPED_UP_TO);
    options.create = !read_only;
    options.read_only = read_only;
    options.page_size = read_only ? 0 : PAGE_SIZE;
    options.log_bytes = 1; /* the least there is */
    options.retention = &policy;
    options.system = simulated_disk_os(disk);
    return verso_open("store", &options, &store);
}

static void commit_one(void)
{
    verso_txn *txn;
    must(verso_begin(store, &txn));
    verso_slice last;
    verso_err err = verso_get(verso_txn_view(txn), verso_text("key"), &last);
    char text[16];
    unsigned value = err == VERSO_OK ? (unsigned)last.size : 0;
    (void)snprintf(text, sizeof text, "%.*s", (int)value + 1, "xxxxxxxxxxxxxxx");
    must(verso_put(txn, verso_text("key"), verso_text(text)));
    must(verso_commit(txn, NULL, NULL));
}

/* Root n has a value of n bytes; root 3 is tagged; of the others the newest 6 are kept. */
static void set_up(void)
{
    disk = simulated_disk_open(1);
    must(open_store(false));
    for (unsigned i = 1; i <= ROOTS; i++) {
        commit_one();
        if (i == TAGGED) {
            must(verso_tag_set(store, verso_text("tag"), TAGGED));
        }
    }
    must(verso_checkpoint(store));
    tags_page = store->store->meta.tags.page;
    history_page = store->store->meta.history.page;
}

static void tear_down(void)
{
    simulated_disk_close(disk);
}

TestSuite(damaged_keeping, .init = set_up, .fini = tear_down);

static void damage(vs_page_no page)
{
    simulated_disk_flip(disk, "store", (uint64_t)page * PAGE_SIZE + 5, 0x10);
}

static void expect_no_writer(void)
{
    uint64_t digest = simulated_disk_digest(disk);
    cr_assert_eq(open_store(false), VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), "open it read-only"), "%s",
                       verso_error_detail());
    cr_assert_eq(simulated_disk_digest(disk), digest, "a failed open wrote");
    cr_assert_eq(simulated_disk_open_files(disk), 0);
}

static void expect_root(verso_root_id root, verso_err expected)
{
    verso_view *view;
    verso_err err = verso_view_open_root(store, root, &view);
    cr_assert_eq(err, expected, "root %d: %s", (int)root, verso_error_detail());
    if (err == VERSO_OK) {
        verso_slice value;
        must(verso_get(view, verso_text("key"), &value));
        cr_assert_eq(value.size, root);
        verso_view_close(view);
    }
}

static void expect_newest(void)
{
    verso_view *view;
    verso_slice value;
    must(verso_view_open(store, &view));
    must(verso_get(view, verso_text("key"), &value));
    cr_assert_eq(value.size, ROOTS);
    verso_view_close(view);
}

static bool is_damaged(void)
{
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    return stats.keeping_damaged;
}

static void expect_tags_refused(void)
{
    verso_tag_info info = {.size = sizeof info};
    verso_view *view;
    cr_assert_eq(verso_tag_get(store, verso_text("tag"), &info), VERSO_CORRUPT);
    cr_assert_eq(verso_tag_get(store, verso_text("none"), &info), VERSO_CORRUPT);
    cr_assert_eq(verso_tag_next(store, (verso_slice){NULL, 0}, &info), VERSO_CORRUPT);
    cr_assert_eq(verso_view_open_tag(store, verso_text("tag"), &view), VERSO_CORRUPT);
}

static void expect_all_roots(verso_root_id newest)
{
    for (verso_root_id root = 1; root <= newest; root++) {
        bool kept = root == TAGGED || root > DROPPED_UP_TO;
        expect_root(root, kept ? VERSO_OK : VERSO_GONE);
    }
}

Test(damaged_keeping, without_tags_every_root_can_be_read)
{
    must(verso_close(store));
    damage(tags_page);
    expect_no_writer();
    must(open_store(true));
    cr_assert(is_damaged());
    expect_all_roots(ROOTS);
    expect_tags_refused();
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_CORRUPT);
    must(verso_close(store));
}

Test(damaged_keeping, what_the_log_says_since_is_applied)
{
    must(verso_tag_delete(store, verso_text("tag"))); /* root 3 goes with it */
    commit_one();                                     /* and root 7 with the next one */
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_NEW);
    must(verso_close(store));
    simulated_disk_close(disk);
    disk = left;
    damage(tags_page);
    expect_no_writer();
    must(open_store(true));
    cr_assert(is_damaged());
    expect_root(TAGGED, VERSO_GONE);
    expect_root(DROPPED_UP_TO + 1, VERSO_GONE);
    for (verso_root_id root = DROPPED_UP_TO + 2; root <= ROOTS + 1; root++) {
        expect_root(root, VERSO_OK);
    }
    expect_tags_refused();
    must(verso_close(store));
}

Test(damaged_keeping, a_copy_brings_the_roots_to_safety)
{
    must(verso_close(store));
    damage(tags_page);
    must(open_store(true));
    must(verso_copy(store, "copy", NULL, NULL));
    must(verso_close(store));
    verso_options options = VERSO_OPTIONS_INIT;
    options.system = simulated_disk_os(disk);
    must(verso_open("copy", &options, &store));
    cr_assert_not(is_damaged());
    expect_all_roots(ROOTS);
    commit_one();
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    must(verso_close(store));
}

Test(damaged_keeping, without_history_too_the_newest_root_can_be_read)
{
    must(verso_close(store));
    damage(tags_page);
    damage(history_page);
    expect_no_writer();
    must(open_store(true));
    cr_assert(is_damaged());
    expect_newest();
    expect_root(ROOTS - 1, VERSO_GONE);
    must(verso_close(store));
}

/* Then it is known which roots there are, and each says that it cannot be found. */
Test(damaged_keeping, without_history_alone_the_newest_root_can_be_read)
{
    must(verso_close(store));
    damage(history_page);
    must(open_store(true));
    cr_assert_not(is_damaged());
    expect_newest();
    expect_root(ROOTS - 1, VERSO_CORRUPT);
    verso_tag_info info = {.size = sizeof info};
    must(verso_tag_get(store, verso_text("tag"), &info));
    must(verso_close(store));
}

/* No checkpoint can be written: once log or arena are full, commits say so. None is lost. */
Test(damaged_keeping, without_history_a_writer_is_told_and_nothing_is_lost)
{
    must(verso_close(store));
    damage(history_page);
    must(open_store(false));
    verso_err err = VERSO_OK;
    verso_root_id newest = ROOTS;
    for (unsigned i = 0; i < 100000 && err == VERSO_OK; i++) {
        verso_txn *txn;
        char key[16];
        (void)snprintf(key, sizeof key, "%u", i);
        err = verso_begin(store, &txn);
        if (err == VERSO_OK) {
            must(verso_put(txn, verso_text(key), verso_text("a value of some length")));
            must(verso_commit(txn, NULL, &newest));
        }
    }
    cr_assert_eq(err, VERSO_CORRUPT, "%s", verso_error_detail());
    cr_assert_gt(newest, ROOTS + 100);
    expect_newest();
    cr_assert_neq(verso_close(store), VERSO_OK);
    cr_assert_eq(open_store(false), VERSO_CORRUPT);
    must(open_store(true));
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    cr_assert_eq(stats.published, newest);
    expect_newest();
    must(verso_close(store));
}
