/*
 * trees_test.c - named trees: their names, their handles, what a commit, an abort, a drop and a
 * crash make of them, and catalogues that nobody should have written.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "simulated_disk.h"
#include "verso.h"

enum { SMALL_PAGE = 512 };

static const char path[] = "store";
static struct simulated_disk *disk;
static verso_store *store;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void expect(verso_err err, verso_err expected)
{
    cr_assert_eq(err, expected, "%d: %s", (int)err, verso_error_detail());
}

static verso_store *open_on(struct simulated_disk *on, uint64_t keep_last)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = SMALL_PAGE;
    verso_retention policy = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last);
    options.retention = &policy;
    options.system = simulated_disk_os(on);
    verso_store *opened = NULL;
    must(verso_open(path, &options, &opened));
    return opened;
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
    store = open_on(disk, 0);
}

static void check_store(void)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "root %" PRIu64 ", page %u: %s", report.bad_root, report.bad_page,
                 report.fault);
}

static void tear_down(void)
{
    check_store();
    must(verso_close(store));
    simulated_disk_close(disk);
}

TestSuite(trees, .init = set_up, .fini = tear_down);

/* The power fails, and the store is opened again. */
static void crash(void)
{
    struct simulated_disk *after = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    must(verso_close(store));
    simulated_disk_close(disk);
    disk = after;
    store = open_on(disk, 0);
}

static verso_txn *begin(void)
{
    verso_txn *txn = NULL;
    must(verso_begin(store, &txn));
    return txn;
}

static verso_root_id commit(verso_txn *txn)
{
    verso_root_id root = 0;
    must(verso_commit(txn, NULL, &root));
    return root;
}

static verso_txn *create(verso_txn *txn, const char *name)
{
    verso_txn *tree = NULL;
    must(verso_txn_tree(txn, verso_text(name), true, &tree));
    return tree;
}

static verso_view *open_view(verso_root_id root)
{
    verso_view *view = NULL;
    must(root == 0 ? verso_view_open(store, &view) : verso_view_open_root(store, root, &view));
    return view;
}

static verso_view *open_tree(verso_view *view, const char *name)
{
    verso_view *tree = NULL;
    must(verso_view_tree(view, verso_text(name), &tree));
    return tree;
}

static void put(verso_txn *tree, const char *key, const char *value)
{
    must(verso_put(tree, verso_text(key), verso_text(value)));
}

static void put_many(verso_txn *tree, unsigned count, size_t value_size)
{
    char *value = malloc(value_size + 1);
    cr_assert_not_null(value);
    memset(value, 'v', value_size + 1);
    for (unsigned i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%06u", i);
        must(verso_put(tree, verso_text(key), (verso_slice){value, value_size}));
    }
    free(value);
}

static void expect_value(verso_view *tree, const char *key, const char *value)
{
    verso_slice found;
    verso_err err = verso_get(tree, verso_text(key), &found);
    if (value == NULL) {
        expect(err, VERSO_NOT_FOUND);
        return;
    }
    cr_assert_eq(err, VERSO_OK, "%s: %s", key, verso_error_detail());
    cr_assert_eq(found.size, strlen(value));
    cr_assert_arr_eq(found.data, value, found.size);
}

static verso_root_info info_of(verso_view *view)
{
    verso_root_info info = {.size = sizeof info};
    must(verso_view_info(view, &info));
    return info;
}

/* The names of a view's trees, each with a blank behind it. */
static const char *list(verso_view *view)
{
    static char text[4096];
    verso_tree_info info = {.size = sizeof info};
    text[0] = '\0';
    verso_err err = verso_tree_next(view, (verso_slice){NULL, 0}, &info);
    while (err == VERSO_OK) {
        cr_assert_lt(strlen(text) + strlen(info.name) + 2, sizeof text);
        strcat(strcat(text, info.name), " ");
        char after[VERSO_NAME_MAX + 1];
        strcpy(after, info.name);
        err = verso_tree_next(view, verso_text(after), &info);
    }
    expect(err, VERSO_NOT_FOUND);
    return text;
}

static uint64_t used_pages(void)
{
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    return stats.used_pages - stats.free_pages;
}

/* ---- names and handles ---- */

Test(trees, are_listed_in_the_order_of_their_names)
{
    verso_txn *txn = begin();
    cr_assert_str_eq(list(verso_txn_view(txn)), "");
    put(create(txn, "pears"), "k", "v");
    create(txn, "apples");
    create(txn, "\x01");
    cr_assert_str_eq(list(verso_txn_view(txn)), "\x01 apples pears ");
    cr_assert_str_eq(list(verso_txn_view(create(txn, "pears"))), "\x01 apples pears ");
    commit(txn);
    verso_view *view = open_view(0);
    cr_assert_str_eq(list(view), "\x01 apples pears ");
    cr_assert_str_eq(list(open_tree(view, "apples")), "\x01 apples pears ");
    verso_tree_info info = {.size = sizeof info};
    must(verso_tree_next(view, verso_text("b"), &info));
    cr_assert_str_eq(info.name, "pears");
    cr_assert_eq(info.keys, 1);
    cr_assert_eq(info.depth, 1);
    cr_assert_eq(info.fingerprint, info_of(open_tree(view, "pears")).fingerprint);
    verso_view_close(view);
}

Test(trees, of_other_names_do_not_exist)
{
    verso_txn *txn = begin();
    verso_txn *tree = NULL;
    verso_view *seen = NULL;
    expect(verso_txn_tree(txn, verso_text("none"), false, &tree), VERSO_NOT_FOUND);
    create(txn, "one");
    expect(verso_txn_tree(txn, verso_text("on"), false, &tree), VERSO_NOT_FOUND);
    expect(verso_view_tree(verso_txn_view(txn), verso_text("ones"), &seen), VERSO_NOT_FOUND);
    expect(verso_tree_drop(txn, verso_text("two")), VERSO_NOT_FOUND);
    expect(verso_tree_rename(txn, verso_text("two"), verso_text("three")), VERSO_NOT_FOUND);
    commit(txn);
    verso_view *view = open_view(0);
    expect(verso_view_tree(view, verso_text("two"), &seen), VERSO_NOT_FOUND);
    verso_view_close(view);
}

Test(trees, refuse_what_is_no_name)
{
    char longest[VERSO_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    const verso_slice bad[] = {{NULL, 0}, {"", 0}, {NULL, 3}, {"a\0b", 3}, {longest, 256}};
    verso_txn *txn = begin();
    verso_view *view = verso_txn_view(txn);
    create(txn, "good");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        verso_txn *tree;
        verso_view *seen;
        expect(verso_txn_tree(txn, bad[i], true, &tree), VERSO_INVALID);
        expect(verso_view_tree(view, bad[i], &seen), VERSO_INVALID);
        expect(verso_tree_drop(txn, bad[i]), VERSO_INVALID);
        expect(verso_tree_rename(txn, bad[i], verso_text("x")), VERSO_INVALID);
        expect(verso_tree_rename(txn, verso_text("good"), bad[i]), VERSO_INVALID);
    }
    cr_assert_str_eq(list(view), "good ");
    verso_abort(txn);
}

Test(trees, take_names_up_to_the_longest)
{
    char name[VERSO_NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    size_t longest = verso_key_size_max(store); /* less than VERSO_NAME_MAX with these pages */
    verso_txn *txn = begin();
    verso_txn *tree = NULL;
    must(verso_txn_tree(txn, (verso_slice){name, longest}, true, &tree));
    expect(verso_txn_tree(txn, (verso_slice){name, longest + 1}, true, &tree), VERSO_TOO_BIG);
    commit(txn);
    verso_store *wide = NULL;
    must(verso_open(NULL, NULL, &wide));
    must(verso_begin(wide, &txn));
    must(verso_txn_tree(txn, (verso_slice){name, VERSO_NAME_MAX}, true, &tree));
    put(tree, "k", "v");
    must(verso_commit(txn, NULL, NULL));
    verso_view *view;
    verso_view *seen;
    must(verso_view_open(wide, &view));
    must(verso_view_tree(view, (verso_slice){name, VERSO_NAME_MAX}, &seen));
    expect_value(seen, "k", "v");
    verso_view_close(view);
    must(verso_close(wide));
}

Test(trees, refuse_missing_arguments)
{
    verso_txn *txn = begin();
    verso_txn *tree = NULL;
    verso_view *seen = NULL;
    verso_tree_info info = {.size = 8};
    expect(verso_txn_tree(NULL, verso_text("a"), true, &tree), VERSO_INVALID);
    expect(verso_txn_tree(txn, verso_text("a"), true, NULL), VERSO_INVALID);
    expect(verso_view_tree(NULL, verso_text("a"), &seen), VERSO_INVALID);
    expect(verso_view_tree(verso_txn_view(txn), verso_text("a"), NULL), VERSO_INVALID);
    expect(verso_tree_next(NULL, verso_text(""), &info), VERSO_INVALID);
    expect(verso_tree_next(verso_txn_view(txn), verso_text(""), NULL), VERSO_INVALID);
    expect(verso_tree_next(verso_txn_view(txn), verso_text(""), &info), VERSO_INVALID);
    expect(verso_tree_drop(NULL, verso_text("a")), VERSO_INVALID);
    expect(verso_tree_rename(NULL, verso_text("a"), verso_text("b")), VERSO_INVALID);
    verso_abort(txn);
}

Test(trees, opened_again_are_the_same_handle)
{
    verso_txn *txn = begin();
    verso_txn *tree = create(txn, "a");
    cr_assert_eq(create(txn, "a"), tree);
    cr_assert_eq(create(tree, "a"), tree);
    cr_assert_eq(open_tree(verso_txn_view(txn), "a"), verso_txn_view(tree));
    commit(txn);
    verso_view *view = open_view(0);
    verso_view *seen = open_tree(view, "a");
    cr_assert_eq(open_tree(view, "a"), seen);
    cr_assert_eq(open_tree(seen, "a"), seen);
    verso_view_close(seen); /* not the caller's: nothing happens */
    expect_value(seen, "k", NULL);
    verso_view_close(view);
}

Test(trees, handles_cannot_end_the_transaction)
{
    verso_txn *txn = begin();
    verso_txn *tree = create(txn, "a");
    put(tree, "k", "v");
    expect(verso_commit(tree, NULL, NULL), VERSO_INVALID);
    verso_abort(tree);
    put(tree, "k2", "v2");
    commit(txn);
    verso_view *view = open_view(0);
    expect_value(open_tree(view, "a"), "k", "v");
    expect_value(open_tree(view, "a"), "k2", "v2");
    verso_view_close(view);
}

/* ---- content ---- */

Test(trees, have_nothing_to_do_with_each_other)
{
    verso_txn *txn = begin();
    verso_txn *a = create(txn, "a");
    verso_txn *b = create(txn, "b");
    put(txn, "k", "default");
    put(a, "k", "in a");
    put(b, "k", "in b");
    must(verso_delete(b, verso_text("k")));
    expect(verso_insert(a, verso_text("k"), verso_text("x")), VERSO_EXISTS);
    expect(verso_replace(b, verso_text("k"), verso_text("x")), VERSO_NOT_FOUND);
    verso_slice old;
    must(verso_exchange(a, verso_text("k"), verso_text("newer"), &old));
    cr_assert_eq(old.size, 4);
    commit(txn);
    verso_view *view = open_view(0);
    expect_value(view, "k", "default");
    expect_value(open_tree(view, "a"), "k", "newer");
    expect_value(open_tree(view, "b"), "k", NULL);
    cr_assert_eq(info_of(view).keys, 1);
    cr_assert_eq(info_of(open_tree(view, "a")).keys, 1);
    cr_assert_eq(info_of(open_tree(view, "b")).keys, 0);
    verso_view_close(view);
}

Test(trees, change_together_or_not_at_all)
{
    verso_txn *txn = begin();
    put(create(txn, "a"), "k", "1");
    put(create(txn, "b"), "k", "1");
    put(txn, "k", "1");
    verso_root_id first = commit(txn);
    uint64_t fingerprint;
    verso_view *view = open_view(first);
    fingerprint = info_of(view).fingerprint;
    verso_view_close(view);
    txn = begin();
    put(create(txn, "a"), "k", "2");
    must(verso_tree_drop(txn, verso_text("b")));
    put(create(txn, "c"), "k", "2");
    put(txn, "k", "2");
    verso_abort(txn);
    txn = begin();
    cr_assert_eq(info_of(verso_txn_view(txn)).fingerprint, fingerprint);
    cr_assert_str_eq(list(verso_txn_view(txn)), "a b ");
    put(create(txn, "a"), "k", "3");
    put(create(txn, "b"), "k", "3");
    put(txn, "k", "3");
    commit(txn);
    view = open_view(0);
    expect_value(view, "k", "3");
    expect_value(open_tree(view, "a"), "k", "3");
    expect_value(open_tree(view, "b"), "k", "3");
    verso_view_close(view);
    view = open_view(first); /* and the root before shows all of them as they were */
    expect_value(view, "k", "1");
    expect_value(open_tree(view, "a"), "k", "1");
    expect_value(open_tree(view, "b"), "k", "1");
    verso_view_close(view);
}

Test(trees, cursors_and_counts_work_on_them)
{
    verso_txn *txn = begin();
    verso_txn *tree = create(txn, "numbers");
    put_many(tree, 300, 20);
    verso_cursor *inside = NULL;
    must(verso_cursor_open(verso_txn_view(tree), NULL, &inside));
    unsigned met = 0;
    while (verso_cursor_next(inside, NULL) == VERSO_OK) {
        put(txn, "of the default tree", "between the steps");
        met++;
    }
    cr_assert_eq(met, 300);
    verso_cursor_close(inside);
    verso_root_id root = commit(txn);
    verso_view *view = open_view(root);
    uint64_t count = 0;
    must(verso_count(open_tree(view, "numbers"), NULL, &count));
    cr_assert_eq(count, 300);
    verso_entry found;
    must(verso_get_at_or_after(open_tree(view, "numbers"), verso_text("key0001"), &found));
    cr_assert_arr_eq(found.key.data, "key000100", 9);
    verso_view_close(view);
}

/* ---- fingerprints ---- */

static uint64_t now(verso_txn *txn)
{
    return info_of(verso_txn_view(txn)).fingerprint;
}

Test(trees, count_in_the_fingerprint_of_the_root)
{
    verso_txn *txn = begin();
    put(txn, "k", "v");
    uint64_t alone = now(txn);
    verso_txn *tree = create(txn, "a");
    uint64_t with_empty = now(txn);
    cr_assert_neq(with_empty, alone);
    put(tree, "k", "v");
    uint64_t with_tree = now(txn);
    cr_assert_neq(with_tree, with_empty);
    cr_assert_neq(now(tree), with_tree); /* of the tree alone */
    must(verso_tree_rename(txn, verso_text("a"), verso_text("b")));
    cr_assert_neq(now(txn), with_tree);
    must(verso_tree_rename(txn, verso_text("b"), verso_text("a")));
    cr_assert_eq(now(txn), with_tree);
    commit(txn);
    txn = begin();
    cr_assert_eq(now(txn), with_tree);
    tree = create(txn, "a");
    must(verso_delete(tree, verso_text("k")));
    cr_assert_eq(now(txn), with_empty);
    cr_assert_eq(now(tree), 0);
    must(verso_tree_drop(txn, verso_text("a")));
    cr_assert_eq(now(txn), alone);
    commit(txn);
    verso_view *view = open_view(0);
    cr_assert_eq(info_of(view).fingerprint, alone);
    verso_view_close(view);
}

/* ---- renaming and dropping ---- */

Test(trees, keep_handle_and_content_under_a_new_name)
{
    verso_txn *txn = begin();
    verso_txn *tree = create(txn, "old");
    create(txn, "taken");
    put(tree, "k", "v");
    verso_root_id before = commit(txn);
    txn = begin();
    tree = create(txn, "old");
    put(tree, "k2", "v2");
    expect(verso_tree_rename(txn, verso_text("old"), verso_text("taken")), VERSO_EXISTS);
    must(verso_tree_rename(txn, verso_text("old"), verso_text("old")));
    must(verso_tree_rename(txn, verso_text("old"), verso_text("new")));
    put(tree, "k3", "v3");
    cr_assert_eq(create(txn, "new"), tree);
    cr_assert_neq(create(txn, "old"), tree); /* the name is free for another one */
    commit(txn);
    verso_view *view = open_view(0);
    cr_assert_str_eq(list(view), "new old taken ");
    expect_value(open_tree(view, "new"), "k", "v");
    expect_value(open_tree(view, "new"), "k2", "v2");
    expect_value(open_tree(view, "new"), "k3", "v3");
    expect_value(open_tree(view, "old"), "k", NULL);
    verso_view_close(view);
    view = open_view(before);
    cr_assert_str_eq(list(view), "old taken ");
    expect_value(open_tree(view, "old"), "k", "v");
    expect_value(open_tree(view, "old"), "k2", NULL);
    verso_view_close(view);
}

Test(trees, refuse_every_call_once_dropped)
{
    verso_txn *txn = begin();
    verso_txn *tree = create(txn, "a");
    put_many(tree, 100, 30);
    verso_view *view = verso_txn_view(tree);
    verso_cursor *cursor = NULL;
    must(verso_cursor_open(view, NULL, &cursor));
    must(verso_cursor_next(cursor, NULL));
    must(verso_tree_drop(txn, verso_text("a")));
    verso_slice value;
    verso_slice key = verso_text("key000001");
    verso_entry entry;
    verso_err result;
    size_t count;
    uint64_t keys;
    verso_root_info info = {.size = sizeof info};
    verso_cursor *other = NULL;
    expect(verso_put(tree, key, key), VERSO_INVALID);
    expect(verso_delete(tree, key), VERSO_INVALID);
    expect(verso_put_sorted(tree, &(verso_entry){key, key}, 1), VERSO_INVALID);
    expect(verso_get(view, key, &value), VERSO_INVALID);
    expect(verso_get_at_or_after(view, key, &entry), VERSO_INVALID);
    expect(verso_get_many(view, &key, 1, &value, &result), VERSO_INVALID);
    expect(verso_read(view, key, 0, &count, 1, &count), VERSO_INVALID);
    expect(verso_count(view, NULL, &keys), VERSO_INVALID);
    expect(verso_view_info(view, &info), VERSO_INVALID);
    expect(verso_cursor_open(view, NULL, &other), VERSO_INVALID);
    expect(verso_cursor_next(cursor, &entry), VERSO_INVALID);
    expect(verso_cursor_batch(cursor, &entry, 1, &count), VERSO_INVALID);
    cr_assert_not_null(strstr(verso_error_detail(), "dropped"));
    verso_cursor_close(cursor);
    verso_txn *again = create(txn, "a"); /* another tree, of the same name */
    cr_assert_neq(again, tree);
    expect(verso_get(verso_txn_view(again), key, &value), VERSO_NOT_FOUND);
    commit(txn);
}

Test(trees, stay_in_older_roots_when_dropped)
{
    verso_txn *txn = begin();
    put_many(create(txn, "a"), 2000, 30);
    verso_root_id before = commit(txn);
    txn = begin();
    must(verso_tree_drop(txn, verso_text("a")));
    commit(txn);
    for (unsigned i = 0; i < 20; i++) { /* its pages are taken apart meanwhile */
        check_store();
        txn = begin();
        put(txn, "k", "v");
        commit(txn);
    }
    verso_view *view = open_view(before);
    cr_assert_eq(info_of(open_tree(view, "a")).keys, 2000);
    expect_value(open_tree(view, "a"), "key001999", "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
    verso_view_close(view);
    view = open_view(0);
    cr_assert_str_eq(list(view), "");
    verso_view_close(view);
}

/* Commits of one key each. */
static void commit_some(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        verso_txn *txn = begin();
        put(txn, "k", "v");
        commit(txn);
    }
}

static void keep_only_newest(void)
{
    verso_retention policy = verso_keep_last(1);
    must(verso_retention_set(store, &policy));
}

Test(trees, give_all_their_pages_back_step_by_step)
{
    keep_only_newest();
    verso_txn *txn = begin();
    put(create(txn, "stays"), "k", "v");
    put(txn, "k", "v");
    commit(txn);
    commit_some(130); /* judged, checkpointed: nothing waits any more */
    must(verso_checkpoint(store));
    commit_some(130);
    uint64_t before = used_pages();
    txn = begin();
    verso_txn *tree = create(txn, "goes");
    put_many(tree, 3000, 40);
    put_many(create(txn, "goes, too"), 20, 20000); /* values of 40 pages */
    commit(txn);
    uint64_t filled = used_pages();
    cr_assert_gt(filled, before + 1000);
    uint64_t changes = simulated_disk_changes(disk);
    txn = begin();
    must(verso_tree_drop(txn, verso_text("goes")));
    must(verso_tree_drop(txn, verso_text("goes, too")));
    commit(txn);
    cr_assert_leq(simulated_disk_changes(disk), changes + 8, "a drop is one cheap commit");
    check_store();
    commit_some(5);
    check_store(); /* in the middle of it */
    commit_some(100);
    must(verso_checkpoint(store));
    commit_some(130);
    cr_assert_leq(used_pages(), before + 8);
}

Test(trees, filled_and_dropped_again_and_again_keep_the_file_bounded)
{
    keep_only_newest();
    uint64_t third = 0;
    for (unsigned round = 0; round < 12; round++) {
        verso_txn *txn = begin();
        if (round > 0) {
            must(verso_tree_drop(txn, verso_text("t")));
        }
        put_many(create(txn, "t"), 1500, 40);
        commit(txn);
        commit_some(2);
        must(verso_checkpoint(store));
        verso_stats stats = {.size = sizeof stats};
        must(verso_stat(store, &stats));
        third = round == 2 ? stats.used_pages : third;
        cr_assert(round < 3 || stats.used_pages <= third + third / 2,
                  "round %u: %" PRIu64 " pages, %" PRIu64 " in the third", round, stats.used_pages,
                  third);
    }
}

Test(trees, made_and_dropped_in_one_transaction_leave_nothing)
{
    keep_only_newest();
    commit_some(130);
    must(verso_checkpoint(store));
    commit_some(130);
    uint64_t before = used_pages();
    verso_txn *txn = begin();
    put_many(create(txn, "t"), 1000, 40);
    put_many(create(txn, "long"), 3, 20000);
    must(verso_tree_drop(txn, verso_text("t")));
    must(verso_tree_drop(txn, verso_text("long")));
    commit(txn);
    commit_some(130);
    must(verso_checkpoint(store));
    commit_some(130);
    cr_assert_leq(used_pages(), before + 8);
}

/* ---- reopening ---- */

static void expect_fruit(void)
{
    verso_view *view = open_view(0);
    cr_assert_str_eq(list(view), "apples quinces ");
    expect_value(open_tree(view, "apples"), "k", "2");
    cr_assert_eq(info_of(open_tree(view, "quinces")).keys, 500);
    expect_value(view, "k", "default");
    verso_view_close(view);
}

static void commit_fruit(void)
{
    verso_txn *txn = begin();
    put(create(txn, "apples"), "k", "1");
    put_many(create(txn, "pears"), 500, 30);
    put_many(create(txn, "plums"), 900, 30);
    commit(txn);
    txn = begin();
    put(create(txn, "apples"), "k", "2");
    must(verso_tree_rename(txn, verso_text("pears"), verso_text("quinces")));
    must(verso_tree_drop(txn, verso_text("plums")));
    put(txn, "k", "default");
    commit(txn);
}

Test(trees, are_there_after_a_clean_close)
{
    commit_fruit();
    must(verso_close(store));
    store = open_on(disk, 0);
    expect_fruit();
}

Test(trees, are_recovered_from_the_log)
{
    commit_fruit();
    crash();
    expect_fruit();
    check_store();
    crash(); /* and from the checkpoint that the recovery made */
    expect_fruit();
    verso_txn *txn = begin();
    put(create(txn, "figs"), "k", "v"); /* their numbers go on: the fingerprints agree */
    commit(txn);
    crash();
    commit_some(30); /* the rest of the plums goes */
}

Test(trees, changed_by_a_commit_past_the_log_are_there)
{
    must(verso_close(store));
    verso_options options = VERSO_OPTIONS_INIT;
    options.log_bytes = 64 * 1024;
    options.system = simulated_disk_os(disk);
    must(verso_open(path, &options, &store));
    verso_txn *txn = begin();
    put_many(create(txn, "large"), 4000, 40);
    put(create(txn, "small"), "k", "v");
    commit(txn);
    crash();
    verso_view *view = open_view(0);
    cr_assert_eq(info_of(open_tree(view, "large")).keys, 4000);
    expect_value(open_tree(view, "small"), "k", "v");
    verso_view_close(view);
}

Test(trees, brought_back_have_their_number_and_fingerprint)
{
    verso_txn *txn = begin();
    put(create(txn, "a"), "k", "v");
    create(txn, "b");
    uint64_t fingerprint = now(txn);
    commit(txn);
    txn = begin();
    verso_txn *tree = create(txn, "a");
    must(verso_tree_drop(txn, verso_text("a")));
    verso_txn *back = NULL;
    expect(vs_txn_create_tree(txn, verso_text("c"), 2, &back), VERSO_EXISTS); /* b's */
    must(vs_txn_create_tree(txn, verso_text("a"), 1, &back));
    cr_assert_eq(back, tree);
    put(back, "k", "v");
    cr_assert_eq(now(txn), fingerprint);
    commit(txn);
    crash();
    verso_view *view = open_view(0);
    cr_assert_eq(info_of(view).fingerprint, fingerprint);
    expect_value(open_tree(view, "a"), "k", "v");
    verso_view_close(view);
}

/* ---- many ---- */

Test(trees, can_be_thousands)
{
    enum { COUNT = 3000 };
    char name[16];
    verso_txn *txn = begin();
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "tree%05u", i * 7 % COUNT);
        put(create(txn, name), "own name", name);
    }
    commit(txn);
    txn = begin();
    for (unsigned i = 0; i < COUNT; i += 3) {
        snprintf(name, sizeof name, "tree%05u", i);
        must(verso_tree_drop(txn, verso_text(name)));
    }
    put(create(txn, "tree00001"), "more", "of it");
    commit(txn);
    crash();
    verso_view *view = open_view(0);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "tree%05u", i);
        verso_view *tree;
        verso_err err = verso_view_tree(view, verso_text(name), &tree);
        expect(err, i % 3 == 0 ? VERSO_NOT_FOUND : VERSO_OK);
        if (err == VERSO_OK) {
            expect_value(tree, "own name", name);
        }
    }
    verso_view_close(view);
}

Test(trees, take_turns_in_a_transaction_larger_than_the_arena)
{
    store->store->arena_limit = 64; /* frames: fewer than verso_open() allows */
    verso_txn *txn = begin();
    verso_txn *a = create(txn, "a");
    verso_txn *b = create(txn, "b");
    put_many(a, 2000, 40);
    verso_cursor *cursor = NULL;
    must(verso_cursor_open(verso_txn_view(a), NULL, &cursor));
    for (unsigned i = 0; i < 2000; i++) { /* pages of `a` are spilled while `b` grows */
        verso_entry entry;
        must(verso_cursor_next(cursor, &entry));
        char key[16];
        snprintf(key, sizeof key, "key%06u", i);
        cr_assert_arr_eq(entry.key.data, key, 9, "%u", i);
        must(verso_put(b, entry.key, entry.value));
    }
    verso_cursor_close(cursor);
    uint64_t keys = info_of(verso_txn_view(b)).keys;
    cr_assert_eq(keys, 2000);
    commit(txn);
}

Test(trees, keep_their_cursors_when_another_one_pushes_their_pages_out)
{
    store->store->arena_limit = 64; /* frames: fewer than verso_open() allows */
    verso_txn *txn = begin();
    verso_txn *a = create(txn, "a");
    put_many(a, 100, 40);
    verso_cursor *cursor = NULL;
    must(verso_cursor_open(verso_txn_view(a), NULL, &cursor));
    verso_entry entry;
    must(verso_cursor_last(cursor, &entry)); /* in a frame */
    put_many(create(txn, "b"), 4000, 40);    /* which holds another page by now */
    must(verso_cursor_previous(cursor, &entry));
    cr_assert_arr_eq(entry.key.data, "key000098", 9);
    verso_cursor_close(cursor);
    commit(txn);
}

/* ---- going back within a transaction ---- */

Test(trees, all_go_back_to_a_savepoint)
{
    verso_txn *txn = begin();
    put(create(txn, "before"), "k", "1");
    put(create(txn, "dropped"), "k", "1");
    commit(txn);
    txn = begin();
    verso_txn *made = create(txn, "made");
    put(made, "k", "1");
    uint64_t fingerprint = now(txn);
    uint32_t savepoint = 0;
    must(verso_savepoint(made, &savepoint));
    verso_txn *before = create(txn, "before");
    put_many(before, 200, 30);
    put_many(made, 200, 30);
    put(txn, "k", "1");
    verso_txn *after = create(txn, "after");
    must(verso_tree_rename(txn, verso_text("made"), verso_text("renamed")));
    must(verso_tree_drop(txn, verso_text("dropped")));
    must(verso_tree_drop(txn, verso_text("renamed")));
    must(verso_rollback(after, savepoint));
    cr_assert_eq(now(txn), fingerprint);
    cr_assert_str_eq(list(verso_txn_view(txn)), "before dropped made ");
    expect(verso_put(after, verso_text("k"), verso_text("v")), VERSO_INVALID);
    expect_value(verso_txn_view(made), "key000001", NULL);
    expect_value(verso_txn_view(made), "k", "1");
    expect_value(verso_txn_view(before), "k", "1");
    put(before, "k", "2");
    put(made, "k", "2");
    commit(txn);
    crash();
    verso_view *view = open_view(0);
    expect_value(open_tree(view, "before"), "k", "2");
    expect_value(open_tree(view, "made"), "k", "2");
    expect_value(open_tree(view, "dropped"), "k", "1");
    verso_view_close(view);
}
