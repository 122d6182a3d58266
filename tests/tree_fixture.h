/*
 * tree_fixture.h - test support: trees of numbered keys, made and asked in one line each.
 *
 * Key n is "key%08u" and its value "value of %u, %s" of the number and a mark, padded to a given
 * size.
 */
#ifndef VERSO_TESTS_TREE_FIXTURE_H
#define VERSO_TESTS_TREE_FIXTURE_H

#include "tree/cursor.h"
#include "tree_store.h"

enum { FIXTURE_VALUE_MAX = 4096 };

/** Bytes live until the next call. */
verso_slice fixture_key(unsigned number);
verso_slice fixture_value(unsigned number, const char *mark, size_t size);

/** Upsert and delete what must work. */
void fixture_put(struct vs_tree_edit *edit, unsigned number, const char *mark, size_t size);
void fixture_delete(struct vs_tree_edit *edit, unsigned number);

/** Put the keys from, from + step, ... below `to` in a transaction of their own. @return Its
 * version. */
uint64_t fixture_commit_keys(struct tree_store *store, unsigned from, unsigned to, unsigned step,
                             const char *mark, size_t size);

/** The number in a key. */
unsigned fixture_number(verso_slice key);

/** Does the view have this key with this value? */
bool fixture_has(const struct vs_tree_view *view, unsigned number, const char *mark, size_t size);

#endif
