/*
 * api_state.c - keys, values, and reading views against them.
 */
#include "api_state.h"

#include <stdio.h>
#include <string.h>

#include "verdict.h"

enum {
    KEY_SIZE = 100, /* bytes at most: what pages of 512 allow is a little more */
    VALUE_SIZE = 2600,
};

verso_slice api_key(unsigned number)
{
    static char keys[API_KEYS][KEY_SIZE + 1];
    static size_t sizes[API_KEYS];
    if (sizes[1] == 0) {
        for (unsigned i = 1; i < API_KEYS; i++) { /* long and short, with prefixes in common */
            size_t fill = i % 3 == 0 ? 70 : i % 3;
            int size = snprintf(keys[i], sizeof keys[i], "%c%02u", 'a' + (int)(i / 8), i);
            memset(keys[i] + size, 'x', fill);
            sizes[i] = (size_t)size + fill;
        }
    }
    return (verso_slice){keys[number], sizes[number]};
}

verso_slice api_value(uint8_t which)
{
    static const uint16_t sizes[] = {0, 1, 8, 60, 120, 200, 700, VALUE_SIZE};
    static uint8_t bytes[UINT8_MAX + VALUE_SIZE];
    if (bytes[1] == 0) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)i;
        }
    }
    return (verso_slice){bytes + which, sizes[which % 8]};
}

verso_slice api_tree_name(unsigned tree)
{
    return verso_text(tree == 1 ? "one" : "two");
}

struct api_state api_state_empty(void)
{
    struct api_state state;
    memset(&state, 0, sizeof state);
    state.exists[0] = true;
    return state;
}

unsigned api_count(const struct api_state *state, unsigned tree, unsigned from, unsigned to)
{
    unsigned count = 0;
    for (unsigned key = from; key < to; key++) {
        count += state->value[tree][key] != 0;
    }
    return count;
}

bool api_same(const struct api_state *a, const struct api_state *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool same(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void compare_entry(const verso_entry *entry, const struct api_state *state, unsigned tree,
                          unsigned key)
{
    verdict_require(same(entry->key, api_key(key)), "another key than the model's");
    verdict_require(same(entry->value, api_value(state->value[tree][key])),
                    "another value than the model's");
}

static void compare_scan(verso_view *view, const struct api_state *state, unsigned tree,
                         bool forward)
{
    verso_cursor *cursor = NULL;
    verso_entry entry;
    verdict_require(verso_cursor_open(view, NULL, &cursor) == VERSO_OK, "no cursor");
    for (unsigned i = 0; i < API_KEYS; i++) {
        unsigned key = forward ? i : API_KEYS - 1 - i;
        if (state->value[tree][key] == 0) {
            continue;
        }
        verso_err err =
            forward ? verso_cursor_next(cursor, &entry) : verso_cursor_previous(cursor, &entry);
        verdict_require(err == VERSO_OK, "a scan ends before the model");
        compare_entry(&entry, state, tree, key);
    }
    verso_err err =
        forward ? verso_cursor_next(cursor, &entry) : verso_cursor_previous(cursor, &entry);
    verdict_require(err == VERSO_NOT_FOUND, "a scan goes on behind the model");
    verso_cursor_close(cursor);
}

static void compare_rank(verso_view *view, const struct api_state *state, unsigned tree,
                         unsigned key, unsigned rank)
{
    verso_entry entry;
    uint64_t below = 0;
    verdict_require(verso_rank(view, api_key(key), &below) == VERSO_OK && below == rank, "a rank");
    if (state->value[tree][key] != 0) {
        verdict_require(verso_nth(view, rank, &entry) == VERSO_OK, "the nth");
        compare_entry(&entry, state, tree, key);
    }
}

/* Gets of all keys; ranks, and entries by them, of every third, which ones depends on the state. */
static void compare_keys(verso_view *view, const struct api_state *state, unsigned tree)
{
    unsigned rank = 0;
    unsigned third = api_count(state, tree, 0, API_KEYS) % 3;
    for (unsigned key = 0; key < API_KEYS; key++) {
        uint8_t which = state->value[tree][key];
        verso_slice value;
        verso_err err = verso_get(view, api_key(key), &value);
        verdict_require(err == (which == 0 ? VERSO_NOT_FOUND : VERSO_OK), "a get");
        verdict_require(which == 0 || same(value, api_value(which)), "a get's value");
        if (key % 3 == third) {
            compare_rank(view, state, tree, key, rank);
        }
        rank += which != 0;
    }
}

void api_compare_tree(verso_view *view, const struct api_state *state, unsigned tree)
{
    uint64_t count = 0;
    compare_scan(view, state, tree, true);
    compare_scan(view, state, tree, false);
    compare_keys(view, state, tree);
    verdict_require(verso_count(view, NULL, &count) == VERSO_OK, "a count fails");
    verdict_require(count == api_count(state, tree, 0, API_KEYS), "another count");
}

void api_compare_view(verso_view *view, const struct api_state *state)
{
    api_compare_tree(view, state, 0);
    for (unsigned tree = 1; tree < API_TREES; tree++) {
        verso_view *named = NULL;
        verso_err err = verso_view_tree(view, api_tree_name(tree), &named);
        verdict_require(err == (state->exists[tree] ? VERSO_OK : VERSO_NOT_FOUND),
                        "a tree that the model has not, or the other way round");
        if (err == VERSO_OK) {
            api_compare_tree(named, state, tree);
        }
    }
}

static void compare_change(const verso_change *change, unsigned key, uint8_t before, uint8_t after)
{
    verso_change_kind kind = before == 0  ? VERSO_CHANGE_ADDED
                             : after == 0 ? VERSO_CHANGE_REMOVED
                                          : VERSO_CHANGE_CHANGED;
    verdict_require(change->kind == kind && same(change->key, api_key(key)), "another difference");
    verdict_require(before == 0 || same(change->old_value, api_value(before)), "an old value");
    verdict_require(after == 0 || same(change->new_value, api_value(after)), "a new value");
}

void api_compare_difference(verso_view *from, const struct api_state *before, verso_view *to,
                            const struct api_state *after)
{
    verso_diff *diff = NULL;
    verso_change change;
    verdict_require(verso_diff_open(from, to, NULL, &diff) == VERSO_OK, "no difference");
    for (unsigned key = 0; key < API_KEYS; key++) {
        uint8_t old_value = before->value[0][key];
        uint8_t new_value = after->value[0][key];
        if ((old_value == 0 && new_value == 0) ||
            (old_value != 0 && new_value != 0 &&
             same(api_value(old_value), api_value(new_value)))) {
            continue;
        }
        verdict_require(verso_diff_next(diff, &change) == VERSO_OK, "a difference is missing");
        compare_change(&change, key, old_value, new_value);
    }
    verdict_require(verso_diff_next(diff, &change) == VERSO_NOT_FOUND, "one difference too many");
    verso_diff_close(diff);
}
