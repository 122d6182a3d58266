/*
 * space_test.c - known free pages and fresh ones, beside a byte a page.
 */
#include "store/space.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "simulated_random.h"

enum { LIMIT = 5000, STEPS = 20000 };

static struct vs_space open_space(size_t page_size, vs_page_no limit)
{
    struct vs_space space;
    verso_err err = vs_space_init(&space, page_size, limit);
    cr_assert_eq(err, VERSO_OK);
    return space;
}

/* Take fresh pages up to the limit, giving each back as free. */
static void use_up(struct vs_space *space)
{
    vs_page_no first;
    for (uint32_t count; (count = vs_space_take_fresh(space, 64, &first)) > 0;) {
        for (uint32_t i = 0; i < count; i++) {
            vs_space_give(space, first + i);
        }
    }
}

Test(space, a_new_store_knows_no_free_page)
{
    struct vs_space space = open_space(4096, LIMIT);
    cr_assert_eq(vs_space_take(&space), 0);
    cr_assert_eq(vs_space_take_run(&space, 1), 0);
    cr_assert_eq(vs_space_take_run(&space, 2), 0);
    vs_space_clear(&space);
}

Test(space, free_pages_come_lowest_first)
{
    struct vs_space space = open_space(4096, LIMIT);
    space.high_water = LIMIT;
    static const vs_page_no pages[] = {4000, 63, 64, 4999, 700};
    static const vs_page_no sorted[] = {63, 64, 700, 4000, 4999};
    for (size_t i = 0; i < 5; i++) {
        vs_space_give(&space, pages[i]);
        cr_assert(vs_space_is_free(&space, pages[i]));
    }
    cr_assert_eq(space.free_count, 5);
    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(vs_space_take(&space), sorted[i]);
        cr_assert_not(vs_space_is_free(&space, sorted[i]));
    }
    cr_assert_eq(vs_space_take(&space), 0);
    vs_space_give(&space, 10); /* below all that were looked at */
    cr_assert_eq(vs_space_take(&space), 10);
    vs_space_clear(&space);
}

Test(space, fresh_pages_never_hold_a_fixed_part_nor_cross_a_zone)
{
    for (size_t size = VS_PAGE_SIZE_MIN; size <= VS_PAGE_SIZE_MAX; size *= 2) {
        struct vs_space space = open_space(size, 3 * VS_ZONE_PAGES_MAX);
        vs_page_no first;
        uint64_t end_before = 0;
        for (;;) {
            uint64_t needed = vs_space_needed(&space, 1000);
            uint32_t count = vs_space_take_fresh(&space, 1000, &first);
            if (count == 0) {
                break;
            }
            cr_assert_eq(first + count, needed, "the file is grown to what is taken");
            cr_assert_geq(first, end_before);
            cr_assert_eq(vs_layout_zone_end(first), vs_layout_zone_end(first + count - 1));
            for (uint32_t i = 0; i < count; i++) {
                cr_assert_not(vs_layout_is_reserved(size, first + i));
            }
            for (uint64_t skipped = end_before; skipped < first; skipped++) {
                cr_assert(vs_layout_is_reserved(size, (vs_page_no)skipped), "page %llu is lost",
                          (unsigned long long)skipped);
            }
            end_before = first + count;
        }
        cr_assert_leq(space.high_water, (uint64_t)space.limit);
        vs_space_clear(&space);
    }
}

Test(space, the_limit_ends_the_last_run)
{
    struct vs_space space = open_space(4096, 100);
    use_up(&space);
    vs_page_no first;
    cr_assert_eq(vs_space_take_fresh(&space, 1, &first), 0);
    cr_assert_geq(vs_space_needed(&space, 1), 100);
    vs_page_no last = 0;
    for (vs_page_no page; (page = vs_space_take(&space)) != 0;) {
        last = page;
    }
    cr_assert_eq(last, 99);
    vs_space_clear(&space);
}

Test(space, a_whole_zone_can_be_had_as_one_run_and_not_a_page_more)
{
    struct vs_space space = open_space(4096, 2 * VS_ZONE_PAGES_MAX);
    use_up(&space);
    uint32_t longest = 0;
    for (uint32_t count = VS_ZONE_PAGES_MAX; count > 0 && longest == 0; count--) {
        vs_page_no first = vs_space_take_run(&space, count);
        longest = first == 0 ? 0 : count;
        cr_assert(first == 0 || vs_layout_zone_end(first) == first + count);
    }
    cr_assert_gt(longest * UINT64_C(4096), UINT64_C(60) << 20);
    vs_space_clear(&space);
}

Test(space, runs_cross_blocks_and_take_the_first_gap_that_holds_them)
{
    struct vs_space space = open_space(4096, LIMIT);
    space.high_water = LIMIT;
    for (vs_page_no page = 100; page < 110; page++) {
        vs_space_give(&space, page);
    }
    for (vs_page_no page = 250; page < 270; page++) { /* over the edge at 256 */
        vs_space_give(&space, page);
    }
    cr_assert_eq(vs_space_take_run(&space, 21), 0);
    cr_assert_eq(vs_space_take_run(&space, 11), 250);
    cr_assert_eq(vs_space_take_run(&space, 10), 100);
    cr_assert_eq(vs_space_take_run(&space, 10), 0);
    cr_assert_eq(vs_space_take_run(&space, 9), 261);
    cr_assert_eq(space.free_count, 0);
    vs_space_clear(&space);
}

Test(space, searching_a_run_does_bounded_work)
{
    vs_page_no limit = 1 << 22;
    struct vs_space space = open_space(4096, limit);
    space.high_water = limit;
    vs_space_give(&space, 2);
    vs_space_give(&space, limit - 2);
    vs_space_give(&space, limit - 1);
    cr_assert_eq(vs_space_take_run(&space, 2), 0, "too far away: the file grows instead");
    cr_assert_eq(vs_space_take(&space), 2);
    cr_assert_eq(vs_space_take(&space), limit - 2);
    vs_space_clear(&space);
}

static vs_page_no naive_first(const uint8_t *is_free, uint32_t count)
{
    uint32_t length = 0;
    for (vs_page_no page = 0; page < LIMIT; page++) {
        length = is_free[page] ? length + 1 : 0;
        if (length == count) {
            return page + 1 - count;
        }
    }
    return 0;
}

Test(space, agrees_with_a_byte_a_page)
{
    struct simulated_random random = {7};
    struct vs_space space = open_space(4096, LIMIT);
    space.high_water = LIMIT;
    uint8_t *is_free = calloc(LIMIT, 1);
    cr_assert_not_null(is_free);
    uint64_t free_count = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t what = simulated_random_below(&random, 3);
        if (what == 0) {
            vs_page_no page = vs_space_take(&space);
            cr_assert_eq(page, naive_first(is_free, 1), "step %u", step);
            is_free[page] = 0;
            free_count -= page != 0;
        } else if (what == 1) {
            uint32_t count = 1 + (uint32_t)simulated_random_below(&random, 8);
            vs_page_no first = vs_space_take_run(&space, count);
            cr_assert_eq(first, naive_first(is_free, count), "step %u", step);
            if (first != 0) {
                memset(is_free + first, 0, count);
                free_count -= count;
            }
        } else {
            for (unsigned i = 0; i < 4; i++) {
                vs_page_no page = 1 + (vs_page_no)simulated_random_below(&random, LIMIT - 1);
                if (!is_free[page]) {
                    vs_space_give(&space, page);
                    is_free[page] = 1;
                    free_count++;
                }
            }
        }
        cr_assert_eq(space.free_count, free_count, "step %u", step);
    }
    for (vs_page_no page = 0; page < LIMIT; page++) {
        cr_assert_eq(vs_space_is_free(&space, page), is_free[page] != 0);
    }
    free(is_free);
    vs_space_clear(&space);
}

#ifndef NDEBUG /* the contract is asserted */
Test(space, giving_a_page_twice_aborts, .signal = SIGABRT)
{
#ifdef NDEBUG
    cr_skip_test("asserts are compiled away");
#endif
    struct vs_space space = open_space(4096, LIMIT);
    vs_space_give(&space, 5);
    vs_space_give(&space, 5);
}
#endif
