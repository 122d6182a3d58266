/*
 * read_only_media_test.c - stores that may only be read: on a medium mounted read-only, and as files
 * and folders of somebody else. What is needed of the log is replayed in memory; never is a part of
 * the store shown for the whole.
 */
#include <criterion/criterion.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private_mounts.h"
#include "verso.h"

enum { DISK_KIB = 32 * 1024, COMMITS = 60, NOBODY = 65534 };

static void demand(bool holds, const char *what)
{
    private_mounts_demand(holds, what);
}

static verso_err open_store(const char *path, bool read_only, verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = !read_only;
    options.read_only = read_only;
    return verso_open(path, &options, store);
}

static verso_err commit(verso_store *store, unsigned value)
{
    verso_txn *txn;
    char text[16];
    (void)snprintf(text, sizeof text, "%u", value);
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_put(txn, verso_text("key"), verso_text(text));
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return verso_commit(txn, NULL, NULL);
}

/* A store of COMMITS roots. Where it was not closed, its log is needed. */
static void make_store(const char *path, bool closed)
{
    pid_t child = fork();
    if (child == 0) {
        verso_store *store;
        demand(open_store(path, false, &store) == VERSO_OK, "creating");
        for (unsigned i = 1; i <= COMMITS; i++) {
            demand(commit(store, i) == VERSO_OK, "a commit");
            if (i == COMMITS / 2) {
                demand(verso_checkpoint(store) == VERSO_OK, "a checkpoint");
            }
        }
        demand(!closed || verso_close(store) == VERSO_OK, "closing");
        _exit(0);
    }
    int status = -1;
    demand(waitpid(child, &status, 0) == child && status == 0, "making a store");
}

/* The newest root is the last one acknowledged, and older ones are there. */
static void read_all(const char *path, const char *what)
{
    verso_store *store;
    demand(open_store(path, true, &store) == VERSO_OK, what);
    verso_stats stats = {.size = sizeof stats};
    demand(verso_stat(store, &stats) == VERSO_OK && stats.published == COMMITS, what);
    for (unsigned i = 1; i <= COMMITS; i += 7) {
        verso_view *view;
        verso_slice value;
        char text[16];
        int size = snprintf(text, sizeof text, "%u", i);
        demand(verso_view_open_root(store, i, &view) == VERSO_OK, what);
        demand(verso_get(view, verso_text("key"), &value) == VERSO_OK &&
                   value.size == (size_t)size && memcmp(value.data, text, value.size) == 0,
               what);
        verso_view_close(view);
    }
    verso_check_report report = {.size = sizeof report};
    demand(verso_check(store, &report) == VERSO_OK, what);
    verso_txn *txn;
    demand(verso_begin(store, &txn) == VERSO_READ_ONLY, what);
    demand(verso_close(store) == VERSO_OK, what);
}

/* Whoever wants to write is told that he may not. */
static void refuse_writer(const char *path, const char *what)
{
    verso_store *store = NULL;
    demand(open_store(path, false, &store) == VERSO_ACCESS && store == NULL, what);
}

/* ---- a medium mounted read-only ---- */

static void work_on_mounted(const char *folder)
{
    char closed[96];
    char crashed[96];
    char missing[96];
    (void)snprintf(closed, sizeof closed, "%s/closed", folder);
    (void)snprintf(crashed, sizeof crashed, "%s/crashed", folder);
    (void)snprintf(missing, sizeof missing, "%s/missing", folder);
    make_store(closed, true);
    make_store(crashed, false);
    demand(private_mounts_disk(folder, DISK_KIB, MS_REMOUNT | MS_RDONLY), "mounting read-only");
    for (unsigned i = 0; i < 2; i++) { /* the second time nothing is different */
        read_all(closed, "a closed store");
        read_all(crashed, "a store whose log is needed");
        refuse_writer(closed, "writing to a closed store");
        refuse_writer(crashed, "writing to a store whose log is needed");
        refuse_writer(missing, "creating a store");
    }
    demand(private_mounts_disk(folder, DISK_KIB, MS_REMOUNT), "mounting for writing");
    verso_store *store;
    demand(open_store(crashed, false, &store) == VERSO_OK, "writable again");
    demand(commit(store, 1000) == VERSO_OK, "a commit when writable again");
    demand(verso_close(store) == VERSO_OK, "closing when writable again");
}

Test(read_only_media, mounted_read_only_gives_everything_or_nothing)
{
    cr_assert_eq(private_mounts_run(DISK_KIB, work_on_mounted), 0);
}

/* ---- somebody else's files ---- */

/* In a child that may not write: files of mode 0444 in folders of mode 0555. */
static int as_somebody_else(const char *closed, const char *crashed)
{
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0) { /* root may do everything */
            demand(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0,
                   "becoming nobody");
        }
        read_all(closed, "a closed store");
        read_all(crashed, "a store whose log is needed");
        refuse_writer(closed, "writing to a closed store");
        refuse_writer(crashed, "writing to a store whose log is needed");
        _exit(0);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

Test(read_only_media, files_of_others_give_everything_or_nothing)
{
    char folder[] = "/tmp/verso-others-XXXXXX";
    char closed[64];
    char crashed[64];
    char command[128];
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(closed, sizeof closed, "%s/closed", folder);
    (void)snprintf(crashed, sizeof crashed, "%s/crashed", folder);
    make_store(closed, true);
    make_store(crashed, false);
    (void)snprintf(command, sizeof command, "chmod 0444 %s/* && chmod 0555 %s", folder, folder);
    cr_assert_eq(system(command), 0);
    int status = as_somebody_else(closed, crashed);
    (void)snprintf(command, sizeof command, "chmod 0700 %s && rm -rf %s", folder, folder);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(status, 0);
}
