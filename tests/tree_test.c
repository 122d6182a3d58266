/*
 * tree_test.c - what single calls on a tree do: their results, their errors, the shape they leave.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tree_fixture.h"

enum { VALUE = 40, LONGER = 2 * VALUE, LONGEST = 3 * VALUE }; /* bytes */

static struct tree_store *store;

static void open_store(void)
{
    store = tree_store_open(512, 0);
}

static void close_store(void)
{
    tree_store_close(store);
}

TestSuite(tree, .init = open_store, .fini = close_store);

static struct vs_tree_check check_tip(void)
{
    struct vs_tree_view view = tree_store_view(store, tree_store_tip(store));
    struct vs_tree_check check = {.visit = NULL};
    verso_err err = vs_tree_check(&view, 0, &check);
    cr_assert_eq(err, VERSO_OK, "page %u: %s", check.bad_page, check.fault);
    return check;
}

Test(tree, an_empty_tree_has_no_page_and_no_key)
{
    struct vs_tree_view view = tree_store_view(store, 0);
    struct vs_tree_value value;
    cr_assert_eq(view.root.page, 0);
    cr_assert_eq(vs_tree_get(&view, verso_text("k"), &value), VERSO_NOT_FOUND);
    verso_slice key = verso_text("k");
    verso_err found = VERSO_OK;
    cr_assert_eq(vs_tree_get_many(&view, &key, 1, &value, &found), VERSO_OK);
    cr_assert_eq(found, VERSO_NOT_FOUND);

    struct vs_tree_edit *edit = tree_store_begin(store);
    bool broken = false;
    cr_assert_eq(vs_tree_delete(edit, key, NULL, NULL, &broken), VERSO_NOT_FOUND);
    cr_assert_eq(vs_tree_put(edit, VS_PUT_REPLACE, key, key, NULL, NULL, &broken), VERSO_NOT_FOUND);
    cr_assert(!broken);
    cr_assert_eq(edit->root.page, 0);
}

Test(tree, insert_refuses_a_key_that_is_there_and_replace_one_that_is_not)
{
    struct vs_tree_edit *edit = tree_store_begin(store);
    bool broken = false;
    verso_slice key = verso_text("k");
    verso_slice one = verso_text("1");
    verso_slice two = verso_text("2");
    cr_assert_eq(vs_tree_put(edit, VS_PUT_INSERT, key, one, NULL, NULL, &broken), VERSO_OK);
    uint64_t fingerprint = edit->fingerprint;
    cr_assert_eq(vs_tree_put(edit, VS_PUT_INSERT, key, two, NULL, NULL, &broken), VERSO_EXISTS);
    cr_assert_eq(vs_tree_put(edit, VS_PUT_REPLACE, two, two, NULL, NULL, &broken), VERSO_NOT_FOUND);
    cr_assert_eq(edit->fingerprint, fingerprint);
    cr_assert_eq(vs_tree_put(edit, VS_PUT_REPLACE, key, two, NULL, NULL, &broken), VERSO_OK);
    cr_assert_neq(edit->fingerprint, fingerprint);
    cr_assert_eq(edit->root.keys, 1);
    cr_assert(!broken);
}

Test(tree, keys_and_values_of_no_bytes_are_like_any_other)
{
    struct vs_tree_edit *edit = tree_store_begin(store);
    bool broken = false;
    verso_slice nothing = {NULL, 0};
    for (unsigned i = 0; i < 200; i++) {
        fixture_put(edit, i, "", VALUE);
    }
    cr_assert_eq(vs_tree_put(edit, VS_PUT_INSERT, nothing, nothing, NULL, NULL, &broken), VERSO_OK);
    struct vs_tree_view view = vs_tree_edit_view(edit);
    struct vs_tree_value value;
    cr_assert_eq(vs_tree_get(&view, nothing, &value), VERSO_OK);
    cr_assert_eq(value.slice.size, 0);
    cr_assert(!value.is_run);
    tree_store_check_edit(store);
    cr_assert_eq(vs_tree_delete(edit, nothing, NULL, NULL, &broken), VERSO_OK);
    cr_assert_eq(vs_tree_get(&view, nothing, &value), VERSO_NOT_FOUND);
}

Test(tree, a_key_may_be_as_long_as_its_limit_and_not_longer)
{
    struct vs_tree_edit *edit = tree_store_begin(store);
    bool broken = false;
    size_t key_max = vs_leaf_key_max(512);
    uint8_t key[513];
    memset(key, 'k', sizeof key);
    verso_slice value = verso_text("v");
    for (unsigned i = 0; i < 60; i++) {
        key[key_max - 1] = (uint8_t)i;
        verso_slice longest = {key, key_max};
        cr_assert_eq(vs_tree_put(edit, VS_PUT_INSERT, longest, value, NULL, NULL, &broken),
                     VERSO_OK);
    }
    uint64_t fingerprint = edit->fingerprint;
    verso_slice longer = {key, key_max + 1};
    cr_assert_eq(vs_tree_put(edit, VS_PUT_UPSERT, longer, value, NULL, NULL, &broken),
                 VERSO_TOO_BIG);
    cr_assert(!broken);
    cr_assert_eq(edit->fingerprint, fingerprint);
    tree_store_check_edit(store);
}

Test(tree, a_value_longer_than_1_GiB_is_refused)
{
    struct vs_tree_edit *edit = tree_store_begin(store);
    bool broken = false;
    verso_slice value = {"", (size_t)VS_TREE_VALUE_MAX + 1};
    cr_assert_eq(vs_tree_put(edit, VS_PUT_UPSERT, verso_text("k"), value, NULL, NULL, &broken),
                 VERSO_TOO_BIG);
    cr_assert(!broken);
    cr_assert_eq(edit->root.keys, 0);
}

Test(tree, values_around_the_limit_of_a_leaf_come_back_whole)
{
    struct vs_tree_edit *edit = tree_store_begin(store);
    size_t limit = vs_leaf_payload_max(512, fixture_key(0).size);
    for (unsigned i = 0; i < 60; i++) {
        fixture_put(edit, i, "edge", limit - 30 + i);
    }
    struct vs_tree_view view = vs_tree_edit_view(edit);
    for (unsigned i = 0; i < 60; i++) {
        cr_assert(fixture_has(&view, i, "edge", limit - 30 + i), "value of %zu bytes",
                  limit - 30 + i);
    }
    tree_store_check_edit(store);
}

Test(tree, a_long_value_is_borrowed_where_it_lies_and_lives_on_in_its_version)
{
    uint64_t before = fixture_commit_keys(store, 0, 3, 1, "old", 3000);
    uint64_t after = fixture_commit_keys(store, 1, 2, 1, "new", 20);
    struct vs_tree_edit *edit = tree_store_begin(store);
    fixture_delete(edit, 0);
    uint64_t last = tree_store_commit(store);
    struct vs_tree_view view = tree_store_view(store, before);
    cr_assert(fixture_has(&view, 1, "old", 3000));
    view = tree_store_view(store, after);
    cr_assert(fixture_has(&view, 0, "old", 3000));
    cr_assert(fixture_has(&view, 1, "new", 20));
    view = tree_store_view(store, last);
    cr_assert(!fixture_has(&view, 0, "old", 3000));
    cr_assert(fixture_has(&view, 2, "old", 3000));
    for (uint64_t version = before; version <= last; version++) {
        tree_store_check(store, version);
    }
}

static verso_err refuse(void *argument, const struct vs_tree_value *old)
{
    *(size_t *)argument = old->slice.size;
    return VERSO_INVALID;
}

Test(tree, the_callback_for_an_old_value_can_refuse_the_change)
{
    (void)fixture_commit_keys(store, 0, 100, 1, "x", VALUE);
    struct vs_tree_edit *edit = tree_store_begin(store);
    uint64_t fingerprint = edit->fingerprint;
    bool broken = false;
    size_t seen = 0;
    cr_assert_eq(
        vs_tree_put(edit, VS_PUT_UPSERT, fixture_key(50), verso_text("y"), refuse, &seen, &broken),
        VERSO_INVALID);
    cr_assert_eq(seen, VALUE);
    seen = 0;
    cr_assert_eq(vs_tree_delete(edit, fixture_key(51), refuse, &seen, &broken), VERSO_INVALID);
    cr_assert_eq(seen, VALUE);
    cr_assert(!broken);
    cr_assert_eq(edit->fingerprint, fingerprint);
    struct vs_tree_view view = vs_tree_edit_view(edit);
    cr_assert(fixture_has(&view, 50, "x", VALUE));
    cr_assert(fixture_has(&view, 51, "x", VALUE));
}

Test(tree, abort_leaves_the_version_as_it_was)
{
    uint64_t version = fixture_commit_keys(store, 0, 500, 1, "kept", VALUE);
    struct vs_tree_edit *edit = tree_store_begin(store);
    for (unsigned i = 0; i < 500; i += 3) {
        fixture_delete(edit, i);
    }
    for (unsigned i = 1; i < 900; i += 3) {
        fixture_put(edit, i, "lost", LONGER);
    }
    tree_store_abort(store);
    tree_store_check(store, version);
    struct vs_tree_view view = tree_store_view(store, version);
    for (unsigned i = 0; i < 500; i++) {
        cr_assert(fixture_has(&view, i, "kept", VALUE));
    }
    /* and the next transaction starts from there */
    cr_assert_eq(fixture_commit_keys(store, 7, 8, 1, "next", VALUE), version + 1);
    tree_store_check(store, version + 1);
}

Test(tree, the_fingerprint_tells_the_content_and_not_its_history)
{
    (void)fixture_commit_keys(store, 0, 300, 1, "a", VALUE);
    struct vs_tree_edit *edit = tree_store_begin(store);
    uint64_t fingerprint = edit->fingerprint;
    for (unsigned i = 300; i-- > 0;) {
        fixture_delete(edit, i);
    }
    cr_assert_eq(edit->fingerprint, 0);
    cr_assert_eq(edit->root.page, 0);
    for (unsigned i = 300; i-- > 0;) {
        fixture_put(edit, i, i % 2 == 0 ? "a" : "b", LONGEST);
    }
    cr_assert_neq(edit->fingerprint, fingerprint);
    for (unsigned i = 0; i < 300; i++) {
        fixture_put(edit, i, "a", VALUE);
    }
    cr_assert_eq(edit->fingerprint, fingerprint);
}

/** The fewest leaves of 4 KiB for so many keys: a cell takes 8 bytes of entry, 2 of info, at most 7
 *  beyond its head and prefix, and the value. */
static uint64_t fewest_leaves(uint64_t keys)
{
    return keys * (8 + 2 + 7 + VALUE) / (4096 - 128) + 1;
}

Test(tree, ascending_puts_fill_leaves_completely)
{
    close_store();
    store = tree_store_open(4096, 0);
    (void)fixture_commit_keys(store, 0, 20000, 1, "", VALUE);
    struct vs_tree_check check = check_tip();
    cr_assert_leq(check.leaves, fewest_leaves(20000));
    cr_assert_leq(check.underfull, 2); /* the right edge */
}

static void put_sorted(struct vs_tree_edit *edit, unsigned from, unsigned to, unsigned step)
{
    unsigned count = (to - from + step - 1) / step;
    verso_entry *entries = calloc(count, sizeof *entries);
    char(*texts)[16] = calloc(count, sizeof *texts);
    cr_assert(entries != NULL && texts != NULL);
    for (unsigned i = 0; i < count; i++) {
        verso_slice key = fixture_key(from + i * step);
        memcpy(texts[i], key.data, key.size);
        entries[i] = (verso_entry){{texts[i], key.size}, fixture_value(0, "s", VALUE)};
    }
    bool broken = false;
    cr_assert_eq(vs_tree_put_sorted(edit, entries, count, &broken), VERSO_OK);
    cr_assert(!broken);
    free(texts);
    free(entries);
}

Test(tree, a_sorted_batch_into_an_empty_tree_fills_leaves_completely)
{
    close_store();
    store = tree_store_open(4096, 0);
    struct vs_tree_edit *edit = tree_store_begin(store);
    put_sorted(edit, 0, 20000, 1);
    (void)tree_store_commit(store);
    struct vs_tree_check check = check_tip();
    cr_assert_eq(check.keys, 20000);
    cr_assert_leq(check.leaves, fewest_leaves(20000));
}

Test(tree, a_sorted_batch_makes_the_same_tree_content_as_single_puts)
{
    (void)fixture_commit_keys(store, 0, 3000, 3, "before", VALUE);
    struct vs_tree_edit *edit = tree_store_begin(store);
    put_sorted(edit, 0, 4000, 2);
    uint64_t fingerprint = edit->fingerprint;
    uint64_t keys = edit->root.keys;
    tree_store_check_edit(store);
    tree_store_abort(store);
    edit = tree_store_begin(store);
    for (unsigned i = 4000; i-- > 0;) {
        if (i % 2 == 0) {
            bool broken = false;
            verso_slice value = fixture_value(0, "s", VALUE);
            cr_assert_eq(
                vs_tree_put(edit, VS_PUT_UPSERT, fixture_key(i), value, NULL, NULL, &broken),
                VERSO_OK);
        }
    }
    cr_assert_eq(edit->root.keys, keys);
    cr_assert_eq(edit->fingerprint, fingerprint);
}

Test(tree, deleting_loses_height_and_leaves_no_page_underfull)
{
    (void)fixture_commit_keys(store, 0, 4000, 1, "", VALUE);
    uint32_t depth = tree_store_view(store, tree_store_tip(store)).root.depth;
    struct vs_tree_edit *edit = tree_store_begin(store);
    for (unsigned i = 0; i < 4000; i++) {
        if (i % 64 != 0) {
            fixture_delete(edit, i);
        }
    }
    (void)tree_store_commit(store);
    struct vs_tree_check check = check_tip();
    cr_assert_eq(check.keys, 63);
    cr_assert_eq(check.underfull, 0);
    cr_assert_lt(tree_store_view(store, tree_store_tip(store)).root.depth, depth);
    edit = tree_store_begin(store);
    for (unsigned i = 0; i < 4000; i += 64) {
        fixture_delete(edit, i);
    }
    cr_assert_eq(edit->root.page, 0);
    cr_assert_eq(edit->root.depth, 0);
    cr_assert_eq(edit->root.keys, 0);
}

Test(tree, values_that_shrink_are_gathered_on_fewer_leaves)
{
    (void)fixture_commit_keys(store, 0, 1000, 1, "long", 100);
    uint64_t leaves = check_tip().leaves;
    struct vs_tree_edit *edit = tree_store_begin(store);
    for (unsigned i = 0; i < 1000; i++) {
        fixture_put(edit, i, "", 1);
    }
    (void)tree_store_commit(store);
    cr_assert_lt(check_tip().leaves * 3, leaves);
    cr_assert_eq(check_tip().underfull, 0);
}

Test(tree, a_batched_get_finds_what_is_there_and_says_what_is_not)
{
    uint64_t version = fixture_commit_keys(store, 0, 2000, 2, "x", VALUE);
    struct vs_tree_view view = tree_store_view(store, version);
    enum { KEYS = 51 };
    static struct vs_tree_value values[KEYS];
    static char texts[KEYS][16];
    verso_slice keys[KEYS];
    verso_err found[KEYS];
    for (unsigned i = 0; i < KEYS; i++) {
        verso_slice key = fixture_key(1999 - i * 37);
        memcpy(texts[i], key.data, key.size);
        keys[i] = (verso_slice){texts[i], key.size};
    }
    cr_assert_eq(vs_tree_get_many(&view, keys, KEYS, values, found), VERSO_OK);
    for (unsigned i = 0; i < KEYS; i++) {
        bool there = (1999 - i * 37) % 2 == 0;
        cr_assert_eq(found[i], there ? VERSO_OK : VERSO_NOT_FOUND);
        if (there) {
            verso_slice expected = fixture_value(1999 - i * 37, "x", VALUE);
            cr_assert_eq(values[i].slice.size, VALUE);
            cr_assert_arr_eq(values[i].slice.data, expected.data, VALUE);
        }
    }
}

Test(tree, a_root_that_claims_another_depth_is_corrupt)
{
    uint64_t version = fixture_commit_keys(store, 0, 500, 1, "x", VALUE);
    struct vs_tree_view view = tree_store_view(store, version);
    struct vs_tree_value value;
    verso_slice key = fixture_key(7);
    verso_err found = VERSO_OK;
    for (uint32_t depth = 1; depth <= VS_TREE_DEPTH_MAX; depth++) {
        struct vs_tree_view wrong = view;
        wrong.root.depth = depth;
        if (depth == view.root.depth) {
            continue;
        }
        cr_assert_eq(vs_tree_get(&wrong, key, &value), VERSO_CORRUPT, "depth %u", depth);
        cr_assert_eq(vs_tree_get_many(&wrong, &key, 1, &value, &found), VERSO_CORRUPT);
        struct vs_tree_check check = {.visit = NULL};
        cr_assert_eq(vs_tree_check(&wrong, 0, &check), VERSO_CORRUPT);
        cr_assert_str_not_empty(check.fault);
    }
}

#ifndef NDEBUG /* decoding lets no such root pass (root_record_test.c), which is asserted */
static void get_with_depth(uint32_t depth)
{
    uint64_t version = fixture_commit_keys(store, 0, 500, 1, "x", VALUE);
    struct vs_tree_view view = tree_store_view(store, version);
    struct vs_tree_value value;
    view.root.depth = depth;
    (void)vs_tree_get(&view, fixture_key(7), &value);
}

Test(tree, a_root_with_a_page_but_without_depth_aborts, .signal = SIGABRT)
{
    get_with_depth(0);
}

Test(tree, a_root_deeper_than_any_tree_aborts, .signal = SIGABRT)
{
    get_with_depth(VS_TREE_DEPTH_MAX + 1);
}
#endif

Test(tree, check_finds_counts_that_are_wrong)
{
    uint64_t version = fixture_commit_keys(store, 0, 500, 1, "x", VALUE);
    struct vs_tree_view view = tree_store_view(store, version);
    view.root.keys++;
    struct vs_tree_check check = {.visit = NULL};
    cr_assert_eq(vs_tree_check(&view, 0, &check), VERSO_CORRUPT);
    cr_assert_eq(check.bad_page, view.root.page);
}
