/*
 * view_counts.h - counts, ranks, n-th and random entries and shares of a view beside a sorted array.
 */
#ifndef VERSO_TESTS_VIEW_COUNTS_H
#define VERSO_TESTS_VIEW_COUNTS_H

#include "simulated_random.h"
#include "tree_state.h"
#include "verso.h"

/** Ask for a few of them. @return NULL, or what differed. */
const char *view_compare_counts(verso_view *view, const struct tree_state *state,
                                struct simulated_random *random);

#endif
