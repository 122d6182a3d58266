/*
 * revert.h - what reverting one tree and reverting all share.
 *
 * Threads: that of the running transaction.
 */
#ifndef VERSO_API_REVERT_H
#define VERSO_API_REVERT_H

#include "api/handles.h"

/** May the transaction be reverted to what the view shows? VERSO_INVALID, VERSO_FORKED,
 *  VERSO_MUST_ABORT. */
verso_err vs_revert_check(const verso_txn *txn, const verso_view *to);

/** Make the handle's tree equal to `to` in a range. An error after the first change breaks the
 *  transaction. @param[out] changes  Keys put or deleted; may be NULL. */
verso_err vs_revert_tree(verso_txn *txn, const struct vs_tree_view *to,
                         const struct vs_key_range *range, uint64_t *changes);

#endif
