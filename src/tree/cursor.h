/*
 * cursor.h - a place in a tree: forward along the leaf chain, backward by the parents' arrays.
 *
 * Forward steps follow version-stamped links (docs/architecture.md, "The leaf chain"); the parent's
 * child array, kept from the last descent, only looks ahead (prefetch, read-ahead). Nothing
 * followed is trusted: the target must be a leaf, alive in the version, and keys must strictly
 * ascend.
 */
#ifndef VERSO_TREE_CURSOR_H
#define VERSO_TREE_CURSOR_H

#include "tree/tree.h"

/** An entry under the cursor. */
struct vs_tree_entry {
    verso_slice key; /* in the cursor's buffer; valid until it moves */
    struct vs_tree_value value;
};

/**
 * Open a cursor on a fixed view, or (edit not NULL) on a tree being changed: it then looks anew by
 * its key whenever the edit has changed since its last step.
 */
verso_err vs_tree_cursor_open(const struct vs_tree_view *view, const struct vs_tree_edit *edit,
                              struct vs_tree_cursor **cursor);
void vs_tree_cursor_close(struct vs_tree_cursor *cursor);

/** Moves. VERSO_NOT_FOUND: nothing there; the cursor then stands beyond that end (before the first,
 *  after the last), and the opposite step comes back. A fresh cursor's next is first, its previous
 *  last. Other errors stick until it is placed anew. `entry` may be NULL. */
verso_err vs_tree_cursor_first(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry);
verso_err vs_tree_cursor_last(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry);
verso_err vs_tree_cursor_next(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry);
verso_err vs_tree_cursor_previous(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry);
verso_err vs_tree_cursor_seek(struct vs_tree_cursor *cursor, verso_seek how, verso_slice key,
                              struct vs_tree_entry *entry);
/** Stand on the entry with `rank` entries before it. VERSO_NOT_FOUND: there are not so many; the
 *  cursor then stands after the last. */
verso_err vs_tree_cursor_nth(struct vs_tree_cursor *cursor, uint64_t rank,
                             struct vs_tree_entry *entry);
verso_err vs_tree_cursor_current(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry);

/**
 * Up to `capacity` next entries in one call, leaf by leaf, stopping before the first key above `to`
 * (at or above, unless `to_inclusive`). With `capacity` entries handed out the cursor stands on the
 * last; with fewer it stands beyond it: previous comes back to the last, next goes on behind the
 * bound.
 *
 * @param to       Not looked at unless `has_to`.
 * @param entries Keys live in the cursor's memory until its next batch. The value of a run in
 *                 several extents has data NULL and its size.
 * @param[out] count  How many; fewer than `capacity` means that there are no more.
 * @retval VERSO_NOT_FOUND  There was none.
 */
verso_err vs_tree_cursor_batch(struct vs_tree_cursor *cursor, bool has_to, verso_slice to,
                               bool to_inclusive, verso_entry *entries, size_t capacity,
                               size_t *count);

#endif
