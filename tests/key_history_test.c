/*
 * key_history_test.c - the values that a key has had: against sorted arrays, and how many roots are
 * looked at.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/handles.h"
#include "expected_history.h"
#include "history/key_history.h"
#include "versions_fixture.h"
#include "view_compare.h"

/* ---- against sorted arrays ---- */

static void compare(struct versions *versions, uint64_t from, verso_slice key)
{
    verso_view *view = versions_view(versions, from);
    const char *fault =
        expected_compare_values(&versions->expected, versions->store, view, from, 0, key);
    cr_assert_null(fault, "seed %" PRIu64 ", from root %" PRIu64 ": %s", versions->config.seed,
                   from, fault);
    verso_view_close(view);
    cr_assert_eq(vs_reader_count(&versions->store->store->readers), 0, "a pin was left behind");
}

static void compare_some(struct versions *versions, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t of = versions_some_root(versions);
        uint8_t key[PAGE_KEY_MAX];
        verso_slice some = versions_some_key(versions, versions_state(versions, of));
        if (some.size > 0) { /* the fixture's own buffer is used again */
            memcpy(key, some.data, some.size);
        }
        some.data = key;
        compare(versions, versions_some_root(versions), some);
        compare(versions, versions->expected.issued, some);
    }
}

Test(key_history, agrees_with_sorted_arrays)
{
    for (unsigned number = 0; number < 24; number++) {
        struct versions_config config = versions_draw(number);
        struct versions *versions = versions_open(&config);
        for (unsigned round = 0; round < 4; round++) {
            versions_commit(versions, 15);
            compare_some(versions, 15);
        }
        versions_reopen(versions);
        compare_some(versions, 15);
        versions_close(versions);
    }
}

Test(key_history, agrees_where_few_roots_are_kept)
{
    struct versions_config config = versions_draw(4);
    config.keep_last = 7;
    struct versions *versions = versions_open(&config);
    for (unsigned round = 0; round < 12; round++) {
        versions_commit(versions, 9);
        compare_some(versions, 10);
    }
    versions_close(versions);
}

/* Few keys in small pages, most of them deleted again: leaves take over what others covered, and
 * the tree is empty at times. */
Test(key_history, agrees_where_leaves_come_and_go)
{
    for (unsigned number = 0; number < 10; number++) {
        struct versions_config config = versions_draw(number * 4);
        const enum page_keys keys[] = {PAGE_KEYS_LONGEST, PAGE_KEYS_ZEROS, PAGE_KEYS_USER};
        config.keys = keys[number % 3];
        config.keys_target = 20;
        config.changes_max = 4;
        struct versions *versions = versions_open(&config);
        versions_commit(versions, 120);
        compare_some(versions, 60);
        versions_close(versions);
    }
}

/* ---- by hand ---- */

static verso_store *open_in_memory(uint32_t page_size, uint64_t keep_last)
{
    verso_store *store = NULL;
    verso_options options = VERSO_OPTIONS_INIT;
    options.page_size = page_size;
    verso_retention policy = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last);
    options.retention = &policy;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_OK, "%s", verso_error_detail());
    return store;
}

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

static uint64_t put(verso_store *store, const char *key, const char *value)
{
    verso_txn *txn = begin(store);
    cr_assert_eq(verso_put(txn, verso_text(key), verso_text(value)), VERSO_OK);
    return commit(txn);
}

static uint64_t delete (verso_store *store, const char *key)
{
    verso_txn *txn = begin(store);
    cr_assert_eq(verso_delete(txn, verso_text(key)), VERSO_OK);
    return commit(txn);
}

static verso_history *open_newest(verso_store *store, const char *key, verso_view **view)
{
    verso_history *history = NULL;
    cr_assert_eq(verso_view_open(store, view), VERSO_OK);
    verso_err err = verso_history_open(*view, verso_text(key), &history);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return history;
}

static void expect(verso_history *history, uint64_t root, const char *value)
{
    verso_key_version found = {.size = sizeof found};
    verso_err err = verso_history_next(history, &found);
    cr_assert_eq(err, VERSO_OK, "root %" PRIu64 ": %s", root, verso_error_detail());
    cr_assert_eq(found.root, root, "root %" PRIu64 " instead of %" PRIu64, found.root, root);
    cr_assert_eq(found.deleted, value == NULL);
    cr_assert(value == NULL || view_same_bytes(found.value, verso_text(value)));
}

static void expect_end(verso_history *history, verso_view *view)
{
    verso_key_version found = {.size = sizeof found};
    cr_assert_eq(verso_history_next(history, &found), VERSO_NOT_FOUND);
    verso_history_close(history);
    verso_view_close(view);
}

Test(key_history, tells_values_and_deletions_newest_first)
{
    verso_store *store = open_in_memory(512, 0);
    put(store, "other", "x"); /* 1 */
    put(store, "key", "one"); /* 2 */
    put(store, "other", "y"); /* 3 */
    put(store, "key", "one"); /* 4: the same again */
    put(store, "key", "two"); /* 5 */
    delete (store, "key");    /* 6 */
    delete (store, "other");  /* 7: the tree is empty */
    put(store, "other", "z"); /* 8 */
    put(store, "key", "");    /* 9 */
    verso_view *view = NULL;
    verso_history *history = open_newest(store, "key", &view);
    expect(history, 9, "");
    expect(history, 6, NULL);
    expect(history, 5, "two");
    expect(history, 2, "one");
    expect_end(history, view);
    history = open_newest(store, "other", &view);
    expect(history, 8, "z");
    expect(history, 7, NULL);
    expect(history, 3, "y");
    expect(history, 1, "x");
    expect_end(history, view);
    history = open_newest(store, "never", &view);
    expect_end(history, view);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(key_history, a_key_deleted_in_the_oldest_root_has_no_earlier_state)
{
    verso_store *store = open_in_memory(512, 3);
    put(store, "key", "one");
    delete (store, "key");
    put(store, "other", "x");
    put(store, "key", "two"); /* 4: kept are 2, 3, 4 */
    verso_view *view = NULL;
    verso_history *history = open_newest(store, "key", &view);
    expect(history, 4, "two");
    expect_end(history, view);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* Roots are dropped between two steps: what the walk has found stays readable, and it ends where
 * nothing older is kept. */
Test(key_history, roots_may_be_dropped_under_the_walk)
{
    verso_store *store = open_in_memory(512, 4);
    put(store, "key", "1");
    put(store, "key", "2");
    put(store, "key", "3");
    put(store, "key", "4");
    verso_view *view = NULL;
    verso_history *history = open_newest(store, "key", &view);
    expect(history, 4, "4");
    for (unsigned i = 5; i < 50; i++) { /* the walk has looked at root 3 and holds it */
        put(store, "other", "x");
    }
    expect(history, 3, "3");
    expect_end(history, view);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* Long keys: two fill a leaf of 512 bytes, and one of them more than a quarter of it. */
static const char *long_key(char first)
{
    static char key[101];
    memset(key, first, sizeof key - 1);
    return key;
}

static uint64_t delete_long(verso_store *store, char first)
{
    return delete (store, long_key(first));
}

/* Leaves ab cd ef gh in root 1. What covered c and d is dropped without copying its neighbours, so
 * that the leaf which covers them then was born before. */
Test(key_history, a_key_is_followed_into_the_leaf_that_was_dropped)
{
    verso_store *store = open_in_memory(512, 0);
    verso_txn *txn = begin(store);
    char value[60];
    memset(value, 'v', sizeof value);
    for (char first = 'a'; first <= 'h'; first++) {
        verso_slice slice = {value, sizeof value};
        cr_assert_eq(verso_put(txn, verso_text(long_key(first)), slice), VERSO_OK);
    }
    commit(txn);
    delete_long(store, 'c');
    delete_long(store, 'd'); /* 3: the leaf before it takes over */
    delete_long(store, 'b');
    delete_long(store, 'a');   /* 5: the leaf behind it takes over */
    put(store, "x", "beside"); /* 6 to 15 copy neither */
    for (unsigned i = 0; i < 9; i++) {
        put(store, "x", i % 2 == 0 ? "this" : "that");
    }
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK);
    const uint64_t deleted[] = {5, 4, 2, 3};
    for (unsigned i = 0; i < 4; i++) {
        verso_view *view = NULL;
        verso_history *history = open_newest(store, long_key((char)('a' + (char)i)), &view);
        expect(history, deleted[i], NULL);
        verso_key_version found = {.size = sizeof found};
        cr_assert_eq(verso_history_next(history, &found), VERSO_OK);
        cr_assert_eq(found.root, 1);
        cr_assert_eq(found.value.size, sizeof value);
        expect_end(history, view);
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* ---- named trees ---- */

static uint64_t put_in(verso_store *store, const char *name, const char *key, const char *value)
{
    verso_txn *txn = begin(store);
    verso_txn *tree = NULL;
    cr_assert_eq(verso_txn_tree(txn, verso_text(name), true, &tree), VERSO_OK);
    cr_assert_eq(verso_put(tree, verso_text(key), verso_text(value)), VERSO_OK);
    return commit(txn);
}

static verso_history *open_in_tree(verso_store *store, const char *name, verso_view **view)
{
    verso_view *tree = NULL;
    verso_history *history = NULL;
    cr_assert_eq(verso_view_open(store, view), VERSO_OK);
    cr_assert_eq(verso_view_tree(*view, verso_text(name), &tree), VERSO_OK);
    cr_assert_eq(verso_history_open(tree, verso_text("key"), &history), VERSO_OK);
    return history;
}

Test(key_history, a_key_of_a_named_tree_is_followed_in_that_tree)
{
    verso_store *store = open_in_memory(512, 0);
    put(store, "key", "of the default tree");
    put_in(store, "first", "key", "one"); /* 2 */
    put_in(store, "second", "key", "other");
    put(store, "key", "again");
    put_in(store, "first", "key", "two"); /* 5 */
    verso_txn *txn = begin(store);
    cr_assert_eq(verso_tree_rename(txn, verso_text("first"), verso_text("renamed")), VERSO_OK);
    commit(txn); /* 6: the tree is the same one */
    put_in(store, "renamed", "key", "three");
    put_in(store, "first", "key", "in another tree");
    verso_view *view = NULL;
    verso_history *history = open_in_tree(store, "renamed", &view);
    expect(history, 7, "three");
    expect(history, 5, "two");
    expect(history, 2, "one");
    expect_end(history, view);
    history = open_in_tree(store, "first", &view);
    expect(history, 8, "in another tree");
    expect_end(history, view);
    history = open_newest(store, "key", &view);
    expect(history, 4, "again");
    expect(history, 1, "of the default tree");
    expect_end(history, view);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(key_history, ends_where_the_tree_was_made)
{
    verso_store *store = open_in_memory(512, 0);
    for (unsigned i = 0; i < 300; i++) {
        put_in(store, "before", "key", i % 2 == 0 ? "even" : "odd");
    }
    put_in(store, "tree", "key", "value");
    verso_view *view = NULL;
    verso_view *tree = NULL;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    cr_assert_eq(verso_view_tree(view, verso_text("tree"), &tree), VERSO_OK);
    struct vs_key_history *history = NULL;
    verso_err err =
        vs_key_history_open(store->store, &tree->record, tree->number, verso_text("key"), &history);
    cr_assert_eq(err, VERSO_OK);
    struct vs_key_state state;
    cr_assert_eq(vs_key_history_next(history, &state), VERSO_OK);
    cr_assert_eq(vs_key_history_next(history, &state), VERSO_NOT_FOUND);
    cr_assert_leq(vs_key_history_lookups(history), 2, "not root by root to the oldest");
    vs_key_history_close(history);
    verso_view_close(view);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* ---- how many roots are looked at ---- */

enum { KEYS = 20000, ROOTS = 10000 };

static uint64_t lookups(verso_store *store, const char *key, unsigned *states)
{
    verso_view *view = NULL;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    struct vs_key_history *history = NULL;
    cr_assert_eq(vs_key_history_open(store->store, &view->record, 0, verso_text(key), &history),
                 VERSO_OK);
    struct vs_key_state state;
    *states = 0;
    while (vs_key_history_next(history, &state) == VERSO_OK) {
        (*states)++;
    }
    uint64_t count = vs_key_history_lookups(history);
    vs_key_history_close(history);
    verso_view_close(view);
    return count;
}

Test(key_history, looks_at_few_of_many_roots)
{
    verso_store *store = open_in_memory(4096, 0);
    verso_txn *txn = begin(store);
    char key[24];
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key %06u", i);
        cr_assert_eq(verso_put(txn, verso_text(key), verso_text("first")), VERSO_OK);
    }
    commit(txn);
    for (unsigned i = 0; i < ROOTS; i++) {
        snprintf(key, sizeof key, "key %06u", i * 7919 % KEYS);
        put(store, key, i % 2 == 0 ? "even" : "odd");
    }
    for (unsigned i = 0; i < 4; i++) {
        put(store, "key 010000", i % 2 == 0 ? "this" : "that");
    }
    unsigned states = 0;
    uint64_t count = lookups(store, "key 010000", &states);
    printf("%u values in %u roots: %" PRIu64 " looked at\n", states, ROOTS + 5, count);
    cr_assert_eq(states, 5);
    cr_assert_leq(count, 200, "about as often as its leaf was copied");
    count = lookups(store, "key 0100005", &states);
    printf("a key that never was: %" PRIu64 " looked at\n", count);
    cr_assert_eq(states, 0);
    cr_assert_leq(count, 400);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* ---- arguments ---- */

Test(key_history, bad_arguments_are_refused)
{
    verso_store *store = open_in_memory(4096, 0);
    verso_view *view = NULL;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    verso_history *history = NULL;
    verso_slice no_data = {NULL, 3};
    cr_assert_eq(verso_history_open(NULL, verso_text("key"), &history), VERSO_INVALID);
    cr_assert_eq(verso_history_open(view, no_data, &history), VERSO_INVALID);
    cr_assert_eq(verso_history_open(view, verso_text("key"), NULL), VERSO_INVALID);
    verso_txn *txn = begin(store);
    cr_assert_eq(verso_history_open(verso_txn_view(txn), verso_text("key"), &history),
                 VERSO_INVALID);
    verso_abort(txn);
    cr_assert_null(history);
    cr_assert_eq(verso_history_open(view, verso_text("key"), &history), VERSO_OK);
    verso_key_version version = {.size = 8};
    cr_assert_eq(verso_history_next(history, &version), VERSO_INVALID);
    cr_assert_eq(verso_history_next(history, NULL), VERSO_INVALID);
    cr_assert_eq(verso_history_next(NULL, &version), VERSO_INVALID);
    version.size = sizeof version;
    cr_assert_eq(verso_history_next(history, &version), VERSO_NOT_FOUND, "an empty store");
    verso_history_close(history);
    verso_history_close(NULL);
    verso_view_close(view);
    cr_assert_eq(verso_close(store), VERSO_OK);
}
