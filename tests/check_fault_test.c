/*
 * check_fault_test.c - a check that runs out of memory, at each allocation that it makes: it says
 * so, takes nothing for a fault, and the next one finds all well.
 */
#include <criterion/criterion.h>

#include "failing_memory.h"
#include "page_keys.h"
#include "random_history.h"
#include "verso.h"

enum { ALLOCATIONS_MAX = 100000 };

static verso_err check_with(verso_store *store, uint64_t nth, verso_check_report *report)
{
    *report = (verso_check_report){.size = sizeof *report};
    failing_memory_arm(nth, false);
    verso_err err = verso_check(store, report);
    (void)failing_memory_disarm();
    return err;
}

/* In memory, with named trees and long values. */
static verso_store *fill(unsigned roots)
{
    verso_retention policy = verso_keep_last(roots);
    verso_options options = VERSO_OPTIONS_INIT;
    options.page_size = 512;
    options.retention = &policy;
    verso_store *store = NULL;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_OK);
    struct random_history history = {.random = {.state = 9},
                                     .keys = PAGE_KEYS_USER,
                                     .changes_max = 40,
                                     .long_value_max = 3000,
                                     .trees = true};
    random_history_commits(&history, store, 30);
    return store;
}

static void check_at_each_allocation(unsigned roots)
{
    verso_store *store = fill(roots);
    verso_check_report report;
    const int64_t held = failing_memory_held();
    uint64_t nth = 1;
    verso_err err = VERSO_NOMEM;
    for (; err != VERSO_OK && nth < ALLOCATIONS_MAX; nth++) {
        err = check_with(store, nth, &report);
        cr_assert(err == VERSO_OK || err == VERSO_NOMEM, "allocation %u of %u roots: %d %s",
                  (unsigned)nth, roots, (int)err, report.fault);
        cr_assert_str_empty(report.fault);
        cr_assert_eq(failing_memory_held(), held, "allocation %u leaks", (unsigned)nth);
    }
    cr_assert_eq(err, VERSO_OK);
    cr_assert_gt(nth, 10);
    cr_assert_eq(report.roots, roots);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(check_fault, out_of_memory_is_no_fault_of_a_store_of_one_root)
{
    check_at_each_allocation(1);
}

Test(check_fault, out_of_memory_is_no_fault_of_a_store_of_many_roots)
{
    check_at_each_allocation(20);
}
