/*
 * tree_chain_test.c - the leaf chain of every kept version, when leaves are copied, split, merged
 * and dropped, and when links fill up.
 */
#include <criterion/criterion.h>

#include "format/branch.h"
#include "store/store.h"
#include "tree_fixture.h"

enum { VALUE = 40 }; /* bytes */

/** Walk the chain of a version by its links alone. @return Its leaves. */
static unsigned walk_chain(const struct tree_store *store, uint64_t version)
{
    struct vs_tree_view view = tree_store_view(store, version);
    if (view.root.depth == 0) {
        return 0;
    }
    vs_page_no page = view.root.page;
    const uint8_t *bytes = NULL;
    for (unsigned level = view.root.depth; level-- > 0;) {
        cr_assert_eq(vs_page_read_level(view.pages, page, level, &bytes), VERSO_OK);
        page = level > 0 ? vs_branch_child(bytes, 0) : page;
    }
    unsigned leaves = 0;
    uint64_t keys = 0;
    while (page != 0) {
        cr_assert_eq(vs_page_read_level(view.pages, page, 0, &bytes), VERSO_OK);
        keys += vs_page_count(bytes);
        leaves++;
        cr_assert_eq(vs_page_next_leaf(view.pages, page, version, &page), VERSO_OK);
    }
    cr_assert_eq(keys, view.root.keys, "version %llu", (unsigned long long)version);
    return leaves;
}

static void check_all(struct tree_store *store)
{
    for (uint64_t v = tree_store_oldest(store); v <= tree_store_tip(store); v++) {
        tree_store_check(store, v);
        (void)walk_chain(store, v);
    }
}

Test(tree_chain, leads_through_all_leaves_of_every_version)
{
    struct tree_store *store = tree_store_open(512, 0);
    for (unsigned round = 0; round < 40; round++) {
        (void)fixture_commit_keys(store, round, 600, 7 + round % 5, "x", VALUE + round);
    }
    cr_assert_gt(walk_chain(store, tree_store_tip(store)), 50);
    check_all(store);
    tree_store_close(store);
}

Test(tree_chain, a_neighbour_with_full_slots_is_copied)
{
    struct tree_store *store = tree_store_open(512, 0);
    (void)fixture_commit_keys(store, 0, 100, 1, "x", VALUE);
    uint64_t copies = 0;
    for (unsigned round = 0; round < 30; round++) { /* one leaf, in the middle */
        struct vs_tree_edit *edit = tree_store_begin(store);
        fixture_put(edit, 50, "again", VALUE);
        copies += edit->relief_copies;
        (void)tree_store_commit(store);
    }
    cr_assert_geq(copies, 4); /* a fresh copy has four slots left for later versions */
    cr_assert_leq(copies, 8);
    check_all(store);
    tree_store_close(store);
}

Test(tree_chain, slots_are_used_again_where_no_kept_version_needs_them)
{
    struct tree_store *store = tree_store_open(512, 1);
    (void)fixture_commit_keys(store, 0, 100, 1, "x", VALUE);
    for (unsigned round = 0; round < 100; round++) {
        struct vs_tree_edit *edit = tree_store_begin(store);
        fixture_put(edit, 50, "again", VALUE);
        cr_assert_eq(edit->relief_copies, 0);
        (void)tree_store_commit(store);
        check_all(store);
    }
    tree_store_close(store);
}

/* The design's hard case: four updates a leaf in order leave every leaf with full slots but for
 * one; without early relief by chance one more update would copy the whole level. */
Test(tree_chain, an_ordered_sweep_builds_no_long_run_of_full_leaves)
{
    enum { KEYS = 4000 };
    struct tree_store *store = tree_store_open(512, 0);
    (void)fixture_commit_keys(store, 0, KEYS, 1, "x", VALUE);
    unsigned leaves = walk_chain(store, tree_store_tip(store));
    uint64_t most = 0;
    uint64_t all = 0;
    for (unsigned sweep = 0; sweep < 3; sweep++) {
        for (unsigned key = 0; key < KEYS; key += 2) {
            struct vs_tree_edit *edit = tree_store_begin(store);
            fixture_put(edit, key, "again", VALUE);
            most = edit->relief_copies > most ? edit->relief_copies : most;
            all += edit->relief_copies;
            (void)tree_store_commit(store);
        }
    }
    cr_assert_gt(leaves, 400);
    cr_assert_gt(all, 0);
    cr_assert_leq(most, 60, "%llu leaves copied in one commit", (unsigned long long)most);
    for (uint64_t v = 1; v <= tree_store_tip(store); v += 97) {
        tree_store_check(store, v);
    }
    tree_store_check(store, tree_store_tip(store));
    tree_store_close(store);
}

Test(tree_chain, holds_when_the_first_and_the_last_leaf_go)
{
    struct tree_store *store = tree_store_open(512, 0);
    (void)fixture_commit_keys(store, 0, 200, 1, "x", VALUE);
    for (unsigned i = 0; i < 100; i++) {
        struct vs_tree_edit *edit = tree_store_begin(store);
        fixture_delete(edit, i);
        fixture_delete(edit, 199 - i);
        (void)tree_store_commit(store);
    }
    cr_assert_eq(walk_chain(store, tree_store_tip(store)), 0);
    check_all(store);
    tree_store_close(store);
}

Test(tree_chain, holds_when_everything_happens_to_neighbours_in_one_transaction)
{
    struct tree_store *store = tree_store_open(512, 0);
    (void)fixture_commit_keys(store, 0, 400, 1, "x", VALUE);
    for (unsigned round = 0; round < 20; round++) {
        struct vs_tree_edit *edit = tree_store_begin(store);
        unsigned from = round * 17;
        for (unsigned i = from; i < from + 60; i++) {
            if (i % 5 == 0) {
                fixture_put(edit, i, "long", 120); /* splits */
            } else {
                struct vs_tree_value value;
                struct vs_tree_view view = vs_tree_edit_view(edit);
                if (vs_tree_get(&view, fixture_key(i), &value) == VERSO_OK) {
                    fixture_delete(edit, i); /* merges */
                }
            }
        }
        tree_store_check_edit(store);
        (void)tree_store_commit(store);
    }
    check_all(store);
    tree_store_close(store);
}

Test(tree_chain, an_aborted_transaction_leaves_no_link)
{
    struct tree_store *store = tree_store_open(512, 0);
    (void)fixture_commit_keys(store, 0, 300, 1, "x", VALUE);
    for (unsigned round = 0; round < 20; round++) {
        struct vs_tree_edit *edit = tree_store_begin(store);
        for (unsigned i = 0; i < 400; i += 3) {
            fixture_put(edit, i, "lost", 100);
        }
        tree_store_abort(store);
        check_all(store);
        (void)fixture_commit_keys(store, round, round + 1, 1, "kept", VALUE);
        check_all(store);
    }
    tree_store_close(store);
}

/** Let the first leaf of a committed version be followed by another page. */
static void damage_first_link(const struct tree_store *store, uint64_t version, vs_page_no next)
{
    struct vs_tree_view view = tree_store_view(store, version);
    vs_page_no page = view.root.page;
    for (unsigned level = view.root.depth; level-- > 1;) {
        const uint8_t *bytes = NULL;
        cr_assert_eq(vs_page_read_level(view.pages, page, level, &bytes), VERSO_OK);
        page = vs_branch_child(bytes, 0);
    }
    struct vs_descriptor *descriptor = NULL;
    cr_assert_eq(vs_page_table_change(view.pages->table, page, &descriptor), VERSO_OK);
    for (unsigned i = 0; i < VS_LINKS; i++) {
        vs_descriptor_set(descriptor, VS_WORD_LINK + i, VS_NO_LINK);
    }
    if (next != UINT32_MAX) {
        vs_descriptor_set(descriptor, VS_WORD_LINK,
                          vs_link_word(version, vs_descriptor_born(descriptor), next));
    }
}

static void expect_damage_found(vs_page_no next)
{
    struct tree_store *store = tree_store_open(512, 0);
    uint64_t version = fixture_commit_keys(store, 0, 100, 1, "x", VALUE);
    struct vs_tree_view view = tree_store_view(store, version);
    damage_first_link(store, version, next);
    struct vs_tree_check check = {.visit = NULL};
    cr_assert_eq(vs_tree_check(&view, 0, &check), VERSO_CORRUPT);
    cr_assert_neq(check.bad_page, 0);

    struct vs_tree_cursor *cursor = NULL;
    struct vs_tree_entry entry;
    cr_assert_eq(vs_tree_cursor_open(&view, NULL, &cursor), VERSO_OK);
    verso_err err = VERSO_OK;
    while (err == VERSO_OK) {
        err = vs_tree_cursor_next(cursor, &entry);
    }
    cr_assert_eq(err, VERSO_CORRUPT);
    /* the error stays until the cursor is placed anew */
    cr_assert_eq(vs_tree_cursor_next(cursor, &entry), VERSO_CORRUPT);
    cr_assert_eq(vs_tree_cursor_previous(cursor, &entry), VERSO_CORRUPT);
    cr_assert_eq(vs_tree_cursor_current(cursor, &entry), VERSO_CORRUPT);
    verso_entry entries[2];
    size_t count = 0;
    cr_assert_eq(
        vs_tree_cursor_batch(cursor, false, (verso_slice){NULL, 0}, false, entries, 2, &count),
        VERSO_CORRUPT);
    cr_assert_eq(vs_tree_cursor_last(cursor, &entry), VERSO_OK);
    cr_assert_eq(fixture_number(entry.key), 99);
    vs_tree_cursor_close(cursor);
    tree_store_close(store);
}

Test(tree_chain, a_link_to_the_end_of_the_chain_too_early_is_found)
{
    expect_damage_found(0);
}

Test(tree_chain, a_link_that_skips_leaves_is_found)
{
    expect_damage_found(5);
}

Test(tree_chain, a_link_out_of_the_store_is_found)
{
    expect_damage_found(UINT32_MAX - 1);
}

Test(tree_chain, a_leaf_without_links_is_found)
{
    expect_damage_found(UINT32_MAX);
}
