/*
 * count.h - ranks: how many keys are below a key, and which entry has so many below it.
 *
 * Branches have the number of keys below each child, so both are one descent, in any version and
 * within a transaction.
 *
 * Threads: as of the view.
 */
#ifndef VERSO_TREE_COUNT_H
#define VERSO_TREE_COUNT_H

#include <stdint.h>

#include "tree/path.h"

/** How many keys are below `key`, which need not be there. */
verso_err vs_tree_rank(const struct vs_tree_view *view, verso_slice key, uint64_t *rank);

/** How many keys the range has. VERSO_CORRUPT: the tree's counts contradict each other. */
verso_err vs_tree_count(const struct vs_tree_view *view, const struct vs_key_range *range,
                        uint64_t *count);

/**
 * Descend to the entry with `rank` keys below it; the leaf's index is its own.
 *
 * @param rank  Less than the tree's number of keys.
 * @retval VERSO_CORRUPT  The branches count fewer keys than the root, or the leaf has fewer than
 *                        they count.
 */
verso_err vs_path_to_rank(const struct vs_tree_view *view, uint64_t rank, struct vs_path *path);

#endif
