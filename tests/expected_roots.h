/*
 * expected_roots.h - what every root of a store must hold: one sorted array per version, and
 * the note that came with it; which of them are kept; and comparing a store with all that.
 *
 * Bytes of keys and values are kept once, for as long as the whole.
 */
#ifndef VERSO_TESTS_EXPECTED_ROOTS_H
#define VERSO_TESTS_EXPECTED_ROOTS_H

#include "expected_keeping.h"
#include "expected_trees.h"
#include "simulated_random.h"
#include "tree_state.h"
#include "verso.h"

struct expected_root {
    struct tree_state state;     /* of the default tree */
    struct expected_trees named; /* and of the others */
    uint64_t fingerprint;
    verso_slice note;
};

struct expected_chunk;

struct expected_roots {
    struct expected_root *root; /* [0, issued]; 0 is the empty state */
    size_t capacity;
    uint64_t issued;   /* newest version that a commit may have made */
    uint64_t borrowed; /* states up to this version belong to another, see expected_branch() */
    struct tree_state working; /* the open transaction's */
    struct expected_trees working_named;
    struct expected_keeping keeping;
    struct expected_chunk *chunks;
};

void expected_roots_init(struct expected_roots *roots, const verso_retention *policy);
void expected_roots_clear(struct expected_roots *roots);

/**
 * The versions up to `version` once more, on which another future may be built. It borrows their
 * content from `roots`, which must outlive it.
 */
struct expected_roots expected_branch(const struct expected_roots *roots, uint64_t version);

/** A copy of these bytes that lives as long as the whole. */
verso_slice expected_keep(struct expected_roots *roots, verso_slice bytes);

/** Begin a transaction: `working` becomes a copy of the newest state. */
void expected_begin(struct expected_roots *roots);

/** Set a pair of the open transaction. Its bytes are copied. */
void expected_put(struct expected_roots *roots, verso_slice key, verso_slice value);

/** @return Whether the key was there. */
bool expected_delete(struct expected_roots *roots, verso_slice key);

/** The transaction is being committed: the next version. */
uint64_t expected_commit(struct expected_roots *roots, verso_slice note);

/** The policy that keeps the newest `last` roots; 0: all. */
verso_retention expected_policy(uint64_t last);

void expected_abort(struct expected_roots *roots);

/** Versions after this one did not survive a crash. */
void expected_forget_after(struct expected_roots *roots, uint64_t version);

/**
 * Compare one open view with its version, entirely.
 * @return NULL, or what differed; valid until the next call of this thread.
 */
const char *expected_compare_view(const struct expected_roots *roots, verso_view *view,
                                  uint64_t version, struct simulated_random *random);

/** Compare every root that the store must have or must not have, the policy and the tags. */
const char *expected_compare_store(struct expected_roots *roots, verso_store *store,
                                   struct simulated_random *random);

/**
 * A store just opened after a crash: its newest root must be one of [least, issued]. Forgets the
 * later ones, checks the store's invariants and compares every root.
 */
const char *expected_compare_recovered(struct expected_roots *roots, verso_store *store,
                                       uint64_t least, struct simulated_random *random);

/**
 * The same, but swiftly: check has proved that the fingerprint of every root is that of its content,
 * so here the fingerprints are compared; entirely only the newest root and one drawn by chance.
 */
const char *expected_compare_recovered_swiftly(struct expected_roots *roots, verso_store *store,
                                               uint64_t least, struct simulated_random *random);

/** verso_check(). */
const char *expected_check(verso_store *store);

#endif
