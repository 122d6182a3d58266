/*
 * catalogue.h - the tree that knows a root's named trees; its entries: format/tree_record.h.
 *
 * Threads: as vs_tree_get() and vs_tree_put(). Whatever the catalogue's pages hold, an entry that
 * is none is VERSO_CORRUPT.
 */
#ifndef VERSO_TREE_CATALOGUE_H
#define VERSO_TREE_CATALOGUE_H

#include "format/tree_record.h"
#include "tree/tree.h"

/* ---- reading ---- */

/** The tree of that name. VERSO_NOT_FOUND. */
verso_err vs_catalogue_find(const struct vs_tree_view *catalogue, verso_slice name,
                            struct vs_tree_record *record);

/** The name of the tree of that number, and what it stands for. VERSO_NOT_FOUND.
 *  @param[out] name  In `bytes`. */
verso_err vs_catalogue_find_number(const struct vs_tree_view *catalogue, uint64_t number,
                                   uint8_t bytes[VERSO_NAME_MAX], verso_slice *name,
                                   struct vs_tree_record *record);

/** The first tree whose name is above `after` (empty: the first of all). VERSO_NOT_FOUND.
 *  @param[out] name  In `bytes`. */
verso_err vs_catalogue_next(const struct vs_tree_view *catalogue, verso_slice after,
                            uint8_t bytes[VERSO_NAME_MAX], verso_slice *name,
                            struct vs_tree_record *record);

/** The number that the next new tree gets. */
verso_err vs_catalogue_next_number(const struct vs_tree_view *catalogue, uint64_t *number);

/* ---- changing: what fails in the middle sets *broken ---- */

/** Enter a new name for a tree whose number no other has; later ones will get higher numbers. */
verso_err vs_catalogue_enter(struct vs_tree_edit *catalogue, verso_slice name,
                             const struct vs_tree_record *record, bool *broken);

/** Say anew what a name stands for. */
verso_err vs_catalogue_update(struct vs_tree_edit *catalogue, verso_slice name,
                              const struct vs_tree_record *record, bool *broken);

/** Take a name and its number out. */
verso_err vs_catalogue_remove(struct vs_tree_edit *catalogue, verso_slice name, uint64_t number,
                              bool *broken);

/** Give a tree another name, which nobody has. */
verso_err vs_catalogue_rename(struct vs_tree_edit *catalogue, verso_slice name,
                              const struct vs_tree_record *record, verso_slice to, bool *broken);

#endif
