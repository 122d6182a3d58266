/*
 * tree_cursor_test.c - where cursors land and go, on fixed views and under changes.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tree_fixture.h"

enum { KEYS = 1000, VALUE = 40 }; /* even numbers below 2 * KEYS; bytes */

static struct tree_store *store;
static struct vs_tree_view view;
static struct vs_tree_cursor *cursor;

static void open_cursor(void)
{
    store = tree_store_open(512, 0);
    uint64_t version = fixture_commit_keys(store, 0, 2 * KEYS, 2, "v", VALUE);
    view = tree_store_view(store, version);
    cr_assert_eq(vs_tree_cursor_open(&view, NULL, &cursor), VERSO_OK);
}

static void close_cursor(void)
{
    vs_tree_cursor_close(cursor);
    tree_store_close(store);
}

TestSuite(tree_cursor, .init = open_cursor, .fini = close_cursor);

/** The number under an entry, or -1 for VERSO_NOT_FOUND. */
static int number(verso_err err, const struct vs_tree_entry *entry)
{
    if (err == VERSO_NOT_FOUND) {
        return -1;
    }
    cr_assert_eq(err, VERSO_OK);
    int found = (int)fixture_number(entry->key);
    return found;
}

static int next(struct vs_tree_cursor *of)
{
    struct vs_tree_entry entry;
    return number(vs_tree_cursor_next(of, &entry), &entry);
}

static int previous(struct vs_tree_cursor *of)
{
    struct vs_tree_entry entry;
    return number(vs_tree_cursor_previous(of, &entry), &entry);
}

static int current(struct vs_tree_cursor *of)
{
    struct vs_tree_entry entry;
    return number(vs_tree_cursor_current(of, &entry), &entry);
}

static int seek(struct vs_tree_cursor *of, verso_seek how, unsigned key)
{
    struct vs_tree_entry entry;
    return number(vs_tree_cursor_seek(of, how, fixture_key(key), &entry), &entry);
}

Test(tree_cursor, a_fresh_cursor_stands_nowhere)
{
    cr_assert_eq(current(cursor), -1);
    cr_assert_eq(next(cursor), 0);
    cr_assert_eq(current(cursor), 0);
}

Test(tree_cursor, a_fresh_cursor_goes_back_to_the_last_entry)
{
    cr_assert_eq(previous(cursor), 2 * KEYS - 2);
}

Test(tree_cursor, both_ends_can_be_left_again)
{
    struct vs_tree_entry entry;
    cr_assert_eq(number(vs_tree_cursor_last(cursor, &entry), &entry), 2 * KEYS - 2);
    cr_assert_eq(next(cursor), -1);
    cr_assert_eq(next(cursor), -1);
    cr_assert_eq(current(cursor), -1);
    cr_assert_eq(previous(cursor), 2 * KEYS - 2);
    cr_assert_eq(number(vs_tree_cursor_first(cursor, &entry), &entry), 0);
    cr_assert_eq(previous(cursor), -1);
    cr_assert_eq(previous(cursor), -1);
    cr_assert_eq(next(cursor), 0);
    cr_assert_eq(next(cursor), 2);
}

Test(tree_cursor, goes_through_all_entries_in_both_directions)
{
    for (int i = 0; i < KEYS; i++) {
        cr_assert_eq(next(cursor), 2 * i);
    }
    cr_assert_eq(next(cursor), -1);
    for (int i = KEYS; i-- > 0;) {
        cr_assert_eq(previous(cursor), 2 * i);
    }
    cr_assert_eq(previous(cursor), -1);
}

Test(tree_cursor, seeks_land_beside_and_on_keys)
{
    for (unsigned key = 1; key < 2 * KEYS - 2; key++) {
        int below = (int)((key - 1) / 2 * 2);
        int at = (int)(key / 2 * 2);
        int above = at + 2;
        bool there = key % 2 == 0;
        cr_assert_eq(seek(cursor, VERSO_SEEK_LT, key), below);
        cr_assert_eq(seek(cursor, VERSO_SEEK_LE, key), at);
        cr_assert_eq(seek(cursor, VERSO_SEEK_EQ, key), there ? at : -1);
        cr_assert_eq(seek(cursor, VERSO_SEEK_GE, key), there ? at : above);
        cr_assert_eq(seek(cursor, VERSO_SEEK_GT, key), above);
        cr_assert_eq(previous(cursor), at);
    }
}

Test(tree_cursor, a_seek_that_finds_nothing_stands_beyond_that_end)
{
    cr_assert_eq(seek(cursor, VERSO_SEEK_GT, 2 * KEYS - 2), -1);
    cr_assert_eq(next(cursor), -1);
    cr_assert_eq(previous(cursor), 2 * KEYS - 2);
    cr_assert_eq(seek(cursor, VERSO_SEEK_LT, 0), -1);
    cr_assert_eq(previous(cursor), -1);
    cr_assert_eq(next(cursor), 0);
}

Test(tree_cursor, after_a_missed_exact_seek_steps_go_from_the_gap)
{
    cr_assert_eq(seek(cursor, VERSO_SEEK_EQ, 777), -1);
    cr_assert_eq(current(cursor), -1);
    cr_assert_eq(next(cursor), 778);
    cr_assert_eq(seek(cursor, VERSO_SEEK_EQ, 777), -1);
    cr_assert_eq(previous(cursor), 776);
}

Test(tree_cursor, a_key_longer_than_any_can_be_has_its_place_too)
{
    uint8_t bytes[600];
    memset(bytes, 0, sizeof bytes);
    verso_slice key = fixture_key(500);
    memcpy(bytes, key.data, key.size);
    struct vs_tree_entry entry;
    verso_slice longer = {bytes, sizeof bytes};
    cr_assert_eq(vs_tree_cursor_seek(cursor, VERSO_SEEK_EQ, longer, &entry), VERSO_NOT_FOUND);
    cr_assert_eq(previous(cursor), 500);
    cr_assert_eq(vs_tree_cursor_seek(cursor, VERSO_SEEK_EQ, longer, &entry), VERSO_NOT_FOUND);
    cr_assert_eq(next(cursor), 502);
}

Test(tree_cursor, a_key_handed_out_may_be_sought_with)
{
    struct vs_tree_entry entry;
    cr_assert_eq(vs_tree_cursor_seek(cursor, VERSO_SEEK_GE, fixture_key(600), &entry), VERSO_OK);
    cr_assert_eq(number(vs_tree_cursor_seek(cursor, VERSO_SEEK_LT, entry.key, &entry), &entry),
                 598);
    entry.key.size--; /* "key0000059": below 590 */
    cr_assert_eq(number(vs_tree_cursor_seek(cursor, VERSO_SEEK_EQ, entry.key, &entry), &entry), -1);
    cr_assert_eq(next(cursor), 590);
}

Test(tree_cursor, an_empty_tree_has_only_ends)
{
    struct vs_tree_view empty = tree_store_view(store, 0);
    struct vs_tree_cursor *nowhere = NULL;
    cr_assert_eq(vs_tree_cursor_open(&empty, NULL, &nowhere), VERSO_OK);
    cr_assert_eq(next(nowhere), -1);
    cr_assert_eq(previous(nowhere), -1);
    for (int how = VERSO_SEEK_LT; how <= VERSO_SEEK_GT; how++) {
        cr_assert_eq(seek(nowhere, (verso_seek)how, 5), -1);
    }
    verso_entry entries[2];
    size_t count = 9;
    cr_assert_eq(
        vs_tree_cursor_batch(nowhere, false, (verso_slice){NULL, 0}, false, entries, 2, &count),
        VERSO_NOT_FOUND);
    cr_assert_eq(count, 0);
    vs_tree_cursor_close(nowhere);
}

/* ---- batches ---- */

enum { CAPACITY = 2 * KEYS };

static verso_entry entries[CAPACITY];

static size_t batch(unsigned to, bool inclusive, size_t capacity)
{
    size_t count = 0;
    verso_err err = vs_tree_cursor_batch(cursor, to != 0, fixture_key(to), inclusive, entries,
                                         capacity, &count);
    cr_assert_eq(err, count == 0 ? VERSO_NOT_FOUND : VERSO_OK);
    return count;
}

Test(tree_cursor, a_batch_hands_out_everything_with_keys_that_stay)
{
    cr_assert_eq(batch(0, false, CAPACITY), KEYS);
    for (unsigned i = 0; i < KEYS; i++) {
        cr_assert_eq(fixture_number(entries[i].key), 2 * i);
        verso_slice expected = fixture_value(2 * i, "v", VALUE);
        cr_assert_arr_eq(entries[i].value.data, expected.data, VALUE);
    }
    cr_assert_eq(batch(0, false, CAPACITY), 0);
    cr_assert_eq(previous(cursor), 2 * KEYS - 2);
}

Test(tree_cursor, batches_go_on_where_the_last_one_stopped)
{
    unsigned expected = 0;
    for (size_t capacity = 1; expected < KEYS; capacity = capacity * 3 % 50 + 1) {
        size_t count = batch(0, false, capacity);
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(fixture_number(entries[i].key), 2 * expected++);
        }
        if (count == capacity) {
            cr_assert_eq(current(cursor), 2 * (int)expected - 2);
        }
    }
}

Test(tree_cursor, a_batch_ends_at_its_bound)
{
    for (unsigned to = 1; to < 300; to++) {
        cr_assert_eq(vs_tree_cursor_first(cursor, NULL), VERSO_OK);
        cr_assert_eq(batch(to, false, KEYS), (to - 1) / 2);
        cr_assert_eq(batch(to, false, KEYS), 0);
        cr_assert_eq(previous(cursor), (int)(to - 1) / 2 * 2);
        cr_assert_eq(vs_tree_cursor_first(cursor, NULL), VERSO_OK);
        cr_assert_eq(batch(to, true, KEYS), to / 2);
        cr_assert_eq(next(cursor), (int)to / 2 * 2 + 2);
    }
}

Test(tree_cursor, a_batch_may_have_more_keys_than_fit_one_block_of_memory)
{
    enum { LONG_KEY = 900, LONG_KEYS = 300 };
    struct tree_store *large = tree_store_open(4096, 1);
    struct vs_tree_edit *edit = tree_store_begin(large);
    uint8_t key[LONG_KEY];
    memset(key, 'k', sizeof key);
    for (unsigned i = 0; i < LONG_KEYS; i++) {
        bool broken = false;
        key[LONG_KEY - 1] = (uint8_t)i;
        key[LONG_KEY - 2] = (uint8_t)(i >> 8);
        cr_assert_eq(vs_tree_put(edit, VS_PUT_INSERT, (verso_slice){key, LONG_KEY},
                                 (verso_slice){NULL, 0}, NULL, NULL, &broken),
                     VERSO_OK);
    }
    uint64_t version = tree_store_commit(large);
    struct vs_tree_view of_large = tree_store_view(large, version);
    struct vs_tree_cursor *over = NULL;
    cr_assert_eq(vs_tree_cursor_open(&of_large, NULL, &over), VERSO_OK);
    for (unsigned round = 0; round < 2; round++) {
        size_t count = 0;
        cr_assert_eq(vs_tree_cursor_first(over, NULL), VERSO_OK);
        cr_assert_eq(
            vs_tree_cursor_batch(over, false, (verso_slice){NULL, 0}, false, entries, KEYS, &count),
            VERSO_OK);
        cr_assert_eq(count, LONG_KEYS - 1);
        for (unsigned i = 0; i < count; i++) {
            const uint8_t *bytes = entries[i].key.data;
            cr_assert_eq(entries[i].key.size, LONG_KEY);
            cr_assert_eq(bytes[LONG_KEY - 1] + (bytes[LONG_KEY - 2] << 8), (int)i + 1);
        }
    }
    vs_tree_cursor_close(over);
    tree_store_close(large);
}

/* ---- under changes ---- */

static struct vs_tree_edit *begin_with_cursor(struct vs_tree_cursor **inside)
{
    struct vs_tree_edit *edit = tree_store_begin(store);
    struct vs_tree_view own = vs_tree_edit_view(edit);
    cr_assert_eq(vs_tree_cursor_open(&own, edit, inside), VERSO_OK);
    return edit;
}

Test(tree_cursor, deleting_the_current_entry_skips_none)
{
    struct vs_tree_cursor *inside = NULL;
    struct vs_tree_edit *edit = begin_with_cursor(&inside);
    for (int i = 0; i < KEYS; i++) {
        cr_assert_eq(next(inside), 2 * i);
        fixture_delete(edit, 2 * (unsigned)i);
        cr_assert_eq(current(inside), -1);
    }
    cr_assert_eq(next(inside), -1);
    cr_assert_eq(edit->root.page, 0);
    vs_tree_cursor_close(inside);
    tree_store_check(store, tree_store_tip(store));
}

Test(tree_cursor, deleting_backwards_skips_none)
{
    struct vs_tree_cursor *inside = NULL;
    struct vs_tree_edit *edit = begin_with_cursor(&inside);
    for (int i = KEYS; i-- > 0;) {
        cr_assert_eq(previous(inside), 2 * i);
        fixture_delete(edit, 2 * (unsigned)i);
    }
    cr_assert_eq(previous(inside), -1);
    vs_tree_cursor_close(inside);
}

Test(tree_cursor, entries_put_ahead_are_met_and_those_behind_are_not)
{
    struct vs_tree_cursor *inside = NULL;
    struct vs_tree_edit *edit = begin_with_cursor(&inside);
    for (int i = 0; i < KEYS; i++) {
        cr_assert_eq(next(inside), 2 * i);
        if (i > 0) {
            fixture_put(edit, 2 * (unsigned)i - 1, "behind", VALUE);
        }
        fixture_put(edit, 2 * (unsigned)i + 1, "ahead", VALUE);
        cr_assert_eq(current(inside), 2 * i);
        cr_assert_eq(next(inside), 2 * i + 1);
        fixture_delete(edit, 2 * (unsigned)i + 1);
    }
    vs_tree_cursor_close(inside);
    tree_store_check_edit(store);
}

Test(tree_cursor, a_cursor_on_a_fixed_view_does_not_see_a_running_transaction)
{
    cr_assert_eq(next(cursor), 0);
    struct vs_tree_edit *edit = tree_store_begin(store);
    for (unsigned i = 0; i < KEYS; i++) {
        fixture_delete(edit, 2 * i);
    }
    for (int i = 1; i < KEYS; i++) {
        cr_assert_eq(next(cursor), 2 * i);
    }
    cr_assert_eq(next(cursor), -1);
}
