/*
 * count_test.c - counts, ranks, n-th and random entries and shares of ranges, beside a sorted
 * array: in the newest root, in an old one, and within a write transaction.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "page_keys.h"
#include "range_model.h"
#include "simulated_disk.h"
#include "verso.h"

enum { KEYS = 1500, RANGES = 150, PAGE_SIZES = 3 };

static const uint32_t page_sizes[PAGE_SIZES] = {512, 4096, 65536};

/** A store in memory with two states: of an old root, and of a transaction on top of it. */
struct counted {
    uint64_t seed;
    struct simulated_random random;
    verso_store *store;
    verso_view *old;
    verso_txn *txn;
    struct tree_state before;
    struct tree_state now;
    uint8_t *keys; /* of both states: PAGE_KEY_MAX bytes each */
};

static verso_slice next_key(struct counted *counted, unsigned number, uint32_t page_size)
{
    uint8_t *key = counted->keys + (size_t)number * PAGE_KEY_MAX;
    size_t key_max = vs_leaf_key_max(page_size);
    size_t size = page_keys_next(PAGE_KEYS_ANY, &counted->random, key_max, key);
    return (verso_slice){key, size};
}

static void change(struct counted *counted, unsigned from, unsigned to, uint32_t page_size)
{
    for (unsigned i = from; i < to; i++) {
        verso_slice key = next_key(counted, i, page_size);
        verso_err err = verso_put(counted->txn, key, verso_text("value"));
        cr_assert_eq(err, VERSO_OK, "seed=%" PRIu64 ": %s", counted->seed, verso_error_detail());
        tree_state_put(&counted->now, key, verso_text("value"));
    }
}

static void begin(struct counted *counted)
{
    verso_err err = verso_begin(counted->store, &counted->txn);
    cr_assert_eq(err, VERSO_OK);
}

static void set_up(struct counted *counted, uint64_t seed, uint32_t page_size)
{
    *counted = (struct counted){.seed = seed, .random = {seed}};
    counted->keys = malloc((size_t)KEYS * 2 * PAGE_KEY_MAX);
    cr_assert_not_null(counted->keys);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = page_size;
    verso_err err = verso_open(NULL, &options, &counted->store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    begin(counted);
    change(counted, 0, KEYS, page_size);
    verso_commit_options commit = VERSO_COMMIT_OPTIONS_INIT;
    commit.view = &counted->old;
    err = verso_commit(counted->txn, &commit, NULL);
    cr_assert_eq(err, VERSO_OK);
    counted->before = tree_state_copy(&counted->now);
    begin(counted);
    change(counted, KEYS, 2 * KEYS, page_size);
    for (unsigned i = 0; i < KEYS / 3; i++) {
        size_t gone = (size_t)simulated_random_below(&counted->random, counted->now.count);
        err = verso_delete(counted->txn, counted->now.pairs[gone].key);
        cr_assert_eq(err, VERSO_OK);
        tree_state_remove(&counted->now, gone);
    }
}

static void tear_down(struct counted *counted)
{
    verso_abort(counted->txn);
    verso_view_close(counted->old);
    verso_err err = verso_close(counted->store);
    cr_assert_eq(err, VERSO_OK);
    tree_state_clear(&counted->before);
    tree_state_clear(&counted->now);
    free(counted->keys);
}

static bool same_key(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/** The i-th of `count` random numbers that choose each of `count` entries once. */
static uint64_t nth_random(uint64_t i, uint64_t count)
{
    uint64_t step = UINT64_MAX / count;
    return i * step + step / 2;
}

static void expect_random(verso_view *view, const verso_range *range,
                          const struct tree_state *state, size_t first, size_t count)
{
    verso_entry entry;
    if (count == 0) {
        cr_assert_eq(verso_random(view, range, 1, &entry), VERSO_NOT_FOUND);
        return;
    }
    for (size_t i = 0; i < count; i += 1 + count / 5) {
        verso_err err = verso_random(view, range, nth_random(i, count), &entry);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        cr_assert(same_key(entry.key, state->pairs[first + i].key), "random entry %zu", i);
    }
    verso_err err = verso_random(view, range, UINT64_MAX, &entry);
    cr_assert_eq(err, VERSO_OK);
    cr_assert(same_key(entry.key, state->pairs[first + count - 1].key));
}

/** One after the other, the shares hold every key of the range once, in nearly equal numbers. */
static void expect_shares(verso_view *view, const verso_range *range,
                          const struct tree_state *state, size_t first, size_t count,
                          uint64_t shares)
{
    size_t at = first;
    for (uint64_t share = 0; share < shares; share++) {
        verso_cursor *cursor;
        verso_err err = verso_cursor_open_share(view, range, shares, share, &cursor);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        size_t before = at;
        verso_entry entry;
        while ((err = verso_cursor_next(cursor, &entry)) == VERSO_OK) {
            cr_assert_lt(at, first + count, "share %" PRIu64 " goes on", share);
            cr_assert(same_key(entry.key, state->pairs[at].key), "share %" PRIu64, share);
            at++;
        }
        cr_assert_eq(err, VERSO_NOT_FOUND);
        size_t size = at - before;
        cr_assert(size == count / shares || size == (count + shares - 1) / shares,
                  "share %" PRIu64 " of %" PRIu64 ": %zu of %zu", share, shares, size, count);
        verso_cursor_close(cursor);
    }
    cr_assert_eq(at, first + count);
}

static void compare_range(struct counted *counted, verso_view *view, const struct tree_state *state)
{
    static struct range_model model;
    range_model_draw(&model, state, &counted->random);
    size_t first = 0;
    size_t expected = range_model_count(&model.range, state, &first);
    uint64_t count = UINT64_MAX;
    verso_err err = verso_count(view, &model.range, &count);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(count, expected, "seed=%" PRIu64 ": %" PRIu64 " instead of %zu", counted->seed,
                 count, expected);
    expect_random(view, &model.range, state, first, expected);
    if (simulated_random_below(&counted->random, 10) == 0) {
        uint64_t shares = 1 + simulated_random_below(&counted->random, 9);
        expect_shares(view, &model.range, state, first, expected, shares);
    }
}

static void compare_ranks(verso_view *view, const struct tree_state *state)
{
    verso_entry entry;
    for (size_t i = 0; i < state->count; i += 7) {
        uint64_t rank = UINT64_MAX;
        cr_assert_eq(verso_rank(view, state->pairs[i].key, &rank), VERSO_OK);
        cr_assert_eq(rank, i);
        cr_assert_eq(verso_nth(view, i, &entry), VERSO_OK);
        cr_assert(same_key(entry.key, state->pairs[i].key), "entry %zu", i);
        cr_assert(same_key(entry.value, state->pairs[i].value));
    }
    cr_assert_eq(verso_nth(view, state->count, &entry), VERSO_NOT_FOUND);
    cr_assert_eq(verso_nth(view, UINT64_MAX, &entry), VERSO_NOT_FOUND);
}

static void compare(struct counted *counted, verso_view *view, const struct tree_state *state)
{
    uint64_t count;
    cr_assert_eq(verso_count(view, NULL, &count), VERSO_OK);
    cr_assert_eq(count, state->count);
    compare_ranks(view, state);
    for (unsigned i = 0; i < RANGES; i++) {
        compare_range(counted, view, state);
    }
    expect_shares(view, NULL, state, 0, state->count, 1);
    expect_shares(view, NULL, state, 0, state->count, 16);
}

Test(count, agrees_with_sorted_arrays_in_old_roots_and_transactions)
{
    for (unsigned i = 0; i < PAGE_SIZES; i++) {
        struct counted counted;
        set_up(&counted, page_keys_seed() + i, page_sizes[i]);
        compare(&counted, counted.old, &counted.before);
        compare(&counted, verso_txn_view(counted.txn), &counted.now);
        tear_down(&counted);
    }
}

/* ---- cost ---- */

/** Pages of the file that were read since open: each gets its bit when it is verified. */
static unsigned pages_read(const verso_store *store)
{
    unsigned sum = 0;
    const struct vs_pages *pages = &store->store->pages;
    for (uint64_t word = 0; word <= store->store->space.high_water / 64; word++) {
        sum += (unsigned)__builtin_popcountll(atomic_load(&pages->verified[word]));
    }
    return sum;
}

static verso_store *open_on(struct simulated_disk *disk)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 512;
    options.system = simulated_disk_os(disk);
    verso_store *store;
    verso_err err = verso_open("store", &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

Test(count, reads_one_page_a_level_for_each_bound)
{
    enum { MANY_KEYS = 20000 };
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    for (unsigned i = 0; i < MANY_KEYS; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key%06u", i);
        cr_assert_eq(verso_put(txn, verso_text(key), verso_text("value")), VERSO_OK);
    }
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
    store = open_on(disk);
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    range.from = verso_text("key001000");
    range.to = verso_text("key019000");
    unsigned before = pages_read(store);
    uint64_t count = 0;
    cr_assert_eq(verso_count(view, &range, &count), VERSO_OK);
    cr_assert_eq(count, 18000);
    unsigned depth = view->tree.root.depth;
    cr_assert_geq(depth, 3);
    cr_assert_leq(pages_read(store) - before, 2 * depth);
    before = pages_read(store);
    verso_entry entry;
    cr_assert_eq(verso_nth(view, 10000, &entry), VERSO_OK);
    cr_assert_leq(pages_read(store) - before, depth);
    verso_view_close(view);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

/* ---- edges ---- */

static verso_store *small_store(unsigned keys, verso_view **view)
{
    verso_store *store;
    verso_txn *txn;
    verso_err err = verso_open(NULL, NULL, &store);
    cr_assert_eq(err, VERSO_OK);
    err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK);
    for (unsigned i = 0; i < keys; i++) {
        char key = (char)('a' + i);
        err = verso_put(txn, (verso_slice){&key, 1}, verso_text("value"));
        cr_assert_eq(err, VERSO_OK);
    }
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.view = view;
    err = verso_commit(txn, &options, NULL);
    cr_assert_eq(err, VERSO_OK);
    return store;
}

static void close_small(verso_store *store, verso_view *view)
{
    verso_view_close(view);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(count, of_an_empty_tree_is_zero_everywhere)
{
    verso_view *view;
    verso_store *store = small_store(0, &view);
    uint64_t count = 1;
    verso_entry entry;
    cr_assert_eq(verso_count(view, NULL, &count), VERSO_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(verso_rank(view, verso_text("a"), &count), VERSO_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(verso_nth(view, 0, &entry), VERSO_NOT_FOUND);
    cr_assert_eq(verso_random(view, NULL, 0, &entry), VERSO_NOT_FOUND);
    verso_cursor *cursor;
    cr_assert_eq(verso_cursor_open_share(view, NULL, 3, 1, &cursor), VERSO_OK);
    cr_assert_eq(verso_cursor_next(cursor, &entry), VERSO_NOT_FOUND);
    verso_cursor_close(cursor);
    close_small(store, view);
}

Test(count, more_shares_than_keys_leaves_some_empty)
{
    verso_view *view;
    verso_store *store = small_store(3, &view);
    unsigned met = 0;
    for (uint64_t share = 0; share < 10; share++) {
        verso_cursor *cursor;
        verso_entry entry;
        cr_assert_eq(verso_cursor_open_share(view, NULL, 10, share, &cursor), VERSO_OK);
        unsigned before = met;
        while (verso_cursor_next(cursor, &entry) == VERSO_OK) {
            met++;
        }
        cr_assert_leq(met - before, 1);
        verso_cursor_close(cursor);
    }
    cr_assert_eq(met, 3);
    close_small(store, view);
}

/* A bound may be longer than any key: it lies between keys all the same. */
Test(count, bounds_may_be_longer_than_keys)
{
    verso_view *view;
    verso_store *store = small_store(3, &view);
    enum { SIZE = 100000 };
    char *bytes = malloc(SIZE);
    cr_assert_not_null(bytes);
    memset(bytes, 'b', SIZE);
    verso_range range = {.size = sizeof range, .has_from = true, .from = {bytes, SIZE}};
    uint64_t count;
    cr_assert_eq(verso_count(view, &range, &count), VERSO_OK);
    cr_assert_eq(count, 1);
    range = (verso_range){.size = sizeof range, .has_to = true, .to = {bytes, SIZE}};
    cr_assert_eq(verso_count(view, &range, &count), VERSO_OK);
    cr_assert_eq(count, 2);
    memset(bytes, 0xff, SIZE);
    range = (verso_range){.size = sizeof range, .has_prefix = true, .prefix = {bytes, SIZE}};
    cr_assert_eq(verso_count(view, &range, &count), VERSO_OK);
    cr_assert_eq(count, 0);
    free(bytes);
    close_small(store, view);
}

Test(count, refuses_arguments_that_make_no_sense)
{
    verso_view *view;
    verso_store *store = small_store(3, &view);
    uint64_t count;
    verso_entry entry;
    verso_cursor *cursor;
    verso_range unsized = {.size = 0};
    verso_range dataless = {.size = sizeof dataless, .has_to = true, .to = {NULL, 3}};
    cr_assert_eq(verso_count(NULL, NULL, &count), VERSO_INVALID);
    cr_assert_eq(verso_count(view, NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_count(view, &unsized, &count), VERSO_INVALID);
    cr_assert_eq(verso_count(view, &dataless, &count), VERSO_INVALID);
    cr_assert_eq(verso_rank(NULL, verso_text("a"), &count), VERSO_INVALID);
    cr_assert_eq(verso_rank(view, (verso_slice){NULL, 1}, &count), VERSO_INVALID);
    cr_assert_eq(verso_nth(view, 0, NULL), VERSO_INVALID);
    cr_assert_eq(verso_random(view, &unsized, 0, &entry), VERSO_INVALID);
    cr_assert_eq(verso_cursor_open_share(view, NULL, 0, 0, &cursor), VERSO_INVALID);
    cr_assert_eq(verso_cursor_open_share(view, NULL, 3, 3, &cursor), VERSO_INVALID);
    cr_assert_not_null(strstr(verso_error_detail(), "share 3 of 3"));
    cr_assert_eq(verso_cursor_open_share(view, &dataless, 3, 0, &cursor), VERSO_INVALID);
    close_small(store, view);
}
