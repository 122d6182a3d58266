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

/* Run `child` in a child process; it answers with the number of what went wrong first, 0 for
   nothing. */
static int in_child(int (*child)(struct fixture *, verso_view *), struct fixture *fixture,
                    verso_view *view)
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        child_exit(child(fixture, view));
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status), "the child was killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static int try_everything(struct fixture *fixture, verso_view *view)
{
    verso_txn *txn;
    verso_view *other;
    verso_slice value;
    verso_cursor *cursor;
    verso_root_info info = {.size = sizeof info};
    size_t count;
    verso_retention policy = verso_keep_last(1);
    int step = 0;
#define REFUSED(call)                                                                              \
    step++;                                                                                        \
    if ((call) != VERSO_FORKED) {                                                                  \
        return step;                                                                               \
    }
    REFUSED(verso_begin(fixture->store, &txn))
    REFUSED(verso_view_open(fixture->store, &other))
    REFUSED(verso_view_open_root(fixture->store, 1, &other))
    REFUSED(verso_get(view, verso_text("key"), &value))
    REFUSED(verso_cursor_open(view, NULL, &cursor))
    REFUSED(verso_view_info(view, &info))
    REFUSED(verso_roots(fixture->store, 0, &info, 1, NULL, &count))
    REFUSED(verso_sync(fixture->store))
    REFUSED(verso_checkpoint(fixture->store))
    REFUSED(verso_wait_durable(fixture->store, 1))
    REFUSED(verso_retention_set(fixture->store, &policy))
#undef REFUSED
    verso_view_close(view);
    return verso_close(fixture->store) == VERSO_FORKED ? 0 : step + 1;
}

Test(fork, refuses_every_call_in_the_child_and_leaves_the_parent_alone)
{
    struct fixture fixture = open_fixture();
    put(fixture.store, "key", "before");
    verso_view *view;
    cr_assert_eq(verso_view_open(fixture.store, &view), VERSO_OK);
    cr_assert_eq(in_child(try_everything, &fixture, view), 0);
    put(fixture.store, "key", "after");
    verso_slice value;
    cr_assert_eq(verso_get(view, verso_text("key"), &value), VERSO_OK);
    cr_assert_eq(value.size, strlen("before"));
    verso_view_close(view);
    close_fixture(&fixture);
}

static int open_again(struct fixture *fixture, verso_view *view)
{
    (void)view;
    verso_store *store;
    return verso_open(fixture->path, NULL, &store) == VERSO_BUSY ? 0 : 1;
}

Test(fork, keeps_the_lock_with_the_parent)
{
    struct fixture fixture = open_fixture();
    put(fixture.store, "key", "value");
    cr_assert_eq(in_child(open_again, &fixture, NULL), 0);
    close_fixture(&fixture);
}
