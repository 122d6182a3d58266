/*
 * condemned.h - dropped trees, taken apart page by page along with later commits.
 *
 * Dropping a tree enters its root among the condemned ones of the catalogue: one step, whatever its
 * size. Each commit then walks on through what is left and lets some of its pages die in its own
 * version: children before their branch, so that all pages still needed to go on are alive. The
 * place where a walk stopped stands in the catalogue (format/tree_record.h).
 *
 * Threads: changing needs the writer lock.
 */
#ifndef VERSO_TREE_CONDEMNED_H
#define VERSO_TREE_CONDEMNED_H

#include "format/tree_record.h"
#include "tree/tree.h"

/** What a walk does with a page. */
typedef verso_err (*vs_condemned_take)(void *argument, vs_page_no page, enum vs_page_kind kind);

/** Condemn a tree that is not empty. */
verso_err vs_condemned_add(struct vs_tree_edit *catalogue, const struct vs_tree_root *root,
                           bool *broken);

/** Let up to `pages` pages of condemned trees die. What fails in the middle sets *broken. */
verso_err vs_condemned_reclaim(struct vs_tree_edit *catalogue, uint64_t pages, bool *broken);

/** Walk on from where the record says until `pages` pages were taken; the record follows.
 *  @param[out] done  Nothing is left. */
verso_err vs_condemned_walk(struct vs_pages *from, struct vs_condemned *condemned, uint64_t *pages,
                            vs_condemned_take take, void *argument, bool *done);

#endif
