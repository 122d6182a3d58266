/*
 * transaction_test.c - what a transaction promises when it is fed its own values, runs out of room
 * in the middle, or cannot hand out what was asked for.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "simulated_disk.h"
#include "verso.h"

enum { SMALL_PAGE = 512, VALUE_SIZE = 60 };

static const char path[] = "store";

static verso_store *open_on(struct simulated_disk *disk)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = SMALL_PAGE;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

static void close_store(verso_store *store)
{
    verso_err err = verso_close(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    verso_err err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return txn;
}

static void commit(verso_txn *txn)
{
    verso_err err = verso_commit(txn, NULL, NULL);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_slice key_of(unsigned number)
{
    static char key[16];
    snprintf(key, sizeof key, "key%06u", number);
    return verso_text(key);
}

static verso_slice value_of(unsigned number)
{
    static char value[VALUE_SIZE];
    memset(value, 'a' + (int)(number % 26), sizeof value);
    return (verso_slice){value, sizeof value};
}

static void put(verso_txn *txn, unsigned key, verso_slice value)
{
    verso_err err = verso_put(txn, key_of(key), value);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_slice get(verso_view *view, unsigned key)
{
    verso_slice value;
    verso_err err = verso_get(view, key_of(key), &value);
    cr_assert_eq(err, VERSO_OK, "key %u: %s", key, verso_error_detail());
    return value;
}

static void expect_value(verso_slice found, unsigned number)
{
    verso_slice expected = value_of(number);
    cr_assert_eq(found.size, expected.size);
    cr_assert_arr_eq(found.data, expected.data, expected.size);
}

/* The store as a power cut would leave it, recovered. */
static verso_store *recovered(struct simulated_disk *disk, struct simulated_disk **after)
{
    *after = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    return open_on(*after);
}

Test(transaction, a_value_of_its_own_can_be_put_under_another_key)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 6; i++) {
        put(txn, 10 * i, value_of(i));
    }
    for (unsigned i = 0; i < 60; i++) { /* into the same leaf, through splits and re-encodings */
        unsigned from = 10 * (i % 6);
        put(txn, 10 * (i % 6) + 1 + i / 6 % 9, get(verso_txn_view(txn), from));
    }
    commit(txn);
    struct simulated_disk *after;
    verso_store *again = recovered(disk, &after); /* log and tree agree, or replay would refuse */
    verso_view *view;
    verso_err err = verso_view_open(again, &view);
    cr_assert_eq(err, VERSO_OK);
    for (unsigned i = 0; i < 60; i++) {
        expect_value(get(view, i), i / 10);
    }
    verso_view_close(view);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

Test(transaction, an_old_value_handed_back_can_be_the_next_new_one)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 10; i++) {
        put(txn, i, value_of(i));
    }
    verso_slice hand = value_of(10); /* every value moves on by one key */
    for (unsigned i = 0; i < 10; i++) {
        verso_err err = verso_exchange(txn, key_of(i), hand, &hand);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
    expect_value(hand, 9);
    commit(txn);
    struct simulated_disk *after;
    verso_store *again = recovered(disk, &after);
    verso_view *view;
    verso_err err = verso_view_open(again, &view);
    cr_assert_eq(err, VERSO_OK);
    for (unsigned i = 0; i < 10; i++) {
        expect_value(get(view, i), i == 0 ? 10 : i - 1);
    }
    verso_view_close(view);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

/* Values that are keys of other entries, as those of an index are. */
static void put_links(verso_txn *txn, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char next[16];
        (void)snprintf(next, sizeof next, "key%06u", i + 1);
        put(txn, i, verso_text(next));
    }
}

Test(transaction, a_value_of_its_own_can_be_the_key_of_a_change)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put_links(txn, 100);
    for (unsigned i = 0; i < 100; i += 4) { /* the cells of the leaf move, the slice with them */
        verso_err err = verso_delete(txn, get(verso_txn_view(txn), i));
        cr_assert_eq(err, VERSO_OK, "key %u: %s", i, verso_error_detail());
        err = verso_put(txn, get(verso_txn_view(txn), i + 2), value_of(i));
        cr_assert_eq(err, VERSO_OK, "key %u: %s", i, verso_error_detail());
    }
    commit(txn);
    struct simulated_disk *after;
    verso_store *again = recovered(disk, &after); /* log and tree agree, or replay would refuse */
    verso_view *view;
    verso_err err = verso_view_open(again, &view);
    cr_assert_eq(err, VERSO_OK);
    for (unsigned i = 0; i < 100; i += 4) {
        verso_slice value;
        cr_assert_eq(verso_get(view, key_of(i + 1), &value), VERSO_NOT_FOUND, "key %u", i + 1);
        expect_value(get(view, i + 3), i);
    }
    verso_view_close(view);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

Test(transaction, values_of_its_own_can_be_put_as_a_sorted_batch)
{
    enum { COUNT = 60 };
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    verso_entry entries[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        char between[16];
        (void)snprintf(between, sizeof between, "key%06u+", i);
        put(txn, i, verso_text(between)); /* into the same leaves, which it splits */
    }
    for (unsigned i = 0; i < COUNT; i++) {
        verso_slice own = get(verso_txn_view(txn), i);
        entries[i] = (verso_entry){own, own};
    }
    verso_err err = verso_put_sorted(txn, entries, COUNT);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    commit(txn);
    struct simulated_disk *after;
    verso_store *again = recovered(disk, &after); /* log and tree agree, or replay would refuse */
    verso_view *view;
    err = verso_view_open(again, &view);
    cr_assert_eq(err, VERSO_OK);
    for (unsigned i = 0; i < COUNT; i++) {
        verso_slice value = get(view, i);
        verso_slice same;
        cr_assert_eq(verso_get(view, value, &same), VERSO_OK, "key %u", i);
        cr_assert(same.size == value.size && memcmp(same.data, value.data, same.size) == 0);
    }
    verso_view_close(view);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

Test(transaction, an_old_value_handed_back_can_be_the_next_key)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put_links(txn, 60);
    verso_slice hand = key_of(0);
    for (unsigned i = 0; i < 50; i++) { /* each value says which key to take next */
        verso_err err = verso_take(txn, hand, &hand);
        cr_assert_eq(err, VERSO_OK, "link %u: %s", i, verso_error_detail());
    }
    commit(txn);
    struct simulated_disk *after;
    verso_store *again = recovered(disk, &after);
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(again, &stats), VERSO_OK);
    cr_assert_eq(stats.keys, 10);
    close_store(again);
    close_store(store);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

Test(transaction, a_sorted_batch_that_runs_out_of_room_leaves_only_abort)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 1000; i += 2) {
        put(txn, i, value_of(i));
    }
    commit(txn);
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk) + 100000);
    enum { ENTRIES = 2000 };
    verso_entry *entries = calloc(ENTRIES, sizeof *entries);
    char(*keys)[16] = calloc(ENTRIES, sizeof *keys);
    cr_assert(entries != NULL && keys != NULL);
    for (unsigned i = 0; i < ENTRIES; i++) {
        snprintf(keys[i], sizeof keys[i], "key%06ub", i);
        entries[i] = (verso_entry){verso_text(keys[i]), value_of(i)};
    }
    txn = begin(store);
    verso_err err = verso_put_sorted(txn, entries, ENTRIES);
    cr_assert_eq(err, VERSO_NOSPC, "%s", verso_error_detail());
    simulated_disk_set_capacity(disk, UINT64_MAX);
    /* some are in the tree, none in the log: they must not be committed */
    cr_assert_eq(verso_put(txn, key_of(1), value_of(1)), VERSO_MUST_ABORT);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_MUST_ABORT);
    txn = begin(store);
    put(txn, 1, value_of(1));
    commit(txn);
    struct simulated_disk *after;
    verso_store *again = recovered(disk, &after);
    verso_stats stats = {.size = sizeof stats};
    err = verso_stat(again, &stats);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(stats.keys, 501);
    close_store(again);
    close_store(store);
    free(entries);
    free(keys);
    simulated_disk_close(after);
    simulated_disk_close(disk);
}

Test(transaction, a_commit_that_cannot_hand_out_its_view_commits_nothing)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put(txn, 1, value_of(1));
    uint32_t slot;
    while (vs_reader_pin(&store->store->readers, 0, &slot) == VERSO_OK) {
    }
    verso_view *view = NULL;
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.view = &view;
    verso_root_id root = 99;
    cr_assert_eq(verso_commit(txn, &options, &root), VERSO_LIMIT);
    cr_assert_null(view);
    cr_assert_eq(root, 99);
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_stat(store, &stats);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(stats.tip, 0);
    for (uint32_t i = 0; i < VS_READER_SLOTS_MAX; i++) {
        vs_reader_unpin(&store->store->readers, i);
    }
    txn = begin(store);
    put(txn, 2, value_of(2));
    err = verso_commit(txn, &options, &root);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(root, 1);
    expect_value(get(view, 2), 2);
    verso_view_close(view);
    close_store(store);
    simulated_disk_close(disk);
}

/* Results are written on success only; a view that nobody was given would keep the store open. */
Test(transaction, a_commit_of_unknown_outcome_hands_out_nothing)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put(txn, 1, value_of(1));
    commit(txn);
    txn = begin(store);
    put(txn, 2, value_of(2));
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1};
    simulated_disk_inject(disk, &fault);
    verso_view *view = NULL;
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.view = &view;
    verso_root_id root = 99;
    cr_assert_eq(verso_commit(txn, &options, &root), VERSO_UNKNOWN);
    simulated_disk_heal(disk);
    cr_assert_null(view);
    cr_assert_eq(root, 99);
    size_t readers;
    verso_err err = verso_readers(store, NULL, 0, &readers);
    cr_assert(err == VERSO_OK && readers == 0, "%zu views are open", readers);
    cr_assert_eq(verso_close(store), VERSO_POISONED, "%s", verso_error_detail());
    simulated_disk_close(disk);
}

Test(transaction, a_sync_that_fails_before_the_first_frame_refuses_all_writes)
{
    for (unsigned nth = 1; nth <= 2; nth++) {
        struct simulated_disk *disk = simulated_disk_open(1);
        close_store(open_on(disk));
        verso_store *store = open_on(disk);
        verso_txn *txn = begin(store);
        put(txn, 1, value_of(1));
        struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = nth};
        simulated_disk_inject(disk, &fault);
        cr_assert_neq(verso_commit(txn, NULL, NULL), VERSO_OK);
        cr_assert_eq(simulated_disk_faults_met(disk), 1);
        simulated_disk_heal(disk);
        /* long values may stand in the file already, and the sync has dropped them */
        cr_assert_eq(verso_begin(store, &txn), VERSO_POISONED, "sync %u", nth);
        cr_assert_neq(verso_close(store), VERSO_OK);
        store = open_on(disk);
        txn = begin(store);
        put(txn, 1, value_of(1));
        commit(txn);
        close_store(store);
        simulated_disk_close(disk);
    }
}

static uint64_t durable_root(verso_store *store)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    return stats.durable;
}

/* It may have seen what is not durable yet, and decided by that to change nothing. */
Test(transaction, that_changed_nothing_is_as_durable_as_asked)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put(txn, 1, value_of(1));
    verso_commit_options asynchronous = VERSO_COMMIT_OPTIONS_INIT;
    asynchronous.asynchronous = true;
    cr_assert_eq(verso_commit(txn, &asynchronous, NULL), VERSO_OK);
    txn = begin(store);
    expect_value(get(verso_txn_view(txn), 1), 1);
    verso_root_id root = 0;
    cr_assert_eq(verso_commit(txn, &asynchronous, &root), VERSO_OK);
    cr_assert_eq(durable_root(store), 0, "this one did not ask for it");

    txn = begin(store);
    expect_value(get(verso_txn_view(txn), 1), 1);
    cr_assert_eq(verso_commit(txn, NULL, &root), VERSO_OK);
    cr_assert_eq(root, 1);
    cr_assert_eq(durable_root(store), 1, "acknowledged, and a crash would lose it");
    close_store(store);
    simulated_disk_close(disk);
}

Test(transaction, that_changed_nothing_fails_with_the_sync_that_it_waits_for)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put(txn, 1, value_of(1));
    commit(txn); /* the log stands */
    txn = begin(store);
    put(txn, 2, value_of(2));
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.asynchronous = true;
    cr_assert_eq(verso_commit(txn, &options, NULL), VERSO_OK);
    txn = begin(store);
    verso_view *view = NULL;
    options.asynchronous = false;
    options.view = &view;
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1};
    simulated_disk_inject(disk, &fault);
    verso_root_id root = 99;
    cr_assert_eq(verso_commit(txn, &options, &root), VERSO_UNKNOWN);
    cr_assert_null(view);
    cr_assert_eq(root, 99);
    simulated_disk_heal(disk);
    verso_err err = verso_close(store); /* VERSO_INVALID, if a view were left open */
    cr_assert_eq(err, VERSO_POISONED, "%s", verso_strerror(err));
    simulated_disk_close(disk);
}
