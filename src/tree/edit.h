/*
 * edit.h - what the editing files of this floor share: the workspace of a transaction, the path
 * that it remembers, and the moves from which puts and deletes are built.
 *
 * Order of every change (so that what can fail comes first):
 *   1. vs_edit_begin(): page pointers from before are gone; memory is there.
 *   2. vs_edit_locate(), compare, decide; nothing is changed yet.
 *   3. vs_writer_reserve(): pages for the worst case.
 *   4. vs_edit_own_path() and the change itself. What fails from here on breaks the transaction.
 *
 * Threads: the holder of the writer lock.
 */
#ifndef VERSO_TREE_EDIT_H
#define VERSO_TREE_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/branch.h"
#include "format/leaf.h"
#include "tree/path.h"
#include "tree/tree.h"

/** Memory for changes, and the last descent. Nothing in it outlives its transaction's edit. */
struct vs_edit_workspace {
    const struct vs_tree_edit *user; /* the edit that it served last */
    struct vs_path path; /* of the last change; page numbers and indices only, once it has ended */
    bool remembered;     /* path and bounds are those of a leaf of the tree as it is now */
    bool has_low;        /* the leaf holds keys from `low` on; else from the first */
    bool has_high;       /* and below `high`; else to the last */
    verso_slice low;     /* in low_bytes */
    verso_slice high;    /* in high_bytes */
    uint8_t *low_bytes;  /* vs_leaf_key_max() bytes, as each of the next five */
    uint8_t *high_bytes;
    uint8_t *separator[2]; /* of a split: the one being put in and the one that follows from it */
    uint8_t *key;
    uint8_t *edge;             /* the first or last key of a page that is to be trusted */
    uint8_t *scratch[2];       /* a page each: encoded here where the sources are still needed */
    unsigned leaf_cells_max;   /* room in leaf_cells: two leaves' and one more, or a batch's */
    unsigned branch_cells_max; /* room in branch_cells: two branches' and one more */
    struct vs_leaf_cell *leaf_cells;
    struct vs_branch_cell *branch_cells;
};

/** Memory for changes of trees of this page size. NULL: there is none. Free it with free(). */
struct vs_edit_workspace *vs_edit_workspace_new(size_t page_size);

/** Begin a change: a step of the writer; the workspace is there afterwards. Changes nothing. */
verso_err vs_edit_begin(struct vs_tree_edit *edit);

/**
 * Find the leaf for a key of a tree that is not empty; workspace->path leads there. Only the leaf's
 * bytes are good: those of the branches are after vs_edit_own_path().
 */
verso_err vs_edit_locate(struct vs_tree_edit *edit, verso_slice key);

/** Pages that one put or delete may need, however it goes. */
unsigned vs_edit_worst_case(const struct vs_tree_edit *edit);

/**
 * Before a page is changed, or cells of it are written elsewhere, its word about itself is a
 * stranger's: changes go by its count without looking again, and separators are made from its keys.
 * So both must agree with the branches above, whose bytes are good.
 *
 * @param path   Leads to the page, or to a neighbour under the same branch.
 * @param index  Its place in that branch; of a root any.
 * @retval VERSO_CORRUPT  They do not.
 */
verso_err vs_edit_trust(const struct vs_tree_edit *edit, const struct vs_path *path, unsigned level,
                        unsigned index, vs_page_no page, const uint8_t *bytes);

/**
 * Does `separator` belong behind child `index` of the branch and before child `end`? What is made of
 * keys that lie where the branches say does; in a tree whose pages are used twice nothing is sure.
 *
 * @retval VERSO_CORRUPT  It does not.
 */
verso_err vs_edit_check_separator(const struct vs_path_step *branch, unsigned index, unsigned end,
                                  verso_slice separator);

/** Make the path's pages from the root down to `lowest` the transaction's own. */
verso_err vs_edit_own_path(struct vs_tree_edit *edit, struct vs_path *path, unsigned lowest);

/** Make the path's leaf writable; its path and its neighbour's link follow if it had to be
 * copied. */
verso_err vs_edit_own_leaf(struct vs_tree_edit *edit, struct vs_path *path, bool with_path);

/** For a leaf that is to go, or to be written anew without being copied: make the branches above it
 * the transaction's own. *next is the leaf behind it. */
verso_err vs_edit_own_branches(struct vs_tree_edit *edit, struct vs_path *path, vs_page_no *next);

/** Add to the counts along an owned path. */
void vs_edit_count(struct vs_tree_edit *edit, struct vs_path *path, int64_t keys);

/** The fingerprint's term of a cell: what a change of it takes away. */
verso_err vs_edit_term(const struct vs_tree_edit *edit, vs_page_no leaf, verso_slice key,
                       struct vs_payload payload, struct vs_run_ref *ref, uint64_t *term);

/* ---- insert.c ---- */

/**
 * Put a new child right of the owned path's child at `level` (1: of the leaf), with `keys` of the
 * keys that were counted for that one. Splits branches as needed; the path moves onto the new
 * child.
 *
 * @param separator  Not in workspace->separator[1].
 * @param append     The path leads to the last leaf: branches that split stay full.
 */
verso_err vs_edit_insert_child(struct vs_tree_edit *edit, struct vs_path *path, unsigned level,
                               verso_slice separator, vs_page_no child, uint64_t keys, bool append);

/* ---- rebalance.c ---- */

/** Is the path's page at `level` less than a quarter full? */
bool vs_edit_is_underfull(const struct vs_tree_edit *edit, const struct vs_path *path,
                          unsigned level);

/** Take away roots with a single child. */
verso_err vs_edit_lose_height(struct vs_tree_edit *edit);

/** Merge or even out the owned path's page at `level`, and those above it, where they are less than
 *  a quarter full; the tree loses height where it can. Forgets the remembered path; the path itself
 *  may lead to pages that are no more. */
verso_err vs_edit_rebalance(struct vs_tree_edit *edit, struct vs_path *path, unsigned level);

/** Take the owned path's child at `level` (it is dropped already) out of its parent, and parents
 *  that it leaves empty out of theirs; then rebalance. */
verso_err vs_edit_remove_child(struct vs_tree_edit *edit, struct vs_path *path, unsigned level);

/* ---- chain.c ---- */

/**
 * From this version on, `next` follows the leaf left of the path's. Leaves whose link slots are
 * full are copied, from right to left. The path's branches are the transaction's own.
 */
verso_err vs_chain_relink(struct vs_tree_edit *edit, const struct vs_path *path, vs_page_no next);

/** `next` (0: none) follows `leaf`, which was born in this transaction. */
verso_err vs_chain_link(struct vs_tree_edit *edit, vs_page_no leaf, vs_page_no next);

#endif
