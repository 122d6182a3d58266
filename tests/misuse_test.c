/*
 * misuse_test.c - calls that break their contract: each says so, and nothing was changed.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "simulated_disk.h"
#include "verso.h"

static struct simulated_disk *disk;
static verso_store *store;
static const verso_slice no_bytes = {NULL, 5}; /* a size without bytes */

static verso_store *open_at(const char *path)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 1024;
    options.system = simulated_disk_os(disk);
    verso_store *opened = NULL;
    cr_assert_eq(verso_open(path, &options, &opened), VERSO_OK, "%s", verso_error_detail());
    return opened;
}

static verso_txn *begin(void)
{
    verso_txn *txn = NULL;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    return txn;
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
    store = open_at("store");
    verso_txn *txn = begin();
    cr_assert_eq(verso_put(txn, verso_text("key"), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
}

/* Whatever was asked, the store is what it was. */
static void tear_down(void)
{
    verso_check_report report = {.size = sizeof report};
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_eq(stats.tip, 1);
    cr_assert_eq(stats.keys, 1);
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
    simulated_disk_close(disk);
}

TestSuite(misuse, .init = set_up, .fini = tear_down);

static void refused_all(const verso_err *errs, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(errs[i], VERSO_INVALID, "%s, call %zu: %s", what, i, verso_strerror(errs[i]));
    }
}

#define REFUSED(errs, what) refused_all(errs, sizeof(errs) / sizeof(errs)[0], what)

Test(misuse, no_store)
{
    verso_txn *txn;
    verso_view *view;
    verso_retention policy = verso_keep_all();
    verso_stats stats = {.size = sizeof stats};
    verso_check_report report = {.size = sizeof report};
    verso_space_report space = {.size = sizeof space};
    verso_tag_info tag = {.size = sizeof tag};
    verso_retention_effect effect = {.size = sizeof effect};
    size_t count;
    verso_slice name = verso_text("name");
    const verso_err errs[] = {
        verso_open("other", NULL, NULL),
        verso_sync(NULL),
        verso_checkpoint(NULL),
        verso_begin(NULL, &txn),
        verso_begin(store, NULL),
        verso_wait_durable(NULL, 1),
        verso_view_open(NULL, &view),
        verso_view_open(store, NULL),
        verso_view_open_root(NULL, 1, &view),
        verso_view_open_root(store, 1, NULL),
        verso_view_open_tag(NULL, name, &view),
        verso_view_open_at(NULL, 0, &view),
        verso_roots(NULL, 0, NULL, 0, NULL, &count),
        verso_copy(NULL, "copy", NULL, NULL),
        verso_copy(store, NULL, NULL, NULL),
        verso_copy_since(NULL, 0, "copy", NULL),
        verso_copy_apply(NULL, "copy", NULL),
        verso_retention_get(NULL, &policy),
        verso_retention_get(store, NULL),
        verso_retention_set(NULL, &policy),
        verso_retention_set(store, NULL),
        verso_retention_try(NULL, &policy, NULL, 0, &effect),
        verso_tag_set(NULL, name, 1),
        verso_tag_delete(NULL, name),
        verso_tag_get(NULL, name, &tag),
        verso_tag_next(NULL, name, &tag),
        verso_root_costs(NULL, 0, NULL, 0, &count),
        verso_space(NULL, &space),
        verso_space(store, NULL),
        verso_readers(NULL, NULL, 0, &count),
        verso_check(NULL, &report),
        verso_stat(NULL, &stats),
        verso_stat(store, NULL),
    };
    REFUSED(errs, "without a store");
    cr_assert_eq(verso_close(NULL), VERSO_OK);
    cr_assert_eq(verso_key_size_max(NULL), 0);
}

Test(misuse, no_transaction)
{
    verso_slice name = verso_text("name");
    verso_slice old;
    verso_txn *tree;
    uint32_t number;
    const verso_err errs[] = {
        verso_commit(NULL, NULL, NULL),
        verso_put(NULL, name, name),
        verso_insert(NULL, name, name),
        verso_replace(NULL, name, name),
        verso_exchange(NULL, name, name, &old),
        verso_delete(NULL, name),
        verso_take(NULL, name, &old),
        verso_put_sorted(NULL, NULL, 0),
        verso_delete_range(NULL, NULL, NULL),
        verso_savepoint(NULL, &number),
        verso_rollback(NULL, 1),
        verso_release(NULL, 1),
        verso_txn_tree(NULL, name, true, &tree),
        verso_tree_drop(NULL, name),
        verso_tree_rename(NULL, name, name),
        verso_revert(NULL, NULL, NULL, NULL),
        verso_revert_all(NULL, NULL, NULL),
    };
    REFUSED(errs, "without a transaction");
    verso_abort(NULL);
    cr_assert_null(verso_txn_view(NULL));
}

Test(misuse, no_view_no_cursor_no_walk)
{
    verso_slice name = verso_text("name");
    verso_slice value;
    verso_view *tree;
    verso_entry entry;
    verso_cursor *cursor;
    verso_diff *diff;
    verso_history *history;
    verso_root_info info = {.size = sizeof info};
    verso_tree_info named = {.size = sizeof named};
    verso_change change;
    verso_key_version version = {.size = sizeof version};
    uint64_t number;
    size_t size;
    const verso_err errs[] = {
        verso_get(NULL, name, &value),
        verso_get_at_or_after(NULL, name, &entry),
        verso_get_many(NULL, &name, 1, &value, NULL),
        verso_read(NULL, name, 0, &number, sizeof number, &size),
        verso_view_info(NULL, &info),
        verso_view_tree(NULL, name, &tree),
        verso_tree_next(NULL, name, &named),
        verso_cursor_open(NULL, NULL, &cursor),
        verso_cursor_first(NULL, &entry),
        verso_cursor_last(NULL, &entry),
        verso_cursor_next(NULL, &entry),
        verso_cursor_previous(NULL, &entry),
        verso_cursor_seek(NULL, VERSO_SEEK_GE, name, &entry),
        verso_cursor_current(NULL, &entry),
        verso_cursor_batch(NULL, &entry, 1, &size),
        verso_count(NULL, NULL, &number),
        verso_rank(NULL, name, &number),
        verso_nth(NULL, 0, &entry),
        verso_random(NULL, NULL, 0, &entry),
        verso_cursor_open_share(NULL, NULL, 1, 0, &cursor),
        verso_diff_next(NULL, &change),
        verso_history_open(NULL, name, &history),
        verso_history_next(NULL, &version),
        verso_diff_open(NULL, NULL, NULL, &diff),
    };
    REFUSED(errs, "without a view, a cursor or a walk");
    verso_view_close(NULL);
    verso_cursor_close(NULL);
    verso_diff_close(NULL);
    verso_history_close(NULL);
}

Test(misuse, sizes_without_bytes)
{
    verso_txn *txn = begin();
    verso_view *view = verso_txn_view(txn);
    verso_slice key = verso_text("key");
    verso_slice value;
    verso_entry entry = {key, no_bytes};
    verso_cursor *cursor;
    verso_range range = {.size = sizeof range, .has_from = true, .from = no_bytes};
    const verso_err errs[] = {
        verso_put(txn, no_bytes, key),
        verso_put(txn, key, no_bytes),
        verso_delete(txn, no_bytes),
        verso_put_sorted(txn, &entry, 1),
        verso_put_sorted(txn, NULL, 1),
        verso_delete_range(txn, &range, NULL),
        verso_get(view, no_bytes, &value),
        verso_get(view, key, NULL),
        verso_cursor_open(view, &range, &cursor),
        verso_cursor_open(view, NULL, NULL),
    };
    REFUSED(errs, "sizes without bytes");
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = no_bytes;
    cr_assert_eq(verso_commit(txn, &options, NULL), VERSO_INVALID);
}

Test(misuse, structs_without_a_size)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.size = 0;
    verso_store *other = NULL;
    verso_stats stats = {.size = 0};
    verso_check_report report = {.size = 0};
    verso_space_report space = {.size = 0};
    verso_retention policy = verso_keep_all();
    policy.size = 0;
    const verso_err errs[] = {
        verso_open("other", &options, &other), verso_stat(store, &stats),
        verso_check(store, &report),           verso_space(store, &space),
        verso_retention_set(store, &policy),
    };
    REFUSED(errs, "structs without a size");
    cr_assert_null(other);
}

Test(misuse, handles_of_others_and_of_what_is_gone)
{
    verso_txn *txn = begin();
    verso_txn *tree;
    cr_assert_eq(verso_txn_tree(txn, verso_text("tree"), true, &tree), VERSO_OK);
    cr_assert_eq(verso_commit(tree, NULL, NULL), VERSO_INVALID, "a tree's handle commits");
    verso_abort(tree); /* does nothing */
    cr_assert_eq(verso_put(tree, verso_text("key"), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_tree_drop(txn, verso_text("tree")), VERSO_OK);
    cr_assert_eq(verso_put(tree, verso_text("key"), verso_text("value")), VERSO_INVALID);
    cr_assert_eq(verso_rollback(txn, 1), VERSO_INVALID);
    cr_assert_eq(verso_release(txn, 0), VERSO_INVALID);
    cr_assert_eq(verso_close(store), VERSO_INVALID, "closed under a transaction");

    verso_store *second = open_at("second");
    verso_view *foreign = NULL;
    verso_diff *diff;
    cr_assert_eq(verso_view_open(second, &foreign), VERSO_OK);
    cr_assert_eq(verso_revert(txn, foreign, NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_revert(txn, verso_txn_view(txn), NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_diff_open(foreign, verso_txn_view(txn), NULL, &diff), VERSO_INVALID);
    cr_assert_eq(verso_close(second), VERSO_INVALID, "closed under a view");
    verso_view_close(foreign);
    cr_assert_eq(verso_close(second), VERSO_OK);
    verso_abort(txn);
}

/* As a cleanup does that aborts what was committed. The memory waits for the next transaction, so
 * as long as nobody has begun one the handle can be told from a live one. */
Test(misuse, transactions_that_have_ended)
{
    for (unsigned commits = 0; commits < 2; commits++) {
        verso_txn *txn = begin();
        uint32_t savepoint;
        cr_assert_eq(verso_put(txn, verso_text("other"), verso_text("value")), VERSO_OK);
        cr_assert_eq(verso_savepoint(txn, &savepoint), VERSO_OK);
        cr_assert_eq(verso_rollback(txn, savepoint), VERSO_OK);
        cr_assert_eq(verso_delete(txn, verso_text("other")), VERSO_OK);
        verso_abort(txn);
        if (commits) { /* a commit of nothing makes no root */
            txn = begin();
            cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
        }
        verso_slice value;
        const verso_err errs[] = {
            verso_commit(txn, NULL, NULL),
            verso_put(txn, verso_text("key"), verso_text("value")),
            verso_delete(txn, verso_text("key")),
            verso_savepoint(txn, &savepoint),
            verso_rollback(txn, 1),
            verso_release(txn, 1),
            verso_get(verso_txn_view(txn), verso_text("key"), &value),
        };
        REFUSED(errs, "after its end");
        verso_abort(txn);
    }
}
