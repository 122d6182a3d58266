/*
 * random_history.h - commits drawn at random, and comparing two stores root by root.
 *
 * The same seed gives the same commits. Everything fails the test where Verso does not do as asked.
 */
#ifndef VERSO_TESTS_RANDOM_HISTORY_H
#define VERSO_TESTS_RANDOM_HISTORY_H

#include "page_keys.h"
#include "simulated_random.h"
#include "verso.h"

/** What the commits are like. */
struct random_history {
    struct simulated_random random;
    enum page_keys keys;
    unsigned changes_max;  /* of a commit */
    size_t long_value_max; /* bytes; one value in eight is up to so long */
    bool trees;            /* create, fill, rename and drop named trees as well */
};

/** Commit once: mostly puts, or mostly deletions, with a note or without. @return The root. */
verso_root_id random_history_commit(struct random_history *history, verso_store *store);

/** Commit until the store has `count` more roots. */
void random_history_commits(struct random_history *history, verso_store *store, unsigned count);

/**
 * Compare one root of two stores: time, note, fingerprint, named trees, every key with its value.
 * @return NULL, or what differs; valid until the next call.
 */
const char *random_history_compare_root(verso_store *a, verso_store *b, verso_root_id root);

/** Compare the lists of roots from `from` on, and each of these roots. */
const char *random_history_compare(verso_store *a, verso_store *b, verso_root_id from);

#endif
