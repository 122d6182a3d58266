/*
 * retained_test.c - roots leave the retained set once and for all; what was reserved cannot fail.
 */
#include "store/retained.h"

#include <criterion/criterion.h>
#include <string.h>

#include "failing_memory.h"

static struct vs_retained retained;

static void set_up(void)
{
    memset(&retained, 0, sizeof retained);
    verso_retention all = verso_keep_all();
    cr_assert_eq(vs_retained_init(&retained, &all), VERSO_OK);
}

static void tear_down(void)
{
    vs_retained_clear(&retained);
}

TestSuite(retained, .init = set_up, .fini = tear_down);

static void drop(uint64_t from, uint64_t to)
{
    cr_assert_eq(vs_retained_drop(&retained, &(struct vs_version_range){from, to}, 1), VERSO_OK);
}

Test(retained, begins_with_every_root_there_will_be)
{
    cr_assert_not(vs_retained_has(&retained, 0));
    cr_assert(vs_retained_has(&retained, 1));
    cr_assert(vs_retained_has(&retained, UINT64_MAX));
    uint64_t found;
    cr_assert(vs_retained_at_or_above(&retained, 0, &found));
    cr_assert_eq(found, 1);
    cr_assert_not(vs_retained_at_or_below(&retained, 0, &found));
}

Test(retained, what_is_dropped_waits_for_the_judge_and_for_the_tree)
{
    static const struct vs_version_range ranges[] = {{2, 4}, {6, 6}, {7, 9}};
    cr_assert_eq(vs_retained_drop(&retained, ranges, 3), VERSO_OK);
    cr_assert(retained.changed);
    uint64_t found;
    cr_assert(vs_retained_at_or_above(&retained, 2, &found));
    cr_assert_eq(found, 5);
    cr_assert(vs_retained_at_or_below(&retained, 9, &found));
    cr_assert_eq(found, 5);
    for (uint64_t root = 1; root < 12; root++) {
        bool dropped = root >= 2 && root <= 9 && root != 5;
        cr_assert_eq(vs_retained_has(&retained, root), !dropped);
        cr_assert_eq(vs_version_set_has(&retained.unjudged, root), dropped);
        cr_assert_eq(vs_version_set_has(&retained.unentered, root), dropped);
    }
    drop(1, 9); /* those that are gone already do not matter */
    cr_assert_eq(retained.set.count, 1);
}

Test(retained, what_was_reserved_moves_no_memory)
{
    enum { DROPS = 500 };
    cr_assert_eq(vs_retained_reserve(&retained, DROPS), VERSO_OK);
    const struct vs_version_range *before[] = {retained.set.range, retained.unjudged.range,
                                               retained.unentered.range};
    for (uint64_t i = 0; i < DROPS; i++) {
        drop(2 + 2 * i, 2 + 2 * i);
    }
    cr_assert_eq(before[0], retained.set.range);
    cr_assert_eq(before[1], retained.unjudged.range);
    cr_assert_eq(before[2], retained.unentered.range);
    cr_assert_eq(retained.set.count, DROPS + 1);
}

Test(retained, ids_passed_over_come_back_if_the_commit_fails)
{
    drop(3, 3);
    cr_assert_eq(vs_retained_skip(&retained, 11, 19), VERSO_OK);
    cr_assert_not(vs_retained_has(&retained, 11));
    vs_retained_unskip(&retained, 11, 19);
    cr_assert(vs_retained_has(&retained, 11));
    cr_assert_eq(retained.unjudged.count, 1);
    cr_assert_eq(retained.unentered.count, 1);
    cr_assert_eq(retained.set.count, 2);
}

Test(retained, a_policy_begins_the_walk_and_the_counting_anew)
{
    retained.walk = 77;
    retained.budget_pages = 77;
    uint64_t stamp = retained.policy_stamp;
    verso_retention policy = verso_keep_last(9);
    vs_retained_set_policy(&retained, &policy);
    cr_assert_eq(vs_retained_policy(&retained).last, 9);
    cr_assert_eq(retained.walk, 0);
    cr_assert_eq(retained.budget_pages, 0);
    cr_assert_neq(retained.policy_stamp, stamp, "who counts for another one is to notice");
}

Test(retained, tags_are_found_by_name_and_by_root)
{
    struct vs_tag tag;
    verso_slice name = verso_text("b");
    uint64_t root;
    cr_assert_eq(vs_retained_set_tag(&retained, name, 9, -5), VERSO_OK);
    cr_assert_eq(vs_retained_set_tag(&retained, verso_text("c"), 9, 0), VERSO_OK);
    cr_assert_eq(vs_retained_set_tag(&retained, verso_text("a"), 4, 0), VERSO_OK);
    cr_assert(vs_retained_find_tag(&retained, name, false, &tag));
    cr_assert_eq(tag.root, 9);
    cr_assert_eq(tag.time_us, -5);
    cr_assert(vs_retained_find_tag(&retained, name, true, &tag));
    cr_assert_str_eq(tag.name, "c");
    cr_assert_not(vs_retained_find_tag(&retained, verso_text("c"), true, &tag));
    cr_assert(vs_retained_is_tagged(&retained, 4));
    cr_assert(vs_tags_root_at_or_above(&retained.tags, 5, &root));
    cr_assert_eq(root, 9);
    cr_assert_eq(vs_retained_set_tag(&retained, name, 2, 0), VERSO_OK, "it moves");
    cr_assert(vs_retained_is_tagged(&retained, 2));
    cr_assert(vs_retained_is_tagged(&retained, 9), "by the other one");
    retained.budget_pages = 77;
    cr_assert(vs_retained_delete_tag(&retained, verso_text("c")));
    cr_assert_not(vs_retained_is_tagged(&retained, 9));
    cr_assert_eq(retained.budget_pages, 0, "it may go for the budget's sake now");
    cr_assert_not(vs_retained_delete_tag(&retained, verso_text("c")));
}

Test(retained, a_tag_that_moves_protects_its_new_root_and_no_other)
{
    uint64_t root;
    cr_assert_eq(vs_retained_set_tag(&retained, verso_text("moving"), 5, 1), VERSO_OK);
    cr_assert_eq(vs_retained_set_tag(&retained, verso_text("moving"), 9, 2), VERSO_OK);
    cr_assert_not(vs_retained_is_tagged(&retained, 5));
    cr_assert(vs_retained_is_tagged(&retained, 9));
    cr_assert(vs_tags_root_at_or_above(&retained.tags, 1, &root));
    cr_assert_eq(root, 9);
    cr_assert(vs_retained_delete_tag(&retained, verso_text("moving")));
    cr_assert_not(vs_retained_is_tagged(&retained, 9));
}

/* ---- without memory ---- */

/* As many ranges as there is room for, so that one more asks for memory. */
static void fill(void)
{
    for (uint64_t root = 2; retained.set.count + 1 < retained.set.capacity; root += 2) {
        drop(root, root);
    }
}

/* Fail each allocation in turn until the call needs no more: before that nothing may have changed. */
static void sweep(verso_err (*call)(void))
{
    size_t before[] = {retained.set.count, retained.unjudged.count, retained.unentered.count};
    verso_err err = VERSO_NOMEM;
    unsigned failures = 0;
    for (uint64_t nth = 1; err != VERSO_OK; nth++) {
        failing_memory_arm(nth, true);
        err = call();
        failures += failing_memory_disarm() > 0;
        if (err != VERSO_OK) {
            cr_assert_eq(err, VERSO_NOMEM);
            cr_assert_eq(retained.set.count, before[0]);
            cr_assert_eq(retained.unjudged.count, before[1]);
            cr_assert_eq(retained.unentered.count, before[2]);
        }
    }
    cr_assert_gt(failures, 0);
}

static verso_err drop_two(void)
{
    static const struct vs_version_range ranges[] = {{1002, 1002}, {1004, 1004}};
    return vs_retained_drop(&retained, ranges, 2);
}

Test(retained, roots_are_dropped_everywhere_or_nowhere)
{
    fill();
    sweep(drop_two);
    cr_assert_not(vs_retained_has(&retained, 1002));
}

static verso_err skip(void)
{
    return vs_retained_skip(&retained, 1011, 1019);
}

Test(retained, ids_are_passed_over_everywhere_or_nowhere)
{
    sweep(skip); /* the sets of what waits are empty */
    vs_retained_unskip(&retained, 1011, 1019);
    fill();
    sweep(skip);
    cr_assert_not(vs_retained_has(&retained, 1011));
}
