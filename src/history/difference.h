/*
 * difference.h - a walk over the keys in which two trees differ, in the order of keys.
 *
 * The trees are of one store, in either order of age. What they share is skipped by page number, so
 * that the pages visited are those that only one of them has, and few more.
 *
 * Threads: one at a time; both versions stay pinned. A tree that a transaction is changing may be
 * walked too: after each change, call vs_difference_restart() before the next step.
 */
#ifndef VERSO_HISTORY_DIFFERENCE_H
#define VERSO_HISTORY_DIFFERENCE_H

#include "tree/value.h"

struct vs_difference;

/** A key that differs. */
struct vs_difference_change {
    verso_change_kind kind;
    verso_slice key;              /* in the walk's memory: valid until its next step */
    struct vs_value_place before; /* in the first tree, unless added */
    struct vs_value_place after;  /* in the second, unless removed */
};

/**
 * Begin a walk.
 *
 * @param range            Which keys; its bounds are copied.
 * @param[out] difference  Free it with vs_difference_close().
 */
verso_err vs_difference_open(const struct vs_tree_view *first, const struct vs_tree_view *second,
                             const struct vs_key_range *range, struct vs_difference **difference);

/** The next change. VERSO_NOT_FOUND: there are no more. An error stays. */
verso_err vs_difference_next(struct vs_difference *difference, struct vs_difference_change *change);

/** Go on behind the last change handed out, in these trees. */
void vs_difference_restart(struct vs_difference *difference, const struct vs_tree_view *first,
                           const struct vs_tree_view *second);

/** Pages of both trees read so far. */
uint64_t vs_difference_pages(const struct vs_difference *difference);

/** NULL is allowed. */
void vs_difference_close(struct vs_difference *difference);

#endif
