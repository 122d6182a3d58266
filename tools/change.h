/*
 * change.h - a verb that changes a store, in one transaction.
 */
#ifndef VERSO_TOOLS_CHANGE_H
#define VERSO_TOOLS_CHANGE_H

#include "session.h"

/** What a verb changes, and how it is told. */
struct change {
    const char *path;
    enum session_use use;     /* SESSION_CHANGES or SESSION_CREATES */
    struct bytes_option tree; /* the tree to change; not given: the default one */
    struct bytes_option note; /* kept with the root */
    bool tree_may_be_new;     /* the tree is made if there is none */
    const char *counted;      /* what `count` counts, to be told with the root; or NULL */
    struct session session;   /* open while the work is done */
    uint64_t count;           /* set by the work */
};

/**
 * Open the store, do `work` in a transaction, commit, print the root, close. `work` says itself
 * what failed in it, and the transaction is then aborted.
 *
 * @return The exit code (message.h).
 */
int change_run(struct change *change,
               int (*work)(struct change *change, verso_txn *txn, void *argument), void *argument);

#endif
