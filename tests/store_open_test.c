/*
 * store_open_test.c - what is no store, not this store, not whole or not free is told apart by its
 * error, and changed by nobody.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "simulated_disk.h"
#include "verso.h"

static const char path[] = "store";

static verso_err open_as(struct simulated_disk *disk, bool create, bool read_only,
                         uint32_t page_size, verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = create;
    options.read_only = read_only;
    options.page_size = page_size;
    options.log_bytes = 64 * 1024;
    options.system = simulated_disk_os(disk);
    return verso_open(path, &options, store);
}

static void put(verso_store *store, const char *key, const char *value)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_put(txn, verso_text(key), verso_text(value)), VERSO_OK);
    err = verso_commit(txn, NULL, NULL);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void expect(verso_store *store, const char *key, const char *value)
{
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    verso_slice found;
    verso_err err = verso_get(view, verso_text(key), &found);
    cr_assert_eq(err, VERSO_OK, "%s: %s", key, verso_error_detail());
    cr_assert(found.size == strlen(value) && memcmp(found.data, value, found.size) == 0);
    verso_view_close(view);
}

/* A disk with a store of two roots; `clean`: closed, else as a power cut leaves it. */
static struct simulated_disk *disk_with_store(uint64_t seed, bool clean)
{
    struct simulated_disk *disk = simulated_disk_open(seed);
    verso_store *store;
    cr_assert_eq(open_as(disk, true, false, 1024, &store), VERSO_OK, "%s", verso_error_detail());
    put(store, "one", "first");
    put(store, "two", "second");
    struct simulated_disk *left =
        clean ? NULL : simulated_disk_crash(disk, seed, SIMULATED_CRASH_ALL_NEW);
    cr_assert_eq(verso_close(store), VERSO_OK);
    if (clean) {
        return disk;
    }
    simulated_disk_close(disk);
    return left;
}

/* Opening fails like this, whatever is asked for, and leaves every byte as it was. */
static void refuses(struct simulated_disk *disk, verso_err expected, const char *what)
{
    uint64_t before = simulated_disk_digest(disk);
    for (unsigned how = 0; how < 3; how++) {
        verso_store *store = NULL;
        verso_err err = open_as(disk, how == 1, how == 2, 0, &store);
        cr_assert_eq(err, expected, "%s: %s (%s)", what, verso_strerror(err), verso_error_detail());
        cr_assert_neq(verso_error_detail()[0], '\0', "%s: no detail", what);
        cr_assert_null(store);
        cr_assert_eq(simulated_disk_open_files(disk), 0, "%s: files left open", what);
        cr_assert_eq(simulated_disk_digest(disk), before, "%s: something was changed", what);
    }
}

/* ---- no store ---- */

Test(store_open, makes_no_store_unless_asked)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store;
    cr_assert_eq(open_as(disk, false, false, 0, &store), VERSO_NO_STORE);
    cr_assert_eq(open_as(disk, false, true, 0, &store), VERSO_NO_STORE);
    cr_assert_null(simulated_disk_path(disk, 0));
    simulated_disk_close(disk);
}

Test(store_open, refuses_files_that_are_no_store)
{
    char text[3000];
    memset(text, 'x', sizeof text);
    const size_t sizes[] = {0, 1, 100, sizeof text};
    for (unsigned i = 0; i < 4; i++) {
        struct simulated_disk *disk = simulated_disk_open(i);
        simulated_disk_put(disk, path, text, sizes[i]);
        refuses(disk, VERSO_FORMAT, "a text file");
        simulated_disk_close(disk);
    }
    struct simulated_disk *disk = simulated_disk_open(9);
    char *big = calloc(1, 200000);
    simulated_disk_put(disk, path, big, 200000);
    free(big);
    refuses(disk, VERSO_FORMAT, "a file of zeros");
    simulated_disk_close(disk);
}

Test(store_open, refuses_a_directory)
{
    char folder[] = "/tmp/verso-open-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    verso_store *store;
    cr_assert_eq(verso_open(folder, &options, &store), VERSO_FORMAT);
    options.create = false;
    cr_assert_eq(verso_open(folder, &options, &store), VERSO_FORMAT);
    cr_assert_eq(rmdir(folder), 0);
}

/* The store's own name fits its folder, those of its log do not. */
Test(store_open, says_that_a_name_is_too_long_for_a_log)
{
    char folder[] = "/tmp/verso-open-XXXXXX";
    char path_there[300];
    char long_path[300];
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path_there, sizeof path_there, "%s/there", folder);
    (void)snprintf(long_path, sizeof long_path, "%s/%0250d", folder, 0);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    verso_store *store;
    verso_txn *txn;
    cr_assert_eq(verso_open(long_path, &options, &store), VERSO_INVALID); /* nor to make it */
    cr_assert_not_null(strstr(verso_error_detail(), "too long"), "%s", verso_error_detail());
    verso_err err = verso_open(path_there, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_close(store), VERSO_OK);
    cr_assert_eq(rename(path_there, long_path), 0);
    err = verso_open(long_path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    err = verso_begin(store, &txn);
    err = err == VERSO_OK ? verso_put(txn, verso_text("key"), verso_text("value")) : err;
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_INVALID, "%s", verso_error_detail());
    cr_assert_not_null(strstr(verso_error_detail(), "too long"), "%s", verso_error_detail());
    cr_assert_eq(verso_close(store), VERSO_OK);
    cr_assert_eq(unlink(long_path), 0);
    cr_assert_eq(rmdir(folder), 0);
}

/* ---- damaged stores ---- */

Test(store_open, refuses_a_store_that_was_cut_short)
{
    struct simulated_disk *whole = disk_with_store(2, true);
    uint64_t size;
    const uint8_t *bytes = simulated_disk_bytes(whole, path, &size);
    for (uint64_t kept = 4096; kept < size; kept += 4096) {
        struct simulated_disk *disk = simulated_disk_open(kept);
        simulated_disk_put(disk, path, bytes, (size_t)kept);
        verso_store *store = NULL;
        uint64_t before = simulated_disk_digest(disk);
        verso_err err = open_as(disk, false, false, 0, &store);
        cr_assert(err == VERSO_OK || err == VERSO_CORRUPT, "%s", verso_error_detail());
        if (err == VERSO_OK) { /* only unused space was cut off, and perhaps the second meta */
            expect(store, "one", "first");
            expect(store, "two", "second");
            cr_assert_eq(verso_close(store), VERSO_OK);
        } else {
            cr_assert_eq(simulated_disk_digest(disk), before);
        }
        simulated_disk_close(disk);
    }
    simulated_disk_close(whole);
}

Test(store_open, refuses_another_page_size)
{
    struct simulated_disk *disk = disk_with_store(3, true);
    uint64_t before = simulated_disk_digest(disk);
    verso_store *store;
    cr_assert_eq(open_as(disk, true, false, 4096, &store), VERSO_MISMATCH);
    cr_assert_eq(simulated_disk_digest(disk), before);
    cr_assert_eq(open_as(disk, true, false, 1024, &store), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

/* ---- the log ---- */

Test(store_open, refuses_a_store_whose_log_is_missing)
{
    struct simulated_disk *disk = disk_with_store(4, false);
    const char *log;
    while ((log = simulated_disk_path(disk, 1)) != NULL) {
        simulated_disk_remove(disk, log);
    }
    refuses(disk, VERSO_WAL_MISSING, "a store without its log");
    simulated_disk_close(disk);
}

/* Put the log files of one disk into the place of another's. */
static void swap_logs(struct simulated_disk *disk, struct simulated_disk *other)
{
    const char *log;
    while ((log = simulated_disk_path(disk, 1)) != NULL) {
        simulated_disk_remove(disk, log);
    }
    for (size_t i = 1; (log = simulated_disk_path(other, i)) != NULL; i++) {
        uint64_t size;
        const uint8_t *bytes = simulated_disk_bytes(other, log, &size);
        simulated_disk_put(disk, log, bytes, (size_t)size);
    }
}

/* As one does who restores an old copy after a crash, and forgets the log. */
Test(store_open, refuses_an_old_copy_beside_a_newer_log)
{
    struct simulated_disk *disk = disk_with_store(5, true);
    uint64_t size;
    const uint8_t *bytes = simulated_disk_bytes(disk, path, &size);
    uint8_t *old = malloc(size);
    cr_assert_not_null(old);
    memcpy(old, bytes, size);
    verso_store *store;
    verso_txn *txn;
    cr_assert_eq(open_as(disk, false, false, 0, &store), VERSO_OK);
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("three"), verso_text("third")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_put(left, path, old, size);
    refuses(left, VERSO_MISMATCH, "an old copy beside a newer log");
    cr_assert_eq(open_as(left, true, false, 0, &store), VERSO_MISMATCH);
    cr_assert_not_null(strstr(verso_error_detail(), "older than its log"), "%s",
                       verso_error_detail());
    const char *log;
    while ((log = simulated_disk_path(left, 1)) != NULL) { /* as the detail says */
        simulated_disk_remove(left, log);
    }
    cr_assert_eq(open_as(left, false, false, 0, &store), VERSO_OK, "%s", verso_error_detail());
    expect(store, "two", "second");
    cr_assert_eq(verso_close(store), VERSO_OK);
    free(old);
    simulated_disk_close(left);
    simulated_disk_close(disk);
}

Test(store_open, refuses_the_log_of_another_store)
{
    struct simulated_disk *disk = disk_with_store(5, false);
    struct simulated_disk *other = disk_with_store(6, false);
    swap_logs(disk, other);
    refuses(disk, VERSO_MISMATCH, "a store with another's log");
    simulated_disk_close(other);
    simulated_disk_close(disk);
}

Test(store_open, reports_damage_to_acknowledged_commits)
{
    struct simulated_disk *disk = disk_with_store(7, false);
    const char *log = simulated_disk_path(disk, 1);
    uint64_t size;
    const uint8_t *bytes = simulated_disk_bytes(disk, log, &size);
    size_t at = 0;
    while (at + 5 < size && memcmp(bytes + at, "first", 5) != 0) {
        at++;
    }
    cr_assert_lt(at + 5, size, "the first commit is not in the first segment");
    simulated_disk_flip(disk, log, at, 0x10);
    refuses(disk, VERSO_WAL_CORRUPT, "a damaged commit before one that knows it durable");
    simulated_disk_close(disk);
}

/* ---- sharing ---- */

Test(store_open, is_open_once)
{
    struct simulated_disk *disk = simulated_disk_open(8);
    verso_store *store;
    verso_store *second = NULL;
    cr_assert_eq(open_as(disk, true, false, 0, &store), VERSO_OK);
    cr_assert_eq(open_as(disk, true, false, 0, &second), VERSO_BUSY);
    cr_assert_eq(open_as(disk, false, true, 0, &second), VERSO_BUSY);
    put(store, "still", "here");
    expect(store, "still", "here");
    cr_assert_eq(verso_close(store), VERSO_OK);
    cr_assert_eq(open_as(disk, false, false, 0, &second), VERSO_OK);
    expect(second, "still", "here");
    cr_assert_eq(verso_close(second), VERSO_OK);
    simulated_disk_close(disk);
}

Test(store_open, is_shared_by_those_who_only_read)
{
    struct simulated_disk *disk = disk_with_store(9, true);
    uint64_t before = simulated_disk_digest(disk);
    verso_store *reader[3];
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(open_as(disk, false, true, 0, &reader[i]), VERSO_OK, "%s",
                     verso_error_detail());
    }
    for (unsigned i = 0; i < 3; i++) {
        expect(reader[i], "two", "second");
        verso_check_report report = {.size = sizeof report};
        cr_assert_eq(verso_check(reader[i], &report), VERSO_OK, "%s", report.fault);
        verso_txn *txn;
        cr_assert_eq(verso_begin(reader[i], &txn), VERSO_READ_ONLY);
        cr_assert_eq(verso_close(reader[i]), VERSO_OK, "%s", verso_error_detail());
    }
    cr_assert_eq(simulated_disk_digest(disk), before, "a read-only handle wrote");
    simulated_disk_close(disk);
}

/* A medium that cannot be written, with a log to be replayed: in memory, every root as it was. */
Test(store_open, replays_without_writing_for_those_who_only_read)
{
    struct simulated_disk *disk = disk_with_store(10, false);
    uint64_t before = simulated_disk_digest(disk);
    simulated_disk_set_read_only(disk, true);
    uint64_t changes = simulated_disk_changes(disk);
    verso_store *store;
    cr_assert_eq(open_as(disk, false, false, 0, &store), VERSO_ACCESS);
    cr_assert_eq(open_as(disk, false, true, 0, &store), VERSO_OK, "%s", verso_error_detail());
    expect(store, "one", "first");
    expect(store, "two", "second");
    verso_view *view;
    cr_assert_eq(verso_view_open_root(store, 1, &view), VERSO_OK);
    verso_slice value;
    cr_assert_eq(verso_get(view, verso_text("two"), &value), VERSO_NOT_FOUND);
    verso_view_close(view);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(simulated_disk_digest(disk), before, "a read-only handle wrote");
    cr_assert_eq(simulated_disk_changes(disk), changes, "a read-only handle tried to write");
    simulated_disk_set_read_only(disk, false);
    cr_assert_eq(open_as(disk, false, false, 0, &store), VERSO_OK);
    expect(store, "two", "second");
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

/* ---- arguments ---- */

Test(store_open, refuses_arguments_that_break_their_contract)
{
    verso_store *store;
    verso_options options = VERSO_OPTIONS_INIT;
    cr_assert_eq(verso_open("", &options, &store), VERSO_INVALID);
    cr_assert_eq(verso_open(NULL, &options, NULL), VERSO_INVALID);
    options.page_size = 1000;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_INVALID);
    options.page_size = 256;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_INVALID);
    options.page_size = 0;
    options.read_only = true;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_INVALID);
    options.create = true;
    cr_assert_eq(verso_open("store", &options, &store), VERSO_INVALID);
    options = (verso_options){.size = 1};
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_INVALID);
}

Test(store_open, takes_the_options_of_an_older_caller)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.size = offsetof(verso_options, page_size);
    options.page_size = 1000; /* beyond what the caller says it has */
    verso_store *store;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(store_open, stays_open_while_views_are)
{
    verso_store *store;
    cr_assert_eq(verso_open(NULL, NULL, &store), VERSO_OK);
    put(store, "key", "value");
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_INVALID);
    expect(store, "key", "value");
    verso_view_close(view);
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_INVALID);
    verso_abort(txn);
    cr_assert_eq(verso_close(store), VERSO_OK);
}
