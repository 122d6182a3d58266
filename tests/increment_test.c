/*
 * increment_test.c - a copy and its increments have what the store has, root by root; what does not
 * belong, or is damaged, changes nothing.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/increment.h"
#include "random_history.h"
#include "simulated_disk.h"
#include "verso.h"

static const char *const increment = "increment";

struct fixture {
    struct simulated_disk *disk;
    verso_store *store;
    verso_store *copy; /* of the store as it was when the fixture was opened */
    struct random_history history;
};

static verso_store *open_named(struct simulated_disk *disk, const char *name, uint32_t page_size)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = page_size;
    verso_retention policy = verso_keep_all();
    options.retention = &policy;
    options.log_bytes = 64 * 1024; /* long transactions go by a checkpoint */
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open(name, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

static struct fixture open_fixture(uint64_t seed, uint32_t page_size, unsigned commits)
{
    struct fixture fixture = {.disk = simulated_disk_open(seed)};
    fixture.store = open_named(fixture.disk, "store", page_size);
    fixture.history = (struct random_history){
        .random = {seed},
        .keys = PAGE_KEYS_ANY,
        .changes_max = 20,
        .long_value_max = 5000,
        .trees = true,
    };
    random_history_commits(&fixture.history, fixture.store, commits);
    verso_err err = verso_copy(fixture.store, "copy", NULL, NULL);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    fixture.copy = open_named(fixture.disk, "copy", 0);
    return fixture;
}

static void close_fixture(struct fixture *fixture)
{
    cr_assert_eq(verso_close(fixture->copy), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_close(fixture->store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(simulated_disk_open_files(fixture->disk), 0);
    simulated_disk_close(fixture->disk);
}

static verso_root_id newest_of(verso_store *store)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_eq(stats.published, stats.tip);
    return stats.tip;
}

static verso_copy_report make_increment(struct fixture *fixture, verso_root_id since)
{
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy_since(fixture->store, since, increment, &report);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return report;
}

static verso_copy_report apply_increment(struct fixture *fixture)
{
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy_apply(fixture->copy, increment, &report);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return report;
}

static void expect_equal(struct fixture *fixture)
{
    const char *fault = random_history_compare(fixture->store, fixture->copy, 0);
    cr_assert_null(fault, "%s", fault);
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(fixture->copy, &report);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void expect_refused(struct fixture *fixture, verso_err expected)
{
    verso_root_id before = newest_of(fixture->copy);
    verso_err err = verso_copy_apply(fixture->copy, increment, NULL);
    cr_assert_eq(err, expected, "%s: %s", verso_strerror(err), verso_error_detail());
    cr_assert_eq(newest_of(fixture->copy), before);
}

/* ---- equal ---- */

static void follow(uint64_t seed, uint32_t page_size, unsigned rounds)
{
    struct fixture fixture = open_fixture(seed, page_size, 10);
    for (unsigned round = 0; round < rounds; round++) {
        verso_root_id since = newest_of(fixture.copy);
        fixture.history.changes_max = round % 3 == 2 ? 1500 : 20;
        unsigned commits = (unsigned)simulated_random_below(&fixture.history.random, 12);
        if (commits > 0) {
            random_history_commits(&fixture.history, fixture.store, commits);
        }
        cr_assert_eq(make_increment(&fixture, since).roots, commits);
        verso_copy_report applied = apply_increment(&fixture);
        cr_assert_eq(applied.roots, commits, "seed=%" PRIu64 " round=%u", seed, round);
        cr_assert_eq(applied.newest, since + commits);
        expect_equal(&fixture);
        simulated_disk_remove(fixture.disk, increment);
    }
    close_fixture(&fixture);
}

Test(increment, a_copy_and_its_increments_have_what_the_store_has)
{
    uint64_t seed = page_keys_seed();
    follow(seed, 512, 10);
    follow(seed + 1, 512, 8);
    follow(seed + 2, 4096, 6);
}

Test(increment, survives_a_power_cut_and_goes_on_where_it_was)
{
    struct fixture fixture = open_fixture(3, 512, 10);
    random_history_commits(&fixture.history, fixture.store, 20);
    make_increment(&fixture, 10);
    apply_increment(&fixture);
    struct simulated_disk *after = simulated_disk_crash(fixture.disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *copy = open_named(after, "copy", 0);
    const char *fault = random_history_compare(fixture.store, copy, 0);
    cr_assert_null(fault, "%s", fault);
    cr_assert_eq(verso_close(copy), VERSO_OK);
    simulated_disk_close(after);
    close_fixture(&fixture);
}

/* Names that change hands within one increment. */
Test(increment, takes_trees_that_swap_names)
{
    struct fixture fixture = open_fixture(4, 512, 1);
    verso_txn *txn;
    verso_txn *tree;
    const char *const moves[][2] = {{"a", "c"}, {"b", "a"}, {"c", "b"}};
    for (unsigned round = 0; round < 2; round++) {
        cr_assert_eq(verso_begin(fixture.store, &txn), VERSO_OK);
        for (unsigned i = 0; i < 2 && round == 0; i++) {
            cr_assert_eq(verso_txn_tree(txn, verso_text(moves[i][0]), true, &tree), VERSO_OK);
            cr_assert_eq(verso_put(tree, verso_text("was"), verso_text(moves[i][0])), VERSO_OK);
        }
        for (unsigned i = 0; i < 3 && round == 1; i++) {
            verso_err err =
                verso_tree_rename(txn, verso_text(moves[i][0]), verso_text(moves[i][1]));
            cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        }
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    }
    make_increment(&fixture, 1);
    apply_increment(&fixture);
    expect_equal(&fixture);
    verso_view *view;
    verso_view *a;
    verso_slice value;
    cr_assert_eq(verso_view_open(fixture.copy, &view), VERSO_OK);
    cr_assert_eq(verso_view_tree(view, verso_text("a"), &a), VERSO_OK);
    cr_assert_eq(verso_get(a, verso_text("was"), &value), VERSO_OK);
    cr_assert_eq(*(const char *)value.data, 'b');
    verso_view_close(view);
    close_fixture(&fixture);
}

/* Create trees under the names that a renaming passes through, of the trees 1 to 12. */
static void take_passing_names(verso_txn *txn, unsigned attempt)
{
    for (unsigned number = 1; number <= 12; number++) {
        char name[32];
        verso_txn *tree;
        (void)snprintf(name, sizeof name, "renaming %u.%u", number, attempt);
        cr_assert_eq(verso_txn_tree(txn, verso_text(name), true, &tree), VERSO_OK);
        cr_assert_eq(verso_put(tree, verso_text("was"), verso_text(name)), VERSO_OK);
    }
}

/* One of them in the root before, the next in the root after. */
Test(increment, takes_trees_that_swap_names_while_others_have_the_passing_ones)
{
    struct fixture fixture = open_fixture(4, 512, 1);
    verso_txn *txn;
    verso_txn *tree;
    cr_assert_eq(verso_begin(fixture.store, &txn), VERSO_OK);
    cr_assert_eq(verso_txn_tree(txn, verso_text("a"), true, &tree), VERSO_OK);
    cr_assert_eq(verso_txn_tree(txn, verso_text("b"), true, &tree), VERSO_OK);
    take_passing_names(txn, 0);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    cr_assert_eq(verso_begin(fixture.store, &txn), VERSO_OK);
    cr_assert_eq(verso_tree_rename(txn, verso_text("a"), verso_text("c")), VERSO_OK);
    cr_assert_eq(verso_tree_rename(txn, verso_text("b"), verso_text("a")), VERSO_OK);
    cr_assert_eq(verso_tree_rename(txn, verso_text("c"), verso_text("b")), VERSO_OK);
    take_passing_names(txn, 1);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    make_increment(&fixture, 1);
    apply_increment(&fixture);
    expect_equal(&fixture);
    close_fixture(&fixture);
}

Test(increment, applies_to_a_store_in_memory_too)
{
    struct fixture fixture = open_fixture(5, 512, 0);
    verso_store *memory = open_named(fixture.disk, NULL, 512);
    random_history_commits(&fixture.history, memory, 10);
    cr_assert_eq(verso_copy(memory, "other", NULL, NULL), VERSO_OK);
    random_history_commits(&fixture.history, memory, 10);
    cr_assert_eq(verso_copy_since(memory, 10, increment, NULL), VERSO_OK);
    verso_store *other = open_named(fixture.disk, "other", 0);
    verso_err err = verso_copy_apply(other, increment, NULL);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    const char *fault = random_history_compare(memory, other, 0);
    cr_assert_null(fault, "%s", fault);
    cr_assert_eq(verso_close(other), VERSO_OK);
    cr_assert_eq(verso_close(memory), VERSO_OK);
    close_fixture(&fixture);
}

/* ---- ids that no root has ---- */

/* A source that keeps the tagged base and the newest three alone. */
static void thin(struct fixture *fixture, verso_root_id base)
{
    char name[32];
    snprintf(name, sizeof name, "base %" PRIu64, base);
    cr_assert_eq(verso_tag_set(fixture->store, verso_text(name), base), VERSO_OK);
    random_history_commits(&fixture->history, fixture->store, 10);
    verso_retention policy = verso_keep_last(3);
    cr_assert_eq(verso_retention_set(fixture->store, &policy), VERSO_OK);
    policy = verso_keep_all();
    cr_assert_eq(verso_retention_set(fixture->store, &policy), VERSO_OK);
}

static void expect_gone(verso_store *copy, verso_root_id from, verso_root_id to)
{
    for (verso_root_id root = from; root <= to; root++) {
        verso_view *view;
        cr_assert_eq(verso_view_open_root(copy, root, &view), VERSO_GONE, "root %" PRIu64, root);
    }
}

/* Roots [from, to] never were in the copy, those behind them are as in the store. */
static void expect_gap(verso_store *store, verso_store *copy, verso_root_id from, verso_root_id to)
{
    expect_gone(copy, from, to);
    const char *fault = random_history_compare(store, copy, from);
    cr_assert_null(fault, "%s", fault);
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(copy, &report);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

Test(increment, passes_over_ids_that_the_source_does_not_keep)
{
    struct fixture fixture = open_fixture(14, 512, 10);
    for (verso_root_id base = 10; base < 50; base += 10) {
        fixture.history.changes_max = base == 30 ? 2000 : 20; /* by a checkpoint, or by the log */
        thin(&fixture, base);
        cr_assert_eq(make_increment(&fixture, base).roots, 3);
        cr_assert_eq(apply_increment(&fixture).roots, 3);
        simulated_disk_remove(fixture.disk, increment);
        expect_gap(fixture.store, fixture.copy, base + 1, base + 7);
    }
    struct simulated_disk *after = simulated_disk_crash(fixture.disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *copy = open_named(after, "copy", 0); /* recovered from its log */
    expect_gone(copy, 11, 17);
    expect_gap(fixture.store, copy, 41, 47);
    random_history_commits(&fixture.history, copy, 5);
    cr_assert_eq(newest_of(copy), 55);
    cr_assert_eq(verso_close(copy), VERSO_OK);
    copy = open_named(after, "copy", 0);
    cr_assert_eq(newest_of(copy), 55);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(copy, &report), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_close(copy), VERSO_OK);
    simulated_disk_close(after);
    close_fixture(&fixture);
}

/* Add `more` to all ids of roots in an increment. */
static void move_roots(struct fixture *fixture, uint64_t more)
{
    uint64_t size = 0;
    const uint8_t *live = simulated_disk_bytes(fixture->disk, increment, &size);
    uint8_t *bytes = malloc((size_t)size);
    memcpy(bytes, live, (size_t)size);
    struct vs_increment_header header;
    uint32_t crc;
    cr_assert_eq(vs_increment_header_decode(bytes, &header, &crc), VS_INCREMENT_OK);
    for (uint8_t *at = bytes + VS_INCREMENT_HEADER; at < bytes + size;) {
        enum vs_increment_kind kind;
        uint64_t body_size;
        cr_assert_null(vs_increment_record_decode(at, &kind, &body_size));
        uint8_t *body = at + VS_INCREMENT_RECORD;
        if (kind == VS_INCREMENT_ROOT) {
            vs_put_le64(body, vs_get_le64(body) + more);
        }
        crc = vs_increment_record_encode(kind, (verso_slice){body, (size_t)body_size}, crc, at);
        at = body + body_size;
    }
    simulated_disk_put(fixture->disk, increment, bytes, (size_t)size);
    free(bytes);
}

Test(increment, passes_over_any_number_of_ids)
{
    struct fixture fixture = open_fixture(15, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 3);
    make_increment(&fixture, 5);
    move_roots(&fixture, UINT64_C(1) << 40);
    apply_increment(&fixture);
    cr_assert_eq(newest_of(fixture.copy), (UINT64_C(1) << 40) + 8);
    random_history_commits(&fixture.history, fixture.copy, 3);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(fixture.copy, &report), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(report.roots, 5 + 3 + 3);
    close_fixture(&fixture);
}

/* ---- what is there already ---- */

Test(increment, applied_again_changes_nothing)
{
    struct fixture fixture = open_fixture(6, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 8);
    make_increment(&fixture, 5);
    apply_increment(&fixture);
    cr_assert_eq(apply_increment(&fixture).roots, 0);
    expect_equal(&fixture);
    close_fixture(&fixture);
}

Test(increment, goes_on_behind_what_another_one_has_brought)
{
    struct fixture fixture = open_fixture(7, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 4);
    make_increment(&fixture, 5);
    apply_increment(&fixture);
    simulated_disk_remove(fixture.disk, increment);
    random_history_commits(&fixture.history, fixture.store, 4);
    make_increment(&fixture, 5);
    cr_assert_eq(apply_increment(&fixture).roots, 4, "the first four are there");
    expect_equal(&fixture);
    close_fixture(&fixture);
}

/* ---- what does not belong ---- */

Test(increment, of_another_store_or_for_another_root_is_refused)
{
    struct fixture fixture = open_fixture(8, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 5);
    make_increment(&fixture, 6);
    expect_refused(&fixture, VERSO_MISMATCH);
    cr_assert_not_null(strstr(verso_error_detail(), "root 6"));
    cr_assert_not_null(strstr(verso_error_detail(), "root here is 5"));
    simulated_disk_remove(fixture.disk, increment);
    verso_store *stranger = open_named(fixture.disk, "stranger", 512);
    random_history_commits(&fixture.history, stranger, 6);
    cr_assert_eq(verso_copy_since(stranger, 5, increment, NULL), VERSO_OK);
    expect_refused(&fixture, VERSO_MISMATCH);
    cr_assert_not_null(strstr(verso_error_detail(), "this is store"));
    cr_assert_eq(verso_close(stranger), VERSO_OK);
    close_fixture(&fixture);
}

Test(increment, is_refused_where_the_copy_has_gone_its_own_way)
{
    struct fixture fixture = open_fixture(9, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 3);
    make_increment(&fixture, 5);
    random_history_commits(&fixture.history, fixture.copy, 1); /* root 6 of its own */
    expect_refused(&fixture, VERSO_MISMATCH);
    close_fixture(&fixture);
}

Test(increment, bad_arguments_are_refused)
{
    struct fixture fixture = open_fixture(10, 512, 5);
    verso_store *store = fixture.store;
    cr_assert_eq(verso_copy_since(store, 6, increment, NULL), VERSO_NOT_FOUND);
    cr_assert_eq(verso_copy_since(store, 0, increment, NULL), VERSO_NOT_FOUND);
    cr_assert_eq(verso_copy_since(store, 5, "copy", NULL), VERSO_EXISTS);
    cr_assert_eq(verso_copy_since(store, 5, "", NULL), VERSO_INVALID);
    cr_assert_eq(verso_copy_since(NULL, 5, increment, NULL), VERSO_INVALID);
    random_history_commits(&fixture.history, store, 1);
    verso_retention policy = verso_keep_last(1);
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_OK);
    cr_assert_eq(verso_copy_since(store, 5, increment, NULL), VERSO_GONE);
    expect_refused(&fixture, VERSO_NO_STORE);
    cr_assert_eq(verso_copy_apply(NULL, increment, NULL), VERSO_INVALID);
    simulated_disk_put(fixture.disk, increment, "text", 4);
    expect_refused(&fixture, VERSO_FORMAT);
    simulated_disk_put(fixture.disk, increment, NULL, 0);
    expect_refused(&fixture, VERSO_FORMAT);
    close_fixture(&fixture);
}

/* ---- damage ---- */

Test(increment, with_any_byte_damaged_or_cut_off_changes_nothing)
{
    struct fixture fixture = open_fixture(11, 512, 5);
    fixture.history.long_value_max = 0;
    fixture.history.changes_max = 8;
    random_history_commits(&fixture.history, fixture.store, 4);
    make_increment(&fixture, 5);
    uint64_t size = 0;
    const uint8_t *live = simulated_disk_bytes(fixture.disk, increment, &size);
    uint8_t *bytes = malloc((size_t)size + 1);
    memcpy(bytes, live, (size_t)size);
    for (uint64_t at = 0; at < size; at++) {
        simulated_disk_flip(fixture.disk, increment, at, (uint8_t)(1 << at % 8));
        expect_refused(&fixture, at < 8 ? VERSO_FORMAT : VERSO_CORRUPT);
        simulated_disk_flip(fixture.disk, increment, at, (uint8_t)(1 << at % 8));
    }
    for (uint64_t cut = 8; cut < size; cut += 1 + cut % 5) {
        simulated_disk_put(fixture.disk, increment, bytes, (size_t)cut);
        expect_refused(&fixture, VERSO_CORRUPT);
    }
    bytes[size] = 0;
    simulated_disk_put(fixture.disk, increment, bytes, (size_t)size + 1);
    expect_refused(&fixture, VERSO_CORRUPT);
    simulated_disk_put(fixture.disk, increment, bytes, (size_t)size);
    apply_increment(&fixture);
    expect_equal(&fixture);
    free(bytes);
    close_fixture(&fixture);
}

/* Set the fingerprint that the increment's first root is to have, and repair all checksums. */
static void forge_fingerprint(const struct fixture *fixture, uint64_t fingerprint)
{
    uint64_t size = 0;
    const uint8_t *live = simulated_disk_bytes(fixture->disk, increment, &size);
    uint8_t *bytes = malloc((size_t)size);
    memcpy(bytes, live, (size_t)size);
    uint32_t crc = vs_get_le32(bytes + VS_INCREMENT_HEADER - 4);
    bool forged = false;
    for (uint64_t at = VS_INCREMENT_HEADER; at < size;) {
        enum vs_increment_kind kind;
        uint64_t body_size = 0;
        cr_assert_null(vs_increment_record_decode(bytes + at, &kind, &body_size));
        uint8_t *body = bytes + at + VS_INCREMENT_RECORD;
        if (kind == VS_INCREMENT_ROOT && !forged) {
            vs_put_le64(body + 16, fingerprint);
            forged = true;
        }
        verso_slice whole = {body, (size_t)body_size};
        crc = vs_increment_record_encode(kind, whole, crc, bytes + at);
        at += VS_INCREMENT_RECORD + body_size;
    }
    cr_assert(forged);
    simulated_disk_put(fixture->disk, increment, bytes, (size_t)size);
    free(bytes);
}

Test(increment, that_leads_to_another_root_than_it_says_changes_nothing)
{
    struct fixture fixture = open_fixture(18, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 2);
    verso_view *view;
    verso_root_info info = {.size = sizeof info};
    cr_assert_eq(verso_view_open_root(fixture.store, 6, &view), VERSO_OK);
    cr_assert_eq(verso_view_info(view, &info), VERSO_OK);
    verso_view_close(view);
    make_increment(&fixture, 5);
    forge_fingerprint(&fixture, info.fingerprint + 1);
    expect_refused(&fixture, VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), "another fingerprint"), "%s",
                       verso_error_detail());
    forge_fingerprint(&fixture, info.fingerprint); /* the forgery itself is sound */
    apply_increment(&fixture);
    expect_equal(&fixture);
    close_fixture(&fixture);
}

/* A size is compared with what is left of the file, before memory is taken for so much. */
Test(increment, that_ends_within_a_record_is_refused_before_the_record_is_read)
{
    struct fixture fixture = open_fixture(19, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 1);
    make_increment(&fixture, 5);
    uint64_t size = 0;
    const uint8_t *live = simulated_disk_bytes(fixture.disk, increment, &size);
    size_t cut = (size_t)size - VS_INCREMENT_RECORD - VS_INCREMENT_END - 1;
    uint8_t *bytes = malloc(cut);
    memcpy(bytes, live, cut);
    simulated_disk_put(fixture.disk, increment, bytes, cut);
    expect_refused(&fixture, VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), "a record runs beyond its end"), "%s",
                       verso_error_detail());
    free(bytes);
    close_fixture(&fixture);
}

/* ---- failing ---- */

Test(increment, survives_a_power_cut_right_after_it_was_made)
{
    struct fixture fixture = open_fixture(20, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 3);
    verso_copy_report report = make_increment(&fixture, 5);
    struct simulated_disk *after = simulated_disk_crash(fixture.disk, 1, SIMULATED_CRASH_ALL_OLD);
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(after, increment, &size);
    cr_assert_not_null(bytes);
    cr_assert_eq(size, report.bytes);
    simulated_disk_put(fixture.disk, increment, bytes, (size_t)size);
    simulated_disk_close(after);
    apply_increment(&fixture);
    expect_equal(&fixture);
    close_fixture(&fixture);
}

Test(increment, a_full_disk_leaves_whole_roots_and_applying_goes_on)
{
    struct fixture fixture = open_fixture(12, 512, 5);
    fixture.history.changes_max = 200;
    random_history_commits(&fixture.history, fixture.store, 30);
    make_increment(&fixture, 5);
    uint64_t used = simulated_disk_used_bytes(fixture.disk);
    verso_err err = VERSO_NOSPC;
    for (uint64_t room = 0; err != VERSO_OK; room += 200 * 1024) {
        simulated_disk_set_capacity(fixture.disk, used + room);
        err = verso_copy_apply(fixture.copy, increment, NULL);
        cr_assert(err == VERSO_OK || err == VERSO_NOSPC, "%s", verso_error_detail());
        verso_root_id newest = newest_of(fixture.copy);
        const char *fault = random_history_compare_root(fixture.store, fixture.copy, newest);
        cr_assert_null(fault, "%s", fault);
    }
    expect_equal(&fixture);
    close_fixture(&fixture);
}

Test(increment, is_whole_or_not_there_whatever_fails)
{
    struct fixture fixture = open_fixture(13, 512, 5);
    random_history_commits(&fixture.history, fixture.store, 5);
    cr_assert_eq(verso_checkpoint(fixture.store), VERSO_OK);
    verso_err err = VERSO_IO;
    unsigned nth = 0;
    while (err != VERSO_OK) {
        struct simulated_fault fault = {.nth = ++nth};
        simulated_disk_inject(fixture.disk, &fault);
        err = verso_copy_since(fixture.store, 5, increment, NULL);
        simulated_disk_heal(fixture.disk);
        cr_assert(err == VERSO_OK || err == VERSO_IO, "%s", verso_error_detail());
        cr_assert_eq(simulated_disk_exists(fixture.disk, increment), err == VERSO_OK);
        cr_assert(!simulated_disk_exists(fixture.disk, "increment-wal.new"), "call %u", nth);
    }
    cr_assert_gt(nth, 10);
    apply_increment(&fixture);
    expect_equal(&fixture);
    close_fixture(&fixture);
}
