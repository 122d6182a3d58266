/*
 * tree_store.h - test support: a tree in an in-memory store, committed version by version.
 *
 * Every call that cannot succeed for a reason that is not the test's subject ends the test.
 */
#ifndef VERSO_TESTS_TREE_STORE_H
#define VERSO_TESTS_TREE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "tree/tree.h"

struct tree_store;

/** Open a store that keeps the newest `keep_last` versions (0: all). */
struct tree_store *tree_store_open(uint32_t page_size, uint64_t keep_last);
void tree_store_close(struct tree_store *store);

/** Begin a transaction on the newest version. It is the caller's until commit or abort. */
struct vs_tree_edit *tree_store_begin(struct tree_store *store);
/** @return The new version. */
uint64_t tree_store_commit(struct tree_store *store);
void tree_store_abort(struct tree_store *store);

/** The newest committed version, and the oldest one that is kept. */
uint64_t tree_store_tip(const struct tree_store *store);
uint64_t tree_store_oldest(const struct tree_store *store);

/** A kept version. */
struct vs_tree_view tree_store_view(const struct tree_store *store, uint64_t version);

/** Prove a version with vs_tree_check(): structure, fingerprint, and that no page is reached
 * twice. */
void tree_store_check(struct tree_store *store, uint64_t version);
/** The same for the open transaction's own view. */
void tree_store_check_edit(struct tree_store *store);

#endif
