/*
 * dropped_meanwhile_test.c - roots that are dropped, and policies that change, in the very moment in
 * which somebody else has chosen a root and does not hold it yet. Linked so that something happens
 * between two calls of the engine (--wrap).
 */
#include <criterion/criterion.h>
#include <string.h>

#include "simulated_disk.h"
#include "store/reader_slots.h"
#include "store/store.h"
#include "verso.h"

enum { ROOTS = 6, SECOND_US = 1000000 };

static struct simulated_disk *disk;
static verso_store *store;
static int64_t time_of[ROOTS + 1];
static void (*at_pin)(void);     /* happens at the next pin, */
static void (*at_setting)(void); /* or when the next setting of a budget begins */

/* ---- what happens meanwhile ---- */

static void happen(void (**what)(void))
{
    void (*once)(void) = *what;
    *what = NULL;
    if (once != NULL) {
        once();
    }
}

/* The linker gives these names. */
verso_err __real_vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint32_t *slot);
verso_err __wrap_vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint32_t *slot);
verso_err __wrap_vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint32_t *slot)
{
    happen(&at_pin);
    return __real_vs_reader_pin(slots, version, slot);
}

verso_err __real_vs_store_begin_setting_now(struct vs_store *inner);
verso_err __wrap_vs_store_begin_setting_now(struct vs_store *inner);
verso_err __wrap_vs_store_begin_setting_now(struct vs_store *inner)
{
    happen(&at_setting);
    return __real_vs_store_begin_setting_now(inner);
}

/* ---- the store ---- */

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void commit_root(unsigned number)
{
    verso_txn *txn;
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = verso_text("a note");
    must(verso_begin(store, &txn));
    must(verso_put(txn, verso_text("key"), (verso_slice){&number, sizeof number}));
    must(verso_commit(txn, &options, NULL));
}

static void set_up(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    disk = simulated_disk_open(1);
    options.create = true;
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    must(verso_open("store", &options, &store));
    for (unsigned i = 1; i <= ROOTS; i++) {
        verso_view *view;
        verso_root_info info = {.size = sizeof info};
        simulated_disk_advance(disk, SECOND_US);
        commit_root(i);
        must(verso_view_open(store, &view));
        must(verso_view_info(view, &info));
        time_of[i] = info.time_us;
        verso_view_close(view);
    }
}

static void tear_down(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    must(verso_close(store));
    simulated_disk_close(disk);
}

TestSuite(dropped_meanwhile, .init = set_up, .fini = tear_down);

static void keep_the_newest(void)
{
    verso_retention last = verso_keep_last(1);
    must(verso_retention_set(store, &last));
}

static void go_on_and_keep_the_newest(void)
{
    keep_the_newest();
    commit_root(ROOTS + 1);
}

/* A root that is published still, though one that is not yet has driven it out of what is kept. */
static verso_view *open_driven_out(void)
{
    verso_txn *txn;
    verso_view *view;
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.asynchronous = true;
    keep_the_newest();
    must(verso_begin(store, &txn));
    must(verso_put(txn, verso_text("key"), verso_text("newer")));
    must(verso_commit(txn, &options, NULL));
    must(verso_view_open(store, &view));
    return view;
}

/* It leaves the list of recent roots, and the history tree. */
static void leave_it_behind(void)
{
    for (unsigned i = 1; i <= 3; i++) {
        commit_root(ROOTS + i);
        must(verso_checkpoint(store));
    }
}

/* ---- the tests ---- */

Test(dropped_meanwhile, roots_are_not_listed)
{
    verso_root_info infos[ROOTS];
    size_t count = 0;
    for (unsigned i = 0; i < ROOTS; i++) {
        infos[i].size = sizeof infos[i];
    }
    at_pin = keep_the_newest;
    must(verso_roots(store, 0, infos, ROOTS, NULL, &count));
    cr_assert_eq(count, 1);
    cr_assert_eq(infos[0].id, ROOTS);
}

Test(dropped_meanwhile, a_root_is_not_found_by_its_time_but_the_kept_one_before_it_is)
{
    verso_view *view;
    verso_root_info info = {.size = sizeof info};
    must(verso_tag_set(store, verso_text("kept"), 2));
    at_pin = keep_the_newest;
    must(verso_view_open_at(store, time_of[4], &view));
    must(verso_view_info(view, &info));
    cr_assert_eq(info.id, 2);
    verso_view_close(view);
}

Test(dropped_meanwhile, nothing_is_found_by_a_time_before_all_that_is_left)
{
    verso_view *view;
    at_pin = keep_the_newest;
    cr_assert_eq(verso_view_open_at(store, time_of[4], &view), VERSO_NOT_FOUND);
}

Test(dropped_meanwhile, roots_are_not_copied)
{
    verso_copy_report report = {.size = sizeof report};
    at_pin = keep_the_newest;
    must(verso_copy(store, "copy", NULL, &report));
    cr_assert_eq(report.roots, 1);
    cr_assert_eq(report.newest, ROOTS);
}

Test(dropped_meanwhile, the_newest_root_gives_way_to_a_newer_one_in_a_copy)
{
    verso_copy_report report = {.size = sizeof report};
    verso_copy_options options = {.size = sizeof options, .newest_only = true};
    at_pin = go_on_and_keep_the_newest;
    must(verso_copy(store, "copy", &options, &report));
    cr_assert_eq(report.roots, 1);
    cr_assert_eq(report.newest, ROOTS + 1);
}

static void commit_one_more(void)
{
    commit_root(ROOTS + 1);
}

Test(dropped_meanwhile, a_root_committed_while_roots_are_listed_is_left_to_the_next_copy)
{
    verso_copy_report report = {.size = sizeof report};
    at_pin = commit_one_more;
    must(verso_copy(store, "copy", NULL, &report));
    cr_assert_eq(report.roots, ROOTS);
    cr_assert_eq(report.newest, ROOTS);
}

Test(dropped_meanwhile, a_key_has_the_history_that_is_left)
{
    verso_view *view;
    verso_history *history;
    verso_key_version version = {.size = sizeof version};
    must(verso_view_open(store, &view));
    must(verso_history_open(view, verso_text("key"), &history));
    at_pin = keep_the_newest;
    must(verso_history_next(history, &version));
    cr_assert_eq(version.root, ROOTS);
    cr_assert_eq(verso_history_next(history, &version), VERSO_NOT_FOUND);
    verso_history_close(history);
    verso_view_close(view);
}

/* What a view holds is its content; its note is the history's. */
Test(dropped_meanwhile, a_root_that_is_open_loses_its_note_only)
{
    verso_view *view = open_driven_out();
    verso_history *history;
    verso_key_version version = {.size = sizeof version};
    verso_root_info info = {.size = sizeof info};
    verso_slice value;
    must(verso_history_open(view, verso_text("key"), &history));
    leave_it_behind();
    must(verso_view_info(view, &info));
    cr_assert_eq(info.id, ROOTS);
    cr_assert_eq(info.note.size, 0);
    must(verso_get(view, verso_text("key"), &value));
    unsigned number = 0;
    memcpy(&number, value.data, sizeof number);
    cr_assert_eq(number, ROOTS);
    must(verso_history_next(history, &version));
    cr_assert_eq(version.root, ROOTS);
    cr_assert_eq(version.note.size, 0);
    verso_history_close(history);
    verso_view_close(view);
}

/* ---- policies ---- */

static void keep_all(void)
{
    verso_retention all = verso_keep_all();
    must(verso_retention_set(store, &all));
}

static void keep_without_budget(void)
{
    verso_retention many = verso_keep_last(ROOTS);
    must(verso_retention_set(store, &many));
}

/* A policy whose budget has room for none of the older roots. */
static void set_budget(void)
{
    verso_retention budget = verso_keep_last(1);
    budget.class_count = 1;
    budget.classes[0] = (verso_retention_class){.age_us = UINT64_MAX};
    budget.has_budget = true;
    budget.budget_bytes = 1;
    must(verso_retention_set(store, &budget));
}

static uint64_t count_roots(void)
{
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    return stats.kept_roots;
}

static verso_view *first_root;

static void open_the_first(void)
{
    must(verso_view_open_root(store, 1, &first_root));
}

Test(dropped_meanwhile, a_root_opened_while_a_budget_is_counted_stays)
{
    at_setting = open_the_first;
    set_budget();
    cr_assert_eq(count_roots(), 2);
    verso_view_close(first_root);
    set_budget();
    cr_assert_eq(count_roots(), 1);
}

Test(dropped_meanwhile, a_budget_that_is_no_more_drops_nothing)
{
    at_setting = keep_all;
    set_budget();
    cr_assert_eq(count_roots(), ROOTS);
    at_setting = keep_without_budget;
    set_budget();
    cr_assert_eq(count_roots(), ROOTS);
    set_budget();
    cr_assert_eq(count_roots(), 1);
}
