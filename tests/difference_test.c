/*
 * difference_test.c - the walk over differences: against sorted arrays, and how many pages it reads.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "expected_history.h"
#include "versions_fixture.h"

/* ---- against sorted arrays ---- */

static void compare(struct versions *versions, uint64_t from, uint64_t to, const verso_range *range)
{
    verso_view *views[2] = {versions_view(versions, from), versions_view(versions, to)};
    struct expected_walk walk = {
        .from = versions_state(versions, from), .to = versions_state(versions, to), .range = range};
    uint64_t pages = 0;
    const char *fault = expected_compare_difference(views[0], views[1], &walk, &pages);
    cr_assert_null(fault, "seed %" PRIu64 ", roots %" PRIu64 " and %" PRIu64 ": %s",
                   versions->config.seed, from, to, fault);
    verso_view_close(views[0]);
    verso_view_close(views[1]);
}

static void compare_some(struct versions *versions, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t from = versions_some_root(versions);
        uint64_t to = i % 2 == 0 ? versions_some_root(versions) : from - (from > 1);
        uint64_t newest = versions->expected.issued;
        to = to < expected_oldest(&versions->expected.keeping) ? newest : to;
        compare(versions, from, to, NULL);
        compare(versions, from, to, versions_some_range(versions, versions_state(versions, from)));
    }
}

Test(difference, agrees_with_sorted_arrays)
{
    for (unsigned number = 0; number < 24; number++) {
        struct versions_config config = versions_draw(number);
        struct versions *versions = versions_open(&config);
        for (unsigned round = 0; round < 4; round++) {
            versions_commit(versions, 15);
            compare_some(versions, 12);
        }
        versions_reopen(versions);
        compare_some(versions, 12);
        versions_close(versions);
    }
}

Test(difference, agrees_where_few_roots_are_kept)
{
    struct versions_config config = versions_draw(4);
    config.keep_last = 5;
    struct versions *versions = versions_open(&config);
    for (unsigned round = 0; round < 10; round++) {
        versions_commit(versions, 11);
        compare_some(versions, 5);
    }
    versions_close(versions);
}

/* ---- inside a transaction ---- */

Test(difference, a_transactions_view_may_change_between_steps)
{
    struct versions_config config = versions_draw(0);
    struct versions *versions = versions_open(&config);
    versions_commit(versions, 30);
    verso_view *old = versions_view(versions, 20);
    verso_txn *txn = NULL;
    cr_assert_eq(verso_begin(versions->store, &txn), VERSO_OK);
    expected_begin(&versions->expected);
    for (unsigned round = 0; round < 20; round++) {
        verso_diff *diff = NULL;
        cr_assert_eq(verso_diff_open(old, verso_txn_view(txn), NULL, &diff), VERSO_OK);
        verso_slice last = {NULL, 0};
        bool more = true;
        for (unsigned step = 0; more; step++) {
            struct expected_walk walk = {.from = versions_state(versions, 20),
                                         .to = &versions->expected.working};
            verso_range behind = {
                .size = sizeof behind, .has_from = step > 0, .from_exclusive = true, .from = last};
            walk.range = &behind;
            verso_change expected;
            verso_change found = {.key = {NULL, 0}};
            more = expected_walk_next(&walk, &expected);
            verso_err err = verso_diff_next(diff, &found);
            cr_assert_eq(err, more ? VERSO_OK : VERSO_NOT_FOUND, "round %u, step %u", round, step);
            cr_assert(!more || expected_same_change(&found, &expected), "round %u, step %u", round,
                      step);
            last = expected_keep(&versions->expected, found.key);
            if (step % 5 == 0) {
                versions_change(versions, txn, 3);
            }
        }
        verso_diff_close(diff);
    }
    verso_abort(txn);
    expected_abort(&versions->expected);
    verso_view_close(old);
    versions_close(versions);
}

/* ---- how many pages are read ---- */

enum { KEYS = 200000, A_TRANSACTION = 5000 };

static verso_slice number_key(unsigned number)
{
    static char key[24];
    snprintf(key, sizeof key, "key %09u", number);
    return verso_text(key);
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK, "%s", verso_error_detail());
    return txn;
}

static uint64_t commit(verso_txn *txn)
{
    verso_root_id root = 0;
    cr_assert_eq(verso_commit(txn, NULL, &root), VERSO_OK, "%s", verso_error_detail());
    return root;
}

static void put_number(verso_txn *txn, unsigned number, const char *value)
{
    verso_err err = verso_put(txn, number_key(number), verso_text(value));
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/* Every tenth number is a key: there is room between them. */
static verso_store *open_filled(void)
{
    verso_store *store = NULL;
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.retention = &all;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_OK, "%s", verso_error_detail());
    for (unsigned done = 0; done < KEYS; done += A_TRANSACTION) {
        verso_txn *txn = begin(store);
        for (unsigned i = done; i < done + A_TRANSACTION; i++) {
            put_number(txn, i * 10, "a value of some twenty bytes");
        }
        commit(txn);
    }
    return store;
}

struct walked {
    uint64_t pages;
    uint64_t changes;
    uint32_t depth;
};

static struct walked walk_between(verso_store *store, uint64_t from, uint64_t to)
{
    verso_view *views[2];
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_eq(verso_view_open_root(store, from, &views[0]), VERSO_OK);
    cr_assert_eq(verso_view_open_root(store, to, &views[1]), VERSO_OK);
    verso_diff *diff = NULL;
    cr_assert_eq(verso_diff_open(views[0], views[1], NULL, &diff), VERSO_OK);
    struct walked walked = {.depth = stats.depth};
    verso_change change;
    while (verso_diff_next(diff, &change) == VERSO_OK) {
        walked.changes++;
    }
    walked.pages = verso_diff_pages(diff);
    verso_diff_close(diff);
    verso_view_close(views[0]);
    verso_view_close(views[1]);
    return walked;
}

static void expect_pages(verso_store *store, uint64_t from, uint64_t to, uint64_t changes,
                         uint64_t pages_max)
{
    struct walked forward = walk_between(store, from, to);
    struct walked backward = walk_between(store, to, from);
    printf("%" PRIu64 " changes in a tree of %u levels: %" PRIu64 " pages forward, %" PRIu64
           " backward\n",
           forward.changes, forward.depth, forward.pages, backward.pages);
    cr_assert_eq(forward.changes, changes);
    cr_assert_eq(backward.changes, changes);
    cr_assert_leq(forward.pages, pages_max);
    cr_assert_leq(backward.pages, pages_max);
}

static uint64_t tip(verso_store *store)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    return stats.tip;
}

Test(difference, ten_changed_keys_cost_two_paths_each)
{
    verso_store *store = open_filled();
    uint64_t from = tip(store);
    expect_pages(store, from, from, 0, 0);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 10; i++) {
        put_number(txn, i * 10 * (KEYS / 10), "another value");
    }
    uint64_t to = commit(txn);
    uint32_t depth = walk_between(store, from, to).depth;
    expect_pages(store, from, to, 10, UINT64_C(2) * 10 * depth);
    for (unsigned i = 0; i < 10; i++) { /* one commit each */
        txn = begin(store);
        put_number(txn, i * 10 * (KEYS / 10), "a third value");
        to = commit(txn);
    }
    expect_pages(store, from, to, 10, UINT64_C(2) * 10 * depth);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(difference, splits_cost_the_pages_that_are_new)
{
    verso_store *store = open_filled();
    uint64_t from = tip(store);
    verso_txn *txn = begin(store);
    for (unsigned place = 0; place < 10; place++) { /* some leaves become several */
        for (unsigned i = 0; i < 300; i++) {
            put_number(txn, place * 10 * (KEYS / 10) + i / 9 * 10 + i % 9 + 1, "new between old");
        }
    }
    uint64_t to = commit(txn);
    uint32_t depth = walk_between(store, from, to).depth;
    expect_pages(store, from, to, 3000, UINT64_C(2) * 10 * (depth + 6));
    txn = begin(store); /* and back: leaves are merged */
    for (unsigned place = 0; place < 10; place++) {
        for (unsigned i = 0; i < 300; i++) {
            verso_slice key = number_key(place * 10 * (KEYS / 10) + i / 9 * 10 + i % 9 + 1);
            cr_assert_eq(verso_delete(txn, key), VERSO_OK);
        }
    }
    to = commit(txn);
    expect_pages(store, from, to, 0, UINT64_C(2) * 10 * (depth + 6));
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(difference, dropped_leaves_and_branches_cost_themselves)
{
    verso_store *store = open_filled();
    uint64_t from = tip(store);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 20000; i++) { /* in the middle, at the beginning */
        cr_assert_eq(verso_delete(txn, number_key((KEYS / 2 + i) * 10)), VERSO_OK);
        cr_assert_eq(verso_delete(txn, number_key(i * 10)), VERSO_OK);
    }
    uint64_t to = commit(txn);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK);
    uint64_t some_leaf_each = 40000 / 40; /* each has more keys than 40 */
    expect_pages(store, from, to, 40000, some_leaf_each);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* Keys so long that two fill a leaf: the leaf of the first two is dropped, and the next one, which
 * both trees share, takes over what it covered. Of the shared leaves only that one is read. */
Test(difference, a_shared_leaf_with_other_bounds_is_met_again)
{
    verso_store *store = NULL;
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.retention = &all;
    options.page_size = 512;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_OK);
    char key[100];
    verso_txn *txn = begin(store);
    for (int first = 'a'; first <= 'h'; first++) { /* leaves ab cd ef gh */
        memset(key, first, sizeof key);
        verso_slice value = {key, 60};
        cr_assert_eq(verso_put(txn, (verso_slice){key, sizeof key}, value), VERSO_OK);
    }
    commit(txn);
    txn = begin(store);
    for (int first = 'a'; first <= 'b'; first++) {
        memset(key, first, sizeof key);
        cr_assert_eq(verso_delete(txn, (verso_slice){key, sizeof key}), VERSO_OK);
    }
    commit(txn);
    expect_pages(store, 1, 2, 2, 4); /* two roots, ab, and cd once */
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* Updates in key order fill the link slots of all leaves: each commit copies some for relief. */
Test(difference, leaves_copied_for_their_links_cost_themselves_only)
{
    verso_store *store = open_filled();
    for (unsigned sweep = 0; sweep < 4; sweep++) {
        for (unsigned i = 0; i < KEYS; i += 120) {
            verso_txn *txn = begin(store);
            put_number(txn, i * 10, sweep % 2 == 0 ? "even" : "odd");
            commit(txn);
        }
    }
    uint64_t from = tip(store);
    verso_stats before = {.size = sizeof before};
    cr_assert_eq(verso_stat(store, &before), VERSO_OK);
    for (unsigned i = 0; i < 200; i++) {
        verso_txn *txn = begin(store);
        put_number(txn, (i * 7919 % KEYS) * 10, "changed");
        commit(txn);
    }
    verso_stats after = {.size = sizeof after};
    cr_assert_eq(verso_stat(store, &after), VERSO_OK);
    uint64_t copies = after.leaf_relief_copies - before.leaf_relief_copies;
    printf("%" PRIu64 " leaves copied for relief\n", copies);
    cr_assert_gt(copies, 0);
    expect_pages(store, from, tip(store), 200, 2 * (200 + copies) * after.depth);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(difference, a_tree_that_became_higher_shares_what_it_had)
{
    verso_store *store = NULL;
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.retention = &all;
    options.page_size = 512;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_OK);
    uint32_t depth = 0;
    for (unsigned i = 0; i < 26000; i++) {
        verso_txn *txn = begin(store);
        put_number(txn, i, "appended");
        uint64_t root = commit(txn);
        verso_stats stats = {.size = sizeof stats};
        cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
        if (stats.depth > depth && root > 1) {
            printf("root %" PRIu64 ": ", root);
            /* the new path and the old one, three halves, and a neighbour copied for relief */
            expect_pages(store, root - 1, root, 1, UINT64_C(2) * stats.depth + 3);
        }
        depth = stats.depth;
    }
    cr_assert_geq(depth, 4);
    uint64_t root = tip(store);
    expect_pages(store, 1, root, 25999, 26000 / 24 + 100);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(difference, a_range_reads_its_own_pages)
{
    verso_store *store = open_filled();
    uint64_t from = tip(store);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < KEYS; i += 100) {
        put_number(txn, i * 10, "another value");
    }
    uint64_t to = commit(txn);
    verso_view *views[2];
    cr_assert_eq(verso_view_open_root(store, from, &views[0]), VERSO_OK);
    cr_assert_eq(verso_view_open_root(store, to, &views[1]), VERSO_OK);
    char bound[24];
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    snprintf(bound, sizeof bound, "key %09u", 1000 * 500);
    range.from = verso_text(bound);
    range.to = number_key(1000 * 510);
    verso_diff *diff = NULL;
    cr_assert_eq(verso_diff_open(views[0], views[1], &range, &diff), VERSO_OK);
    memset(bound, 'x', sizeof bound); /* the bounds were copied */
    verso_change change;
    unsigned changes = 0;
    while (verso_diff_next(diff, &change) == VERSO_OK) {
        changes++;
    }
    cr_assert_eq(changes, 10);
    cr_assert_leq(verso_diff_pages(diff), 2 * (10 + 2 * 4));
    verso_diff_close(diff);
    verso_view_close(views[0]);
    verso_view_close(views[1]);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* ---- long values ---- */

Test(difference, equal_long_values_are_told_by_their_content)
{
    struct versions_config config = versions_draw(0);
    struct versions *versions = versions_open(&config);
    static char value[40000]; /* at pages of 512 bytes: several extents */
    memset(value, 'v', sizeof value);
    verso_slice slice = {value, sizeof value};
    for (unsigned i = 0; i < 3; i++) {
        verso_txn *txn = begin(versions->store);
        expected_begin(&versions->expected);
        value[sizeof value - 1] = i == 2 ? 'w' : 'v'; /* the second is the first, rewritten */
        cr_assert_eq(verso_put(txn, verso_text("long"), slice), VERSO_OK);
        expected_put(&versions->expected, verso_text("long"), slice);
        commit(txn);
        expected_commit(&versions->expected, (verso_slice){NULL, 0});
    }
    compare(versions, 1, 2, NULL);
    compare(versions, 2, 3, NULL);
    compare(versions, 3, 1, NULL);
    versions_close(versions);
}

/* ---- arguments ---- */

/* NULL for one view: everything in the other one is removed, or added. */
Test(difference, no_view_is_an_empty_tree)
{
    struct versions_config config = versions_draw(2);
    struct versions *versions = versions_open(&config);
    versions_commit(versions, 20);
    static const struct tree_state nothing;
    verso_view *view = versions_view(versions, 20);
    for (unsigned round = 0; round < 10; round++) {
        const struct tree_state *state = versions_state(versions, 20);
        const verso_range *range = round == 0 ? NULL : versions_some_range(versions, state);
        uint64_t pages = 0;
        struct expected_walk added = {.from = &nothing, .to = state, .range = range};
        const char *fault = expected_compare_difference(NULL, view, &added, &pages);
        cr_assert_null(fault, "seed %" PRIu64 ": %s", versions->config.seed, fault);
        struct expected_walk removed = {.from = state, .to = &nothing, .range = range};
        fault = expected_compare_difference(view, NULL, &removed, &pages);
        cr_assert_null(fault, "seed %" PRIu64 ": %s", versions->config.seed, fault);
    }
    verso_view_close(view);
    versions_close(versions);
}

Test(difference, an_empty_tree_against_a_transactions_view_that_changes)
{
    verso_store *store = NULL;
    verso_txn *txn = NULL;
    cr_assert_eq(verso_open(NULL, NULL, &store), VERSO_OK);
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("a"), verso_text("1")), VERSO_OK);
    verso_diff *diff = NULL;
    verso_change change;
    cr_assert_eq(verso_diff_open(NULL, verso_txn_view(txn), NULL, &diff), VERSO_OK);
    cr_assert_eq(verso_diff_next(diff, &change), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("b"), verso_text("2")), VERSO_OK);
    cr_assert_eq(verso_diff_next(diff, &change), VERSO_OK);
    cr_assert_eq(change.kind, VERSO_CHANGE_ADDED);
    cr_assert_eq(memcmp(change.key.data, "b", 1), 0);
    cr_assert_eq(verso_diff_next(diff, &change), VERSO_NOT_FOUND);
    verso_diff_close(diff);
    verso_abort(txn);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(difference, bad_arguments_are_refused)
{
    verso_store *stores[2] = {NULL, NULL};
    verso_view *views[2] = {NULL, NULL};
    for (unsigned i = 0; i < 2; i++) {
        verso_options options = VERSO_OPTIONS_INIT;
        cr_assert_eq(verso_open(NULL, &options, &stores[i]), VERSO_OK);
        cr_assert_eq(verso_view_open(stores[i], &views[i]), VERSO_OK);
    }
    verso_diff *diff = NULL;
    cr_assert_eq(verso_diff_open(NULL, NULL, NULL, &diff), VERSO_INVALID);
    cr_assert_eq(verso_diff_open(views[0], views[0], NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_diff_open(views[0], views[1], NULL, &diff), VERSO_INVALID);
    verso_range range = {.size = 3};
    cr_assert_eq(verso_diff_open(views[0], views[0], &range, &diff), VERSO_INVALID);
    cr_assert_null(diff);
    verso_change change;
    cr_assert_eq(verso_diff_next(NULL, &change), VERSO_INVALID);
    cr_assert_eq(verso_diff_pages(NULL), 0);
    verso_diff_close(NULL);
    cr_assert_eq(verso_diff_open(views[0], views[0], NULL, &diff), VERSO_OK, "of nothing");
    cr_assert_eq(verso_diff_next(diff, NULL), VERSO_INVALID);
    cr_assert_eq(verso_diff_next(diff, &change), VERSO_NOT_FOUND);
    verso_diff_close(diff);
    for (unsigned i = 0; i < 2; i++) {
        verso_view_close(views[i]);
        cr_assert_eq(verso_close(stores[i]), VERSO_OK);
    }
}
