/*
 * narrow_tree_test.c - trees whose lowest branches have one child each. Deleting leaves such a branch
 * where its last neighbour can neither take it in nor give something away, which happens with long
 * separators only; here all of them are so.
 */
#include <criterion/criterion.h>

#include "format/branch.h"
#include "tree/edit.h"
#include "tree_fixture.h"

enum { PAGE_SIZE = 512, VALUE = 110, SHORT_VALUE = 40, KEYS_MAX = 41, LEAVES_MAX = 20 };

static struct tree_store *store;
static unsigned keys;             /* in the tree */
static size_t value_size = VALUE; /* one of them in a leaf, it is more than a quarter full */

/* ---- making such a tree ---- */

static void *must_own(struct vs_tree_edit *edit, vs_page_no *page)
{
    uint8_t *bytes = NULL;
    cr_assert_eq(vs_page_new(edit->writer, VS_KIND_BRANCH, page, &bytes), VERSO_OK);
    return bytes;
}

/* Put a branch of its own between the root and each of its leaves. */
static void stretch(struct vs_tree_edit *edit)
{
    struct vs_tree_view view = vs_tree_edit_view(edit);
    uint64_t version = vs_writer_version(edit->writer);
    const uint8_t *flat = NULL;
    vs_page_no root = 0;
    cr_assert_eq(edit->root.depth, 2);
    cr_assert_eq(vs_edit_begin(edit), VERSO_OK);
    cr_assert_eq(vs_writer_reserve(edit->writer, LEAVES_MAX + 2), VERSO_OK);
    cr_assert_eq(vs_path_read(view.pages, edit->root.page, 1, &flat), VERSO_OK);
    uint8_t *bytes = must_own(edit, &root);
    cr_assert_leq(vs_page_count(flat), LEAVES_MAX);
    for (unsigned i = 0; i < vs_page_count(flat); i++) {
        uint64_t below = vs_branch_keys(flat, i);
        vs_page_no branch = 0;
        vs_branch_init(must_own(edit, &branch), PAGE_SIZE, version, 1, vs_branch_child(flat, i),
                       below);
        if (i == 0) {
            vs_branch_init(bytes, PAGE_SIZE, version, 2, branch, below);
            continue;
        }
        uint8_t separator[PAGE_SIZE];
        verso_slice key = {separator, vs_branch_separator(flat, i, separator)};
        cr_assert(vs_branch_insert(bytes, PAGE_SIZE, i, key, branch, below));
    }
    cr_assert_eq(vs_page_drop(edit->writer, edit->root.page), VERSO_OK);
    edit->root.page = root;
    edit->root.depth = 3;
}

static void set_up(void)
{
    store = tree_store_open(PAGE_SIZE, 0);
}

static void tear_down(void)
{
    tree_store_close(store);
}

TestSuite(narrow_tree, .init = set_up, .fini = tear_down);

static void make_tree(unsigned count)
{
    keys = count;
    (void)fixture_commit_keys(store, 0, count, 1, "x", value_size);
    stretch(tree_store_begin(store));
    tree_store_check_edit(store);
    (void)tree_store_commit(store);
}

/* ---- changing it ---- */

static void delete_one(struct vs_tree_edit *edit, unsigned number)
{
    fixture_delete(edit, number);
    keys--;
    cr_assert_eq(edit->root.keys, keys);
    tree_store_check_edit(store);
}

Test(narrow_tree, loses_its_keys_one_by_one_from_either_end)
{
    for (unsigned count = 12; count <= KEYS_MAX; count++) {
        for (unsigned upwards = 0; upwards < 2; upwards++) {
            value_size = count % 2 == 0 ? SHORT_VALUE : VALUE;
            tear_down();
            set_up();
            make_tree(count);
            struct vs_tree_edit *edit = tree_store_begin(store);
            for (unsigned i = 0; i < count; i++) {
                delete_one(edit, upwards ? i : count - 1 - i);
            }
            cr_assert_eq(edit->root.page, 0);
            cr_assert_eq(edit->root.depth, 0);
            (void)tree_store_commit(store);
        }
    }
}

/* Many leaves are left with one key each, which takes the leaf and its branch with it. */
Test(narrow_tree, loses_the_last_key_of_each_leaf_in_any_order)
{
    for (unsigned step = 3; step < 23; step += 2) {
        value_size = step % 4 == 1 ? SHORT_VALUE : VALUE;
        tear_down();
        set_up();
        make_tree(KEYS_MAX);
        struct vs_tree_edit *edit = tree_store_begin(store);
        for (unsigned i = 0; i < KEYS_MAX; i++) {
            delete_one(edit, i * step % KEYS_MAX);
        }
        cr_assert_eq(edit->root.page, 0);
        (void)tree_store_commit(store);
    }
}

Test(narrow_tree, loses_ranges)
{
    for (unsigned from = 0; from < KEYS_MAX; from += 3) {
        for (unsigned to = from + 1; to <= KEYS_MAX; to += 4) {
            tear_down();
            set_up();
            make_tree(KEYS_MAX);
            struct vs_tree_edit *edit = tree_store_begin(store);
            uint8_t bounds[2][16];
            verso_slice first = fixture_key(from);
            memcpy(bounds[0], first.data, first.size);
            verso_slice end = fixture_key(to);
            memcpy(bounds[1], end.data, end.size);
            struct vs_key_range range = {
                true, to < KEYS_MAX, {bounds[0], first.size}, {bounds[1], end.size}};
            uint64_t deleted = 0;
            bool broken = false;
            cr_assert_eq(vs_tree_delete_range(edit, &range, &deleted, &broken), VERSO_OK,
                         "[%u, %u): %s", from, to, verso_error_detail());
            cr_assert_eq(deleted, to - from);
            tree_store_check_edit(store);
            (void)tree_store_commit(store);
        }
    }
}

Test(narrow_tree, takes_keys_in_between)
{
    make_tree(KEYS_MAX);
    struct vs_tree_edit *edit = tree_store_begin(store);
    for (unsigned i = 0; i < 20 * KEYS_MAX; i++) {
        fixture_put(edit, i * 7 % (20 * KEYS_MAX), "y", VALUE);
    }
    tree_store_check_edit(store);
    cr_assert_eq(edit->root.keys, 20 * KEYS_MAX);
    (void)tree_store_commit(store);
}
