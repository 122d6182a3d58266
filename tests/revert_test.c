/*
 * revert_test.c - making the newest state equal to an old root, in a range or entirely.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "expected_history.h"
#include "versions_fixture.h"

static void must(const struct versions *versions, verso_err err, const char *what)
{
    cr_assert_eq(err, VERSO_OK, "seed %" PRIu64 ", root %" PRIu64 ", %s: %s (%s)",
                 versions->config.seed, versions->expected.issued, what, verso_strerror(err),
                 verso_error_detail());
}

/* ---- against sorted arrays ---- */

static void compare_newest(struct versions *versions)
{
    uint64_t newest = versions->expected.issued;
    verso_view *view = versions_view(versions, newest);
    const char *fault = expected_compare_view(&versions->expected, view, newest, &versions->random);
    cr_assert_null(fault, "seed %" PRIu64 ": %s", versions->config.seed, fault);
    verso_view_close(view);
}

/* A transaction that changes something, reverts, perhaps changes more, and commits. */
static void revert_some(struct versions *versions, unsigned changes_before, unsigned changes_after,
                        bool in_range)
{
    uint64_t root = versions_some_root(versions);
    verso_view *to = versions_view(versions, root);
    const struct tree_state *state = versions_state(versions, root);
    const verso_range *range = in_range ? versions_some_range(versions, state) : NULL;
    verso_txn *txn = NULL;
    must(versions, verso_begin(versions->store, &txn), "begin");
    expected_begin(&versions->expected);
    versions_change(versions, txn, changes_before);
    uint64_t expected = expected_revert(&versions->expected.working, state, range);
    uint64_t changes = 0;
    must(versions, verso_revert(txn, to, range, &changes), "revert");
    cr_assert_eq(changes, expected, "seed %" PRIu64 ": %" PRIu64 " changes, not %" PRIu64,
                 versions->config.seed, changes, expected);
    verso_root_info old = {.size = sizeof old};
    verso_root_info now = {.size = sizeof now};
    must(versions, verso_view_info(to, &old), "describe the root");
    must(versions, verso_view_info(verso_txn_view(txn), &now), "describe the transaction");
    cr_assert(in_range || now.fingerprint == old.fingerprint);
    must(versions, verso_revert(txn, to, range, &changes), "revert again");
    cr_assert_eq(changes, 0);
    versions_change(versions, txn, changes_after);
    must(versions, verso_put(txn, verso_text("always"), verso_text("")), "put");
    expected_put(&versions->expected, verso_text("always"), verso_text(""));
    must(versions, verso_commit(txn, NULL, NULL), "commit");
    expected_commit(&versions->expected, (verso_slice){NULL, 0});
    verso_view_close(to);
    compare_newest(versions);
}

Test(revert, agrees_with_sorted_arrays)
{
    for (unsigned number = 0; number < 24; number++) {
        struct versions_config config = versions_draw(number);
        config.keys_target = number % 4 == 3 ? 4000 : 1500;
        struct versions *versions = versions_open(&config);
        for (unsigned round = 0; round < 8; round++) {
            versions_commit(versions, 10);
            revert_some(versions, round % 3 * 20, round % 2 * 20, round % 2 == 1);
        }
        versions_reopen(versions);
        revert_some(versions, 5, 0, false);
        revert_some(versions, 0, 0, true);
        const char *fault =
            expected_compare_store(&versions->expected, versions->store, &versions->random);
        cr_assert_null(fault, "seed %" PRIu64 ": %s", config.seed, fault);
        versions_close(versions);
    }
}

/* The log holds the puts and deletes: after a crash they are run again. */
Test(revert, survives_a_crash)
{
    struct versions_config config = versions_draw(0);
    struct versions *versions = versions_open(&config);
    versions_commit(versions, 30);
    revert_some(versions, 10, 0, false);
    revert_some(versions, 0, 10, true);
    struct simulated_disk *after = simulated_disk_crash(versions->disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_options options = VERSO_OPTIONS_INIT;
    options.system = simulated_disk_os(after);
    verso_store *again = NULL;
    must(versions, verso_open("store", &options, &again), "open after the crash");
    const char *fault = expected_compare_store(&versions->expected, again, &versions->random);
    cr_assert_null(fault, "%s", fault);
    cr_assert_eq(verso_close(again), VERSO_OK);
    simulated_disk_close(after);
    versions_close(versions);
}

/* ---- by hand ---- */

enum { KEYS = 30000 };

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK, "%s", verso_error_detail());
    return txn;
}

static uint64_t commit(verso_txn *txn)
{
    verso_root_id root = 0;
    cr_assert_eq(verso_commit(txn, NULL, &root), VERSO_OK, "%s", verso_error_detail());
    return root;
}

static void put_all(verso_txn *txn, unsigned step, const char *value)
{
    for (unsigned i = 0; i < KEYS; i += step) {
        char key[24];
        snprintf(key, sizeof key, "key %06u", i);
        cr_assert_eq(verso_put(txn, verso_text(key), verso_text(value)), VERSO_OK);
    }
}

static verso_root_info info_of(verso_view *view)
{
    verso_root_info info = {.size = sizeof info};
    cr_assert_eq(verso_view_info(view, &info), VERSO_OK);
    return info;
}

static void expect_check(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
}

/* Many batches, larger than log and arena. */
Test(revert, everything_changed_and_everything_deleted_come_back)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.system = simulated_disk_os(disk);
    options.arena_bytes = 1 << 20;
    options.log_bytes = 1 << 18;
    verso_store *store = NULL;
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
    verso_txn *txn = begin(store);
    put_all(txn, 1, "the first value");
    uint64_t first = commit(txn);
    txn = begin(store);
    put_all(txn, 1, "the second value");
    commit(txn);
    verso_view *to = NULL;
    cr_assert_eq(verso_view_open_root(store, first, &to), VERSO_OK);
    txn = begin(store);
    uint64_t changes = 0;
    cr_assert_eq(verso_revert(txn, to, NULL, &changes), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(changes, KEYS);
    commit(txn);
    txn = begin(store);
    put_all(txn, 2, "of half of them");
    cr_assert_eq(verso_revert(txn, to, NULL, &changes), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(changes, KEYS / 2);
    for (unsigned i = 0; i < KEYS; i++) {
        char key[24];
        snprintf(key, sizeof key, "key %06u", i);
        cr_assert_eq(verso_delete(txn, verso_text(key)), VERSO_OK);
    }
    uint64_t empty = commit(txn);
    txn = begin(store);
    cr_assert_eq(verso_revert(txn, to, NULL, &changes), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(changes, KEYS);
    cr_assert_eq(info_of(verso_txn_view(txn)).fingerprint, info_of(to).fingerprint);
    commit(txn);
    verso_view_close(to);
    cr_assert_eq(verso_view_open_root(store, empty, &to), VERSO_OK);
    txn = begin(store);
    cr_assert_eq(verso_revert(txn, to, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(info_of(verso_txn_view(txn)).keys, 0);
    verso_abort(txn);
    verso_view_close(to);
    expect_check(store);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

Test(revert, what_is_equal_already_makes_no_root)
{
    verso_store *store = NULL;
    cr_assert_eq(verso_open(NULL, NULL, &store), VERSO_OK);
    verso_txn *txn = begin(store);
    put_all(txn, 100, "value");
    uint64_t first = commit(txn);
    verso_view *to = NULL;
    cr_assert_eq(verso_view_open(store, &to), VERSO_OK);
    txn = begin(store);
    uint64_t changes = 99;
    cr_assert_eq(verso_revert(txn, to, NULL, &changes), VERSO_OK);
    cr_assert_eq(changes, 0);
    cr_assert_eq(commit(txn), first);
    verso_view_close(to);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* An error after the first change leaves the transaction in the middle: only abort is left. */
Test(revert, an_error_in_the_middle_breaks_the_transaction)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 512;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
    verso_txn *txn = begin(store);
    put_all(txn, 1, "the first value");
    uint64_t first = commit(txn);
    txn = begin(store);
    put_all(txn, 1, "the second value");
    commit(txn);
    verso_view *to = NULL;
    cr_assert_eq(verso_view_open_root(store, first, &to), VERSO_OK);
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk) + 400 * 1024);
    txn = begin(store);
    verso_err err = verso_revert(txn, to, NULL, NULL);
    cr_assert_eq(err, VERSO_NOSPC, "%s: %s", verso_strerror(err), verso_error_detail());
    cr_assert_eq(verso_put(txn, verso_text("key"), verso_text("value")), VERSO_MUST_ABORT);
    verso_abort(txn);
    verso_view_close(to);
    expect_check(store);
    simulated_disk_set_capacity(disk, UINT64_MAX);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

/* The root to revert to cannot be read at some page, behind the first batch of changes or before. */
Test(revert, an_unreadable_page_breaks_the_transaction_once_something_has_changed)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.guard_reads = true;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
    verso_txn *txn = begin(store);
    put_all(txn, 10, "the first value");
    uint64_t first = commit(txn);
    txn = begin(store);
    put_all(txn, 10, "the second value");
    commit(txn);
    verso_err err = VERSO_IO;
    unsigned unchanged = 0;
    unsigned broken = 0;
    for (uint64_t nth = 1; err == VERSO_IO; nth++) {
        cr_assert_eq(verso_close(store), VERSO_OK);
        cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
        verso_view *to = NULL;
        cr_assert_eq(verso_view_open_root(store, first, &to), VERSO_OK);
        txn = begin(store);
        uint64_t before = info_of(verso_txn_view(txn)).fingerprint;
        struct simulated_fault fault = {.kind = SIMULATED_READ, .nth = nth};
        simulated_disk_inject(disk, &fault);
        err = verso_revert(txn, to, NULL, NULL);
        simulated_disk_heal(disk);
        cr_assert(err == VERSO_OK || err == VERSO_IO, "read %u: %s", (unsigned)nth,
                  verso_error_detail());
        if (err == VERSO_IO && verso_put(txn, verso_text("k"), verso_text("v")) == VERSO_OK) {
            cr_assert_eq(verso_delete(txn, verso_text("k")), VERSO_OK);
            cr_assert_eq(info_of(verso_txn_view(txn)).fingerprint, before, "read %u",
                         (unsigned)nth);
            unchanged++;
        } else {
            broken += err == VERSO_IO;
        }
        verso_abort(txn);
        verso_view_close(to);
    }
    cr_assert(unchanged > 0 && broken > 0, "unchanged %u, broken %u", unchanged, broken);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

/* ---- all trees ---- */

static void put_in(verso_txn *txn, const char *name, const char *key, const char *value)
{
    verso_txn *tree = NULL;
    cr_assert_eq(verso_txn_tree(txn, verso_text(name), true, &tree), VERSO_OK, "%s",
                 verso_error_detail());
    cr_assert_eq(verso_put(tree, verso_text(key), verso_text(value)), VERSO_OK);
}

static void rename_tree(verso_txn *txn, const char *name, const char *to)
{
    verso_err err = verso_tree_rename(txn, verso_text(name), verso_text(to));
    cr_assert_eq(err, VERSO_OK, "%s to %s: %s", name, to, verso_error_detail());
}

static uint64_t revert_all_to(verso_store *store, uint64_t root, uint64_t *changes)
{
    verso_view *to = NULL;
    cr_assert_eq(verso_view_open_root(store, root, &to), VERSO_OK, "%s", verso_error_detail());
    verso_txn *txn = begin(store);
    verso_err err = verso_revert_all(txn, to, changes);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    uint64_t made = commit(txn);
    verso_view *now = NULL;
    cr_assert_eq(verso_view_open_root(store, made, &now), VERSO_OK);
    cr_assert_eq(info_of(now).fingerprint, info_of(to).fingerprint);
    verso_view_close(now);
    verso_view_close(to);
    return made;
}

Test(revert, all_trees_come_back_to_the_root_of_a_trees_view)
{
    verso_store *store = NULL;
    verso_view *root = NULL;
    verso_view *tree = NULL;
    cr_assert_eq(verso_open(NULL, NULL, &store), VERSO_OK, "%s", verso_error_detail());
    verso_txn *txn = begin(store);
    put_in(txn, "a", "key", "of a");
    uint64_t first = commit(txn);
    cr_assert_eq(verso_view_open_root(store, first, &root), VERSO_OK);
    cr_assert_eq(verso_view_tree(root, verso_text("a"), &tree), VERSO_OK);
    txn = begin(store);
    put_in(txn, "a", "key", "changed");
    put_in(txn, "b", "key", "of b");
    commit(txn);
    txn = begin(store);
    cr_assert_eq(verso_revert_all(txn, tree, NULL), VERSO_OK, "%s", verso_error_detail());
    verso_root_info now = info_of(verso_txn_view(txn));
    cr_assert_eq(now.fingerprint, info_of(root).fingerprint);
    verso_abort(txn);
    verso_view_close(root);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(revert, all_trees_come_back_with_their_names)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 512;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
    verso_txn *txn = begin(store);
    put_all(txn, 100, "default");
    put_in(txn, "a", "key", "of a");
    put_in(txn, "b", "key", "of b");
    put_in(txn, "c", "key", "of c");
    put_in(txn, "gone", "key", "of gone");
    uint64_t first = commit(txn);
    txn = begin(store);
    cr_assert_eq(verso_tree_drop(txn, verso_text("gone")), VERSO_OK);
    rename_tree(txn, "a", "x"); /* a, b, c go round */
    rename_tree(txn, "b", "a");
    rename_tree(txn, "c", "b");
    rename_tree(txn, "x", "c");
    put_in(txn, "a", "more", "value");
    put_in(txn, "gone", "key", "of another tree under that name");
    put_in(txn, "stranger", "key", "of a tree that was not there");
    put_in(txn, "being reverted 1 0", "key", "of one whose name is in the way");
    put_all(txn, 300, "changed");
    uint64_t second = commit(txn);
    uint64_t changes = 0;
    uint64_t third = revert_all_to(store, first, &changes);
    cr_assert_eq(changes, 3 + 1 + 1 + KEYS / 300, "3 keys dropped, 1 deleted, 1 back, those put");
    verso_view *view = NULL;
    cr_assert_eq(verso_view_open_root(store, third, &view), VERSO_OK);
    const char *names[] = {"a", "b", "c", "gone"};
    for (unsigned i = 0; i < 4; i++) {
        verso_view *tree = NULL;
        verso_slice value;
        char expected[24];
        snprintf(expected, sizeof expected, "of %s", names[i]);
        cr_assert_eq(verso_view_tree(view, verso_text(names[i]), &tree), VERSO_OK);
        cr_assert_eq(verso_get(tree, verso_text("key"), &value), VERSO_OK);
        cr_assert_eq(value.size, strlen(expected));
        cr_assert_arr_eq(value.data, expected, value.size);
    }
    verso_view *stranger = NULL;
    cr_assert_eq(verso_view_tree(view, verso_text("stranger"), &stranger), VERSO_NOT_FOUND);
    verso_view_close(view);
    revert_all_to(store, second, NULL); /* and forward again */
    revert_all_to(store, first, NULL);
    cr_assert_eq(revert_all_to(store, first, &changes), second + 3, "nothing to do, no root");
    cr_assert_eq(changes, 0);
    expect_check(store);
    struct simulated_disk *after = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *again = NULL;
    options.system = simulated_disk_os(after);
    cr_assert_eq(verso_open("store", &options, &again), VERSO_OK, "%s", verso_error_detail());
    expect_check(again);
    cr_assert_eq(verso_close(again), VERSO_OK);
    simulated_disk_close(after);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

Test(revert, bad_arguments_are_refused)
{
    verso_store *stores[2] = {NULL, NULL};
    verso_view *views[2] = {NULL, NULL};
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(verso_open(NULL, NULL, &stores[i]), VERSO_OK);
        cr_assert_eq(verso_view_open(stores[i], &views[i]), VERSO_OK);
    }
    verso_txn *txn = begin(stores[0]);
    verso_range range = {.size = 3};
    cr_assert_eq(verso_revert(NULL, views[0], NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert(txn, NULL, NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert(txn, views[1], NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert(txn, verso_txn_view(txn), NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert(txn, views[0], &range, NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert_all(NULL, views[0], NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert_all(txn, NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert_all(txn, views[1], NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert_all(txn, verso_txn_view(txn), NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert(txn, views[0], NULL, NULL), VERSO_OK, "of nothing");
    verso_abort(txn);
    for (unsigned i = 0; i < 2; i++) {
        verso_view_close(views[i]);
        cr_assert_eq(verso_close(stores[i]), VERSO_OK);
    }
}
