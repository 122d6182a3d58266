/*
 * tree_state.h - the reference for trees: a sorted array of pairs, and comparing a view of a tree
 * with one in every way that a tree can be read.
 */
#ifndef VERSO_TESTS_TREE_STATE_H
#define VERSO_TESTS_TREE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulated_random.h"
#include "tree/cursor.h"

/** Bytes are borrowed: whoever fills a state owns them. */
struct tree_state {
    verso_entry *pairs;
    size_t count;
    size_t capacity;
};

/** @return Whether `key` is there. *index: its place, or that of the first greater key. */
bool tree_state_find(const struct tree_state *state, verso_slice key, size_t *index);
/** Set a pair, new or not. */
void tree_state_put(struct tree_state *state, verso_slice key, verso_slice value);
void tree_state_remove(struct tree_state *state, size_t index);
/** Remove `count` pairs from `index` on. */
void tree_state_remove_many(struct tree_state *state, size_t index, size_t count);
/** An independent copy of the array. */
struct tree_state tree_state_copy(const struct tree_state *state);
void tree_state_clear(struct tree_state *state);

/** Where a seek lands in the reference: an index, or -1 for nowhere. */
long tree_state_seek(const struct tree_state *state, verso_seek how, verso_slice key);

/** A key near those that are there: one of them, cut short, made longer or changed in its last byte.
 *  It lies in `buffer` (`size_max` bytes). */
verso_slice tree_state_near_key(const struct tree_state *state, struct simulated_random *random,
                                uint8_t *buffer, size_t size_max);

/** Is this the pair's value, however it lies? */
bool tree_value_is(struct vs_pages *pages, const struct vs_tree_value *value, verso_slice expected);

/**
 * Read the whole view forward, backward, in batches, by key and by seeks, and compare.
 * @return NULL, or what differed.
 */
const char *tree_state_compare(const struct tree_state *state, const struct vs_tree_view *view,
                               struct simulated_random *random);

#endif
