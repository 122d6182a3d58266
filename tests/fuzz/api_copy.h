/*
 * api_copy.h - a copy of the model's store beside it, which increments keep up with it.
 */
#ifndef VERSO_TESTS_FUZZ_API_COPY_H
#define VERSO_TESTS_FUZZ_API_COPY_H

#include <stdbool.h>

#include "api_state.h"
#include "simulated_disk.h"
#include "verso.h"

struct api_copy {
    bool is_there;
    verso_root_id newest; /* in it */
};

/**
 * Make the copy, or an increment since its newest root, and apply that.
 *
 * @param may_go  Roots of the store below may be gone.
 * @return Whether there is a copy: not of an empty store, nor where its newest root is gone.
 */
bool api_copy_go_on(struct api_copy *copy, verso_store *store, struct simulated_disk *disk,
                    verso_root_id may_go);

/** Check the copy, and compare its newest root. */
void api_copy_compare(struct simulated_disk *disk, const struct api_state *newest);

/** Remove it, if it is there. */
void api_copy_forget(struct api_copy *copy, struct simulated_disk *disk);

#endif
