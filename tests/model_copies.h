/*
 * model_copies.h - steps of a store model that copy the store, follow it with increments, and
 * compare the copies with what is expected of it.
 *
 * The calls answer NULL, or what went wrong: valid until the next call of this thread.
 */
#ifndef VERSO_TESTS_MODEL_COPIES_H
#define VERSO_TESTS_MODEL_COPIES_H

#include "expected_roots.h"
#include "simulated_disk.h"

/** A copy that increments bring up to date. Begin zeroed. */
struct model_mirror {
    uint64_t newest; /* its newest root */
    bool is_there;
};

/** Copy all roots, the newest or some to a file of its own, compare it and remove it. */
const char *model_copy_step(struct expected_roots *roots, verso_store *store,
                            struct simulated_disk *disk, struct simulated_random *random);

/** Make a mirror, or bring it up to date by an increment; compare it. */
const char *model_mirror_step(struct model_mirror *mirror, struct expected_roots *roots,
                              verso_store *store, struct simulated_disk *disk,
                              struct simulated_random *random);

/** What a crash has left of copies: nothing, or under its name a whole one. */
const char *model_copies_recovered(const struct expected_roots *roots, struct simulated_disk *disk);

/** Remove the files of all copies. */
void model_copies_remove(struct model_mirror *mirror, struct simulated_disk *disk);

#endif
