/*
 * keeping.h - what says which roots are kept, written down: the tags' tree, and its operations.
 *
 * The tags' tree lives by the clock of generations. Its keys are the tags' names; under the empty
 * name, which no tag has, lies the set of retained roots. The policy stands in the meta.
 *
 *      key          value
 *      (empty)      the retained set (store/version_set.h); no entry: every root
 *      a name       root (u64), time (i64)
 *
 * Threads: the holder of the writer lock; at open, the opening thread.
 */
#ifndef VERSO_HISTORY_KEEPING_H
#define VERSO_HISTORY_KEEPING_H

#include "format/operation.h"
#include "store/store.h"

/** Read what the meta names, after vs_store_open(). What cannot be read is VERSO_CORRUPT or
 *  VERSO_IO for a writer, and rebuilt for a read-only handle. VERSO_NOMEM. */
verso_err vs_keeping_load(struct vs_store *store);

/** Take the roots in the history tree for the set, and no tags: `keeping_damaged` is set. Read-only
 *  handles. VERSO_NOMEM. */
verso_err vs_keeping_rebuild(struct vs_store *store);

/** Bring the tree up to date at a checkpoint's freeze. */
verso_err vs_keeping_save(struct vs_store *store, struct vs_page_writer *writer,
                          struct vs_tree_root *tags);

/** What is wrong with an operation of this store's log that changes no tree, or NULL. `newest`: the
 *  last root that may be there before it. */
const char *vs_keeping_fault(const struct vs_store *store, const struct vs_operation *operation,
                             uint64_t newest);

/** Do in memory what a sound operation says. VERSO_NOMEM; VERSO_NOT_FOUND: a tag of a root that is
 *  not kept. */
verso_err vs_keeping_apply(struct vs_store *store, const struct vs_operation *operation);

/** Log one operation on policy or tags and do it; the setting was begun (vs_store_begin_setting()).
 *  *end_lsn: what to wait for. After an error nothing was done, nor logged. */
verso_err vs_keeping_do(struct vs_store *store, const struct vs_operation *operation,
                        uint64_t *end_lsn);

#endif
