/*
 * kept_set.h - a snapshot of the versions that must stay readable, for judging deaths.
 *
 * "No kept version lies in [born, died)", once true of versions up to the snapshot's tip, stays
 * true: a version that has left the set never comes back, and new ones enter as tip. So an old
 * snapshot errs on the safe side only.
 *
 * Four parts, for they change at different times: what is retained loses a root at nearly every
 * commit, what is on disk or frozen is another set at each checkpoint, and what passes (the
 * published version and those after it, and what readers have pinned) is gathered anew each time.
 */
#ifndef VERSO_STORE_KEPT_SET_H
#define VERSO_STORE_KEPT_SET_H

#include "store/reader_slots.h"
#include "store/version_set.h"

struct vs_kept_set {
    bool known; /* false (zeroed, or after a failure): everything counts as kept */
    struct vs_version_set retained;
    struct vs_version_set on_disk;
    struct vs_version_set frozen;
    struct vs_version_set passing;
    uint64_t checkpoint_stamp; /* of on_disk and frozen */
};

void vs_kept_set_clear(struct vs_kept_set *kept);

/** Begin `passing` anew with [published, infinity) and the versions pinned by readers. The published
 *  version was read before, and what is retained was told of all drops. VERSO_NOMEM. */
verso_err vs_kept_set_gather(struct vs_kept_set *kept, uint64_t published,
                             const struct vs_reader_slots *slots);

/** Does a kept version lie in [born, died)? */
bool vs_kept_set_meets(const struct vs_kept_set *kept, uint64_t born, uint64_t died);

/** All parts in one, up to `version`. VERSO_NOMEM. */
verso_err vs_kept_set_flatten(const struct vs_kept_set *kept, uint64_t version,
                              struct vs_version_set *flat);

#endif
