/*
 * range_cut.h - where a range of keys leaves a tree, and the cut itself: what stays is joined.
 *
 *                 [ . . . ]             above the fork: one path
 *                     |
 *             [ . L x x x R . ]         the fork: the lowest page on both paths
 *                /         \
 *         [ . L x x ]   [ x R . ]       x: children that go whole
 *            /              \
 *     [ . . e e e ]     [ e e . . ]     e: entries that go, of the first leaf and the last
 *
 * Pages of the two paths are copied where something in them stays, and go where nothing does.
 *
 * Threads: the holder of the writer lock.
 */
#ifndef VERSO_TREE_RANGE_CUT_H
#define VERSO_TREE_RANGE_CUT_H

#include <stdbool.h>

#include "tree/edit.h"

struct vs_range_cut {
    struct vs_path left;  /* to the first leaf that loses entries; its index: the first of them */
    struct vs_path right; /* to the last such leaf; its index: behind the last of them */
    unsigned fork;        /* level of the lowest page on both paths */
    unsigned left_kept;   /* level of the lowest page on the path that stays; depth: none does */
    unsigned right_kept;
};

/**
 * Find where a range begins and ends. Changes nothing.
 *
 * @param[out] empty  The tree has no key in the range; *cut is not set.
 * @retval VERSO_CORRUPT  A page on the way is damaged, or keys are out of order.
 */
verso_err vs_range_cut_find(const struct vs_tree_view *view, const struct vs_key_range *range,
                            struct vs_range_cut *cut, bool *empty);

/** Pages that the cut and what mends it afterwards may need. */
unsigned vs_range_cut_worst_case(const struct vs_tree_edit *edit);

/** Cut: copy the edges that stay, link the chain across, take out what goes, count anew. The pages
 *  that go were dropped already. Pages may be left underfull. */
verso_err vs_range_cut_apply(struct vs_tree_edit *edit, struct vs_range_cut *cut);

/** After the cut of `range`: lose height, and merge or even out what it left underfull. */
verso_err vs_range_cut_settle(struct vs_tree_edit *edit, const struct vs_key_range *range);

#endif
