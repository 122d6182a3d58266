/*
 * long_reader_test.c - a view that stays open through very many commits: right for ever, its cost in
 * the figures, the file bounded meanwhile and given back afterwards.
 *
 * VERSO_TEST_COMMITS: how many commits.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "run_length.h"
#include "simulated_disk.h"
#include "simulated_random.h"
#include "verso.h"

enum { KEYS = 2000, COMMITS = 100000, LOOKS = 20, VALUE = 60 };

static struct simulated_disk *disk;
static verso_store *store;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_slice key_of(uint64_t number, char *text)
{
    return (verso_slice){text, (size_t)snprintf(text, 16, "key%06" PRIu64, number)};
}

static void put(verso_txn *txn, uint64_t number, uint64_t stamp)
{
    char key[16];
    char value[VALUE + 1];
    (void)snprintf(value, sizeof value, "%020" PRIu64 "%040" PRIu64, number, stamp);
    must(verso_put(txn, key_of(number, key), verso_text(value)));
}

static void open_and_fill(void)
{
    disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(1);
    options.create = true;
    options.page_size = 1024;
    options.retention = &policy;
    options.arena_bytes = 1 << 20;
    options.log_bytes = 256 * 1024;
    options.system = simulated_disk_os(disk);
    must(verso_open("store", &options, &store));
    verso_txn *txn;
    must(verso_begin(store, &txn));
    for (uint64_t i = 0; i < KEYS; i++) {
        put(txn, i, 0);
    }
    must(verso_commit(txn, NULL, NULL));
}

/* The pinned root: every key with its first value. */
static void look(verso_view *view, uint64_t commits)
{
    verso_cursor *cursor;
    verso_entry entry;
    must(verso_cursor_open(view, NULL, &cursor));
    for (uint64_t i = 0; i < KEYS; i++) {
        char key[16];
        char value[VALUE + 1];
        verso_slice expected = key_of(i, key);
        (void)snprintf(value, sizeof value, "%020" PRIu64 "%040d", i, 0);
        must(verso_cursor_next(cursor, &entry));
        cr_assert(entry.key.size == expected.size &&
                      memcmp(entry.key.data, expected.data, expected.size) == 0,
                  "key %" PRIu64 " after %" PRIu64 " commits", i, commits);
        cr_assert(entry.value.size == VALUE && memcmp(entry.value.data, value, VALUE) == 0,
                  "value %" PRIu64 " after %" PRIu64 " commits", i, commits);
    }
    cr_assert_eq(verso_cursor_next(cursor, &entry), VERSO_NOT_FOUND);
    verso_cursor_close(cursor);
}

static verso_space_report space(void)
{
    verso_space_report report = {.size = sizeof report};
    must(verso_space(store, &report));
    return report;
}

Test(long_reader, is_right_for_ever_and_costs_what_the_figures_say)
{
    uint64_t commits = run_length("VERSO_TEST_COMMITS", COMMITS);
    struct simulated_random random = {7};
    open_and_fill();
    must(verso_checkpoint(store));
    uint64_t live = space().live_bytes;
    verso_view *view;
    must(verso_view_open(store, &view));
    uint64_t longest = 0;
    for (uint64_t i = 1; i <= commits; i++) {
        verso_txn *txn;
        must(verso_begin(store, &txn));
        for (unsigned j = 0; j < 4; j++) {
            put(txn, simulated_random_below(&random, KEYS), i);
        }
        must(verso_commit(txn, NULL, NULL));
        if (i % 50 == 0) { /* as the background does, which the simulated disk has not */
            must(verso_checkpoint(store));
        }
        if (i % (commits / LOOKS) == 0) {
            look(view, i);
            uint64_t bytes = space().file_bytes;
            longest = bytes > longest ? bytes : longest;
        }
    }
    run_count("commits", commits);
    verso_reader_info reader = {.size = sizeof reader};
    size_t readers = 0;
    must(verso_readers(store, &reader, 1, &readers));
    cr_assert(readers == 1 && reader.root == 1, "the reader is in the list");
    verso_space_report pinned = space();
    cr_assert_geq(pinned.reader_bytes, live / 2, "what it costs is in the figures");
    cr_assert_leq(longest, 8 * live, "%" PRIu64 " bytes for %" PRIu64 " live", longest, live);
    verso_view_close(view);
    must(verso_checkpoint(store));
    must(verso_checkpoint(store));
    cr_assert_eq(space().reader_bytes, 0, "nothing is held once it has gone");
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    must(verso_close(store));
    simulated_disk_close(disk);
}
