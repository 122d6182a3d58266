/*
 * tree_set.h - all trees of a running transaction: the default one, the catalogue, and the named
 * ones that were opened so far.
 *
 * A named tree is known by its number; the catalogue leads from a name to it. The catalogue is kept
 * true about names at once, about tops and fingerprints of trees by vs_tree_set_settle() before the
 * commit: until then an open tree's edit counts.
 *
 * Threads: the holder of the writer lock.
 */
#ifndef VERSO_TREE_TREE_SET_H
#define VERSO_TREE_TREE_SET_H

#include <stddef.h>

#include "tree/catalogue.h"
#include "tree/edit.h"
#include "tree/tree.h"

enum { VS_TREE_SET_WORKSPACES = 8 }; /* open trees that each keep their last place */

/** A named tree of the transaction. Stays at its address until the transaction ends. */
struct vs_named_tree {
    struct vs_tree_edit edit;  /* its tree_id is the number */
    struct vs_tree_mark begun; /* as the catalogue has it: what the root's fingerprint counts */
    bool created;              /* in this transaction: no root has it */
    void *handle;              /* of whoever opened it */
};

struct vs_tree_set {
    struct vs_tree_edit main; /* the default tree; its fingerprint begins as that of the root */
    struct vs_tree_edit catalogue;
    uint64_t drift;              /* of the root's fingerprint: by names, and by trees dropped */
    struct vs_named_tree **tree; /* by number, ascending */
    size_t count;
    size_t capacity;
    /* memory of edits, kept from one transaction to the next; trees that find none of their own
     * left use the catalogue's, and their last place is forgotten whenever another one did */
    struct vs_edit_workspace *workspace[VS_TREE_SET_WORKSPACES];
};

/** What an open tree stands at. */
struct vs_tree_state {
    uint64_t number;
    struct vs_tree_mark now;
    struct vs_tree_mark begun;
    bool created;
};

/** What all trees of a set stand at: plain values, good until the transaction ends. */
struct vs_tree_set_state {
    uint64_t drift;
    struct vs_tree_mark main;
    struct vs_tree_mark catalogue;
    size_t count;
    struct vs_tree_state tree[]; /* those that are open, by number */
};

/** Begin on the trees of a root. The set is zeroed, or was ended before (in the same store). */
void vs_tree_set_begin(struct vs_tree_set *set, struct vs_page_writer *writer,
                       const struct vs_root_record *root);

/** The transaction is over: close its named trees, keep memory for the next one. */
void vs_tree_set_end(struct vs_tree_set *set);

/** Free what an ended set keeps. */
void vs_tree_set_clear(struct vs_tree_set *set);

/** Open a tree by name or by number; one that is open already is handed out again.
 *  VERSO_NOT_FOUND, VERSO_NOMEM, VERSO_CORRUPT. */
verso_err vs_tree_set_open(struct vs_tree_set *set, verso_slice name, struct vs_named_tree **tree);
verso_err vs_tree_set_open_number(struct vs_tree_set *set, uint64_t number,
                                  struct vs_named_tree **tree);

/**
 * Create an empty tree under a name that none has.
 *
 * @param number  0: the next one; else one that no tree has now, but may have had.
 * @retval VERSO_EXISTS  The name or the number is taken.
 * @retval others  What fails in the middle sets *broken.
 */
verso_err vs_tree_set_create(struct vs_tree_set *set, verso_slice name, uint64_t number,
                             struct vs_named_tree **tree, bool *broken);

/** Drop a tree, open or not. @param[out] number  What it was. VERSO_NOT_FOUND, others as above. */
verso_err vs_tree_set_drop(struct vs_tree_set *set, verso_slice name, uint64_t *number,
                           bool *broken);

/** Rename a tree. VERSO_NOT_FOUND; VERSO_EXISTS: `to` is another tree's. Others as above. */
verso_err vs_tree_set_rename(struct vs_tree_set *set, verso_slice name, verso_slice to,
                             uint64_t *number, bool *broken);

/** Before a commit: bring the catalogue up to date, and take dropped trees apart a little. */
verso_err vs_tree_set_settle(struct vs_tree_set *set, bool *broken);

/** What the trees stand at now. @return NULL: no memory. Free it with free(). */
struct vs_tree_set_state *vs_tree_set_save(const struct vs_tree_set *set);

/** Let the trees stand there again; their pages are there again already. Trees opened since then go
 *  back to what the root has; those created since then count as dropped. */
void vs_tree_set_restore(struct vs_tree_set *set, const struct vs_tree_set_state *state);

/** The fingerprint of the root that a commit would make now. */
uint64_t vs_tree_set_fingerprint(const struct vs_tree_set *set);

/** Leaves copied for the sake of their link slots, in all trees. */
uint64_t vs_tree_set_relief_copies(const struct vs_tree_set *set);

/** The catalogue as it is now. It knows names, but not what open trees stand at. */
struct vs_tree_view vs_tree_set_catalogue(const struct vs_tree_set *set);

/** Find an open tree by its number. @return NULL: it is not open, or was dropped. */
struct vs_named_tree *vs_tree_set_find(const struct vs_tree_set *set, uint64_t number);

#endif
