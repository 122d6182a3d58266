/*
 * store_searching.h - find one entry again in the ways that a scan does not go: seeks of each kind,
 * parts of values, shares of ranges, entries at random.
 */
#ifndef VERSO_TESTS_FUZZ_STORE_SEARCHING_H
#define VERSO_TESTS_FUZZ_STORE_SEARCHING_H

#include <stdbool.h>

#include "verso.h"

/** Search for an entry that a scan of the view has met; its bytes are the caller's own. */
void store_search_entry(verso_view *view, const verso_entry *entry, bool sound);

/** An entry at random, and a third of the keys from `from` on. `keys`: what the view counts. */
void store_search_ranges(verso_view *view, verso_slice from, uint64_t keys, bool sound);

#endif
