/*
 * copy_limits_test.c - copies at the bounds of what they are made of: page numbers at their end, one
 * root more each time, writes and allocations that fail at any place.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failing_memory.h"
#include "format/layout.h"
#include "history/copy_parts.h"
#include "simulated_disk.h"
#include "verso.h"

enum {
    PAGE_SIZE = 512,
    ROOTS = 260, /* their history tree has three levels */
    NOTE_MAX = 900,
    ROOMS = 300, /* pages before the end that are looked at */
    FAILURES_MAX = 5000,
};

/* ---- page numbers ---- */

static bool is_free(vs_page_no page)
{
    return page < UINT32_MAX && !vs_layout_is_reserved(PAGE_SIZE, page);
}

static void expect_free(vs_page_no first, uint32_t pages, uint64_t from)
{
    cr_assert_geq(first, from);
    for (uint32_t i = 0; i < pages; i++) {
        cr_assert(first <= UINT32_MAX - i && is_free(first + i), "page %u from %" PRIu64, i, from);
    }
}

static struct vs_copy_file begin_at(struct simulated_disk *disk, uint64_t next)
{
    struct vs_file *file;
    const struct vs_os *os = simulated_disk_os(disk);
    if (simulated_disk_exists(disk, "copy")) {
        simulated_disk_remove(disk, "copy");
    }
    cr_assert_eq(os->open(os, "copy", VS_OPEN_CREATE, &file), VERSO_OK);
    struct vs_copy_file copy;
    cr_assert_eq(vs_copy_file_init(&copy, file, PAGE_SIZE), VERSO_OK);
    copy.next = next;
    return copy;
}

static void end(struct vs_copy_file *copy)
{
    copy->os->close(copy->file);
    vs_copy_file_clear(copy);
}

/* Take pages in rows of `row` until there are no more. @return How many were had. */
static unsigned take_all(struct simulated_disk *disk, uint64_t next, uint32_t row)
{
    struct vs_copy_file copy = begin_at(disk, next);
    unsigned taken = 0;
    vs_page_no first;
    verso_err err;
    while ((err = vs_copy_file_take(&copy, row, &first)) == VERSO_OK) {
        expect_free(first, row, next);
        taken += row;
        cr_assert_lt(taken, 4 * ROOMS);
    }
    cr_assert_eq(err, VERSO_LIMIT, "%s", verso_error_detail());
    end(&copy);
    return taken;
}

Test(copy_limits, page_numbers_come_to_their_end_with_a_name)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    for (uint64_t next = UINT32_MAX - ROOMS; next <= UINT32_MAX; next += 7) {
        unsigned free_pages = 0;
        for (uint64_t page = next; page < UINT32_MAX; page++) {
            free_pages += is_free((vs_page_no)page);
        }
        for (uint32_t row = 1; row < 40; row += 6) {
            unsigned taken = take_all(disk, next, row);
            cr_assert(taken <= free_pages && (row > 1 || taken == free_pages), "%u of %u pages",
                      taken, free_pages);
        }
    }
    simulated_disk_close(disk);
}

/* Of a value in pieces, each ends before the numbers do. */
Test(copy_limits, long_values_come_to_the_end_of_the_numbers_with_a_name)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    unsigned refused = 0;
    for (uint64_t next = UINT32_MAX - ROOMS; next < UINT32_MAX; next += 5) {
        for (unsigned pieces = 1; pieces <= 4; pieces++) {
            struct vs_copy_file copy = begin_at(disk, next);
            struct vs_run_ref ref = {.extents = pieces};
            for (unsigned i = 0; i < pieces; i++) {
                ref.extent[i] = (struct vs_run_extent){1, 30};
            }
            verso_err err = vs_copy_file_take_run(&copy, &ref);
            cr_assert(err == VERSO_OK || err == VERSO_LIMIT, "%s", verso_error_detail());
            refused += err == VERSO_LIMIT;
            for (unsigned i = 0; err == VERSO_OK && i < ref.extents; i++) {
                expect_free(ref.extent[i].page, ref.extent[i].pages, next);
            }
            end(&copy);
        }
    }
    cr_assert_gt(refused, 0);
    simulated_disk_close(disk);
}

/* Pages in front of a fixed part are left for others, which needs memory. */
Test(copy_limits, a_row_that_leaves_a_gap_needs_memory)
{
    enum { ROW = 20, BEFORE = 3 };
    struct simulated_disk *disk = simulated_disk_open(1);
    vs_page_no page = 1;
    while (!is_free(page) || !is_free(page + BEFORE - 1) || is_free(page + BEFORE)) {
        page++;
    }
    struct vs_copy_file copy = begin_at(disk, page);
    vs_page_no first;
    failing_memory_arm(1, false);
    cr_assert_eq(vs_copy_file_take(&copy, ROW, &first), VERSO_NOMEM);
    struct vs_run_ref run = {.extents = 1, .extent = {{1, ROW}}};
    failing_memory_arm(1, false);
    cr_assert_eq(vs_copy_file_take_run(&copy, &run), VERSO_NOMEM);
    (void)failing_memory_disarm();
    cr_assert_eq(vs_copy_file_take(&copy, ROW, &first), VERSO_OK);
    expect_free(first, ROW, page + BEFORE);
    cr_assert_eq(vs_copy_file_take(&copy, BEFORE, &first), VERSO_OK);
    cr_assert_eq(first, page, "the gap is filled");
    end(&copy);
    simulated_disk_close(disk);
}

/* The tree of roots is built from below: numbers may end at any of its pages. */
Test(copy_limits, a_history_that_comes_to_the_end_of_the_numbers_says_so)
{
    static struct vs_root_record records[ROOTS];
    static char note[NOTE_MAX];
    struct simulated_disk *disk = simulated_disk_open(1);
    unsigned refused = 0;
    unsigned made = 0;
    for (unsigned i = 0; i < ROOTS; i++) {
        records[i] = (struct vs_root_record){.version = i + 1, .note = {note, i * 37 % NOTE_MAX}};
    }
    for (uint64_t next = UINT32_MAX - 8 * ROOMS; next < UINT32_MAX; next += 11) {
        struct vs_copy_file copy = begin_at(disk, next);
        struct vs_tree_root root;
        verso_err err = vs_copy_history(&copy, records, ROOTS, &root);
        cr_assert(err == VERSO_OK || err == VERSO_LIMIT, "%s", verso_error_detail());
        refused += err == VERSO_LIMIT;
        made += err == VERSO_OK;
        end(&copy);
    }
    cr_assert(refused > 20 && made > 0, "%u refused, %u made", refused, made);
    simulated_disk_close(disk);
}

/* ---- whole copies ---- */

static verso_store *open_store(struct simulated_disk *disk)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    verso_store *store = NULL;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
    return store;
}

static void commit_root(verso_store *store, unsigned number)
{
    static char note[NOTE_MAX];
    verso_txn *txn;
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    memset(note, 'n', sizeof note);
    options.note = (verso_slice){note, number * 37 % NOTE_MAX};
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("key"), (verso_slice){&number, sizeof number}),
                 VERSO_OK);
    cr_assert_eq(verso_commit(txn, &options, NULL), VERSO_OK, "%s", verso_error_detail());
}

/* Before it gets its name, a copy is opened and checked. */
Test(copy_limits, one_root_more_each_time_makes_a_whole_copy)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_store(disk);
    for (unsigned i = 1; i <= ROOTS; i++) {
        verso_copy_report report = {.size = sizeof report};
        commit_root(store, i);
        cr_assert_eq(verso_copy(store, "copy", NULL, &report), VERSO_OK, "%u roots: %s", i,
                     verso_error_detail());
        cr_assert_eq(report.roots, i);
        simulated_disk_remove(disk, "copy");
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

static verso_store *store_of_many_roots(struct simulated_disk *disk)
{
    verso_store *store = open_store(disk);
    for (unsigned i = 1; i <= ROOTS; i++) {
        commit_root(store, i);
    }
    cr_assert_eq(verso_checkpoint(store), VERSO_OK);
    return store;
}

Test(copy_limits, each_call_of_the_disk_that_fails_fails_the_copy_and_leaves_nothing)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = store_of_many_roots(disk);
    verso_err err = VERSO_IO;
    uint64_t nth = 1;
    for (; err != VERSO_OK; nth++) {
        struct simulated_fault fault = {.kind = SIMULATED_ANY, .nth = nth};
        cr_assert_lt(nth, FAILURES_MAX);
        uint64_t before = simulated_disk_faults_met(disk);
        simulated_disk_inject(disk, &fault);
        err = verso_copy(store, "copy", NULL, NULL);
        bool met = simulated_disk_faults_met(disk) > before;
        simulated_disk_heal(disk);
        cr_assert(met || err == VERSO_OK, "%s", verso_error_detail());
        if (err == VERSO_OK) { /* what failed may have been a call that may fail */
            simulated_disk_remove(disk, "copy");
            err = met ? VERSO_IO : VERSO_OK;
        }
        cr_assert_not(simulated_disk_exists(disk, "copy"), "call %" PRIu64, nth);
    }
    cr_assert_gt(nth, 20);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

Test(copy_limits, each_allocation_that_fails_fails_the_copy_and_leaves_nothing)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = store_of_many_roots(disk);
    verso_err err = VERSO_NOMEM;
    for (uint64_t nth = 1; err != VERSO_OK; nth++) {
        cr_assert_lt(nth, FAILURES_MAX);
        failing_memory_arm(nth, false);
        err = verso_copy(store, "copy", NULL, NULL);
        bool met = failing_memory_disarm() > 0;
        cr_assert(err == VERSO_OK || (met && err == VERSO_NOMEM), "allocation %" PRIu64 ": %s", nth,
                  verso_error_detail());
        cr_assert(err == VERSO_OK || !simulated_disk_exists(disk, "copy"));
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}
