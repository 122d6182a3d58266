/*
 * check_fault_test.c - a check that runs out of memory, at each allocation that it makes: it says
 * so, takes nothing for a fault, and the next one finds all well.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "page_keys.h"
#include "random_history.h"
#include "verso.h"

enum { ALLOCATIONS_MAX = 100000 };

/* ---- allocations that fail (linked with --wrap) ---- */

static uint64_t allocations_left = UINT64_MAX; /* before one fails */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool allocation_fails(void)
{
    if (allocations_left == UINT64_MAX || allocations_left-- > 0) {
        return false;
    }
    allocations_left = UINT64_MAX;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

/* ---- the test ---- */

static verso_err check_with(verso_store *store, uint64_t allocations, verso_check_report *report)
{
    *report = (verso_check_report){.size = sizeof *report};
    allocations_left = allocations;
    verso_err err = verso_check(store, report);
    allocations_left = UINT64_MAX;
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
    uint64_t allocations = 0;
    verso_err err = VERSO_NOMEM;
    for (; err != VERSO_OK && allocations < ALLOCATIONS_MAX; allocations++) {
        err = check_with(store, allocations, &report);
        cr_assert(err == VERSO_OK || err == VERSO_NOMEM, "allocation %u of %u roots: %d %s",
                  (unsigned)allocations, roots, (int)err, report.fault);
        cr_assert_str_empty(report.fault);
    }
    cr_assert_eq(err, VERSO_OK);
    cr_assert_gt(allocations, 10);
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
