/*
 * files_in_use_test.c - what others do to the files of an open store, on the real system: open them
 * by other names, delete, replace and cut them.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_exit.h"
#include "private_mounts.h"
#include "verso.h"

enum { PATH_MAX_HERE = 128, PAGE_SIZE = 4096 };

static char folder[] = "/tmp/verso-files-XXXXXX";
static char path[PATH_MAX_HERE];
static char other[PATH_MAX_HERE];

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/store", folder);
    (void)snprintf(other, sizeof other, "%s/other", folder);
}

static void tear_down(void)
{
    char command[PATH_MAX_HERE];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(files_in_use, .init = set_up, .fini = tear_down);

static verso_err open_by(const char *name, bool read_only, verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = !read_only;
    options.read_only = read_only;
    options.page_size = read_only ? 0 : PAGE_SIZE;
    return verso_open(name, &options, store);
}

static verso_err commit(verso_store *store, const char *key, const char *value)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_put(txn, verso_text(key), verso_text(value));
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return verso_commit(txn, NULL, NULL);
}

static bool holds(verso_store *store, const char *key, const char *value)
{
    verso_view *view;
    verso_slice found;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    bool is = verso_get(view, verso_text(key), &found) == VERSO_OK && found.size == strlen(value) &&
              memcmp(found.data, value, found.size) == 0;
    verso_view_close(view);
    return is;
}

static verso_store *open_with_key(void)
{
    verso_store *store = NULL;
    cr_assert_eq(open_by(path, false, &store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(commit(store, "key", "value"), VERSO_OK, "%s", verso_error_detail());
    return store;
}

/* ---- other names for the same file ---- */

static void refuse_by(const char *name)
{
    verso_store *second = NULL;
    cr_assert_eq(open_by(name, false, &second), VERSO_BUSY, "%s", name);
    cr_assert_eq(open_by(name, true, &second), VERSO_BUSY, "%s, read-only", name);
    cr_assert_null(second);
}

static void refuse_in_child(const char *name)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        verso_store *second = NULL;
        child_exit(open_by(name, false, &second) == VERSO_BUSY ? 0 : 1);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child opened it");
}

Test(files_in_use, no_other_name_gets_around_the_lock)
{
    verso_store *store = open_with_key();
    char round_about[2 * PATH_MAX_HERE];
    (void)snprintf(round_about, sizeof round_about, "%s/../%s/store", folder,
                   strrchr(folder, '/') + 1);
    cr_assert_eq(link(path, other), 0);
    refuse_by(path);
    refuse_by(other);
    refuse_by(round_about);
    refuse_in_child(path);
    refuse_in_child(other);
    cr_assert_eq(unlink(other), 0);
    cr_assert_eq(symlink("store", other), 0);
    refuse_by(other);
    cr_assert_eq(unlink(other), 0);
    cr_assert_eq(commit(store, "still", "here"), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* The same folder at a second place. */
static void open_by_two_paths(const char *mounted)
{
    char bound[PATH_MAX_HERE];
    char first[PATH_MAX_HERE];
    char second[PATH_MAX_HERE + 8];
    (void)snprintf(bound, sizeof bound, "%s/bound", mounted);
    (void)snprintf(first, sizeof first, "%s/store", mounted);
    (void)snprintf(second, sizeof second, "%s/store", bound);
    private_mounts_demand(mkdir(bound, 0700) == 0 &&
                              mount(mounted, bound, NULL, MS_BIND, NULL) == 0,
                          "mounting a folder a second time");
    verso_store *store;
    verso_store *other_store = NULL;
    private_mounts_demand(open_by(first, false, &store) == VERSO_OK, "opening");
    private_mounts_demand(open_by(second, false, &other_store) == VERSO_BUSY, "for writing");
    private_mounts_demand(open_by(second, true, &other_store) == VERSO_BUSY, "for reading");
    private_mounts_demand(verso_close(store) == VERSO_OK, "closing");
    private_mounts_demand(open_by(second, true, &other_store) == VERSO_OK, "once it is closed");
    private_mounts_demand(verso_close(other_store) == VERSO_OK, "closing again");
}

Test(files_in_use, no_second_mount_gets_around_the_lock)
{
    cr_assert_eq(private_mounts_run(16 * 1024, open_by_two_paths), 0);
}

Test(files_in_use, the_host_may_open_and_close_the_file)
{
    verso_store *store = open_with_key();
    int fd = open(path, O_RDWR);
    cr_assert_geq(fd, 0);
    cr_assert_eq(close(fd), 0);
    refuse_by(path);
    refuse_in_child(path);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(files_in_use, once_closed_any_name_opens_it)
{
    cr_assert_eq(verso_close(open_with_key()), VERSO_OK);
    cr_assert_eq(link(path, other), 0);
    verso_store *store = NULL;
    cr_assert_eq(open_by(other, false, &store), VERSO_OK, "%s", verso_error_detail());
    cr_assert(holds(store, "key", "value"));
    refuse_by(path);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* ---- the process goes elsewhere ---- */

/* Commit, with the working directory changed at once, or once the log's first file is there; then
   die. Values fill the log's first files, so that it needs more of them. */
static void commit_from_elsewhere(bool log_stands)
{
    enum { VALUE = 600000, COMMITS = 12 };
    static char value[VALUE + 1];
    memset(value, 'v', VALUE);
    verso_store *store = NULL;
    bool done = chdir(folder) == 0 && open_by("store", false, &store) == VERSO_OK &&
                (!log_stands || commit(store, "first", "here") == VERSO_OK) && chdir("/") == 0;
    for (unsigned i = 0; i < COMMITS && done; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key%u", i);
        done = commit(store, key, value) == VERSO_OK;
    }
    child_exit(done && commit(store, "last", "elsewhere") == VERSO_OK ? 0 : 1);
}

Test(files_in_use, the_log_of_a_relative_path_stays_where_the_store_is)
{
    for (int log_stands = 0; log_stands <= 1; log_stands++) {
        pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            commit_from_elsewhere(log_stands == 1);
        }
        int status = 0;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        verso_store *store = NULL;
        cr_assert_eq(open_by(path, false, &store), VERSO_OK, "%s", verso_error_detail());
        cr_assert(holds(store, "last", "elsewhere"), "acknowledged, and lost");
        cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
        cr_assert_eq(unlink(path), 0);
    }
}

/* ---- the file is taken away ---- */

/* The next checkpoint says so; from then on only reads go on. */
static void notices(verso_store *store, const char *what)
{
    cr_assert_eq(commit(store, "more", "than before"), VERSO_OK, "%s", verso_error_detail());
    verso_err err = verso_checkpoint(store);
    cr_assert_eq(err, VERSO_IO, "%s: %s", what, verso_strerror(err));
    cr_assert_neq(verso_error_detail()[0], '\0');
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert(stats.poisoned, "%s", what);
    cr_assert_eq(commit(store, "nobody", "would find it"), VERSO_POISONED);
}

Test(files_in_use, a_deleted_store_takes_no_more_writes)
{
    verso_store *store = open_with_key();
    cr_assert_eq(unlink(path), 0);
    notices(store, "deleted");
    cr_assert(holds(store, "key", "value"));
    cr_assert(holds(store, "more", "than before"));
    cr_assert_neq(verso_close(store), VERSO_OK);
}

Test(files_in_use, a_replaced_store_takes_no_more_writes_and_leaves_the_other_alone)
{
    cr_assert_eq(verso_close(open_with_key()), VERSO_OK);
    verso_store *store = NULL;
    cr_assert_eq(open_by(path, false, &store), VERSO_OK);
    verso_store *copied = NULL;
    cr_assert_eq(verso_copy(store, other, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(rename(other, path), 0);
    notices(store, "replaced");
    cr_assert(holds(store, "more", "than before"));
    cr_assert_neq(verso_close(store), VERSO_OK);
    cr_assert_eq(open_by(path, false, &copied), VERSO_OK, "%s", verso_error_detail());
    cr_assert(holds(copied, "key", "value"));
    cr_assert_not(holds(copied, "more", "than before"));
    cr_assert_eq(verso_close(copied), VERSO_OK);
}

Test(files_in_use, a_store_cut_short_takes_no_more_writes)
{
    verso_store *store = open_with_key();
    cr_assert_eq(truncate(path, 70000), 0); /* what is mapped beyond must not be touched any more */
    notices(store, "cut short");
    cr_assert_neq(verso_close(store), VERSO_OK);
}

/* Zeros behind the end are room that nobody asked for. */
Test(files_in_use, a_store_made_longer_goes_on)
{
    verso_store *store = open_with_key();
    cr_assert_eq(truncate(path, 1 << 20), 0);
    cr_assert_eq(commit(store, "more", "than before"), VERSO_OK);
    cr_assert_eq(verso_checkpoint(store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(open_by(path, false, &store), VERSO_OK);
    cr_assert(holds(store, "more", "than before"));
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(verso_close(store), VERSO_OK);
}
