/*
 * new_file_test.c - a new store, and a copy, appear under their names whole and durable or not at
 * all; and what is said where the system lets neither happen.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "os/os.h"
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
    expect_no_trace("store", "store-wal.new");
}

Test(new_file, a_copy_whose_name_may_not_last_is_none)
{
    verso_store *store = NULL;
    cr_assert_eq(create("store", &store), VERSO_OK);
    fail(SIMULATED_SYNC_DIRECTORY);
    cr_assert_eq(verso_copy(store, "copy", NULL, NULL), VERSO_IO);
    expect_no_trace("copy", "copy-wal.new");
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
    simulated_disk_put(disk, "store-wal.new", "half a store", 12);
    verso_store *store = NULL;
    cr_assert_eq(create("store", &store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_not(simulated_disk_exists(disk, "store-wal.new"));
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* As somebody may have called it who is about to put it in the other's place. */
Test(new_file, another_store_of_a_similar_name_is_none_that_a_crash_left)
{
    verso_store *store = NULL;
    cr_assert_eq(create("store-new", &store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_close(store), VERSO_OK);
    cr_assert_eq(create("store", &store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_close(store), VERSO_OK);
    cr_assert(simulated_disk_exists(disk, "store-new"));
}

/* ---- several make the same file ---- */

static const char temporary[] = "store-wal.new";

/* What another creator does just before and just after the temporary file is opened in a mode. */
static struct {
    enum vs_open_mode mode;
    void (*before)(void);
    void (*after)(void);
    bool for_ever;
} other;
static struct vs_file *held; /* the other one's */

static verso_err open_beside_other(const struct vs_os *os, const char *path, enum vs_open_mode mode,
                                   struct vs_file **file)
{
    bool meets = strcmp(path, temporary) == 0 && mode == other.mode;
    if (meets && other.before != NULL) {
        other.before();
    }
    verso_err err = simulated_disk_os(disk)->open(os, path, mode, file);
    if (meets && err == VERSO_OK && other.after != NULL) {
        other.after();
    }
    if (meets && !other.for_ever) {
        other.before = NULL;
        other.after = NULL;
    }
    return err;
}

static verso_err create_beside_other(verso_store **store)
{
    struct vs_os os = *simulated_disk_os(disk);
    os.open = open_beside_other;
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.system = &os;
    verso_err err = verso_open("store", &options, store);
    if (err == VERSO_OK) {
        cr_assert_eq(verso_close(*store), VERSO_OK);
        cr_assert_not(simulated_disk_exists(disk, temporary));
    }
    return err;
}

static void leave_half_made(void)
{
    simulated_disk_put(disk, temporary, "half a store", 12);
}

static void take_away(void)
{
    const struct vs_os *os = simulated_disk_os(disk);
    cr_assert_eq(os->unlink(os, temporary), VERSO_OK);
}

static void hold(void)
{
    const struct vs_os *os = simulated_disk_os(disk);
    cr_assert_eq(os->open(os, temporary, VS_OPEN_WRITE_OWN, &held), VERSO_OK);
    cr_assert_eq(os->lock(held, true), VERSO_OK);
}

/* Between our opening it and our lock another one held it for a crash's remains, and removed it. */
Test(new_file, one_whose_name_went_before_it_was_locked_is_made_anew)
{
    verso_store *store = NULL;
    other.mode = VS_OPEN_CREATE;
    other.after = take_away;
    cr_assert_eq(create_beside_other(&store), VERSO_OK, "%s", verso_error_detail());
    cr_assert_null(other.after, "it has happened");
}

Test(new_file, one_that_is_locked_by_another_creator_is_left_to_him)
{
    static const enum vs_open_mode modes[] = {VS_OPEN_CREATE, VS_OPEN_WRITE_OWN};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        verso_store *store = NULL;
        if (modes[i] == VS_OPEN_WRITE_OWN) {
            leave_half_made();
        }
        other.mode = modes[i];
        other.after = hold;
        cr_assert_eq(create_beside_other(&store), VERSO_BUSY);
        cr_assert(simulated_disk_exists(disk, temporary), "not ours to remove");
        held->os->close(held);
        simulated_disk_remove(disk, temporary);
    }
}

Test(new_file, one_half_made_may_go_while_we_are_about_to_remove_it)
{
    verso_store *store = NULL;
    leave_half_made();
    other.mode = VS_OPEN_WRITE_OWN;
    other.before = take_away;
    cr_assert_eq(create_beside_other(&store), VERSO_OK, "%s", verso_error_detail());
    simulated_disk_remove(disk, "store");
    leave_half_made();
    other.after = take_away;
    cr_assert_eq(create_beside_other(&store), VERSO_OK, "%s", verso_error_detail());
}

Test(new_file, one_half_made_that_cannot_be_opened_is_reported)
{
    verso_store *store = NULL;
    leave_half_made();
    struct simulated_fault fault = {
        .kind = SIMULATED_OPEN, .path_part = temporary, .nth = 1, .err = VERSO_ACCESS};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(create_beside_other(&store), VERSO_ACCESS);
    cr_assert(simulated_disk_exists(disk, temporary));
}

Test(new_file, those_who_are_always_quicker_are_believed_in_the_end)
{
    verso_store *store = NULL;
    other.mode = VS_OPEN_CREATE;
    other.before = leave_half_made;
    other.for_ever = true;
    cr_assert_eq(create_beside_other(&store), VERSO_BUSY);
    cr_assert_not_null(strstr(verso_error_detail(), "somebody else"), "%s", verso_error_detail());
    cr_assert_not(simulated_disk_exists(disk, "store"));
}
