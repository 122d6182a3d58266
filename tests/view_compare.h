/*
 * view_compare.h - reading a view through the public API beside a sorted array of what it must
 * hold.
 *
 * Works on views of roots and of transactions alike. Every function returns NULL, or what differed.
 */
#ifndef VERSO_TESTS_VIEW_COMPARE_H
#define VERSO_TESTS_VIEW_COMPARE_H

#include "simulated_random.h"
#include "tree_state.h"
#include "verso.h"

/** Are these the same bytes? */
bool view_same_bytes(verso_slice a, verso_slice b);

/** Everything, forward and backward, in batches, and every key by itself. */
const char *view_compare_all(verso_view *view, const struct tree_state *state,
                             struct simulated_random *random);

/** One read of a kind drawn at random; `key` is a key that may be there or not. */
const char *view_compare_some(verso_view *view, const struct tree_state *state, verso_slice key,
                              struct simulated_random *random);

#endif
