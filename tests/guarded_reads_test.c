/*
 * guarded_reads_test.c - a disk that cannot be read, under pages that are mapped: an error where the
 * store was opened with `guard_reads`, a signal where it was not.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "simulated_disk.h"
#include "verso.h"

enum { KEYS = 600, LONG_VALUE = 60000 };

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_slice key_of(unsigned number, char *text)
{
    return (verso_slice){text, (size_t)snprintf(text, 16, "key%07u", number)};
}

/* A closed store of several levels; among the keys one with a value in several pieces. */
static void make_store(const char *path, const struct vs_os *os)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 512;
    options.system = os;
    verso_store *store;
    verso_txn *txn;
    static const char value[LONG_VALUE] = "long";
    char text[16];
    must(verso_open(path, &options, &store));
    must(verso_begin(store, &txn));
    for (unsigned i = 0; i < KEYS; i++) {
        must(verso_put(txn, key_of(i, text), verso_text("value")));
    }
    must(verso_put(txn, verso_text("key0000300 long"), (verso_slice){value, sizeof value}));
    must(verso_commit(txn, NULL, NULL));
    must(verso_close(store));
}

static verso_store *open_guarded(const char *path, const struct vs_os *os)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = true;
    options.guard_reads = true;
    options.system = os;
    verso_store *store;
    must(verso_open(path, &options, &store));
    return store;
}

/* Scan all values. A cursor that has met an error keeps it. */
static verso_err scan(verso_store *store, unsigned *met)
{
    verso_view *view;
    verso_cursor *cursor;
    verso_entry entry;
    must(verso_view_open(store, &view));
    must(verso_cursor_open(view, NULL, &cursor));
    *met = 0;
    verso_err err;
    while ((err = verso_cursor_next(cursor, &entry)) == VERSO_OK) {
        (*met)++;
    }
    if (err != VERSO_NOT_FOUND) {
        cr_assert_eq(verso_cursor_next(cursor, &entry), err, "the cursor forgot its error");
    }
    verso_cursor_close(cursor);
    verso_view_close(view);
    return err;
}

Test(guarded_reads, each_read_that_fails_is_reported_and_can_be_tried_again)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    const struct vs_os *os = simulated_disk_os(disk);
    make_store("store", os);
    unsigned met;
    verso_store *store = open_guarded("store", os);
    uint64_t before = simulated_disk_events(disk, SIMULATED_READ);
    cr_assert_eq(scan(store, &met), VERSO_NOT_FOUND);
    cr_assert_eq(met, KEYS + 1);
    uint64_t reads = simulated_disk_events(disk, SIMULATED_READ) - before;
    cr_assert_gt(reads, 30, "every page and table block is read before it is touched");
    cr_assert_eq(scan(store, &met), VERSO_NOT_FOUND);
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_READ) - before, reads, "but once only");
    must(verso_close(store));
    for (uint64_t nth = 1; nth <= reads; nth++) {
        store = open_guarded("store", os);
        struct simulated_fault fault = {.kind = SIMULATED_READ, .nth = nth};
        simulated_disk_inject(disk, &fault);
        cr_assert_eq(scan(store, &met), VERSO_IO, "read %u", (unsigned)nth);
        cr_assert_eq(scan(store, &met), VERSO_NOT_FOUND, "read %u", (unsigned)nth);
        cr_assert_eq(met, KEYS + 1);
        simulated_disk_heal(disk);
        must(verso_close(store));
    }
    simulated_disk_close(disk);
}

/* ---- the real thing: a file that somebody cuts behind our back ---- */

/* Cut the file behind its metas, then read. @return What the child's wait status says. */
static int read_a_cut_file(const char *path, bool guarded)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGBUS, SIG_DFL); /* the runner has a handler of its own */
        verso_options options = VERSO_OPTIONS_INIT;
        options.read_only = true;
        options.guard_reads = guarded;
        verso_store *store;
        verso_view *view;
        verso_slice value;
        char text[16];
        if (verso_open(path, &options, &store) != VERSO_OK ||
            verso_view_open(store, &view) != VERSO_OK || truncate(path, 512) != 0) {
            _exit(2);
        }
        _exit(verso_get(view, key_of(KEYS / 2, text), &value) == VERSO_CORRUPT ? 0 : 1);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

Test(guarded_reads, a_file_cut_short_is_an_error_or_a_signal)
{
    char folder[] = "/tmp/verso-guard-XXXXXX";
    char path[64];
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/store", folder);
    make_store(path, NULL);
    int status = read_a_cut_file(path, true);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    cr_assert_eq(unlink(path), 0);
    make_store(path, NULL);
    status = read_a_cut_file(path, false); /* the residual risk that docs/reliability.md names */
    cr_assert(!WIFEXITED(status) || WEXITSTATUS(status) > 2, "status %d", status);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(folder), 0);
}
