/*
 * tree_state.c - a sorted array of pairs, and reading a view of a tree beside it.
 */
#include "tree_state.h"

#include <stdlib.h>
#include <string.h>

#include "format/key_order.h"
#include "tree/count.h"

bool tree_state_find(const struct tree_state *state, verso_slice key, size_t *index)
{
    size_t from = 0;
    size_t to = state->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = vs_key_compare(state->pairs[middle].key, key);
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    *index = from;
    return false;
}

void tree_state_put(struct tree_state *state, verso_slice key, verso_slice value)
{
    size_t index = 0;
    if (tree_state_find(state, key, &index)) {
        state->pairs[index].value = value;
        return;
    }
    if (state->count == state->capacity) {
        state->capacity = state->capacity * 2 + 64;
        state->pairs = realloc(state->pairs, state->capacity * sizeof state->pairs[0]);
        if (state->pairs == NULL) {
            abort();
        }
    }
    memmove(&state->pairs[index + 1], &state->pairs[index],
            (state->count - index) * sizeof state->pairs[0]);
    state->pairs[index] = (verso_entry){key, value};
    state->count++;
}

void tree_state_remove(struct tree_state *state, size_t index)
{
    state->count--;
    memmove(&state->pairs[index], &state->pairs[index + 1],
            (state->count - index) * sizeof state->pairs[0]);
}

void tree_state_remove_many(struct tree_state *state, size_t index, size_t count)
{
    if (count > 0) {
        state->count -= count;
        memmove(&state->pairs[index], &state->pairs[index + count],
                (state->count - index) * sizeof state->pairs[0]);
    }
}

struct tree_state tree_state_copy(const struct tree_state *state)
{
    struct tree_state copy = {.count = state->count, .capacity = state->count};
    copy.pairs = malloc((state->count + 1) * sizeof copy.pairs[0]);
    if (copy.pairs == NULL) {
        abort();
    }
    if (state->count != 0) {
        memcpy(copy.pairs, state->pairs, state->count * sizeof copy.pairs[0]);
    }
    return copy;
}

void tree_state_clear(struct tree_state *state)
{
    free(state->pairs);
    *state = (struct tree_state){.pairs = NULL};
}

long tree_state_seek(const struct tree_state *state, verso_seek how, verso_slice key)
{
    size_t index = 0;
    bool found = tree_state_find(state, key, &index);
    switch (how) {
    case VERSO_SEEK_LT:
        return (long)index - 1;
    case VERSO_SEEK_LE:
        return found ? (long)index : (long)index - 1;
    case VERSO_SEEK_EQ:
        return found ? (long)index : -1;
    case VERSO_SEEK_GE:
        return index < state->count ? (long)index : -1;
    case VERSO_SEEK_GT:
        index += found;
        return index < state->count ? (long)index : -1;
    }
    return -1;
}

static bool same_bytes(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool tree_value_is(struct vs_pages *pages, const struct vs_tree_value *value, verso_slice expected)
{
    if (value->slice.size != expected.size) {
        return false;
    }
    if (value->slice.data != NULL || expected.size == 0) {
        return same_bytes(value->slice, expected);
    }
    uint8_t *copy = malloc(expected.size);
    bool same = copy != NULL && value->is_run &&
                vs_run_copy(pages, &value->run, 0, copy, expected.size) == VERSO_OK &&
                memcmp(copy, expected.data, expected.size) == 0;
    free(copy);
    return same;
}

static bool is_pair(struct vs_pages *pages, const struct vs_tree_entry *entry,
                    const verso_entry *expected)
{
    return same_bytes(entry->key, expected->key) &&
           tree_value_is(pages, &entry->value, expected->value);
}

static const char *compare_steps(const struct tree_state *state, const struct vs_tree_view *view,
                                 struct vs_tree_cursor *cursor)
{
    struct vs_tree_entry entry;
    for (size_t i = 0; i < state->count; i++) {
        if (vs_tree_cursor_next(cursor, &entry) != VERSO_OK ||
            !is_pair(view->pages, &entry, &state->pairs[i])) {
            return "a step forward";
        }
    }
    for (unsigned twice = 0; twice < 2; twice++) {
        if (vs_tree_cursor_next(cursor, &entry) != VERSO_NOT_FOUND) {
            return "the end";
        }
    }
    for (size_t i = state->count; i-- > 0;) {
        if (vs_tree_cursor_previous(cursor, &entry) != VERSO_OK ||
            !is_pair(view->pages, &entry, &state->pairs[i])) {
            return "a step backward";
        }
    }
    return vs_tree_cursor_previous(cursor, &entry) == VERSO_NOT_FOUND ? NULL : "the beginning";
}

/** Take all in batches of random capacity, with or without a bound. */
static const char *compare_batches(const struct tree_state *state, struct vs_tree_cursor *cursor,
                                   struct simulated_random *random)
{
    enum { CAPACITY = 200 };
    static verso_entry entries[CAPACITY];
    size_t end = state->count;
    bool has_to = state->count > 0 && simulated_random_below(random, 2) == 0;
    bool inclusive = simulated_random_below(random, 2) == 0;
    verso_slice to = {NULL, 0};
    if (has_to) {
        end = (size_t)simulated_random_below(random, state->count);
        to = state->pairs[end].key;
        end += inclusive;
    }
    if (vs_tree_cursor_first(cursor, NULL) == VERSO_OK) {
        (void)vs_tree_cursor_previous(cursor, NULL);
    }
    size_t at = 0;
    for (;;) {
        size_t capacity = 1 + (size_t)simulated_random_below(random, CAPACITY);
        size_t count = 0;
        verso_err err =
            vs_tree_cursor_batch(cursor, has_to, to, inclusive, entries, capacity, &count);
        if ((err == VERSO_NOT_FOUND) != (count == 0) ||
            (err != VERSO_OK && err != VERSO_NOT_FOUND)) {
            return "a batch's result";
        }
        if (count > end - at || (count < capacity && at + count != end)) {
            return "a batch's count";
        }
        for (size_t i = 0; i < count; i++, at++) {
            const verso_entry *expected = &state->pairs[at];
            if (!same_bytes(entries[i].key, expected->key) ||
                entries[i].value.size != expected->value.size ||
                (entries[i].value.data != NULL && !same_bytes(entries[i].value, expected->value))) {
                return "an entry of a batch";
            }
        }
        if (count < capacity) {
            return NULL;
        }
    }
}

static const char *compare_gets(const struct tree_state *state, const struct vs_tree_view *view)
{
    enum { GROUP = 37 };
    static struct vs_tree_value values[GROUP];
    verso_slice keys[GROUP];
    verso_err found[GROUP];
    for (size_t at = 0; at < state->count; at += GROUP) {
        size_t count = state->count - at < GROUP ? state->count - at : GROUP;
        for (size_t i = 0; i < count; i++) {
            keys[i] = state->pairs[at + i].key;
            if (vs_tree_get(view, keys[i], &values[i]) != VERSO_OK ||
                !tree_value_is(view->pages, &values[i], state->pairs[at + i].value)) {
                return "a get";
            }
        }
        if (vs_tree_get_many(view, keys, count, values, found) != VERSO_OK) {
            return "a batched get's result";
        }
        for (size_t i = 0; i < count; i++) {
            if (found[i] != VERSO_OK ||
                !tree_value_is(view->pages, &values[i], state->pairs[at + i].value)) {
                return "a batched get";
            }
        }
    }
    return NULL;
}

verso_slice tree_state_near_key(const struct tree_state *state, struct simulated_random *random,
                                uint8_t *buffer, size_t size_max)
{
    size_t size = 0;
    if (state->count > 0) {
        size_t index = (size_t)simulated_random_below(random, state->count);
        size = state->pairs[index].key.size;
        if (size > 0) {
            memcpy(buffer, state->pairs[index].key.data, size);
        }
    }
    switch (simulated_random_below(random, 4)) {
    case 0:
        size -= size > 0;
        break;
    case 1:
        if (size < size_max) {
            buffer[size++] = (uint8_t)simulated_random_next(random);
        }
        break;
    case 2:
        if (size > 0) {
            buffer[size - 1] ^= (uint8_t)(1 << simulated_random_below(random, 8));
        }
        break;
    default:
        break;
    }
    return (verso_slice){buffer, size};
}

static const char *compare_seeks(const struct tree_state *state, const struct vs_tree_view *view,
                                 struct vs_tree_cursor *cursor, struct simulated_random *random)
{
    enum { SEEKS = 60, KEY_MAX = 16400 };
    static uint8_t buffer[KEY_MAX];
    for (unsigned i = 0; i < SEEKS; i++) {
        verso_slice key =
            tree_state_near_key(state, random, buffer, vs_leaf_key_max(view->pages->page_size) + 2);
        verso_seek how = (verso_seek)(VERSO_SEEK_LT + (int)simulated_random_below(random, 5));
        bool next = simulated_random_below(random, 2) == 0;
        struct vs_tree_entry entry;
        long expected = tree_state_seek(state, how, key);
        verso_err err = vs_tree_cursor_seek(cursor, how, key, &entry);
        if (expected >= 0
                ? err != VERSO_OK || !is_pair(view->pages, &entry, &state->pairs[expected])
                : err != VERSO_NOT_FOUND) {
            return "a seek";
        }
        if (vs_tree_cursor_current(cursor, &entry) != err ||
            (expected >= 0 && !is_pair(view->pages, &entry, &state->pairs[expected]))) {
            return "the entry after a seek";
        }
        /* one step on from there */
        size_t place = 0;
        (void)tree_state_find(state, key, &place);
        long after;
        if (expected >= 0) {
            after = next ? expected + 1 : expected - 1;
        } else if (how == VERSO_SEEK_EQ) {
            after = next ? (long)place : (long)place - 1;
        } else if (how == VERSO_SEEK_LT || how == VERSO_SEEK_LE) {
            after = next ? 0 : -1;
        } else {
            after = next ? (long)state->count : (long)state->count - 1;
        }
        err = next ? vs_tree_cursor_next(cursor, &entry) : vs_tree_cursor_previous(cursor, &entry);
        bool exists = after >= 0 && after < (long)state->count;
        if (exists ? err != VERSO_OK || !is_pair(view->pages, &entry, &state->pairs[after])
                   : err != VERSO_NOT_FOUND) {
            return "a step after a seek";
        }
    }
    return NULL;
}

/** Ranks of keys that are there or not, and the entries at ranks. */
static const char *compare_ranks(const struct tree_state *state, const struct vs_tree_view *view,
                                 struct vs_tree_cursor *cursor, struct simulated_random *random)
{
    enum { RANKS = 40, KEY_MAX = 16400 };
    static uint8_t buffer[KEY_MAX];
    for (unsigned i = 0; i < RANKS; i++) {
        verso_slice key = tree_state_near_key(state, random, buffer, KEY_MAX);
        size_t expected = 0;
        uint64_t rank = UINT64_MAX;
        (void)tree_state_find(state, key, &expected);
        if (vs_tree_rank(view, key, &rank) != VERSO_OK || rank != expected) {
            return "the rank of a key";
        }
        struct vs_tree_entry entry;
        verso_err err = vs_tree_cursor_nth(cursor, rank, &entry);
        if (rank < state->count
                ? err != VERSO_OK || !is_pair(view->pages, &entry, &state->pairs[rank])
                : err != VERSO_NOT_FOUND) {
            return "the entry at a rank";
        }
        err = vs_tree_cursor_previous(cursor, &entry);
        if (rank > 0 ? err != VERSO_OK || !is_pair(view->pages, &entry, &state->pairs[rank - 1])
                     : err != VERSO_NOT_FOUND) {
            return "the entry before a rank";
        }
    }
    return NULL;
}

const char *tree_state_compare(const struct tree_state *state, const struct vs_tree_view *view,
                               struct simulated_random *random)
{
    if (view->root.keys != state->count) {
        return "the number of keys";
    }
    struct vs_tree_cursor *cursor = NULL;
    if (vs_tree_cursor_open(view, NULL, &cursor) != VERSO_OK) {
        return "opening a cursor";
    }
    const char *fault = compare_steps(state, view, cursor);
    if (fault == NULL) {
        fault = compare_batches(state, cursor, random);
    }
    if (fault == NULL) {
        fault = compare_gets(state, view);
    }
    if (fault == NULL) {
        fault = compare_seeks(state, view, cursor, random);
    }
    if (fault == NULL) {
        fault = compare_ranks(state, view, cursor, random);
    }
    vs_tree_cursor_close(cursor);
    return fault;
}
