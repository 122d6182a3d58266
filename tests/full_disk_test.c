/*
 * full_disk_test.c - what a full disk refuses, what it must still allow, and that nothing leaks.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulated_disk.h"
#include "verso.h"

enum { LONG_VALUE = 3 << 20, PLENTY = 64 << 20 };

struct fixture {
    struct simulated_disk *disk;
    verso_store *store;
};

static struct fixture open_keeping(uint64_t capacity, uint32_t page_size, verso_retention policy)
{
    struct fixture fixture = {.disk = simulated_disk_open(1)};
    simulated_disk_set_capacity(fixture.disk, capacity);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = page_size;
    options.arena_bytes = page_size < 4096 ? 512 * 1024 : 0;
    options.retention = &policy;
    options.system = simulated_disk_os(fixture.disk);
    cr_assert_eq(verso_open("store", &options, &fixture.store), VERSO_OK);
    return fixture;
}

static struct fixture open_fixture_on(uint64_t capacity, uint32_t page_size)
{
    return open_keeping(capacity, page_size, verso_keep_last(1));
}

static struct fixture open_fixture(void)
{
    return open_fixture_on(UINT64_MAX, 4096);
}

static void close_fixture(struct fixture *fixture)
{
    verso_check_report report = {.size = sizeof report};
    cr_expect_eq(verso_check(fixture->store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(verso_close(fixture->store), VERSO_OK, "%s", verso_error_detail());
    simulated_disk_close(fixture->disk);
}

static verso_slice key_of(unsigned number, char *text)
{
    return (verso_slice){text, (size_t)snprintf(text, 16, "key%07u", number)};
}

/* No byte more than now. */
static void fill_disk(struct fixture *fixture)
{
    simulated_disk_set_capacity(fixture->disk, simulated_disk_used_bytes(fixture->disk));
}

/* Put until the disk refuses; the number of keys that are in. */
static unsigned put_until_full(struct fixture *fixture)
{
    char text[16];
    uint8_t value[100] = {0};
    for (unsigned number = 0;; number += 100) {
        verso_txn *txn;
        cr_assert_eq(verso_begin(fixture->store, &txn), VERSO_OK);
        verso_err err = VERSO_OK;
        for (unsigned i = 0; i < 100 && err == VERSO_OK; i++) {
            err = verso_put(txn, key_of(number + i, text), (verso_slice){value, sizeof value});
        }
        if (err == VERSO_OK) {
            err = verso_commit(txn, NULL, NULL);
        } else {
            verso_abort(txn);
        }
        if (err != VERSO_OK) {
            cr_assert_eq(err, VERSO_NOSPC, "%s", verso_error_detail());
            return number;
        }
    }
}

Test(full_disk, refuses_a_transaction_and_takes_it_when_there_is_room_again)
{
    struct fixture fixture = open_fixture();
    simulated_disk_set_capacity(fixture.disk, 24 << 20);
    cr_assert_gt(put_until_full(&fixture), 1000);
    simulated_disk_set_capacity(fixture.disk, 2 * PLENTY);
    verso_txn *txn;
    cr_assert_eq(verso_begin(fixture.store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("a"), verso_text("b")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    close_fixture(&fixture);
}

Test(full_disk, drops_the_pages_of_half_a_long_value)
{
    struct fixture fixture = open_fixture();
    uint8_t *value = calloc(1, LONG_VALUE);
    verso_txn *txn;
    cr_assert_eq(verso_begin(fixture.store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("a"), verso_text("b")), VERSO_OK);
    simulated_disk_set_capacity(fixture.disk, simulated_disk_used_bytes(fixture.disk) + (1 << 20));
    verso_err err = verso_put(txn, verso_text("long"), (verso_slice){value, LONG_VALUE});
    cr_assert_eq(err, VERSO_NOSPC, "%s", verso_strerror(err));
    simulated_disk_set_capacity(fixture.disk, PLENTY);
    err = verso_commit(txn, NULL, NULL);
    cr_assert(err == VERSO_OK || err == VERSO_MUST_ABORT, "%s", verso_strerror(err));
    free(value);
    close_fixture(&fixture); /* checks that no page leaked */
}

Test(full_disk, lets_a_transaction_delete)
{
    struct fixture fixture = open_fixture();
    simulated_disk_set_capacity(fixture.disk, 24 << 20);
    unsigned keys = put_until_full(&fixture);
    cr_assert_gt(keys, 1000);
    fill_disk(&fixture);
    char text[16];
    for (unsigned number = 0; number < keys; number += 50) {
        verso_txn *txn;
        cr_assert_eq(verso_begin(fixture.store, &txn), VERSO_OK);
        for (unsigned i = 0; i < 50; i++) {
            verso_err err = verso_delete(txn, key_of(number + i, text));
            cr_assert_eq(err, VERSO_OK, "key %u: %s", number + i, verso_error_detail());
        }
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "from key %u: %s", number,
                     verso_error_detail());
    }
    close_fixture(&fixture);
}

Test(full_disk, lets_a_transaction_delete_a_range)
{
    struct fixture fixture = open_fixture();
    simulated_disk_set_capacity(fixture.disk, 24 << 20);
    unsigned keys = put_until_full(&fixture);
    cr_assert_gt(keys, 1000);
    fill_disk(&fixture);
    char from[16];
    char to[16];
    for (unsigned number = 0; number + 1000 <= keys; number += 1000) { /* the edges are copied */
        verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
        range.from = key_of(number + 3, from);
        range.to = key_of(number + 997, to);
        uint64_t deleted = 0;
        verso_txn *txn;
        cr_assert_eq(verso_begin(fixture.store, &txn), VERSO_OK);
        verso_err err = verso_delete_range(txn, &range, &deleted);
        cr_assert_eq(err, VERSO_OK, "from key %u: %s", number, verso_error_detail());
        cr_assert_eq(deleted, 994);
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "from key %u: %s", number,
                     verso_error_detail());
    }
    close_fixture(&fixture);
}

/* A transaction that deletes the keys [from, from + 10). */
static verso_err delete_ten(struct fixture *fixture, unsigned from)
{
    verso_txn *txn;
    char text[16];
    verso_err err = verso_begin(fixture->store, &txn);
    cr_assert_eq(err, VERSO_OK);
    for (unsigned i = 0; i < 10 && err == VERSO_OK; i++) {
        err = verso_delete(txn, key_of(from + i, text));
    }
    if (err == VERSO_OK) {
        return verso_commit(txn, NULL, NULL);
    }
    verso_abort(txn);
    return err;
}

/* Wherever the disk ends: before the log's first segment is used up, in the middle of a block of
   pages, with a reserve shorter than that, after checkpoints that drew on it. */
Test(full_disk, lets_a_transaction_delete_at_every_size)
{
    for (uint64_t kib = 500; kib < 1500; kib += 9) {
        struct fixture fixture = open_fixture_on(kib * 1024, 1024);
        unsigned keys = put_until_full(&fixture);
        for (unsigned i = 0; i < 5 && keys > 0; i++) {
            cr_assert_eq(delete_ten(&fixture, i * keys / 5), VERSO_OK, "%u KiB, deletion %u: %s",
                         (unsigned)kib, i, verso_error_detail());
        }
        close_fixture(&fixture);
    }
}

/* Put one key at a time, until not one more fits. */
static void fill_to_the_brim(struct fixture *fixture)
{
    char text[16];
    uint8_t value[100] = {0};
    verso_err err = VERSO_OK;
    for (unsigned number = 1; err == VERSO_OK; number++) {
        verso_txn *txn;
        cr_assert_eq(verso_begin(fixture->store, &txn), VERSO_OK);
        err = verso_put(txn, key_of(number * 7919 % 1000000, text),
                        (verso_slice){value, sizeof value});
        if (err == VERSO_OK) {
            err = verso_commit(txn, NULL, NULL);
        } else {
            verso_abort(txn);
        }
    }
    cr_assert_eq(err, VERSO_NOSPC, "%s", verso_error_detail());
}

/* What deletions have taken from the reserve is made up for before anybody else gets pages. */
Test(full_disk, lets_a_transaction_delete_however_often_it_was_filled_again)
{
    for (uint64_t kib = 500; kib < 1500; kib += 190) {
        struct fixture fixture = open_fixture_on(kib * 1024, 1024);
        for (unsigned round = 0; round < 30; round++) {
            unsigned keys = put_until_full(&fixture);
            fill_to_the_brim(&fixture);
            for (unsigned i = 0; i < 3 && keys > 0; i++) {
                cr_assert_eq(delete_ten(&fixture, i * keys / 3), VERSO_OK,
                             "%u KiB, round %u, deletion %u: %s", (unsigned)kib, round, i,
                             verso_error_detail());
            }
        }
        close_fixture(&fixture);
    }
}

/* ---- a disk that is full of history ---- */

/* Write the same keys again and again, each time in a root of its own. @return The last error. */
static verso_err rewrite(struct fixture *fixture, unsigned roots)
{
    char text[16];
    verso_err err = VERSO_OK;
    for (unsigned root = 0; root < roots && err == VERSO_OK; root++) {
        uint8_t value[100];
        memset(value, (int)root, sizeof value);
        verso_txn *txn;
        err = verso_begin(fixture->store, &txn);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        for (unsigned i = 0; i < 20 && err == VERSO_OK; i++) {
            err = verso_put(txn, key_of(root * 7 % 30 * 20 + i, text),
                            (verso_slice){value, sizeof value});
        }
        if (err == VERSO_OK) {
            err = verso_commit(txn, NULL, NULL);
        } else {
            verso_abort(txn);
        }
    }
    return err;
}

/* What fills the disk is old roots. They can be dropped, tagged or not, and then there is room. */
static void drop_history(uint64_t kib)
{
    struct fixture fixture = open_keeping(kib * 1024, 1024, verso_keep_all());
    verso_store *store = fixture.store;
    cr_assert_eq(rewrite(&fixture, 5), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_tag_set(store, verso_text("tag"), 3), VERSO_OK);
    cr_assert_eq(rewrite(&fixture, 100000), VERSO_NOSPC);
    fill_disk(&fixture);
    verso_retention policy = verso_keep_last(1);
    cr_assert_eq(verso_tag_delete(store, verso_text("tag")), VERSO_OK, "%u KiB: %s", (unsigned)kib,
                 verso_error_detail());
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_OK, "%u KiB: %s", (unsigned)kib,
                 verso_error_detail());
    for (unsigned i = 0; i < 6; i++) { /* the log cannot grow, either: checkpoints empty it */
        cr_assert_eq(verso_checkpoint(store), VERSO_OK, "%u KiB: %s", (unsigned)kib,
                     verso_error_detail());
        /* what the metas before the first one named must stay until the second */
        cr_assert_eq(rewrite(&fixture, i == 0 ? 0 : 8), VERSO_OK, "%u KiB, %u: no room: %s",
                     (unsigned)kib, i, verso_error_detail());
    }
    close_fixture(&fixture);
}

Test(full_disk, lets_roots_be_dropped_at_every_size)
{
    for (uint64_t kib = 600; kib < 1600; kib += 9) {
        drop_history(kib);
    }
}

/* So many that it is the log which has no room. */
static void leave_free_pages(struct fixture *fixture)
{
    char to[16];
    simulated_disk_set_capacity(fixture->disk, 3 << 20);
    cr_assert_gt(put_until_full(fixture), 5000);
    simulated_disk_set_capacity(fixture->disk, PLENTY);
    verso_txn *txn;
    verso_range range = {.size = sizeof range, .has_to = true, .to = key_of(5000, to)};
    cr_assert_eq(verso_begin(fixture->store, &txn), VERSO_OK);
    cr_assert_eq(verso_delete_range(txn, &range, NULL), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    for (unsigned i = 0; i < 3; i++) { /* until the deaths are judged */
        cr_assert_eq(rewrite(fixture, 2), VERSO_OK);
        cr_assert_eq(verso_checkpoint(fixture->store), VERSO_OK);
    }
}

/* Puts leave the log a part of its last file, for those who give space back. */
Test(full_disk, lets_tags_and_policies_be_set_when_the_log_has_no_room)
{
    struct fixture fixture = open_fixture_on(UINT64_MAX, 1024);
    verso_store *store = fixture.store;
    verso_retention policy = verso_keep_last(2);
    leave_free_pages(&fixture);
    fill_disk(&fixture);
    cr_assert_eq(rewrite(&fixture, 100000), VERSO_NOSPC);
    cr_assert_not_null(strstr(verso_error_detail(), "-wal."), "%s", verso_error_detail());
    cr_assert_eq(verso_tag_set(store, verso_text("tag"), 0), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_tag_delete(store, verso_text("tag")), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_checkpoint(store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(rewrite(&fixture, 4), VERSO_OK, "%s", verso_error_detail());
    close_fixture(&fixture);
}
