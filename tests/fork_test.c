/*
 * fork_test.c - a child of fork() is refused every use of its parent's handles, and harms nothing.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_exit.h"
#include "verso.h"

struct fixture {
    char directory[64];
    char path[80];
    verso_store *store;
};

static struct fixture open_fixture(void)
{
    struct fixture fixture;
    strcpy(fixture.directory, "/tmp/verso-fork-XXXXXX");
    cr_assert_not_null(mkdtemp(fixture.directory));
    snprintf(fixture.path, sizeof fixture.path, "%s/store", fixture.directory);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    cr_assert_eq(verso_open(fixture.path, &options, &fixture.store), VERSO_OK);
    return fixture;
}

static void close_fixture(struct fixture *fixture)
{
    cr_assert_eq(verso_close(fixture->store), VERSO_OK);
    cr_assert_eq(unlink(fixture->path), 0);
    cr_assert_eq(rmdir(fixture->directory), 0); /* and nothing else was left in it */
}

static void put(verso_store *store, const char *key, const char *value)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text(key), verso_text(value)), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
}

/* What a parent may have open when it forks. The transaction holds the writer lock: a call that took
   it in the child would wait for ever. */
struct handles {
    verso_view *view;
    verso_cursor *cursor;
    verso_diff *diff;
    verso_history *history;
    verso_txn *txn;
    verso_txn *tree;
    uint32_t savepoint;
};

enum { PATIENCE_SECONDS = 20 };

/* The number of the first call that was not refused, from 1; 0: all were. */
static int first_not_refused(const verso_err *answers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (answers[i] != VERSO_FORKED) {
            return (int)i + 1;
        }
    }
    return 0;
}

static int try_store(struct fixture *fixture, const struct handles *handles)
{
    (void)handles;
    verso_store *store = fixture->store;
    verso_txn *txn;
    verso_view *view;
    size_t count;
    verso_root_info info = {.size = sizeof info};
    verso_retention policy = verso_keep_last(1);
    verso_retention_effect effect = {.size = sizeof effect};
    verso_tag_info tag = {.size = sizeof tag};
    verso_space_report space = {.size = sizeof space};
    verso_check_report check = {.size = sizeof check};
    verso_stats stats = {.size = sizeof stats};
    const verso_err answers[] = {
        verso_begin(store, &txn),
        verso_view_open(store, &view),
        verso_view_open_root(store, 1, &view),
        verso_view_open_at(store, INT64_MAX, &view),
        verso_view_open_tag(store, verso_text("tag"), &view),
        verso_roots(store, 0, &info, 1, NULL, &count),
        verso_sync(store),
        verso_checkpoint(store),
        verso_wait_durable(store, 1),
        verso_retention_get(store, &policy),
        verso_retention_set(store, &policy),
        verso_retention_try(store, &policy, NULL, 0, &effect),
        verso_tag_set(store, verso_text("other"), 1),
        verso_tag_delete(store, verso_text("tag")),
        verso_tag_get(store, verso_text("tag"), &tag),
        verso_tag_next(store, verso_text(""), &tag),
        verso_copy(store, "/tmp/verso-never-made", NULL, NULL),
        verso_copy_since(store, 1, "/tmp/verso-never-made", NULL),
        verso_copy_apply(store, "/tmp/verso-never-made", NULL),
        verso_root_costs(store, 0, NULL, 0, &count),
        verso_space(store, &space),
        verso_readers(store, NULL, 0, &count),
        verso_check(store, &check),
        verso_stat(store, &stats),
        verso_close(store),
    };
    return first_not_refused(answers, sizeof answers / sizeof *answers);
}

static int try_view(struct fixture *fixture, const struct handles *handles)
{
    (void)fixture;
    verso_view *view = handles->view;
    verso_view *tree;
    verso_slice key = verso_text("key");
    verso_slice value;
    verso_err result;
    verso_entry entry;
    verso_cursor *cursor;
    verso_diff *diff;
    verso_history *history;
    verso_change change;
    verso_key_version version = {.size = sizeof version};
    verso_root_info info = {.size = sizeof info};
    verso_tree_info named = {.size = sizeof named};
    char buffer[8];
    size_t count;
    uint64_t number;
    const verso_err answers[] = {
        verso_get(view, key, &value),
        verso_get_at_or_after(view, key, &entry),
        verso_get_many(view, &key, 1, &value, &result),
        verso_read(view, key, 0, buffer, sizeof buffer, &count),
        verso_count(view, NULL, &number),
        verso_rank(view, key, &number),
        verso_nth(view, 0, &entry),
        verso_random(view, NULL, 1, &entry),
        verso_view_info(view, &info),
        verso_view_tree(view, verso_text("tree"), &tree),
        verso_tree_next(view, verso_text(""), &named),
        verso_cursor_open(view, NULL, &cursor),
        verso_cursor_open_share(view, NULL, 2, 0, &cursor),
        verso_cursor_first(handles->cursor, &entry),
        verso_cursor_last(handles->cursor, &entry),
        verso_cursor_next(handles->cursor, &entry),
        verso_cursor_previous(handles->cursor, &entry),
        verso_cursor_seek(handles->cursor, VERSO_SEEK_EQ, key, &entry),
        verso_cursor_current(handles->cursor, &entry),
        verso_cursor_batch(handles->cursor, &entry, 1, &count),
        verso_diff_open(NULL, view, NULL, &diff),
        verso_diff_next(handles->diff, &change),
        verso_history_open(view, key, &history),
        verso_history_next(handles->history, &version),
    };
    return first_not_refused(answers, sizeof answers / sizeof *answers);
}

static int try_transaction(struct fixture *fixture, const struct handles *handles)
{
    (void)fixture;
    verso_txn *txn = handles->txn;
    verso_txn *tree;
    verso_slice key = verso_text("key");
    verso_slice value;
    verso_entry entry = {key, key};
    uint64_t number;
    uint32_t savepoint;
    const verso_err answers[] = {
        verso_put(txn, key, key),
        verso_insert(txn, verso_text("new"), key),
        verso_replace(txn, key, key),
        verso_exchange(txn, key, key, &value),
        verso_delete(txn, key),
        verso_take(txn, key, &value),
        verso_put_sorted(txn, &entry, 1),
        verso_delete_range(txn, NULL, &number),
        verso_savepoint(txn, &savepoint),
        verso_rollback(txn, handles->savepoint),
        verso_release(txn, handles->savepoint),
        verso_txn_tree(txn, verso_text("other"), true, &tree),
        verso_tree_drop(txn, verso_text("tree")),
        verso_tree_rename(txn, verso_text("tree"), verso_text("other")),
        verso_revert(txn, handles->view, NULL, NULL),
        verso_revert_all(txn, handles->view, NULL),
        verso_get(verso_txn_view(txn), key, &value),
        verso_put(handles->tree, key, key),
        verso_commit(txn, NULL, NULL),
    };
    return first_not_refused(answers, sizeof answers / sizeof *answers);
}

/* What has no answer to give must leave the parent's things alone. */
static int let_go_of_everything(struct fixture *fixture, const struct handles *handles)
{
    (void)fixture;
    verso_cursor_close(handles->cursor);
    verso_diff_close(handles->diff);
    verso_history_close(handles->history);
    verso_view_close(handles->view);
    verso_abort(handles->txn);
    return 0;
}

/* Run `child` in a child process; it answers with the number of what went wrong first, 0 for
   nothing. */
static void in_child(int (*child)(struct fixture *, const struct handles *),
                     struct fixture *fixture, const struct handles *handles, const char *what)
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        (void)alarm(PATIENCE_SECONDS); /* a child that waits for a lock of its parent's dies */
        child_exit(child(fixture, handles));
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status), "%s: the child was killed by signal %d", what, WTERMSIG(status));
    cr_assert_eq(WEXITSTATUS(status), 0, "%s: call %d was not refused", what, WEXITSTATUS(status));
}

static void open_handles(struct fixture *fixture, struct handles *handles)
{
    cr_assert_eq(verso_tag_set(fixture->store, verso_text("tag"), 1), VERSO_OK);
    cr_assert_eq(verso_view_open(fixture->store, &handles->view), VERSO_OK);
    verso_view *view = handles->view;
    cr_assert_eq(verso_cursor_open(view, NULL, &handles->cursor), VERSO_OK);
    cr_assert_eq(verso_diff_open(NULL, view, NULL, &handles->diff), VERSO_OK);
    cr_assert_eq(verso_history_open(view, verso_text("key"), &handles->history), VERSO_OK);
    cr_assert_eq(verso_begin(fixture->store, &handles->txn), VERSO_OK);
    cr_assert_eq(verso_txn_tree(handles->txn, verso_text("tree"), true, &handles->tree), VERSO_OK);
    cr_assert_eq(verso_put(handles->txn, verso_text("key"), verso_text("after")), VERSO_OK);
    cr_assert_eq(verso_savepoint(handles->txn, &handles->savepoint), VERSO_OK);
}

/* The parent goes on with every handle that its children were refused. */
static void go_on(struct fixture *fixture, struct handles *handles)
{
    verso_slice value;
    verso_entry entry;
    verso_change change;
    verso_key_version version = {.size = sizeof version};
    cr_assert_eq(verso_get(handles->view, verso_text("key"), &value), VERSO_OK);
    cr_assert_eq(value.size, strlen("before"));
    cr_assert_eq(verso_cursor_next(handles->cursor, &entry), VERSO_OK);
    cr_assert_eq(verso_diff_next(handles->diff, &change), VERSO_OK);
    cr_assert_eq(verso_history_next(handles->history, &version), VERSO_OK);
    verso_cursor_close(handles->cursor);
    verso_diff_close(handles->diff);
    verso_history_close(handles->history);
    verso_view_close(handles->view);
    cr_assert_eq(verso_commit(handles->txn, NULL, NULL), VERSO_OK);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(fixture->store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(report.roots, 2);
}

Test(fork, refuses_every_call_in_the_child_and_leaves_the_parent_alone)
{
    struct fixture fixture = open_fixture();
    struct handles handles;
    put(fixture.store, "key", "before");
    open_handles(&fixture, &handles);
    in_child(try_store, &fixture, &handles, "calls on the store");
    in_child(try_view, &fixture, &handles, "calls on a view");
    in_child(try_transaction, &fixture, &handles, "calls on a transaction");
    in_child(let_go_of_everything, &fixture, &handles, "closing");
    go_on(&fixture, &handles);
    close_fixture(&fixture);
}

static int open_again(struct fixture *fixture, const struct handles *handles)
{
    (void)handles;
    verso_store *store;
    return verso_open(fixture->path, NULL, &store) == VERSO_BUSY ? 0 : 1;
}

/* A worker that lives on with what it was forked with, until it is told to end. */
Test(fork, a_child_that_lives_on_does_not_keep_the_store_locked)
{
    struct fixture fixture = open_fixture();
    put(fixture.store, "key", "value");
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        char byte;
        (void)close(ends[1]);
        child_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    cr_assert_eq(verso_close(fixture.store), VERSO_OK);
    verso_err err = verso_open(fixture.path, NULL, &fixture.store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    in_child(open_again, &fixture, NULL, "opening what the parent has opened anew");
    (void)close(ends[1]);
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close_fixture(&fixture);
}

Test(fork, keeps_the_lock_with_the_parent)
{
    struct fixture fixture = open_fixture();
    put(fixture.store, "key", "value");
    in_child(open_again, &fixture, NULL, "opening the store again");
    close_fixture(&fixture);
}

static int open_and_put(struct fixture *fixture)
{
    verso_store *store;
    verso_txn *txn;
    if (verso_open(fixture->path, NULL, &store) != VERSO_OK ||
        verso_begin(store, &txn) != VERSO_OK) {
        return 1;
    }
    verso_err err = verso_put(txn, verso_text("key"), verso_text("the child's"));
    if (err != VERSO_OK || verso_commit(txn, NULL, NULL) != VERSO_OK) {
        return 2;
    }
    if (verso_close(fixture->store) != VERSO_FORKED) { /* the parent's, of before */
        return 3;
    }
    return verso_close(store) == VERSO_OK ? 0 : 4;
}

Test(fork, a_child_opens_anew_what_its_parent_has_closed)
{
    struct fixture fixture = open_fixture();
    put(fixture.store, "key", "value");
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        char byte;
        (void)close(ends[1]);
        child_exit(read(ends[0], &byte, 1) == 0 ? open_and_put(&fixture) : 9);
    }
    cr_assert_eq(verso_close(fixture.store), VERSO_OK);
    (void)close(ends[1]); /* the child's sign to begin */
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    cr_assert_eq(verso_open(fixture.path, NULL, &fixture.store), VERSO_OK);
    verso_view *view;
    verso_slice value;
    cr_assert_eq(verso_view_open(fixture.store, &view), VERSO_OK);
    cr_assert_eq(verso_get(view, verso_text("key"), &value), VERSO_OK);
    cr_assert_eq(value.size, strlen("the child's"));
    verso_view_close(view);
    close_fixture(&fixture);
}
