/*
 * new_file_test.c - a new store, and a copy, appear under their names whole and durable or not at
 * all; and what is said where the system lets neither happen.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "simulated_disk.h"
#include "verso.h"

static struct simulated_disk *disk;

static void set_up(void)
{
    disk = simulated_disk_open(1);
}

static void tear_down(void)
{
    cr_assert_eq(simulated_disk_open_files(disk), 0);
    simulated_disk_close(disk);
}

TestSuite(new_file, .init = set_up, .fini = tear_down);

static verso_err create(const char *path, verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.system = simulated_disk_os(disk);
    return verso_open(path, &options, store);
}

static void fail(enum simulated_kind kind)
{
    struct simulated_fault fault = {.kind = kind, .nth = 1, .for_ever = true};
    simulated_disk_inject(disk, &fault);
}

static void expect_no_trace(const char *path, const char *temporary)
{
    cr_assert_not(simulated_disk_exists(disk, path));
    cr_assert_not(simulated_disk_exists(disk, temporary));
}

Test(new_file, a_store_whose_name_may_not_last_is_none)
{
    verso_store *store = NULL;
    fail(SIMULATED_SYNC_DIRECTORY);
    cr_assert_eq(create("store", &store), VERSO_IO);
    cr_assert_null(strstr(verso_error_detail(), "cannot be removed"), "%s", verso_error_detail());
    cr_assert_not_null(strstr(verso_error_detail(), "sync"), "%s", verso_error_detail());
    expect_no_trace("store", "store-new");
}

Test(new_file, a_copy_whose_name_may_not_last_is_none)
{
    verso_store *store = NULL;
    cr_assert_eq(create("store", &store), VERSO_OK);
    fail(SIMULATED_SYNC_DIRECTORY);
    cr_assert_eq(verso_copy(store, "copy", NULL, NULL), VERSO_IO);
    expect_no_trace("copy", "copy-new");
    simulated_disk_heal(disk);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(new_file, a_name_that_can_neither_last_nor_go_is_reported)
{
    verso_store *store = NULL;
    cr_assert_eq(create("store", &store), VERSO_OK);
    fail(SIMULATED_SYNC_DIRECTORY);
    fail(SIMULATED_UNLINK);
    cr_assert_eq(verso_copy(store, "copy", NULL, NULL), VERSO_IO);
    const char *detail = verso_error_detail();
    cr_assert_not_null(strstr(detail, "sync"), "%s", detail);
    cr_assert_not_null(strstr(detail, "copy, whole"), "%s", detail);
    cr_assert_not_null(strstr(detail, "cannot be removed"), "%s", detail);
    simulated_disk_heal(disk);
    cr_assert_eq(verso_close(store), VERSO_OK);
    cr_assert_eq(create("copy", &store), VERSO_OK, "what is there is whole: %s",
                 verso_error_detail());
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(new_file, what_a_crash_left_half_made_is_replaced)
{
    simulated_disk_put(disk, "store-new", "half a store", 12);
    verso_store *store = NULL;
    cr_assert_eq(create("store", &store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_not(simulated_disk_exists(disk, "store-new"));
    cr_assert_eq(verso_close(store), VERSO_OK);
}
