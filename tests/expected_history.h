/*
 * expected_history.h - what sorted arrays say about differences, a key's values and reverts, and
 * comparing a store with that.
 *
 * The calls that compare answer NULL, or what differed: valid until the next call of this thread.
 */
#ifndef VERSO_TESTS_EXPECTED_HISTORY_H
#define VERSO_TESTS_EXPECTED_HISTORY_H

#include "expected_roots.h"

/** A place in two states, from which their differences are found one by one. Begin zeroed. */
struct expected_walk {
    const struct tree_state *from;
    const struct tree_state *to;
    const verso_range *range; /* NULL: all keys */
    size_t at_from;
    size_t at_to;
};

/** @return Whether there was another difference. */
bool expected_walk_next(struct expected_walk *walk, verso_change *change);

bool expected_same_change(const verso_change *a, const verso_change *b);

/** Compare all differences between two views. @param[out] pages  verso_diff_pages() at the end. */
const char *expected_compare_difference(verso_view *from, verso_view *to,
                                        struct expected_walk *walk, uint64_t *pages);

/** Compare the values that a key has had, from the view of this version on, which is kept, in the
 *  roots that the store lists. The view shows the tree of that number; 0: the default one. */
const char *expected_compare_values(const struct expected_roots *roots, verso_store *store,
                                    verso_view *view, uint64_t version, uint64_t tree,
                                    verso_slice key);

/** Make a state equal to another in a range. @return How many changes that took. */
uint64_t expected_revert(struct tree_state *state, const struct tree_state *to,
                         const verso_range *range);

#endif
