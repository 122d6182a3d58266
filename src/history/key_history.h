/*
 * key_history.h - the values that one key has had in the kept roots, newest first.
 *
 * A leaf born in version b holds what it holds in every version from b on: so a walk looks at one
 * root a leaf, not at every root.
 *
 * Threads: one at a time. The walk pins the roots that it needs; the first one stays pinned by the
 * caller until the walk is closed.
 */
#ifndef VERSO_HISTORY_KEY_HISTORY_H
#define VERSO_HISTORY_KEY_HISTORY_H

#include "history/history.h"
#include "tree/value.h"

struct vs_key_history;

/** A value, or the key's absence, and the oldest kept root since which it has been so. */
struct vs_key_state {
    struct vs_root_record root; /* its note is in the walk's memory */
    bool deleted;
    struct vs_value_place value; /* not if deleted; pinned until the walk's next step */
};

/**
 * Begin a walk back from a root.
 *
 * @param root  Pinned by the caller.
 * @param tree  The number of a named tree, whatever its names were; 0: the default one.
 * @param key   Copied.
 * @param[out] history  Free it with vs_key_history_close().
 */
verso_err vs_key_history_open(struct vs_store *store, const struct vs_root_record *root,
                              uint64_t tree, verso_slice key, struct vs_key_history **history);

/** The next older state. VERSO_NOT_FOUND: there is none. An error stays. */
verso_err vs_key_history_next(struct vs_key_history *history, struct vs_key_state *state);

/** Roots in which the key was looked up so far. */
uint64_t vs_key_history_lookups(const struct vs_key_history *history);

/** NULL is allowed. */
void vs_key_history_close(struct vs_key_history *history);

#endif
