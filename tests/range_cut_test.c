/*
 * range_cut_test.c - cutting ranges out of trees of every shape: what stays, what it costs, and how
 * well the rest is filled.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "store/page_writer_state.h"
#include "tree_fixture.h"

enum {
    SMALL_PAGE = 512,
    SMALL_VALUE = 40,
    FIRST = 1000, /* numbers of keys begin here, so that there are some below and above */
};

/** Bounds by number; -1: none. Their bytes live until the next call. */
static struct vs_key_range numbered(long from, long to)
{
    static char bytes[2][16];
    struct vs_key_range range = {.has_from = from >= 0, .has_to = to >= 0};
    if (range.has_from) {
        verso_slice key = fixture_key((unsigned)from);
        memcpy(bytes[0], key.data, key.size);
        range.from = (verso_slice){bytes[0], key.size};
    }
    if (range.has_to) {
        verso_slice key = fixture_key((unsigned)to);
        memcpy(bytes[1], key.data, key.size);
        range.to = (verso_slice){bytes[1], key.size};
    }
    return range;
}

static uint64_t delete_range(struct vs_tree_edit *edit, long from, long to)
{
    struct vs_key_range range = numbered(from, to);
    uint64_t deleted = UINT64_MAX;
    bool broken = false;
    verso_err err = vs_tree_delete_range(edit, &range, &deleted, &broken);
    cr_assert_eq(err, VERSO_OK, "[%ld, %ld)", from, to);
    cr_assert(!broken);
    return deleted;
}

/** Step through a view: the numbers [first, from), then [to, end) are there, and no others. */
static void expect_gap(const struct vs_tree_view *view, unsigned first, unsigned from, unsigned to,
                       unsigned end)
{
    struct vs_tree_cursor *cursor = NULL;
    struct vs_tree_entry entry;
    verso_err err = vs_tree_cursor_open(view, NULL, &cursor);
    cr_assert_eq(err, VERSO_OK);
    for (unsigned number = first; number < end; number++) {
        number = number == from ? to : number;
        if (number == end) {
            break;
        }
        err = vs_tree_cursor_next(cursor, &entry);
        cr_assert_eq(err, VERSO_OK, "cut [%u, %u): key %u", from, to, number);
        cr_assert_eq(fixture_number(entry.key), number, "cut [%u, %u)", from, to);
    }
    cr_assert_eq(vs_tree_cursor_next(cursor, &entry), VERSO_NOT_FOUND, "cut [%u, %u)", from, to);
    vs_tree_cursor_close(cursor);
}

/** Pages of the edit's tree that are less than a quarter full. */
static uint64_t count_underfull(struct vs_tree_edit *edit)
{
    struct vs_tree_view view = vs_tree_edit_view(edit);
    struct vs_tree_check check = {.keys = 0};
    cr_assert_eq(vs_tree_check(&view, 0, &check), VERSO_OK, "%s", check.fault);
    return check.underfull;
}

static void cut_and_abort(struct tree_store *store, unsigned from, unsigned to, unsigned end)
{
    struct vs_tree_edit *edit = tree_store_begin(store);
    uint64_t before = count_underfull(edit); /* ascending puts leave the last branches so */
    cr_assert_eq(delete_range(edit, from, to), to - from);
    tree_store_check_edit(store);
    struct vs_tree_view view = vs_tree_edit_view(edit);
    expect_gap(&view, FIRST, from, to, end);
    cr_assert_leq(count_underfull(edit), before, "cut [%u, %u)", from, to);
    tree_store_abort(store);
}

Test(range_cut, every_cut_of_a_small_tree_leaves_the_rest)
{
    enum { KEYS = 90 }; /* three levels of pages of 512 bytes */
    struct tree_store *store = tree_store_open(SMALL_PAGE, 0);
    uint64_t version = fixture_commit_keys(store, FIRST, FIRST + KEYS, 1, "all", SMALL_VALUE);
    for (unsigned from = FIRST; from < FIRST + KEYS; from++) {
        for (unsigned to = from + 1; to <= FIRST + KEYS; to++) {
            cut_and_abort(store, from, to, FIRST + KEYS);
        }
    }
    struct vs_tree_view view = tree_store_view(store, version);
    expect_gap(&view, FIRST, FIRST + KEYS, FIRST + KEYS, FIRST + KEYS);
    tree_store_check(store, version);
    tree_store_close(store);
}

Test(range_cut, many_cuts_of_a_deep_tree_leave_the_rest)
{
    enum { KEYS = 9000, VALUE = 100 };
    struct tree_store *store = tree_store_open(SMALL_PAGE, 0);
    uint64_t version = fixture_commit_keys(store, FIRST, FIRST + KEYS, 1, "all", VALUE);
    struct vs_tree_view view = tree_store_view(store, version);
    cr_assert_geq(view.root.depth, 4);
    for (unsigned from = 0; from < KEYS; from += 607) {
        for (unsigned to = from + 1; to <= KEYS; to += 491) {
            cut_and_abort(store, FIRST + from, FIRST + to, FIRST + KEYS);
        }
        cut_and_abort(store, FIRST + from, FIRST + KEYS, FIRST + KEYS);
    }
    tree_store_check(store, version);
    tree_store_close(store);
}

Test(range_cut, bounds_need_not_be_keys_of_the_tree)
{
    struct tree_store *store = tree_store_open(SMALL_PAGE, 0);
    (void)fixture_commit_keys(store, FIRST, FIRST + 200, 2, "even", SMALL_VALUE);
    struct vs_tree_edit *edit = tree_store_begin(store);
    cr_assert_eq(delete_range(edit, FIRST + 31, FIRST + 32), 0); /* between two neighbours */
    cr_assert_eq(delete_range(edit, 0, FIRST), 0);
    cr_assert_eq(delete_range(edit, FIRST + 199, -1), 0);
    cr_assert_eq(delete_range(edit, FIRST + 300, FIRST + 400), 0);
    cr_assert_eq(delete_range(edit, FIRST + 90, FIRST + 10), 0); /* the wrong way round */
    cr_assert_eq(edit->writer->born_count, 0); /* nothing was copied for nothing */
    cr_assert_eq(delete_range(edit, 0, FIRST + 1), 1);
    cr_assert_eq(delete_range(edit, FIRST + 31, FIRST + 61), 15);
    cr_assert_eq(delete_range(edit, FIRST + 197, FIRST + 1000), 1);
    cr_assert_eq(edit->root.keys, 83);
    tree_store_check_edit(store);
    tree_store_close(store);
}

Test(range_cut, all_keys_at_once_leave_an_empty_tree_that_can_grow_again)
{
    struct tree_store *store = tree_store_open(SMALL_PAGE, 0);
    uint64_t version = fixture_commit_keys(store, FIRST, FIRST + 2000, 1, "all", SMALL_VALUE);
    struct vs_tree_edit *edit = tree_store_begin(store);
    cr_assert_eq(delete_range(edit, -1, -1), 2000);
    cr_assert_eq(edit->root.page, 0);
    cr_assert_eq(edit->root.depth, 0);
    cr_assert_eq(edit->root.keys, 0);
    cr_assert_eq(edit->fingerprint, 0);
    cr_assert_eq(edit->writer->born_count, 0); /* no page was copied on the way */
    cr_assert_eq(delete_range(edit, -1, -1), 0);
    fixture_put(edit, FIRST + 5, "new", SMALL_VALUE);
    tree_store_check_edit(store);
    uint64_t after = tree_store_commit(store);
    struct vs_tree_view view = tree_store_view(store, after);
    cr_assert(fixture_has(&view, FIRST + 5, "new", SMALL_VALUE));
    tree_store_check(store, version);
    tree_store_close(store);
}

/* Cuts within one transaction: pages born in it go, are changed in place, and are cut again. */
Test(range_cut, of_pages_born_in_the_same_transaction)
{
    enum { KEYS = 3000 };
    struct tree_store *store = tree_store_open(SMALL_PAGE, 0);
    struct vs_tree_edit *edit = tree_store_begin(store);
    for (unsigned number = FIRST; number < FIRST + KEYS; number++) {
        fixture_put(edit, number, "all", SMALL_VALUE);
    }
    for (unsigned from = FIRST; from + 100 <= FIRST + KEYS; from += 100) {
        cr_assert_eq(delete_range(edit, from, from + 90), 90);
    }
    tree_store_check_edit(store);
    cr_assert_eq(edit->root.keys, KEYS / 10);
    cr_assert_eq(delete_range(edit, FIRST + 50, FIRST + KEYS - 50), KEYS / 10 - 10);
    tree_store_check_edit(store);
    struct vs_tree_view view = vs_tree_edit_view(edit);
    expect_gap(&view, FIRST + KEYS - 10, FIRST + KEYS, FIRST + KEYS, FIRST + KEYS);
    uint64_t version = tree_store_commit(store);
    tree_store_check(store, version);
    tree_store_close(store);
}

/* Every version has a cut of its own: links across cuts must not take each other's slots. */
Test(range_cut, of_many_versions_keeps_every_chain_whole)
{
    enum { KEYS = 2000, VERSIONS = 60, STEP = 33 };
    struct tree_store *store = tree_store_open(SMALL_PAGE, 0);
    uint64_t first = fixture_commit_keys(store, FIRST, FIRST + KEYS, 1, "all", SMALL_VALUE);
    for (unsigned i = 0; i < VERSIONS; i++) { /* each cut takes a little more on the right */
        struct vs_tree_edit *edit = tree_store_begin(store);
        cr_assert_eq(delete_range(edit, FIRST + 7, FIRST + 7 + (i + 1) * STEP), STEP);
        (void)tree_store_commit(store);
    }
    for (unsigned i = 0; i <= VERSIONS; i++) {
        struct vs_tree_view view = tree_store_view(store, first + i);
        expect_gap(&view, FIRST, FIRST + 7, FIRST + 7 + i * STEP, FIRST + KEYS);
        tree_store_check(store, first + i);
    }
    tree_store_close(store);
}

/* 90 % of a big tree: thousands of pages go, and no more than the edges are copied. */
Test(range_cut, copies_only_the_edges)
{
    enum { KEYS = 400000, VALUE = 60, PER_LEVEL = 6 };
    struct tree_store *store = tree_store_open(4096, 0);
    uint64_t version = fixture_commit_keys(store, 0, KEYS, 1, "all", VALUE);
    struct vs_tree_view before = tree_store_view(store, version);
    struct vs_tree_edit *edit = tree_store_begin(store);
    uint64_t underfull = count_underfull(edit);
    cr_assert_eq(delete_range(edit, KEYS / 20, KEYS / 20 * 19), KEYS / 20 * 18);
    size_t born = edit->writer->born_count;
    size_t died = edit->writer->deaths.count;
    cr_assert_leq(born, PER_LEVEL * before.root.depth, "%zu pages were made", born);
    cr_assert_gt(died, KEYS / 100, "only %zu pages went", died);
    tree_store_check_edit(store);
    cr_assert_leq(count_underfull(edit), underfull);
    tree_store_abort(store);
    tree_store_check(store, version);
    tree_store_close(store);
}
