/*
 * api_state.h - what a root of the model holds, and comparing a view with it.
 */
#ifndef VERSO_TESTS_FUZZ_API_STATE_H
#define VERSO_TESTS_FUZZ_API_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "verso.h"

enum {
    API_KEYS = 24,
    API_TREES = 3, /* 0 is the default tree */
};

/** The content of a root. */
struct api_state {
    bool exists[API_TREES];
    uint8_t value[API_TREES][API_KEYS]; /* 0: the key is not there; else which value it has */
};

/** Key `number` of all that there are, ascending; the first is the empty one. */
verso_slice api_key(unsigned number);

/** The bytes of a value; which is above 0. Valid for ever. */
verso_slice api_value(uint8_t which);

/** The name of a named tree: 1, 2. */
verso_slice api_tree_name(unsigned tree);

/** An empty root. */
struct api_state api_state_empty(void);

/** How many keys a tree has in [from, to). */
unsigned api_count(const struct api_state *state, unsigned tree, unsigned from, unsigned to);

/** Do two roots hold the same? */
bool api_same(const struct api_state *a, const struct api_state *b);

/** Compare a view of one tree with the model, read in every way. */
void api_compare_tree(verso_view *view, const struct api_state *state, unsigned tree);

/** Compare all trees of a root or a transaction. */
void api_compare_view(verso_view *view, const struct api_state *state);

/** Compare the difference of two views of the default tree with the model's. */
void api_compare_difference(verso_view *from, const struct api_state *before, verso_view *to,
                            const struct api_state *after);

#endif
