/*
 * expected_kept.h - what a store has kept, beside what it must and may have kept.
 *
 * The calls that compare answer NULL, or what differed: valid until the next call of this thread.
 */
#ifndef VERSO_TESTS_EXPECTED_KEPT_H
#define VERSO_TESTS_EXPECTED_KEPT_H

#include "expected_keeping.h"

/**
 * See which roots are there: after each call that may have dropped some. None must have come back;
 * what went must have been free to go, the oldest first where only the budget drove it out.
 *
 * @param exactly  The policy was just applied to all roots: what had to go must be gone.
 */
const char *expected_observe(struct expected_keeping *keeping, verso_store *store, bool exactly);

/**
 * The same after a crash that left the newest root and those before it: what was promised to be
 * gone is gone, what could not be is there. A setting that was under way holds, or does not.
 */
const char *expected_observe_recovered(struct expected_keeping *keeping, verso_store *store);

/** If the handle has made a checkpoint since it was last asked, this version was its root. @return
 *  Whether it has. */
bool expected_note_checkpoint(struct expected_keeping *keeping, verso_store *store,
                              uint64_t version);

/** The commit of the newest root has returned. What was known of checkpoints is from its begin. */
void expected_note_commit(struct expected_keeping *keeping, verso_store *store);

/** The policy and all tags. */
const char *expected_compare_settings(const struct expected_settings *settings, verso_store *store);

#endif
