/*
 * versions_fixture.h - a store with a random past, beside a sorted array for each of its roots.
 *
 * Transactions split, merge and drop leaves, copy them without changing anything, and set values
 * that were there before. The same seed gives the same store. What cannot fail for a reason that is
 * the test's subject ends the test, naming seed and root.
 */
#ifndef VERSO_TESTS_VERSIONS_FIXTURE_H
#define VERSO_TESTS_VERSIONS_FIXTURE_H

#include "expected_roots.h"
#include "page_keys.h"
#include "range_model.h"
#include "simulated_disk.h"
#include "verso.h"

struct versions_config {
    uint64_t seed;
    uint32_t page_size;
    bool in_memory;
    uint64_t keep_last;   /* 0: all roots */
    uint64_t arena_bytes; /* 0: the default */
    uint64_t log_bytes;   /* 0: the default */
    enum page_keys keys;
    size_t long_value_max; /* bytes; one value in 16 is up to so long */
    size_t keys_target;    /* about so many keys after a while */
    unsigned changes_max;  /* in a transaction */
};

struct versions {
    struct versions_config config;
    struct simulated_disk *disk;
    verso_store *store;
    struct expected_roots expected;
    struct simulated_random random;
    uint8_t key[PAGE_KEY_MAX];
    uint8_t *value;
    struct range_model range;
};

/** Different pages, keys and values for each number. The seed of the run is in it. */
struct versions_config versions_draw(unsigned number);

struct versions *versions_open(const struct versions_config *config);

/** Check the store, close it, forget all. */
void versions_close(struct versions *versions);

/** Close and open again. */
void versions_reopen(struct versions *versions);

/** Make random changes through `txn`, in the expected state too: expected_begin() was called. */
void versions_change(struct versions *versions, verso_txn *txn, unsigned changes);

/** Commit `count` transactions of random changes, with notes; now and then a checkpoint. */
void versions_commit(struct versions *versions, unsigned count);

/** A root that is kept. */
uint64_t versions_some_root(struct versions *versions);

/** Open a kept root. */
verso_view *versions_view(struct versions *versions, uint64_t root);

const struct tree_state *versions_state(const struct versions *versions, uint64_t root);

/** The note of a root; valid until the next call. */
verso_slice versions_note(uint64_t root);

/** A key that a state has, or any. */
verso_slice versions_some_key(struct versions *versions, const struct tree_state *state);

/** A range near the keys of a state; valid until the next call. */
const verso_range *versions_some_range(struct versions *versions, const struct tree_state *state);

/** verso_check(). */
void versions_check(struct versions *versions);

#endif
