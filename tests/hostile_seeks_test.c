/*
 * hostile_seeks_test.c - branches whose checksums and structure are right, and whose separators or
 * counts are not: a search that they lead astray hands out nothing from where it was not asked.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forged_store.h"
#include "format/branch.h"
#include "simulated_disk.h"
#include "verso.h"

#define PATH "store"

enum { PAGE_SIZE = 512, KEYS = 200 };

static struct simulated_disk *disk;
static verso_store *store;
static struct forged_store forged;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void open_store(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.system = simulated_disk_os(disk);
    must(verso_open(PATH, &options, &store));
}

/* A closed store of three levels whose leaves hold few keys; its bytes in `forged`. */
static void set_up(void)
{
    static const uint8_t value[90];
    verso_txn *txn = NULL;
    disk = simulated_disk_open(1);
    open_store();
    must(verso_begin(store, &txn));
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key %04u", i);
        must(verso_put(txn, verso_text(key), (verso_slice){value, sizeof value}));
    }
    must(verso_commit(txn, NULL, NULL));
    must(verso_close(store));
    forged = forged_store_take(disk, PATH);
}

/* Each test closes what it has opened. */
static void tear_down(void)
{
    forged_store_clear(&forged);
    simulated_disk_close(disk);
}

TestSuite(hostile_seeks, .init = set_up, .fini = tear_down);

/* ---- forging ---- */

static void forge_pages(forged_change *change)
{
    forged_store_change_all(&forged, change);
    forged_store_put(&forged, disk, PATH);
    open_store();
}

static bool is_low_branch(const uint8_t *page)
{
    return vs_page_kind(page) == VS_KIND_BRANCH && vs_page_level(page) == 1;
}

/* The first leaf of each branch claims the keys of the two behind it. */
static void count_too_many(const struct forged_page *forged_page)
{
    uint8_t *page = forged_page->bytes;
    if (is_low_branch(page)) {
        for (unsigned child = 1; child < 3; child++) {
            uint64_t keys = vs_branch_keys(page, child) - 1;
            vs_branch_set_keys(page, 0, vs_branch_keys(page, 0) + keys);
            vs_branch_set_keys(page, child, 1);
        }
    }
}

/* Every second separator is another: the keys just behind it, or just before it, lie on its wrong
 * side. */
static void move_separators(uint8_t *page, int by, const char *end)
{
    for (unsigned i = 1; is_low_branch(page) && i < vs_page_count(page); i += 2) {
        char text[16] = "";
        size_t size = vs_branch_separator(page, i, (uint8_t *)text);
        cr_assert_lt(size, sizeof text);
        unsigned number = (unsigned)strtoul(text + 4, NULL, 10) + (unsigned)by;
        (void)snprintf(text, sizeof text, "key %04u%s", number % 10000, end);
        (void)vs_branch_set_separator(page, PAGE_SIZE, i, verso_text(text));
    }
}

static void raise_separators(const struct forged_page *page)
{
    move_separators(page->bytes, 0, "x");
}

static void lower_separators(const struct forged_page *page)
{
    move_separators(page->bytes, -2, "x");
}

/* ---- reading ---- */

static int compare(verso_slice a, verso_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static bool lies_within(verso_slice key, const verso_range *range)
{
    return compare(range->from, key) <= 0 && compare(key, range->to) < 0;
}

/* @return What ends the share. */
static verso_err expect_within(verso_view *view, const verso_range *range, uint64_t shares,
                               uint64_t share)
{
    verso_cursor *cursor = NULL;
    verso_entry entry;
    verso_err err = verso_cursor_open_share(view, range, shares, share, &cursor);
    if (err != VERSO_OK) {
        return err;
    }
    while ((err = verso_cursor_next(cursor, &entry)) == VERSO_OK) {
        cr_assert(lies_within(entry.key, range), "a share's entry");
    }
    verso_cursor_close(cursor);
    return err;
}

/* A share's bounds, and an entry at random, are found by counts. Where these contradict the keys, what
 * lies out of the range is not handed out. */
Test(hostile_seeks, counts_that_lead_out_of_a_range_are_damage)
{
    enum { SHARES = 16 };
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    verso_view *view = NULL;
    unsigned refused = 0;
    forge_pages(count_too_many);
    must(verso_view_open(store, &view));
    for (unsigned number = 0; number < KEYS; number += 7) {
        char from[16];
        char to[16];
        verso_entry entry;
        (void)snprintf(from, sizeof from, "key %04u", number);
        (void)snprintf(to, sizeof to, "key %04u", number + 20);
        range.from = verso_text(from);
        range.to = verso_text(to);
        for (uint64_t share = 0; share < SHARES; share++) {
            verso_err err = expect_within(view, &range, SHARES, share);
            refused += err == VERSO_CORRUPT;
            err = verso_random(view, &range, share << 60, &entry);
            cr_assert(err != VERSO_OK || lies_within(entry.key, &range), "a random entry");
            refused += err == VERSO_CORRUPT;
        }
    }
    cr_assert_gt(refused, 0);
    verso_view_close(view);
    must(verso_close(store));
}

/* Seek each key and the places behind it. */
static void expect_right_side(verso_seek how, bool below)
{
    verso_view *view = NULL;
    verso_cursor *cursor = NULL;
    verso_entry entry;
    unsigned refused = 0;
    must(verso_view_open(store, &view));
    must(verso_cursor_open(view, NULL, &cursor));
    for (unsigned i = 0; i < 2 * KEYS; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "key %04u%s", i / 2, i % 2 == 0 ? "" : below ? "y" : "a");
        verso_err err = verso_cursor_seek(cursor, how, verso_text(text), &entry);
        cr_assert(err == VERSO_OK || err == VERSO_NOT_FOUND || err == VERSO_CORRUPT);
        int order = err == VERSO_OK ? compare(entry.key, verso_text(text)) : 0;
        cr_assert(below ? order <= 0 : order >= 0, "%s", text);
        refused += err == VERSO_CORRUPT;
    }
    cr_assert_gt(refused, 0);
    verso_cursor_close(cursor);
    verso_view_close(view);
    must(verso_close(store));
}

/* The leaf beside the one that a seek has found continues its keys, but not the one sought. */
Test(hostile_seeks, a_seek_upwards_never_lands_below_its_key)
{
    forge_pages(raise_separators);
    expect_right_side(VERSO_SEEK_GE, false);
}

Test(hostile_seeks, a_seek_downwards_never_lands_above_its_key)
{
    forge_pages(lower_separators);
    expect_right_side(VERSO_SEEK_LE, true);
}
