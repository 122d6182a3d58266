/*
 * store_space_test.c - how long the file gets when everything is overwritten again and again.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulated_disk.h"
#include "verso.h"

enum {
    KEYS = 6000,
    VALUE_SIZE = 800, /* bytes: about 6 MB of live data */
    KEYS_A_COMMIT = 30,
    ROUNDS = 20,
};

static uint64_t arena_bytes = 1 << 20; /* small against the data */
static uint64_t log_bytes = 128 * 1024;

struct fixture {
    struct simulated_disk *disk;
    verso_store *store;
};

static void open_store(struct fixture *fixture, uint64_t keep_last)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    verso_retention policy = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last);
    options.retention = &policy;
    options.durability = VERSO_DURABILITY_INTERVAL;
    options.arena_bytes = arena_bytes;
    options.log_bytes = log_bytes;
    options.system = simulated_disk_os(fixture->disk);
    verso_err err = verso_open("store", &options, &fixture->store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static struct fixture open_fixture(uint64_t keep_last)
{
    struct fixture fixture = {.disk = simulated_disk_open(1)};
    open_store(&fixture, keep_last);
    return fixture;
}

static void close_fixture(struct fixture *fixture)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(fixture->store, &report);
    cr_assert_eq(err, VERSO_OK, "root %" PRIu64 ", page %" PRIu32 ": %s", report.bad_root,
                 report.bad_page, report.fault);
    err = verso_close(fixture->store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    simulated_disk_close(fixture->disk);
}

static verso_slice key_of(unsigned number, char *text, size_t size)
{
    (void)snprintf(text, size, "key %08u", number);
    return verso_text(text);
}

/* Key `number` holds `round` in a value of its own. */
static void put_round(verso_txn *txn, unsigned number, unsigned round)
{
    char text[32];
    unsigned char value[VALUE_SIZE];
    memset(value, (int)(number + round), sizeof value);
    memcpy(value, &round, sizeof round);
    verso_err err =
        verso_put(txn, key_of(number, text, sizeof text), (verso_slice){value, sizeof value});
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/* Write every key, some in a transaction, in an order that touches leaves all over the tree. */
static void overwrite(struct fixture *fixture, unsigned round)
{
    for (unsigned done = 0; done < KEYS; done += KEYS_A_COMMIT) {
        verso_txn *txn;
        verso_err err = verso_begin(fixture->store, &txn);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        for (unsigned i = done; i < done + KEYS_A_COMMIT; i++) {
            put_round(txn, (unsigned)((uint64_t)i * 2477 % KEYS), round);
        }
        err = verso_commit(txn, NULL, NULL);
        cr_assert_eq(err, VERSO_OK, "round %u: %s", round, verso_error_detail());
    }
}

static void expect_round(verso_view *view, unsigned round)
{
    for (unsigned i = 0; i < KEYS; i++) {
        char text[32];
        verso_slice value;
        unsigned found = 0;
        verso_err err = verso_get(view, key_of(i, text, sizeof text), &value);
        cr_assert(err == VERSO_OK && value.size == VALUE_SIZE, "%s", verso_error_detail());
        memcpy(&found, value.data, sizeof found);
        cr_assert_eq(found, round, "key %u is of round %u, not %u", i, found, round);
    }
}

static verso_stats stats_of(struct fixture *fixture)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(fixture->store, &stats), VERSO_OK);
    return stats;
}

/* Bytes of the pages that the newest root needs, when it is the only one kept. */
static uint64_t live_bytes(void)
{
    struct fixture fixture = open_fixture(1);
    overwrite(&fixture, 0);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(fixture.store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(report.roots, 1);
    uint64_t bytes = report.pages * stats_of(&fixture).page_size;
    close_fixture(&fixture);
    return bytes;
}

/* ---- overwriting ---- */

Test(store_space, a_reader_of_an_old_root_costs_about_the_live_data_once_more)
{
    uint64_t live = live_bytes();
    struct fixture fixture = open_fixture(1);
    overwrite(&fixture, 0);
    verso_view *old;
    cr_assert_eq(verso_view_open(fixture.store, &old), VERSO_OK);
    uint64_t in_the_middle = 0;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        overwrite(&fixture, round);
        in_the_middle = round == ROUNDS / 2 ? stats_of(&fixture).file_bytes : in_the_middle;
    }
    verso_stats stats = stats_of(&fixture);
    double times = (double)stats.file_bytes / (double)live;
    printf("live data: %" PRIu64 " bytes; file with a reader: %.2f times that\n", live, times);
    cr_assert_lt(times, 2.6);
    cr_assert_leq(stats.file_bytes, in_the_middle + in_the_middle / 8, "it still grows");
    expect_round(old, 0);
    verso_view_close(old);

    for (unsigned round = 1; round <= 3; round++) { /* what the reader held is used again */
        overwrite(&fixture, ROUNDS + round);
    }
    cr_assert_leq(stats_of(&fixture).file_bytes, stats.file_bytes);
    close_fixture(&fixture);
}

/* The file's longest length while everything is overwritten. */
static uint64_t file_after_overwriting(bool reader)
{
    struct fixture fixture = open_fixture(1);
    verso_view *old = NULL;
    overwrite(&fixture, 0);
    cr_assert_eq(verso_checkpoint(fixture.store), VERSO_OK, "%s", verso_error_detail());
    if (reader) {
        cr_assert_eq(verso_view_open(fixture.store, &old), VERSO_OK);
    }
    for (unsigned round = 1; round <= 2 * ROUNDS; round++) {
        overwrite(&fixture, round);
    }
    uint64_t bytes = stats_of(&fixture).file_bytes;
    if (reader) {
        expect_round(old, 0);
        verso_view_close(old);
    }
    close_fixture(&fixture);
    return bytes;
}

Test(store_space, a_reader_costs_no_more_where_the_data_is_small_against_the_arena)
{
    uint64_t live = live_bytes();
    arena_bytes = 64 << 20; /* checkpoints come by the log: each finds every page overwritten */
    log_bytes = 16 << 20;
    uint64_t without = file_after_overwriting(false);
    uint64_t with = file_after_overwriting(true);
    printf("live data: %" PRIu64 " bytes; file: %.2f times that, with a reader %.2f\n", live,
           (double)without / (double)live, (double)with / (double)live);
    cr_assert_lt(without, live * 5 / 2); /* what is live, what is on disk, what is ahead */
    cr_assert_leq(with, without + live * 3 / 2);
}

Test(store_space, without_a_reader_the_file_stays_bounded)
{
    uint64_t live = live_bytes();
    struct fixture fixture = open_fixture(1);
    uint64_t in_the_middle = 0;
    for (unsigned round = 0; round <= ROUNDS; round++) {
        overwrite(&fixture, round);
        in_the_middle = round == ROUNDS / 2 ? stats_of(&fixture).file_bytes : in_the_middle;
    }
    verso_stats stats = stats_of(&fixture);
    double times = (double)stats.file_bytes / (double)live;
    printf("live data: %" PRIu64 " bytes; file without a reader: %.2f times that\n", live, times);
    cr_assert_lt(times, 1.6);
    cr_assert_leq(stats.file_bytes, in_the_middle + in_the_middle / 8, "it still grows");
    close_fixture(&fixture);
}

Test(store_space, space_of_dropped_roots_is_found_again_after_a_reopen)
{
    struct fixture fixture = open_fixture(1);
    uint64_t first = 0;
    for (unsigned round = 0; round < 8; round++) {
        overwrite(&fixture, round);
        cr_assert_eq(verso_close(fixture.store), VERSO_OK, "%s", verso_error_detail());
        open_store(&fixture, 1);
        uint64_t bytes = stats_of(&fixture).file_bytes;
        first = round == 1 ? bytes : first;
        cr_assert(round < 2 || bytes <= first + first / 2,
                  "round %u: %" PRIu64 " bytes, once %" PRIu64, round, bytes, first);
    }
    close_fixture(&fixture);
}

/* ---- retention ---- */

/* Each round is one transaction: each root holds one round alone. */
static void round_in_one(struct fixture *fixture, unsigned round)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(fixture->store, &txn), VERSO_OK, "%s", verso_error_detail());
    for (unsigned i = 0; i < KEYS; i++) {
        put_round(txn, i, round);
    }
    verso_err err = verso_commit(txn, NULL, NULL);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void expect_roots(struct fixture *fixture, uint64_t from, uint64_t to)
{
    for (uint64_t root = 1; root <= to; root++) {
        verso_view *view;
        verso_err err = verso_view_open_root(fixture->store, root, &view);
        cr_assert_eq(err, root < from ? VERSO_GONE : VERSO_OK, "root %" PRIu64 ": %s", root,
                     verso_error_detail());
        if (err == VERSO_OK) {
            expect_round(view, (unsigned)root);
            verso_view_close(view);
        }
    }
}

static uint64_t bytes_after_rounds(uint64_t keep_last, uint64_t rounds)
{
    struct fixture fixture = open_fixture(keep_last);
    for (unsigned round = 1; round <= rounds; round++) {
        round_in_one(&fixture, round);
    }
    expect_roots(&fixture, keep_last == 0 ? 1 : rounds - keep_last + 1, rounds);
    uint64_t bytes = stats_of(&fixture).file_bytes;
    close_fixture(&fixture);
    return bytes;
}

Test(store_space, retention_bounds_the_file)
{
    uint64_t one = bytes_after_rounds(1, 12);
    uint64_t four = bytes_after_rounds(4, 12);
    uint64_t all = bytes_after_rounds(0, 12);
    uint64_t data = (uint64_t)KEYS * VALUE_SIZE;
    printf("12 rounds of %" PRIu64 " bytes; file when 1, 4, all roots are kept: %" PRIu64
           ", %" PRIu64 ", %" PRIu64 "\n",
           data, one, four, all);
    cr_assert_lt(one, data * 4);
    cr_assert_lt(four, data * 9);
    cr_assert_gt(all, data * 12);
    cr_assert_lt(all, data * 20);
}

Test(store_space, lowering_the_retention_gives_space_back)
{
    struct fixture fixture = open_fixture(0);
    for (unsigned round = 1; round <= 8; round++) {
        round_in_one(&fixture, round);
    }
    uint64_t before = stats_of(&fixture).file_bytes;
    verso_retention policy = verso_keep_last(1);
    cr_assert_eq(verso_retention_set(fixture.store, &policy), VERSO_OK, "%s", verso_error_detail());
    for (unsigned round = 9; round <= 20; round++) {
        round_in_one(&fixture, round);
    }
    cr_assert_leq(stats_of(&fixture).file_bytes, before + before / 8);
    close_fixture(&fixture);
}
