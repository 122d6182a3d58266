/*
 * check_table_test.c - the page table held against what roots reach: pages that nobody reaches, pages
 * that one root lacks, and a table that cannot be read to its end.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/check_parts.h"
#include "page_fixture.h"
#include "verso.h"

enum { PAGE_SIZE = 512, KEYS = 3000, READS_MAX = 10000 };

static struct simulated_disk *disk;
static verso_store *store;

static void open_store(bool guarded)
{
    verso_retention policy = verso_keep_last(2);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.retention = &policy;
    options.guard_reads = guarded;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
}

static void close_store(void)
{
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
}

/* Many keys in one root, few in the next ones: many pages are dead, with blocks of the table of their
 * own. */
static void set_up(void)
{
    static const uint8_t value[100];
    disk = simulated_disk_open(1);
    open_store(false);
    for (unsigned round = 0; round < 3; round++) {
        verso_txn *txn;
        cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
        for (unsigned i = 0; i < KEYS; i++) {
            uint8_t key[4] = {(uint8_t)(i >> 8), (uint8_t)i, 'k', 'y'};
            verso_err err = round == 1 && i > 10 ? verso_delete(txn, (verso_slice){key, sizeof key})
                                                 : verso_put(txn, (verso_slice){key, sizeof key},
                                                             (verso_slice){value, sizeof value});
            cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
            i += round == 2 ? KEYS / 5 : 0;
        }
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    }
    close_store();
}

static void tear_down(void)
{
    simulated_disk_close(disk);
}

TestSuite(check_table, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- leaks ---- */

static bool is_alive(vs_page_no page)
{
    return page_words(store->store, page).word[VS_WORD_DIED] == VS_ALIVE;
}

static bool is_of_history(vs_page_no page)
{
    uint64_t kind = page_words(store->store, page).word[VS_WORD_KIND] >> 32;
    return (kind & VS_CLOCK_HISTORY) != 0;
}

/* The last page of the store that is alive, or is not. */
static vs_page_no last_page(bool alive)
{
    vs_page_no page = (vs_page_no)store->store->space.high_water - 1;
    while (is_alive(page) != alive || is_of_history(page)) {
        cr_assert_gt(page, 0);
        page--;
    }
    return page;
}

Test(check_table, a_page_alive_that_nobody_reaches_is_a_leak)
{
    open_store(false);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    vs_page_no page = last_page(false);
    struct vs_descriptor *descriptor;
    cr_assert_eq(vs_page_table_change(&store->store->table, page, &descriptor), VERSO_OK);
    vs_descriptor_set(descriptor, VS_WORD_BORN, store->store->tip.version);
    vs_descriptor_set(descriptor, VS_WORD_DIED, VS_ALIVE);
    cr_assert_eq(verso_check(store, &report), VERSO_CORRUPT);
    cr_assert_not_null(strstr(report.fault, "leak"), "%s", report.fault);
    cr_assert_eq(report.bad_page, page);
    vs_descriptor_set(descriptor, VS_WORD_DIED, store->store->tip.version);
    close_store();
}

/* The newest root is said to have met all pages, or all but one. */
static verso_err look_for_missing(vs_page_no missing, bool history_too)
{
    verso_check_report report = {.size = sizeof report};
    struct vs_whole_check whole = {
        .store = store->store, .report = &report, .high_water = store->store->space.high_water};
    whole.met = malloc(whole.high_water);
    cr_assert_not_null(whole.met);
    for (vs_page_no page = 1; page < whole.high_water; page++) {
        whole.met[page] = page != missing && (history_too || !is_of_history(page));
    }
    verso_err err = vs_check_newest_met(&whole);
    cr_assert(err != VERSO_CORRUPT || report.bad_page == missing);
    free(whole.met);
    return err;
}

Test(check_table, a_page_that_the_newest_root_lacks_is_found)
{
    open_store(false);
    cr_assert_eq(look_for_missing(0, true), VERSO_OK);
    cr_assert_eq(look_for_missing(0, false), VERSO_OK, "the history is no part of it");
    cr_assert_eq(look_for_missing(last_page(false), true), VERSO_OK, "nor is what has died");
    cr_assert_eq(look_for_missing(last_page(true), true), VERSO_CORRUPT);
    close_store();
}

/* ---- reading ---- */

static void fail_read(uint64_t nth)
{
    struct simulated_fault fault = {.kind = SIMULATED_READ, .nth = nth};
    simulated_disk_inject(disk, &fault);
}

/* Each read of a check fails in turn; those of blocks that describe dead pages only are among them. */
Test(check_table, a_page_that_cannot_be_read_is_no_damage)
{
    verso_err err = VERSO_IO;
    uint64_t nth = 0;
    while (err != VERSO_OK) {
        cr_assert_lt(++nth, READS_MAX);
        open_store(true);
        verso_check_report report = {.size = sizeof report};
        fail_read(nth);
        err = verso_check(store, &report);
        simulated_disk_heal(disk);
        cr_assert(err == VERSO_OK || err == VERSO_IO, "read %" PRIu64 ": %s", nth, report.fault);
        cr_assert_str_empty(report.fault);
        close_store();
    }
    cr_assert_gt(nth, 10);
}

Test(check_table, a_block_that_cannot_be_read_says_nothing_of_the_newest_root)
{
    open_store(true);
    verso_check_report report = {.size = sizeof report};
    struct vs_whole_check whole = {
        .store = store->store, .report = &report, .high_water = store->store->space.high_water};
    whole.met = malloc(whole.high_water);
    cr_assert_not_null(whole.met);
    memset(whole.met, 1, whole.high_water);
    fail_read(1);
    cr_assert_eq(vs_check_newest_met(&whole), VERSO_IO);
    free(whole.met);
    close_store();
}
