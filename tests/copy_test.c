/*
 * copy_test.c - copies of stores: the same roots, sharing what they shared, whole or not there.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "random_history.h"
#include "simulated_disk.h"
#include "verso.h"

static const char *const path = "copy";

struct fixture {
    struct simulated_disk *disk;
    verso_store *store;
    struct random_history history;
};

static verso_store *open_named(struct simulated_disk *disk, const char *name, uint32_t page_size,
                               uint64_t keep_last)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = page_size;
    verso_retention policy = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last);
    options.retention = &policy;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open(name, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

static struct fixture open_fixture(uint64_t seed, uint32_t page_size, uint64_t keep_last)
{
    struct fixture fixture = {.disk = simulated_disk_open(seed)};
    fixture.store = open_named(fixture.disk, "store", page_size, keep_last);
    fixture.history = (struct random_history){
        .random = {seed},
        .keys = PAGE_KEYS_ANY,
        .changes_max = 20,
        .long_value_max = 5000,
        .trees = true,
    };
    return fixture;
}

static void close_store(verso_store *store)
{
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
}

static void close_fixture(struct fixture *fixture)
{
    close_store(fixture->store);
    cr_assert_eq(simulated_disk_open_files(fixture->disk), 0);
    simulated_disk_close(fixture->disk);
}

static verso_check_report check(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return report;
}

static verso_copy_report make_copy(struct fixture *fixture, const verso_copy_options *options)
{
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy(fixture->store, path, options, &report);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    uint64_t size = 0;
    cr_assert_not_null(simulated_disk_bytes(fixture->disk, path, &size));
    cr_assert_eq(size, report.bytes);
    cr_assert(!simulated_disk_exists(fixture->disk, "copy-wal.new"));
    return report;
}

static void expect_nothing_there(const struct fixture *fixture, const char *when)
{
    cr_assert(!simulated_disk_exists(fixture->disk, path), "%s", when);
    cr_assert(!simulated_disk_exists(fixture->disk, "copy-wal.new"), "%s", when);
}

/* ---- what a copy has ---- */

static void copy_random_history(uint64_t seed, uint32_t page_size, unsigned commits)
{
    struct fixture fixture = open_fixture(seed, page_size, 0);
    random_history_commits(&fixture.history, fixture.store, commits);
    cr_assert_eq(verso_checkpoint(fixture.store), VERSO_OK);
    uint64_t pages = check(fixture.store).pages;
    verso_copy_report report = make_copy(&fixture, NULL);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    const char *fault = random_history_compare(fixture.store, copy, 0);
    cr_assert_null(fault, "seed=%" PRIu64 ", %" PRIu32 " bytes a page: %s", seed, page_size, fault);
    verso_check_report checked = check(copy);
    cr_assert_eq(checked.roots, report.roots);
    cr_assert_eq(checked.pages, report.pages, "all that was written is reached");
    cr_assert_leq(report.pages, pages, "seed=%" PRIu64 ": what was shared is shared", seed);
    close_store(copy);
    close_fixture(&fixture);
}

Test(copy, has_every_kept_root_and_shares_what_they_share)
{
    uint64_t seed = page_keys_seed();
    copy_random_history(seed, 512, 60);
    copy_random_history(seed + 1, 512, 150);
    copy_random_history(seed + 2, 1024, 100);
    copy_random_history(seed + 3, 4096, 60);
    copy_random_history(seed + 4, 65536, 20);
}

Test(copy, takes_in_what_no_checkpoint_has_written)
{
    struct fixture fixture = open_fixture(7, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 30);
    cr_assert_eq(verso_checkpoint(fixture.store), VERSO_OK);
    random_history_commits(&fixture.history, fixture.store, 30);
    cr_assert_eq(make_copy(&fixture, NULL).roots, 60);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    const char *fault = random_history_compare(fixture.store, copy, 0);
    cr_assert_null(fault, "%s", fault);
    close_store(copy);
    close_fixture(&fixture);
}

Test(copy, has_thousands_of_roots_with_notes)
{
    struct fixture fixture = open_fixture(8, 512, 0);
    fixture.history.changes_max = 1;
    fixture.history.keys = PAGE_KEYS_USER;
    fixture.history.long_value_max = 0;
    random_history_commits(&fixture.history, fixture.store, 3000);
    verso_copy_report report = make_copy(&fixture, NULL);
    cr_assert_eq(report.roots, 3000);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    for (verso_root_id root = 1; root <= 3000; root += 271) {
        const char *fault = random_history_compare_root(fixture.store, copy, root);
        cr_assert_null(fault, "%s", fault);
    }
    close_store(copy);
    close_fixture(&fixture);
}

Test(copy, of_the_newest_root_alone_is_small)
{
    struct fixture fixture = open_fixture(9, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 100);
    verso_copy_options options = {.size = sizeof options, .newest_only = true};
    verso_copy_report report = make_copy(&fixture, &options);
    cr_assert_eq(report.roots, 1);
    cr_assert_eq(report.newest, 100);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    const char *fault = random_history_compare_root(fixture.store, copy, 100);
    cr_assert_null(fault, "%s", fault);
    verso_view *view;
    cr_assert_eq(verso_view_open_root(copy, 99, &view), VERSO_GONE);
    cr_assert_eq(verso_view_open_root(copy, 101, &view), VERSO_NOT_FOUND);
    cr_assert_eq(check(copy).pages, report.pages);
    cr_assert_lt(report.pages, check(fixture.store).pages / 2);
    close_store(copy);
    close_fixture(&fixture);
}

Test(copy, of_chosen_roots_has_them_and_the_newest)
{
    struct fixture fixture = open_fixture(21, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 80);
    const verso_root_id chosen[] = {3, 4, 5, 17, 40, 78};
    verso_copy_options options = {.size = sizeof options, .roots = chosen, .root_count = 6};
    verso_copy_report report = make_copy(&fixture, &options);
    cr_assert_eq(report.roots, 7);
    cr_assert_eq(report.newest, 80);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    for (verso_root_id root = 1, next = 0; root <= 80; root++) {
        verso_view *view;
        if (root == 80 || (next < 6 && root == chosen[next])) {
            const char *fault = random_history_compare_root(fixture.store, copy, root);
            cr_assert_null(fault, "%s", fault);
            next++;
        } else {
            cr_assert_eq(verso_view_open_root(copy, root, &view), VERSO_GONE);
        }
    }
    for (unsigned life = 0; life < 3; life++) {
        random_history_commits(&fixture.history, copy, 20);
        cr_assert_eq(check(copy).roots, 7 + 20 * (life + 1));
        close_store(copy);
        copy = open_named(fixture.disk, path, 0, 0);
    }
    close_store(copy);
    close_fixture(&fixture);
}

/* Enough tags for a tree of several levels. */
Test(copy, has_the_tags_of_its_roots)
{
    enum { TAGS = 300 };
    struct fixture fixture = open_fixture(22, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 30);
    for (unsigned i = 0; i < TAGS; i++) {
        char name[64];
        snprintf(name, sizeof name, "a tag with quite a long name, number %u", i);
        verso_err err = verso_tag_set(fixture.store, verso_text(name), i % 30 + 1);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
    const verso_root_id chosen[] = {10, 20};
    for (unsigned part = 0; part < 2; part++) {
        verso_copy_options options = {
            .size = sizeof options, .roots = chosen, .root_count = part == 0 ? 0 : 2};
        make_copy(&fixture, &options);
        verso_store *copy = open_named(fixture.disk, path, 0, 0);
        for (unsigned i = 0; i < TAGS; i++) {
            char name[64];
            snprintf(name, sizeof name, "a tag with quite a long name, number %u", i);
            verso_tag_info here = {.size = sizeof here};
            verso_tag_info there = {.size = sizeof there};
            cr_assert_eq(verso_tag_get(fixture.store, verso_text(name), &here), VERSO_OK);
            verso_err err = verso_tag_get(copy, verso_text(name), &there);
            bool comes = part == 0 || (i % 30 + 1) % 10 == 0;
            cr_assert_eq(err, comes ? VERSO_OK : VERSO_NOT_FOUND, "%s", name);
            cr_assert(!comes || (there.root == here.root && there.time_us == here.time_us));
        }
        random_history_commits(&fixture.history, copy, 3);
        check(copy);
        close_store(copy);
        simulated_disk_remove(fixture.disk, path);
    }
    close_fixture(&fixture);
}

Test(copy, of_an_empty_store_is_an_empty_store)
{
    struct fixture fixture = open_fixture(1, 4096, 0);
    verso_copy_report report = make_copy(&fixture, NULL);
    cr_assert_eq(report.roots, 0);
    cr_assert_eq(report.newest, 0);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    cr_assert_eq(random_history_commit(&fixture.history, copy), 1);
    check(copy);
    close_store(copy);
    close_fixture(&fixture);
}

Test(copy, of_a_store_in_memory_is_a_file)
{
    struct fixture fixture = open_fixture(2, 512, 0);
    close_store(fixture.store);
    fixture.store = open_named(fixture.disk, NULL, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 50);
    make_copy(&fixture, NULL);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    const char *fault = random_history_compare(fixture.store, copy, 0);
    cr_assert_null(fault, "%s", fault);
    close_store(copy);
    close_fixture(&fixture);
}

Test(copy, goes_on_as_a_store_of_its_own)
{
    struct fixture fixture = open_fixture(3, 512, 25);
    random_history_commits(&fixture.history, fixture.store, 60);
    verso_copy_report report = make_copy(&fixture, NULL);
    cr_assert_eq(report.roots, 25);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    const char *fault = random_history_compare(fixture.store, copy, 0);
    cr_assert_null(fault, "%s", fault);
    for (unsigned life = 0; life < 3; life++) {
        random_history_commits(&fixture.history, copy, 40);
        check(copy);
        close_store(copy);
        copy = open_named(fixture.disk, path, 0, 0);
        check(copy);
    }
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(copy, &stats), VERSO_OK);
    cr_assert_eq(stats.tip, 60 + 3 * 40);
    verso_retention policy = {.size = sizeof policy};
    cr_assert_eq(verso_retention_get(copy, &policy), VERSO_OK);
    cr_assert_eq(policy.last, 25, "the retention came along");
    close_store(copy);
    close_fixture(&fixture);
}

Test(copy, survives_a_power_cut_right_after_it_was_made)
{
    struct fixture fixture = open_fixture(4, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 40);
    make_copy(&fixture, NULL);
    struct simulated_disk *after = simulated_disk_crash(fixture.disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *copy = open_named(after, path, 0, 0);
    const char *fault = random_history_compare(fixture.store, copy, 0);
    cr_assert_null(fault, "%s", fault);
    check(copy);
    close_store(copy);
    simulated_disk_close(after);
    close_fixture(&fixture);
}

/* After the store itself was lost, only its log is left: nothing in that is the copy's. */
Test(copy, is_restored_beside_the_log_of_its_store)
{
    struct fixture fixture = open_fixture(17, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 20);
    make_copy(&fixture, NULL);
    random_history_commits(&fixture.history, fixture.store, 5);
    struct simulated_disk *after = simulated_disk_crash(fixture.disk, 1, SIMULATED_CRASH_ALL_NEW);
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(fixture.disk, path, &size);
    cr_assert(simulated_disk_exists(after, "store-wal.0"));
    simulated_disk_put(after, "store", bytes, (size_t)size);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    verso_store *restored = open_named(after, "store", 0, 0);
    const char *fault = random_history_compare(copy, restored, 0);
    cr_assert_null(fault, "%s", fault);
    random_history_commits(&fixture.history, restored, 3);
    check(restored);
    close_store(restored);
    close_store(copy);
    simulated_disk_close(after);
    close_fixture(&fixture);
}

Test(copy, of_a_copy_is_no_larger)
{
    struct fixture fixture = open_fixture(5, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 50);
    verso_copy_report first = make_copy(&fixture, NULL);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    verso_copy_report second = {.size = sizeof second};
    verso_err err = verso_copy(copy, "again", NULL, &second);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(second.pages, first.pages);
    cr_assert_leq(second.bytes, first.bytes);
    close_store(copy);
    close_fixture(&fixture);
}

/* Values of several extents in the source, and of one or more here: what fits the zones. */
Test(copy, places_very_long_values)
{
    enum { LONG = 3 << 20, VALUES = 4 };
    static uint8_t value[LONG];
    struct fixture fixture = open_fixture(6, 512, 0);
    for (unsigned i = 0; i < VALUES; i++) {
        verso_txn *txn;
        cr_assert_eq(verso_begin(fixture.store, &txn), VERSO_OK);
        memset(value, (int)i + 1, sizeof value);
        char key[16];
        snprintf(key, sizeof key, "long %u", i);
        verso_slice bytes = {value, sizeof value >> (i * 2)};
        cr_assert_eq(verso_put(txn, verso_text(key), bytes), VERSO_OK, "%s", verso_error_detail());
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
        random_history_commits(&fixture.history, fixture.store, 10);
    }
    verso_copy_report report = make_copy(&fixture, NULL);
    cr_assert_leq(report.bytes / 512, report.pages * 2);
    verso_store *copy = open_named(fixture.disk, path, 0, 0);
    const char *fault = random_history_compare(fixture.store, copy, 0);
    cr_assert_null(fault, "%s", fault);
    close_store(copy);
    close_fixture(&fixture);
}

static verso_root_id fill_tree(struct fixture *fixture, const char *name, unsigned stride)
{
    verso_txn *txn;
    verso_txn *tree;
    cr_assert_eq(verso_begin(fixture->store, &txn), VERSO_OK);
    cr_assert_eq(verso_txn_tree(txn, verso_text(name), true, &tree), VERSO_OK);
    for (unsigned i = 0; i < 3000; i += stride) {
        char key[16];
        snprintf(key, sizeof key, "%07u", i);
        static const uint8_t value[700];
        verso_slice bytes = {value, i % 100 == 0 ? sizeof value : 20};
        cr_assert_eq(verso_put(tree, verso_text(key), bytes), VERSO_OK, "%s", verso_error_detail());
    }
    verso_root_id root = 0;
    cr_assert_eq(verso_commit(txn, NULL, &root), VERSO_OK);
    return root;
}

static void drop_tree(struct fixture *fixture, const char *name)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(fixture->store, &txn), VERSO_OK);
    cr_assert_eq(verso_tree_drop(txn, verso_text(name)), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
}

/* Copy, compare, and let the copy go on until nothing is left of dropped trees. */
static verso_copy_report copy_and_go_on(struct fixture *fixture, const verso_copy_options *options)
{
    verso_copy_report report = make_copy(fixture, options);
    verso_store *copy = open_named(fixture->disk, path, 0, 0);
    const char *fault = random_history_compare_root(fixture->store, copy, report.newest);
    cr_assert_null(fault, "%s", fault);
    check(copy);
    random_history_commits(&fixture->history, copy, 15);
    check(copy);
    close_store(copy);
    simulated_disk_remove(fixture->disk, path);
    return report;
}

/* The source takes dropped trees apart along with later commits; copies are made in between. */
Test(copy, leaves_dropped_trees_out)
{
    struct fixture fixture = open_fixture(20, 512, 0);
    fixture.history.trees = false;
    const verso_copy_options newest = {.size = sizeof newest, .newest_only = true};
    fill_tree(&fixture, "first", 1);
    random_history_commits(&fixture.history, fixture.store, 2);
    uint64_t with = copy_and_go_on(&fixture, &newest).pages;
    fill_tree(&fixture, "first", 7); /* leaves that only roots between have */
    drop_tree(&fixture, "first");
    fill_tree(&fixture, "second", 1);
    drop_tree(&fixture, "second");
    cr_assert_lt(copy_and_go_on(&fixture, &newest).pages, with / 2);
    for (unsigned i = 0; i < 12; i++) {
        copy_and_go_on(&fixture, NULL);
        copy_and_go_on(&fixture, &newest);
        random_history_commits(&fixture.history, fixture.store, 1);
    }
    close_fixture(&fixture);
}

/* ---- while others write ---- */

struct writing {
    struct fixture *fixture;
    _Atomic bool stop;
};

static void *write_on(void *argument)
{
    struct writing *writing = argument;
    struct fixture *fixture = writing->fixture;
    while (!atomic_load(&writing->stop)) {
        random_history_commits(&fixture->history, fixture->store, 30);
        cr_assert_eq(verso_checkpoint(fixture->store), VERSO_OK); /* moves pages to the file */
    }
    return NULL;
}

Test(copy, is_made_beside_a_writing_thread)
{
    enum { COPIES = 6 };
    struct fixture fixture = open_fixture(10, 512, 40);
    random_history_commits(&fixture.history, fixture.store, 60);
    struct writing writing = {.fixture = &fixture};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, write_on, &writing), 0);
    for (unsigned i = 0; i < COPIES; i++) {
        verso_copy_report report = make_copy(&fixture, NULL); /* which checks it */
        cr_assert_geq(report.roots, 1);
        simulated_disk_remove(fixture.disk, path);
    }
    atomic_store(&writing.stop, true);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    check(fixture.store);
    close_fixture(&fixture);
}

static void commit_at_first_write(void *argument, struct simulated_disk *disk,
                                  const struct simulated_event *event)
{
    struct fixture *fixture = argument;
    if (event->kind == SIMULATED_WRITE && strcmp(event->path, "second-wal.new") == 0) {
        simulated_disk_set_hook(disk, NULL, NULL);
        random_history_commits(&fixture->history, fixture->store, 50);
        cr_assert_eq(verso_checkpoint(fixture->store), VERSO_OK);
        random_history_commits(&fixture->history, fixture->store, 50);
    }
}

Test(copy, keeps_roots_that_are_dropped_while_it_is_made)
{
    struct fixture fixture = open_fixture(11, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 30);
    make_copy(&fixture, NULL);
    simulated_disk_set_hook(fixture.disk, commit_at_first_write, &fixture);
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy(fixture.store, "second", NULL, &report);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(report.newest, 30);
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(fixture.store, &stats), VERSO_OK);
    cr_assert_eq(stats.oldest, 126, "all that was copied is gone by now");
    verso_store *first = open_named(fixture.disk, path, 0, 0);
    verso_store *second = open_named(fixture.disk, "second", 0, 0);
    const char *fault = random_history_compare(first, second, 0);
    cr_assert_null(fault, "%s", fault);
    close_store(first);
    close_store(second);
    check(fixture.store);
    close_fixture(&fixture);
}

/* ---- refused, and failing ---- */

static void expect_refused(struct fixture *fixture, const char *to,
                           const verso_copy_options *options, verso_err expected)
{
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy(fixture->store, to, options, &report);
    cr_assert_eq(err, expected, "%s: %s", verso_strerror(err), verso_error_detail());
}

Test(copy, refuses_bad_arguments)
{
    struct fixture fixture = open_fixture(12, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 30);
    const verso_root_id unsorted[] = {28, 27};
    const verso_root_id unknown[] = {29, 31};
    const verso_root_id gone[] = {25};
    verso_copy_options options = {.size = sizeof options, .roots = unsorted, .root_count = 2};
    expect_refused(&fixture, path, &options, VERSO_INVALID);
    options.roots = NULL;
    expect_refused(&fixture, path, &options, VERSO_INVALID);
    options.roots = unknown;
    expect_refused(&fixture, path, &options, VERSO_NOT_FOUND);
    options.newest_only = true;
    expect_refused(&fixture, path, &options, VERSO_INVALID);
    options = (verso_copy_options){.size = sizeof options, .roots = gone, .root_count = 1};
    expect_refused(&fixture, path, &options, VERSO_GONE);
    options.size = 0;
    expect_refused(&fixture, path, &options, VERSO_INVALID);
    expect_refused(&fixture, NULL, NULL, VERSO_INVALID);
    expect_refused(&fixture, "", NULL, VERSO_INVALID);
    verso_copy_report report = {.size = 0};
    cr_assert_eq(verso_copy(fixture.store, path, NULL, &report), VERSO_INVALID);
    cr_assert_eq(verso_copy(NULL, path, NULL, NULL), VERSO_INVALID);
    expect_nothing_there(&fixture, "after refusals");
    close_fixture(&fixture);
}

Test(copy, never_replaces_anything)
{
    struct fixture fixture = open_fixture(13, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 5);
    simulated_disk_put(fixture.disk, path, "mine", 4);
    expect_refused(&fixture, path, NULL, VERSO_EXISTS);
    uint64_t size = 0;
    cr_assert_arr_eq(simulated_disk_bytes(fixture.disk, path, &size), "mine", 4);
    cr_assert_eq(size, 4);
    expect_refused(&fixture, "store", NULL, VERSO_EXISTS);
    simulated_disk_remove(fixture.disk, path);
    simulated_disk_put(fixture.disk, "copy-wal.3", "log", 3);
    expect_refused(&fixture, path, NULL, VERSO_EXISTS);
    expect_nothing_there(&fixture, "beside a log");
    close_fixture(&fixture);
}

static void take_the_name(void *argument, struct simulated_disk *disk,
                          const struct simulated_event *event)
{
    (void)argument;
    if (event->kind == SIMULATED_RENAME && !event->is_after) {
        simulated_disk_put(disk, path, "mine", 4);
    }
}

Test(copy, loses_against_whoever_takes_the_name_first)
{
    struct fixture fixture = open_fixture(14, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 5);
    simulated_disk_set_hook(fixture.disk, take_the_name, NULL);
    expect_refused(&fixture, path, NULL, VERSO_EXISTS);
    simulated_disk_set_hook(fixture.disk, NULL, NULL);
    uint64_t size = 0;
    cr_assert_arr_eq(simulated_disk_bytes(fixture.disk, path, &size), "mine", 4);
    cr_assert(!simulated_disk_exists(fixture.disk, "copy-wal.new"));
    close_fixture(&fixture);
}

Test(copy, is_refused_on_a_read_only_medium)
{
    struct fixture fixture = open_fixture(15, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 5);
    simulated_disk_set_read_only(fixture.disk, true);
    expect_refused(&fixture, path, NULL, VERSO_ACCESS);
    simulated_disk_set_read_only(fixture.disk, false);
    expect_nothing_there(&fixture, "on a read-only medium");
    close_fixture(&fixture);
}

Test(copy, leaves_nothing_behind_on_a_full_disk)
{
    struct fixture fixture = open_fixture(16, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 40);
    uint64_t used = simulated_disk_used_bytes(fixture.disk);
    uint64_t bytes = make_copy(&fixture, NULL).bytes;
    simulated_disk_remove(fixture.disk, path);
    for (uint64_t room = 0; room < bytes; room += bytes / 13) {
        simulated_disk_set_capacity(fixture.disk, used + room);
        expect_refused(&fixture, path, NULL, VERSO_NOSPC);
        expect_nothing_there(&fixture, "on a full disk");
    }
    simulated_disk_set_capacity(fixture.disk, used + bytes);
    make_copy(&fixture, NULL);
    close_fixture(&fixture);
}

/* Each call to the disk fails once. */
Test(copy, is_whole_or_not_there_whatever_fails)
{
    struct fixture fixture = open_fixture(17, 512, 0);
    random_history_commits(&fixture.history, fixture.store, 12);
    cr_assert_eq(verso_checkpoint(fixture.store), VERSO_OK);
    unsigned nth = 0;
    for (bool was_met = true; was_met;) {
        struct simulated_fault fault = {.nth = ++nth};
        uint64_t met = simulated_disk_faults_met(fixture.disk);
        simulated_disk_inject(fixture.disk, &fault);
        verso_err err = verso_copy(fixture.store, path, NULL, NULL);
        was_met = simulated_disk_faults_met(fixture.disk) > met;
        simulated_disk_heal(fixture.disk);
        if (err != VERSO_OK) {
            cr_assert_eq(err, VERSO_IO, "call %u: %s", nth, verso_error_detail());
            expect_nothing_there(&fixture, verso_error_detail());
            continue;
        }
        verso_store *copy = open_named(fixture.disk, path, 0, 0); /* or it did without that call */
        const char *fault_text = random_history_compare(fixture.store, copy, 0);
        cr_assert_null(fault_text, "call %u: %s", nth, fault_text);
        close_store(copy);
        simulated_disk_remove(fixture.disk, path);
    }
    cr_assert_gt(nth, 15);
    check(fixture.store);
    close_fixture(&fixture);
}

/* What reads have verified before may rot later: a copy with checksums of its own must not hide
   it. */
Test(copy, does_not_launder_rot)
{
    struct fixture fixture = open_fixture(18, 512, 0);
    fixture.history.long_value_max = 0;
    random_history_commits(&fixture.history, fixture.store, 20);
    close_store(fixture.store);
    fixture.store = open_named(fixture.disk, "store", 0, 0);
    check(fixture.store);
    uint64_t size = 0;
    cr_assert_not_null(simulated_disk_bytes(fixture.disk, "store", &size));
    unsigned refused = 0;
    for (uint64_t page = 1; page < size / 512; page++) {
        simulated_disk_flip(fixture.disk, "store", page * 512 + 500, 1);
        verso_err err = verso_copy(fixture.store, path, NULL, NULL);
        simulated_disk_flip(fixture.disk, "store", page * 512 + 500, 1);
        if (err == VERSO_OK) { /* of no root */
            simulated_disk_remove(fixture.disk, path);
            continue;
        }
        cr_assert_eq(err, VERSO_CORRUPT, "page %" PRIu64, page);
        expect_nothing_there(&fixture, "after rot");
        refused++;
    }
    cr_assert_gt(refused, 20);
    close_fixture(&fixture);
}
