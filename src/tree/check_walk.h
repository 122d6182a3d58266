/*
 * check_walk.h - the state of one check of one tree, between its two files: tree_check.c walks,
 * check_content.c proves what a leaf holds.
 */
#ifndef VERSO_TREE_CHECK_WALK_H
#define VERSO_TREE_CHECK_WALK_H

#include "tree/path.h"
#include "tree/proofs.h"
#include "tree/tree.h"

/** A bound of the keys below a page. */
struct vs_check_bound {
    bool is_set; /* else there is none on this side */
    verso_slice key;
};

struct vs_check_walk {
    const struct vs_tree_view *view;
    uint64_t tree_id;
    struct vs_tree_check *check;
    struct vs_path path;
    struct vs_check_bound low[VS_TREE_DEPTH_MAX];  /* of the path's page at each level, inclusive */
    struct vs_check_bound high[VS_TREE_DEPTH_MAX]; /* exclusive */
    struct vs_proof proof[VS_TREE_DEPTH_MAX];      /* so far, of the path's page at each level */
    vs_page_no last_leaf;                          /* 0: none yet */
    uint8_t *low_bytes;                            /* key_max bytes a level */
    uint8_t *high_bytes;
    uint8_t *key;
    size_t key_max;
};

/** Report the first fault. @return VERSO_CORRUPT. */
verso_err vs_check_fault(struct vs_check_walk *walk, vs_page_no page, const char *text);

/** Take over a fault that a lower floor has found and described. @return `err`. */
verso_err vs_check_pass_on(struct vs_check_walk *walk, vs_page_no page, verso_err err);

/** A page that belongs to the tree: alive, and not met before as far as the caller knows. It
 *  becomes part of the proof. */
verso_err vs_check_reached(struct vs_check_walk *walk, vs_page_no page, enum vs_page_kind kind,
                           struct vs_proof *proof);

/** Prove the pairs of the leaf that was entered, or pass them if that was done: its proof gets its
 *  fingerprint and the pages of its long values. */
verso_err vs_check_pairs(struct vs_check_walk *walk);

#endif
